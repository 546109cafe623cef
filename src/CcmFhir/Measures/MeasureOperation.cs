using System.Buffers;
using System.Globalization;
using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Measures;

/// <summary><c>GET Measure/{id}/$evaluate-measure</c> and <c>GET Measure/$evaluate-measure[?measure=...]</c>: a MeasureReport, or for all measures a
/// Bundle of them. The period is one of whole service months.</summary>
internal sealed class MeasureOperation(ProgramFigures figures, Practices practices, RuleSet rules)
{
    private const int MostMonths = 36;
    private static readonly string[] Types = ["Patient", "Task", "Claim"];

    /// <summary>Answers.</summary>
    /// <param name="request">The request.</param>
    /// <param name="id">Logical id of the measure; null for what the parameter <c>measure</c> names, else all.</param>
    public async ValueTask<FhirAnswer> AnswerAsync(FhirRequest request, string? id)
    {
        var access = request.Arrival.Access;
        foreach (var type in Types)
        {
            if (!access.AllowsAll(type, Interactions.Read))
            {
                return MonthOperations.Forbidden($"system/{type}.r");
            }
        }
        id ??= request.Parameter("measure")?.Split('/')[^1].Split('|')[0];
        if (id is not null && !MeasureTable.All.ContainsKey(id))
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    404,
                    "not-found",
                    "measure",
                    $"There is no measure '{id}'; there are {string.Join(", ", MeasureTable.All.Keys)}."
                )
            );
        }
        if (Asked(request, out var asked) is { } refusal)
        {
            return FhirAnswer.Of(refusal);
        }
        var patients = await figures.RunAsync(
            practices.Find(request.Arrival.Practice.Slug)!,
            asked.First,
            asked.Last,
            asked.Subject?["Patient/".Length..],
            request.Arrival.Now,
            request.Cancel
        );
        if (asked.Subject is not null && patients.Count == 0)
        {
            return FhirAnswer.Of(
                Refusal.Of(404, "not-found", "subject", $"{asked.Subject} has no care management in the period.")
            );
        }
        return new FhirAnswer(200, Write(id, asked, patients));
    }

    private static byte[] Write(string? id, MeasureAsked asked, IReadOnlyList<PatientFigures> patients)
    {
        var buffer = new ArrayBufferWriter<byte>(8192);
        using (var json = new Utf8JsonWriter(buffer))
        {
            if (id is not null)
            {
                MeasureReportWriter.Write(json, id, asked, MeasureTable.All[id](patients));
            }
            else
            {
                json.WriteStartObject();
                json.WriteString("resourceType", "Bundle");
                json.WriteString("type", "collection");
                json.WriteStartArray("entry");
                foreach (var (measure, groups) in MeasureTable.All)
                {
                    json.WriteStartObject();
                    json.WriteString("fullUrl", $"urn:uuid:{Uuid(measure, asked)}");
                    json.WritePropertyName("resource");
                    MeasureReportWriter.Write(json, measure, asked, groups(patients));
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
        }
        return buffer.WrittenSpan.ToArray();
    }

    // The same question has the same answer, its names included.
    private static Guid Uuid(string measure, MeasureAsked asked) =>
        new(
            System
                .Security.Cryptography.SHA256.HashData(
                    System.Text.Encoding.UTF8.GetBytes(
                        $"{asked.Practice.Slug} {measure} {asked.First} {asked.Last} {asked.Type} {asked.Subject}"
                    )
                )
                .AsSpan(0, 16)
        );

    private Refusal? Asked(FhirRequest request, out MeasureAsked asked)
    {
        asked = null!;
        var practice = practices.Find(request.Arrival.Practice.Slug)!.Practice;
        if (
            Month(request.Parameter("periodStart"), first: true) is not { } first
            || Month(request.Parameter("periodEnd"), first: false) is not { } last
            || last < first
            || first.FirstDay.AddMonths(MostMonths) <= last.FirstDay
        )
        {
            return Refusal.Of(
                400,
                "value",
                "period",
                $"Give periodStart and periodEnd as whole service months, {MostMonths} at most: 2026-10 and 2026-12, or 2026-10-01 and 2026-12-31.",
                "periodStart"
            );
        }
        foreach (var month in (ServiceMonth[])[first, last])
        {
            if (rules.NameFor(month) is null)
            {
                return Refusal.Of(422, "business-rule", "rule-set", $"{rules.Unknown(month)}.", "periodStart");
            }
        }
        var subject = request.Parameter("subject");
        if (subject is not null && subject.Split('/') is not (["Patient", _] or [_]))
        {
            return Refusal.Of(400, "value", "subject", "subject is a reference of the form Patient/id.", "subject");
        }
        var wanted = request.Parameter("reportType") ?? (subject is null ? "population" : "subject");
        var type = wanted switch
        {
            "population" or "summary" when subject is null => "summary",
            "subject" or "individual" when subject is not null => "individual",
            "subject-list" when subject is null => "subject-list",
            _ => null,
        };
        if (type is null)
        {
            return Refusal.Of(
                400,
                "value",
                "report-type",
                "reportType is population or subject-list, or subject together with the parameter subject.",
                "reportType"
            );
        }
        asked = new MeasureAsked(
            practice,
            first,
            last,
            type,
            subject is null ? null
                : subject.Contains('/', StringComparison.Ordinal) ? subject
                : "Patient/" + subject,
            request.Arrival.Now
        );
        return null;
    }

    private static ServiceMonth? Month(string? text, bool first)
    {
        if (ServiceMonth.TryParse(text, out var month))
        {
            return month;
        }
        return
            DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            && ServiceMonth.TryParse(text![..7], out month)
            && day == (first ? month.FirstDay : month.LastDay)
            ? month
            : null;
    }
}
