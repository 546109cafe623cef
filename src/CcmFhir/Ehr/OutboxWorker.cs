using System.Collections.Concurrent;
using System.Globalization;

namespace CcmFhir.Ehr;

/// <summary>Pushes what is due, again and again, while the server runs: the months of the last year, each practice on its own, so that a
/// slow EHR holds up nobody else.</summary>
/// <param name="sessions">The EHRs.</param>
/// <param name="push">The push.</param>
/// <param name="clock">The clock.</param>
/// <param name="every">Pause between two rounds.</param>
/// <param name="log">Log; claims are named by id.</param>
internal sealed class OutboxWorker(
    EhrSessions sessions,
    PushClaims push,
    TimeProvider clock,
    TimeSpan every,
    ILogger<OutboxWorker> log
) : BackgroundService
{
    // Claims and their corrections may be filed for a year after the service.
    private const int Months = 13;

    private readonly ConcurrentDictionary<string, DateTimeOffset> settled = new(StringComparer.Ordinal);

    /// <summary>The months that are looked at, newest first.</summary>
    public static IEnumerable<string> MonthsAt(DateTimeOffset now) =>
        Enumerable
            .Range(0, Months)
            .Select(back => now.UtcDateTime.AddMonths(-back).ToString("yyyy-MM", CultureInfo.InvariantCulture));

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(every, clock);
        try
        {
            do
            {
                await Task.WhenAll(
                    sessions.Practices.All.Select(file => RoundAsync(file.Practice.Slug, stoppingToken))
                );
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
            if (sessions.Find(practice) is not { } ehr)
            {
                return;
            }
            foreach (var month in MonthsAt(clock.GetUtcNow()))
            {
                var report = await push.RunAsync(ehr, month, null, cancel, settled);
                foreach (var claim in report.Claims.Where(claim => claim.Tried))
                {
                    log.LogInformation(
                        "Claim {Claim} of {Practice} {Month}: {Standing}",
                        claim.ClaimId,
                        practice,
                        month,
                        claim.Standing
                    );
                }
            }
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // One practice's bad journal entry or certificate stops nobody else; the next round tries again.
            log.LogError(fault, "The push for {Practice} failed.", practice);
        }
    }
}
