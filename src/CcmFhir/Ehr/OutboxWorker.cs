namespace CcmFhir.Ehr;

/// <summary>Pushes what is due, again and again, while the server runs, each practice on its own, so that a slow EHR holds up nobody
/// else.</summary>
/// <param name="round">A practice's push.</param>
/// <param name="clock">The clock.</param>
/// <param name="every">Pause between two rounds.</param>
/// <param name="log">Log.</param>
internal sealed class OutboxWorker(PushRound round, TimeProvider clock, TimeSpan every, ILogger<OutboxWorker> log)
    : BackgroundService
{
    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(every, clock);
        try
        {
            do
            {
                await Task.WhenAll(round.Practices.Select(practice => RoundAsync(practice, stoppingToken)));
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops; tries under way were journalled as stopped.
        }
    }

    private async Task RoundAsync(string practice, CancellationToken cancel)
    {
        try
        {
            await round.RunAsync(practice, cancel);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // One practice's bad journal entry or certificate stops nobody else; the next round tries again.
            log.LogError(fault, "The push for {Practice} failed.", practice);
        }
    }
}
