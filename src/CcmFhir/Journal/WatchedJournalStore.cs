using System.Collections.Concurrent;

namespace CcmFhir.Journal;

/// <summary>A store that remembers which streams this process has appended to, so that what is worked out from them knows when to look again.
/// What other processes append is not seen here.</summary>
/// <param name="inner">The store itself.</param>
/// <param name="matters">Tells the streams that are watched; appends to others change nothing here.</param>
internal sealed class WatchedJournalStore(IJournalStore inner, Predicate<string> matters) : JournalStoreBefore(inner)
{
    private readonly ConcurrentDictionary<string, long> changed = new(StringComparer.Ordinal);
    private long changes;

    /// <summary>Appends to watched streams so far. Taken before a read, it tells later whether the read is still good.</summary>
    public long Changes => Interlocked.Read(ref changes);

    /// <summary>Whether the stream was appended to after <see cref="Changes"/> stood there.</summary>
    public bool ChangedSince(string stream, long then) => changed.GetValueOrDefault(stream) > then;

    /// <inheritdoc/>
    public override async ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel)
    {
        try
        {
            return await base.AppendAsync(commit, cancel);
        }
        finally
        {
            // Whatever the answer: where its outcome is not known it may have been written.
            foreach (var append in commit.Appends.Where(append => matters(append.Stream)))
            {
                changed[append.Stream] = Interlocked.Increment(ref changes);
            }
        }
    }
}
