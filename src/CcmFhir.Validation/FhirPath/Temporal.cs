using System.Buffers.Text;
using System.Globalization;

namespace CcmFhir.Validation.FhirPath;

/// <summary>A date, date with time, or time of day, known to some precision, as FHIR and FHIRPath write them.</summary>
internal readonly struct Temporal : IFormattable
{
    /// <summary>How much is known. Fractions of a second belong to the second, as the specification has it.</summary>
    public enum Part : byte
    {
        Year,
        Month,
        Day,
        Hour,
        Minute,
        Second,
    }

    // Ticks of the local reading; for a time of day since midnight.
    private readonly long ticks;
    private readonly short offsetMinutes;

    private Temporal(FhirPathKind kind, Part precision, long ticks, int fraction, short? offset)
    {
        Kind = kind;
        Precision = precision;
        this.ticks = ticks;
        FractionDigits = (byte)fraction;
        HasOffset = offset is not null;
        offsetMinutes = offset ?? 0;
    }

    /// <summary>Date, DateTime or Time.</summary>
    public FhirPathKind Kind { get; }

    public Part Precision { get; }

    public bool HasOffset { get; }

    public int FractionDigits { get; }

    private DateTime Local => new(ticks);

    private long UtcTicks => ticks - (HasOffset ? offsetMinutes * TimeSpan.TicksPerMinute : 0);

    public static Temporal Date(DateTimeOffset instant) =>
        new(FhirPathKind.Date, Part.Day, instant.DateTime.Date.Ticks, 0, null);

    public static Temporal DateTime(DateTimeOffset instant) =>
        new(
            FhirPathKind.DateTime,
            Part.Second,
            instant.DateTime.Ticks - (instant.DateTime.Ticks % TimeSpan.TicksPerMillisecond),
            3,
            (short)instant.Offset.TotalMinutes
        );

    public static Temporal Time(DateTimeOffset instant) =>
        new(
            FhirPathKind.Time,
            Part.Second,
            instant.TimeOfDay.Ticks - (instant.TimeOfDay.Ticks % TimeSpan.TicksPerMillisecond),
            3,
            null
        );

    /// <summary>Reads one as FHIR writes it. With kind String, a date or date with time (T tells them apart).</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, FhirPathKind kind, out Temporal value)
    {
        value = default;
        if (kind == FhirPathKind.Time || (text.Length > 2 && text[2] == (byte)':'))
        {
            return TryTime(text, FhirPathKind.Time, 0, allowOffset: false, out value);
        }
        if (!TryDigits(text, 0, 4, out var year) || year == 0)
        {
            return false;
        }
        var hasTime = text.IndexOf((byte)'T') >= 0;
        kind =
            kind == FhirPathKind.String ? (hasTime ? FhirPathKind.DateTime : FhirPathKind.Date)
            : kind == FhirPathKind.Date && hasTime ? FhirPathKind.DateTime
            : kind;
        var (month, day, at, precision) = (1, 1, 4, Part.Year);
        if (at < text.Length && text[at] == (byte)'-')
        {
            if (!TryDigits(text, at + 1, 2, out month) || month is < 1 or > 12)
            {
                return false;
            }
            (at, precision) = (at + 3, Part.Month);
            if (at < text.Length && text[at] == (byte)'-')
            {
                if (!TryDigits(text, at + 1, 2, out day) || day < 1 || day > System.DateTime.DaysInMonth(year, month))
                {
                    return false;
                }
                (at, precision) = (at + 3, Part.Day);
            }
        }
        var date = new DateTime(year, month, day, 0, 0, 0, DateTimeKind.Unspecified).Ticks;
        if (at == text.Length || (text[at] == (byte)'T' && at + 1 == text.Length))
        {
            value = new Temporal(kind, precision, date, 0, null);
            return true;
        }
        return precision == Part.Day
            && text[at] == (byte)'T'
            && TryTime(text[(at + 1)..], FhirPathKind.DateTime, date, allowOffset: true, out value);
    }

    /// <summary>Compares as far as both are known.</summary>
    /// <returns>Less than, equal to or greater than 0; null when that cannot be said (one is known less precisely, and they agree so far).</returns>
    public static int? Compare(in Temporal left, in Temporal right)
    {
        if (left.Kind == FhirPathKind.Time != (right.Kind == FhirPathKind.Time))
        {
            return null;
        }
        // With both offsets known the instants are compared; with one unknown, the readings of the clock.
        var (a, b) = left.HasOffset && right.HasOffset ? (left.UtcTicks, right.UtcTicks) : (left.ticks, right.ticks);
        if (left.Precision == right.Precision)
        {
            return a.CompareTo(b);
        }
        var common = left.Precision < right.Precision ? left.Precision : right.Precision;
        var order = Truncate(a, common).CompareTo(Truncate(b, common));
        return order == 0 ? null : order;
    }

    /// <summary>The first instant that it may mean, in ticks; the last follows from the precision.</summary>
    public Temporal Boundary(bool high)
    {
        var last = ticks;
        if (high)
        {
            last = Precision switch
            {
                Part.Year => Local.AddYears(1).Ticks,
                Part.Month => Local.AddMonths(1).Ticks,
                Part.Day => ticks + TimeSpan.TicksPerDay,
                Part.Hour => ticks + TimeSpan.TicksPerHour,
                Part.Minute => ticks + TimeSpan.TicksPerMinute,
                _ when FractionDigits >= 3 => ticks + TimeSpan.TicksPerMillisecond,
                _ => ticks + TimeSpan.TicksPerSecond,
            };
            last -= TimeSpan.TicksPerMillisecond;
        }
        return Kind == FhirPathKind.Date
            ? new(FhirPathKind.Date, Part.Day, last - (last % TimeSpan.TicksPerDay), 0, null)
            : new(
                Kind,
                Part.Second,
                last,
                3,
                HasOffset ? offsetMinutes
                    : Kind == FhirPathKind.Time ? null
                    : (short)(high ? -12 * 60 : 14 * 60)
            );
    }

    /// <summary>Adds a span of time; parts finer than the precision are counted down to it.</summary>
    /// <returns>Null when the unit is not one of time, or the result is out of range.</returns>
    public Temporal? Add(decimal amount, string unit)
    {
        var whole = decimal.Truncate(amount);
        if (Math.Abs(whole) > 10_000_000_000m)
        {
            return null;
        }
        try
        {
            var date = Local;
            var moved = unit switch
            {
                "year" or "years" or "a" => date.AddYears((int)whole),
                "month" or "months" or "mo" => date.AddMonths((int)whole),
                "week" or "weeks" or "wk" => AddDays((double)whole * 7),
                "day" or "days" or "d" => AddDays((double)whole),
                "hour" or "hours" or "h" => AddTicks((long)(whole * TimeSpan.TicksPerHour)),
                "minute" or "minutes" or "min" => AddTicks((long)(whole * TimeSpan.TicksPerMinute)),
                "second" or "seconds" or "s" => AddTicks((long)(amount * TimeSpan.TicksPerSecond)),
                "millisecond" or "milliseconds" or "ms" => AddTicks((long)(amount * TimeSpan.TicksPerMillisecond)),
                _ => (DateTime?)null,
            };
            if (moved is not { } result)
            {
                return null;
            }
            var reached = result.Ticks;
            if (Kind == FhirPathKind.Time)
            {
                reached = ((reached % TimeSpan.TicksPerDay) + TimeSpan.TicksPerDay) % TimeSpan.TicksPerDay;
            }
            return new Temporal(
                Kind,
                Precision,
                Truncate(reached, Precision),
                FractionDigits,
                HasOffset ? offsetMinutes : null
            );
        }
        catch (Exception fault) when (fault is ArgumentOutOfRangeException or OverflowException)
        {
            return null;
        }
    }

    public string ToString(string? format, IFormatProvider? formatProvider)
    {
        var culture = CultureInfo.InvariantCulture;
        var time = Precision switch
        {
            Part.Hour => Local.ToString("HH", culture),
            Part.Minute => Local.ToString("HH:mm", culture),
            _ when FractionDigits > 0 => Local.ToString(
                "HH:mm:ss." + new string('f', Math.Min(FractionDigits, 7)),
                culture
            ),
            _ => Local.ToString("HH:mm:ss", culture),
        };
        if (Kind == FhirPathKind.Time)
        {
            return time;
        }
        return Precision switch
        {
            Part.Year => Local.ToString("yyyy", culture),
            Part.Month => Local.ToString("yyyy-MM", culture),
            Part.Day => Local.ToString("yyyy-MM-dd", culture),
            _ => Local.ToString("yyyy-MM-dd", culture) + "T" + time + OffsetText(),
        };
    }

    public override string ToString() => ToString(null, null);

    private string OffsetText() =>
        !HasOffset ? ""
        : offsetMinutes == 0 ? "Z"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{(offsetMinutes < 0 ? '-' : '+')}{Math.Abs(offsetMinutes) / 60:00}:{Math.Abs(offsetMinutes) % 60:00}"
        );

    private DateTime? AddDays(double days) =>
        Precision switch
        {
            Part.Year => Local.AddYears((int)Math.Truncate(days / 365)),
            Part.Month => Local.AddMonths((int)Math.Truncate(days / 30)),
            _ => Local.AddDays(days),
        };

    private DateTime? AddTicks(long span) =>
        Precision < Part.Day ? AddDays(Math.Truncate((double)span / TimeSpan.TicksPerDay))
        : Kind == FhirPathKind.Time
            ? new DateTime((((ticks + span) % TimeSpan.TicksPerDay) + TimeSpan.TicksPerDay) % TimeSpan.TicksPerDay)
        : Local.AddTicks(span);

    private static long Truncate(long ticks, Part part)
    {
        var date = new DateTime(Math.Max(0, ticks));
        return part switch
        {
            Part.Year => new DateTime(date.Year, 1, 1, 0, 0, 0, DateTimeKind.Unspecified).Ticks,
            Part.Month => new DateTime(date.Year, date.Month, 1, 0, 0, 0, DateTimeKind.Unspecified).Ticks,
            Part.Day => date.Date.Ticks,
            Part.Hour => ticks - (ticks % TimeSpan.TicksPerHour),
            Part.Minute => ticks - (ticks % TimeSpan.TicksPerMinute),
            _ => ticks,
        };
    }

    private static bool TryTime(
        ReadOnlySpan<byte> text,
        FhirPathKind kind,
        long date,
        bool allowOffset,
        out Temporal value
    )
    {
        value = default;
        short? offset = null;
        if (allowOffset)
        {
            if (text is [.. var head, (byte)'Z'])
            {
                text = head;
                offset = 0;
            }
            else if (text.Length > 6 && text[^6] is (byte)'+' or (byte)'-' && text[^3] == (byte)':')
            {
                if (
                    !TryDigits(text, text.Length - 5, 2, out var hours)
                    || !TryDigits(text, text.Length - 2, 2, out var minutes)
                    || hours > 14
                    || minutes > 59
                )
                {
                    return false;
                }
                offset = (short)((text[^6] == (byte)'-' ? -1 : 1) * ((hours * 60) + minutes));
                text = text[..^6];
            }
        }
        var (minute, second, fraction, digits, precision) = (0, 0, 0L, 0, Part.Hour);
        if (!TryDigits(text, 0, 2, out var hour) || hour > 23)
        {
            return false;
        }
        if (text.Length > 2)
        {
            if (text[2] != (byte)':' || !TryDigits(text, 3, 2, out minute) || minute > 59)
            {
                return false;
            }
            precision = Part.Minute;
        }
        if (text.Length > 5)
        {
            // 60 is a leap second.
            if (text[5] != (byte)':' || !TryDigits(text, 6, 2, out second) || second > 60)
            {
                return false;
            }
            precision = Part.Second;
        }
        if (text.Length > 8)
        {
            digits = text.Length - 9;
            if (text[8] != (byte)'.' || digits == 0)
            {
                return false;
            }
            for (var place = 0; place < digits; place++)
            {
                if (text[9 + place] is < (byte)'0' or > (byte)'9')
                {
                    return false;
                }
                if (place < 7)
                {
                    fraction = (fraction * 10) + (text[9 + place] - '0');
                }
            }
            for (var place = digits; place < 7; place++)
            {
                fraction *= 10;
            }
        }
        var span =
            (hour * TimeSpan.TicksPerHour)
            + (minute * TimeSpan.TicksPerMinute)
            + (second * TimeSpan.TicksPerSecond)
            + fraction;
        if (date + span > System.DateTime.MaxValue.Ticks)
        {
            return false;
        }
        value = new Temporal(kind, precision, date + span, Math.Min(digits, 255), offset);
        return true;
    }

    private static bool TryDigits(ReadOnlySpan<byte> text, int at, int count, out int value)
    {
        value = 0;
        return at + count <= text.Length
            && Utf8Parser.TryParse(text.Slice(at, count), out value, out var read)
            && read == count
            && text[at] is >= (byte)'0' and <= (byte)'9';
    }
}
