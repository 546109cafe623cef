using System.Text.Json.Nodes;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Makes the pack of our own package: its definitions with their snapshots built, so that nothing is built at start.</summary>
internal static class CcmPack
{
    /// <param name="profiles">Folder of the package's sources.</param>
    public static IReadOnlyList<PackItem> Make(string profiles)
    {
        var sources = PackageLoader.Load(profiles);
        var set = BaseDefinitions.R4.With(sources);
        return
        [
            .. from definition in sources
            orderby definition.Kind, definition.Url
            select new PackItem(
                definition.Kind,
                definition.Url,
                definition.Version,
                Reduction.Bytes(Reduced(definition, set))
            ),
        ];
    }

    private static JsonObject Reduced(Definition definition, DefinitionSet set) =>
        definition.Kind switch
        {
            DefinitionKind.Structure => Reduction.Structure(set.WithSnapshot(definition)),
            DefinitionKind.ValueSet => Reduction.ValueSet(Json(definition)),
            DefinitionKind.CodeSystem => Reduction.CodeSystem(Json(definition), EveryProperty(definition)),
            DefinitionKind.SearchParameter => Reduction.SearchParameter(Json(definition)),
            _ => Reduction.Compartment(Json(definition)),
        };

    private static JsonObject Json(Definition definition) => JsonNode.Parse(definition.Json.Raw)!.AsObject();

    private static HashSet<string> EveryProperty(Definition codeSystem) =>
        [.. (Json(codeSystem)["property"] as JsonArray ?? []).Select(property => (string)property!["code"]!)];
}
