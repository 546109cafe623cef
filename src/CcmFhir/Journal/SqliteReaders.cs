namespace CcmFhir.Journal;

/// <summary>The connections that read: as many as are wanted at the same moment, up to a bound, and kept. A read is the processor's work or waits for
/// the disk, so that a few more than there are cores do all that can be done; beyond that the next one waits for its turn, and files stay
/// closed that would be open for nothing.</summary>
/// <param name="path">The file.</param>
/// <param name="busyMilliseconds">How long another process's lock is waited for.</param>
internal sealed class SqliteReaders(string path, int busyMilliseconds) : IDisposable
{
    private static readonly int Most = Math.Max(4, 2 * Environment.ProcessorCount);

    private readonly SemaphoreSlim turns = new(Most);
    private readonly Stack<SqliteJournalReader> idle = new(Most);
    private bool closed;

    /// <summary>Reads on a connection that nobody else uses meanwhile. After a fault the connection is thrown away.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while it waited for its turn.</exception>
    public T Read<T>(Func<SqliteJournalReader, T> read, CancellationToken cancel)
    {
        turns.Wait(cancel);
        SqliteJournalReader? reader = null;
        try
        {
            lock (idle)
            {
                ObjectDisposedException.ThrowIf(closed, this);
                idle.TryPop(out reader);
            }
            reader ??= new SqliteJournalReader(path, busyMilliseconds);
            var answer = read(reader);
            lock (idle)
            {
                if (!closed)
                {
                    idle.Push(reader);
                    reader = null;
                }
            }
            return answer;
        }
        finally
        {
            reader?.Dispose();
            turns.Release();
        }
    }

    /// <summary>Closes what is idle; what is in use is closed by its user.</summary>
    public void Dispose()
    {
        lock (idle)
        {
            closed = true;
            while (idle.TryPop(out var reader))
            {
                reader.Dispose();
            }
        }
    }
}
