using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Journal;
using CcmFhir.Trail;

namespace CcmFhir.Fhir;

/// <summary>Where each version came from, as a Provenance: made from the journal when it is asked for, never stored.</summary>
/// <remarks>Laid out as US Core Provenance asks: the agent that brought it is the transmitter.</remarks>
internal static class ReceivedProvenance
{
    private const string Prefix = "received-";
    private const string OwnClient = "ccmfhir";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The Provenances of all versions of a stream's resources, in no order. Provenances have none of their own.</summary>
    /// <param name="record">The stream.</param>
    /// <param name="wanted">Only of these resources (<c>Type/id</c>); null for all.</param>
    public static IEnumerable<StoredResource> Of(StreamRecord record, IReadOnlySet<string>? wanted)
    {
        foreach (var versions in record.Resources)
        {
            if (versions.Current.Type == "Provenance" || wanted?.Contains(versions.Current.Reference) == false)
            {
                continue;
            }
            foreach (var version in versions.NewestFirst())
            {
                yield return Write(version);
            }
        }
    }

    /// <summary>Type and id of the resource that a Provenance with such an id is about; null for an id that is not of this kind.</summary>
    public static (string Type, string Id)? Target(string provenanceId)
    {
        // The resource's own id may hold hyphens, so it stands last.
        var parts = provenanceId.StartsWith(Prefix, StringComparison.Ordinal)
            ? provenanceId[Prefix.Length..].Split('-', 3)
            : [];
        return
            parts.Length == 3
            && int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var type)
            && type < ResourceTypes.All.Count
            && LogicalId.IsValid(parts[2])
            ? (ResourceTypes.All[type], parts[2])
            : null;
    }

    // One for each version. An id that leaves no room for this becomes a hash: then it is found by its target, and cannot be read by its id.
    private static string Id(StoredResource version)
    {
        var id = string.Create(
            CultureInfo.InvariantCulture,
            $"{Prefix}{ResourceTypes.IndexOf(version.Type)}-{version.VersionId}-{version.Id}"
        );
        return id.Length <= 64
            ? id
            : Prefix
                + Convert.ToHexStringLower(
                    SHA256.HashData(Encoding.UTF8.GetBytes($"{version.Reference}/{version.VersionId}"))
                )[..40];
    }

    private static StoredResource Write(ResourceVersions versions)
    {
        var version = versions.Current;
        var own = versions.By == OwnClient;
        var at = version.LastUpdated.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var id = Id(version);
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "Provenance"u8);
            json.WriteString("id"u8, id);
            json.WriteStartObject("meta"u8);
            json.WriteString("versionId"u8, "1"u8);
            json.WriteString("lastUpdated"u8, at);
            json.WriteEndObject();
            json.WriteStartArray("target"u8);
            json.WriteStartObject();
            json.WriteString("reference"u8, $"{version.Reference}/_history/{version.VersionId}");
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("recorded"u8, at);
            json.WritePropertyName("activity"u8);
            Concept(
                json,
                "http://terminology.hl7.org/CodeSystem/v3-DataOperation",
                version.Deleted ? "DELETE"
                    : versions.Previous is null ? "CREATE"
                    : "UPDATE"
            );
            json.WriteStartArray("agent"u8);
            json.WriteStartObject();
            json.WritePropertyName("type"u8);
            if (own)
            {
                Concept(json, "http://terminology.hl7.org/CodeSystem/provenance-participant-type", "assembler");
            }
            else
            {
                Concept(
                    json,
                    "http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type",
                    "transmitter"
                );
            }
            json.WriteStartObject("who"u8);
            json.WriteStartObject("identifier"u8);
            json.WriteString("system"u8, AuditEventJson.ClientSystem);
            json.WriteString("value"u8, versions.By);
            json.WriteEndObject();
            json.WriteString("display"u8, own ? "CcmFhir" : versions.By);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return new StoredResource("Provenance", id, "1", version.LastUpdated, buffer.WrittenSpan.ToArray());
    }

    private static void Concept(Utf8JsonWriter json, string system, string code)
    {
        json.WriteStartObject();
        json.WriteStartArray("coding"u8);
        json.WriteStartObject();
        json.WriteString("system"u8, system);
        json.WriteString("code"u8, code);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
