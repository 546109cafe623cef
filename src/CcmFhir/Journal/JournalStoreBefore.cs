namespace CcmFhir.Journal;

/// <summary>A store that stands before another and passes everything on; what is to be seen or done on the way is overridden.</summary>
/// <param name="inner">The store itself; it is closed with this one.</param>
internal abstract class JournalStoreBefore(IJournalStore inner) : IJournalStore
{
    /// <inheritdoc/>
    public bool AppendsAtEnd => inner.AppendsAtEnd;

    /// <inheritdoc/>
    public virtual ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel) =>
        inner.AppendAsync(commit, cancel);

    /// <inheritdoc/>
    public virtual ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(
        string stream,
        long after,
        CancellationToken cancel
    ) => inner.ReadAsync(stream, after, cancel);

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(string key, CancellationToken cancel) => inner.FindAsync(key, cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<IndexEntry> ListAsync(string prefix, string? after, CancellationToken cancel) =>
        inner.ListAsync(prefix, after, cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<string> StreamsAsync(CancellationToken cancel) => inner.StreamsAsync(cancel);

    /// <inheritdoc/>
    public ValueTask<int> RewriteIndexAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancel) =>
        inner.RewriteIndexAsync(entries, cancel);

    /// <inheritdoc/>
    public IAsyncEnumerable<string> CheckAsync(CancellationToken cancel) => inner.CheckAsync(cancel);

    /// <inheritdoc/>
    public virtual ValueTask DisposeAsync() => inner.DisposeAsync();
}
