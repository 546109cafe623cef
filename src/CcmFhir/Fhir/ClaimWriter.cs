using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Domain;
using CcmFhir.Fhir.Readers;

namespace CcmFhir.Fhir;

/// <summary>What a revision does to the claim before it.</summary>
internal enum ClaimFrequency
{
    /// <summary>The first.</summary>
    Original = 1,

    /// <summary>Takes the place of the one before (frequency 7).</summary>
    Replacement = 7,

    /// <summary>Takes the one before back (frequency 8).</summary>
    Void = 8,
}

/// <summary>Names of claims that we issue: <c>{base}/claim | {practice}-{yyyy-MM}-{patient key}-{revision}</c>, and a logical id made from it, so
/// that the same claim gets the same id wherever and however often it is made.</summary>
internal static class ClaimIdentifier
{
    /// <summary>System of the identifier.</summary>
    public const string System = Codes.Base + "/claim";

    /// <summary>Value of the identifier.</summary>
    public static string Value(string practice, ServiceMonth month, string patient, int revision) =>
        string.Create(CultureInfo.InvariantCulture, $"{practice}-{month}-{Key(patient)}-{revision}");

    /// <summary>Logical id.</summary>
    public static string Id(string value) =>
        "ccm-" + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(value)))[..32];

    /// <summary>Revision of a claim of ours; null for a claim that is not.</summary>
    public static int? Read(JsonElement claim)
    {
        foreach (var identifier in claim.TryGetProperty("identifier", out var all) ? all.EnumerateArray() : default)
        {
            if (
                identifier.TryGetProperty("system", out var system)
                && system.GetString() == System
                && identifier.TryGetProperty("value", out var value)
                && value.GetString() is { } text
                && int.TryParse(
                    text[(text.LastIndexOf('-') + 1)..],
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var revision
                )
            )
            {
                return revision;
            }
        }
        return null;
    }

    private static string Key(string patient) => patient[(patient.IndexOf('/', StringComparison.Ordinal) + 1)..];
}

/// <summary>Writes our Claim (contract, section 6; rules section 14). The same decision gives the same bytes.</summary>
internal static class ClaimWriter
{
    private const string Hl7 = "http://terminology.hl7.org/CodeSystem/";
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The Claim as FHIR JSON.</summary>
    /// <param name="practice">Who bills.</param>
    /// <param name="decision">The decision; for a void, what is to be taken back stands in <paramref name="lines"/>.</param>
    /// <param name="lines">The lines.</param>
    /// <param name="revision">1 for the first.</param>
    /// <param name="frequency">What it does to the one before.</param>
    /// <param name="at">When it is issued.</param>
    /// <param name="diagnoses">ICD-10-CM codes that it names; null for those of the decision. A void names those of what it takes back.</param>
    public static byte[] Write(
        Practice practice,
        MonthDecision decision,
        IReadOnlyList<ClaimLine> lines,
        int revision,
        ClaimFrequency frequency,
        DateTimeOffset at,
        IReadOnlyList<string>? diagnoses = null
    )
    {
        // A claim names twelve diagnoses at most (HI, 837P).
        IReadOnlyList<string> named =
        [
            .. (diagnoses ?? decision.Diagnoses.Select(one => one.IcdCode!)).Distinct(StringComparer.Ordinal).Take(12),
        ];
        var value = ClaimIdentifier.Value(practice.Slug, decision.Month, decision.Patient, revision);
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Claim");
            json.WriteString("id", ClaimIdentifier.Id(value));
            json.WriteStartObject("meta");
            json.WriteString("versionId", "1");
            json.WriteString(
                "lastUpdated",
                at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            );
            json.WriteStartArray("profile");
            json.WriteStringValue(Codes.Base + "/StructureDefinition/ccm-claim");
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteStartArray("identifier");
            Identifier(json, null, ClaimIdentifier.System, value);
            json.WriteEndArray();
            json.WriteString("status", "active");
            Concept(json, "type", Hl7 + "claim-type", decision.Institutional ? "institutional" : "professional");
            json.WriteString("use", "claim");
            Reference(json, "patient", decision.Patient);
            json.WriteStartObject("billablePeriod");
            json.WriteString("start", Day(decision.Month.FirstDay));
            json.WriteString("end", Day(decision.Month.LastDay));
            json.WriteEndObject();
            json.WriteString("created", Day(ServiceMonth.LocalDay(at, practice.TimeZone)));
            json.WriteStartObject("provider");
            json.WriteString("reference", practice.Organization);
            Identifier(json, "identifier", Codes.Npi, practice.Npi);
            json.WriteString("display", practice.Name);
            json.WriteEndObject();
            Concept(json, "priority", Hl7 + "processpriority", "normal");
            if (frequency != ClaimFrequency.Original)
            {
                Related(json, practice, decision, revision, frequency);
            }
            json.WriteStartArray("careTeam");
            json.WriteStartObject();
            json.WriteNumber("sequence", 1);
            json.WriteStartObject("provider");
            json.WriteString("reference", decision.Practitioner.Reference);
            Identifier(json, "identifier", Codes.Npi, decision.Practitioner.Npi);
            json.WriteString("display", decision.Practitioner.Name);
            json.WriteEndObject();
            json.WriteBoolean("responsible", true);
            Concept(json, "role", Hl7 + "claimcareteamrole", "primary");
            json.WriteEndObject();
            json.WriteEndArray();
            SupportingInfo(json, decision);
            Diagnoses(json, named);
            Insurance(json, decision);
            json.WriteStartArray("item");
            for (var at0 = 0; at0 < lines.Count; at0++)
            {
                Item(json, practice, named.Count, lines[at0], at0 + 1);
            }
            json.WriteEndArray();
            Money(json, "total", lines.Sum(line => line.Net));
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>System of a billing code: HCPCS level II begins with a letter.</summary>
    public static string SystemOf(string code) => char.IsAsciiLetter(code[0]) ? Codes.Hcpcs : Codes.Cpt;

    private static void Related(
        Utf8JsonWriter json,
        Practice practice,
        MonthDecision decision,
        int revision,
        ClaimFrequency frequency
    )
    {
        var before = ClaimIdentifier.Value(practice.Slug, decision.Month, decision.Patient, revision - 1);
        json.WriteStartArray("related");
        json.WriteStartObject();
        json.WriteStartArray("extension");
        json.WriteStartObject();
        json.WriteString("url", Codes.Extension("claim-frequency"));
        json.WriteString("valueCode", frequency == ClaimFrequency.Void ? "void" : "replacement");
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("claim");
        json.WriteString("reference", "Claim/" + ClaimIdentifier.Id(before));
        Identifier(json, "identifier", ClaimIdentifier.System, before);
        json.WriteEndObject();
        Concept(json, "relationship", Hl7 + "ex-relatedclaimrelationship", "prior");
        json.WriteEndObject();
        json.WriteEndArray();
    }

    // Kept inside for the audit: payers are not sent consent, plan or logs.
    private static void SupportingInfo(Utf8JsonWriter json, MonthDecision decision)
    {
        json.WriteStartArray("supportingInfo");
        var sequence = 0;
        void Start(string category)
        {
            json.WriteStartObject();
            json.WriteNumber("sequence", ++sequence);
            Concept(json, "category", Codes.System("ccm-claim-info"), category);
        }
        Start("counted-seconds");
        json.WriteStartObject("valueQuantity");
        json.WriteNumber("value", decision.Time.Counted);
        json.WriteString("unit", "s");
        json.WriteString("system", "http://unitsofmeasure.org");
        json.WriteString("code", "s");
        json.WriteEndObject();
        json.WriteEndObject();
        Start("rule-set");
        json.WriteString("valueString", decision.RuleSet);
        json.WriteEndObject();
        if (decision.Consent is { } consent)
        {
            Start("consent");
            Reference(json, "valueReference", $"{consent.Reference}/_history/{consent.Version}");
            json.WriteEndObject();
        }
        if (decision.Plan is { } plan)
        {
            Start("care-plan");
            Reference(json, "valueReference", $"{plan.Reference}/_history/{plan.Version}");
            json.WriteEndObject();
        }
        foreach (var entry in decision.Time.Entries.Where(entry => entry.Counted.Seconds > 0))
        {
            Start("time-log");
            Reference(json, "valueReference", entry.Log.Reference);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Diagnoses(Utf8JsonWriter json, IReadOnlyList<string> codes)
    {
        if (codes.Count == 0)
        {
            return;
        }
        json.WriteStartArray("diagnosis");
        for (var at = 0; at < codes.Count; at++)
        {
            json.WriteStartObject();
            json.WriteNumber("sequence", at + 1);
            Concept(json, "diagnosisCodeableConcept", Codes.Icd10Cm, codes[at]);
            if (at == 0)
            {
                json.WriteStartArray("type");
                Concept(json, null, Hl7 + "ex-diagnosistype", "principal");
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Insurance(Utf8JsonWriter json, MonthDecision decision)
    {
        json.WriteStartArray("insurance");
        json.WriteStartObject();
        json.WriteNumber("sequence", 1);
        json.WriteBoolean("focal", true);
        json.WriteStartObject("coverage");
        if (decision.Coverage is { } coverage)
        {
            json.WriteString("reference", coverage.Reference);
        }
        else
        {
            json.WriteString("type", "Coverage");
            Identifier(json, "identifier", "http://hl7.org/fhir/sid/us-mbi", decision.MemberId ?? "");
            json.WriteString("display", "Medicare Part B");
        }
        json.WriteEndObject();
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private static void Item(Utf8JsonWriter json, Practice practice, int diagnoses, ClaimLine line, int sequence)
    {
        json.WriteStartObject();
        json.WriteNumber("sequence", sequence);
        json.WriteStartArray("careTeamSequence");
        json.WriteNumberValue(1);
        json.WriteEndArray();
        if (diagnoses > 0)
        {
            // A line of a professional claim points at four diagnoses at most (SV107).
            json.WriteStartArray("diagnosisSequence");
            for (var pointer = 1; pointer <= Math.Min(4, diagnoses); pointer++)
            {
                json.WriteNumberValue(pointer);
            }
            json.WriteEndArray();
        }
        Concept(json, "productOrService", SystemOf(line.Code), line.Code);
        if (line.Through is { } through)
        {
            json.WriteStartObject("servicedPeriod");
            json.WriteString("start", Day(line.Serviced));
            json.WriteString("end", Day(through));
            json.WriteEndObject();
        }
        else
        {
            json.WriteString("servicedDate", Day(line.Serviced));
        }
        Concept(json, "locationCodeableConcept", Codes.PlaceOfService, practice.PlaceOfService);
        json.WriteStartObject("quantity");
        json.WriteNumber("value", line.Units);
        json.WriteEndObject();
        Money(json, "unitPrice", line.UnitPrice);
        Money(json, "net", line.Net);
        json.WriteEndObject();
    }

    private static void Concept(Utf8JsonWriter json, string? name, string system, string code)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }
        json.WriteStartArray("coding");
        json.WriteStartObject();
        json.WriteString("system", system);
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Identifier(Utf8JsonWriter json, string? name, string system, string value)
    {
        if (name is null)
        {
            json.WriteStartObject();
        }
        else
        {
            json.WriteStartObject(name);
        }
        json.WriteString("system", system);
        json.WriteString("value", value);
        json.WriteEndObject();
    }

    private static void Reference(Utf8JsonWriter json, string name, string reference)
    {
        json.WriteStartObject(name);
        json.WriteString("reference", reference);
        json.WriteEndObject();
    }

    private static void Money(Utf8JsonWriter json, string name, decimal amount)
    {
        json.WriteStartObject(name);
        json.WriteNumber("value", amount);
        json.WriteString("currency", "USD");
        json.WriteEndObject();
    }

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
