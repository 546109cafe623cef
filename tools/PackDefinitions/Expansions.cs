using System.Text.Json.Nodes;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Which of the published expansions are worth keeping: those of sets that cannot be computed from the code systems at hand.</summary>
internal static class Expansions
{
    /// <summary>True when some part of the set rests on a code system whose codes the pack does not have.</summary>
    public static bool IsNeeded(JsonObject valueSet, IReadOnlyDictionary<string, JsonObject> codeSystems) =>
        valueSet["compose"] is null
        || (valueSet["compose"]?["include"] as JsonArray ?? []).Any(set =>
            set!["concept"] is null
            && (string?)set["system"] is { } system
            && !(codeSystems.TryGetValue(system, out var known) && (string?)known["content"] == "complete")
        );

    /// <summary>True when the expansion holds every code: servers cut long ones off and say so in extensions.</summary>
    public static bool IsWhole(JsonObject valueSet)
    {
        var expansion = valueSet["expansion"]?.AsObject();
        return expansion?["contains"] is JsonArray { Count: > 0 and < 1000 }
            && !(expansion["extension"] as JsonArray ?? []).Any(extension =>
                ((string?)extension!["url"])?.EndsWith("toocostly", StringComparison.Ordinal) == true
                || ((string?)extension["url"])?.EndsWith("unclosed", StringComparison.Ordinal) == true
            );
    }
}
