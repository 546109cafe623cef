using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Domain;
using CcmFhir.Validation;

namespace CcmFhir.MonthEnd;

/// <summary>A resource that was refused at the door.</summary>
/// <param name="Resource"><c>Type/id</c>, or the type where it has no id.</param>
/// <param name="Patient"><c>Patient/id</c> that it belongs to; null for none.</param>
/// <param name="Issues">Why.</param>
internal sealed record RefusedResource(string Resource, string? Patient, IReadOnlyList<Issue> Issues);

/// <summary>Writes decisions as the contract has them (section 4). The same decisions give the same bytes.</summary>
internal static class DecisionJson
{
    private static readonly JsonWriterOptions Options = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Indented = true,
        NewLine = "\n",
    };

    /// <summary>The whole answer of a close.</summary>
    /// <param name="month">The month.</param>
    /// <param name="ruleSet">Name of the rules.</param>
    /// <param name="asOf">The instant decided for.</param>
    /// <param name="decisions">By patient.</param>
    /// <param name="refused">What was refused at the door.</param>
    public static byte[] Write(
        ServiceMonth month,
        string ruleSet,
        DateTimeOffset asOf,
        IReadOnlyList<MonthDecision> decisions,
        IReadOnlyList<RefusedResource> refused
    )
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("month", month.ToString());
            json.WriteString("ruleSet", ruleSet);
            json.WriteString(
                "asOf",
                asOf.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            );
            json.WriteStartArray("decisions");
            var placed = new HashSet<RefusedResource>();
            foreach (var decision in decisions.OrderBy(one => one.Patient, StringComparer.Ordinal))
            {
                var own = refused.Where(one => one.Patient == decision.Patient).ToList();
                placed.UnionWith(own);
                Decision(json, decision, own);
            }
            json.WriteEndArray();
            Refused(json, [.. refused.Where(one => !placed.Contains(one))]);
            json.WriteEndObject();
        }
        return [.. buffer.WrittenSpan, (byte)'\n'];
    }

    private static void Decision(Utf8JsonWriter json, MonthDecision decision, IReadOnlyList<RefusedResource> refused)
    {
        json.WriteStartObject();
        json.WriteString("patient", decision.Patient);
        json.WriteString("outcome", decision.IsClaim ? "claim" : "none");
        json.WriteStartArray("lines");
        foreach (var line in decision.Lines)
        {
            json.WriteStartObject();
            json.WriteString("code", line.Code);
            json.WriteNumber("units", line.Units);
            json.WriteNumber("unitPrice", line.UnitPrice);
            json.WriteNumber("net", line.Net);
            json.WriteString("serviced", line.Serviced.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteNumber("total", decision.Total);
        json.WriteStartObject("seconds");
        json.WriteNumber("logged", decision.Time.Logged);
        json.WriteNumber("counted", decision.Time.Counted);
        json.WriteNumber("clinicalStaff", decision.Time.StaffTime.Seconds);
        json.WriteNumber("billingPractitioner", decision.Time.PractitionerTime.Seconds);
        json.WriteNumber("excluded", decision.Time.Excluded);
        json.WriteEndObject();
        json.WriteStartArray("reasons");
        foreach (var reason in decision.Reasons)
        {
            json.WriteStartObject();
            json.WriteString("code", reason.Code);
            json.WriteString("severity", reason.Severity.ToString().ToLowerInvariant());
            json.WriteString("text", reason.Text);
            json.WriteStartArray("refs");
            foreach (var reference in reason.References)
            {
                json.WriteStringValue(reference);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
        Refused(json, refused);
        json.WriteEndObject();
    }

    private static void Refused(Utf8JsonWriter json, IReadOnlyList<RefusedResource> refused)
    {
        json.WriteStartArray("refused");
        foreach (var one in refused.OrderBy(one => one.Resource, StringComparer.Ordinal))
        {
            json.WriteStartObject();
            json.WriteString("resource", one.Resource);
            json.WriteStartArray("issues");
            foreach (var issue in one.Issues)
            {
                json.WriteStartObject();
                json.WriteString("code", issue.Rule);
                json.WriteString("expression", issue.Expression);
                json.WriteString("text", issue.Text);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
