using System.Globalization;

namespace CcmFhir.Journal;

/// <summary>A connection that reads.</summary>
internal sealed class SqliteJournalReader : SqliteJournalConnection
{
    private readonly SqliteStatement entries;
    private readonly SqliteStatement find;
    private readonly SqliteStatement list;
    private readonly SqliteStatement streams;

    public SqliteJournalReader(string path, int busyMilliseconds)
        : base(path, cacheKiB: 2048, readOnly: true, busyMilliseconds)
    {
        // The entry before the first one asked for comes along, for its hash.
        entries = Prepare(
            """
            SELECT entry.key, entry.hash, entry.format, entry.payload
            FROM stream JOIN entry ON entry.key BETWEEN (stream.id << 24) + ?2 AND (stream.id << 24) + 16777215
            WHERE stream.name = ?1 ORDER BY entry.key
            """
        );
        find = Prepare("SELECT value FROM finder WHERE key = ?1");
        list = Prepare("SELECT key, value FROM finder WHERE key >= ?1 AND key > ?2 ORDER BY key LIMIT ?3");
        streams = Prepare("SELECT id, name FROM stream WHERE id > ?1 ORDER BY id LIMIT ?2");
    }

    /// <summary>Entries after a position, each proven by the hash before it.</summary>
    public IReadOnlyList<JournalEntry> Entries(string stream, long after, string path)
    {
        if (after is < 0 or >= SqliteEntryKey.MostEntries)
        {
            return [];
        }
        var read = new List<JournalEntry>();
        ReadOnlyMemory<byte> previous = HashChain.Start;
        var position = after;
        entries
            .With(1, stream)
            .With(2, after)
            .Each(row =>
            {
                var at = SqliteEntryKey.Position(row.Number(0));
                var hash = row.Bytes(1);
                if (at == after)
                {
                    previous = hash;
                    return true;
                }
                if (at != position + 1)
                {
                    throw Damaged(path, at, "the one before it is missing");
                }
                var format = row.Number(2);
                if (format is not (SqlitePayload.Plain or SqlitePayload.Packed))
                {
                    throw Damaged(path, at, "it has a payload format that this release does not know");
                }
                var payload = SqlitePayload.Unpack(format, row.Blob(3));
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
                return true;
            });
        return read;
    }

    /// <summary>The value of a key.</summary>
    public string? Find(string key) => find.With(1, key).First<string?>(static row => row.Text(0), null);

    /// <summary>At most so many index entries after a key, that start with the prefix.</summary>
    public List<IndexEntry> List(string prefix, string after, int most)
    {
        var found = new List<IndexEntry>();
        list.With(1, prefix)
            .With(2, after)
            .With(3, most)
            .Each(row =>
            {
                var key = row.Text(0);
                if (!key.StartsWith(prefix, StringComparison.Ordinal))
                {
                    return false;
                }
                found.Add(new IndexEntry(key, row.Text(1)));
                return true;
            });
        return found;
    }

    /// <summary>At most so many streams after a number.</summary>
    public List<(long Id, string Name)> Streams(long after, int most)
    {
        var found = new List<(long, string)>();
        streams
            .With(1, after)
            .With(2, most)
            .Each(row =>
            {
                found.Add((row.Number(0), row.Text(1)));
                return true;
            });
        return found;
    }

    /// <summary>What SQLite itself finds wrong with the file, and streams without entries or entries without a stream.</summary>
    public List<string> Check()
    {
        using var command = Connection.CreateCommand();
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
                Connection,
                "SELECT count(*) FROM entry WHERE NOT EXISTS (SELECT 1 FROM stream WHERE stream.id = entry.key >> 24)"
            );
            if (lost > 0)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{lost} entries belong to no stream."));
            }
            var empty = SqliteJournalFile.Number(
                Connection,
                "SELECT count(*) FROM stream WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.key = (stream.id << 24) + 1)"
            );
            if (empty > 0)
            {
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"{empty} streams have no first entry."));
            }
        }
        return faults;
    }

    private static JournalUnreadableException Damaged(string path, long position, string why) =>
        new(
            string.Create(
                CultureInfo.InvariantCulture,
                $"The journal '{path}' is damaged: entry {position} of a stream cannot be trusted, {why}. Stop the program, keep a copy of the file, restore the last backup, and run 'ccmfhir verify'."
            )
        );
}
