namespace CcmFhir.Ehr.Receiving;

/// <summary>Reads from EHRs while the server runs: what notifications named as soon as they came, and what is to be pulled when it is due.</summary>
/// <param name="round">Every practice's reading.</param>
/// <param name="queue">What notifications named.</param>
/// <param name="clock">The clock.</param>
/// <param name="every">Longest pause between two rounds.</param>
internal sealed class PullWorker(PullRound round, FetchQueue queue, TimeProvider clock, TimeSpan every)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                await round.RunAsync(stoppingToken);
                await queue.WaitAsync(Task.Delay(every, clock, stoppingToken), stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; what is pending stands in the journal.
        }
    }
}
