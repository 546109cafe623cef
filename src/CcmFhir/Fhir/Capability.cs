using System.Buffers;
using System.Text.Json;
using CcmFhir.Fhir.Search;
using CcmFhir.Intake;

namespace CcmFhir.Fhir;

/// <summary>The CapabilityStatement, written from the tables that the code runs by.</summary>
internal static class Capability
{
    // The day this statement's content last changed; it is no clock.
    private const string Date = "2026-11-25";

    private static readonly string[] Interactions =
    [
        "read",
        "vread",
        "update",
        "patch",
        "delete",
        "history-instance",
        "history-type",
        "create",
        "search-type",
    ];

    private static readonly string[] Stored = [.. ResourceTypes.All.Where(type => type != "Parameters")];

    private const string TrailDocumentation =
        "The server's own audit trail: every access to patient data. Nobody writes it. A token needs the type by name (system/AuditEvent.rs); a star does not cover it.";

    private const string DefinitionsDocumentation =
        "Beside what is stored stand the server's own definitions (http://ccmfhir.org/fhir): they are read and searched, and nobody writes or changes them.";

    /// <summary>The statement for a practice.</summary>
    public static byte[] ToBytes(Arrival arrival)
    {
        var buffer = new ArrayBufferWriter<byte>(256 * 1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "CapabilityStatement"u8);
            json.WriteString("name"u8, "CcmFhir"u8);
            json.WriteString("title"u8, "CcmFhir: chronic care management from FHIR to claims"u8);
            json.WriteString("status"u8, "active"u8);
            json.WriteString("date"u8, Date);
            json.WriteString("kind"u8, "instance"u8);
            json.WriteStartObject("software"u8);
            json.WriteString("name"u8, "CcmFhir"u8);
            json.WriteString("version"u8, typeof(Capability).Assembly.GetName().Version!.ToString(3));
            json.WriteEndObject();
            json.WriteStartObject("implementation"u8);
            json.WriteString("description"u8, "FHIR interface of one practice"u8);
            json.WriteString("url"u8, arrival.OwnBase);
            json.WriteEndObject();
            json.WriteString("fhirVersion"u8, "4.0.1"u8);
            Strings(json, "format", ["application/fhir+json", "json", "application/fhir+xml", "xml"]);
            Strings(json, "patchFormat", ["application/json-patch+json", "application/fhir+json"]);
            json.WriteStartArray("rest"u8);
            Rest(json, arrival);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void Rest(Utf8JsonWriter json, Arrival arrival)
    {
        json.WriteStartObject();
        json.WriteString("mode"u8, "server"u8);
        json.WriteString(
            "documentation"u8,
            "A transaction holds one patient's resources and directory resources beside them. A Bundle of type collection is taken as a batch of creates and updates with the ids given. Searches name the patient, an identifier or _id; types that belong to no patient are searched freely."u8
        );
        Security(json, arrival);
        json.WriteStartArray("resource"u8);
        foreach (var type in Stored)
        {
            Resource(json, type);
        }
        json.WriteEndArray();
        json.WriteStartArray("interaction"u8);
        foreach (var code in (string[])["transaction", "batch", "history-system"])
        {
            Code(json, code);
        }
        json.WriteEndArray();
        json.WriteStartArray("operation"u8);
        Operation(json, "validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate");
        Own(json, ["ccm-close", "ccm-claims", "ccm-push", "ccm-fetch-answers", "ccm-notify"]);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Security(Utf8JsonWriter json, Arrival arrival)
    {
        json.WriteStartObject("security"u8);
        json.WriteStartArray("extension"u8);
        json.WriteStartObject();
        json.WriteString("url"u8, "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"u8);
        json.WriteStartArray("extension"u8);
        json.WriteStartObject();
        json.WriteString("url"u8, "token"u8);
        json.WriteString(
            "valueUri"u8,
            arrival.OwnBase!.Replace(
                $"/{arrival.Practice.Slug}/fhir",
                $"/auth/{arrival.Practice.Slug}/token",
                StringComparison.Ordinal
            )
        );
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartArray("service"u8);
        json.WriteStartObject();
        json.WriteStartArray("coding"u8);
        json.WriteStartObject();
        json.WriteString("system"u8, "http://terminology.hl7.org/CodeSystem/restful-security-service"u8);
        json.WriteString("code"u8, "SMART-on-FHIR"u8);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Resource(Utf8JsonWriter json, string type)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, type);
        json.WriteString("profile"u8, $"http://hl7.org/fhir/StructureDefinition/{type}");
        if (ProfileChoice.Supported(type) is { } profile)
        {
            Strings(json, "supportedProfile", [profile]);
        }
        json.WriteStartArray("interaction"u8);
        var trail = type == "AuditEvent";
        foreach (var code in trail ? ["read", "search-type"] : Interactions)
        {
            Code(json, code);
        }
        json.WriteEndArray();
        if (trail || OwnDefinitions.Types.Contains(type))
        {
            json.WriteString("documentation"u8, trail ? TrailDocumentation : DefinitionsDocumentation);
        }
        if (!trail)
        {
            json.WriteString("versioning"u8, "versioned-update"u8);
            json.WriteBoolean("readHistory"u8, true);
            json.WriteBoolean("updateCreate"u8, true);
            json.WriteBoolean("conditionalCreate"u8, true);
            json.WriteString("conditionalRead"u8, "full-support"u8);
            json.WriteBoolean("conditionalUpdate"u8, true);
            json.WriteString("conditionalDelete"u8, "single"u8);
        }
        Strings(json, "referencePolicy", ["literal", "logical", "local"]);
        var references = SearchParameter.For(type).Where(parameter => parameter.Kind == SearchKind.Reference).ToList();
        if (references.Count > 0)
        {
            Strings(json, "searchInclude", references.Select(parameter => $"{type}:{parameter.Code}"));
        }
        json.WriteStartArray("searchParam"u8);
        foreach (var parameter in SearchParameter.Common.Concat(SearchParameter.For(type)))
        {
            json.WriteStartObject();
            json.WriteString("name"u8, parameter.Code);
            json.WriteString("type"u8, parameter.Kind.ToString().ToLowerInvariant());
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteStartArray("operation"u8);
        Operation(json, "validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate");
        if (type == "Measure")
        {
            Operation(json, "evaluate-measure", "http://hl7.org/fhir/OperationDefinition/Measure-evaluate-measure");
        }
        Own(
            json,
            type switch
            {
                "Patient" => ["ccm-status", "ccm-audit"],
                "Claim" => ["ccm-resend", "ccm-confirm"],
                _ => [],
            }
        );
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Code(Utf8JsonWriter json, string code)
    {
        json.WriteStartObject();
        json.WriteString("code"u8, code);
        json.WriteEndObject();
    }

    private static void Operation(Utf8JsonWriter json, string name, string definition)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("definition"u8, definition);
        json.WriteEndObject();
    }

    private static void Own(Utf8JsonWriter json, IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            Operation(json, name, $"http://ccmfhir.org/fhir/OperationDefinition/{name}");
        }
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
        {
            json.WriteStringValue(value);
        }
        json.WriteEndArray();
    }
}
