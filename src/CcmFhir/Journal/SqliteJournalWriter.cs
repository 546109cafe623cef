using System.Globalization;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>The one connection that writes. Used by the writer thread alone.</summary>
internal sealed class SqliteJournalWriter : SqliteJournalConnection
{
    private static readonly AppendResult Appended = new(AppendOutcome.Appended);

    private readonly string path;
    private readonly RecentMap<Head> heads;
    private readonly RecentMap<string> keys;
    private readonly SqliteStatement begin;
    private readonly SqliteStatement commit;
    private readonly SqliteStatement version;
    private readonly SqliteStatement findStream;
    private readonly SqliteStatement addStream;
    private readonly SqliteStatement findHead;
    private readonly SqliteStatement findHash;
    private readonly SqliteStatement addEntry;
    private readonly SqliteStatement findKey;
    private readonly SqliteStatement addKey;
    private readonly SqliteStatement setKey;
    private readonly SqliteStatement dropKey;
    private long seenVersion = -1;

    public SqliteJournalWriter(string path, SqliteJournalOptions options)
        : base(path, cacheKiB: 32 * 1024, readOnly: false, (int)options.LockWait.TotalMilliseconds)
    {
        this.path = path;
        // The log is copied back into the file by the checkpointer, beside the commits.
        Begin("PRAGMA wal_autocheckpoint=0");
        if (options.LargestPages is { } pages)
        {
            Begin(string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count={pages}"));
        }
        heads = new RecentMap<Head>(options.RememberedHeads);
        keys = new RecentMap<string>(options.RememberedKeys);
        begin = Prepare("BEGIN IMMEDIATE");
        commit = Prepare("COMMIT");
        version = Prepare("PRAGMA data_version");
        findStream = Prepare("SELECT id FROM stream WHERE name = ?1");
        addStream = Prepare("INSERT INTO stream (name) VALUES (?1) RETURNING id");
        findHead = Prepare("SELECT key, hash FROM entry WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1");
        findHash = Prepare("SELECT hash FROM entry WHERE key = ?1");
        addEntry = Prepare("INSERT INTO entry (key, hash, format, payload) VALUES (?1, ?2, ?3, ?4)");
        findKey = Prepare("SELECT value FROM finder WHERE key = ?1");
        addKey = Prepare("INSERT INTO finder (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO NOTHING");
        setKey = Prepare("UPDATE finder SET value = ?2 WHERE key = ?1");
        dropKey = Prepare("DELETE FROM finder WHERE key = ?1");
    }

    /// <summary>Applies each commit that can be, in order, and makes all of them durable at once. On an exception none is.</summary>
    public void Apply(List<PendingCommit> batch)
    {
        if (!File.Exists(path))
        {
            // SQLite would go on writing to a file that nobody can open again.
            throw new JournalUnavailableException(
                $"The journal '{path}' was moved or deleted under the running program: put it back."
            );
        }
        begin.Run();
        ForgetWhenOthersWrote();
        foreach (var pending in batch)
        {
            if (!pending.Cancelled)
            {
                pending.Result = Apply(pending);
            }
        }
        commit.Run();
    }

    /// <summary>Copies into the file what the checkpointer left of the log, so that the next commit begins the log anew.</summary>
    public void Checkpoint()
    {
        try
        {
            SqliteJournalFile.Run(Connection, "PRAGMA wal_checkpoint(PASSIVE)");
        }
        catch (SqliteException)
        {
            // What was committed is durable in the log; the next round tries again, and a lasting fault shows at the next commit.
        }
    }

    private AppendResult Apply(PendingCommit pending)
    {
        var appends = pending.Commit.Appends;
        var there = 0;
        AppendResult? lost = null;
        for (var i = 0; i < appends.Count; i++)
        {
            var head = HeadOf(appends[i].Stream);
            if (appends[i].Expected == StreamAppend.End || head.Position == appends[i].Expected)
            {
                continue;
            }
            if (head.Position > appends[i].Expected && IsThere(head.Id, appends[i].Expected, pending.Contents[i]))
            {
                there++;
            }
            else
            {
                lost ??= new AppendResult(AppendOutcome.LostRace, appends[i].Stream, head.Position);
            }
        }
        if (there == appends.Count)
        {
            // The same commit again: it was applied, its answer was lost.
            return Appended;
        }
        if (lost is not null)
        {
            return lost;
        }
        if (there > 0)
        {
            // A commit is applied whole, so this is another commit that happened to carry the same rider.
            var rider = Enumerable
                .Range(0, appends.Count)
                .First(i =>
                    appends[i].Expected != StreamAppend.End && HeadOf(appends[i].Stream).Position != appends[i].Expected
                );
            return new AppendResult(
                AppendOutcome.LostRace,
                appends[rider].Stream,
                HeadOf(appends[rider].Stream).Position
            );
        }
        if (WriteIndex(pending.Commit) is { } taken)
        {
            return new AppendResult(AppendOutcome.IndexTaken, Taken: taken);
        }
        for (var i = 0; i < appends.Count; i++)
        {
            Append(appends[i].Stream, pending.Contents[i], pending.Stored[i]);
        }
        return appends.FirstOrDefault(append => append.Expected == StreamAppend.End) is { } atEnd
            ? Appended with
            {
                Position = HeadOf(atEnd.Stream).Position,
            }
            : Appended;
    }

    // Most keys are new, so each is written first and looked up only where it was there already. Returns the one that is taken.
    private IndexEntry? WriteIndex(JournalCommit made)
    {
        var index = made.Index;
        List<IndexEntry>? stood = null;
        for (var at = 0; at < index.Count; at++)
        {
            var entry = index[at];
            if (keys.TryGet(entry.Key, out var known) && known == entry.Value && !IsToBeNew(made, entry))
            {
                (stood ??= []).Add(entry);
                continue;
            }
            addKey.With(1, entry.Key).With(2, entry.Value).Run();
            if (addKey.Changed == 1)
            {
                continue;
            }
            var value = findKey.With(1, entry.Key).First(static row => row.Text(0), "");
            if (IsToBeNew(made, entry))
            {
                TakeBack(index.Take(at), stood);
                return new IndexEntry(entry.Key, value);
            }
            if (value == entry.Value)
            {
                (stood ??= []).Add(entry);
                keys.Set(entry.Key, value);
            }
            else if (value == entry.Replaces)
            {
                setKey.With(1, entry.Key).With(2, entry.Value).Run();
                keys.Remove(entry.Key);
                (stood ??= []).Add(entry with { Value = value });
            }
            else
            {
                TakeBack(index.Take(at), stood);
                return new IndexEntry(entry.Key, value);
            }
        }
        return null;
    }

    private static bool IsToBeNew(JournalCommit commit, IndexEntry entry) =>
        commit.Appends.Any(append => append.New.Contains(entry.Key));

    private void TakeBack(IEnumerable<IndexEntry> written, List<IndexEntry>? stood)
    {
        foreach (var entry in written)
        {
            if (stood?.Find(old => old.Key == entry.Key) is { } before)
            {
                setKey.With(1, before.Key).With(2, before.Value).Run();
            }
            else
            {
                dropKey.With(1, entry.Key).Run();
            }
        }
    }

    private void Append(string stream, byte[] content, (int Format, ReadOnlyMemory<byte> Bytes) stored)
    {
        var head = HeadOf(stream);
        if (head.Id == 0)
        {
            head = head with { Id = addStream.With(1, stream).First(static row => row.Number(0), 0L) };
        }
        var hash = HashChain.Next(head.Hash.Span, content);
        addEntry
            .With(1, SqliteEntryKey.Of(head.Id, head.Position + 1))
            .With(2, hash)
            .With(3, stored.Format)
            .With(4, stored.Bytes.Span)
            .Run();
        heads.Set(stream, new Head(head.Id, head.Position + 1, hash));
    }

    private Head HeadOf(string stream)
    {
        if (heads.TryGet(stream, out var head))
        {
            return head;
        }
        head = new Head(findStream.With(1, stream).First(static row => row.Number(0), 0L), 0, HashChain.Start);
        if (head.Id != 0)
        {
            head = findHead
                .With(1, SqliteEntryKey.Of(head.Id, 0))
                .With(2, SqliteEntryKey.Of(head.Id, SqliteEntryKey.MostEntries))
                .First(row => new Head(head.Id, SqliteEntryKey.Position(row.Number(0)), row.Bytes(1)), head);
        }
        heads.Set(stream, head);
        return head;
    }

    private bool IsThere(long id, long after, byte[] content)
    {
        var previous = after == 0 ? HashChain.Start : HashAt(id, after);
        return HashChain.Next(previous.Span, content).AsSpan().SequenceEqual(HashAt(id, after + 1).Span);
    }

    private ReadOnlyMemory<byte> HashAt(long id, long position) =>
        findHash.With(1, SqliteEntryKey.Of(id, position)).First(static row => row.Bytes(0), []);

    private void ForgetWhenOthersWrote()
    {
        // Changes when another connection wrote; in this process none other does.
        var now = version.First(static row => row.Number(0), 0L);
        if (now != seenVersion)
        {
            heads.Clear();
            keys.Clear();
            seenVersion = now;
        }
    }

    private readonly record struct Head(long Id, long Position, ReadOnlyMemory<byte> Hash);
}

/// <summary>The key of an entry: number of its stream, then its position.</summary>
internal static class SqliteEntryKey
{
    private const int PositionBits = 24;

    /// <summary>Entries that a stream can hold: 16,777,215.</summary>
    public const long MostEntries = (1L << PositionBits) - 1;

    public static long Of(long stream, long position) =>
        position is < 0 or > MostEntries
            ? throw new ArgumentOutOfRangeException(nameof(position), "A stream holds at most 16,777,215 entries.")
            : (stream << PositionBits) | position;

    public static long Position(long key) => key & MostEntries;
}
