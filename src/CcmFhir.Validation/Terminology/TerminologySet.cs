using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Terminology;

/// <summary>The ValueSets and code systems of a <see cref="DefinitionSet"/>, made ready when they are first asked for. Thread-safe.</summary>
/// <param name="definitions">Where they are defined.</param>
public sealed class TerminologySet(DefinitionSet definitions)
{
    private const string LanguageSystem = "urn:ietf:bcp:47";
    private const string MimeSystem = "urn:ietf:bcp:13";
    private const string UnitSystem = "http://unitsofmeasure.org";

    // Deeper than any chain of ValueSets that people write.
    private const int MaxDepth = 32;

    private readonly ConcurrentDictionary<string, ValueSetCodes> valueSets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Codes> codeSystems = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Definition, ConceptTree> trees = new();

    /// <summary>A ValueSet by canonical (optional |version). One that is not known answers <see cref="Membership.NotKnown"/> to everything.</summary>
    public ValueSetCodes ValueSet(string canonical) =>
        valueSets.GetOrAdd(
            canonical,
            static (name, self) => new ValueSetCodes(name, () => self.Compile(name, [])),
            this
        );

    /// <summary>All codes of a code system (optional |version). One that is not known answers <see cref="Membership.NotKnown"/>.</summary>
    public Codes CodeSystem(string canonical) =>
        codeSystems.GetOrAdd(
            canonical,
            static (name, self) =>
                self.Syntax(DefinitionSet.Split(name).Url)
                ?? (
                    self.Tree(name) is { } tree
                        ? new ListedCodes(tree.CodeList, tree.IsWhole, tree.IgnoresCase)
                        : UnknownCodes.Instance
                ),
            this
        );

    /// <summary>True when the code system has some content here: a list or a syntax.</summary>
    public bool KnowsSystem(string system) => CodeSystem(system) is not UnknownCodes;

    /// <summary>The code system's own words for a code; null when it is not known.</summary>
    public string? Display(string system, string code) =>
        Tree(system) is { } tree && tree.IndexOf(code) is >= 0 and var index ? tree.Display(index) : null;

    private ConceptTree? Tree(string canonical)
    {
        if (definitions.Find(DefinitionKind.CodeSystem, canonical) is not { } definition)
        {
            return null;
        }
        return trees.GetOrAdd(
            definition,
            static (found, set) => new ConceptTree(found.Json, set.Supplements(found.Url).Select(item => item.Json)),
            definitions
        );
    }

    /// <summary>Systems with too many codes to list.</summary>
    private Codes? Syntax(string system)
    {
        switch (system)
        {
            case MimeSystem:
                return new MimeTypes();
            case LanguageSystem when Tree(LanguageSystem) is { Count: > 0 } registry:
                return new LanguageTags(
                    OfKind(registry, "language"),
                    OfKind(registry, "region"),
                    OfKind(registry, "script"),
                    OfKind(registry, "variant"),
                    OfKind(registry, "grandfathered")
                );
            case UnitSystem when Tree(UnitSystem) is { Count: > 0 } table:
                return new Units(OfKind(table, "metric"), OfKind(table, "plain"));
            default:
                return null;
        }

        // The pack marks what a listed piece is; a region and a language may have the same letters, hence the prefix.
        static IEnumerable<string> OfKind(ConceptTree tree, string kind) =>
            tree
                .CodeList.Where(code => code.StartsWith(kind + " ", StringComparison.Ordinal))
                .Select(code => code[(kind.Length + 1)..]);
    }

    private ValueSetCodes.Content Compile(string canonical, IReadOnlyList<string> above)
    {
        var notKnown = new SortedSet<string>(StringComparer.Ordinal);
        if (
            above.Count >= MaxDepth
            || above.Contains(canonical)
            || definitions.Find(DefinitionKind.ValueSet, canonical) is not { } definition
        )
        {
            return new ValueSetCodes.Content([Unknown], [], [canonical]);
        }
        var json = definition.Json;
        var compose = json["compose"u8];
        var withInactive = compose["inactive"u8].Kind != JsonKind.False;
        IReadOnlyList<string> path = [.. above, canonical];
        var includes = Parts(compose["include"u8], withInactive, path, notKnown);
        var excludes = Parts(compose["exclude"u8], withInactive: true, path, notKnown);
        var expansion = json["expansion"u8];
        if (expansion.Exists && (includes.Length == 0 || notKnown.Count > 0))
        {
            // A published expansion is the word on a set that says nothing else. Beside a definition that cannot be worked out here
            // it only adds what is surely in: code systems grow, expansions do not.
            var isWord = includes.Length == 0 && IsWhole(expansion);
            includes = [.. Expanded(expansion, isWord), .. includes];
            if (!isWord)
            {
                notKnown.Add(canonical);
            }
        }
        if (includes.Length == 0)
        {
            includes = [Unknown];
            notKnown.Add(canonical);
        }
        return new ValueSetCodes.Content(includes, excludes, [.. notKnown]);
    }

    private static ValueSetCodes.Part Unknown => new(null, UnknownCodes.Instance, []);

    private ValueSetCodes.Part[] Parts(
        FhirElement sets,
        bool withInactive,
        IReadOnlyList<string> path,
        SortedSet<string> notKnown
    )
    {
        var parts = new List<ValueSetCodes.Part>();
        if (sets.Exists)
        {
            foreach (var set in sets.Items)
            {
                parts.Add(Part(set, withInactive, path, notKnown));
            }
        }
        return [.. parts];
    }

    private ValueSetCodes.Part Part(
        FhirElement set,
        bool withInactive,
        IReadOnlyList<string> path,
        SortedSet<string> notKnown
    )
    {
        var nested = new List<ValueSetCodes>();
        if (set["valueSet"u8].Exists)
        {
            foreach (var other in set["valueSet"u8].Items)
            {
                var canonical = other.Text ?? "";
                var compiled = Compile(canonical, path);
                notKnown.UnionWith(compiled.NotKnown);
                nested.Add(new ValueSetCodes(canonical, () => compiled));
            }
        }
        if (set["system"u8].Text is not { } system)
        {
            return new ValueSetCodes.Part(null, null, [.. nested]);
        }
        var codeSystem = set["version"u8].Text is { } version ? $"{system}|{version}" : system;
        var codes =
            set["concept"u8].Exists ? Named(set["concept"u8], system)
            : set["filter"u8].Exists || !withInactive ? Filtered(set["filter"u8], codeSystem, withInactive)
            : CodeSystem(codeSystem);
        if (!codes.IsWhole)
        {
            notKnown.Add(system);
        }
        return new ValueSetCodes.Part(Encoding.UTF8.GetBytes(system), codes, [.. nested]);
    }

    private ListedCodes Named(FhirElement concepts, string system)
    {
        var codes = new List<string>();
        foreach (var concept in concepts.Items)
        {
            codes.Add(concept["code"u8].Text ?? "");
        }
        return new ListedCodes(codes, isWhole: true, Tree(system)?.IgnoresCase ?? false);
    }

    private Codes Filtered(FhirElement filters, string canonical, bool withInactive)
    {
        if (Tree(canonical) is not { Count: > 0 } tree || Syntax(DefinitionSet.Split(canonical).Url) is not null)
        {
            return UnknownCodes.Instance;
        }
        HashSet<int>? selected = null;
        if (filters.Exists)
        {
            foreach (var filter in filters.Items)
            {
                var wanted = new ConceptFilter(
                    filter["property"u8].Text ?? "",
                    filter["op"u8].Text ?? "",
                    filter["value"u8].Text ?? ""
                ).Select(tree);
                if (wanted is null)
                {
                    return UnknownCodes.Instance;
                }
                selected = selected is null ? wanted : [.. selected.Intersect(wanted)];
            }
        }
        var codes = (selected ?? Enumerable.Range(0, tree.Count))
            .Where(index => withInactive || !tree.IsInactive(index))
            .Order()
            .Select(tree.Code);
        return new ListedCodes(codes, tree.IsWhole, tree.IgnoresCase);
    }

    private IEnumerable<ValueSetCodes.Part> Expanded(FhirElement expansion, bool isWord)
    {
        var bySystem = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var open = new Queue<FhirElement>([expansion["contains"u8]]);
        while (open.TryDequeue(out var level))
        {
            if (!level.Exists)
            {
                continue;
            }
            foreach (var entry in level.Items)
            {
                if (entry["code"u8].Text is { } code && entry["abstract"u8].Kind != JsonKind.True)
                {
                    var system = entry["system"u8].Text ?? "";
                    if (!bySystem.TryGetValue(system, out var codes))
                    {
                        bySystem[system] = codes = [];
                    }
                    codes.Add(code);
                }
                open.Enqueue(entry["contains"u8]);
            }
        }
        return bySystem.Select(pair => new ValueSetCodes.Part(
            pair.Key.Length == 0 ? null : Encoding.UTF8.GetBytes(pair.Key),
            new ListedCodes(pair.Value, isWord, Tree(pair.Key)?.IgnoresCase ?? false),
            []
        ));
    }

    /// <summary>Servers cut long expansions off and say so: in the total, a page's offset, or extensions.</summary>
    private static bool IsWhole(FhirElement expansion)
    {
        var count = 0;
        var contains = expansion["contains"u8];
        if (contains.Exists)
        {
            foreach (var _ in contains.Items)
            {
                count++;
            }
        }
        if (expansion["extension"u8].Exists)
        {
            foreach (var extension in expansion["extension"u8].Items)
            {
                if (
                    extension["url"u8].Text is { } url
                    && (
                        url.EndsWith("valueset-toocostly", StringComparison.Ordinal)
                        || url.EndsWith("valueset-unclosed", StringComparison.Ordinal)
                    )
                )
                {
                    return false;
                }
            }
        }
        // Nested entries make the total larger than what stands on the first level, so only a flat one can be compared.
        var total = expansion["total"u8].Text;
        return count > 0
            && expansion["offset"u8].Text is null or "0"
            && (
                total is null
                || !int.TryParse(total, NumberStyles.None, CultureInfo.InvariantCulture, out var said)
                || said <= count
                || IsNested(contains)
            );

        static bool IsNested(FhirElement contains)
        {
            foreach (var entry in contains.Items)
            {
                if (entry["contains"u8].Exists)
                {
                    return true;
                }
            }
            return false;
        }
    }
}
