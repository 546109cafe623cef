using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace CcmFhir.Domain;

/// <summary>CPT and HCPCS codes as rule sets write them: <c>99490</c>, or a range <c>90951-90970</c> (both ends included).</summary>
internal static class CodeSpan
{
    private const int Length = 5;

    /// <summary>Every code of a code or range, in order; false where it is neither.</summary>
    public static bool TryExpand(string text, [NotNullWhen(true)] out IReadOnlyList<string>? codes)
    {
        codes = null;
        if (IsCode(text))
        {
            codes = [text];
            return true;
        }
        if (
            text.Length != (2 * Length) + 1
            || text[Length] != '-'
            || !IsCode(text[..Length])
            || !IsCode(text[(Length + 1)..])
            || text[0] != text[Length + 1]
            || !int.TryParse(text.AsSpan(1, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            || !int.TryParse(text.AsSpan(7, 4), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            || last < first
        )
        {
            return false;
        }
        codes =
        [
            .. Enumerable
                .Range(first, last - first + 1)
                .Select(number => string.Create(CultureInfo.InvariantCulture, $"{text[0]}{number:D4}")),
        ];
        return true;
    }

    /// <summary>Every code of many codes and ranges; what is neither is left out.</summary>
    public static IReadOnlyList<string> Expand(IEnumerable<string> texts) =>
        [.. texts.SelectMany(text => TryExpand(text, out var codes) ? codes : [])];

    // Five characters: a digit or letter, three digits, a digit or letter.
    private static bool IsCode(string code) =>
        code.Length == Length
        && (char.IsAsciiDigit(code[0]) || char.IsAsciiLetterUpper(code[0]))
        && char.IsAsciiDigit(code[1])
        && char.IsAsciiDigit(code[2])
        && char.IsAsciiDigit(code[3])
        && (char.IsAsciiDigit(code[4]) || char.IsAsciiLetterUpper(code[4]));
}
