using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CcmFhir.Domain;

/// <summary>A calendar month in the practice's time zone: the bucket that care-management time falls into. Minutes never carry over to another one.</summary>
/// <remarks>Local midnight of the billing practice bounds it (rule T4; CMS is silent on the zone, so it is a setting of the practice).</remarks>
/// <param name="Year">Year, 2000 to 2999.</param>
/// <param name="Month">Month, 1 to 12.</param>
public readonly record struct ServiceMonth(int Year, int Month) : IComparable<ServiceMonth>
{
    /// <summary>First day.</summary>
    public DateOnly FirstDay => new(Year, Month, 1);

    /// <summary>Last day.</summary>
    public DateOnly LastDay => FirstDay.AddMonths(1).AddDays(-1);

    /// <summary>The month after.</summary>
    public ServiceMonth Next => Of(FirstDay.AddMonths(1));

    /// <summary>The month before.</summary>
    public ServiceMonth Previous => Of(FirstDay.AddMonths(-1));

    /// <summary>The month of a day.</summary>
    public static ServiceMonth Of(DateOnly day) => new(day.Year, day.Month);

    /// <summary>The month that an instant lies in, in a zone.</summary>
    public static ServiceMonth Of(DateTimeOffset instant, TimeZoneInfo zone) => Of(LocalDay(instant, zone));

    /// <summary>The local day of an instant.</summary>
    public static DateOnly LocalDay(DateTimeOffset instant, TimeZoneInfo zone) =>
        DateOnly.FromDateTime(TimeZoneInfo.ConvertTime(instant, zone).DateTime);

    /// <summary>The instant at which a local day begins. Where the clocks skip midnight, the first instant after the gap.</summary>
    public static DateTimeOffset StartOfDay(DateOnly day, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(zone);
        var midnight = day.ToDateTime(TimeOnly.MinValue);
        while (zone.IsInvalidTime(midnight))
        {
            midnight = midnight.AddMinutes(15);
        }
        // Midnight that comes twice: the day begins with the first, which has the larger offset.
        var offset = zone.IsAmbiguousTime(midnight)
            ? zone.GetAmbiguousTimeOffsets(midnight).Max()
            : zone.GetUtcOffset(midnight);
        return new DateTimeOffset(midnight, offset).ToUniversalTime();
    }

    /// <summary>The month as a stretch of time: from its first local midnight (inclusive) to the next month's (exclusive).</summary>
    public Stretch Bounds(TimeZoneInfo zone) =>
        new(StartOfDay(FirstDay, zone).ToUnixTimeSeconds(), StartOfDay(Next.FirstDay, zone).ToUnixTimeSeconds());

    /// <summary>Reads <c>yyyy-MM</c>; anything else is refused.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ServiceMonth month)
    {
        month = default;
        if (
            text is not { Length: 7 }
            || text[4] != '-'
            || !text.AsSpan(0, 4).ContainsOnlyDigits()
            || !text.AsSpan(5).ContainsOnlyDigits()
        )
        {
            return false;
        }
        var (year, number) = (
            int.Parse(text.AsSpan(0, 4), CultureInfo.InvariantCulture),
            int.Parse(text.AsSpan(5), CultureInfo.InvariantCulture)
        );
        if (year is < 2000 or > 2999 || number is < 1 or > 12)
        {
            return false;
        }
        month = new ServiceMonth(year, number);
        return true;
    }

    /// <inheritdoc/>
    public int CompareTo(ServiceMonth other) => ((Year * 12) + Month).CompareTo((other.Year * 12) + other.Month);

    /// <summary>Earlier.</summary>
    public static bool operator <(ServiceMonth left, ServiceMonth right) => left.CompareTo(right) < 0;

    /// <summary>Later.</summary>
    public static bool operator >(ServiceMonth left, ServiceMonth right) => left.CompareTo(right) > 0;

    /// <summary>Earlier or the same.</summary>
    public static bool operator <=(ServiceMonth left, ServiceMonth right) => left.CompareTo(right) <= 0;

    /// <summary>Later or the same.</summary>
    public static bool operator >=(ServiceMonth left, ServiceMonth right) => left.CompareTo(right) >= 0;

    /// <summary><c>yyyy-MM</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Year:D4}-{Month:D2}");
}

file static class Digits
{
    public static bool ContainsOnlyDigits(this ReadOnlySpan<char> text) => !text.ContainsAnyExceptInRange('0', '9');
}
