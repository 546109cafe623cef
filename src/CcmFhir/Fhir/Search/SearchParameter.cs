using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Text;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Fhir.Search;

/// <summary>Types of search parameters [search.html#ptypes].</summary>
internal enum SearchKind
{
    /// <summary>A code, an identifier, a boolean.</summary>
    Token,

    /// <summary>Text.</summary>
    String,

    /// <summary>A reference to a resource.</summary>
    Reference,

    /// <summary>A date, an instant, a period.</summary>
    Date,

    /// <summary>A quantity.</summary>
    Quantity,

    /// <summary>A number.</summary>
    Number,

    /// <summary>A URI.</summary>
    Uri,
}

/// <summary>One search parameter of one resource type.</summary>
/// <param name="Code">Name in a query.</param>
/// <param name="Kind">Type of the parameter.</param>
/// <param name="Paths">Where its values stand.</param>
/// <param name="Targets">Types that a reference may point at; empty: any.</param>
internal sealed record SearchParameter(
    string Code,
    SearchKind Kind,
    IReadOnlyList<SearchPath> Paths,
    IReadOnlyList<string> Targets
)
{
    private static readonly ConcurrentDictionary<string, FrozenDictionary<string, SearchParameter>> Tables = new(
        StringComparer.Ordinal
    );

    private static readonly FrozenDictionary<string, SearchParameter> Everywhere = new SearchParameter[]
    {
        new("_id", SearchKind.Token, [SearchPath.Parse("id")], []),
        new("_lastUpdated", SearchKind.Date, [SearchPath.Parse("meta.lastUpdated")], []),
        new("_profile", SearchKind.Uri, [SearchPath.Parse("meta.profile")], []),
        new("_security", SearchKind.Token, [SearchPath.Parse("meta.security")], []),
        new("_source", SearchKind.Uri, [SearchPath.Parse("meta.source")], []),
        new("_tag", SearchKind.Token, [SearchPath.Parse("meta.tag")], []),
    }.ToFrozenDictionary(parameter => parameter.Code, StringComparer.Ordinal);

    /// <summary>The parameter of that name for a type, those of every type included; null when there is none.</summary>
    public static SearchParameter? Find(string type, string code) =>
        Everywhere.GetValueOrDefault(code) ?? Table(type).GetValueOrDefault(code);

    /// <summary>The parameters of a type by name, without those of every type.</summary>
    public static IEnumerable<SearchParameter> For(string type) =>
        Table(type).Values.OrderBy(parameter => parameter.Code, StringComparer.Ordinal);

    /// <summary>The parameters of every type, by name.</summary>
    public static IEnumerable<SearchParameter> Common =>
        Everywhere.Values.OrderBy(parameter => parameter.Code, StringComparer.Ordinal);

    // R4's own parameters, as far as their expressions are paths; composite ones, and those over extensions, are not declared.
    private static FrozenDictionary<string, SearchParameter> Table(string type) =>
        Tables.GetOrAdd(
            type,
            static type =>
                BaseDefinitions
                    .R4.SearchParameters(type)
                    .Where(facts => facts.Bases.Contains(type))
                    .Select(facts => Read(type, facts))
                    .OfType<SearchParameter>()
                    .GroupBy(parameter => parameter.Code, StringComparer.Ordinal)
                    .ToFrozenDictionary(group => group.Key, group => group.First(), StringComparer.Ordinal)
        );

    private static SearchParameter? Read(string type, SearchParameterFacts facts) =>
        facts.Expression is { } expression
        && Enum.TryParse<SearchKind>(facts.Type, ignoreCase: true, out var kind)
        && SearchExpression.Paths(type, expression) is { Count: > 0 } paths
            ? new SearchParameter(facts.Code, kind, [.. paths.Select(SearchPath.Parse)], facts.Targets)
            : null;
}

/// <summary>Where values of a parameter stand in a resource: property names, each with a filter on what it must hold beside.</summary>
/// <param name="Steps">From the resource inwards.</param>
/// <param name="Target">Type that a reference must point at; null for any.</param>
/// <param name="Text">As written in the table, without filters: <c>subject</c>.</param>
internal sealed record SearchPath(IReadOnlyList<SearchStep> Steps, string? Target, string Text)
{
    /// <summary>Reads <c>a.b[system=phone]@Patient</c>.</summary>
    public static SearchPath Parse(string text)
    {
        var at = text.IndexOf('@', StringComparison.Ordinal);
        var target = at < 0 ? null : text[(at + 1)..];
        var path = at < 0 ? text : text[..at];
        var steps = new List<SearchStep>();
        foreach (var step in path.Split('.'))
        {
            var open = step.IndexOf('[', StringComparison.Ordinal);
            if (open < 0)
            {
                steps.Add(new SearchStep(Encoding.UTF8.GetBytes(step), null, null));
                continue;
            }
            var filter = step[(open + 1)..^1].Split('=');
            steps.Add(
                new SearchStep(
                    Encoding.UTF8.GetBytes(step[..open]),
                    Encoding.UTF8.GetBytes(filter[0]),
                    Encoding.UTF8.GetBytes(filter[1])
                )
            );
        }
        return new SearchPath(steps, target, path);
    }

    /// <summary>Adds the values that stand there.</summary>
    public void Collect(FhirElement resource, List<FhirElement> found) => Collect(resource, 0, found);

    private void Collect(FhirElement element, int depth, List<FhirElement> found)
    {
        if (depth == Steps.Count)
        {
            if (element.Kind != JsonKind.Null && (Target is null || PointsAt(element, Target)))
            {
                found.Add(element);
            }
            return;
        }
        var step = Steps[depth];
        foreach (var item in element[step.Name].Items)
        {
            if (step.FilterName is null || item[step.FilterName].Is(step.FilterValue))
            {
                Collect(item, depth + 1, found);
            }
        }
    }

    private static bool PointsAt(FhirElement element, string type)
    {
        var text = element.Kind == JsonKind.Object ? element["reference"u8].Text : element.Text;
        if (text is null)
        {
            return element["type"u8].Text == type;
        }
        var at = text.IndexOf(type, StringComparison.Ordinal);
        return at >= 0
            && (at == 0 || text[at - 1] == '/')
            && at + type.Length < text.Length
            && text[at + type.Length] == '/';
    }
}

/// <summary>One property on the way to a value.</summary>
/// <param name="Name">Property name.</param>
/// <param name="FilterName">Property beside it that is asked for; null for none.</param>
/// <param name="FilterValue">What it must hold.</param>
internal sealed record SearchStep(byte[] Name, byte[]? FilterName, byte[]? FilterValue);
