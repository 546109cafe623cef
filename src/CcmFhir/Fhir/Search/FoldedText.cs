using System.Globalization;
using System.Text;

namespace CcmFhir.Fhir.Search;

/// <summary>Text compared without case and accents [search.html#string].</summary>
internal static class FoldedText
{
    /// <summary>Lower case, accents taken off, runs of blanks made one.</summary>
    public static string Fold(string text)
    {
        var folded = new StringBuilder(text.Length);
        foreach (var letter in text.Normalize(NormalizationForm.FormD))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(letter) == UnicodeCategory.NonSpacingMark)
            {
                continue;
            }
            if (!char.IsWhiteSpace(letter))
            {
                folded.Append(char.ToLowerInvariant(letter));
            }
            else if (folded.Length > 0 && folded[^1] != ' ')
            {
                folded.Append(' ');
            }
        }
        return folded.ToString().TrimEnd();
    }

    /// <summary>The text starts with the other.</summary>
    public static bool StartsWith(string text, string start) =>
        Fold(text).StartsWith(Fold(start), StringComparison.Ordinal);

    /// <summary>The text holds the other.</summary>
    public static bool Contains(string text, string part) => Fold(text).Contains(Fold(part), StringComparison.Ordinal);
}
