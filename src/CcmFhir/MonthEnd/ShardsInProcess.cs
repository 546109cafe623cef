using System.Threading.Channels;

namespace CcmFhir.MonthEnd;

/// <summary>Shards that wait in this process's memory, for a server by itself. What a killed process had in it is sent out again when the next
/// one starts: the runs stand in the journal.</summary>
internal sealed class ShardsInProcess : IShardQueue
{
    private readonly Channel<ShardWork> waiting = Channel.CreateUnbounded<ShardWork>();

    /// <summary>Shards as they come.</summary>
    public ChannelReader<ShardWork> Waiting => waiting.Reader;

    /// <inheritdoc/>
    public ValueTask SendAsync(ShardWork work, CancellationToken cancel) => waiting.Writer.WriteAsync(work, cancel);
}

/// <summary>Closes the shards that wait in this process.</summary>
/// <param name="shards">Where they wait.</param>
/// <param name="close">Closes one.</param>
/// <param name="clock">For the pause between tries.</param>
/// <param name="log">Log.</param>
internal sealed class ShardWorker(
    ShardsInProcess shards,
    CloseShards close,
    TimeProvider clock,
    ILogger<ShardWorker> log
) : BackgroundService
{
    private const int AtOnce = 2;
    private const int MostTries = 5;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await ResumeAsync(stoppingToken);
            await Parallel.ForEachAsync(
                shards.Waiting.ReadAllAsync(stoppingToken),
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stoppingToken },
                async (work, stop) => await TryAsync(work, stop)
            );
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; the runs stand in the journal.
        }
    }

    private async Task ResumeAsync(CancellationToken cancel)
    {
        try
        {
            await close.ResumeAsync(cancel);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            log.LogError(fault, "Runs of month end that were under way could not be taken up again.");
        }
    }

    private async Task TryAsync(ShardWork work, CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await close.CloseAsync(work, cancel);
                return;
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                if (tries == MostTries || fault is InvalidDataException)
                {
                    await GiveUpAsync(work, fault, cancel);
                    return;
                }
                log.LogWarning(
                    fault,
                    "Shard {Shard} of {Practice} {Month} could not be closed yet.",
                    work.Shard,
                    work.Practice,
                    work.Month
                );
            }
            await Task.Delay(Pause, clock, cancel);
        }
    }

    private async Task GiveUpAsync(ShardWork work, Exception fault, CancellationToken cancel)
    {
        try
        {
            await close.GiveUpAsync(work, fault, cancel);
        }
        catch (Exception away) when (away is not OperationCanceledException)
        {
            // The journal is away: the run stays open and is taken up again when somebody closes the month or the server starts.
            log.LogError(away, "That a shard was given up could not be written down.");
        }
    }
}
