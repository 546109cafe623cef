using System.Text.Json;
using System.Text.Json.Nodes;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Keeps of a definition what a computer needs to validate and search by, in FHIR's own JSON; drops the prose.</summary>
internal static class Reduction
{
    private const string Core = "http://hl7.org/fhir/StructureDefinition/";

    private static readonly string[] ElementExtensions =
    [
        Core + "regex",
        Core + "minLength",
        Core + "elementdefinition-maxValueSet",
        Core + "elementdefinition-minValueSet",
        Core + "elementdefinition-bestpractice",
        // A ValueSet or CodeSystem of another FHIR version, or a set too large to expand, is known by these.
        Core + "valueset-toocostly",
        Core + "valueset-unclosed",
    ];

    public static JsonObject Structure(JsonObject source)
    {
        var result = Keep(
            source,
            "resourceType",
            "url",
            "version",
            "name",
            "kind",
            "abstract",
            "type",
            "baseDefinition",
            "derivation",
            "fhirVersion",
            "context",
            "contextInvariant"
        );
        if (source["snapshot"]?["element"] is JsonArray elements)
        {
            result["snapshot"] = new JsonObject
            {
                ["element"] = new JsonArray([.. elements.Select(element => Element(element!.AsObject()))]),
            };
        }
        return result;
    }

    public static JsonObject ValueSet(JsonObject source)
    {
        var result = Keep(source, "resourceType", "url", "version", "name");
        if (source["compose"] is JsonObject compose)
        {
            var kept = Keep(compose, "inactive");
            foreach (var side in new[] { "include", "exclude" })
            {
                if (compose[side] is JsonArray sets)
                {
                    kept[side] = new JsonArray([.. sets.Select(set => ConceptSet(set!.AsObject()))]);
                }
            }
            result["compose"] = kept;
        }
        return result;
    }

    /// <summary>Adds an expansion; of nested entries only the tree of codes is kept.</summary>
    public static void AddExpansion(JsonObject valueSet, JsonObject expansion)
    {
        var kept = Keep(expansion, "total");
        kept["contains"] = new JsonArray([
            .. (expansion["contains"] as JsonArray ?? []).Select(entry => Contains(entry!.AsObject())),
        ]);
        valueSet["expansion"] = kept;

        static JsonObject Contains(JsonObject entry)
        {
            var result = Keep(entry, "system", "abstract", "inactive", "version", "code");
            if (entry["contains"] is JsonArray nested)
            {
                result["contains"] = new JsonArray([.. nested.Select(child => Contains(child!.AsObject()))]);
            }
            return result;
        }
    }

    /// <param name="source">The CodeSystem.</param>
    /// <param name="properties">Properties of concepts that some ValueSet filters by, or that say what a concept is.</param>
    public static JsonObject CodeSystem(JsonObject source, IReadOnlySet<string> properties)
    {
        var result = Keep(
            source,
            "resourceType",
            "url",
            "version",
            "name",
            "caseSensitive",
            "hierarchyMeaning",
            "content",
            "supplements"
        );
        if (source["concept"] is JsonArray concepts)
        {
            result["concept"] = new JsonArray([.. concepts.Select(concept => Concept(concept!.AsObject()))]);
        }
        return result;

        JsonObject Concept(JsonObject concept)
        {
            var kept = Keep(concept, "code", "display");
            var facts = (concept["property"] as JsonArray ?? [])
                .Where(fact => properties.Contains((string)fact!["code"]!) && !IsUsual(fact.AsObject()))
                .Select(fact => (JsonNode)Keep(fact!.AsObject(), [.. fact.AsObject().Select(pair => pair.Key)]))
                .ToArray();
            if (facts.Length > 0)
            {
                kept["property"] = new JsonArray(facts);
            }
            if (concept["concept"] is JsonArray nested)
            {
                kept["concept"] = new JsonArray([.. nested.Select(child => Concept(child!.AsObject()))]);
            }
            return kept;
        }

        // What goes without saying is not said.
        static bool IsUsual(JsonObject fact) =>
            ((string?)fact["code"] == "status" && (string?)fact["valueCode"] is "active" or "A")
            || ((string?)fact["code"] is "notSelectable" or "inactive" && (bool?)fact["valueBoolean"] == false);
    }

    public static JsonObject SearchParameter(JsonObject source) =>
        Keep(source, "resourceType", "url", "version", "code", "base", "type", "expression", "target", "component");

    public static JsonObject Compartment(JsonObject source)
    {
        var result = Keep(source, "resourceType", "url", "version", "code");
        result["resource"] = new JsonArray([
            .. source["resource"]!
                .AsArray()
                .Where(item => item!["param"] is not null)
                .Select(item => Keep(item!.AsObject(), "code", "param")),
        ]);
        return result;
    }

    private static JsonObject Element(JsonObject source)
    {
        var result = Keep(source, "id", "path", "representation", "sliceName", "sliceIsConstraining", "short");
        Extensions(source, result);
        if (source["slicing"] is JsonObject slicing)
        {
            result["slicing"] = Keep(slicing, "discriminator", "ordered", "rules");
        }
        Copy(source, result, "min", "max", "base", "contentReference");
        if (source["type"] is JsonArray types)
        {
            result["type"] = new JsonArray([
                .. types.Select(type =>
                {
                    var kept = Keep(type!.AsObject(), "code", "profile", "targetProfile", "aggregation", "versioning");
                    Extensions(type.AsObject(), kept);
                    return kept;
                }),
            ]);
        }
        foreach (var (name, value) in source)
        {
            if (
                value is not null
                && (
                    name.StartsWith("fixed", StringComparison.Ordinal)
                    || name.StartsWith("pattern", StringComparison.Ordinal)
                    || name.StartsWith("minValue", StringComparison.Ordinal)
                    || name.StartsWith("maxValue", StringComparison.Ordinal)
                )
            )
            {
                result[name] = value.DeepClone();
            }
        }
        Copy(source, result, "maxLength");
        if (source["constraint"] is JsonArray constraints)
        {
            result["constraint"] = new JsonArray([
                .. constraints.Select(constraint =>
                {
                    var kept = Keep(constraint!.AsObject(), "key", "severity", "human", "expression", "source");
                    Extensions(constraint.AsObject(), kept);
                    return kept;
                }),
            ]);
        }
        foreach (var flag in new[] { "mustSupport", "isModifier", "isSummary" })
        {
            if ((bool?)source[flag] == true)
            {
                result[flag] = true;
            }
        }
        if (source["binding"] is JsonObject binding)
        {
            var kept = Keep(binding, "strength", "valueSet");
            Extensions(binding, kept);
            result["binding"] = kept;
        }
        return result;
    }

    private static JsonObject ConceptSet(JsonObject source)
    {
        var result = Keep(source, "system", "version", "filter", "valueSet");
        if (source["concept"] is JsonArray concepts)
        {
            result["concept"] = new JsonArray([.. concepts.Select(concept => Keep(concept!.AsObject(), "code"))]);
        }
        return result;
    }

    private static void Extensions(JsonObject source, JsonObject result)
    {
        var kept = (source["extension"] as JsonArray ?? [])
            .Where(extension => ElementExtensions.Contains((string?)extension!["url"]))
            .Select(extension => extension!.DeepClone())
            .ToArray();
        if (kept.Length > 0)
        {
            result["extension"] = new JsonArray(kept);
        }
    }

    private static JsonObject Keep(JsonObject source, params string[] names)
    {
        var result = new JsonObject();
        Copy(source, result, names);
        return result;
    }

    private static void Copy(JsonObject source, JsonObject result, params string[] names)
    {
        foreach (var name in names)
        {
            if (source[name] is { } value)
            {
                result[name] = value.DeepClone();
            }
        }
    }

    /// <summary>The reduced definition as it stands in the pack: UTF-8, no white space, as few escapes as JSON allows.</summary>
    public static byte[] Bytes(JsonObject json) => JsonSerializer.SerializeToUtf8Bytes(json, Options);

    private static readonly JsonSerializerOptions Options = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
