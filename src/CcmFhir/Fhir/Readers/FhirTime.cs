using System.Globalization;
using CcmFhir.Domain;

namespace CcmFhir.Fhir.Readers;

/// <summary>A FHIR date or dateTime as the stretch of seconds that it may mean: one second where it has a time, a local day, month or year where it has not.</summary>
/// <param name="First">First second that it may mean.</param>
/// <param name="After">Second after the last that it may mean; the next second where it has a time.</param>
/// <param name="Exact">It has a time (and, as FHIR demands then, an offset).</param>
internal sealed record FhirTime(long First, long After, bool Exact)
{
    private static readonly string[] Exactly = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"];

    /// <summary>Reads it; null for what is no FHIR date or dateTime, a time without an offset among them.</summary>
    /// <param name="text">As written.</param>
    /// <param name="zone">Zone whose days are meant where no time is given.</param>
    public static FhirTime? Read(string text, TimeZoneInfo zone)
    {
        if (text.Contains('T', StringComparison.Ordinal))
        {
            var instant = Instant(text);
            return instant is { } at
                ? new FhirTime(at.ToUnixTimeSeconds(), at.ToUnixTimeSeconds() + 1, Exact: true)
                : null;
        }
        var parts = text.Split('-');
        if (
            parts.Length > 3
            || !int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var year)
            || year is < 1 or > 9998
            || (parts.Length > 1 && parts[1].Length != 2)
            || (parts.Length > 2 && parts[2].Length != 2)
        )
        {
            return null;
        }
        var month = 1;
        var day = 1;
        if (
            (
                parts.Length > 1
                && (
                    !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out month)
                    || month is < 1 or > 12
                )
            )
            || (
                parts.Length > 2
                && (
                    !int.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out day)
                    || day < 1
                    || day > DateTime.DaysInMonth(year, month)
                )
            )
        )
        {
            return null;
        }
        var first = new DateOnly(year, month, day);
        var next = parts.Length switch
        {
            1 => first.AddYears(1),
            2 => first.AddMonths(1),
            _ => first.AddDays(1),
        };
        return new FhirTime(Unix(first, zone), Unix(next, zone), Exact: false);
    }

    /// <summary>A dateTime with time and offset as an instant; null for anything else.</summary>
    public static DateTimeOffset? Instant(string text) =>
        text.Length >= 20
        && (text[^1] == 'Z' || text[^6] is '+' or '-')
        && DateTimeOffset.TryParseExact(
            text,
            Exactly,
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out var instant
        )
            ? instant
            : null;

    private static long Unix(DateOnly day, TimeZoneInfo zone) => ServiceMonth.StartOfDay(day, zone).ToUnixTimeSeconds();
}
