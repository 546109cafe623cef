using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>A reference that stands in a claim.</summary>
/// <param name="Element">The Reference.</param>
/// <param name="Path">Element path without indices: <c>Claim.careTeam.provider</c>.</param>
/// <param name="Type">Type of what it refers to.</param>
/// <param name="Id">Its id with us.</param>
internal sealed record ClaimReference(FhirElement Element, string Path, string Type, string Id);

/// <summary>A Claim of ours on its way out: read from the journal, written again with the EHR's references.</summary>
internal sealed class ClaimDraft
{
    /// <summary>System of the identifier that every Claim of ours carries.</summary>
    public const string IdentifierSystem = "http://ccmfhir.org/fhir/claim";

    private ClaimDraft(FhirJson json, string identifier)
    {
        (Json, Identifier) = (json, identifier);
        References = ReferencesOf(json.Root, "Claim");
    }

    /// <summary>As journalled.</summary>
    public FhirJson Json { get; }

    /// <summary>The Claim.</summary>
    public FhirElement Claim => Json.Root;

    /// <summary>Value of its identifier.</summary>
    public string Identifier { get; }

    /// <summary>Its references to resources of ours, in document order.</summary>
    public IReadOnlyList<ClaimReference> References { get; }

    /// <summary>Logical ids of the claims that it replaces or voids.</summary>
    public IEnumerable<string> Originals =>
        References.Where(reference => reference.Path == "Claim.related.claim").Select(reference => reference.Id);

    /// <summary>Reads a journalled Claim; null when it is none or carries no identifier of ours.</summary>
    public static ClaimDraft? Read(ReadOnlyMemory<byte> json)
    {
        var document = FhirJson.Parse(json.ToArray(), out _);
        if (document is null || !document.Root["resourceType"u8].Is("Claim"u8))
        {
            return null;
        }
        foreach (var identifier in document.Root["identifier"u8].Items)
        {
            if (identifier["system"u8].Text == IdentifierSystem && identifier["value"u8].Text is { } value)
            {
                return new ClaimDraft(document, value);
            }
        }
        return null;
    }

    /// <summary>References of a resource to resources of ours, in document order.</summary>
    public static IReadOnlyList<ClaimReference> ReferencesOf(FhirElement resource, string type)
    {
        var references = new List<ClaimReference>();
        Collect(resource, type, references);
        return references;
    }

    /// <summary>The Claim as the EHR gets it: without our id and versions, references replaced.</summary>
    /// <param name="replacements">New value of the Reference at a path of <see cref="References"/>, as raw JSON; others stay.</param>
    public byte[] Write(IReadOnlyDictionary<FhirElement, byte[]> replacements) => Write(Claim, replacements);

    /// <summary>A resource as the EHR gets it.</summary>
    public static byte[] Write(FhirElement resource, IReadOnlyDictionary<FhirElement, byte[]> replacements)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            foreach (var property in resource.Children)
            {
                if (property.Name == "id")
                {
                    continue;
                }
                if (property.Name == "meta")
                {
                    WriteMeta(json, property);
                    continue;
                }
                json.WritePropertyName(property.Name);
                WriteValue(json, property, replacements);
            }
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    /// <summary>A Reference as raw JSON.</summary>
    public static byte[] Reference(string reference) =>
        JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["reference"] = reference });

    /// <summary>A Reference by identifier alone, for what the EHR does not hold and the claim can do without.</summary>
    public static byte[] Logical(ClaimReference reference) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, object>
            {
                ["type"] = reference.Type,
                ["identifier"] = new Dictionary<string, string>
                {
                    ["system"] = $"http://ccmfhir.org/fhir/{reference.Type}",
                    ["value"] = reference.Id,
                },
            }
        );

    private static void WriteMeta(Utf8JsonWriter json, FhirElement meta)
    {
        json.WriteStartObject("meta");
        foreach (var property in meta.Children)
        {
            if (property.Name is not ("versionId" or "lastUpdated" or "source"))
            {
                json.WritePropertyName(property.Name);
                json.WriteRawValue(property.Raw);
            }
        }
        json.WriteEndObject();
    }

    private static void WriteValue(
        Utf8JsonWriter json,
        FhirElement value,
        IReadOnlyDictionary<FhirElement, byte[]> replacements
    )
    {
        if (replacements.TryGetValue(value, out var replacement))
        {
            json.WriteRawValue(replacement);
        }
        else if (value.Kind == JsonKind.Object)
        {
            json.WriteStartObject();
            foreach (var property in value.Children)
            {
                json.WritePropertyName(property.Name);
                WriteValue(json, property, replacements);
            }
            json.WriteEndObject();
        }
        else if (value.Kind == JsonKind.Array)
        {
            json.WriteStartArray();
            foreach (var item in value.Children)
            {
                WriteValue(json, item, replacements);
            }
            json.WriteEndArray();
        }
        else
        {
            json.WriteRawValue(value.Raw);
        }
    }

    private static void Collect(FhirElement value, string path, List<ClaimReference> found)
    {
        if (value.Kind == JsonKind.Object)
        {
            if (
                value["reference"u8].Text is { } text
                && text.Split('/') is [var type, var id, ..]
                && !text.Contains(':', StringComparison.Ordinal)
                && type.Length > 0
                && char.IsAsciiLetterUpper(type[0])
            )
            {
                found.Add(new ClaimReference(value, path, type, id));
            }
            foreach (var property in value.Children)
            {
                Collect(property, $"{path}.{property.Name}", found);
            }
        }
        else if (value.Kind == JsonKind.Array)
        {
            foreach (var item in value.Children)
            {
                Collect(item, path, found);
            }
        }
    }
}
