using System.Globalization;

namespace CcmFhir.Validation.Rules;

/// <summary>FHIR dates and times of any precision, as the span of time that they may mean.</summary>
internal static class Moments
{
    /// <summary>Order of two dates; null when the less precise one leaves it open, or one is no date.</summary>
    public static int? Compare(string left, string right)
    {
        if (Span(left) is not var (leftFrom, leftTo) || Span(right) is not var (rightFrom, rightTo))
        {
            return null;
        }
        return leftTo < rightFrom ? -1
            : leftFrom > rightTo ? 1
            : leftFrom == rightFrom && leftTo == rightTo ? 0
            : null;
    }

    /// <summary>First and last tick that a date may mean (in UTC; without a zone the date is taken as UTC's).</summary>
    private static (long From, long To)? Span(string text)
    {
        var day = text.Length switch
        {
            4 => text + "-01-01",
            7 => text + "-01",
            >= 10 => text[..10],
            _ => "",
        };
        if (
            !DateTime.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var start)
        )
        {
            return null;
        }
        if (text.Length <= 10)
        {
            var last =
                text.Length == 4
                    ? DateTime.IsLeapYear(start.Year)
                        ? 366
                        : 365
                    : text.Length == 7
                        ? DateTime.DaysInMonth(start.Year, start.Month)
                        : 1;
            return (start.Ticks, start.Ticks + (last * TimeSpan.TicksPerDay) - 1);
        }
        return DateTimeOffset.TryParse(
            text,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var instant
        )
            ? (instant.UtcTicks, instant.UtcTicks)
            : null;
    }
}
