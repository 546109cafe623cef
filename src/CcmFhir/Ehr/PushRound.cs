using System.Collections.Concurrent;
using System.Globalization;

namespace CcmFhir.Ehr;

/// <summary>Pushes what is due of a practice: the months of the last year.</summary>
/// <param name="sessions">The EHRs.</param>
/// <param name="push">The push.</param>
/// <param name="clock">The clock.</param>
/// <param name="log">Log; claims are named by id.</param>
internal sealed class PushRound(EhrSessions sessions, PushClaims push, TimeProvider clock, ILogger<PushRound> log)
{
    // Claims and their corrections may be filed for a year after the service.
    private const int Months = 13;

    private readonly ConcurrentDictionary<string, DateTimeOffset> settled = new(StringComparer.Ordinal);

    /// <summary>The practices that have an EHR, by slug.</summary>
    public IEnumerable<string> Practices =>
        sessions.Practices.All.Where(file => file.Ehr is not null).Select(file => file.Practice.Slug);

    /// <summary>The months that are looked at, newest first.</summary>
    public static IEnumerable<string> MonthsAt(DateTimeOffset now) =>
        Enumerable
            .Range(0, Months)
            .Select(back => now.UtcDateTime.AddMonths(-back).ToString("yyyy-MM", CultureInfo.InvariantCulture));

    /// <summary>Tries each claim of the practice that is due, once.</summary>
    public async Task RunAsync(string practice, CancellationToken cancel)
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
}
