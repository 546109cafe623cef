using System.CommandLine;
using System.Globalization;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir rebuild</c>: the index made anew from the streams. What is right stays as it is; no stream is changed. Exit 0 done, 2 could
/// not run.</summary>
internal static class RebuildCommand
{
    private const int AtOnce = 1000;

    public static Command Build(TimeProvider clock)
    {
        var store = StoreOptions.Store();
        var practices = StoreOptions.Practices();
        var command = new Command("rebuild", "Makes a journal's index anew from its streams.") { store, practices };
        command.SetAction(
            (parsed, cancel) =>
                CommandPlace.RunAsync(
                    parsed,
                    async () =>
                    {
                        await using var journal = await JournalStores.OpenAsync(
                            parsed.GetValue(store),
                            clock,
                            cancel,
                            make: false
                        );
                        var derived = new DerivedIndex(Practices.Read(parsed.GetRequiredValue(practices)));
                        var output = parsed.InvocationConfiguration.Output;
                        var (streams, entries, written) = (0L, 0L, 0L);
                        var waiting = new List<IndexEntry>();
                        var registry = new ClaimRegistry(new StreamRecords(journal));
                        var registered = new HashSet<string>(StringComparer.Ordinal);
                        var unknown = new SortedSet<string>(StringComparer.Ordinal);
                        await foreach (var stream in journal.StreamsAsync(cancel))
                        {
                            if (!derived.Knows(stream))
                            {
                                if (DerivedIndex.Practice(stream) is { } practice)
                                {
                                    unknown.Add(practice);
                                }
                                continue;
                            }
                            streams++;
                            var record = StreamRecord.Empty(stream).After(await journal.ReadAsync(stream, 0, cancel));
                            waiting.AddRange(derived.Of(record));
                            foreach (var entry in await registry.StandingAsync(record, cancel))
                            {
                                // Two records of one person: which one comes first does not matter, and a key is written once.
                                if (registered.Add(entry.Key))
                                {
                                    waiting.Add(entry);
                                }
                            }
                            if (waiting.Count >= AtOnce)
                            {
                                await WriteAsync();
                            }
                        }
                        await WriteAsync();
                        await output.WriteLineAsync(
                            string.Create(
                                CultureInfo.InvariantCulture,
                                $"{streams} streams, {entries} index entries: {written} were missing or wrong and are right now."
                            )
                        );
                        if (unknown.Count > 0)
                        {
                            await output.WriteLineAsync(
                                $"No practice file for {string.Join(", ", unknown)}: their index was left as it is."
                            );
                        }
                        return 0;

                        async Task WriteAsync()
                        {
                            entries += waiting.Count;
                            written += await journal.RewriteIndexAsync(waiting, cancel);
                            waiting.Clear();
                        }
                    }
                )
        );
        return command;
    }
}
