using System.Globalization;
using System.Text.Json.Nodes;
using CcmFhir.Validation;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Export;

/// <summary>The program's measures over the demo month. The figures were worked out by hand from the samples and their README.</summary>
public sealed class MeasuresTest
{
    private const string October = "periodStart=2026-10-01&periodEnd=2026-10-31";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Patients_are_counted_before_and_after_the_close()
    {
        await using var demo = await DemoJournal.OpenAsync();
        await using (var server = await StartAsync(demo))
        {
            var open = await ReportAsync(server, $"Measure/ccm-program/$evaluate-measure?{October}");
            Counts(open).ShouldBe("enrolled 20, consented 19, engaged 17, billed 0, plans-overdue 0");
        }
        await demo.CloseAsync();
        await using var closed = await StartAsync(demo);
        var report = await ReportAsync(closed, $"Measure/ccm-program/$evaluate-measure?{October}");
        Counts(report).ShouldBe("enrolled 20, consented 19, engaged 17, billed 15, plans-overdue 0");
        report["type"]!.GetValue<string>().ShouldBe("summary");
        report["measure"]!.GetValue<string>().ShouldBe("http://ccmfhir.org/fhir/Measure/ccm-program");
        report["period"]!["end"]!.GetValue<string>().ShouldBe("2026-10-31");
    }

    [Fact]
    public async Task Revenue_is_what_the_standing_claims_charge_by_code()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        await using var server = await StartAsync(demo);
        var report = await ReportAsync(server, $"Measure/ccm-revenue/$evaluate-measure?{October}");
        Score(report["group"]![0]!).ShouldBe("1532.62 USD");
        Strata(report, 0, 0)
            .ShouldBe([
                "99437 1 66 USD",
                "99439 3 151.32 USD",
                "99487 2 288.58 USD",
                "99489 1 78.16 USD",
                "99490 12 793.56 USD",
                "99491 1 90 USD",
                "G0506 1 65 USD",
            ]);
    }

    [Fact]
    public async Task Denials_are_counted_by_reason_and_the_payers_beside_them()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var claim = (await demo.Streams.ReadAsync("patient/maple-street/maplewood", Cancel)).Claims.Single();
        await demo.TakeAsync(
            JsonNode
                .Parse(
                    $$"""
                    {"resourceType":"ClaimResponse","id":"cr1","status":"active",
                     "type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/claim-type","code":"professional"}]},
                     "use":"claim","patient":{"reference":"Patient/maplewood"},"created":"2026-11-20",
                     "insurer":{"display":"Medicare"},"request":{"reference":"Claim/{{claim.Id}}"},"outcome":"complete",
                     "disposition":"CO-18 exact duplicate","payment":{"type":{"text":"none"},"amount":{"value":0,"currency":"USD"} } }
                    """
                )!
                .AsObject()
        );
        await using var server = await StartAsync(demo);
        var report = await ReportAsync(server, $"Measure/ccm-denials/$evaluate-measure?{October}");
        Counts(report).ShouldBe("not-billed 5, denied-by-payer 1");
        Strata(report, 0, 0).ShouldBe(["CCM-C01 1", "CCM-E01 1", "CCM-K01 1", "CCM-T01 2"]);
        Strata(report, 1, 0).ShouldBe(["CO-18 exact duplicate 1"]);
    }

    [Fact]
    public async Task Minutes_that_counted_are_told_by_activity_and_by_staff()
    {
        await using var demo = await DemoJournal.OpenAsync();
        await using var server = await StartAsync(demo);
        var report = await ReportAsync(server, $"Measure/ccm-minutes/$evaluate-measure?{October}");
        Score(report["group"]![0]!).ShouldBe("640.98 min");
        Strata(report, 0, 0)
            .Select(line => line.Split(' '))
            .Select(parts => $"{parts[0]} {parts[2]}")
            .ShouldBe([
                "care-coordination 117",
                "care-plan-revision 25",
                "caregiver-communication 53",
                "community-services 44",
                "medication-management 109",
                "medication-reconciliation 30.5",
                "patient-communication 46.5",
                "patient-education 40",
                "results-review 54.98",
                "symptom-management 121",
            ]);
        Strata(report, 0, 1)
            .Select(line => line.Split(' '))
            .Select(parts => $"{parts[0]} {parts[2]}")
            .ShouldBe([
                "Practitioner/dr-okafor 73",
                "Practitioner/lpn-nkosi 15",
                "Practitioner/rn-baptiste 208.48",
                "Practitioner/rn-lindqvist 340",
                "PractitionerRole/rn-baptiste-care-manager 4.5",
            ]);
    }

    [Fact]
    public async Task Readmissions_within_thirty_days_and_reconciled_medications_are_proportions()
    {
        await using var demo = await DemoJournal.OpenAsync();
        await using var server = await StartAsync(demo);
        var before = await ReportAsync(server, $"Measure/ccm-readmissions/$evaluate-measure?{October}");
        Populations(before).ShouldBe("initial-population 2, denominator 2, numerator 0");
        Score(before["group"]![0]!).ShouldBe("0");
        // Dunmore, home on the 13th, is admitted again on the 30th and leaves in November.
        var stay = await demo.CurrentAsync("dunmore", "Encounter/dunmore-stay");
        stay["id"] = "dunmore-again";
        stay.Remove("identifier");
        stay["period"] = new JsonObject
        {
            ["start"] = "2026-10-30T08:00:00-04:00",
            ["end"] = "2026-11-04T12:00:00-05:00",
        };
        await demo.TakeAsync(stay);
        var after = await ReportAsync(server, $"Measure/ccm-readmissions/$evaluate-measure?{October}");
        Populations(after).ShouldBe("initial-population 2, denominator 2, numerator 1");
        Score(after["group"]![0]!).ShouldBe("0.5");

        var reconciled = await ReportAsync(
            server,
            $"Measure/ccm-medication-reconciliation/$evaluate-measure?{October}"
        );
        Populations(reconciled).ShouldBe("initial-population 20, denominator 19, numerator 3");
        Score(reconciled["group"]![0]!).ShouldBe("0.1579");
    }

    [Fact]
    public async Task A_plan_past_its_review_day_is_overdue_and_its_patient_named_where_a_list_is_asked_for()
    {
        await using var demo = await DemoJournal.OpenAsync();
        var record = await demo.Streams.ReadAsync("patient/maple-street/maplewood", Cancel);
        var reference = record.Resources.Single(one => one.Current.Type == "CarePlan").Current.Reference;
        var plan = await demo.CurrentAsync("maplewood", reference);
        plan["extension"]!
            .AsArray()
            .Single(one => one!["url"]!.GetValue<string>().EndsWith("/review-by", StringComparison.Ordinal))![
            "valueDate"
        ] = "2026-10-20";
        await demo.TakeAsync(plan);
        await using var server = await StartAsync(demo);

        var report = await ReportAsync(
            server,
            $"Measure/ccm-program/$evaluate-measure?{October}&reportType=subject-list"
        );

        Counts(report).ShouldEndWith("plans-overdue 1");
        var list = report["contained"]!
            .AsArray()
            .Single(one => one!["id"]!.GetValue<string>() == "plans-overdue-initial-population")!;
        list["entry"]!.AsArray().ShouldHaveSingleItem()!["item"]!["reference"]!
            .GetValue<string>()
            .ShouldBe("Patient/maplewood");
        report["group"]![4]!["population"]![0]!["subjectResults"]!["reference"]!
            .GetValue<string>()
            .ShouldBe("#plans-overdue-initial-population");

        var one = await ReportAsync(
            server,
            $"Measure/$evaluate-measure?measure=http://ccmfhir.org/fhir/Measure/ccm-program&{October}&subject=Patient/maplewood"
        );
        one["type"]!.GetValue<string>().ShouldBe("individual");
        one["subject"]!["reference"]!.GetValue<string>().ShouldBe("Patient/maplewood");
        Counts(one).ShouldBe("enrolled 1, consented 1, engaged 1, billed 0, plans-overdue 1");
    }

    [Fact]
    public async Task Without_a_measure_all_are_reported_and_several_months_are_one_period()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        await using var server = await StartAsync(demo);
        var bundle = await ReportAsync(
            server,
            "Measure/$evaluate-measure?periodStart=2026-09&periodEnd=2026-11&reportType=population"
        );
        bundle["entry"]!
            .AsArray()
            .Select(entry => entry!["resource"]!["measure"]!.GetValue<string>().Split('/')[^1])
            .ShouldBe([
                "ccm-denials",
                "ccm-medication-reconciliation",
                "ccm-minutes",
                "ccm-program",
                "ccm-readmissions",
                "ccm-revenue",
            ]);
        Score(bundle["entry"]![5]!["resource"]!["group"]![0]!).ShouldBe("1532.62 USD");
    }

    [Theory]
    [InlineData("Measure/ccm-program/$evaluate-measure", 400, "whole service months")]
    [InlineData("Measure/ccm-program/$evaluate-measure?periodStart=2026-10-02&periodEnd=2026-10-31", 400, "whole")]
    [InlineData("Measure/ccm-program/$evaluate-measure?periodStart=2026-10&periodEnd=2026-09", 400, "whole")]
    [InlineData("Measure/ccm-program/$evaluate-measure?periodStart=2031-10&periodEnd=2031-10", 422, "no rule set")]
    [InlineData("Measure/ccm-nothing/$evaluate-measure?periodStart=2026-10&periodEnd=2026-10", 404, "ccm-revenue")]
    [InlineData(
        "Measure/ccm-program/$evaluate-measure?periodStart=2026-10&periodEnd=2026-10&reportType=subject",
        400,
        "subject"
    )]
    [InlineData(
        "Measure/ccm-program/$evaluate-measure?periodStart=2026-10&periodEnd=2026-10&subject=Patient/nobody",
        404,
        "Patient/nobody"
    )]
    public async Task What_cannot_be_reported_is_refused_with_what_would_be_right(
        string path,
        int status,
        string saying
    )
    {
        await using var demo = await DemoJournal.OpenAsync();
        await using var server = await StartAsync(demo);
        using var http = new HttpClient { BaseAddress = new Uri(server.Urls.First()) };
        using var answer = await http.GetAsync("/maple-street/fhir/" + path, Cancel);
        ((int)answer.StatusCode).ShouldBe(status);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain(saying);
    }

    [Fact]
    public void Each_measure_of_the_package_is_valid()
    {
        var files = Directory.GetFiles(Repository.At("profiles"), "Measure-*.json");
        files.Length.ShouldBe(CcmFhir.Measures.MeasureTable.All.Count);
        foreach (var file in files)
        {
            Path.GetFileNameWithoutExtension(file)["Measure-".Length..]
                .ShouldBeOneOf([.. CcmFhir.Measures.MeasureTable.All.Keys]);
            Faults(File.ReadAllBytes(file)).ShouldBeEmpty(file);
        }
    }

    private static async Task<WebApplication> StartAsync(DemoJournal demo)
    {
        var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store={demo.Store}",
                $"--Ccm:Practices={demo.PracticeFolder}",
                Quiet.Console,
                "--Ccm:PushEverySeconds=0",
            ],
            new FakeTimeProvider(DemoJournal.Now),
            Cancel
        );
        await app.StartAsync(Cancel);
        return app;
    }

    // Whatever is answered is valid.
    private static async Task<JsonNode> ReportAsync(WebApplication server, string path)
    {
        using var http = new HttpClient { BaseAddress = new Uri(server.Urls.First()) };
        var bytes = await http.GetByteArrayAsync("/maple-street/fhir/" + path, Cancel);
        Faults(bytes).ShouldBeEmpty(path);
        return JsonNode.Parse(bytes)!;
    }

    private static IEnumerable<string> Faults(byte[] resource) =>
        ProfileSet
            .Default.Validate(FhirJson.Parse(resource, out _)!.Root, [])
            .Issues.Where(issue => issue.Severity <= Severity.Error)
            .Select(issue => $"{issue.Rule} {issue.Expression} {issue.Text}");

    private static string Counts(JsonNode report) =>
        string.Join(
            ", ",
            report["group"]!.AsArray().Select(group => $"{group!["code"]!["text"]} {group["population"]![0]!["count"]}")
        );

    private static string Populations(JsonNode report) =>
        string.Join(
            ", ",
            report["group"]![0]!["population"]!
                .AsArray()
                .Select(one => $"{one!["code"]!["coding"]![0]!["code"]} {one["count"]}")
        );

    private static string Score(JsonNode part) =>
        part["measureScore"] is { } score
            ? $"{score["value"]!.GetValue<decimal>().ToString("0.####", CultureInfo.InvariantCulture)} {score["unit"]}".Trim()
            : "";

    private static IEnumerable<string> Strata(JsonNode report, int group, int stratifier) =>
        report["group"]![group]!["stratifier"]![stratifier]!["stratum"]!
            .AsArray()
            .Select(one => $"{one!["value"]!["text"]} {one["population"]![0]!["count"]} {Score(one)}".Trim());
}
