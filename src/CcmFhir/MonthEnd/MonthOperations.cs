using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.Fhir.Readers;
using CcmFhir.Options;

namespace CcmFhir.MonthEnd;

/// <summary>The FHIR operations of the month: <c>$ccm-close</c> and <c>$ccm-status</c>. The answer is Parameters; to who asks for plain
/// <c>application/json</c> it is the JSON that <c>ccmfhir close --format json</c> prints.</summary>
internal sealed class MonthOperations(CloseMonth close, Practices practices, RuleSet rules)
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary><c>POST $ccm-close?month=yyyy-MM[&amp;dryRun=true[&amp;asOf=instant]]</c>.</summary>
    public async ValueTask<FhirAnswer> CloseAsync(FhirRequest request)
    {
        if (
            request.Arrival.Access.Missing("Claim", Interactions.Create) is { } scope
            || request.Arrival.Access.Patient is not null
        )
        {
            return Forbidden(request, "system/Claim.c");
        }
        if (Month(request, out var month) is { } refusal)
        {
            return FhirAnswer.Of(refusal);
        }
        var dryRun = request.Parameter("dryRun");
        if (dryRun is not (null or "true" or "false"))
        {
            return FhirAnswer.Of(Refusal.Of(400, "value", "dry-run", "dryRun is true or false.", "dryRun"));
        }
        var now = request.Arrival.Now;
        var asOf = now;
        if (request.Parameter("asOf") is { } instant)
        {
            if (dryRun != "true" || FhirTime.Instant(instant) is not { } given)
            {
                return FhirAnswer.Of(
                    Refusal.Of(
                        400,
                        "value",
                        "as-of",
                        "asOf is an instant such as 2026-11-23T00:00:00Z, and goes only with dryRun=true: a month is closed as of now.",
                        "asOf"
                    )
                );
            }
            asOf = given;
        }
        var file = practices.Find(request.Arrival.Practice.Slug)!;
        IReadOnlyList<MonthDecision> decisions;
        var issued = 0;
        if (dryRun == "true")
        {
            decisions = await close.DecideAsync(file, month, asOf, null, request.Cancel);
        }
        else
        {
            if (!CloseMonth.Over(file, month, now))
            {
                return FhirAnswer.Of(
                    Refusal.Of(
                        422,
                        "business-rule",
                        "month-running",
                        $"{month} has not ended in {file.Practice.TimeZone.Id}. Close it then; dryRun=true shows what would be billed now.",
                        "month"
                    )
                );
            }
            var result = await close.RunAsync(file, month, asOf, null, request.Cancel);
            decisions = result.Decisions;
            issued = result.Issued.Count;
        }
        return request.Http.Request.Headers.Accept is [{ } accept] && accept.Trim() == "application/json"
            ? new FhirAnswer(200, DecisionJson.Write(month, rules.NameFor(month)!, asOf, decisions, []))
            {
                MediaType = "application/json; charset=utf-8",
            }
            : new FhirAnswer(200, Closed(month, asOf, decisions, issued));
    }

    /// <summary><c>GET Patient/{id}/$ccm-status?month=yyyy-MM</c>: the ledger, and the decision if the month closed now.</summary>
    public async ValueTask<FhirAnswer> StatusAsync(FhirRequest request, string patient)
    {
        var access = request.Arrival.Access;
        if (access.Missing("Patient", Interactions.Read) is { } scope)
        {
            return Forbidden(request, scope);
        }
        if (Month(request, out var month) is { } refusal)
        {
            return FhirAnswer.Of(refusal);
        }
        var file = practices.Find(request.Arrival.Practice.Slug)!;
        var found = access.Allows("Patient", Interactions.Read, patient, _ => false)
            ? await close.ReadAsync(file, patient, month, request.Arrival.Now, request.Cancel)
            : null;
        if (found is null || (found.Decision.Time.Entries.Count == 0 && found.Decision.Trace.Count == 0))
        {
            return FhirAnswer.Of(Refusal.Of(404, "not-found", "patient", "There is no such Patient here."));
        }
        return new FhirAnswer(200, Status(found));
    }

    private static FhirAnswer Forbidden(FhirRequest request, string scope)
    {
        AccessGate.Challenge(request.Http.Response, "insufficient_scope", $"The token lacks the scope {scope}.", scope);
        return FhirAnswer.Of(Refusal.Of(403, "forbidden", "scope", $"The token lacks the scope {scope}."));
    }

    private Refusal? Month(FhirRequest request, out ServiceMonth month)
    {
        if (!ServiceMonth.TryParse(request.Parameter("month"), out month))
        {
            return Refusal.Of(400, "value", "month", "Give month as yyyy-MM, such as month=2026-10.", "month");
        }
        return rules.NameFor(month) is null
            ? Refusal.Of(422, "business-rule", "rule-set", $"{rules.Unknown(month)}.", "month")
            : null;
    }

    private static byte[] Closed(
        ServiceMonth month,
        DateTimeOffset asOf,
        IReadOnlyList<MonthDecision> decisions,
        int issued
    ) =>
        Parameters(json =>
        {
            Value(json, "month", "valueString", month.ToString());
            Value(
                json,
                "asOf",
                "valueInstant",
                asOf.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            );
            Number(json, "patients", decisions.Count);
            Number(json, "claims", decisions.Count(one => one.IsClaim));
            Number(json, "held", decisions.Count(one => one.IsHeld));
            Number(json, "issued", issued);
            foreach (var decision in decisions)
            {
                json.WriteStartObject();
                json.WriteString("name", "decision");
                json.WriteStartArray("part");
                Decision(json, decision);
                json.WriteEndArray();
                json.WriteEndObject();
            }
        });

    private static byte[] Status(PatientMonth found) =>
        Parameters(json =>
        {
            var decision = found.Decision;
            Value(json, "month", "valueString", decision.Month.ToString());
            Value(json, "ruleSet", "valueString", decision.RuleSet);
            Value(
                json,
                "asOf",
                "valueInstant",
                decision.AsOf.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            );
            Decision(json, decision);
            var forecast = decision.Forecast;
            if (forecast.Next is not null || forecast.Missing.Count + forecast.Looming.Count > 0)
            {
                Part(json, "forecast", () => Ahead(json, forecast));
            }
            foreach (var entry in decision.Time.Entries)
            {
                Part(
                    json,
                    "timeLog",
                    () =>
                    {
                        Reference(json, "task", entry.Log.Reference);
                        Number(json, "loggedSeconds", entry.Logged.Seconds);
                        Number(json, "countedSeconds", entry.Counted.Seconds);
                        foreach (var exclusion in entry.Excluded)
                        {
                            Part(
                                json,
                                "excluded",
                                () =>
                                {
                                    Value(json, "code", "valueCode", exclusion.Code);
                                    Number(json, "seconds", exclusion.Seconds);
                                    Value(json, "text", "valueString", exclusion.Text);
                                }
                            );
                        }
                    }
                );
            }
            foreach (var step in decision.Trace)
            {
                Part(
                    json,
                    "rule",
                    () =>
                    {
                        Value(json, "name", "valueString", step.Rule);
                        Value(
                            json,
                            "answer",
                            "valueCode",
                            step.Answer switch
                            {
                                RuleAnswer.Yes => "yes",
                                RuleAnswer.No => "no",
                                _ => "not-known",
                            }
                        );
                        Value(json, "finding", "valueString", step.Finding);
                        Value(json, "source", "valueString", step.Source);
                    }
                );
            }
            foreach (var claim in found.Claims)
            {
                Part(
                    json,
                    "claim",
                    () =>
                    {
                        Reference(json, "reference", $"Claim/{claim.Id}");
                        Number(json, "revision", claim.Revision);
                        Value(json, "state", "valueCode", claim.Journey.State.ToString().ToLowerInvariant());
                    }
                );
            }
        });

    private static void Ahead(Utf8JsonWriter json, Forecast forecast)
    {
        if (forecast.Next is { } next)
        {
            Value(json, "code", "valueCode", next.Code);
            Number(json, "thresholdSeconds", next.At);
            Number(json, "missingSeconds", next.Missing);
        }
        foreach (var reason in forecast.Missing)
        {
            Value(json, "missing", "valueCode", reason.Code);
        }
        foreach (var reason in forecast.Looming)
        {
            Value(json, "looming", "valueCode", reason.Code);
        }
    }

    private static void Decision(Utf8JsonWriter json, MonthDecision decision)
    {
        Reference(json, "patient", decision.Patient);
        Value(json, "outcome", "valueCode", decision.IsClaim ? "claim" : "none");
        Number(json, "loggedSeconds", decision.Time.Logged);
        Number(json, "countedSeconds", decision.Time.Counted);
        Number(json, "clinicalStaffSeconds", decision.Time.StaffTime.Seconds);
        Number(json, "billingPractitionerSeconds", decision.Time.PractitionerTime.Seconds);
        Number(json, "excludedSeconds", decision.Time.Excluded);
        foreach (var line in decision.Lines)
        {
            Part(
                json,
                "line",
                () =>
                {
                    Value(json, "code", "valueCode", line.Code);
                    Number(json, "units", line.Units);
                    Money(json, "unitPrice", line.UnitPrice);
                    Money(json, "net", line.Net);
                    Value(
                        json,
                        "serviced",
                        "valueDate",
                        line.Serviced.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)
                    );
                }
            );
        }
        Money(json, "total", decision.Total);
        foreach (var reason in decision.Reasons)
        {
            Part(
                json,
                "reason",
                () =>
                {
                    Value(json, "code", "valueCode", reason.Code);
                    Value(json, "severity", "valueCode", reason.Severity.ToString().ToLowerInvariant());
                    Value(json, "text", "valueString", reason.Text);
                    foreach (var reference in reason.References)
                    {
                        Reference(json, "reference", reference);
                    }
                }
            );
        }
    }

    private static byte[] Parameters(Action<Utf8JsonWriter> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Parameters");
            json.WriteStartArray("parameter");
            write(json);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    private static void Part(Utf8JsonWriter json, string name, Action parts)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartArray("part");
        parts();
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter json, string name, string type, string value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString(type, value);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, long value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteNumber("valueInteger", value);
        json.WriteEndObject();
    }

    private static void Money(Utf8JsonWriter json, string name, decimal value)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("valueMoney");
        json.WriteNumber("value", value);
        json.WriteString("currency", "USD");
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Reference(Utf8JsonWriter json, string name, string reference)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteStartObject("valueReference");
        json.WriteString("reference", reference);
        json.WriteEndObject();
        json.WriteEndObject();
    }
}
