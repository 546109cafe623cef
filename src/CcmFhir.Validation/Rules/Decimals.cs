using System.Globalization;
using System.Text;

namespace CcmFhir.Validation.Rules;

/// <summary>Numbers of any length, compared as written in JSON without turning them into a type that could not hold them.</summary>
internal static class Decimals
{
    /// <summary>Negative, 0 or positive as left is smaller, equal or greater.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (
            left.Length < 28
            && right.Length < 28
            && decimal.TryParse(left, NumberStyles.Float, CultureInfo.InvariantCulture, out var a)
            && decimal.TryParse(right, NumberStyles.Float, CultureInfo.InvariantCulture, out var b)
        )
        {
            return a.CompareTo(b);
        }
        var (one, other) = (Parts.Read(left), Parts.Read(right));
        if (one.Sign != other.Sign)
        {
            return one.Sign.CompareTo(other.Sign);
        }
        var order =
            one.Exponent != other.Exponent
                ? one.Exponent.CompareTo(other.Exponent)
                : string.CompareOrdinal(one.Digits, other.Digits);
        return one.Sign * order;
    }

    /// <summary>0.Digits times 10 to the Exponent, without leading or trailing zeros.</summary>
    private readonly record struct Parts(int Sign, string Digits, long Exponent)
    {
        public static Parts Read(ReadOnlySpan<byte> number)
        {
            var text = Encoding.ASCII.GetString(number);
            var negative = text.StartsWith('-');
            var exponentAt = text.AsSpan().IndexOfAny('e', 'E');
            var mantissa = (exponentAt < 0 ? text : text[..exponentAt]).TrimStart('-', '+');
            var exponent = 0L;
            if (
                exponentAt >= 0
                && !long.TryParse(
                    text[(exponentAt + 1)..],
                    NumberStyles.Integer,
                    CultureInfo.InvariantCulture,
                    out exponent
                )
            )
            {
                exponent = text[exponentAt + 1] == '-' ? int.MinValue : int.MaxValue;
            }
            var point = mantissa.IndexOf('.', StringComparison.Ordinal);
            var whole = point < 0 ? mantissa : mantissa[..point];
            var all = point < 0 ? whole : whole + mantissa[(point + 1)..];
            var digits = all.TrimStart('0');
            if (digits.Length == 0)
            {
                return default;
            }
            return new Parts(
                negative ? -1 : 1,
                digits.TrimEnd('0'),
                exponent + whole.Length - (all.Length - digits.Length)
            );
        }
    }
}
