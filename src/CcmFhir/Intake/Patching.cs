using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>Applies a patch to the version that stands.</summary>
internal static class Patching
{
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 128,
    };

    /// <summary>The resource as patched; null, with the reason at the entry, when the patch cannot be applied.</summary>
    public static FhirElement? Apply(Entry entry, FhirElement before)
    {
        var patch = entry.Resource;
        if (patch["resourceType"u8].Is("Binary"u8) && FromBinary(entry, patch) is { } inBinary)
        {
            patch = inBinary;
        }
        if (entry.Refused)
        {
            return null;
        }
        var node = JsonNode.Parse(before.Raw)!;
        string? fault;
        if (patch["resourceType"u8].Is("Parameters"u8))
        {
            if (!FhirPathPatch.Apply(node.AsObject(), patch, out fault))
            {
                node = null;
            }
        }
        else if (patch.Kind == JsonKind.Array)
        {
            node = JsonPatch.Apply(node, patch, out fault);
        }
        else
        {
            entry.Refuse(
                400,
                "structure",
                "patch",
                "A patch is a JSON Patch (an array of operations, application/json-patch+json; in a Bundle a Binary that holds one), or a FHIRPath Patch (Parameters).",
                entry.ResourcePath,
                patch
            );
            return null;
        }
        if (node is null)
        {
            entry.Refuse(422, "processing", "patch", fault!, entry.ResourcePath);
            return null;
        }
        return Read(entry, before, node);
    }

    private static FhirElement? FromBinary(Entry entry, FhirElement binary)
    {
        FhirJson? document = null;
        try
        {
            if (binary["contentType"u8].Is("application/json-patch+json"u8) && binary["data"u8].Text is { } data)
            {
                document = FhirJson.Parse(Convert.FromBase64String(data), out _);
            }
        }
        catch (FormatException)
        {
            // Falls through to the refusal: data that is no base64 holds no patch.
        }
        if (document is null)
        {
            entry.Refuse(
                400,
                "structure",
                "patch",
                "A Binary that patches has contentType application/json-patch+json and the patch in data, base64.",
                entry.ResourcePath,
                binary
            );
        }
        return document?.Root;
    }

    private static FhirElement? Read(Entry entry, FhirElement before, JsonNode node)
    {
        var document = FhirJson.Parse(JsonSerializer.SerializeToUtf8Bytes(node, Relaxed), out var fault);
        if (document is null || document.Root.Kind != JsonKind.Object)
        {
            entry.Refuse(
                422,
                "structure",
                fault?.Rule ?? "patch",
                "What the patch makes is no resource.",
                entry.ResourcePath
            );
            return null;
        }
        foreach (var name in (string[])["resourceType", "id"])
        {
            if (document.Root[name].Text != before[name].Text)
            {
                entry.Refuse(
                    422,
                    "business-rule",
                    "patch-identity",
                    $"A patch cannot change {name}.",
                    $"{entry.Type}.{name}"
                );
                return null;
            }
        }
        return document.Root;
    }
}
