namespace CcmFhir.Journal;

/// <summary>Append-only streams of entries, and the index that finds them. A stream is one patient of one practice, or one
/// resource of a practice's directory. Position 0 is the start of a stream; the position after the n-th entry is n.</summary>
/// <remarks>
/// What every store keeps to (the contract suite holds them to it):
/// an entry that was answered <see cref="AppendOutcome.Appended"/> is durable and is read back by every later read;
/// a commit is applied whole or not at all; a lost race and an index conflict change nothing;
/// the same commit tried again after an unknown outcome is applied once;
/// index entries are there before the entries that they point at, and are harmless without them;
/// each entry carries the SHA-256 of the one before it, so that a stream proves its own order.
/// </remarks>
public interface IJournalStore : IAsyncDisposable
{
    /// <summary>Appends, if every stream stands at its expected position and every index entry is free or already holds that value.</summary>
    ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel);

    /// <summary>Entries of a stream after a position (exclusive), in order; empty for a stream that is not there.</summary>
    ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(string stream, long after, CancellationToken cancel);

    /// <summary>The value of an index key; null when there is none.</summary>
    ValueTask<string?> FindAsync(string key, CancellationToken cancel);

    /// <summary>Index entries whose key starts with a prefix, in ordinal key order, after a key (exclusive) when one is given.</summary>
    IAsyncEnumerable<IndexEntry> ListAsync(string prefix, string? after, CancellationToken cancel);
}

/// <summary>One all-or-nothing change.</summary>
/// <param name="Appends">At least one; the first is the main one (the patient's stream), others ride along (directory resources).</param>
/// <param name="Index">Written with it, before it.</param>
public sealed record JournalCommit(IReadOnlyList<StreamAppend> Appends, IReadOnlyList<IndexEntry> Index);

/// <summary>One entry to append to one stream.</summary>
/// <param name="Stream">Stream name, at most 400 characters; never shown in logs (it may hold an EHR's ids).</param>
/// <param name="Expected">Position that the stream must stand at, i.e. the number of entries already there.</param>
/// <param name="Payload">The entry, opaque to the store.</param>
public sealed record StreamAppend(string Stream, long Expected, ReadOnlyMemory<byte> Payload);

/// <summary>An index entry: first writer wins.</summary>
/// <param name="Key">Key, compared ordinally.</param>
/// <param name="Value">Value; writing the same value again is no conflict.</param>
/// <param name="Replaces">When given, the entry is also written where the key holds this older value.</param>
public sealed record IndexEntry(string Key, string Value, string? Replaces = null);

/// <summary>An entry as read.</summary>
/// <param name="Position">Position after it: 1 for the first.</param>
/// <param name="Hash">SHA-256 over the previous entry's hash (32 zero bytes for the first) and the payload.</param>
/// <param name="Payload">As appended.</param>
public sealed record JournalEntry(long Position, ReadOnlyMemory<byte> Hash, ReadOnlyMemory<byte> Payload);

/// <summary>What became of a commit.</summary>
public enum AppendOutcome
{
    /// <summary>Durable.</summary>
    Appended,

    /// <summary>A stream stands elsewhere: read it again. Nothing was changed.</summary>
    LostRace,

    /// <summary>An index key is taken. Nothing was changed.</summary>
    IndexTaken,
}

/// <summary>Answer to an append. A lost race is a result, not an exception.</summary>
/// <param name="Outcome">What became of it.</param>
/// <param name="Stream">The stream that was lost, for <see cref="AppendOutcome.LostRace"/>.</param>
/// <param name="Position">Where that stream stands now.</param>
/// <param name="Taken">The index entry that is there, for <see cref="AppendOutcome.IndexTaken"/>.</param>
public sealed record AppendResult(
    AppendOutcome Outcome,
    string? Stream = null,
    long Position = 0,
    IndexEntry? Taken = null
);
