using System.Globalization;
using System.Text;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Search;

/// <summary>A query as it was understood.</summary>
internal sealed record SearchQuery
{
    /// <summary>Largest page, and the page when none is asked for.</summary>
    public const int MaxCount = 1000,
        DefaultCount = 50;

    /// <summary>Resource type that is looked for.</summary>
    public required string Type { get; init; }

    /// <summary>All must hold.</summary>
    public required IReadOnlyList<Criterion> Criteria { get; init; }

    /// <summary>Resources a page; 0: only the total.</summary>
    public int Count { get; init; } = DefaultCount;

    /// <summary>In this order; empty: newest first.</summary>
    public IReadOnlyList<SortKey> Sort { get; init; } = [];

    /// <summary>What the answer takes along.</summary>
    public IReadOnlyList<Inclusion> Includes { get; init; } = [];

    /// <summary>What was understood, in the client's order, for the self link.</summary>
    public required IReadOnlyList<KeyValuePair<string, string>> Understood { get; init; }

    /// <summary>What was not understood, and is therefore named in the answer.</summary>
    public required IReadOnlyList<Issue> Ignored { get; init; }

    /// <summary>Names of parameters that shape the answer but select nothing; the endpoint reads them itself.</summary>
    public static bool IsShape(string name) =>
        name is "_format" or "_pretty" or "_summary" or "_elements" or "_page" or "_total";

    /// <summary>Reads a query; null, with a refusal, when it cannot be answered as it stands.</summary>
    /// <param name="type">Resource type.</param>
    /// <param name="pairs">Names and values in order.</param>
    /// <param name="strict">Refuse what is not understood (<c>Prefer: handling=strict</c>) in place of naming it in the answer.</param>
    /// <param name="zone">Zone of dates without an offset.</param>
    /// <param name="refusal">Why not.</param>
    public static SearchQuery? Parse(
        string type,
        IReadOnlyList<KeyValuePair<string, string>> pairs,
        bool strict,
        TimeZoneInfo zone,
        out Refusal? refusal
    )
    {
        var criteria = new List<Criterion>();
        var sort = new List<SortKey>();
        var includes = new List<Inclusion>();
        var understood = new List<KeyValuePair<string, string>>();
        var ignored = new List<Issue>();
        var faults = new List<Issue>();
        var count = DefaultCount;
        foreach (var (name, value) in pairs)
        {
            if (IsShape(name))
            {
                if (name is not ("_page" or "_format" or "_pretty"))
                {
                    understood.Add(new(name, value));
                }
                continue;
            }
            switch (name)
            {
                case "_count":
                    if (int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var asked))
                    {
                        count = Math.Min(asked, MaxCount);
                        understood.Add(new(name, count.ToString(CultureInfo.InvariantCulture)));
                    }
                    else
                    {
                        faults.Add(Bad(name, "_count is a whole number from 0."));
                    }
                    continue;
                case "_sort":
                    ReadSort(type, value, sort, faults);
                    understood.Add(new(name, value));
                    continue;
                default:
                    break;
            }
            if (
                name.StartsWith("_include", StringComparison.Ordinal)
                || name.StartsWith("_revinclude", StringComparison.Ordinal)
            )
            {
                ReadInclude(name, value, includes, faults);
                understood.Add(new(name, value));
                continue;
            }
            var colon = name.IndexOf(':', StringComparison.Ordinal);
            var code = colon < 0 ? name : name[..colon];
            var modifier = colon < 0 ? "" : name[(colon + 1)..];
            if (SearchParameter.Find(type, code) is not { } parameter)
            {
                (strict ? faults : ignored).Add(Unknown(type, name));
                continue;
            }
            if (value.Length == 0)
            {
                (strict ? faults : ignored).Add(Bad(name, $"'{name}' has no value. Give one, or leave it out."));
                continue;
            }
            if (Criterion.Parse(parameter, modifier, value, zone, out var fault) is { } criterion)
            {
                criteria.Add(criterion);
                understood.Add(new(name, value));
            }
            else
            {
                faults.Add(Bad(name, fault!));
            }
        }
        refusal = faults.Count > 0 ? new Refusal(400, faults) : null;
        return refusal is not null
            ? null
            : new SearchQuery
            {
                Type = type,
                Criteria = criteria,
                Count = count,
                Sort = sort,
                Includes = includes,
                Understood = understood,
                Ignored = ignored,
            };
    }

    /// <summary>The resource matches all criteria.</summary>
    public bool Matches(FhirElement resource)
    {
        foreach (var criterion in Criteria)
        {
            if (!criterion.Matches(resource))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Splits at a separator that is not escaped with a backslash; escapes are kept.</summary>
    public static List<string> Split(string text, char separator)
    {
        var parts = new List<string>();
        var from = 0;
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\')
            {
                at++;
            }
            else if (text[at] == separator)
            {
                parts.Add(text[from..at]);
                from = at + 1;
            }
        }
        parts.Add(text[from..]);
        return parts;
    }

    /// <summary>Resolves the escapes <c>\,</c> <c>\|</c> <c>\$</c> <c>\\</c> [search.html#escaping].</summary>
    public static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
        {
            return text;
        }
        var plain = new StringBuilder(text.Length);
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\\' && at + 1 < text.Length)
            {
                at++;
            }
            plain.Append(text[at]);
        }
        return plain.ToString();
    }

    private static void ReadSort(string type, string value, List<SortKey> sort, List<Issue> faults)
    {
        foreach (var part in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            var descending = part.StartsWith('-');
            var code = descending ? part[1..] : part;
            if (SearchParameter.Find(type, code) is { } parameter)
            {
                sort.Add(new SortKey(parameter, descending));
            }
            else
            {
                faults.Add(
                    Bad(
                        "_sort",
                        $"{type} cannot be sorted by '{code}'. Use a search parameter of {type}, with '-' before it for descending."
                    )
                );
            }
        }
    }

    private static void ReadInclude(string name, string value, List<Inclusion> includes, List<Issue> faults)
    {
        var reverse = name.StartsWith("_revinclude", StringComparison.Ordinal);
        var iterate =
            name.EndsWith(":iterate", StringComparison.Ordinal) || name.EndsWith(":recurse", StringComparison.Ordinal);
        var parts = value.Split(':');
        if (value == "*" && !reverse)
        {
            includes.Add(new Inclusion("*", null, null, reverse, iterate));
            return;
        }
        if (
            parts.Length is < 2 or > 3
            || ResourceTypes.Find(parts[0]) is not { } source
            || (parts.Length == 3 && ResourceTypes.Find(parts[2]) is null)
        )
        {
            faults.Add(Bad(name, $"{name} is Type:parameter or Type:parameter:TargetType, such as Task:owner."));
            return;
        }
        if (parts[1] == "*")
        {
            includes.Add(new Inclusion(source, null, parts.Length == 3 ? parts[2] : null, reverse, iterate));
            return;
        }
        if (SearchParameter.Find(source, parts[1]) is not { Kind: SearchKind.Reference } parameter)
        {
            faults.Add(Bad(name, $"{source} has no reference parameter '{parts[1]}' to include by."));
            return;
        }
        includes.Add(new Inclusion(source, parameter, parts.Length == 3 ? parts[2] : null, reverse, iterate));
    }

    private static Issue Unknown(string type, string name) =>
        Refusal.Because(
            "not-supported",
            "search-parameter",
            name.Contains('.', StringComparison.Ordinal) || name.StartsWith("_has", StringComparison.Ordinal)
                ? $"Chained parameters such as '{Shown(name)}' are not supported. Search in two steps."
                : $"{type} has no search parameter '{Shown(name)}' here. It has: {string.Join(", ", SearchParameter.For(type).Concat(SearchParameter.Common).Select(parameter => parameter.Code))}."
        );

    private static Issue Bad(string name, string text) =>
        Refusal.Because("value", "search-value", $"{Shown(name)}: {text}");

    private static string Shown(string text) => text.Length > 64 ? text[..64] + "..." : text;
}

/// <summary>One key of an order.</summary>
/// <param name="Parameter">By its first value (ascending: the least; descending: the greatest).</param>
/// <param name="Descending">Greatest first.</param>
internal sealed record SortKey(SearchParameter Parameter, bool Descending);

/// <summary>One <c>_include</c> or <c>_revinclude</c>.</summary>
/// <param name="Source">Type that holds the reference; <c>*</c> for any.</param>
/// <param name="Parameter">Reference parameter; null for all.</param>
/// <param name="Target">Type that is pointed at; null for any.</param>
/// <param name="Reverse">What points at the matches, in place of what they point at.</param>
/// <param name="Iterate">Also from what was included.</param>
internal sealed record Inclusion(string Source, SearchParameter? Parameter, string? Target, bool Reverse, bool Iterate);
