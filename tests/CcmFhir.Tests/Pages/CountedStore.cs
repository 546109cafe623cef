using System.Collections.Concurrent;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Pages;

/// <summary>A journal that counts how often each stream is read.</summary>
internal sealed class CountedStore(IJournalStore store) : IJournalStore
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

    public ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(string stream, long after, CancellationToken cancel)
    {
        reads.AddOrUpdate(stream, 1, (_, times) => times + 1);
        return store.ReadAsync(stream, after, cancel);
    }

    public ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel) =>
        store.AppendAsync(commit, cancel);

    public bool AppendsAtEnd => store.AppendsAtEnd;

    public ValueTask<string?> FindAsync(string key, CancellationToken cancel) => store.FindAsync(key, cancel);

    public IAsyncEnumerable<IndexEntry> ListAsync(string prefix, string? after, CancellationToken cancel) =>
        store.ListAsync(prefix, after, cancel);

    public IAsyncEnumerable<string> StreamsAsync(CancellationToken cancel) => store.StreamsAsync(cancel);

    public ValueTask<int> RewriteIndexAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancel) =>
        store.RewriteIndexAsync(entries, cancel);

    public IAsyncEnumerable<string> CheckAsync(CancellationToken cancel) => store.CheckAsync(cancel);

    public ValueTask DisposeAsync() => store.DisposeAsync();
}
