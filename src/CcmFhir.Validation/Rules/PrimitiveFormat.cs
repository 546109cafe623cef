namespace CcmFhir.Validation.Rules;

/// <summary>Formats of primitive values (http://hl7.org/fhir/R4/datatypes.html), read by hand: linear in the length, nothing allocated.
/// Days must exist in the calendar, which R4's regular expressions do not ask.</summary>
internal static class PrimitiveFormat
{
    /// <summary>Longest string in bytes (R4: 1 MB).</summary>
    public const int MaxString = 1024 * 1024;

    // R4 asks for 18 digits at least and names no most; a number that passed through a binary one has up to 55.
    // An official example goes down to E-245.
    private const int MaxDecimal = 100;
    private const int MaxExponent = 999;

    private const string Blank = "The string holds nothing but white space; leave the property out.";

    /// <summary>JSON kind of a type's values.</summary>
    public static bool HasKind(Primitive type, JsonKind kind) =>
        type switch
        {
            Primitive.Boolean => kind is JsonKind.True or JsonKind.False,
            Primitive.Integer or Primitive.UnsignedInt or Primitive.PositiveInt or Primitive.Decimal => kind
                == JsonKind.Number,
            _ => kind == JsonKind.String,
        };

    /// <summary>Checks a value whose JSON kind is right; false, and reported, when its format is not.</summary>
    public static bool Check(Walk walk, in Spot spot)
    {
        var value = spot.Value;
        var type = spot.Type.Primitive;
        if (type is Primitive.Boolean || (type is Primitive.Decimal && !IsAbsurd(value.Raw)))
        {
            return true;
        }
        if (type is Primitive.Decimal)
        {
            walk.Add(
                Severity.Error,
                "value",
                "primitive-format",
                value,
                $"The number is written with {value.Length} characters or an exponent beyond {MaxExponent}; nothing that is measured or paid needs more than {MaxDecimal} digits, and no reader keeps them."
            );
            return false;
        }
        var text =
            value.Kind == JsonKind.Number ? value.Raw
            : value.IsEscaped ? System.Text.Encoding.UTF8.GetBytes(value.Text!)
            : value.Raw[1..^1];
        if (text.IsEmpty)
        {
            walk.Add(
                Severity.Error,
                "value",
                "value-empty",
                value,
                "The value is empty; leave the property out when there is nothing to say."
            );
            return false;
        }
        if (Problem(type, text) is { } problem)
        {
            if (ReferenceEquals(problem, Blank))
            {
                // R4's expression for strings lets it pass.
                walk.Add(Severity.Warning, "value", "value-blank", value, problem);
                return true;
            }
            walk.Add(
                Severity.Error,
                "value",
                "primitive-format",
                value,
                type is Primitive.String or Primitive.Markdown or Primitive.Xhtml or Primitive.Base64Binary
                    ? problem
                    : $"{Quoted(text)} is not a valid {spot.Type.Code}: {problem}"
            );
            return false;
        }
        if (type == Primitive.Xhtml)
        {
            Narrative.Check(walk, value, text);
        }
        return true;
    }

    /// <summary>What is wrong with a value's text; null when nothing is.</summary>
    public static string? Problem(Primitive type, ReadOnlySpan<byte> text) =>
        type switch
        {
            Primitive.String or Primitive.Markdown => OfString(text),
            Primitive.Code => OfCode(text),
            Primitive.Id => IsId(text) ? null : "1 to 64 letters, digits, '-' and '.' are allowed.",
            Primitive.Uri or Primitive.Url or Primitive.Canonical => OfUri(text),
            Primitive.Oid => IsOid(text) ? null : "it must look like urn:oid:1.2.3.",
            Primitive.Uuid => IsUuid(text) ? null
            : text.StartsWith("urn:uuid:"u8) ? "a UUID has 32 hexadecimal digits in small letters, 8-4-4-4-12."
            : "it must begin with urn:uuid:.",
            Primitive.Integer => OfInteger(text, int.MinValue),
            Primitive.UnsignedInt => OfInteger(text, 0),
            Primitive.PositiveInt => OfInteger(text, 1),
            Primitive.Date => OfDateTime(text, Primitive.Date),
            Primitive.DateTime => OfDateTime(text, Primitive.DateTime),
            Primitive.Instant => OfDateTime(text, Primitive.Instant),
            Primitive.Time => OfTime(text),
            Primitive.Base64Binary => OfBase64(text),
            _ => null,
        };

    internal static string Quoted(ReadOnlySpan<byte> text) =>
        "'"
        + System.Text.Encoding.UTF8.GetString(text.Length > 80 ? text[..80] : text)
        + (text.Length > 80 ? "...'" : "'");

    private static string? OfString(ReadOnlySpan<byte> text)
    {
        if (text.Length > MaxString)
        {
            return $"The string has {text.Length} bytes; at most {MaxString} are allowed.";
        }
        var onlySpace = true;
        foreach (var one in text)
        {
            if (one < 0x20 && one is not ((byte)'\t' or (byte)'\n' or (byte)'\r'))
            {
                return $"The string holds the control character U+{one:X4}; only tab, line feed and carriage return are allowed.";
            }
            onlySpace &= IsSpace(one);
        }
        return onlySpace ? Blank : null;
    }

    private static string? OfCode(ReadOnlySpan<byte> text)
    {
        if (IsSpace(text[0]) || IsSpace(text[^1]))
        {
            return "white space at the beginning or end is not allowed.";
        }
        for (var at = 1; at < text.Length; at++)
        {
            if (IsSpace(text[at]) && (text[at] != ' ' || text[at - 1] == ' '))
            {
                return "only single spaces are allowed inside a code.";
            }
        }
        return null;
    }

    private static bool IsId(ReadOnlySpan<byte> text)
    {
        if (text.Length is 0 or > 64)
        {
            return false;
        }
        foreach (var one in text)
        {
            if (!char.IsAsciiLetterOrDigit((char)one) && one is not ((byte)'-' or (byte)'.'))
            {
                return false;
            }
        }
        return true;
    }

    private static string? OfUri(ReadOnlySpan<byte> text)
    {
        foreach (var one in text)
        {
            if (IsSpace(one))
            {
                return "white space is not allowed.";
            }
        }
        if (text.StartsWith("urn:oid:"u8))
        {
            return IsOid(text) ? null : "after urn:oid: come numbers with dots between, such as urn:oid:1.2.3.";
        }
        if (text.StartsWith("urn:uuid:"u8))
        {
            // Capitals are wrong by R4's expression for uuid, yet common, and RFC 4122 asks readers to take them.
            var end = text.IndexOf((byte)'#');
            return IsGuid(end < 0 ? text[9..] : text[9..end])
                ? null
                : "after urn:uuid: comes a UUID: 32 hexadecimal digits, 8-4-4-4-12.";
        }
        return text.StartsWith("oid:"u8) ? "an OID is written urn:oid:..."
            : text.StartsWith("uuid:"u8) ? "a UUID is written urn:uuid:..."
            : null;
    }

    private static bool IsOid(ReadOnlySpan<byte> text)
    {
        if (!text.StartsWith("urn:oid:"u8) || text.Length < 11 || text[8] is < (byte)'0' or > (byte)'2')
        {
            return false;
        }
        for (var at = 9; at < text.Length; )
        {
            if (text[at++] != '.' || at == text.Length)
            {
                return false;
            }
            var start = at;
            while (at < text.Length && IsDigit(text[at]))
            {
                at++;
            }
            if (at == start || (text[start] == '0' && at - start > 1))
            {
                return false;
            }
        }
        return true;
    }

    private static bool IsUuid(ReadOnlySpan<byte> text) =>
        text.StartsWith("urn:uuid:"u8) && IsGuid(text[9..]) && text[9..].IndexOfAnyInRange((byte)'A', (byte)'F') < 0;

    private static bool IsGuid(ReadOnlySpan<byte> text)
    {
        if (text.Length != 36)
        {
            return false;
        }
        for (var at = 0; at < 36; at++)
        {
            if (at is 8 or 13 or 18 or 23 ? text[at] != '-' : !char.IsAsciiHexDigit((char)text[at]))
            {
                return false;
            }
        }
        return true;
    }

    private static bool IsAbsurd(ReadOnlySpan<byte> number)
    {
        var exponent = number.IndexOfAny((byte)'e', (byte)'E');
        return number.Length > MaxDecimal || (exponent >= 0 && number[(exponent + 1)..].TrimStart("+-0"u8).Length > 3);
    }

    private static string? OfInteger(ReadOnlySpan<byte> text, int smallest)
    {
        var digits = text[0] == '-' ? text[1..] : text;
        if (
            digits.IsEmpty
            || digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9') >= 0
            || (digits[0] == '0' && text.Length > 1)
        )
        {
            return "a whole number without decimal point, exponent or leading zeros is expected.";
        }
        return
            System.Buffers.Text.Utf8Parser.TryParse(text, out int number, out var read)
            && read == text.Length
            && number >= smallest
            ? null
            : $"it must lie between {smallest} and {int.MaxValue}.";
    }

    private static string? OfDateTime(ReadOnlySpan<byte> text, Primitive type)
    {
        const string Form = "the form is ";
        var expected = type switch
        {
            Primitive.Date => Form + "YYYY, YYYY-MM or YYYY-MM-DD.",
            Primitive.Instant => Form + "YYYY-MM-DDThh:mm:ss(.fff) with Z or an offset such as +01:00.",
            _ => Form + "YYYY, YYYY-MM, YYYY-MM-DD or YYYY-MM-DDThh:mm:ss(.fff) with Z or an offset such as +01:00.",
        };
        if (!Number(text, 0, 4, out var year) || year == 0)
        {
            return expected;
        }
        if (text.Length == 4)
        {
            return type == Primitive.Instant ? expected : null;
        }
        if (text[4] != '-' || !Number(text, 5, 2, out var month) || month is 0 or > 12)
        {
            return expected;
        }
        if (text.Length == 7)
        {
            return type == Primitive.Instant ? expected : null;
        }
        if (text[7] != '-' || !Number(text, 8, 2, out var day) || day is 0 or > 31)
        {
            return expected;
        }
        if (day > System.DateTime.DaysInMonth(year, month))
        {
            return "the calendar has no such day.";
        }
        if (text.Length == 10)
        {
            return type == Primitive.Instant ? expected : null;
        }
        if (type == Primitive.Date)
        {
            return text[10] == 'T' ? "a date has no time of day; " + expected : expected;
        }
        if (text[10] != 'T' || ClockEnd(text[11..]) is not (> 0 and var clock))
        {
            return expected;
        }
        var zone = text[(11 + clock)..];
        return zone.SequenceEqual("Z"u8) || IsOffset(zone) ? null
            : zone.IsEmpty ? "a time of day needs a time zone: Z or an offset such as +01:00."
            : expected;
    }

    private static bool IsOffset(ReadOnlySpan<byte> zone) =>
        zone.Length == 6
        && zone[0] is (byte)'+' or (byte)'-'
        && zone[3] == ':'
        && Number(zone, 1, 2, out var hours)
        && Number(zone, 4, 2, out var minutes)
        && (hours < 14 ? minutes < 60 : hours == 14 && minutes == 0);

    private static string? OfTime(ReadOnlySpan<byte> text) =>
        ClockEnd(text) == text.Length ? null : "the form is hh:mm:ss(.fff), without a time zone.";

    /// <summary>Length of hh:mm:ss(.f+) at the beginning; 0 when there is none. The second 60 is a leap second.</summary>
    private static int ClockEnd(ReadOnlySpan<byte> text)
    {
        if (
            !Number(text, 0, 2, out var hour)
            || hour > 23
            || !Number(text, 3, 2, out var minute)
            || minute > 59
            || !Number(text, 6, 2, out var second)
            || second > 60
            || text[2] != ':'
            || text[5] != ':'
        )
        {
            return 0;
        }
        if (text.Length == 8 || text[8] != '.')
        {
            return 8;
        }
        var end = 9;
        while (end < text.Length && IsDigit(text[end]))
        {
            end++;
        }
        return end > 9 ? end : 0;
    }

    private static string? OfBase64(ReadOnlySpan<byte> text)
    {
        var count = 0;
        var padding = 0;
        foreach (var one in text)
        {
            if (IsSpace(one))
            {
                continue;
            }
            count++;
            if (one == '=')
            {
                padding++;
            }
            else if (padding > 0 || !(char.IsAsciiLetterOrDigit((char)one) || one is (byte)'+' or (byte)'/'))
            {
                return padding > 0
                    ? "After the padding '=' of base64 nothing may follow."
                    : $"'{(one < 0x7F ? (char)one : '?')}' is not a character of base64.";
            }
        }
        return count % 4 != 0 || padding > 2 ? "Base64 comes in groups of four characters, padded with '='." : null;
    }

    private static bool Number(ReadOnlySpan<byte> text, int start, int length, out int number)
    {
        number = 0;
        if (text.Length < start + length)
        {
            return false;
        }
        foreach (var one in text.Slice(start, length))
        {
            if (!IsDigit(one))
            {
                return false;
            }
            number = (number * 10) + one - '0';
        }
        return true;
    }

    private static bool IsDigit(byte one) => one is >= (byte)'0' and <= (byte)'9';

    internal static bool IsSpace(byte one) => one is (byte)' ' or (byte)'\t' or (byte)'\n' or (byte)'\r';
}
