using System.Globalization;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Search;

/// <summary>How a value compares with the one asked for [search.html#prefix].</summary>
internal enum Prefix
{
    /// <summary>eq: the value lies within what is asked for.</summary>
    Eq,

    /// <summary>ne: it does not.</summary>
    Ne,

    /// <summary>gt: some of it lies above.</summary>
    Gt,

    /// <summary>lt: some of it lies below.</summary>
    Lt,

    /// <summary>ge: some of it lies within or above.</summary>
    Ge,

    /// <summary>le: some of it lies within or below.</summary>
    Le,

    /// <summary>sa: it starts after.</summary>
    Sa,

    /// <summary>eb: it ends before.</summary>
    Eb,

    /// <summary>ap: about the same.</summary>
    Ap,
}

/// <summary>Prefixes of dates, numbers and quantities.</summary>
internal static class Prefixes
{
    /// <summary>Takes a prefix off; eq when there is none.</summary>
    public static Prefix Take(string text, out string rest)
    {
        if (
            text.Length > 2
            && char.IsAsciiLetterLower(text[0])
            && Enum.TryParse<Prefix>(text[..2], true, out var prefix)
        )
        {
            rest = text[2..];
            return prefix;
        }
        rest = text;
        return Prefix.Eq;
    }

    /// <summary>Compares ranges; each has its low end in it, and its high end not.</summary>
    public static bool Compare<T>(Prefix prefix, (T Low, T High) value, (T Low, T High) asked)
        where T : IComparable<T> =>
        prefix switch
        {
            Prefix.Eq => Within(value, asked),
            Prefix.Ne => !Within(value, asked),
            Prefix.Gt => value.High.CompareTo(asked.High) > 0,
            Prefix.Lt => value.Low.CompareTo(asked.Low) < 0,
            Prefix.Ge => value.High.CompareTo(asked.Low) > 0,
            Prefix.Le => value.Low.CompareTo(asked.High) < 0,
            Prefix.Sa => value.Low.CompareTo(asked.High) >= 0,
            Prefix.Eb => value.High.CompareTo(asked.Low) <= 0,
            _ => value.Low.CompareTo(asked.High) < 0 && asked.Low.CompareTo(value.High) < 0,
        };

    private static bool Within<T>((T Low, T High) value, (T Low, T High) asked)
        where T : IComparable<T> => value.Low.CompareTo(asked.Low) >= 0 && value.High.CompareTo(asked.High) <= 0;
}

/// <summary>Dates: to the precision written, as ranges of instants; those without an offset are the practice's local time.</summary>
internal sealed record DateCriterion(
    SearchParameter Parameter,
    string Modifier,
    IReadOnlyList<string> Values,
    IReadOnlyList<(Prefix Prefix, (DateTimeOffset Low, DateTimeOffset High) Range)> Asked,
    TimeZoneInfo Zone
) : Criterion(Parameter, Modifier, Values)
{
    /// <summary>Reads it.</summary>
    public static DateCriterion? Read(
        SearchParameter parameter,
        string modifier,
        List<string> values,
        TimeZoneInfo zone,
        out string? fault
    )
    {
        if (modifier.Length > 0)
        {
            fault = NoModifier(parameter, modifier, ":missing");
            return null;
        }
        var asked = new List<(Prefix, (DateTimeOffset, DateTimeOffset))>();
        foreach (var value in values)
        {
            var prefix = Prefixes.Take(value, out var rest);
            // A plus sign of an offset that was not escaped arrives as a blank.
            if (FhirDate.Range(rest.Replace(' ', '+'), zone) is not { } range)
            {
                fault =
                    "a date is yyyy, yyyy-MM, yyyy-MM-dd or yyyy-MM-ddThh:mm[:ss[.fff]] with Z or an offset, with eq, ne, gt, lt, ge, le, sa, eb or ap before it.";
                return null;
            }
            asked.Add((prefix, prefix == Prefix.Ap ? Wider(range) : range));
        }
        fault = null;
        return new DateCriterion(parameter, modifier, values, asked, zone);
    }

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element)
    {
        if (FhirDate.Range(element, Zone) is not { } range)
        {
            return false;
        }
        foreach (var (prefix, asked) in Asked)
        {
            if (Prefixes.Compare(prefix, range, asked))
            {
                return true;
            }
        }
        return false;
    }

    private static (DateTimeOffset, DateTimeOffset) Wider((DateTimeOffset Low, DateTimeOffset High) range)
    {
        var slack = TimeSpan.FromDays(1);
        return (range.Low - slack, range.High + slack);
    }
}

/// <summary>FHIR dates as ranges of instants.</summary>
internal static class FhirDate
{
    private static readonly (string Format, int Length)[] Partial =
    [
        ("yyyy", 4),
        ("yyyy-MM", 7),
        ("yyyy-MM-dd", 10),
        ("yyyy-MM-ddTHH:mm", 16),
        ("yyyy-MM-ddTHH:mm:ss", 19),
    ];

    /// <summary>First instant (in it) and last (not in it) of a date, dateTime or instant; null when it is none.</summary>
    public static (DateTimeOffset Low, DateTimeOffset High)? Range(string text, TimeZoneInfo zone)
    {
        var (local, offset) = SplitOffset(text);
        string? format = null;
        foreach (var (known, length) in Partial)
        {
            if (local.Length == length)
            {
                format = known;
            }
        }
        if (format is null && local.Length is > 20 and <= 27 && local[19] == '.')
        {
            format = "yyyy-MM-ddTHH:mm:ss." + new string('f', local.Length - 20);
        }
        if (
            format is null
            || (offset is not null && local.Length <= 10)
            || !DateTime.TryParseExact(local, format, CultureInfo.InvariantCulture, DateTimeStyles.None, out var start)
            || start.Year > 9998
        )
        {
            return null;
        }
        var end = local.Length switch
        {
            4 => start.AddYears(1),
            7 => start.AddMonths(1),
            10 => start.AddDays(1),
            16 => start.AddMinutes(1),
            19 => start.AddSeconds(1),
            _ => start.AddTicks(Math.Max(1, (long)Math.Pow(10, 27 - local.Length))),
        };
        return (Instant(start, offset, zone), Instant(end, offset, zone));
    }

    /// <summary>The range of a date, a Period, or a Timing's events and bounds; null for anything else.</summary>
    public static (DateTimeOffset Low, DateTimeOffset High)? Range(FhirElement element, TimeZoneInfo zone)
    {
        if (element.Kind == JsonKind.String)
        {
            return Range(element.Text!, zone);
        }
        if (element.Kind != JsonKind.Object)
        {
            return null;
        }
        var (start, end) = (element["start"u8].Text, element["end"u8].Text);
        if (start is not null || end is not null)
        {
            return (
                start is null ? DateTimeOffset.MinValue : Range(start, zone)?.Low ?? DateTimeOffset.MinValue,
                end is null ? DateTimeOffset.MaxValue : Range(end, zone)?.High ?? DateTimeOffset.MaxValue
            );
        }
        (DateTimeOffset Low, DateTimeOffset High)? all = null;
        foreach (var part in element["event"u8].Items)
        {
            all = Union(all, Range(part, zone));
        }
        return Union(all, Range(element["repeat"u8]["boundsPeriod"u8], zone));
    }

    private static (DateTimeOffset, DateTimeOffset)? Union(
        (DateTimeOffset Low, DateTimeOffset High)? left,
        (DateTimeOffset Low, DateTimeOffset High)? right
    ) =>
        left is not { } one ? right
        : right is not { } two ? left
        : (one.Low < two.Low ? one.Low : two.Low, one.High > two.High ? one.High : two.High);

    private static (string Local, TimeSpan? Offset) SplitOffset(string text)
    {
        if (text.EndsWith('Z'))
        {
            return (text[..^1], TimeSpan.Zero);
        }
        if (
            text.Length > 16
            && text[^6] is '+' or '-'
            && TimeSpan.TryParseExact(text[^5..], @"hh\:mm", CultureInfo.InvariantCulture, out var offset)
            && offset <= TimeSpan.FromHours(14)
        )
        {
            return (text[..^6], text[^6] == '-' ? -offset : offset);
        }
        return (text, null);
    }

    private static DateTimeOffset Instant(DateTime local, TimeSpan? offset, TimeZoneInfo zone)
    {
        var shift = offset ?? zone.GetUtcOffset(local);
        var ticks = Math.Clamp(local.Ticks - shift.Ticks, DateTime.MinValue.Ticks, DateTime.MaxValue.Ticks);
        return new DateTimeOffset(ticks, TimeSpan.Zero);
    }
}
