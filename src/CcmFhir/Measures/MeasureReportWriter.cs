using System.Globalization;
using System.Text.Json;
using CcmFhir.Domain;
using CcmFhir.Fhir.Readers;

namespace CcmFhir.Measures;

/// <summary>What a report is about.</summary>
/// <param name="Practice">Who reports.</param>
/// <param name="First">First month.</param>
/// <param name="Last">Last month (included).</param>
/// <param name="Type">Code of <c>measure-report-type</c>: summary, individual, subject-list.</param>
/// <param name="Subject"><c>Patient/id</c> for individual; else null.</param>
/// <param name="At">When it is made.</param>
internal sealed record MeasureAsked(
    Practice Practice,
    ServiceMonth First,
    ServiceMonth Last,
    string Type,
    string? Subject,
    DateTimeOffset At
);

/// <summary>Writes MeasureReports.</summary>
internal static class MeasureReportWriter
{
    /// <summary>One report.</summary>
    /// <param name="json">Where to.</param>
    /// <param name="measure">Logical id of the measure.</param>
    /// <param name="asked">What it is about.</param>
    /// <param name="groups">Its groups.</param>
    public static void Write(
        Utf8JsonWriter json,
        string measure,
        MeasureAsked asked,
        IReadOnlyList<MeasureGroup> groups
    )
    {
        json.WriteStartObject();
        json.WriteString("resourceType", "MeasureReport");
        var lists = asked.Type == "subject-list" ? Lists(groups) : [];
        if (lists.Count > 0)
        {
            json.WriteStartArray("contained");
            foreach (var (population, id) in lists)
            {
                List(json, id, population.Subjects!);
            }
            json.WriteEndArray();
        }
        json.WriteString("status", "complete");
        json.WriteString("type", asked.Type);
        json.WriteString("measure", Codes.Base + "/Measure/" + measure);
        if (asked.Subject is not null)
        {
            Reference(json, "subject", asked.Subject);
        }
        json.WriteString(
            "date",
            asked.At.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
        );
        json.WriteStartObject("reporter");
        json.WriteString("reference", asked.Practice.Organization);
        json.WriteString("display", asked.Practice.Name);
        json.WriteEndObject();
        json.WriteStartObject("period");
        json.WriteString("start", Day(asked.First.FirstDay));
        json.WriteString("end", Day(asked.Last.LastDay));
        json.WriteEndObject();
        json.WriteStartArray("group");
        foreach (var group in groups)
        {
            Group(json, group, lists);
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Group(Utf8JsonWriter json, MeasureGroup group, Dictionary<MeasurePopulation, string> lists)
    {
        json.WriteStartObject();
        Text(json, "code", group.Code);
        json.WriteStartArray("population");
        foreach (var population in group.Populations)
        {
            Population(json, population.Code, population.Count, lists.GetValueOrDefault(population));
        }
        json.WriteEndArray();
        Score(json, group.Score);
        var strata = group.Strata?.Where(one => one.Values.Count > 0).ToList() ?? [];
        if (strata.Count > 0)
        {
            json.WriteStartArray("stratifier");
            foreach (var stratifier in strata)
            {
                json.WriteStartObject();
                json.WriteStartArray("code");
                json.WriteStartObject();
                json.WriteString("text", stratifier.Code);
                json.WriteEndObject();
                json.WriteEndArray();
                json.WriteStartArray("stratum");
                foreach (var (value, count, score) in stratifier.Values)
                {
                    json.WriteStartObject();
                    Text(json, "value", value);
                    json.WriteStartArray("population");
                    Population(json, group.Populations[^1].Code, count, null);
                    json.WriteEndArray();
                    Score(json, score);
                    json.WriteEndObject();
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    private static void Population(Utf8JsonWriter json, string code, int count, string? list)
    {
        json.WriteStartObject();
        json.WriteStartObject("code");
        json.WriteStartArray("coding");
        json.WriteStartObject();
        json.WriteString("system", "http://terminology.hl7.org/CodeSystem/measure-population");
        json.WriteString("code", code);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteEndObject();
        json.WriteNumber("count", count);
        if (list is not null)
        {
            Reference(json, "subjectResults", "#" + list);
        }
        json.WriteEndObject();
    }

    private static void Score(Utf8JsonWriter json, MeasureScore? score)
    {
        if (score is null)
        {
            return;
        }
        json.WriteStartObject("measureScore");
        json.WriteNumber("value", score.Value);
        if (score.Unit is { } unit)
        {
            json.WriteString("unit", unit);
            json.WriteString("system", unit == "USD" ? "urn:iso:std:iso:4217" : "http://unitsofmeasure.org");
            json.WriteString("code", unit);
        }
        json.WriteEndObject();
    }

    // An empty list says nothing that the count does not.
    private static Dictionary<MeasurePopulation, string> Lists(IReadOnlyList<MeasureGroup> groups)
    {
        var lists = new Dictionary<MeasurePopulation, string>(ReferenceEqualityComparer.Instance);
        foreach (var group in groups)
        {
            foreach (var population in group.Populations.Where(one => one.Subjects is { Count: > 0 }))
            {
                lists[population] = $"{group.Code}-{population.Code}";
            }
        }
        return lists;
    }

    private static void List(Utf8JsonWriter json, string id, IReadOnlyList<string> subjects)
    {
        json.WriteStartObject();
        json.WriteString("resourceType", "List");
        json.WriteString("id", id);
        json.WriteString("status", "current");
        json.WriteString("mode", "snapshot");
        json.WriteStartArray("entry");
        foreach (var subject in subjects)
        {
            json.WriteStartObject();
            Reference(json, "item", subject);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Text(Utf8JsonWriter json, string name, string text)
    {
        json.WriteStartObject(name);
        json.WriteString("text", text);
        json.WriteEndObject();
    }

    private static void Reference(Utf8JsonWriter json, string name, string reference)
    {
        json.WriteStartObject(name);
        json.WriteString("reference", reference);
        json.WriteEndObject();
    }

    private static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
