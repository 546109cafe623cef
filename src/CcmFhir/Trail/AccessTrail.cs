using System.Threading.Channels;
using CcmFhir.Journal;

namespace CcmFhir.Trail;

/// <summary>The audit trail's way in: records are queued, and written to the journal together, as many as came while the last batch was written. A
/// stop writes what is queued before the journal is closed (docs/adr/0005-audit-trail.md).</summary>
/// <param name="store">The journal.</param>
/// <param name="clock">The clock.</param>
/// <param name="log">Log.</param>
internal sealed partial class AccessTrail(IJournalStore store, TimeProvider clock, ILogger<AccessTrail> log)
    : IHostedService,
        IAsyncDisposable
{
    /// <summary>Records that may wait. Where more would, nothing is given out any more.</summary>
    public const int MostWaiting = 65_536;

    private const int MostTogether = 2_000;
    private const int TriesAtStop = 5;
    private static readonly TimeSpan BetweenTries = TimeSpan.FromSeconds(1);

    private readonly Channel<Item> queue = Channel.CreateBounded<Item>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true }
    );
    private readonly Dictionary<string, TrailHead> heads = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource stopping = new();
    private Task pump = Task.CompletedTask;

    /// <summary>Takes a record in. False when the trail cannot take it: then nothing may be given out.</summary>
    public bool Note(TrailRecord record) => queue.Writer.TryWrite(new Item(record, null));

    /// <summary>Waits until everything noted before is written.</summary>
    public async Task FlushAsync(CancellationToken cancel)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (queue.Writer.TryWrite(new Item(null, done)))
        {
            await done.Task.WaitAsync(cancel);
        }
    }

    /// <inheritdoc/>
    public Task StartAsync(CancellationToken cancellationToken)
    {
        pump = Task.Run(PumpAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        queue.Writer.TryComplete();
        await stopping.CancelAsync();
        await pump.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // A host that is thrown away without being stopped loses nothing either: the journal is closed after this.
        queue.Writer.TryComplete();
        await pump;
        stopping.Dispose();
    }

    private async Task PumpAsync()
    {
        var reader = queue.Reader;
        var records = new List<TrailRecord>();
        var flushes = new List<TaskCompletionSource>();
        while (await reader.WaitToReadAsync(CancellationToken.None))
        {
            records.Clear();
            flushes.Clear();
            while (records.Count < MostTogether && reader.TryRead(out var item))
            {
                if (item.Record is { } record)
                {
                    records.Add(record);
                }
                else
                {
                    flushes.Add(item.Flushed!);
                }
            }
            foreach (
                var group in records.GroupBy(record =>
                    (record.Practice, Day: DateOnly.FromDateTime(record.At.UtcDateTime))
                )
            )
            {
                await KeepTryingAsync(group.Key.Practice, group.Key.Day, [.. group]);
            }
            foreach (var flushed in flushes)
            {
                flushed.TrySetResult();
            }
        }
    }

    private async Task KeepTryingAsync(string practice, DateOnly day, List<TrailRecord> records)
    {
        // One payload for all tries: a try whose outcome was lost is known again by it.
        var nonce = Guid.NewGuid().ToString("N");
        for (var tries = 1; ; tries++)
        {
            try
            {
                await AppendAsync(practice, day, nonce, records);
                return;
            }
            catch (JournalUnavailableException fault) when (!stopping.IsCancellationRequested || tries < TriesAtStop)
            {
                Waiting(fault, records.Count, practice);
                await WaitAsync();
            }
            catch (Exception fault)
            {
                // Nobody awaits the pump: what it cannot write is told in the log, and the next batch is tried.
                Lost(fault, records.Count, practice);
                return;
            }
        }
    }

    private async Task WaitAsync()
    {
        try
        {
            await Task.Delay(BetweenTries, clock, stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The stop does not wait between its last tries.
        }
    }

    private async Task AppendAsync(string practice, DateOnly day, string nonce, List<TrailRecord> records)
    {
        while (true)
        {
            var before = heads.GetValueOrDefault(practice);
            before ??= TrailHead.Parse(await store.FindAsync(TrailNames.Head(practice), CancellationToken.None));
            if (before is not null)
            {
                heads[practice] = before;
            }
            var stream = TrailNames.Stream(practice, day);
            // A record that comes late stands behind what is there already: the trail never goes back a day.
            if (before is not null && string.CompareOrdinal(before.Stream, stream) > 0)
            {
                stream = before.Stream;
            }
            var goesOn = before?.Stream == stream;
            var position = goesOn ? before!.Position : 0;
            var previous = goesOn ? Convert.FromHexString(before!.Hash) : HashChain.Start;
            var payload = new TrailEntry(nonce, goesOn ? null : before?.ToString(), records).ToBytes();
            var after = new TrailHead(
                stream,
                position + 1,
                Convert.ToHexStringLower(HashChain.Next(previous.Span, HashChain.Content(payload)))
            );
            List<IndexEntry> index = [new IndexEntry(TrailNames.Head(practice), after.ToString(), before?.ToString())];
            if (position == 0)
            {
                index.Add(new IndexEntry(TrailNames.Day(practice, stream), stream));
            }
            var appended = await store.AppendAsync(
                new JournalCommit([new StreamAppend(stream, position, payload)], index),
                CancellationToken.None
            );
            if (appended.Outcome == AppendOutcome.Appended)
            {
                heads[practice] = after;
                return;
            }
            // Another instance wrote meanwhile.
            heads.Remove(practice);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The journal is not available; {Count} audit records of {Practice} wait"
    )]
    private partial void Waiting(Exception fault, int count, string practice);

    [LoggerMessage(Level = LogLevel.Critical, Message = "{Count} audit records of {Practice} could not be written")]
    private partial void Lost(Exception fault, int count, string practice);

    private readonly record struct Item(TrailRecord? Record, TaskCompletionSource? Flushed);
}
