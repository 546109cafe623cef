using System.Text.Json.Nodes;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Makes the pack of the base of FHIR R4 out of the folders of its npm packages.</summary>
internal static class BasePack
{
    /// <summary>Properties of concepts that say what a concept is, whether or not a ValueSet filters by them.</summary>
    private static readonly string[] ConceptFacts =
    [
        "parent",
        "child",
        "subsumedBy",
        "status",
        "inactive",
        "notSelectable",
        "deprecated",
    ];

    /// <param name="examples">Folder of hl7.fhir.r4.examples: all definitions of the base, with snapshots.</param>
    /// <param name="expansions">Folder of hl7.fhir.r4.expansions: for ValueSets over code systems that no package holds.</param>
    /// <param name="terminology">Folder of hl7.terminology.r4: code systems as they stand today.</param>
    /// <param name="languages">Folder of language-subtag-registry.</param>
    /// <param name="countries">Folder of iso-3166.</param>
    /// <param name="units">Folder of @lhncbc/ucum-lhc.</param>
    public static IReadOnlyList<PackItem> Make(
        string examples,
        string expansions,
        string terminology,
        string languages,
        string countries,
        string units
    )
    {
        var structures = ByUrl(examples, "StructureDefinition");
        var valueSets = ByUrl(terminology, "ValueSet");
        foreach (var (url, valueSet) in ByUrl(examples, "ValueSet"))
        {
            // The base binds to its own ValueSets; those of the terminology package complete them.
            valueSets[url] = valueSet;
        }
        var codeSystems = ByUrl(terminology, "CodeSystem");
        foreach (var (url, codeSystem) in ByUrl(examples, "CodeSystem"))
        {
            codeSystems[url] = codeSystems.TryGetValue(url, out var today)
                ? CodeSystemMerge.Merge(today, codeSystem)
                : codeSystem;
        }
        var expanded = ByUrl(expansions, "ValueSet");
        var currencies = SystemLists.Currencies(expanded["http://hl7.org/fhir/ValueSet/currencies"]);
        foreach (
            var system in SystemLists
                .Countries(countries)
                .Append(SystemLists.Languages(languages))
                .Append(SystemLists.Units(units))
                .Append(currencies)
        )
        {
            codeSystems[(string)system["url"]!] = system;
        }
        var properties = ConceptFacts.Concat(valueSets.Values.SelectMany(FilterProperties)).ToHashSet();
        var items = new List<(int Shelf, string Name, PackItem Item)>();
        // Two examples of profiles come without a snapshot; they build on what is not published.
        foreach (var (url, structure) in structures.Where(pair => pair.Value["snapshot"] is not null))
        {
            Add(DefinitionKind.Structure, url, Reduction.Structure(structure), Shelf(structure));
        }
        foreach (var (url, valueSet) in expanded)
        {
            // DICOM's modalities are published as an expansion only.
            valueSets.TryAdd(url, valueSet);
        }
        foreach (var (url, valueSet) in valueSets)
        {
            var reduced = Reduction.ValueSet(valueSet);
            if (
                expanded.TryGetValue(url, out var expansion)
                && Expansions.IsNeeded(reduced, codeSystems)
                && Expansions.IsWhole(expansion)
            )
            {
                Reduction.AddExpansion(reduced, expansion["expansion"]!.AsObject());
            }
            Add(DefinitionKind.ValueSet, url, reduced, 10);
        }
        // Said to be complete, but a copy of 2018 of a list that DICOM keeps adding to: a code that is not in it may well be right.
        codeSystems["http://dicom.nema.org/resources/ontology/DCM"]["content"] = "fragment";
        foreach (var (url, codeSystem) in codeSystems)
        {
            Add(DefinitionKind.CodeSystem, url, Reduction.CodeSystem(codeSystem, properties), 10);
        }
        foreach (var (url, parameter) in ByUrl(examples, "SearchParameter"))
        {
            Add(DefinitionKind.SearchParameter, url, Reduction.SearchParameter(parameter), 20);
        }
        foreach (var (url, compartment) in ByUrl(examples, "CompartmentDefinition"))
        {
            Add(DefinitionKind.Compartment, url, Reduction.Compartment(compartment), 21);
        }
        return
        [
            .. items
                .OrderBy(item => item.Shelf)
                .ThenBy(item => item.Name, StringComparer.Ordinal)
                .ThenBy(item => item.Item.Url, StringComparer.Ordinal)
                .Select(item => item.Item),
        ];

        void Add(DefinitionKind kind, string url, JsonObject reduced, int shelf)
        {
            var name = url[(url.LastIndexOf('/') + 1)..].ToLowerInvariant();
            items.Add((shelf, name, new PackItem(kind, url, (string?)reduced["version"], Reduction.Bytes(reduced))));
        }
    }

    /// <summary>What is asked for together lies together: data types first, then resources, then profiles.</summary>
    private static int Shelf(JsonObject structure) =>
        ((string?)structure["kind"], (string?)structure["derivation"], (string?)structure["type"]) switch
        {
            ("primitive-type", _, _) => 0,
            ("complex-type", not "constraint", _) => 1,
            ("resource", not "constraint", _) => 2,
            (_, _, "Extension") => 4,
            _ => 3,
        };

    private static IEnumerable<string> FilterProperties(JsonObject valueSet) =>
        from side in new[] { "include", "exclude" }
        from set in valueSet["compose"]?[side] as JsonArray ?? []
        from filter in set["filter"] as JsonArray ?? []
        select (string)filter["property"]!;

    private static SortedDictionary<string, JsonObject> ByUrl(string folder, string type)
    {
        var result = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal);
        foreach (var file in Directory.GetFiles(folder, type + "-*.json").Order(StringComparer.Ordinal))
        {
            var json = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
            if ((string?)json["url"] is { } url && (string?)json["resourceType"] == type)
            {
                result.TryAdd(url, json);
            }
        }
        return result;
    }
}
