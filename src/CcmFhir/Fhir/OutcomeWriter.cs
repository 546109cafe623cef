using System.Buffers;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Issues as an OperationOutcome. Here and nowhere else do issues become FHIR.</summary>
/// <remarks>Line and column stand in the extensions that HL7's own validator writes; the rule's id is <c>details.coding</c>, so that
/// programs need not read the text.</remarks>
internal static class OutcomeWriter
{
    private const string Reasons = "http://ccmfhir.org/fhir/CodeSystem/ccm-reason";
    private const string Rules = "http://ccmfhir.org/fhir/CodeSystem/ccm-rule";

    /// <summary>The OperationOutcome of these issues; one that says all is well when there are none.</summary>
    public static byte[] ToBytes(IReadOnlyList<Issue> issues)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer))
        {
            Write(json, issues);
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Writes the OperationOutcome as a value.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<Issue> issues)
    {
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "OperationOutcome"u8);
        json.WriteStartArray("issue"u8);
        foreach (var issue in issues)
        {
            Write(json, issue);
        }
        if (issues.Count == 0)
        {
            json.WriteStartObject();
            json.WriteString("severity"u8, "information"u8);
            json.WriteString("code"u8, "informational"u8);
            json.WriteStartObject("details"u8);
            json.WriteString("text"u8, "All OK"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Issue issue)
    {
        json.WriteStartObject();
        if (issue.Line > 0)
        {
            json.WriteStartArray("extension"u8);
            Number(json, "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-line"u8, issue.Line);
            Number(json, "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-col"u8, issue.Column);
            json.WriteEndArray();
        }
        json.WriteString(
            "severity"u8,
            issue.Severity switch
            {
                Severity.Fatal => "fatal"u8,
                Severity.Error => "error"u8,
                Severity.Warning => "warning"u8,
                _ => "information"u8,
            }
        );
        json.WriteString("code"u8, issue.Type);
        json.WriteStartObject("details"u8);
        json.WriteStartArray("coding"u8);
        json.WriteStartObject();
        json.WriteString("system"u8, issue.Rule.StartsWith("CCM-", StringComparison.Ordinal) ? Reasons : Rules);
        json.WriteString("code"u8, issue.Rule);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteString("text"u8, issue.Text);
        json.WriteEndObject();
        if (Diagnostics(issue) is { Length: > 0 } diagnostics)
        {
            json.WriteString("diagnostics"u8, diagnostics);
        }
        if (issue.Expression.Length > 0)
        {
            json.WriteStartArray("expression"u8);
            json.WriteStringValue(issue.Expression);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static string Diagnostics(Issue issue)
    {
        var parts = new List<string>(3);
        if (issue.Profile is { } profile)
        {
            parts.Add($"profile {profile}");
        }
        if (issue.FullUrl is { } url)
        {
            parts.Add($"fullUrl {url}");
        }
        if (issue.Line > 0)
        {
            parts.Add(FormattableString.Invariant($"line {issue.Line}, column {issue.Column}"));
        }
        return string.Join("; ", parts);
    }

    private static void Number(Utf8JsonWriter json, ReadOnlySpan<byte> url, int value)
    {
        json.WriteStartObject();
        json.WriteString("url"u8, url);
        json.WriteNumber("valueInteger"u8, value);
        json.WriteEndObject();
    }
}
