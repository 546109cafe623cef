using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Journal;

namespace CcmFhir.Trail;

/// <summary>What one AuditEvent says.</summary>
/// <param name="Record">The access.</param>
/// <param name="Interaction">Code of the interaction: the record's own, or that of the one version that was written.</param>
/// <param name="Resource">The resource that it is about; null for none.</param>
/// <param name="Patients">Logical ids of the patients that it is about.</param>
internal sealed record AuditMatter(
    TrailRecord Record,
    string Interaction,
    string? Resource,
    IReadOnlyList<string> Patients
);

/// <summary>Accesses as FHIR AuditEvents, laid out as the IHE profile Basic Audit Log Patterns (BALP 1.1) lays out RESTful interactions: client and server
/// as agents; data, patient, query and request id as entities.</summary>
internal static class AuditEventJson
{
    /// <summary>System of our clients' ids.</summary>
    public const string ClientSystem = "http://ccmfhir.org/fhir/client";

    private const string Dicom = "http://dicom.nema.org/resources/ontology/DCM";
    private const string EntityType = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
    private const string Role = "http://terminology.hl7.org/CodeSystem/object-role";

    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes one.</summary>
    public static StoredResource Write(string id, string practice, AuditMatter matter)
    {
        var record = matter.Record;
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "AuditEvent"u8);
            json.WriteString("id"u8, id);
            json.WriteStartObject("meta"u8);
            json.WriteString("versionId"u8, "1"u8);
            json.WriteString("lastUpdated"u8, Instant(record.At));
            json.WriteEndObject();
            Kind(json, matter);
            json.WriteString("action"u8, Action(matter.Interaction));
            json.WriteString("recorded"u8, Instant(record.At));
            json.WriteString(
                "outcome"u8,
                record.Status < 400 ? "0"u8
                    : record.Status < 500 ? "4"u8
                    : "8"u8
            );
            json.WriteString(
                "outcomeDesc"u8,
                string.Create(CultureInfo.InvariantCulture, $"HTTP {record.Status}")
                    + (record.Why is { } why ? $": {why}" : "")
            );
            Agents(json, practice, matter);
            json.WriteStartObject("source"u8);
            json.WriteStartObject("observer"u8);
            json.WriteString("display"u8, $"CcmFhir, practice {practice}");
            json.WriteEndObject();
            json.WriteStartArray("type"u8);
            Coding(json, "http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server");
            json.WriteEndArray();
            json.WriteEndObject();
            Entities(json, matter);
            json.WriteEndObject();
        }
        return new StoredResource("AuditEvent", id, "1", record.At, buffer.WrittenSpan.ToArray());
    }

    private static void Kind(Utf8JsonWriter json, AuditMatter matter)
    {
        json.WritePropertyName("type"u8);
        if (matter.Interaction == "login")
        {
            Coding(json, Dicom, "110114", "User Authentication");
            json.WriteStartArray("subtype"u8);
            Coding(json, Dicom, "110122", "Login");
            json.WriteEndArray();
            return;
        }
        if (matter.Interaction == "page")
        {
            Coding(json, Dicom, "110110", "Patient Record");
            return;
        }
        Coding(json, "http://terminology.hl7.org/CodeSystem/audit-event-type", "rest", "Restful Operation");
        json.WriteStartArray("subtype"u8);
        Coding(json, "http://hl7.org/fhir/restful-interaction", matter.Interaction, null);
        json.WriteEndArray();
    }

    private static string Action(string interaction) =>
        interaction switch
        {
            "create" => "C",
            "update" or "patch" => "U",
            "delete" => "D",
            "read" or "vread" or "page" => "R",
            _ => "E",
        };

    private static void Agents(Utf8JsonWriter json, string practice, AuditMatter matter)
    {
        var record = matter.Record;
        var brings = matter.Interaction is "create" or "update" or "patch" or "delete" or "login";
        json.WriteStartArray("agent"u8);
        Agent(
            json,
            brings,
            () =>
            {
                json.WriteStartObject("identifier"u8);
                json.WriteString("system"u8, ClientSystem);
                json.WriteString("value"u8, record.By);
                json.WriteEndObject();
                json.WriteString("display"u8, record.By);
            },
            record.User is null,
            record.From
        );
        Agent(
            json,
            !brings,
            () => json.WriteString("display"u8, $"CcmFhir, practice {practice}"),
            requestor: false,
            address: null
        );
        if (record.User is { } user)
        {
            json.WriteStartObject();
            json.WriteStartObject("type"u8);
            json.WriteStartArray("coding"u8);
            Coding(json, "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartObject("who"u8);
            json.WriteString("display"u8, user);
            json.WriteEndObject();
            json.WriteBoolean("requestor"u8, true);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Agent(Utf8JsonWriter json, bool source, System.Action who, bool requestor, string? address)
    {
        json.WriteStartObject();
        json.WriteStartObject("type"u8);
        json.WriteStartArray("coding"u8);
        Coding(json, Dicom, source ? "110153" : "110152", source ? "Source Role ID" : "Destination Role ID");
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteStartObject("who"u8);
        who();
        json.WriteEndObject();
        json.WriteBoolean("requestor"u8, requestor);
        if (address is not null)
        {
            json.WriteStartObject("network"u8);
            json.WriteString("address"u8, address);
            json.WriteString("type"u8, "2"u8);
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    private static void Entities(Utf8JsonWriter json, AuditMatter matter)
    {
        var record = matter.Record;
        json.WriteStartArray("entity"u8);
        if (matter.Resource is { } resource)
        {
            Entity(json, "2", "4", "Domain Resource", () => Reference(json, resource));
        }
        foreach (var patient in matter.Patients)
        {
            Entity(json, "1", "1", "Patient", () => Reference(json, $"Patient/{patient}"));
        }
        if (matter.Resource is null && record.Url.Length > 0)
        {
            Entity(
                json,
                "2",
                "24",
                "Query",
                () =>
                {
                    json.WriteString("description"u8, record.Url);
                    json.WriteBase64String("query"u8, Encoding.UTF8.GetBytes(record.Url));
                }
            );
        }
        if (record.Request.Length > 0)
        {
            json.WriteStartObject();
            json.WriteStartObject("what"u8);
            json.WriteStartObject("identifier"u8);
            json.WriteString("value"u8, record.Request);
            json.WriteEndObject();
            json.WriteEndObject();
            json.WritePropertyName("type"u8);
            Coding(json, "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "XrequestId", null);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Entity(Utf8JsonWriter json, string type, string role, string roleName, System.Action content)
    {
        json.WriteStartObject();
        if (role != "24")
        {
            json.WriteStartObject("what"u8);
            content();
            json.WriteEndObject();
        }
        json.WritePropertyName("type"u8);
        Coding(json, EntityType, type, type == "1" ? "Person" : "System Object");
        json.WritePropertyName("role"u8);
        Coding(json, Role, role, roleName);
        if (role == "24")
        {
            content();
        }
        json.WriteEndObject();
    }

    private static void Reference(Utf8JsonWriter json, string reference) => json.WriteString("reference"u8, reference);

    private static void Coding(Utf8JsonWriter json, string system, string code, string? display)
    {
        json.WriteStartObject();
        json.WriteString("system"u8, system);
        json.WriteString("code"u8, code);
        if (display is not null)
        {
            json.WriteString("display"u8, display);
        }
        json.WriteEndObject();
    }

    private static string Instant(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
