using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.MonthEnd;

/// <summary>Closes each practice's month by itself, once, when it is time in the practice's own zone. Called every
/// hour, by the Functions host's timer or by <see cref="MonthEndWorker"/>; called more often it does nothing more.</summary>
/// <param name="shards">Closes.</param>
/// <param name="practices">The practices.</param>
/// <param name="hour">Local hour of the month's first day from which the month before is closed, 0 to 23; null: never by itself.</param>
/// <param name="clock">The clock.</param>
/// <param name="log">Log.</param>
internal sealed class MonthEndRound(
    CloseShards shards,
    Practices practices,
    int? hour,
    TimeProvider clock,
    ILogger<MonthEndRound> log
)
{
    /// <summary>The setting's name.</summary>
    public const string HourSetting = "Ccm:CloseHour";

    /// <summary>One round over all practices.</summary>
    /// <exception cref="AggregateException">Some practices' month could not be started; the others' is.</exception>
    public async Task RunAsync(CancellationToken cancel)
    {
        var faults = new List<Exception>();
        foreach (var file in practices.All)
        {
            if (Due(file) is not { } month)
            {
                continue;
            }
            try
            {
                var run = await shards.StartAsync(file, month, "timer", "", once: true, cancel);
                log.LogInformation(
                    "{Practice} {Month}, run {Run}: {State}, {Shards} shards",
                    run.Practice,
                    run.Month,
                    run.Number,
                    run.State,
                    run.Start.Shards
                );
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                log.LogError(fault, "{Practice} {Month} could not be closed.", file.Practice.Slug, month);
                faults.Add(fault);
            }
        }
        if (faults.Count > 0)
        {
            throw new AggregateException("The month of some practices could not be closed.", faults);
        }
    }

    private ServiceMonth? Due(PracticeFile file)
    {
        var local = TimeZoneInfo.ConvertTime(clock.GetUtcNow(), file.Practice.TimeZone);
        // A deployment that was down over the turn of the month closes when it is back.
        var last = new ServiceMonth(local.Year, local.Month).Previous;
        return hour is not { } from ? null
            : local.Day > 1 || local.Hour >= from ? last
            : last.Previous;
    }
}

/// <summary>The rounds of a server by itself.</summary>
/// <param name="round">A round.</param>
/// <param name="clock">The clock.</param>
internal sealed class MonthEndWorker(MonthEndRound round, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Every = TimeSpan.FromHours(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Every, clock);
        try
        {
            do
            {
                try
                {
                    await round.RunAsync(stoppingToken);
                }
                catch (AggregateException)
                {
                    // Logged practice by practice; the next round tries again.
                }
            } while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
    }
}
