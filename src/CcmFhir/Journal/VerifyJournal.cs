using System.Globalization;
using System.Runtime.CompilerServices;
using CcmFhir.Fhir;
using CcmFhir.Intake;

namespace CcmFhir.Journal;

/// <summary>Walks a whole journal and says what is wrong with it: files or blobs, hash chains, entries that cannot be read, streams that do not fold,
/// claims that were issued twice, versions that do not rise, index entries that are missing, wrong, or lead nowhere. Changes nothing.</summary>
/// <param name="store">The journal.</param>
/// <param name="derived">The index as it should be.</param>
internal sealed class VerifyJournal(IJournalStore store, DerivedIndex derived)
{
    private readonly HashSet<string> unknownPractices = new(StringComparer.Ordinal);

    /// <summary>Streams walked.</summary>
    public long Streams { get; private set; }

    /// <summary>Entries read, each proven by the one before it.</summary>
    public long Entries { get; private set; }

    /// <summary>Resources that are there, deleted ones included.</summary>
    public long Resources { get; private set; }

    /// <summary>Claims issued.</summary>
    public long Claims { get; private set; }

    /// <summary>Index entries walked.</summary>
    public long IndexEntries { get; private set; }

    /// <summary>Practices without a practice file: without their time zone the index of their months could not be compared.</summary>
    public IReadOnlyCollection<string> UnknownPractices => unknownPractices;

    /// <summary>Faults as they are found, one sentence each; ids, never names or identifiers.</summary>
    public async IAsyncEnumerable<string> RunAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var fault in store.CheckAsync(cancel))
        {
            yield return fault;
        }
        var streams = new HashSet<string>(StringComparer.Ordinal);
        await foreach (var stream in store.StreamsAsync(cancel))
        {
            streams.Add(stream);
            foreach (var fault in await StreamAsync(stream, cancel))
            {
                yield return fault;
            }
        }
        await foreach (var entry in store.ListAsync("", null, cancel))
        {
            IndexEntries++;
            // A reservation names its stream last, behind the resource and the instant.
            var stream = entry.Value[(entry.Value.LastIndexOf(' ') + 1)..];
            if (!streams.Contains(stream))
            {
                yield return $"An index entry of kind '{Kind(entry.Key)}' leads to stream '{stream}', which is not there.";
            }
        }
    }

    private async Task<List<string>> StreamAsync(string stream, CancellationToken cancel)
    {
        var faults = new List<string>();
        Streams++;
        try
        {
            var entries = await store.ReadAsync(stream, 0, cancel);
            Entries += entries.Count;
            if (!DerivedIndex.HoldsResources(stream))
            {
                return faults;
            }
            var record = StreamRecord.Empty(stream).After(entries);
            Resources += record.Resources.LongCount();
            faults.AddRange(
                ClaimsTwice(record).Select(identifier => $"Stream '{stream}': claim {identifier} was issued twice.")
            );
            faults.AddRange(
                record
                    .Resources.Where(versions =>
                        versions.NewestFirst().Zip(versions.NewestFirst().Skip(1)).Any(OutOfOrder)
                    )
                    .Select(versions =>
                        $"Stream '{stream}': versions of {versions.Current.Reference} do not rise: it was written while the index did not know it."
                    )
            );
            if (!derived.Knows(stream))
            {
                unknownPractices.Add(DerivedIndex.Practice(stream)!);
                return faults;
            }
            foreach (var entry in derived.Of(record))
            {
                var value = await store.FindAsync(entry.Key, cancel);
                if (value is null)
                {
                    faults.Add($"Stream '{stream}': an index entry of kind '{Kind(entry.Key)}' is missing.");
                }
                else if (value != entry.Value)
                {
                    faults.Add($"Stream '{stream}': an index entry of kind '{Kind(entry.Key)}' leads elsewhere.");
                }
            }
        }
        catch (Exception fault) when (fault is JournalUnreadableException or InvalidDataException)
        {
            faults.Add($"Stream '{stream}': {fault.Message}");
        }
        return faults;
    }

    private static bool OutOfOrder((ResourceVersions Newer, ResourceVersions Older) pair) =>
        long.Parse(pair.Newer.Current.VersionId, CultureInfo.InvariantCulture)
        <= long.Parse(pair.Older.Current.VersionId, CultureInfo.InvariantCulture);

    private IEnumerable<string> ClaimsTwice(StreamRecord record)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var claim in record.Claims)
        {
            Claims++;
            var resource = PracticeRecords.Parse(
                new StoredResource("Claim", claim.Id, "1", claim.Events[0].At, claim.Json)
            );
            foreach (var identifier in resource["identifier"u8].Items)
            {
                var name = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{identifier["system"u8].Text}|{identifier["value"u8].Text}"
                );
                if (!seen.Add(name))
                {
                    yield return name;
                }
            }
        }
    }

    // The rest of a key may be a name, a birth date or an identifier.
    private static string Kind(string key) => key[..Math.Max(0, key.IndexOf('/', StringComparison.Ordinal))];
}
