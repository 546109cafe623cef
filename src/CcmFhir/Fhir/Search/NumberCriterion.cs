using System.Globalization;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Search;

/// <summary>Numbers and quantities, to the precision written: <c>5.4</c> is 5.35 to 5.45; <c>5.4|http://unitsofmeasure.org|mg</c>.</summary>
internal sealed record NumberCriterion(
    SearchParameter Parameter,
    string Modifier,
    IReadOnlyList<string> Values,
    IReadOnlyList<AskedNumber> Asked
) : Criterion(Parameter, Modifier, Values)
{
    /// <summary>Reads it.</summary>
    public static NumberCriterion? Read(
        SearchParameter parameter,
        string modifier,
        List<string> values,
        out string? fault
    )
    {
        if (modifier.Length > 0)
        {
            fault = NoModifier(parameter, modifier, ":missing");
            return null;
        }
        var asked = new List<AskedNumber>();
        foreach (var value in values)
        {
            var parts = SearchQuery.Split(value, '|');
            var prefix = Prefixes.Take(parts[0], out var number);
            if (
                parts.Count > (parameter.Kind == SearchKind.Quantity ? 3 : 1)
                || !decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact)
            )
            {
                fault =
                    parameter.Kind == SearchKind.Quantity
                        ? "a quantity is a number, or number|system|code, or number||unit, with a prefix such as ge before it."
                        : "a number such as 5.4, with a prefix such as ge before it.";
                return null;
            }
            var slack = prefix == Prefix.Ap ? Math.Abs(exact) * 0.1m : HalfUnit(number);
            asked.Add(
                new AskedNumber(
                    prefix,
                    exact,
                    slack,
                    parts.Count > 1 ? SearchQuery.Unescape(parts[1]) : "",
                    parts.Count > 2 ? SearchQuery.Unescape(parts[2]) : ""
                )
            );
        }
        fault = null;
        return new NumberCriterion(parameter, modifier, values, asked);
    }

    /// <inheritdoc/>
    protected override bool MatchesValue(FhirElement element)
    {
        foreach (var asked in Asked)
        {
            if (asked.Matches(element))
            {
                return true;
            }
        }
        return false;
    }

    // Half of the last digit written: 100 is 99.5 to 100.5, 1e2 is 50 to 150.
    private static decimal HalfUnit(string number)
    {
        var e = number.IndexOfAny(['e', 'E']);
        var mantissa = e < 0 ? number : number[..e];
        var exponent = 0;
        if (e >= 0)
        {
            _ = int.TryParse(
                number[(e + 1)..],
                NumberStyles.AllowLeadingSign,
                CultureInfo.InvariantCulture,
                out exponent
            );
        }
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = point < 0 ? 0 : mantissa.Length - point - 1;
        return 0.5m * (decimal)Math.Pow(10, Math.Clamp(exponent - digits, -20, 20));
    }
}

/// <summary>One number of a query.</summary>
/// <param name="Prefix">How to compare.</param>
/// <param name="Value">The number.</param>
/// <param name="Slack">Half of its last digit.</param>
/// <param name="System">System of the unit; empty for any.</param>
/// <param name="Unit">Code or unit; empty for any.</param>
internal sealed record AskedNumber(Prefix Prefix, decimal Value, decimal Slack, string System, string Unit)
{
    /// <summary>A number, Quantity, Money or Range meets it.</summary>
    public bool Matches(FhirElement element)
    {
        if (element.Kind != JsonKind.Object)
        {
            return Number(element) is { } plain && Compare(plain, plain);
        }
        var (low, high) = (element["low"u8], element["high"u8]);
        if (low.Exists || high.Exists)
        {
            return HasUnit(low.Exists ? low : high)
                && Compare(Number(low["value"u8]) ?? decimal.MinValue, Number(high["value"u8]) ?? decimal.MaxValue);
        }
        return Number(element["value"u8]) is { } value && HasUnit(element) && Compare(value, value);
    }

    private bool Compare(decimal low, decimal high) =>
        Prefix switch
        {
            // Only eq, ne and ap are to a precision [search.html#number].
            Prefix.Eq => Within(low, high),
            Prefix.Ap => low >= Value - Slack && high <= Value + Slack,
            Prefix.Ne => !Within(low, high),
            Prefix.Gt => high > Value,
            Prefix.Lt => low < Value,
            Prefix.Ge => high >= Value,
            Prefix.Le => low <= Value,
            Prefix.Sa => low > Value,
            _ => high < Value,
        };

    private bool Within(decimal low, decimal high) => low >= Value - Slack && high < Value + Slack;

    private bool HasUnit(FhirElement quantity) =>
        (System.Length == 0 || quantity["system"u8].Text == System)
        && (
            Unit.Length == 0
            || quantity["code"u8].Text == Unit
            || (System.Length == 0 && quantity["unit"u8].Text == Unit)
            || quantity["currency"u8].Text == Unit
        );

    private static decimal? Number(FhirElement element) =>
        decimal.TryParse(element.Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
