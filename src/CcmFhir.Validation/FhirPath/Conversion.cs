using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace CcmFhir.Validation.FhirPath;

/// <summary>Conversions between system types: <c>toInteger()</c>, <c>convertsToDate()</c> and so on. What cannot be converted is empty.</summary>
internal static partial class Conversion
{
    public static FhirPathValue To(FhirPathKind kind, in FhirPathValue value) =>
        kind switch
        {
            FhirPathKind.Boolean => ToBoolean(value),
            FhirPathKind.Integer => ToInteger(value),
            FhirPathKind.Decimal => ToDecimal(value),
            FhirPathKind.String => value.SystemKind == FhirPathKind.None || value.Text is not { } text
                ? Quantity(value)
                : FhirPathValue.Of(text),
            FhirPathKind.Quantity => ToQuantity(value),
            _ => ToTemporal(kind, value),
        };

    private static FhirPathValue Quantity(in FhirPathValue value) =>
        value.AsQuantity() is { } quantity
            ? FhirPathValue.Of(quantity.ToString(null, CultureInfo.InvariantCulture))
            : default;

    private static FhirPathValue ToBoolean(in FhirPathValue value)
    {
        if (value.SystemKind == FhirPathKind.Boolean)
        {
            return FhirPathValue.Of(value.IsTrue);
        }
        if (value.TryDecimal(out var number))
        {
            return number == 1 ? FhirPathValue.Of(true)
                : number == 0 ? FhirPathValue.Of(false)
                : default;
        }
        return value.AsString()?.ToUpperInvariant() switch
        {
            "TRUE" or "T" or "YES" or "Y" or "1" or "1.0" => FhirPathValue.Of(true),
            "FALSE" or "F" or "NO" or "N" or "0" or "0.0" => FhirPathValue.Of(false),
            _ => default,
        };
    }

    private static FhirPathValue ToInteger(in FhirPathValue value) =>
        value.SystemKind switch
        {
            FhirPathKind.Boolean => FhirPathValue.Of(value.IsTrue ? 1L : 0L),
            FhirPathKind.Integer when value.TryLong(out var number) => FhirPathValue.Of(number),
            FhirPathKind.String
                when int.TryParse(
                    value.Text,
                    NumberStyles.AllowLeadingSign,
                    CultureInfo.InvariantCulture,
                    out var read
                ) => FhirPathValue.Of((long)read),
            _ => default,
        };

    private static FhirPathValue ToDecimal(in FhirPathValue value) =>
        value.SystemKind == FhirPathKind.Boolean ? FhirPathValue.Of(value.IsTrue ? 1m : 0m)
        : value.TryDecimal(out var number) ? FhirPathValue.Of(number)
        : value.AsString() is { } text
        && decimal.TryParse(
            text,
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture,
            out var read
        )
            ? FhirPathValue.Of(read)
        : default;

    private static FhirPathValue ToQuantity(in FhirPathValue value)
    {
        if (value.SystemKind == FhirPathKind.Boolean)
        {
            return FhirPathValue.Of(new Quantity(value.IsTrue ? 1 : 0, "1", isUcum: true));
        }
        if (value.AsQuantity() is { } quantity)
        {
            return FhirPathValue.Of(quantity);
        }
        if (value.AsString() is not { Length: < 200 } text || QuantityText().Match(text) is not { Success: true } match)
        {
            return default;
        }
        var unit = match.Groups["unit"] is { Success: true } written ? written.Value : match.Groups["word"].Value;
        return decimal.TryParse(
            match.Groups["number"].Value,
            NumberStyles.Float,
            CultureInfo.InvariantCulture,
            out var read
        )
            ? FhirPathValue.Of(new Quantity(read, unit.Length == 0 ? "1" : unit, isUcum: true))
            : default;
    }

    private static FhirPathValue ToTemporal(FhirPathKind kind, in FhirPathValue value)
    {
        if (
            value.SystemKind
                is not (FhirPathKind.String or FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time)
            || value.Text is not { } text
        )
        {
            return default;
        }
        var date = text.IndexOf('T', StringComparison.Ordinal) is > 0 and var t ? text[..t] : text;
        var utf8 = Encoding.UTF8.GetBytes(kind == FhirPathKind.Date ? date : text);
        return Temporal.TryParse(utf8, kind, out var read) && read.Kind == kind ? FhirPathValue.Of(read) : default;
    }

    [GeneratedRegex(
        @"\A(?<number>[+-]?[0-9]+(\.[0-9]+)?)\s*(('(?<unit>[^']+)')|(?<word>[a-zA-Z]+))?\z",
        RegexOptions.ExplicitCapture,
        1000
    )]
    private static partial Regex QuantityText();
}
