using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>fixed[x]: the value is exactly this. pattern[x]: the value holds at least this.</summary>
internal sealed class FixedAndPattern : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.Element.Fixed is { } exact && scope.Base?.Element.Fixed is null)
        {
            into.OfValue.Add(new Same(exact, isPattern: false, scope.Profile));
        }
        if (scope.Element.Pattern is { } pattern && scope.Base?.Element.Pattern is null)
        {
            into.OfValue.Add(new Same(pattern, isPattern: true, scope.Profile));
        }
    }

    /// <summary>True when a value is exactly (or, for a pattern, at least) the wanted one.</summary>
    public static bool Matches(FhirElement value, FhirElement wanted, bool isPattern)
    {
        if (value.Kind != wanted.Kind)
        {
            return false;
        }
        switch (wanted.Kind)
        {
            case JsonKind.Object:
                var count = 0;
                foreach (var property in wanted.Children)
                {
                    count++;
                    var mine = value[property.NameUtf8];
                    if (!mine.Exists || !Matches(mine, property, isPattern))
                    {
                        return false;
                    }
                }
                return isPattern || count == Count(value);
            case JsonKind.Array when isPattern:
                foreach (var item in wanted.Children)
                {
                    if (!Any(value, item))
                    {
                        return false;
                    }
                }
                return true;
            case JsonKind.Array:
                var others = value.Children.GetEnumerator();
                foreach (var item in wanted.Children)
                {
                    if (!others.MoveNext() || !Matches(others.Current, item, isPattern))
                    {
                        return false;
                    }
                }
                return !others.MoveNext();
            case JsonKind.Number:
                return value.Raw.SequenceEqual(wanted.Raw) || Decimals.Compare(value.Raw, wanted.Raw) == 0;
            case JsonKind.String:
                return value.Raw.SequenceEqual(wanted.Raw)
                    || ((value.IsEscaped || wanted.IsEscaped) && value.Text == wanted.Text);
            default:
                return true;
        }
    }

    private static bool Any(FhirElement values, FhirElement wanted)
    {
        foreach (var value in values.Children)
        {
            if (Matches(value, wanted, isPattern: true))
            {
                return true;
            }
        }
        return false;
    }

    private static int Count(FhirElement value)
    {
        var count = 0;
        foreach (var _ in value.Children)
        {
            count++;
        }
        return count;
    }

    private sealed class Same(TypedValue wanted, bool isPattern, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            if (spot.Value.Exists && Matches(spot.Value, wanted.Value, isPattern))
            {
                return;
            }
            var (at, below, value, part) = Difference(spot.At, spot.Value, wanted.Value);
            walk.Add(
                Severity.Error,
                "value",
                isPattern ? "pattern-value" : "fixed-value",
                at,
                $"The profile wants {Shown(part)}"
                    + (isPattern && part.Kind is JsonKind.Object or JsonKind.Array ? " at least" : "")
                    + $"; found is {(value.Exists ? Shown(value) : "nothing")}.",
                profile,
                below
            );
        }

        /// <summary>The innermost place where the two differ, so that the message names the one code and not the whole concept.</summary>
        private (FhirElement At, string? Below, FhirElement Value, FhirElement Wanted) Difference(
            FhirElement at,
            FhirElement value,
            FhirElement part
        )
        {
            while (value.Kind == JsonKind.Object && part.Kind == JsonKind.Object)
            {
                FhirElement different = default;
                foreach (var property in part.Children)
                {
                    if (value[property.NameUtf8] is var mine && (!mine.Exists || !Matches(mine, property, isPattern)))
                    {
                        different = property;
                        break;
                    }
                }
                if (!different.Exists)
                {
                    break;
                }
                var inner = value[different.NameUtf8];
                if (!inner.Exists)
                {
                    return (value, different.Name, inner, different);
                }
                (at, value, part) = (inner, inner, different);
                if (
                    part.Kind == JsonKind.Array
                    && Count(part) == 1
                    && value.Kind == JsonKind.Array
                    && Count(value) == 1
                )
                {
                    foreach (var only in value.Children)
                    {
                        (at, value) = (only, only);
                    }
                    foreach (var only in part.Children)
                    {
                        part = only;
                    }
                }
            }
            return (at, null, value, part);
        }

        private static string Shown(FhirElement value)
        {
            var text = System.Text.Encoding.UTF8.GetString(value.Raw.Length > 400 ? value.Raw[..400] : value.Raw);
            return value.Kind == JsonKind.String
                ? $"'{Nearest.Shown(value.Text!)}'"
                : Nearest.Shown(string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
        }
    }
}
