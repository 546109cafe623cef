using CcmFhir.Access;
using CcmFhir.Options;
using CcmFhir.Trail;

namespace CcmFhir.Intake;

/// <summary>What intake needs to know of the practice that receives.</summary>
/// <param name="Slug">Slug.</param>
/// <param name="Zone">Time zone: service months, and dates without an offset.</param>
/// <param name="EhrBase">Base URL of the practice's EHR; null when it has none.</param>
/// <param name="MaxTaskHours">Longest time log taken, hours.</param>
internal sealed record Receiver(string Slug, TimeZoneInfo Zone, string? EhrBase = null, int MaxTaskHours = 24)
{
    /// <summary>What intake needs to know of a practice.</summary>
    public static Receiver Of(PracticeFile file) =>
        new(
            file.Practice.Slug,
            file.Practice.TimeZone,
            file.Ehr?.BaseUrl.ToString(),
            file.Practice.Policy.MaxTaskHours
        );
}

/// <summary>Who brings something, where to and when: the same for every entry of a Bundle.</summary>
/// <param name="Practice">The practice.</param>
/// <param name="Access">Who brings it, and what they may do.</param>
/// <param name="Now">The instant that counts as received, to the millisecond, UTC.</param>
/// <param name="Correlation">Id that follows the request through logs and journal; may be empty.</param>
/// <param name="OwnBase">Our own base URL for the practice as the client knows it; null when there is no client.</param>
internal sealed record Arrival(
    Receiver Practice,
    AccessContext Access,
    DateTimeOffset Now,
    string Correlation = "",
    string? OwnBase = null
)
{
    /// <summary>What is given out and written, for the audit trail.</summary>
    public Touched Touched { get; } = new();

    /// <summary>Bases whose references mean the same as relative ones.</summary>
    public LocalBases Bases { get; } =
        new(
            (string[])
                [
                    .. OwnBase is null ? [] : (string[])[OwnBase],
                    .. Practice.EhrBase is null ? [] : (string[])[Practice.EhrBase],
                ]
        );

    /// <summary>An instant to the millisecond, as FHIR's <c>meta.lastUpdated</c> and HTTP can carry it both ways.</summary>
    public static DateTimeOffset ToMillisecond(DateTimeOffset instant) =>
        new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
}
