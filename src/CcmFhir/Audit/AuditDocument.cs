using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Fhir.Readers;

namespace CcmFhir.Audit;

/// <summary>A packet as a FHIR document: a Bundle whose first entry is the Composition, and every resource that it rests on.</summary>
internal static class AuditDocument
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The Bundle.</summary>
    /// <param name="packet">The packet.</param>
    /// <param name="address">FHIR base address of the practice, without a slash at its end: references of the resources resolve under it.</param>
    public static byte[] Write(AuditPacket packet, string address)
    {
        var at = packet.MadeAt.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var patient = packet.Patient[(packet.Patient.IndexOf('/', StringComparison.Ordinal) + 1)..];
        var name = $"{packet.Practice.Slug}-{packet.Month}-{patient}";
        var held = packet.Resources.Select(one => one.Reference).ToHashSet(StringComparer.Ordinal);
        var buffer = new ArrayBufferWriter<byte>(65_536);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Bundle");
            Identifier(json, $"{name}-{at}");
            json.WriteString("type", "document");
            json.WriteString("timestamp", at);
            json.WriteStartArray("entry");
            json.WriteStartObject();
            json.WriteString("fullUrl", $"{address}/Composition/audit");
            json.WritePropertyName("resource");
            Composition(json, packet, name, at, held);
            json.WriteEndObject();
            foreach (var resource in packet.Resources)
            {
                json.WriteStartObject();
                json.WriteString("fullUrl", $"{address}/{resource.Reference}");
                json.WritePropertyName("resource");
                json.WriteRawValue(resource.Json.Span);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void Composition(
        Utf8JsonWriter json,
        AuditPacket packet,
        string name,
        string at,
        HashSet<string> held
    )
    {
        json.WriteStartObject();
        json.WriteString("resourceType", "Composition");
        json.WriteString("id", "audit");
        json.WriteString("language", "en-US");
        Identifier(json, name);
        json.WriteString("status", packet.Final ? "final" : "preliminary");
        json.WriteStartObject("type");
        json.WriteString("text", "Audit of a month of care management");
        json.WriteEndObject();
        Reference(json, "subject", packet.Patient);
        json.WriteString("date", at);
        json.WriteStartArray("author");
        json.WriteStartObject();
        if (held.Contains(packet.Practice.Organization))
        {
            json.WriteString("reference", packet.Practice.Organization);
        }
        else
        {
            json.WriteString("type", "Organization");
            json.WriteStartObject("identifier");
            json.WriteString("system", Codes.Npi);
            json.WriteString("value", packet.Practice.Npi);
            json.WriteEndObject();
        }
        json.WriteString("display", packet.Practice.Name);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("title", packet.Title);
        json.WriteStartArray("section");
        foreach (var section in packet.Sections)
        {
            json.WriteStartObject();
            json.WriteString("title", section.Title);
            json.WriteStartObject("code");
            json.WriteString("text", section.Code);
            json.WriteEndObject();
            json.WriteStartObject("text");
            json.WriteString("status", "generated");
            json.WriteString("div", AuditHtml.Narrative(section));
            json.WriteEndObject();
            var entries = section.References.Where(held.Contains).Distinct(StringComparer.Ordinal).ToList();
            if (entries.Count > 0)
            {
                json.WriteStartArray("entry");
                foreach (var reference in entries)
                {
                    json.WriteStartObject();
                    json.WriteString("reference", reference);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Identifier(Utf8JsonWriter json, string value)
    {
        json.WriteStartObject("identifier");
        json.WriteString("system", Codes.Base + "/audit");
        json.WriteString("value", value);
        json.WriteEndObject();
    }

    private static void Reference(Utf8JsonWriter json, string name, string reference)
    {
        json.WriteStartObject(name);
        json.WriteString("reference", reference);
        json.WriteEndObject();
    }
}
