using System.Globalization;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Search;

/// <summary>What a resource is ordered by.</summary>
internal readonly record struct SortValue(string? Text, decimal? Number)
{
    public static SortValue Of(SortKey key, StoredResource resource, TimeZoneInfo zone)
    {
        var values = new List<FhirElement>();
        foreach (var path in key.Parameter.Paths)
        {
            path.Collect(PracticeRecords.Parse(resource), values);
        }
        SortValue best = default;
        foreach (var value in values)
        {
            var candidate = From(key, value, zone);
            if (
                (candidate.Text is not null || candidate.Number is not null)
                && (best == default || Compare(candidate, best, key.Descending) < 0)
            )
            {
                best = candidate;
            }
        }
        return best;
    }

    // What has no value stands last, whichever the direction.
    public static int Compare(SortValue left, SortValue right, bool descending)
    {
        var (leftEmpty, rightEmpty) = (left == default, right == default);
        if (leftEmpty || rightEmpty)
        {
            return leftEmpty.CompareTo(rightEmpty);
        }
        var order =
            left.Number is { } one && right.Number is { } two
                ? one.CompareTo(two)
                : string.CompareOrdinal(left.Text, right.Text);
        return descending ? -order : order;
    }

    private static SortValue From(SortKey key, FhirElement value, TimeZoneInfo zone)
    {
        switch (key.Parameter.Kind)
        {
            case SearchKind.Date:
                return FhirDate.Range(value, zone) is { } range
                    ? new SortValue(null, key.Descending ? range.High.UtcTicks : range.Low.UtcTicks)
                    : default;
            case SearchKind.Number or SearchKind.Quantity:
                var number = value.Kind == JsonKind.Object ? value["value"u8] : value;
                return decimal.TryParse(number.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var parsed)
                    ? new SortValue(null, parsed)
                    : default;
            default:
                return new SortValue(Word(value), null);
        }
    }

    private static string? Word(FhirElement value)
    {
        if (value.Kind != JsonKind.Object)
        {
            return value.Text is { } text ? FoldedText.Fold(text) : null;
        }
        foreach (var coding in value["coding"u8].Items)
        {
            return coding["code"u8].Text;
        }
        var word =
            value["family"u8].Text
            ?? value["text"u8].Text
            ?? value["value"u8].Text
            ?? value["code"u8].Text
            ?? value["reference"u8].Text
            ?? value["city"u8].Text;
        return word is null ? null : FoldedText.Fold(word);
    }
}
