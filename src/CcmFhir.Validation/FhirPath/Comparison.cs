using System.Text;

namespace CcmFhir.Validation.FhirPath;

/// <summary>Equality, equivalence and order of values, as FHIRPath defines them.</summary>
internal static class Comparison
{
    /// <summary>Order of two values.</summary>
    /// <returns>Null when it cannot be said (different precision, no common unit).</returns>
    /// <exception cref="FhirPathException">Values of these types have no order.</exception>
    public static int? Order(in FhirPathValue left, in FhirPathValue right)
    {
        var (a, b) = (left.SystemKind, right.SystemKind);
        if (IsTemporal(a) || IsTemporal(b))
        {
            return left.TryTemporal(out var x) && right.TryTemporal(out var y) ? Temporal.Compare(x, y) : null;
        }
        if (IsNumber(a) && IsNumber(b))
        {
            return left.TryDecimal(out var x) && right.TryDecimal(out var y) ? x.CompareTo(y) : null;
        }
        if (a == FhirPathKind.Quantity || b == FhirPathKind.Quantity)
        {
            return left.AsQuantity() is { } x && right.AsQuantity() is { } y ? Quantity.Compare(x, y) : null;
        }
        if (a == FhirPathKind.String && b == FhirPathKind.String)
        {
            // Where no type is known, what looks like dates is compared as dates.
            return IsUntyped(left) && IsUntyped(right) && left.TryTemporal(out var x) && right.TryTemporal(out var y)
                ? Temporal.Compare(x, y)
                : string.CompareOrdinal(left.Text, right.Text);
        }
        throw new FhirPathException(
            $"Values of type {Describe(left)} and {Describe(right)} cannot be compared; numbers, strings, dates, times and quantities can be."
        );
    }

    /// <summary>FHIRPath's <c>=</c> on two values.</summary>
    /// <returns>Null when it cannot be said (dates of different precision that agree so far).</returns>
    public static bool? Equal(in FhirPathValue left, in FhirPathValue right)
    {
        if (left == right)
        {
            return true;
        }
        var (a, b) = (left.SystemKind, right.SystemKind);
        if (a == FhirPathKind.Quantity || b == FhirPathKind.Quantity)
        {
            if (left.Kind != FhirPathKind.Element || right.Kind != FhirPathKind.Element)
            {
                return left.AsQuantity() is { } x && right.AsQuantity() is { } y
                    ? Quantity.Compare(x, y) is { } order
                        ? order == 0
                        : false
                    : false;
            }
            return SameContent(left, right);
        }
        if (a == FhirPathKind.None || b == FhirPathKind.None)
        {
            return a == b && SameContent(left, right);
        }
        if (IsNumber(a) && IsNumber(b))
        {
            return left.TryDecimal(out var x) && right.TryDecimal(out var y)
                ? x == y
                // Too long for a decimal: told apart by the text.
                : string.Equals(left.Text, right.Text, StringComparison.Ordinal);
        }
        if (IsTemporal(a) && IsTemporal(b))
        {
            if (!left.TryTemporal(out var x) || !right.TryTemporal(out var y))
            {
                return SameText(left, right);
            }
            return Temporal.Compare(x, y) is { } order ? order == 0 : null;
        }
        if (a == FhirPathKind.Boolean && b == FhirPathKind.Boolean)
        {
            return left.IsTrue == right.IsTrue;
        }
        return a == b && SameText(left, right);
    }

    /// <summary>FHIRPath's <c>~</c> on two values.</summary>
    public static bool Equivalent(in FhirPathValue left, in FhirPathValue right)
    {
        var (a, b) = (left.SystemKind, right.SystemKind);
        if (a == FhirPathKind.String && b == FhirPathKind.String)
        {
            return string.Equals(Normal(left.Text!), Normal(right.Text!), StringComparison.Ordinal);
        }
        if (IsNumber(a) && IsNumber(b) && left.TryDecimal(out var x) && right.TryDecimal(out var y))
        {
            var digits = Math.Min(x.Scale, y.Scale);
            return decimal.Round(x, digits) == decimal.Round(y, digits);
        }
        if (a == FhirPathKind.None && b == FhirPathKind.None)
        {
            return SameObject(left.Holder, right.Holder, equivalent: true);
        }
        return Equal(left, right) == true;
    }

    /// <summary>The same for values that are equal.</summary>
    public static int Hash(in FhirPathValue value)
    {
        var kind = value.SystemKind;
        return kind switch
        {
            FhirPathKind.None => HashObject(value.Holder),
            FhirPathKind.Boolean => value.IsTrue ? 1 : 2,
            FhirPathKind.Integer or FhirPathKind.Decimal => value.TryDecimal(out var number)
                ? number.GetHashCode()
                : string.GetHashCode(value.Text, StringComparison.Ordinal),
            FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time => value.TryTemporal(out _) ? 3 : 4,
            FhirPathKind.Quantity => 5,
            _ => string.GetHashCode(value.Text, StringComparison.Ordinal),
        };
    }

    public static bool Contains(ReadOnlySpan<FhirPathValue> values, in FhirPathValue wanted)
    {
        foreach (ref readonly var value in values)
        {
            if (Equal(value, wanted) == true)
            {
                return true;
            }
        }
        return false;
    }

    public static string Describe(in FhirPathValue value) =>
        value.TypeName
        ?? value.SystemKind switch
        {
            FhirPathKind.None => "element",
            var kind => "System." + kind,
        };

    public static bool IsNumber(FhirPathKind kind) => kind is FhirPathKind.Integer or FhirPathKind.Decimal;

    public static bool IsTemporal(FhirPathKind kind) =>
        kind is FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time;

    private static bool IsUntyped(in FhirPathValue value) => value is { Kind: FhirPathKind.Element, Type: null };

    private static string Normal(string text) =>
        string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).ToUpperInvariant();

    private static bool SameText(in FhirPathValue left, in FhirPathValue right) =>
        string.Equals(left.Text, right.Text, StringComparison.Ordinal);

    private static bool SameContent(in FhirPathValue left, in FhirPathValue right) =>
        SameObject(left.Holder, right.Holder, equivalent: false);

    /// <summary>Same properties with the same values, in any order; the order of arrays counts. Depth is bounded by that of the document.</summary>
    private static bool SameObject(FhirElement left, FhirElement right, bool equivalent)
    {
        if (left.Kind != right.Kind)
        {
            return false;
        }
        switch (left.Kind)
        {
            case JsonKind.Object:
                foreach (var property in left.Children)
                {
                    if (equivalent && property.NameUtf8.SequenceEqual("id"u8))
                    {
                        continue;
                    }
                    if (!SameObject(property, right[property.NameUtf8], equivalent))
                    {
                        return false;
                    }
                }
                return Count(left, equivalent) == Count(right, equivalent);
            case JsonKind.Array:
                var others = right.Children.GetEnumerator();
                foreach (var item in left.Children)
                {
                    if (!others.MoveNext() || !SameObject(item, others.Current, equivalent))
                    {
                        return false;
                    }
                }
                return !others.MoveNext();
            case JsonKind.String when equivalent:
                return string.Equals(Normal(left.Text!), Normal(right.Text!), StringComparison.Ordinal);
            case JsonKind.Number:
                return Equal(FhirPathValue.Of(left), FhirPathValue.Of(right)) == true;
            case JsonKind.None:
                return true;
            default:
                return left.Raw.SequenceEqual(right.Raw)
                    || string.Equals(left.Text, right.Text, StringComparison.Ordinal);
        }
    }

    private static int Count(FhirElement element, bool equivalent)
    {
        var count = 0;
        foreach (var property in element.Children)
        {
            count += equivalent && property.NameUtf8.SequenceEqual("id"u8) ? 0 : 1;
        }
        return count;
    }

    private static int HashObject(FhirElement element)
    {
        var hash = (int)element.Kind;
        switch (element.Kind)
        {
            case JsonKind.Object:
                foreach (var property in element.Children)
                {
                    // A sum, because the order of properties does not count.
                    var name = new HashCode();
                    name.AddBytes(property.NameUtf8);
                    hash += name.ToHashCode() ^ HashObject(property);
                }
                return hash;
            case JsonKind.Array:
                foreach (var item in element.Children)
                {
                    hash = HashCode.Combine(hash, HashObject(item));
                }
                return hash;
            case JsonKind.String:
                var text = new HashCode();
                text.AddBytes(
                    element.Raw.IndexOf((byte)'\\') < 0 ? element.Raw[1..^1] : Encoding.UTF8.GetBytes(element.Text!)
                );
                return text.ToHashCode();
            case JsonKind.Number:
                return Hash(FhirPathValue.Of(element));
            default:
                return hash;
        }
    }
}
