using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Domain;

namespace CcmFhir.MonthEnd;

/// <summary>Writes what the operations of the month answer: FHIR Parameters.</summary>
internal static class MonthParameters
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The answer of <c>$ccm-close</c>.</summary>
    /// <param name="month">The month.</param>
    /// <param name="asOf">The instant decided for.</param>
    /// <param name="result">What the close did; of a dry run, the decisions alone.</param>
    public static byte[] Closed(ServiceMonth month, DateTimeOffset asOf, CloseResult result) =>
        Parameters(json =>
        {
            Value(json, "month", "valueString", month.ToString());
            Value(
                json,
                "asOf",
                "valueInstant",
                asOf.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            );
            Number(json, "patients", result.Decisions.Count);
            Number(json, "claims", result.Decisions.Count(one => one.IsClaim));
            Number(json, "held", result.Decisions.Count(one => one.IsHeld));
            Number(json, "issued", result.Issued.Count);
            Faults(json, result.Faults);
            foreach (var decision in result.Decisions)
            {
                Part(json, "decision", () => Decision(json, decision));
            }
        });

    /// <summary>What a run came to that closed a month shard by shard.</summary>
    public static byte[] Closed(CloseRun run) =>
        Parameters(json =>
        {
            Value(json, "month", "valueString", run.Month.ToString());
            Number(json, "run", run.Number);
            Value(json, "started", "valueInstant", Instant(run.Start.At));
            Value(json, "closed", "valueInstant", Instant(run.LastHeard));
            Number(json, "shards", run.Start.Shards);
            Number(json, "patients", run.Closed.Sum(word => word.Patients));
            Number(json, "claims", run.Closed.Sum(word => word.Claims));
            Number(json, "held", run.Closed.Sum(word => word.Held));
            Faults(json, [.. run.Closed.SelectMany(word => word.Faults)]);
        });

    /// <summary>The answer of <c>$ccm-status</c>: ledger, decision, forecast, trace and claims.</summary>
    public static byte[] Status(PatientMonth found) =>
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

    private static void Faults(Utf8JsonWriter json, IReadOnlyList<CloseFault> faults)
    {
        foreach (var fault in faults)
        {
            Part(
                json,
                "fault",
                () =>
                {
                    Reference(json, "patient", fault.Patient);
                    Value(json, "text", "valueString", fault.Text);
                }
            );
        }
    }

    private static string Instant(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

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
