using System.Globalization;

namespace CcmFhir.Pages;

/// <summary>Figures as people read them.</summary>
internal static class Shown
{
    private static readonly CultureInfo American = Dollars();

    /// <summary><c>19 min 59 s</c>; seconds are shown only where there are some.</summary>
    public static string Duration(long seconds)
    {
        var (minutes, rest) = (seconds / 60, seconds % 60);
        return minutes == 0 ? string.Create(CultureInfo.InvariantCulture, $"{rest} s")
            : rest == 0 ? string.Create(CultureInfo.InvariantCulture, $"{minutes} min")
            : string.Create(CultureInfo.InvariantCulture, $"{minutes} min {rest} s");
    }

    /// <summary><c>$1,234.50</c>.</summary>
    public static string Money(decimal amount) => amount.ToString("C2", American);

    /// <summary><c>October 2026</c>.</summary>
    public static string Month(int year, int month) =>
        new DateOnly(year, month, 1).ToString("MMMM yyyy", CultureInfo.InvariantCulture);

    /// <summary><c>2026-11-02 09:00:15 -05:00</c>.</summary>
    public static string Instant(DateTimeOffset instant, TimeZoneInfo zone) =>
        TimeZoneInfo.ConvertTime(instant, zone).ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>Where a month stands, in a word or two.</summary>
    public static string State(MonthState state) => state == MonthState.None ? "Not billed" : state.ToString();

    private static CultureInfo Dollars()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.CurrencySymbol = "$";
        culture.NumberFormat.CurrencyNegativePattern = 1;
        return culture;
    }
}
