namespace CcmFhir.Journal;

/// <summary>Append-only streams of entries, and the index that finds them. A stream is one patient of one practice, or one
/// resource of a practice's directory. Position 0 is the start of a stream; the position after the n-th entry is n.</summary>
/// <remarks>
/// What every store keeps to (the contract suite holds them to it):
/// an entry that was answered <see cref="AppendOutcome.Appended"/> is durable and is read back by every later read;
/// a commit is applied whole or not at all; a lost race and an index conflict change nothing;
/// the same commit tried again after an unknown outcome is applied once: it is recognised by its payloads, so a payload must not
/// repeat by chance (ours carry instant and correlation), and at the end of a stream by its new keys, which are taken then;
/// index entries are there before the entries that they point at, and are harmless without them;
/// each entry's hash covers the one before it, so that a stream proves its own order, and every read proves it again.
/// An index entry costs a write of its own (in Blob storage: a blob), a stream entry does not grow dearer with its size: ids from
/// which the stream can be told need no index entry and are the cheaper ones by far.
/// What the surroundings do (disk full, storage away) is a <see cref="JournalUnavailableException"/>: nothing half applied, worth
/// trying again. What cannot be read as our journal is a <see cref="JournalUnreadableException"/>.
/// </remarks>
public interface IJournalStore : IAsyncDisposable
{
    /// <summary>It takes appends to wherever a stream stands (<see cref="StreamAppend.AtEnd"/>); where it does not, a caller must know the position.</summary>
    bool AppendsAtEnd { get; }

    /// <summary>Appends, if every stream stands at its expected position and every index entry is free or already holds that value.</summary>
    /// <exception cref="ArgumentException">The commit itself is not one (<see cref="JournalCommit.Fault"/>).</exception>
    /// <exception cref="JournalUnavailableException">The outcome is unknown; the same commit may be tried again.</exception>
    /// <exception cref="OperationCanceledException">Cancelled before it was written, or while its outcome was not known yet.</exception>
    ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel);

    /// <summary>Entries of a stream after a position (exclusive), in order; empty for a stream that is not there.</summary>
    ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(string stream, long after, CancellationToken cancel);

    /// <summary>The value of an index key; null when there is none.</summary>
    ValueTask<string?> FindAsync(string key, CancellationToken cancel);

    /// <summary>Index entries whose key starts with a prefix, in the order of the keys' UTF-8 bytes, after a key (exclusive) when
    /// one is given. An entry written while the list is read may be in it or not.</summary>
    IAsyncEnumerable<IndexEntry> ListAsync(string prefix, string? after, CancellationToken cancel);

    /// <summary>The name of every stream that holds an entry, in no order.</summary>
    IAsyncEnumerable<string> StreamsAsync(CancellationToken cancel);

    /// <summary>Writes index entries by themselves, whatever the keys hold: to make the index anew from the streams. Each is durable when
    /// this is answered.</summary>
    /// <param name="entries">Each key once; <see cref="IndexEntry.Replaces"/> is not looked at.</param>
    /// <param name="cancel">Gives up; a part may have been written.</param>
    /// <returns>How many were missing or held another value.</returns>
    ValueTask<int> RewriteIndexAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancel);

    /// <summary>What is wrong with the store's own files or blobs, one sentence each; empty when nothing is. Entries are not
    /// looked into: reading them does that.</summary>
    IAsyncEnumerable<string> CheckAsync(CancellationToken cancel);
}

/// <summary>One all-or-nothing change.</summary>
/// <param name="Appends">At least one; the first is the main one (the patient's stream), others ride along (directory resources).
/// Each stream once.</param>
/// <param name="Index">Written with it, before it. Each key once.</param>
public sealed record JournalCommit(IReadOnlyList<StreamAppend> Appends, IReadOnlyList<IndexEntry> Index)
{
    /// <summary>Longest stream name and index key, in UTF-16 units.</summary>
    public const int LongestName = 400;

    /// <summary>Longest index value, in UTF-16 units.</summary>
    public const int LongestValue = 1000;

    /// <summary>Largest payload in bytes: 256 MiB.</summary>
    public const int LargestPayload = 256 * 1024 * 1024;

    /// <summary>Why no store takes this commit: no append, a stream or key named twice, a name that is empty, too long, holds control
    /// characters or half a surrogate pair, a negative position, two appends at the end or one without a new key of this commit, an empty
    /// or too large payload. Null when it may be taken.</summary>
    public string? Fault()
    {
        if (Appends.Count == 0)
        {
            return "A commit appends at least one entry.";
        }
        HashSet<string>? names = Appends.Count > 1 || Index.Count > 1 ? new(StringComparer.Ordinal) : null;
        var atEnd = false;
        foreach (var append in Appends)
        {
            if (TextFault(append.Stream, "stream name", LongestName) is { } fault)
            {
                return fault;
            }
            if (append.Expected == StreamAppend.End)
            {
                if (append.New.Count == 0 || append.New.Any(key => Index.All(entry => entry.Key != key)))
                {
                    return "An append at the end of a stream names keys that must be new, and its commit writes them.";
                }
                if (atEnd)
                {
                    return "A commit appends at the end of one stream at most.";
                }
                atEnd = true;
            }
            else if (append.Expected < 0)
            {
                return "The expected position of a stream is 0 or more.";
            }
            if (append.Payload.IsEmpty || append.Payload.Length > LargestPayload)
            {
                return $"A payload has 1 to {LargestPayload} bytes.";
            }
            if (names?.Add(append.Stream) == false)
            {
                return "A commit appends to each stream at most once.";
            }
        }
        names?.Clear();
        foreach (var entry in Index)
        {
            var fault =
                TextFault(entry.Key, "index key", LongestName) ?? TextFault(entry.Value, "index value", LongestValue);
            if (fault is not null)
            {
                return fault;
            }
            if (names?.Add(entry.Key) == false)
            {
                return "A commit writes each index key at most once.";
            }
        }
        return null;
    }

    private static string? TextFault(string text, string what, int longest)
    {
        if (text.Length == 0 || text.Length > longest)
        {
            return $"A {what} has 1 to {longest} characters.";
        }
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsControl(text[i]))
            {
                return $"A {what} holds no control characters.";
            }
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return $"A {what} holds half a surrogate pair: it is not Unicode text.";
            }
        }
        return null;
    }
}

/// <summary>One entry to append to one stream.</summary>
/// <param name="Stream">Stream name, at most 400 characters; never shown in logs (it may hold an EHR's ids).</param>
/// <param name="Expected">Position that the stream must stand at, i.e. the number of entries already there.</param>
/// <param name="Payload">The entry, opaque to the store; it must not change until the append is answered.</param>
public sealed record StreamAppend(string Stream, long Expected, ReadOnlyMemory<byte> Payload)
{
    /// <summary>In place of a position: wherever the stream stands.</summary>
    public const long End = -1;

    /// <summary>Keys of the commit's index that must not be there yet, whatever they hold; they keep an append at the end from being applied twice.</summary>
    public IReadOnlyList<string> New { get; private init; } = [];

    /// <summary>An entry that holds only what is new, so that it may stand behind whatever the stream holds.</summary>
    /// <param name="stream">Stream name.</param>
    /// <param name="keys">At least one key of the commit's index: one that is there already makes it <see cref="AppendOutcome.IndexTaken"/>.</param>
    /// <param name="payload">The entry.</param>
    public static StreamAppend AtEnd(string stream, IReadOnlyList<string> keys, ReadOnlyMemory<byte> payload) =>
        new(stream, End, payload) { New = keys };
}

/// <summary>An index entry: first writer wins.</summary>
/// <param name="Key">Key, compared ordinally.</param>
/// <param name="Value">Value; writing the same value again is no conflict.</param>
/// <param name="Replaces">When given, the entry is also written where the key holds this older value.</param>
public sealed record IndexEntry(string Key, string Value, string? Replaces = null);

/// <summary>An entry as read.</summary>
/// <param name="Position">Position after it: 1 for the first.</param>
/// <param name="Hash">SHA-256 over the previous entry's hash (32 zero bytes for the first) and the payload's SHA-256.</param>
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
/// <param name="Position">Where that stream stands now; for <see cref="AppendOutcome.Appended"/> where an entry stands that was appended at the end.</param>
/// <param name="Taken">The index entry that is there, for <see cref="AppendOutcome.IndexTaken"/>.</param>
public sealed record AppendResult(
    AppendOutcome Outcome,
    string? Stream = null,
    long Position = 0,
    IndexEntry? Taken = null
);
