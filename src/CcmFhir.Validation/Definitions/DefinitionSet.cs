using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CcmFhir.Validation.Definitions;

/// <summary>Every definition that is known: the base of R4 and what was loaded on top. Immutable and thread-safe;
/// definitions are read when they are first asked for.
/// Where a canonical is known in several versions and none is asked for, the highest wins, whatever the order of loading;
/// where the very same version comes twice, the first stays (so a package that carries the base again changes nothing).</summary>
public sealed class DefinitionSet
{
    // What came from XML may be nested twice as deep as JSON that is read.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 2 * FhirJsonLimits.Default.MaxDepth };

    private const string TypeBase = "http://hl7.org/fhir/StructureDefinition/";

    // One dictionary a kind, by canonical; the versions of each, highest first. What is not here is asked of the set below.
    private readonly Dictionary<string, Definition[]>[] own =
    [
        .. Enum.GetValues<DefinitionKind>().Select(_ => new Dictionary<string, Definition[]>(StringComparer.Ordinal)),
    ];
    private readonly DefinitionSet? below;
    private readonly ConcurrentDictionary<string, IReadOnlyList<SearchParameterFacts>> searchParameters = new(
        StringComparer.Ordinal
    );
    private readonly ConcurrentDictionary<Definition, Structure> completed = new();
    private readonly ConcurrentDictionary<Definition, SnapshotNode> snapshots = new();
    private IReadOnlyDictionary<string, SearchParameterFacts[]>? searchParametersByBase;

    /// <summary>A set of these and nothing else.</summary>
    public DefinitionSet(IEnumerable<Definition> definitions)
        : this(null, definitions) { }

    private DefinitionSet(DefinitionSet? below, IEnumerable<Definition> more)
    {
        this.below = below;
        foreach (var definition in more)
        {
            if (Versions(definition.Kind, definition.Url) is not { } versions)
            {
                own[(int)definition.Kind].Add(definition.Url, [definition]);
            }
            else if (
                !Array.Exists(
                    versions,
                    other => string.Equals(other.Version, definition.Version, StringComparison.Ordinal)
                )
            )
            {
                var at = Array.FindIndex(versions, other => VersionOrder(definition.Version, other.Version) > 0);
                own[(int)definition.Kind][definition.Url] =
                    at < 0 ? [.. versions, definition] : [.. versions[..at], definition, .. versions[at..]];
            }
        }
    }

    /// <summary>This set with more on top.</summary>
    public DefinitionSet With(IEnumerable<Definition> more) => new(this, more);

    /// <summary>Every definition of a kind, the preferred version of each canonical.</summary>
    public IEnumerable<Definition> All(DefinitionKind kind)
    {
        var here = own[(int)kind];
        var others = below is null ? [] : below.All(kind).Where(definition => !here.ContainsKey(definition.Url));
        return here.Values.Select(versions => versions[0]).Concat(others);
    }

    /// <summary>Finds a definition by canonical. With |version: that version, else one whose version begins so
    /// (<c>4.0</c> for <c>4.0.1</c>), else the highest known (better a near definition than none). A #fragment is left out.</summary>
    /// <returns>Null when the canonical is not known.</returns>
    public Definition? Find(DefinitionKind kind, string canonical)
    {
        ArgumentNullException.ThrowIfNull(canonical);
        if (canonical.Contains('#', StringComparison.Ordinal) && Versions(kind, canonical) is { } contained)
        {
            // A ValueSet contained in a profile is known by the profile's canonical and its #id.
            return contained[0];
        }
        var (url, version) = Split(canonical);
        if (Versions(kind, url) is not { } versions)
        {
            return null;
        }
        return version is null
            ? versions[0]
            : Array.Find(versions, other => string.Equals(other.Version, version, StringComparison.Ordinal))
                ?? Array.Find(
                    versions,
                    other => other.Version?.StartsWith(version + ".", StringComparison.Ordinal) == true
                )
                ?? versions[0];
    }

    private Definition[]? Versions(DefinitionKind kind, string url) =>
        own[(int)kind].TryGetValue(url, out var versions) ? versions : below?.Versions(kind, url);

    /// <summary>CodeSystems that add properties to another one; those of the base do so for examples only and are not among them.</summary>
    public IEnumerable<Definition> Supplements(string system) =>
        All(DefinitionKind.CodeSystem)
            .Where(definition =>
                definition.Supplements is { } other && string.Equals(Split(other).Url, system, StringComparison.Ordinal)
            );

    /// <summary>The structure of a canonical (optional |version), its snapshot built where it was published without; null when
    /// it is not known.</summary>
    /// <exception cref="UnreadableDefinitionException">It cannot be read, or its snapshot cannot be built.</exception>
    public Structure? Structure(string canonical)
    {
        if (Find(DefinitionKind.Structure, canonical) is not { } definition)
        {
            return null;
        }
        return definition.Structure.Elements.Count > 0
            ? definition.Structure
            : completed.GetOrAdd(
                definition,
                static (found, self) =>
                {
                    var elements = new JsonArray([.. self.Snapshot(found, []).Flatten()]);
                    var json = FhirJson.Parse(JsonSerializer.SerializeToUtf8Bytes(elements), out _)!.Root;
                    return found.Structure with
                    {
                        Elements = StructureReader.ReadElements(json, found.Url, found.Origin),
                    };
                },
                this
            );
    }

    /// <summary>A StructureDefinition as it was published, with a snapshot in it: for tools that do not build their own. Where the
    /// base's words are not at hand, an element's definition is its short (FHIR wants one on every element, sdf-3).</summary>
    /// <exception cref="UnreadableDefinitionException">The snapshot cannot be built.</exception>
    public JsonObject WithSnapshot(Definition structure)
    {
        ArgumentNullException.ThrowIfNull(structure);
        DefinitionForm.Check(structure.Json, structure.Origin);
        var json = JsonNode.Parse(structure.Json.Raw, documentOptions: Deep)!.AsObject();
        if (json["snapshot"]?["element"] is JsonArray { Count: > 0 })
        {
            return json;
        }
        var elements = new JsonArray();
        foreach (var element in Snapshot(structure, []).Flatten())
        {
            element["definition"] ??= element["short"]?.DeepClone() ?? (JsonNode?)element["path"]!.DeepClone();
            elements.Add((JsonNode)element);
        }
        var differential = json["differential"];
        json.Remove("differential");
        json["snapshot"] = new JsonObject { ["element"] = elements };
        json["differential"] = differential;
        return json;
    }

    private SnapshotNode Snapshot(Definition definition, IReadOnlyList<Definition> above)
    {
        if (snapshots.TryGetValue(definition, out var known))
        {
            return known;
        }
        DefinitionForm.Check(definition.Json, definition.Origin);
        var json = JsonNode.Parse(definition.Json.Raw, documentOptions: Deep)!.AsObject();
        IReadOnlyList<Definition> path = [.. above, definition];
        var builder = new SnapshotBuilder(canonical =>
            Find(DefinitionKind.Structure, canonical) is { } other && !path.Contains(other)
                ? Snapshot(other, path)
                : null
        );
        var elements = json["snapshot"]?["element"] is JsonArray { Count: > 0 } published
            ? published.Select(element => element!.AsObject())
            : builder.Build(json, definition.Origin);
        return snapshots.GetOrAdd(definition, SnapshotNode.Read(elements));
    }

    /// <summary>The definition of a type of R4 (<c>Patient</c>, <c>Period</c>, <c>date</c>); null when there is no such type.</summary>
    public Structure? StructureOfType(string type) =>
        Structure(TypeBase + type) is { IsConstraint: false } structure ? structure : null;

    /// <summary>The search parameters of a resource type, those of Resource and DomainResource included, sorted by code.</summary>
    public IReadOnlyList<SearchParameterFacts> SearchParameters(string resourceType) =>
        searchParameters.GetOrAdd(
            resourceType,
            type =>
            {
                var byBase = searchParametersByBase ??= (
                    from definition in All(DefinitionKind.SearchParameter)
                    let facts = SearchReader.ReadParameter(definition.Json)
                    from @base in facts.Bases
                    group facts by @base
                ).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
                return
                [
                    .. new[] { type, "DomainResource", "Resource" }
                        .SelectMany(@base => byBase.GetValueOrDefault(@base, []))
                        .OrderBy(facts => facts.Code, StringComparer.Ordinal),
                ];
            }
        );

    /// <summary>A compartment by its code (<c>Patient</c>); null when it is not known.</summary>
    public CompartmentFacts? Compartment(string code) =>
        Find(DefinitionKind.Compartment, "http://hl7.org/fhir/CompartmentDefinition/" + code.ToLowerInvariant())
            is { } definition
            ? SearchReader.ReadCompartment(definition.Json)
            : null;

    /// <summary>Canonical and version of <c>url|version#fragment</c>; the version is null when there is none.</summary>
    public static (string Url, string? Version) Split(string canonical)
    {
        ArgumentNullException.ThrowIfNull(canonical);
        var hash = canonical.IndexOf('#', StringComparison.Ordinal);
        var whole = hash > 0 ? canonical[..hash] : canonical;
        var bar = whole.IndexOf('|', StringComparison.Ordinal);
        return bar < 0 ? (whole, null)
            : bar == whole.Length - 1 ? (whole[..bar], null)
            : (whole[..bar], whole[(bar + 1)..]);
    }

    /// <summary>Compares versions part by part, numbers as numbers; no version is lowest; a label after a hyphen (-ballot) lowers.</summary>
    private static int VersionOrder(string? left, string? right)
    {
        if (left is null || right is null)
        {
            return (left is null ? 0 : 1) - (right is null ? 0 : 1);
        }
        var (leftParts, rightParts) = (left.Split('-', 2), right.Split('-', 2));
        var (leftNumbers, rightNumbers) = (leftParts[0].Split('.'), rightParts[0].Split('.'));
        for (var part = 0; part < Math.Max(leftNumbers.Length, rightNumbers.Length); part++)
        {
            var (a, b) = (leftNumbers.ElementAtOrDefault(part) ?? "", rightNumbers.ElementAtOrDefault(part) ?? "");
            var order =
                a.Length > 0 && b.Length > 0 && a.All(char.IsAsciiDigit) && b.All(char.IsAsciiDigit)
                    ? a.TrimStart('0').Length - b.TrimStart('0').Length is var length and not 0
                        ? length
                        : string.CompareOrdinal(a.TrimStart('0'), b.TrimStart('0'))
                    : string.CompareOrdinal(a, b);
            if (order != 0)
            {
                return order;
            }
        }
        return leftParts.Length != rightParts.Length
            ? rightParts.Length - leftParts.Length
            : string.CompareOrdinal(leftParts[^1], rightParts[^1]);
    }
}
