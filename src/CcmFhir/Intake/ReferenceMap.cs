using System.Text.RegularExpressions;
using CcmFhir.Fhir;

namespace CcmFhir.Intake;

/// <summary>What references in a Bundle mean once everything in it has its id: <c>urn:uuid:</c> and other fullUrls, conditional
/// references, and URLs of the practice's own bases.</summary>
/// <param name="bases">Bases whose URLs mean the same as relative references.</param>
internal sealed partial class ReferenceMap(LocalBases bases)
{
    private readonly LocalBases bases = bases;
    private readonly Dictionary<string, string> byFullUrl = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> byQuery = new(StringComparer.Ordinal);

    /// <summary>A map that knows what another knows, and goes its own way.</summary>
    public ReferenceMap(ReferenceMap known)
        : this(known.bases) => byFullUrl = new Dictionary<string, string>(known.byFullUrl, StringComparer.Ordinal);

    /// <summary>The resource with that fullUrl is <c>Type/id</c>. False when another one of the Bundle has the same fullUrl.</summary>
    public bool Add(string fullUrl, string reference) =>
        byFullUrl.TryAdd(fullUrl, reference) || byFullUrl[fullUrl] == reference;

    /// <summary>The conditional reference means <c>Type/id</c>.</summary>
    public void Resolve(string query, string reference) => byQuery[query] = reference;

    /// <summary>The query of a conditional reference that is not resolved yet; null when it is none.</summary>
    public string? OpenQuery(string reference)
    {
        var query = bases.Relative(reference) ?? reference;
        var question = query.IndexOf('?', StringComparison.Ordinal);
        return question > 0 && ResourceTypes.Find(query.AsSpan(0, question)) is not null && !byQuery.ContainsKey(query)
            ? query
            : null;
    }

    /// <summary>The replacements that a resource needs.</summary>
    /// <param name="entry">The entry; its fullUrl is what relative references are relative to.</param>
    public List<Splice> Rewrite(Entry entry)
    {
        var splices = new List<Splice>();
        foreach (var site in entry.Sites)
        {
            var text = site.Value.Text!;
            var rewritten = site.Kind switch
            {
                SiteKind.Reference => Target(text, entry.FullUrl),
                SiteKind.Uri => FromFullUrl(text),
                _ => Narrative(text),
            };
            if (rewritten is not null && rewritten != text)
            {
                splices.Add(new Splice(site.Value.Offset, site.Value.Length, ResourceBytes.Quoted(rewritten)));
            }
        }
        return splices;
    }

    /// <summary>What a reference means here, as it is to be stored; null when it stays as it is.</summary>
    /// <param name="text">The reference.</param>
    /// <param name="fullUrl">fullUrl of the resource that holds it.</param>
    public string? Target(string text, string? fullUrl)
    {
        if (text.StartsWith('#'))
        {
            return null;
        }
        if (FromFullUrl(text) is { } found)
        {
            return found;
        }
        if (bases.Relative(text) is { } relative)
        {
            return byQuery.GetValueOrDefault(relative, relative);
        }
        if (text.Contains('?', StringComparison.Ordinal))
        {
            return byQuery.GetValueOrDefault(text);
        }
        // A relative reference is relative to the base of the fullUrl beside it [bundle.html#references].
        return fullUrl is not null && BaseOf(fullUrl) is { } root ? FromFullUrl(root + text) : null;
    }

    private string? FromFullUrl(string text)
    {
        if (byFullUrl.Count == 0)
        {
            return null;
        }
        if (byFullUrl.TryGetValue(text, out var reference))
        {
            return reference;
        }
        var hash = text.IndexOf('#', StringComparison.Ordinal);
        return hash > 0 && byFullUrl.TryGetValue(text[..hash], out reference) ? reference + text[hash..] : null;
    }

    private string? Narrative(string text)
    {
        var rewritten = Links()
            .Replace(
                text,
                link =>
                    FromFullUrl(link.Groups["url"].Value) is { } reference
                        ? string.Concat(link.Groups["before"].Value, reference, link.Groups["quote"].Value)
                        : link.Value
            );
        return rewritten == text ? null : rewritten;
    }

    private static string? BaseOf(string fullUrl)
    {
        if (!fullUrl.StartsWith("http", StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }
        var id = fullUrl.LastIndexOf('/');
        var type = id > 0 ? fullUrl.LastIndexOf('/', id - 1) : -1;
        return type > 0 && ResourceTypes.Find(fullUrl.AsSpan(type + 1, id - type - 1)) is not null
            ? fullUrl[..(type + 1)]
            : null;
    }

    [GeneratedRegex(
        """(?<before>\b(?:href|src)\s*=\s*(?<quote>["']))(?<url>[^"']*)\k<quote>""",
        RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Links();
}
