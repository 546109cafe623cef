using System.Globalization;

namespace CcmFhir.Validation.FhirPath;

/// <summary>A quantity: a number and a unit, of UCUM or one of FHIRPath's words for time.</summary>
/// <param name="value">The number.</param>
/// <param name="unit">UCUM code (<c>mg</c>), a word for time (<c>days</c>), or a unit of another system.</param>
/// <param name="isUcum">The unit is of UCUM or a word for time, so that it can be converted.</param>
internal sealed class Quantity(decimal value, string unit, bool isUcum) : IFormattable
{
    public decimal Value => value;

    public string Unit => unit;

    public bool IsUcum => isUcum;

    /// <summary>A FHIR Quantity; null when it has no number (or one that says only less or more than).</summary>
    public static Quantity? Read(FhirElement element)
    {
        if (
            element["value"u8] is not { Kind: JsonKind.Number } number
            || !decimal.TryParse(number.Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            || element["comparator"u8].Exists
        )
        {
            return null;
        }
        var system = element["system"u8];
        var unit = element["code"u8].Text ?? element["unit"u8].Text ?? "1";
        return new Quantity(value, unit, isUcum: !system.Exists || system.Is("http://unitsofmeasure.org"u8));
    }

    /// <summary>Compares two quantities, converting units where that can be done.</summary>
    /// <returns>Null when they have no common unit.</returns>
    public static int? Compare(Quantity left, Quantity right)
    {
        if (left.IsUcum == right.IsUcum && string.Equals(left.Unit, right.Unit, StringComparison.Ordinal))
        {
            return left.Value.CompareTo(right.Value);
        }
        if (!left.IsUcum || !right.IsUcum)
        {
            return null;
        }
        var (a, b) = (UcumUnit.TryParse(left.Unit), UcumUnit.TryParse(right.Unit));
        if (a is null || b is null || a.Dimension != b.Dimension)
        {
            return null;
        }
        try
        {
            return (left.Value * a.Factor).CompareTo(right.Value * b.Factor);
        }
        catch (OverflowException)
        {
            return null;
        }
    }

    public string ToString(string? format, IFormatProvider? formatProvider) =>
        string.Create(CultureInfo.InvariantCulture, $"{value} '{unit}'");

    public override string ToString() => ToString(null, null);
}
