using System.Text.Json.Nodes;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>HL7's code systems moved out of FHIR's own package and went on growing; a few codes of R4 were dropped or
/// renamed on the way. Both generations are in use, so the pack knows both: today's system, and R4's codes that it lacks.</summary>
internal static class CodeSystemMerge
{
    public static JsonObject Merge(JsonObject today, JsonObject atR4)
    {
        if (today["concept"] is not JsonArray)
        {
            // Today's package has only the shell of it.
            return atR4;
        }
        var known = Concepts(today).Select(concept => (string)concept["code"]!).ToHashSet(StringComparer.Ordinal);
        foreach (var concept in Concepts(atR4))
        {
            var code = (string)concept["code"]!;
            // A handful of R4's codes are broken text (a no-break space read in the wrong encoding).
            if (known.Add(code) && code.Trim() == code && !code.Contains('\u00C2', StringComparison.Ordinal))
            {
                var added = concept.DeepClone().AsObject();
                added.Remove("concept");
                today["concept"]!.AsArray().Add((JsonNode)added);
            }
        }
        return today;
    }

    private static IEnumerable<JsonObject> Concepts(JsonObject parent) =>
        (parent["concept"] as JsonArray ?? []).SelectMany(child =>
            Concepts(child!.AsObject()).Prepend(child.AsObject())
        );
}
