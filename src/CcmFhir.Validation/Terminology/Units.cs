namespace CcmFhir.Validation.Terminology;

/// <summary>Units of measure (http://unitsofmeasure.org), case-sensitive form: the grammar of UCUM section 2 with its table of units.</summary>
/// <param name="metric">Units that take a prefix: <c>g</c>, <c>L</c>, <c>mol</c>.</param>
/// <param name="plain">Units that take none: <c>min</c>, <c>[lb_av]</c>.</param>
internal sealed class Units(IEnumerable<string> metric, IEnumerable<string> plain) : Codes
{
    // UCUM 4.5; "da" is the only one of two letters beside the binary ones.
    private static readonly Utf8Set Prefixes = new([
        "Q",
        "R",
        "Y",
        "Z",
        "E",
        "P",
        "T",
        "G",
        "M",
        "k",
        "h",
        "da",
        "d",
        "c",
        "m",
        "u",
        "n",
        "p",
        "f",
        "a",
        "z",
        "y",
        "r",
        "q",
        "Ki",
        "Mi",
        "Gi",
        "Ti",
    ]);

    // Parentheses nest no deeper in any unit that means something.
    private const int MaxDepth = 16;
    private readonly Utf8Set metric = new(metric);
    private readonly Utf8Set plain = new(plain);

    public override Membership Find(ReadOnlySpan<byte> code) => IsUnit(code) ? Membership.In : Membership.NotIn;

    private bool IsUnit(ReadOnlySpan<byte> code)
    {
        var rest = code;
        if (rest is [(byte)'/', ..])
        {
            rest = rest[1..];
        }
        return !rest.IsEmpty && Term(ref rest, 0) && rest.IsEmpty;
    }

    // term: component (("." | "/") component)*
    private bool Term(ref ReadOnlySpan<byte> rest, int depth)
    {
        if (!Component(ref rest, depth))
        {
            return false;
        }
        while (rest is [(byte)'.' or (byte)'/', ..])
        {
            rest = rest[1..];
            if (!Component(ref rest, depth))
            {
                return false;
            }
        }
        return true;
    }

    // component: "(" term ")" annotation? | annotation | number | unit exponent? annotation?
    private bool Component(ref ReadOnlySpan<byte> rest, int depth)
    {
        if (rest is [(byte)'(', ..])
        {
            rest = rest[1..];
            if (rest is [(byte)'/', ..])
            {
                rest = rest[1..];
            }
            if (depth == MaxDepth || !Term(ref rest, depth + 1) || rest is not [(byte)')', ..])
            {
                return false;
            }
            rest = rest[1..];
            // The grammar has no exponent here, UCUM's own table uses one: (8.h)2.
            return Exponent(ref rest) && Annotation(ref rest, required: false);
        }
        if (rest is [(byte)'{', ..])
        {
            return Annotation(ref rest, required: true);
        }
        var length = UnitLength(rest);
        if (length == 0)
        {
            return false;
        }
        var unit = rest[..length];
        rest = rest[length..];
        if (IsNumber(unit))
        {
            return Annotation(ref rest, required: false);
        }
        if (!IsKnown(unit))
        {
            // Exponent digits belong to the unit's end: cm3, s-1, 10*9.
            var name = unit.TrimEnd("0123456789"u8);
            if (name is [.., (byte)'+' or (byte)'-'] && name.Length < unit.Length)
            {
                name = name[..^1];
            }
            if (name.Length == unit.Length || !IsKnown(name))
            {
                return false;
            }
        }
        return Annotation(ref rest, required: false);
    }

    /// <summary>Up to the next operator, parenthesis or annotation; what stands in brackets is one piece.</summary>
    private static int UnitLength(ReadOnlySpan<byte> rest)
    {
        var inBrackets = false;
        for (var at = 0; at < rest.Length; at++)
        {
            switch (rest[at])
            {
                case (byte)'[':
                    inBrackets = true;
                    break;
                case (byte)']':
                    inBrackets = false;
                    break;
                case (byte)'.' or (byte)'/' or (byte)'(' or (byte)')' or (byte)'{' when !inBrackets:
                    return at;
                default:
                    break;
            }
        }
        return rest.Length;
    }

    private static bool IsNumber(ReadOnlySpan<byte> unit) => !unit.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private bool IsKnown(ReadOnlySpan<byte> unit)
    {
        if (plain.Contains(unit) || metric.Contains(unit))
        {
            return true;
        }
        return (unit.Length > 1 && Prefixes.Contains(unit[..1]) && metric.Contains(unit[1..]))
            || (unit.Length > 2 && Prefixes.Contains(unit[..2]) && metric.Contains(unit[2..]));
    }

    private static bool Exponent(ref ReadOnlySpan<byte> rest)
    {
        var digits = rest is [(byte)'+' or (byte)'-', ..] ? rest[1..] : rest;
        var end = digits.IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        end = end < 0 ? digits.Length : end;
        if (end == 0 && digits.Length < rest.Length)
        {
            return false;
        }
        rest = digits[end..];
        return true;
    }

    private static bool Annotation(ref ReadOnlySpan<byte> rest, bool required)
    {
        if (rest is not [(byte)'{', ..])
        {
            return !required;
        }
        var end = rest.IndexOf((byte)'}');
        // ASCII only, no nesting. UCUM allows no space, many senders write one, and no reader minds.
        if (end < 0 || rest[1..end].ContainsAnyExceptInRange((byte)' ', (byte)'~') || rest[1..end].Contains((byte)'{'))
        {
            return false;
        }
        rest = rest[(end + 1)..];
        return rest is not [(byte)'{', ..];
    }
}
