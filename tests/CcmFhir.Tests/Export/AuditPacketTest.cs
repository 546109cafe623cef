using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using CcmFhir.Audit;
using CcmFhir.Commands;
using CcmFhir.Domain;
using CcmFhir.Validation;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Export;

/// <summary>The audit packet: what a claim rests on, as it stood, as a FHIR document and as a page.</summary>
public sealed class AuditPacketTest
{
    private const string Base = "https://ccm.example/maple-street/fhir";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_document_of_every_patient_of_the_demo_month_is_valid_and_its_references_resolve()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var patients = await demo.Close.PatientsAsync("maple-street", October, Cancel);
        patients.Count.ShouldBe(20);
        foreach (var patient in patients)
        {
            var bytes = await DocumentAsync(demo, patient);
            var report = ProfileSet.Default.Validate(FhirJson.Parse(bytes, out _)!.Root, []);
            report
                .Issues.Where(issue => issue.Severity <= Severity.Error)
                .Select(issue => $"{issue.Rule} {issue.Expression} {issue.Text}")
                .ShouldBeEmpty(patient);
            var bundle = JsonNode.Parse(bytes)!;
            bundle["type"]!.GetValue<string>().ShouldBe("document");
            var urls = bundle["entry"]!.AsArray().Select(entry => entry!["fullUrl"]!.GetValue<string>()).ToHashSet();
            urls.Count.ShouldBe(bundle["entry"]!.AsArray().Count);
            var composition = bundle["entry"]![0]!["resource"]!;
            composition["resourceType"]!.GetValue<string>().ShouldBe("Composition");
            urls.ShouldContain($"{Base}/{composition["subject"]!["reference"]!.GetValue<string>()}");
            foreach (var section in composition["section"]!.AsArray())
            {
                foreach (var entry in section!["entry"]?.AsArray() ?? [])
                {
                    urls.ShouldContain($"{Base}/{entry!["reference"]!.GetValue<string>()}");
                }
            }
        }
    }

    [Fact]
    public async Task It_holds_consent_plan_conditions_every_log_the_rules_and_the_claim()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var bundle = JsonNode.Parse(await DocumentAsync(demo, "dunmore"))!;

        bundle["entry"]![0]!["resource"]!["status"]!.GetValue<string>().ShouldBe("final");
        Titles(bundle)
            .ShouldBe([
                "Decision",
                "Consent as given",
                "Care plan as it stood",
                "Chronic conditions",
                "Initiating visit and coverage",
                "Time logs",
                "Time that does not count, and why",
                "Rules that were asked, and their sources",
                "Claims, and what the EHR and the payer answered",
                "What came after the claim",
                "Journal entries that it rests on",
            ]);
        var types = bundle["entry"]!
            .AsArray()
            .Select(entry => entry!["resource"]!["resourceType"]!.GetValue<string>())
            .ToList();
        foreach (
            var type in (string[])
                [
                    "Patient",
                    "Organization",
                    "Practitioner",
                    "Consent",
                    "CarePlan",
                    "Goal",
                    "Condition",
                    "Coverage",
                    "Task",
                    "Claim",
                ]
        )
        {
            types.ShouldContain(type);
        }
        // 21 minutes count; 15 during a hospital stay do not.
        Section(bundle, "Decision").ShouldContain("21 min");
        Section(bundle, "Time that does not count, and why").ShouldContain("CCM-F01");
        Section(bundle, "Time that does not count, and why").ShouldContain("<td>900</td>");
        Section(bundle, "Claims, and what the EHR and the payer answered").ShouldContain("claim-issued");
        var logs = (await demo.Streams.ReadAsync("patient/maple-street/dunmore", Cancel))
            .Resources.Where(one => one.Current.Type == "Task")
            .Select(one => one.Current.Reference)
            .ToList();
        logs.Count.ShouldBeGreaterThan(1);
        logs.ShouldAllBe(log => Section(bundle, "Time logs").Contains(log));
    }

    [Fact]
    public async Task What_came_after_the_claim_does_not_change_what_it_rests_on()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var before = JsonNode.Parse(await DocumentAsync(demo, "maplewood"))!;
        var plan = await demo.CurrentAsync("maplewood", Reference(before, "CarePlan"));
        plan["description"] = "changed afterwards";
        await demo.TakeAsync(plan);
        var consent = await demo.CurrentAsync("maplewood", Reference(before, "Consent"));
        consent["status"] = "entered-in-error";
        await demo.TakeAsync(consent);

        var after = JsonNode.Parse(await DocumentAsync(demo, "maplewood"))!;

        Section(after, "Decision").ShouldBe(Section(before, "Decision"));
        Resource(after, "CarePlan").ToJsonString().ShouldNotContain("changed afterwards");
        Resource(after, "Consent")["status"]!.GetValue<string>().ShouldNotBe("entered-in-error");
        Section(before, "What came after the claim").ShouldContain("Nothing.");
        Section(after, "What came after the claim").ShouldContain("CarePlan/");
        Section(after, "What came after the claim").ShouldContain("Consent/");
    }

    [Fact]
    public async Task Before_the_close_it_says_that_it_is_preliminary()
    {
        await using var demo = await DemoJournal.OpenAsync();
        var bundle = JsonNode.Parse(await DocumentAsync(demo, "maplewood"))!;
        bundle["entry"]![0]!["resource"]!["status"]!.GetValue<string>().ShouldBe("preliminary");
        Section(bundle, "Decision").ShouldContain("Preliminary: no claim was issued for 2026-10");
        Section(bundle, "Decision").ShouldContain("99490");
        Section(bundle, "Claims, and what the EHR and the payer answered").ShouldContain("No claim was issued.");
    }

    [Fact]
    public async Task The_hash_chain_can_be_recomputed_from_the_document_and_is_that_of_the_journal()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var bundle = JsonNode.Parse(await DocumentAsync(demo, "maplewood"))!;
        var rows = Section(bundle, "Journal entries that it rests on")
            .Split("<tr>")
            .Skip(2)
            .Select(row =>
                row.Split("<td>")
                    .Skip(1)
                    .Select(cell => cell[..cell.IndexOf("</td>", StringComparison.Ordinal)])
                    .ToList()
            )
            .ToList();
        var entries = await demo.Streams.Store.ReadAsync("patient/maple-street/maplewood", 0, Cancel);
        rows.Count.ShouldBe(entries.Count);
        var hash = new byte[32];
        for (var at = 0; at < rows.Count; at++)
        {
            hash = SHA256.HashData([.. hash, .. Convert.FromHexString(rows[at][4])]);
            rows[at][5].ShouldBe(Convert.ToHexStringLower(hash));
            Convert.ToHexStringLower(entries[at].Hash.Span).ShouldBe(rows[at][5]);
        }
    }

    [Fact]
    public async Task The_command_writes_document_and_page_and_knows_who_is_not_there()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var json = await RunAsync(demo, "--patient", "Patient/maplewood", "--month", "2026-10");
        json.Exit.ShouldBe(0, json.Error);
        JsonNode.Parse(json.Output)!["resourceType"]!.GetValue<string>().ShouldBe("Bundle");
        var file = Path.Combine(demo.Folder, "audit.html");
        (
            await RunAsync(demo, "--patient", "maplewood", "--month", "2026-10", "--format", "html", "--output", file)
        ).Exit.ShouldBe(0);
        var page = await File.ReadAllTextAsync(file, Cancel);
        page.ShouldStartWith("<!DOCTYPE html>");
        page.ShouldContain("<h2>Consent as given</h2>");
        page.ShouldContain("<style>");
        var nobody = await RunAsync(demo, "--patient", "nobody", "--month", "2026-10");
        (nobody.Exit, nobody.Output).ShouldBe((1, ""));
        (await RunAsync(demo, "--patient", "maplewood", "--month", "2031-10")).Error.ShouldContain("no rule set");
    }

    [Fact]
    public async Task The_operation_answers_the_document_and_404_for_who_is_not_there()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        await using var app = await Server.BuildAsync(
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
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        var bundle = JsonNode.Parse(
            await http.GetStringAsync("/maple-street/fhir/Patient/maplewood/$ccm-audit?month=2026-10", Cancel)
        )!;
        bundle["entry"]![0]!["resource"]!["resourceType"]!.GetValue<string>().ShouldBe("Composition");
        bundle["entry"]![1]!["fullUrl"]!.GetValue<string>().ShouldStartWith(app.Urls.First() + "/maple-street/fhir/");
        foreach (
            var (path, status) in ((string, int)[])
                [
                    ("fhir/Patient/nobody/$ccm-audit?month=2026-10", 404),
                    ("fhir/Patient/maplewood/$ccm-audit?month=October", 400),
                    ("fhir/Patient/maplewood/$ccm-audit?month=2031-01", 422),
                    ("patients/nobody/2026-10/audit", 404),
                    ("patients/maplewood/2026-10/audit", 200),
                ]
        )
        {
            using var answer = await http.GetAsync($"/maple-street/{path}", Cancel);
            ((int)answer.StatusCode).ShouldBe(status, path);
        }
        (await http.GetStringAsync("/maple-street/patients/maplewood/2026-10", Cancel)).ShouldContain(
            "href=\"/maple-street/patients/maplewood/2026-10/audit\""
        );
    }

    [Fact]
    public async Task A_name_with_markup_stays_text()
    {
        await using var demo = await DemoJournal.ClosedAsync(practice =>
            practice["name"] = "<script>alert(1)</script>"
        );
        var run = await RunAsync(demo, "--patient", "maplewood", "--month", "2026-10", "--format", "html");
        run.Output.ShouldNotContain("<script");
        run.Output.ShouldContain("&lt;script&gt;");
    }

    private static ServiceMonth October => ServiceMonth.TryParse("2026-10", out var month) ? month : default;

    private static async Task<byte[]> DocumentAsync(DemoJournal demo, string patient) =>
        AuditDocument.Write(
            (
                await new MakeAuditPacket(
                    demo.Close,
                    demo.Streams,
                    RuleSet.Medicare,
                    new FakeTimeProvider(DemoJournal.Now.AddDays(30))
                ).RunAsync(demo.File, patient, October, Cancel)
            )!,
            Base
        );

    private static IEnumerable<string> Titles(JsonNode bundle) =>
        bundle["entry"]![0]!["resource"]!["section"]!
            .AsArray()
            .Select(section => section!["title"]!.GetValue<string>());

    private static string Section(JsonNode bundle, string title) =>
        bundle["entry"]![0]!["resource"]!["section"]!
            .AsArray()
            .Single(section => section!["title"]!.GetValue<string>() == title)!["text"]!["div"]!.GetValue<string>();

    private static JsonNode Resource(JsonNode bundle, string type) =>
        bundle["entry"]!
            .AsArray()
            .Select(entry => entry!["resource"]!)
            .First(resource => resource["resourceType"]!.GetValue<string>() == type);

    private static string Reference(JsonNode bundle, string type) =>
        $"{type}/{Resource(bundle, type)["id"]!.GetValue<string>()}";

    private static async Task<(int Exit, string Output, string Error)> RunAsync(
        DemoJournal demo,
        params string[] arguments
    )
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var exit = await ExportCommand
            .Build(new FakeTimeProvider(DemoJournal.Now))
            .Parse(["audit", "--practice", demo.PracticePath, "--store", demo.Store, .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, Cancel);
        return (exit, output.ToString(), error.ToString());
    }
}
