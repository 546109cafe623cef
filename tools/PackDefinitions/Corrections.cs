using System.Text.Json.Nodes;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Known faults of the published base definitions of R4 (4.0.1), mended on the way into the pack, each with its reason.</summary>
internal static class Corrections
{
    public static void Apply(JsonObject structure)
    {
        foreach (var element in structure["snapshot"]?["element"] as JsonArray ?? [])
        {
            foreach (var constraint in element!["constraint"] as JsonArray ?? [])
            {
                foreach (var correction in Expressions)
                {
                    if (
                        (string?)constraint!["key"] == correction.Key
                        && (string?)constraint["expression"] == correction.Published
                    )
                    {
                        constraint["expression"] = correction.Mended;
                    }
                }
            }
        }
    }

    public static void ApplyToCodeSystem(JsonObject codeSystem)
    {
        if (Growing.Contains((string?)codeSystem["url"]))
        {
            codeSystem["content"] = "fragment";
        }
    }

    /// <summary>Said to be complete, but a copy of 2018 of a list that others keep adding to: a code that is not in it may well be right.</summary>
    private static readonly string[] Growing = ["http://dicom.nema.org/resources/ontology/DCM"];

    private sealed record Correction(string Key, string Published, string Mended);

    private static readonly Correction[] Expressions = [];
}
