using System.Globalization;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>A connection that reads, with its statements kept ready. Used by one caller at a time; thrown away after a fault.</summary>
internal sealed class SqliteJournalReader : IDisposable
{
    private readonly SqliteConnection connection;
    private readonly SqliteCommand entries;
    private readonly SqliteCommand find;
    private readonly SqliteCommand list;
    private readonly SqliteCommand streams;

    public SqliteJournalReader(string path, int busyMilliseconds)
    {
        connection = SqliteJournalFile.Connect(path, cacheKiB: 2048, readOnly: true, busyMilliseconds);
        entries = connection.CreateCommand();
        // The entry before the first one asked for comes along, for its hash.
        entries.CommandText = """
            SELECT entry.key, entry.hash, entry.format, entry.payload
            FROM stream JOIN entry ON entry.key BETWEEN (stream.id << 24) + $after AND (stream.id << 24) + 16777215
            WHERE stream.name = $name ORDER BY entry.key
            """;
        entries.Parameters.Add("$name", SqliteType.Text);
        entries.Parameters.Add("$after", SqliteType.Integer);
        find = connection.CreateCommand();
        find.CommandText = "SELECT value FROM finder WHERE key = $key";
        find.Parameters.Add("$key", SqliteType.Text);
        list = connection.CreateCommand();
        list.CommandText =
            "SELECT key, value FROM finder WHERE key >= $prefix AND key > $after ORDER BY key LIMIT $most";
        list.Parameters.Add("$prefix", SqliteType.Text);
        list.Parameters.Add("$after", SqliteType.Text);
        list.Parameters.Add("$most", SqliteType.Integer);
        streams = connection.CreateCommand();
        streams.CommandText = "SELECT id, name FROM stream WHERE id > $after ORDER BY id LIMIT $most";
        streams.Parameters.Add("$after", SqliteType.Integer);
        streams.Parameters.Add("$most", SqliteType.Integer);
    }

    /// <summary>Entries after a position, each proven by the hash before it.</summary>
    public IReadOnlyList<JournalEntry> Entries(string stream, long after, string path)
    {
        if (after is < 0 or >= SqliteEntryKey.MostEntries)
        {
            return [];
        }
        entries.Parameters[0].Value = stream;
        entries.Parameters[1].Value = after;
        using var row = entries.ExecuteReader();
        var read = new List<JournalEntry>();
        ReadOnlyMemory<byte> previous = HashChain.Start;
        var position = after;
        while (row.Read())
        {
            var at = SqliteEntryKey.Position(row.GetInt64(0));
            var hash = row.GetFieldValue<byte[]>(1);
            if (at == after)
            {
                previous = hash;
                continue;
            }
            if (at != position + 1)
            {
                throw Damaged(path, at, "the one before it is missing");
            }
            var format = row.GetInt64(2);
            if (format is not (SqlitePayload.Plain or SqlitePayload.Packed))
            {
                throw Damaged(path, at, "it has a payload format that this release does not know");
            }
            var payload = SqlitePayload.Unpack(format, row.GetFieldValue<byte[]>(3));
            if (
                payload is null
                || !HashChain.Next(previous.Span, HashChain.Content(payload)).AsSpan().SequenceEqual(hash)
            )
            {
                throw Damaged(path, at, "its content does not match its hash");
            }
            read.Add(new JournalEntry(at, hash, payload));
            previous = hash;
            position = at;
        }
        return read;
    }

    /// <summary>The value of a key.</summary>
    public string? Find(string key)
    {
        find.Parameters[0].Value = key;
        return (string?)find.ExecuteScalar();
    }

    /// <summary>At most so many index entries after a key, that start with the prefix.</summary>
    public List<IndexEntry> List(string prefix, string after, int most)
    {
        list.Parameters[0].Value = prefix;
        list.Parameters[1].Value = after;
        list.Parameters[2].Value = most;
        using var row = list.ExecuteReader();
        var found = new List<IndexEntry>();
        while (row.Read() && row.GetString(0) is var key && key.StartsWith(prefix, StringComparison.Ordinal))
        {
            found.Add(new IndexEntry(key, row.GetString(1)));
        }
        return found;
    }

    /// <summary>At most so many streams after a number.</summary>
    public List<(long Id, string Name)> Streams(long after, int most)
    {
        streams.Parameters[0].Value = after;
        streams.Parameters[1].Value = most;
        using var row = streams.ExecuteReader();
        var found = new List<(long, string)>();
        while (row.Read())
        {
            found.Add((row.GetInt64(0), row.GetString(1)));
        }
        return found;
    }

    /// <summary>What SQLite itself finds wrong with the file, and streams without entries or entries without a stream.</summary>
    public List<string> Check()
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA integrity_check(20)";
        var faults = new List<string>();
        using (var row = command.ExecuteReader())
        {
            while (row.Read())
            {
                if (row.GetString(0) is not "ok" and var fault)
                {
                    faults.Add(fault);
                }
            }
        }
        if (faults.Count == 0)
        {
            var lost = SqliteJournalFile.Number(
                connection,
                "SELECT count(*) FROM entry WHERE NOT EXISTS (SELECT 1 FROM stream WHERE stream.id = entry.key >> 24)"
            );
            if (lost > 0)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{lost} entries belong to no stream."));
            }
            var empty = SqliteJournalFile.Number(
                connection,
                "SELECT count(*) FROM stream WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.key = (stream.id << 24) + 1)"
            );
            if (empty > 0)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{empty} streams have no first entry."));
            }
        }
        return faults;
    }

    public void Dispose() => connection.Dispose();

    private static JournalUnreadableException Damaged(string path, long position, string why) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The journal '{path}' is damaged: entry {position} of a stream cannot be trusted, {why}. Stop the program, keep a copy of the file, restore the last backup, and run 'ccmfhir verify'."
            )
        );
}
