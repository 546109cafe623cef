using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir verify</c>: a whole journal walked, nothing changed. Exit 0 no faults, 1 faults, 2 could not run.</summary>
internal static class VerifyCommand
{
    private const int FaultsShown = 100;

    public static Command Build(TimeProvider clock)
    {
        var store = StoreOptions.Store();
        var practices = StoreOptions.Practices();
        var format = new Option<string>("--format") { Description = "text or json", DefaultValueFactory = _ => "text" };
        format.AcceptOnlyFromAmong("text", "json");
        var command = new Command("verify", "Checks a whole journal: hash chains, entries, claims, index.")
        {
            store,
            practices,
            format,
        };
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
                        var walk = new VerifyJournal(
                            journal,
                            new DerivedIndex(Practices.Read(parsed.GetRequiredValue(practices)))
                        );
                        var output = parsed.InvocationConfiguration.Output;
                        var json = parsed.GetValue(format) == "json";
                        var (count, shown) = (0L, new List<string>());
                        await foreach (var fault in walk.RunAsync(cancel))
                        {
                            if (++count <= FaultsShown)
                            {
                                shown.Add(fault);
                                if (!json)
                                {
                                    await output.WriteLineAsync(fault);
                                }
                            }
                        }
                        await output.WriteLineAsync(json ? Json(walk, count, shown) : Text(walk, count));
                        return count == 0 ? 0 : 1;
                    }
                )
        );
        return command;
    }

    private static string Text(VerifyJournal walk, long faults)
    {
        var unknown =
            walk.UnknownPractices.Count == 0
                ? ""
                : $" No practice file for {string.Join(", ", walk.UnknownPractices)}: their index was not compared.";
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{walk.Streams} streams, {walk.Entries} entries, {walk.Resources} resources, {walk.Claims} claims, {walk.IndexEntries} index entries: {(faults == 0 ? "no faults" : $"{faults} faults")}.{unknown}"
        );
    }

    private static string Json(VerifyJournal walk, long faults, List<string> shown) =>
        JsonSerializer.Serialize(
            new
            {
                streams = walk.Streams,
                entries = walk.Entries,
                resources = walk.Resources,
                claims = walk.Claims,
                index = walk.IndexEntries,
                faults,
                shown,
                unknownPractices = walk.UnknownPractices,
            }
        );
}
