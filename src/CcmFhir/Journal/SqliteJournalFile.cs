using System.Buffers.Binary;
using System.Globalization;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>The file behind the SQLite journal: made for its owner alone, marked as ours, refused when it is anything else.</summary>
internal static class SqliteJournalFile
{
    /// <summary>Marks the file as ours: "CCMJ".</summary>
    public const int ApplicationId = 0x43434D4A;

    /// <summary>Schema that this release writes.</summary>
    public const int SchemaVersion = 1;

    private static readonly Lock Making = new();

    // An entry's key is its stream's number and its position, so that a stream lies together and needs no second index.
    private const string Schema = """
        CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
        CREATE TABLE entry (key INTEGER PRIMARY KEY, hash BLOB NOT NULL, format INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
        CREATE TABLE finder (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """;

    /// <summary>Makes the file when there is none; otherwise looks at what is there.</summary>
    /// <exception cref="JournalUnreadableException">Not a journal of ours, of a later release, torn.</exception>
    /// <exception cref="JournalUnavailableException">Cannot be made or opened now.</exception>
    public static void Prepare(string path)
    {
        try
        {
            if (!File.Exists(path))
            {
                Create(path);
            }
            CheckHeader(path);
            if (SqliteLog.IsDamaged($"{path}-wal"))
            {
                throw new JournalUnreadableException(
                    $"The journal '{path}' is damaged: its log '{path}-wal' is overwritten in the middle, and what was committed behind that place would be lost. Stop the program, keep a copy of both files, restore the last backup, and run 'ccmfhir verify'."
                );
            }
            CheckWhole(path);
        }
        catch (SqliteException fault)
        {
            throw Explain(fault, path);
        }
        catch (UnauthorizedAccessException fault)
        {
            throw new JournalUnavailableException(
                $"The journal '{path}' may not be opened by this user: it must be readable and writable.",
                fault
            );
        }
        catch (Exception fault)
            when (fault is IOException and not JournalUnreadableException and not JournalUnavailableException)
        {
            throw new JournalUnavailableException(
                $"The journal '{path}' cannot be made or opened: {fault.Message}",
                fault
            );
        }
    }

    /// <summary>A connection of our own, ready to work.</summary>
    /// <param name="path">The file.</param>
    /// <param name="cacheKiB">Page cache.</param>
    /// <param name="readOnly">It will refuse to write.</param>
    /// <param name="busyMilliseconds">How long another process's lock is waited for.</param>
    public static SqliteConnection Connect(string path, int cacheKiB, bool readOnly, int busyMilliseconds)
    {
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWrite,
                Pooling = false,
                // SQLite itself waits (busy_timeout); this only ends the driver's own loop around it.
                DefaultTimeout = 1,
            }.ConnectionString
        );
        try
        {
            connection.Open();
            Run(
                connection,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"PRAGMA busy_timeout={busyMilliseconds}; PRAGMA synchronous=FULL; PRAGMA cache_size=-{cacheKiB}; PRAGMA temp_store=MEMORY; PRAGMA query_only={(readOnly ? 1 : 0)};"
                )
            );
            return connection;
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Runs statements that answer nothing.</summary>
    public static void Run(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    /// <summary>Runs a statement that answers one number.</summary>
    public static long Number(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return Convert.ToInt64(command.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    /// <summary>SQLite's fault in the words of the journal.</summary>
    public static IOException Explain(SqliteException fault, string path) =>
        fault.SqliteErrorCode switch
        {
            11 => Torn(path, fault),
            26 => NotOurs(path, "it is not a SQLite file", fault),
            13 => new JournalUnavailableException(
                $"The disk under the journal '{path}' is full: free some space.",
                fault
            ),
            8 => new JournalUnavailableException(
                $"The journal '{path}' cannot be written: file or disk is read-only, or the file was moved or deleted under the running program.",
                fault
            ),
            5 or 6 => new JournalUnavailableException(
                $"The journal '{path}' is locked by another process: end that one, or wait for it.",
                fault
            ),
            _ => new JournalUnavailableException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal '{path}' cannot be used now (SQLite {fault.SqliteErrorCode}/{fault.SqliteExtendedErrorCode}): see to the disk and its permissions."
                ),
                fault
            ),
        };

    private static void Create(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        if (!Directory.Exists(folder))
        {
            if (OperatingSystem.IsWindows())
            {
                Directory.CreateDirectory(folder);
            }
            else
            {
                Directory.CreateDirectory(
                    folder,
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                );
            }
        }
        lock (Making)
        {
            MakeAlone(path);
        }
    }

    private static void MakeAlone(string path)
    {
        // Made aside and moved into place whole, so that a crash leaves either no journal or a sound one. The move would replace a journal
        // that another process has just made and already writes to, so the making is locked; the lock ends with its process.
        var (aside, lockPath) = ($"{path}.new", $"{path}.lock");
        using var making = new FileStream(
            lockPath,
            new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                Options = FileOptions.DeleteOnClose,
            }
        );
        if (File.Exists(path))
        {
            return;
        }
        File.Delete(aside);
        try
        {
            var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite };
            if (!OperatingSystem.IsWindows())
            {
                options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
            }
            new FileStream(aside, options).Dispose();
            using (var connection = Connect(aside, 1024, readOnly: false, busyMilliseconds: 1000))
            {
                Run(
                    connection,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"PRAGMA page_size=4096; PRAGMA application_id={ApplicationId}; PRAGMA user_version={SchemaVersion}; BEGIN; {Schema} COMMIT; PRAGMA journal_mode=WAL;"
                    )
                );
            }
            File.Move(aside, path, overwrite: false);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private static void CheckHeader(string path)
    {
        Span<byte> header = stackalloc byte[100];
        int read;
        using (var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            read = file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
        }
        if (read == 0)
        {
            throw NotOurs(path, "it is empty");
        }
        if (read < header.Length || !header.StartsWith("SQLite format 3\0"u8))
        {
            throw NotOurs(path, "it is not a SQLite file");
        }
        if (BinaryPrimitives.ReadInt32BigEndian(header[68..]) != ApplicationId)
        {
            throw NotOurs(path, "it is a SQLite file of another program");
        }
        var version = BinaryPrimitives.ReadInt32BigEndian(header[60..]);
        if (version != SchemaVersion)
        {
            throw new JournalUnreadableException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal '{path}' has schema {version}; this release reads schema {SchemaVersion}. Run the release that wrote it, or a later one."
                )
            );
        }
    }

    private static void CheckWhole(string path)
    {
        using var connection = Connect(path, 1024, readOnly: false, busyMilliseconds: 5000);
        if (Number(connection, "SELECT count(*) FROM sqlite_master WHERE name IN ('stream', 'entry', 'finder')") != 3)
        {
            throw Torn(path, null);
        }
        // What a crash left in the write-ahead log goes into the file first; with another process at work it is left to that one.
        if (Number(connection, "PRAGMA wal_checkpoint(TRUNCATE)") == 0)
        {
            var bytes = Number(connection, "PRAGMA page_count") * Number(connection, "PRAGMA page_size");
            if (new FileInfo(path).Length < bytes)
            {
                throw Torn(path, null);
            }
        }
        Run(
            connection,
            "SELECT max(key) FROM entry; SELECT min(key) FROM entry; SELECT max(key) FROM finder; SELECT max(name) FROM stream; SELECT max(id) FROM stream;"
        );
    }

    private static JournalUnreadableException NotOurs(string path, string why, Exception? inner = null) =>
        new(
            $"'{path}' is not a journal of this program: {why}. Nothing was changed. Name another file in Ccm:Store, or move this one away to start a new journal.",
            inner
        );

    private static JournalUnreadableException Torn(string path, Exception? inner) =>
        new(
            $"The journal '{path}' is damaged: parts of the file are missing or overwritten. Stop the program, keep a copy of the file and its -wal beside it, restore the last backup, and run 'ccmfhir verify'.",
            inner
        );
}
