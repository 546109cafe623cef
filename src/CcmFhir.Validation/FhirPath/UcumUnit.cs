using System.Collections.Frozen;
using System.Globalization;

namespace CcmFhir.Validation.FhirPath;

/// <summary>A unit of UCUM in terms of base units: enough of UCUM to compare what stands in care records (mass, volume, length, time,
/// amount, pressure and their quotients). Units with an offset (Celsius) or a logarithm are left out: they compare only with themselves.</summary>
/// <param name="Factor">How many base units it is.</param>
/// <param name="Dimension">Exponents of metre, gram, second, mole, kelvin, ampere, candela and arbitrary units, one byte each.</param>
internal sealed record UcumUnit(decimal Factor, long Dimension)
{
    private const long Metre = 1;
    private const long Gram = 1L << 8;
    private const long Second = 1L << 16;
    private const long Mole = 1L << 24;
    private const long Kelvin = 1L << 32;
    private const long Ampere = 1L << 40;
    private const long Candela = 1L << 48;
    private const long Unit = 1L << 56;

    private static readonly FrozenDictionary<string, (decimal Factor, long Dimension, bool Metric)> Atoms =
        new Dictionary<string, (decimal, long, bool)>(StringComparer.Ordinal)
        {
            ["m"] = (1, Metre, true),
            ["g"] = (1, Gram, true),
            ["s"] = (1, Second, true),
            ["mol"] = (1, Mole, true),
            ["K"] = (1, Kelvin, true),
            ["A"] = (1, Ampere, true),
            ["cd"] = (1, Candela, true),
            ["min"] = (60, Second, false),
            ["h"] = (3600, Second, false),
            ["d"] = (86_400, Second, false),
            ["wk"] = (604_800, Second, false),
            ["mo"] = (2_629_800, Second, false),
            ["a"] = (31_557_600, Second, false),
            ["l"] = (0.001m, 3 * Metre, true),
            ["L"] = (0.001m, 3 * Metre, true),
            ["Hz"] = (1, -Second, true),
            ["N"] = (1000, Gram + Metre - (2 * Second), true),
            ["Pa"] = (1000, Gram - Metre - (2 * Second), true),
            ["bar"] = (100_000_000, Gram - Metre - (2 * Second), true),
            ["m[Hg]"] = (133_322_000, Gram - Metre - (2 * Second), true),
            ["m[H2O]"] = (9_806_650, Gram - Metre - (2 * Second), true),
            ["J"] = (1000, Gram + (2 * Metre) - (2 * Second), true),
            ["cal"] = (4184, Gram + (2 * Metre) - (2 * Second), true),
            ["[Cal]"] = (4_184_000, Gram + (2 * Metre) - (2 * Second), false),
            ["W"] = (1000, Gram + (2 * Metre) - (3 * Second), true),
            ["eq"] = (1, Mole, true),
            ["osm"] = (1, Mole, true),
            ["kat"] = (1, Mole - Second, true),
            ["U"] = (0.000001m / 60, Mole - Second, true),
            ["[IU]"] = (1, Unit, true),
            ["[iU]"] = (1, Unit, true),
            ["[in_i]"] = (0.0254m, Metre, false),
            ["[ft_i]"] = (0.3048m, Metre, false),
            ["[mi_i]"] = (1609.344m, Metre, false),
            ["[lb_av]"] = (453.59237m, Gram, false),
            ["[oz_av]"] = (28.349523125m, Gram, false),
            ["[foz_us]"] = (0.0000295735295625m, 3 * Metre, false),
            ["t"] = (1_000_000, Gram, true),
            ["%"] = (0.01m, 0, false),
            ["[ppth]"] = (0.001m, 0, false),
            ["[ppm]"] = (0.000001m, 0, false),
            ["deg"] = (0.0174532925199432957692369m, 0, false),
        }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> Words = new Dictionary<string, string>(
        StringComparer.Ordinal
    )
    {
        ["year"] = "a",
        ["years"] = "a",
        ["month"] = "mo",
        ["months"] = "mo",
        ["week"] = "wk",
        ["weeks"] = "wk",
        ["day"] = "d",
        ["days"] = "d",
        ["hour"] = "h",
        ["hours"] = "h",
        ["minute"] = "min",
        ["minutes"] = "min",
        ["second"] = "s",
        ["seconds"] = "s",
        ["millisecond"] = "ms",
        ["milliseconds"] = "ms",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>Reads a unit such as <c>mg/dL</c>, <c>10*3/uL</c>, <c>mm[Hg]</c>, <c>kg.m-2</c> or <c>days</c>.</summary>
    /// <returns>Null when it is not one of those known here.</returns>
    public static UcumUnit? TryParse(string text)
    {
        if (text.Length is 0 or > 100)
        {
            return null;
        }
        text = Words.GetValueOrDefault(text, text);
        var (factor, dimension, divide, at) = (1m, 0L, false, 0);
        if (text[0] == '/')
        {
            (divide, at) = (true, 1);
        }
        try
        {
            while (true)
            {
                var end = at;
                for (var depth = 0; end < text.Length && (depth > 0 || text[end] is not ('.' or '/')); end++)
                {
                    depth +=
                        text[end] is '[' or '{' ? 1
                        : text[end] is ']' or '}' ? -1
                        : 0;
                }
                if (TryTerm(text[at..end]) is not { } term)
                {
                    return null;
                }
                factor = divide ? factor / term.Factor : factor * term.Factor;
                dimension += divide ? -term.Dimension : term.Dimension;
                if (end == text.Length)
                {
                    return new UcumUnit(factor, dimension);
                }
                (divide, at) = (text[end] == '/', end + 1);
            }
        }
        catch (Exception fault) when (fault is OverflowException or DivideByZeroException)
        {
            return null;
        }
    }

    private static (decimal Factor, long Dimension)? TryTerm(string term)
    {
        var brace = term.IndexOf('{', StringComparison.Ordinal);
        if (brace >= 0)
        {
            // What stands in braces is a remark: it means 1.
            if (brace == 0)
            {
                return (1, 0);
            }
            term = term[..brace];
        }
        if (term.StartsWith("10*", StringComparison.Ordinal) || term.StartsWith("10^", StringComparison.Ordinal))
        {
            return int.TryParse(
                    term.AsSpan(3),
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture,
                    out var power
                )
                && Math.Abs(power) <= 20
                    ? (Power(10, power), 0)
                : term.Length == 3 ? (10, 0)
                : null;
        }
        var digits = term.Length;
        while (
            digits > 0
            && (char.IsAsciiDigit(term[digits - 1]) || (term[digits - 1] is '-' or '+' && digits < term.Length))
        )
        {
            digits--;
        }
        var name = term[..digits];
        var exponent = 1;
        if (name.Length == 0)
        {
            return int.TryParse(term, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? (number, 0)
                : null;
        }
        if (
            digits < term.Length
            && (
                !int.TryParse(
                    term.AsSpan(digits),
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture,
                    out exponent
                )
                || Math.Abs(exponent) > 9
            )
        )
        {
            return null;
        }
        return Find(name) is { } unit ? (Power(unit.Factor, exponent), unit.Dimension * exponent) : null;
    }

    private static (decimal Factor, long Dimension)? Find(string name)
    {
        if (Atoms.TryGetValue(name, out var atom))
        {
            return (atom.Factor, atom.Dimension);
        }
        var prefix = name.StartsWith("da", StringComparison.Ordinal) ? 2 : 1;
        if (name.Length <= prefix || !Atoms.TryGetValue(name[prefix..], out atom) || !atom.Metric)
        {
            return null;
        }
        int? power = name[..prefix] switch
        {
            "Y" => 24,
            "Z" => 21,
            "E" => 18,
            "P" => 15,
            "T" => 12,
            "G" => 9,
            "M" => 6,
            "k" => 3,
            "h" => 2,
            "da" => 1,
            "d" => -1,
            "c" => -2,
            "m" => -3,
            "u" => -6,
            "n" => -9,
            "p" => -12,
            "f" => -15,
            "a" => -18,
            _ => null,
        };
        return power is { } ten ? (atom.Factor * Power(10, ten), atom.Dimension) : null;
    }

    private static decimal Power(decimal number, int exponent)
    {
        var result = 1m;
        for (var times = 0; times < Math.Abs(exponent); times++)
        {
            result *= number;
        }
        return exponent < 0 ? 1 / result : result;
    }
}
