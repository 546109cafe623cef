using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using CcmFhir.Telemetry;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>How a SQLite journal runs; the defaults are for a server.</summary>
internal sealed record SqliteJournalOptions
{
    /// <summary>How long another process's lock is waited for before the call fails.</summary>
    public TimeSpan LockWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Pages that the file may grow to; null: as many as the disk holds.</summary>
    public long? LargestPages { get; init; }

    /// <summary>Stream heads remembered, so that a known stream is appended to without being looked up.</summary>
    public int RememberedHeads { get; init; } = 100_000;

    /// <summary>Index keys remembered that were written a second time, as a patient's months are with every log.</summary>
    public int RememberedKeys { get; init; } = 20_000;
}

/// <summary>The journal in one SQLite file, for one machine. One thread writes: it takes all commits that wait, checks and applies each,
/// and makes them durable together with one fsync (group commit). Reads run beside it on connections of their own.</summary>
/// <remarks>Other processes may use the same file: SQLite's locks keep the writers apart, and a batch that finds the file changed by
/// another process forgets what it remembered.</remarks>
internal sealed class SqliteJournalStore : IJournalStore
{
    private const int MostCommits = 512;
    private const long MostBytes = 32L * 1024 * 1024;
    private const int ListPage = 1000;

    private readonly string path;
    private readonly SqliteJournalOptions options;
    private readonly BlockingCollection<PendingCommit> queue = [];
    private readonly SqliteReaders readers;
    private readonly Thread thread;
    private long commits;
    private long flushes;
    private volatile bool closed;

    private SqliteJournalStore(string path, SqliteJournalOptions options)
    {
        this.path = path;
        this.options = options;
        readers = new SqliteReaders(path, (int)options.LockWait.TotalMilliseconds);
        thread = new Thread(Write) { IsBackground = true, Name = "journal writer" };
        thread.Start();
    }

    /// <inheritdoc/>
    public bool AppendsAtEnd => true;

    /// <summary>Commits made durable since the start.</summary>
    public long Commits => Interlocked.Read(ref commits);

    /// <summary>Transactions, each one fsync of the log, that they took.</summary>
    public long Flushes => Interlocked.Read(ref flushes);

    /// <summary>Opens the file, or makes it with its folder.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="make">Make it when it is not there; otherwise that is a <see cref="JournalUnavailableException"/>.</param>
    /// <exception cref="JournalUnreadableException">Not a journal that this release reads.</exception>
    /// <exception cref="JournalUnavailableException">Cannot be made or opened now.</exception>
    public static SqliteJournalStore Open(string path, SqliteJournalOptions? options = null, bool make = true)
    {
        if (!make && !File.Exists(path))
        {
            throw new JournalUnavailableException($"There is no journal '{path}'.");
        }
        SqliteJournalFile.Prepare(path);
        return new SqliteJournalStore(path, options ?? new SqliteJournalOptions());
    }

    /// <inheritdoc/>
    public ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel)
    {
        if (commit.Fault() is { } why)
        {
            throw new ArgumentException(why, nameof(commit));
        }
        cancel.ThrowIfCancellationRequested();
        var pending = new PendingCommit(commit, cancel);
        try
        {
            queue.Add(pending, CancellationToken.None);
        }
        catch (InvalidOperationException fault)
        {
            throw new ObjectDisposedException("The journal is closed.", fault);
        }
        return new ValueTask<AppendResult>(pending.Task);
    }

    /// <inheritdoc/>
    public ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(string stream, long after, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(reader => reader.Entries(stream, after, path), cancel));
    }

    /// <inheritdoc/>
    public ValueTask<string?> FindAsync(string key, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        return ValueTask.FromResult(Read(reader => reader.Find(key), cancel));
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> ListAsync(
        string prefix,
        string? after,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        // Page by page, so that a slow taker keeps no read transaction open: one would keep the log from being reused.
        var last = after ?? "";
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var page = Read(reader => reader.List(prefix, last, ListPage), cancel);
            foreach (var entry in page)
            {
                yield return entry;
            }
            if (page.Count < ListPage)
            {
                yield break;
            }
            last = page[^1].Key;
            await Task.Yield();
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> StreamsAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        var last = 0L;
        while (true)
        {
            cancel.ThrowIfCancellationRequested();
            var page = Read(reader => reader.Streams(last, ListPage), cancel);
            foreach (var (_, name) in page)
            {
                yield return name;
            }
            if (page.Count < ListPage)
            {
                yield break;
            }
            last = page[^1].Id;
            await Task.Yield();
        }
    }

    /// <inheritdoc/>
    public ValueTask<int> RewriteIndexAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        cancel.ThrowIfCancellationRequested();
        try
        {
            // A connection of its own: SQLite's locks keep it and the writer apart, and the writer forgets what it remembered.
            using var connection = SqliteJournalFile.Connect(
                path,
                cacheKiB: 2048,
                readOnly: false,
                (int)options.LockWait.TotalMilliseconds
            );
            using var transaction = connection.BeginTransaction(deferred: false);
            using var set = connection.CreateCommand();
            set.Transaction = transaction;
            set.CommandText = """
                INSERT INTO finder (key, value) VALUES ($key, $value)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value WHERE value <> excluded.value
                """;
            var key = set.Parameters.Add("$key", SqliteType.Text);
            var value = set.Parameters.Add("$value", SqliteType.Text);
            var written = 0;
            foreach (var entry in entries)
            {
                (key.Value, value.Value) = (entry.Key, entry.Value);
                written += set.ExecuteNonQuery();
            }
            transaction.Commit();
            return ValueTask.FromResult(written);
        }
        catch (SqliteException fault)
        {
            throw SqliteJournalFile.Explain(fault, path);
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> CheckAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        foreach (var fault in Read(reader => reader.Check(), cancel))
        {
            yield return $"{path}: {fault}";
            await Task.Yield();
        }
    }

    /// <summary>Writes what waits, then closes. What was answered before needs no clean end: it is durable already.</summary>
    public async ValueTask DisposeAsync()
    {
        if (closed)
        {
            return;
        }
        closed = true;
        queue.CompleteAdding();
        await Task.Run(thread.Join);
        readers.Dispose();
        queue.Dispose();
    }

    private T Read<T>(Func<SqliteJournalReader, T> read, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        try
        {
            return readers.Read(read, cancel);
        }
        catch (SqliteException fault)
        {
            throw SqliteJournalFile.Explain(fault, path);
        }
    }

    private void Write()
    {
        SqliteJournalWriter? writer = null;
        using var checkpointer = new SqliteCheckpointer(path, (int)options.LockWait.TotalMilliseconds);
        var batch = new List<PendingCommit>();
        foreach (var first in queue.GetConsumingEnumerable())
        {
            batch.Add(first);
            var bytes = first.Bytes;
            while (batch.Count < MostCommits && bytes < MostBytes && queue.TryTake(out var next))
            {
                batch.Add(next);
                bytes += next.Bytes;
            }
            try
            {
                writer ??= new SqliteJournalWriter(path, options);
                writer.Apply(batch);
                var appended = batch.Count(pending => pending.Result?.Outcome == AppendOutcome.Appended);
                Interlocked.Add(ref commits, appended);
                Interlocked.Increment(ref flushes);
                Signals.Flushed(appended);
                foreach (var pending in batch)
                {
                    pending.Answer();
                    checkpointer.Wrote(pending.LogBytes);
                }
                if (checkpointer.WriterIsDue)
                {
                    writer.Checkpoint();
                }
            }
            catch (Exception fault)
            {
                // Nobody's commit is known to be there: each is told so and may try again, on a connection that starts afresh.
                writer?.Dispose();
                writer = null;
                foreach (var pending in batch)
                {
                    pending.Fail(fault is SqliteException sqlite ? SqliteJournalFile.Explain(sqlite, path) : fault);
                }
            }
            batch.Clear();
        }
        writer?.Dispose();
    }
}

/// <summary>A commit that waits for the writer.</summary>
internal sealed class PendingCommit
{
    private const int PageBytes = 4096;

    private readonly TaskCompletionSource<AppendResult> answer = new(
        TaskCreationOptions.RunContinuationsAsynchronously
    );
    private readonly CancellationToken cancel;

    public PendingCommit(JournalCommit commit, CancellationToken cancel)
    {
        Commit = commit;
        this.cancel = cancel;
        Contents = new byte[commit.Appends.Count][];
        Stored = new (int, ReadOnlyMemory<byte>)[Contents.Length];
        for (var i = 0; i < Contents.Length; i++)
        {
            Contents[i] = HashChain.Content(commit.Appends[i].Payload.Span);
            Stored[i] = SqlitePayload.Pack(commit.Appends[i].Payload);
            Bytes += Stored[i].Bytes.Length;
        }
    }

    public JournalCommit Commit { get; }

    /// <summary>Hash of each payload, in the order of the appends.</summary>
    public byte[][] Contents { get; }

    /// <summary>Each payload as it is to lie in the file, packed by the caller and not by the one thread that writes.</summary>
    public (int Format, ReadOnlyMemory<byte> Bytes)[] Stored { get; }

    public long Bytes { get; }

    /// <summary>About what it adds to the write-ahead log: its payloads, and a page for each key or, where there are fewer keys, for each stream. A
    /// log holds pages and never less, however short an entry is.</summary>
    public long LogBytes => Bytes + ((long)PageBytes * Math.Max(Commit.Index.Count, Commit.Appends.Count));

    /// <summary>Given up by its caller before it was begun.</summary>
    public bool Cancelled => cancel.IsCancellationRequested;

    /// <summary>What became of it; told only when the batch is durable.</summary>
    public AppendResult? Result { get; set; }

    public Task<AppendResult> Task => answer.Task;

    public void Answer()
    {
        if (Result is null)
        {
            answer.SetCanceled(cancel);
        }
        else
        {
            answer.SetResult(Result);
        }
    }

    public void Fail(Exception fault) => answer.SetException(fault);
}
