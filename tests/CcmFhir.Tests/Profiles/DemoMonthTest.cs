using System.Globalization;
using System.Text.Json;
using CcmFhir.Tests.Cases;

namespace CcmFhir.Tests.Profiles;

/// <summary>The month in <c>profiles/samples</c>: what its README says comes of it is what comes of it.</summary>
public sealed class DemoMonthTest
{
    private const string MonthEnd = "2026-11-23T00:00:00Z";
    private static readonly string Samples = Repository.At("profiles", "samples");

    [Fact]
    public async Task Each_patient_comes_out_as_the_README_says()
    {
        using var result = JsonDocument.Parse(await CloseAsync(Samples, MonthEnd));
        var decisions = result
            .RootElement.GetProperty("decisions")
            .EnumerateArray()
            .ToDictionary(decision => decision.GetProperty("patient").GetString()!);
        var rows = Rows();
        rows.Count.ShouldBe(20);
        decisions.Count.ShouldBe(rows.Count);
        foreach (var row in rows)
        {
            var decision = decisions[Patient(row.File)];
            Lines(decision).ShouldBe(row.Lines, row.File);
            decision.GetProperty("total").GetDecimal().ShouldBe(row.Total, row.File);
            Codes(decision).ShouldBe(row.Reasons, row.File);
        }
        decisions
            .Values.Sum(decision => decision.GetProperty("total").GetDecimal())
            .ShouldBe(rows.Sum(row => row.Total));
        result.RootElement.GetProperty("refused").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task One_time_log_is_refused_and_everything_else_comes_in()
    {
        using var result = JsonDocument.Parse(await CloseAsync(Samples, MonthEnd));
        var refused = result
            .RootElement.GetProperty("decisions")
            .EnumerateArray()
            .SelectMany(decision => decision.GetProperty("refused").EnumerateArray())
            .ToList();
        refused.Count.ShouldBe(1);
        refused[0].GetProperty("resource").GetString().ShouldBe("Task/honeysuckle-t2");
        refused[0]
            .GetProperty("issues")
            .EnumerateArray()
            .Select(issue => $"{issue.GetProperty("code").GetString()} {issue.GetProperty("expression").GetString()}")
            .ShouldContain("CCM-T04 Task.executionPeriod");
    }

    [Fact]
    public async Task The_month_is_decided_alike_on_the_morning_after_it_but_for_the_instant()
    {
        var later = await CloseAsync(Samples, MonthEnd);
        var morning = await CloseAsync(Samples, "2026-11-01T13:00:00Z");
        morning.Replace("2026-11-01T13:00:00Z", MonthEnd, StringComparison.Ordinal).ShouldBe(later);
    }

    [Fact]
    public async Task The_consent_that_arrives_later_mends_the_hold_and_changes_nobody_else()
    {
        var both = Directory.CreateTempSubdirectory("ccmfhir-mended-").FullName;
        try
        {
            foreach (var folder in new[] { "samples", "samples-mended" })
            {
                foreach (var file in Directory.GetFiles(Repository.At("profiles", folder), "*.json"))
                {
                    File.Copy(file, Path.Combine(both, $"{folder}-{Path.GetFileName(file)}"));
                }
            }
            using var before = JsonDocument.Parse(await CloseAsync(Samples, MonthEnd));
            using var after = JsonDocument.Parse(await CloseAsync(both, MonthEnd));
            var old = Texts(before);
            var changed = Texts(after).Where(pair => old[pair.Key] != pair.Value).ToList();
            changed.Select(pair => pair.Key).ShouldBe(["Patient/goldfinch"]);
            var mended = after
                .RootElement.GetProperty("decisions")
                .EnumerateArray()
                .Single(decision => decision.GetProperty("patient").GetString() == "Patient/goldfinch");
            Lines(mended).ShouldBe(["99490"]);
            Codes(mended).ShouldBeEmpty();
            mended.GetProperty("total").GetDecimal().ShouldBe(66.13m);
        }
        finally
        {
            Directory.Delete(both, recursive: true);
        }
    }

    private static Dictionary<string, string> Texts(JsonDocument result) =>
        result
            .RootElement.GetProperty("decisions")
            .EnumerateArray()
            .ToDictionary(decision => decision.GetProperty("patient").GetString()!, decision => decision.GetRawText());

    private static List<string> Lines(JsonElement decision) =>
        [
            .. decision
                .GetProperty("lines")
                .EnumerateArray()
                .Select(line =>
                    line.GetProperty("units").GetInt32() is var units and > 1
                        ? $"{line.GetProperty("code").GetString()} x {units}"
                        : line.GetProperty("code").GetString()!
                )
                .Order(StringComparer.Ordinal),
        ];

    // The reasons, and what was refused.
    private static List<string> Codes(JsonElement decision) =>
        [
            .. decision
                .GetProperty("reasons")
                .EnumerateArray()
                .Select(reason => reason.GetProperty("code").GetString()!)
                .Concat(
                    decision
                        .GetProperty("refused")
                        .EnumerateArray()
                        .SelectMany(refused => refused.GetProperty("issues").EnumerateArray())
                        .Select(issue => issue.GetProperty("code").GetString()!)
                        .Where(code => code.StartsWith("CCM-", StringComparison.Ordinal))
                )
                .Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal),
        ];

    private static List<Row> Rows() =>
        [
            .. File.ReadAllLines(Path.Combine(Samples, "README.md"))
                .Where(line => line.Length > 3 && line[0] == '|' && char.IsAsciiDigit(line[2]))
                .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries))
                .Select(cells => new Row(
                    cells[0],
                    cells[2].StartsWith("none", StringComparison.Ordinal)
                        ? []
                        : [.. cells[2].Split(", ").Order(StringComparer.Ordinal)],
                    cells[3].Length == 0 ? 0 : decimal.Parse(cells[3], CultureInfo.InvariantCulture),
                    [
                        .. cells[4]
                            .Replace("refused: ", "", StringComparison.Ordinal)
                            .Split(", ", StringSplitOptions.RemoveEmptyEntries)
                            .Order(StringComparer.Ordinal),
                    ]
                )),
        ];

    // A POSTed patient gets the uuid of its fullUrl.
    private static string Patient(string file)
    {
        using var bundle = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Samples, file + ".json")));
        var entry = bundle
            .RootElement.GetProperty("entry")
            .EnumerateArray()
            .First(one => one.GetProperty("resource").GetProperty("resourceType").GetString() == "Patient");
        return entry.GetProperty("resource").TryGetProperty("id", out var id)
            ? "Patient/" + id.GetString()
            : "Patient/" + entry.GetProperty("fullUrl").GetString()!["urn:uuid:".Length..];
    }

    private static Task<string> CloseAsync(string folder, string asOf) =>
        ClosedFolder.JsonAsync(folder, Repository.At("profiles", "practices", "maple-street.json"), "2026-10", asOf);

    private sealed record Row(string File, IReadOnlyList<string> Lines, decimal Total, IReadOnlyList<string> Reasons);
}
