namespace CcmFhir.Validation.FhirPath;

/// <summary>Arithmetic operators. What cannot be computed (division by zero, overflow) is empty.</summary>
internal static class Arithmetic
{
    public static FhirPathValue Add(FhirPathValue left, FhirPathValue right) =>
        left.AsString() is { } a && right.AsString() is { } b
            ? FhirPathValue.Of(TextLength.Join(a, b))
            : Numbers(left, right, '+');

    public static FhirPathValue Subtract(FhirPathValue left, FhirPathValue right) => Numbers(left, right, '-');

    public static FhirPathValue Multiply(FhirPathValue left, FhirPathValue right) => Numbers(left, right, '*');

    public static FhirPathValue Divide(FhirPathValue left, FhirPathValue right) => Numbers(left, right, '/');

    public static FhirPathValue Div(FhirPathValue left, FhirPathValue right) =>
        left.TryDecimal(out var a) && right.TryDecimal(out var b) && b != 0
            ? Safely(() => FhirPathValue.Of((long)decimal.Truncate(a / b)))
            : default;

    public static FhirPathValue Mod(FhirPathValue left, FhirPathValue right)
    {
        if (left.TryLong(out var x) && right.TryLong(out var y) && BothIntegers(left, right))
        {
            return y is 0 ? default : FhirPathValue.Of(y == -1 ? 0 : x % y);
        }
        return left.TryDecimal(out var a) && right.TryDecimal(out var b) && b != 0
            ? Safely(() => FhirPathValue.Of(a % b))
            : default;
    }

    public static FhirPathValue Negate(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        value.Kind == FhirPathKind.Quantity && value.AsQuantity() is { } quantity
            ? FhirPathValue.Of(new Quantity(-quantity.Value, quantity.Unit, quantity.IsUcum))
        : IsInteger(value) && value.TryLong(out var whole) && whole != long.MinValue ? FhirPathValue.Of(-whole)
        : value.TryDecimal(out var number) ? FhirPathValue.Of(-number)
        : throw new FhirPathException($"A value of type {Comparison.Describe(value)} has no negative.");

    public static FhirPathValue Safely(Func<FhirPathValue> compute)
    {
        try
        {
            return compute();
        }
        catch (OverflowException)
        {
            return default;
        }
    }

    public static bool IsInteger(in FhirPathValue value) => value.SystemKind == FhirPathKind.Integer;

    private static bool BothIntegers(in FhirPathValue left, in FhirPathValue right) =>
        IsInteger(left) && IsInteger(right);

    private static FhirPathValue Numbers(FhirPathValue left, FhirPathValue right, char op)
    {
        if (Comparison.IsTemporal(left.SystemKind) && op is '+' or '-' && right.AsQuantity() is { } span)
        {
            return
                left.TryTemporal(out var moment)
                && moment.Add(op == '+' ? span.Value : -span.Value, span.Unit) is { } moved
                ? FhirPathValue.Of(moved)
                : default;
        }
        if (op != '/' && BothIntegers(left, right) && left.TryLong(out var x) && right.TryLong(out var y))
        {
            return Safely(() =>
                FhirPathValue.Of(
                    op switch
                    {
                        '+' => checked(x + y),
                        '-' => checked(x - y),
                        _ => checked(x * y),
                    }
                )
            );
        }
        if (
            Comparison.IsNumber(left.SystemKind)
            && Comparison.IsNumber(right.SystemKind)
            && left.TryDecimal(out var a)
            && right.TryDecimal(out var b)
        )
        {
            return op == '/' && b == 0
                ? default
                : Safely(() =>
                    FhirPathValue.Of(
                        op switch
                        {
                            '+' => a + b,
                            '-' => a - b,
                            '*' => a * b,
                            _ => a / b,
                        }
                    )
                );
        }
        if (left.AsQuantity() is { } p && right.AsQuantity() is { } q)
        {
            return Quantities(p, q, op);
        }
        throw new FhirPathException(
            $"'{op}' cannot be applied to {Comparison.Describe(left)} and {Comparison.Describe(right)}."
        );
    }

    private static FhirPathValue Quantities(Quantity left, Quantity right, char op)
    {
        var same = string.Equals(left.Unit, right.Unit, StringComparison.Ordinal);
        return Safely(() =>
            op switch
            {
                '+' when same => FhirPathValue.Of(new Quantity(left.Value + right.Value, left.Unit, left.IsUcum)),
                '-' when same => FhirPathValue.Of(new Quantity(left.Value - right.Value, left.Unit, left.IsUcum)),
                '*' when right.Unit == "1" => FhirPathValue.Of(
                    new Quantity(left.Value * right.Value, left.Unit, left.IsUcum)
                ),
                '*' when left.Unit == "1" => FhirPathValue.Of(
                    new Quantity(left.Value * right.Value, right.Unit, right.IsUcum)
                ),
                '/' when same && right.Value != 0 => FhirPathValue.Of(
                    new Quantity(left.Value / right.Value, "1", isUcum: true)
                ),
                '/' when right.Unit == "1" && right.Value != 0 => FhirPathValue.Of(
                    new Quantity(left.Value / right.Value, left.Unit, left.IsUcum)
                ),
                _ => default,
            }
        );
    }
}
