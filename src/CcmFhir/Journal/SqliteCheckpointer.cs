using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>Copies the write-ahead log back into the file on a thread of its own, so that no commit waits for it. What it has copied stays
/// in the log until the writer itself finds all of it copied; where the load leaves no pause for that, <see cref="WriterIsDue"/> asks the
/// writer to copy the little that is left.</summary>
internal sealed class SqliteCheckpointer : IDisposable
{
    private const long BytesBetween = 16L * 1024 * 1024;

    // 64 MiB of log.
    private const long MostFrames = 16 * 1024;

    private readonly string path;
    private readonly int busyMilliseconds;
    private readonly AutoResetEvent due = new(false);
    private readonly Thread thread;
    private SqliteConnection? connection;
    private long written;
    private volatile bool closed;
    private volatile bool writerIsDue;

    public SqliteCheckpointer(string path, int busyMilliseconds)
    {
        this.path = path;
        this.busyMilliseconds = busyMilliseconds;
        thread = new Thread(Work) { IsBackground = true, Name = "journal checkpointer" };
        thread.Start();
    }

    /// <summary>The log is long although it was copied: the writer should copy the rest. Asked for once.</summary>
    public bool WriterIsDue
    {
        get
        {
            var now = writerIsDue;
            writerIsDue = false;
            return now;
        }
    }

    /// <summary>So many bytes went into the log. Called by the writer's thread alone.</summary>
    public void Wrote(long bytes)
    {
        written += bytes;
        if (written >= BytesBetween)
        {
            written = 0;
            due.Set();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        closed = true;
        due.Set();
        thread.Join();
        connection?.Dispose();
        due.Dispose();
    }

    private void Work()
    {
        while (due.WaitOne() && !closed)
        {
            try
            {
                connection ??= SqliteJournalFile.Connect(path, cacheKiB: 1024, readOnly: false, busyMilliseconds);
                using var command = connection.CreateCommand();
                command.CommandText = "PRAGMA wal_checkpoint(PASSIVE)";
                using var row = command.ExecuteReader();
                writerIsDue = row.Read() && row.GetInt64(1) > MostFrames;
            }
            catch (SqliteException)
            {
                // Disk full, another process's lock: the log holds everything, and the next round tries again.
                connection?.Dispose();
                connection = null;
            }
        }
    }
}
