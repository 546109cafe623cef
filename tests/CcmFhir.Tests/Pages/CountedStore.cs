using System.Collections.Concurrent;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Pages;

/// <summary>A journal that counts how often each stream is read.</summary>
internal sealed class CountedStore(IJournalStore store) : JournalStoreBefore(store)
{
    private readonly ConcurrentDictionary<string, int> reads = new(StringComparer.Ordinal);

    /// <summary>Reads of patients' streams since it was last asked, by stream.</summary>
    public IReadOnlyDictionary<string, int> TakePatientReads()
    {
        var taken = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var stream in reads.Keys)
        {
            if (reads.TryRemove(stream, out var times) && stream.StartsWith("patient/", StringComparison.Ordinal))
            {
                taken[stream] = times;
            }
        }
        return taken;
    }

    public override ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(
        string stream,
        long after,
        CancellationToken cancel
    )
    {
        reads.AddOrUpdate(stream, 1, (_, times) => times + 1);
        return base.ReadAsync(stream, after, cancel);
    }
}
