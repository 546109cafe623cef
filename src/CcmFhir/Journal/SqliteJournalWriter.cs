using System.Globalization;
using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>The one connection that writes. Used by the writer thread alone; thrown away after any fault.</summary>
internal sealed class SqliteJournalWriter : IDisposable
{
    private static readonly AppendResult Appended = new(AppendOutcome.Appended);

    private readonly string path;
    private readonly SqliteConnection connection;
    private readonly RecentMap<Head> heads;
    private readonly SqliteCommand begin;
    private readonly SqliteCommand commit;
    private readonly SqliteCommand version;
    private readonly SqliteCommand findStream;
    private readonly SqliteCommand addStream;
    private readonly SqliteCommand findHead;
    private readonly SqliteCommand findHash;
    private readonly SqliteCommand addEntry;
    private readonly SqliteCommand findKey;
    private readonly SqliteCommand setKey;
    private long seenVersion = -1;

    public SqliteJournalWriter(string path, SqliteJournalOptions options)
    {
        this.path = path;
        connection = SqliteJournalFile.Connect(
            path,
            cacheKiB: 16 * 1024,
            readOnly: false,
            (int)options.LockWait.TotalMilliseconds
        );
        try
        {
            SqliteJournalFile.Run(connection, "PRAGMA wal_autocheckpoint=2000");
            if (options.LargestPages is { } pages)
            {
                SqliteJournalFile.Run(
                    connection,
                    string.Create(CultureInfo.InvariantCulture, $"PRAGMA max_page_count={pages}")
                );
            }
            heads = new RecentMap<Head>(options.RememberedHeads);
            begin = Prepare("BEGIN IMMEDIATE");
            commit = Prepare("COMMIT");
            version = Prepare("PRAGMA data_version");
            findStream = Prepare("SELECT id FROM stream WHERE name = $1", SqliteType.Text);
            addStream = Prepare("INSERT INTO stream (name) VALUES ($1) RETURNING id", SqliteType.Text);
            findHead = Prepare(
                "SELECT key, hash FROM entry WHERE key BETWEEN $1 AND $2 ORDER BY key DESC LIMIT 1",
                SqliteType.Integer,
                SqliteType.Integer
            );
            findHash = Prepare("SELECT hash FROM entry WHERE key = $1", SqliteType.Integer);
            addEntry = Prepare(
                "INSERT INTO entry (key, hash, format, payload) VALUES ($1, $2, $3, $4)",
                SqliteType.Integer,
                SqliteType.Blob,
                SqliteType.Integer,
                SqliteType.Blob
            );
            findKey = Prepare("SELECT value FROM finder WHERE key = $1", SqliteType.Text);
            setKey = Prepare(
                "INSERT INTO finder (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                SqliteType.Text,
                SqliteType.Text
            );
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
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
        begin.ExecuteNonQuery();
        ForgetWhenOthersWrote();
        foreach (var pending in batch)
        {
            if (!pending.Cancelled)
            {
                pending.Result = Apply(pending);
            }
        }
        commit.ExecuteNonQuery();
    }

    public void Dispose()
    {
        // Closing rolls back what is open.
        connection.Dispose();
    }

    private AppendResult Apply(PendingCommit pending)
    {
        var appends = pending.Commit.Appends;
        var there = 0;
        AppendResult? lost = null;
        for (var i = 0; i < appends.Count; i++)
        {
            var head = HeadOf(appends[i].Stream);
            if (head.Position == appends[i].Expected)
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
                .First(i => HeadOf(appends[i].Stream).Position != appends[i].Expected);
            return new AppendResult(
                AppendOutcome.LostRace,
                appends[rider].Stream,
                HeadOf(appends[rider].Stream).Position
            );
        }
        var fresh = new List<IndexEntry>(pending.Commit.Index.Count);
        foreach (var entry in pending.Commit.Index)
        {
            findKey.Parameters[0].Value = entry.Key;
            var value = (string?)findKey.ExecuteScalar();
            if (value is null || (value != entry.Value && value == entry.Replaces))
            {
                fresh.Add(entry);
            }
            else if (value != entry.Value)
            {
                return new AppendResult(AppendOutcome.IndexTaken, Taken: new IndexEntry(entry.Key, value));
            }
        }
        foreach (var entry in fresh)
        {
            setKey.Parameters[0].Value = entry.Key;
            setKey.Parameters[1].Value = entry.Value;
            setKey.ExecuteNonQuery();
        }
        for (var i = 0; i < appends.Count; i++)
        {
            Append(appends[i], pending.Contents[i]);
        }
        return Appended;
    }

    private void Append(StreamAppend append, byte[] content)
    {
        var head = HeadOf(append.Stream);
        if (head.Id == 0)
        {
            addStream.Parameters[0].Value = append.Stream;
            head = head with { Id = Convert.ToInt64(addStream.ExecuteScalar(), CultureInfo.InvariantCulture) };
        }
        var hash = HashChain.Next(head.Hash.Span, content);
        addEntry.Parameters[0].Value = SqliteEntryKey.Of(head.Id, head.Position + 1);
        addEntry.Parameters[1].Value = hash;
        addEntry.Parameters[2].Value = 0;
        addEntry.Parameters[3].Value =
            MemoryMarshal.TryGetArray(append.Payload, out var whole) && whole.Count == whole.Array!.Length
                ? whole.Array
                : append.Payload.ToArray();
        addEntry.ExecuteNonQuery();
        addEntry.Parameters[3].Value = null;
        heads.Set(append.Stream, new Head(head.Id, head.Position + 1, hash));
    }

    private Head HeadOf(string stream)
    {
        if (heads.TryGet(stream, out var head))
        {
            return head;
        }
        findStream.Parameters[0].Value = stream;
        var id = findStream.ExecuteScalar();
        head = new Head(0, 0, HashChain.Start);
        if (id is not null)
        {
            head = head with { Id = Convert.ToInt64(id, CultureInfo.InvariantCulture) };
            findHead.Parameters[0].Value = SqliteEntryKey.Of(head.Id, 0);
            findHead.Parameters[1].Value = SqliteEntryKey.Of(head.Id, SqliteEntryKey.MostEntries);
            using var row = findHead.ExecuteReader();
            if (row.Read())
            {
                head = new Head(head.Id, SqliteEntryKey.Position(row.GetInt64(0)), row.GetFieldValue<byte[]>(1));
            }
        }
        heads.Set(stream, head);
        return head;
    }

    private bool IsThere(long id, long after, byte[] content)
    {
        var previous = after == 0 ? HashChain.Start : HashAt(id, after);
        return HashChain.Next(previous.Span, content).AsSpan().SequenceEqual(HashAt(id, after + 1).Span);
    }

    private ReadOnlyMemory<byte> HashAt(long id, long position)
    {
        findHash.Parameters[0].Value = SqliteEntryKey.Of(id, position);
        return (byte[]?)findHash.ExecuteScalar();
    }

    private void ForgetWhenOthersWrote()
    {
        // Changes when another connection wrote; in this process none other does.
        var now = Convert.ToInt64(version.ExecuteScalar(), CultureInfo.InvariantCulture);
        if (now != seenVersion)
        {
            heads.Clear();
            seenVersion = now;
        }
    }

    private SqliteCommand Prepare(string sql, params ReadOnlySpan<SqliteType> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        for (var i = 0; i < parameters.Length; i++)
        {
            command.Parameters.Add(string.Create(CultureInfo.InvariantCulture, $"${i + 1}"), parameters[i]);
        }
        return command;
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
