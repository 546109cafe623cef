using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;

namespace CcmFhir.Validation.Rules;

/// <summary>minValue[x], maxValue[x], maxLength and minLength.</summary>
internal sealed class ValueRange : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        var element = scope.Element;
        if (element.MinValue is { } min && scope.Base?.Element.MinValue is null)
        {
            into.OfValue.Add(new Bound(min, isMin: true, scope.Profile));
        }
        if (element.MaxValue is { } max && scope.Base?.Element.MaxValue is null)
        {
            into.OfValue.Add(new Bound(max, isMin: false, scope.Profile));
        }
        if (element.MaxLength is { } longest && scope.Base?.Element.MaxLength != longest)
        {
            into.OfValue.Add(new Length(longest, isMin: false, scope.Profile));
        }
        if (element.MinLength is { } shortest && scope.Base?.Element.MinLength != shortest)
        {
            into.OfValue.Add(new Length(shortest, isMin: true, scope.Profile));
        }
    }

    private sealed class Length(int length, bool isMin, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            if (spot.Value.Kind != JsonKind.String)
            {
                return;
            }
            var text = spot.Value.Text!;
            var found = text.Length;
            foreach (var one in text)
            {
                // A character outside the first plane is one character to FHIR and two to .NET.
                found -= char.IsLowSurrogate(one) ? 1 : 0;
            }
            if (isMin ? found < length : found > length)
            {
                walk.Add(
                    Severity.Error,
                    isMin ? "value" : "too-long",
                    isMin ? "min-length" : "max-length",
                    spot.Value,
                    $"The text has {found} characters; {(isMin ? "at least" : "at most")} {length} are allowed.",
                    profile
                );
            }
        }
    }

    private sealed class Bound(TypedValue bound, bool isMin, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            if (!spot.Value.Exists)
            {
                return;
            }
            var order =
                bound.Value.Kind == JsonKind.Object
                    ? Quantities(spot.Value, bound.Value)
                    : Primitives(spot.Type.Primitive, spot.Value, bound.Value);
            if (isMin ? order < 0 : order > 0)
            {
                var value = spot.Value.Kind == JsonKind.Object ? spot.Value["value"u8] : spot.Value;
                var wanted = bound.Value.Kind == JsonKind.Object ? bound.Value["value"u8] : bound.Value;
                walk.Add(
                    Severity.Error,
                    "value",
                    isMin ? "min-value" : "max-value",
                    value,
                    $"The value is {Nearest.Shown(value.Text!)}; {(isMin ? "at least" : "at most")} {wanted.Text} is allowed.",
                    profile
                );
            }
        }

        /// <summary>Null when the two cannot be compared: units are converted where UCUM can, and a bound without unit holds for any.</summary>
        private static int? Quantities(FhirElement value, FhirElement bound)
        {
            var (mine, other) = (value["value"u8], bound["value"u8]);
            if (mine.Kind != JsonKind.Number || other.Kind != JsonKind.Number)
            {
                return null;
            }
            if (!bound["code"u8].Exists && !bound["unit"u8].Exists)
            {
                return Decimals.Compare(mine.Raw, other.Raw);
            }
            return Quantity.Read(value) is { } left && Quantity.Read(bound) is { } right
                ? Quantity.Compare(left, right)
                : null;
        }

        private static int? Primitives(Primitive type, FhirElement value, FhirElement bound) =>
            value.Kind == JsonKind.Number && bound.Kind == JsonKind.Number ? Decimals.Compare(value.Raw, bound.Raw)
            : value.Kind != JsonKind.String || bound.Kind != JsonKind.String ? null
            : type == Primitive.Time ? string.CompareOrdinal(value.Text, bound.Text)
            : Moments.Compare(value.Text!, bound.Text!);
    }
}
