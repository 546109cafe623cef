using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CcmFhir.Commands;
using CcmFhir.Export;
using Microsoft.Extensions.Time.Testing;
using Microsoft.VisualBasic.FileIO;

namespace CcmFhir.Tests.Export;

/// <summary><c>ccmfhir export claims</c>: the claims of a month for a clearinghouse, a spreadsheet and a program.</summary>
public sealed class ExportClaimsTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_837P_of_the_demo_month_holds_the_fields_of_each_claim()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var file = Path.Combine(demo.Folder, "claims.837");
        var run = await RunAsync(demo, "--format", "837p", "--output", file);
        run.Error.ShouldBeEmpty();
        run.Exit.ShouldBe(0);

        var x12 = await X12File.ReadAsync(file);

        x12.Isa[12].ShouldBe("00501");
        x12.Isa[13].ShouldBe("1", "the parser reads a number; the file has nine digits, see below");
        (await File.ReadAllTextAsync(file, Cancel)).ShouldContain("*00501*000000001*0*T*:~");
        x12.Gs[1].ShouldBe("HC");
        x12.Gs[8].ShouldBe("005010X222A1");
        x12.St.ShouldBe(["ST", "837", "0001", "005010X222A1"]);
        X12File.One(x12.Segments, "BHT")[1..3].ShouldBe(["0019", "00"]);
        X12File.One(x12.Segments, "NM1", "85")[3].ShouldBe("Maple Street Family Medicine");
        X12File.One(x12.Segments, "NM1", "85")[9].ShouldBe("1999001013");
        X12File.One(x12.Segments, "REF", "EI")[2].ShouldBe("123456789");
        X12File.One(x12.Segments, "PRV", "BI")[3].ShouldBe("207Q00000X");
        var claims = await ClaimsAsync(demo);
        x12.Subscribers.Count.ShouldBe(claims.Count);
        claims.Count.ShouldBe(15);
        for (var at = 0; at < claims.Count; at++)
        {
            await HoldsAsync(demo, x12.Subscribers[at], claims[at], at + 2);
        }
    }

    [Fact]
    public async Task A_replacement_and_a_void_name_what_they_correct_by_our_number_until_the_payer_has_given_one()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        // A second call with Eleanor Maplewood is logged late; Dunmore's consent was entered in error.
        var log = await demo.CurrentAsync("maplewood", "Task/maplewood-t1");
        log["id"] = "maplewood-late";
        log.Remove("identifier");
        log.Remove("output");
        log.Remove("extension");
        log["executionPeriod"] = new JsonObject
        {
            ["start"] = "2026-10-27T09:00:00-04:00",
            ["end"] = "2026-10-27T09:25:00-04:00",
        };
        await demo.TakeAsync(log);
        var consent = await demo.CurrentAsync("dunmore", "Consent/dunmore-consent");
        consent["status"] = "entered-in-error";
        await demo.TakeAsync(consent);
        var first = await ClaimsAsync(demo);
        (await demo.CloseAsync(now: DemoJournal.Now.AddDays(1))).Issued.Count.ShouldBe(2);
        // The payer has answered on Dunmore's first claim and not on Maplewood's.
        var answered = first.Single(claim => Patient(claim) == "Patient/dunmore");
        await demo.TakeAsync(
            new JsonObject
            {
                ["resourceType"] = "ExplanationOfBenefit",
                ["id"] = "eob1",
                ["identifier"] = new JsonArray(
                    new JsonObject { ["system"] = "https://payer.example/claims", ["value"] = "2026305000017" }
                ),
                ["status"] = "active",
                ["type"] = JsonNode.Parse(answered.GetProperty("type").GetRawText()),
                ["use"] = "claim",
                ["patient"] = new JsonObject { ["reference"] = "Patient/dunmore" },
                ["created"] = "2026-11-24",
                ["insurer"] = new JsonObject { ["display"] = "Medicare" },
                ["provider"] = new JsonObject { ["reference"] = "Organization/maple-street" },
                ["claim"] = new JsonObject { ["reference"] = "Claim/" + answered.GetProperty("id").GetString() },
                ["outcome"] = "complete",
                ["insurance"] = new JsonArray(
                    new JsonObject
                    {
                        ["focal"] = true,
                        ["coverage"] = new JsonObject { ["display"] = "Part B" },
                    }
                ),
            }
        );

        var file = Path.Combine(demo.Folder, "corrections.837");
        var run = await RunAsync(demo, "--format", "837p", "--since", "2026-11-23T12:00:00Z", "--output", file);

        run.Exit.ShouldBe(0, run.Error);
        var x12 = await X12File.ReadAsync(file);
        x12.Subscribers.Count.ShouldBe(2);
        var back = x12.Subscribers.Single(one => X12File.One(one, "NM1", "IL")[3] == "Dunmore");
        X12File.One(back, "CLM")[5].ShouldBe("11:B:8");
        X12File.One(back, "REF", "F8")[2].ShouldBe("2026305000017");
        var again = x12.Subscribers.Single(one => X12File.One(one, "NM1", "IL")[3] == "Maplewood");
        X12File.One(again, "CLM")[5].ShouldBe("11:B:7");
        X12File.One(again, "REF", "F8")[2].ShouldBe(Control(first.Single(one => Patient(one) == "Patient/maplewood")));
        X12File.All(again, "SV1").Count.ShouldBe(2);
    }

    [Fact]
    public async Task Each_file_has_its_own_control_number_and_the_journal_keeps_it()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var first = await RunAsync(demo, "--format", "837p");
        var second = await RunAsync(demo, "--format", "837p");
        first.Output.ShouldContain("IEA*1*000000001~");
        second.Output.ShouldContain("ISA*00*");
        second.Output.ShouldContain("IEA*1*000000002~");
        (await demo.Streams.Store.ReadAsync("interchange/maple-street", 0, Cancel)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_rural_health_clinic_gets_an_837I_with_type_of_bill_and_revenue_code()
    {
        await using var demo = await DemoJournal.ClosedAsync(practice =>
        {
            practice["facility"] = "rhc";
            practice["claimFiles"]!["revenueCode"] = "0521";
        });
        var file = Path.Combine(demo.Folder, "claims.837");
        var run = await RunAsync(demo, "--format", "837i", "--output", file);
        run.Exit.ShouldBe(0, run.Error);

        var x12 = await X12File.ReadAsync(file);

        x12.Gs[8].ShouldBe("005010X223A2");
        x12.Subscribers.Count.ShouldBeGreaterThan(0);
        foreach (var claim in x12.Subscribers)
        {
            X12File.One(claim, "CLM")[5].ShouldBe("71:A:1");
            X12File.One(claim, "DTP", "434")[3].ShouldBe("20261001-20261031");
            X12File.One(claim, "NM1", "71")[8].ShouldBe("XX");
            X12File.One(claim, "SBR")[9].ShouldBe("MA");
            X12File.All(claim, "SV2").ShouldNotBeEmpty();
            X12File.All(claim, "SV2").ShouldAllBe(line => line[1] == "0521" && line[2].StartsWith("HC:"));
            X12File.All(claim, "HI")[0].Length.ShouldBe(2, "the principal diagnosis stands alone");
        }
        var professional = await RunAsync(demo, "--format", "837p");
        professional.Exit.ShouldBe(1);
        professional.Error.ShouldContain("837i");
    }

    [Theory]
    [InlineData("claimFiles", null, "has no 'claimFiles'")]
    [InlineData("tin", "\"12-34\"", "'practice.tin'")]
    [InlineData("facility", "\"fqhc\"", "'claimFiles.revenueCode'")]
    [InlineData("claimFiles.senderId", null, "'claimFiles.senderId' is missing")]
    [InlineData("claimFiles.senderId", "\"CCM*1\"", "'claimFiles.senderId'")]
    [InlineData("claimFiles.postalCode", "\"12207\"", "'claimFiles.postalCode'")]
    [InlineData("claimFiles.state", "\"New York\"", "'claimFiles.state'")]
    [InlineData("claimFiles.phone", "\"555\"", "'claimFiles.phone'")]
    [InlineData("claimFiles.taxonomy", "\"family\"", "'claimFiles.taxonomy'")]
    [InlineData("claimFiles.revenueCode", "\"52\"", "'claimFiles.revenueCode'")]
    public async Task What_the_practice_file_lacks_is_named_and_nothing_is_written(
        string setting,
        string? json,
        string saying
    )
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var practice = JsonNode.Parse(await File.ReadAllTextAsync(demo.PracticePath, Cancel))!.AsObject();
        var path = setting.Split('.');
        var place = path.Length == 1 ? practice : practice[path[0]]!.AsObject();
        place.Remove(path[^1]);
        if (json is not null)
        {
            place[path[^1]] = JsonNode.Parse(json);
        }
        await File.WriteAllTextAsync(demo.PracticePath, practice.ToJsonString(), Cancel);

        var run = await RunAsync(demo, "--format", "837p");

        run.Exit.ShouldBe(2);
        run.Error.ShouldContain(saying);
        run.Output.ShouldBeEmpty();
        (await demo.Streams.Store.ReadAsync("interchange/maple-street", 0, Cancel)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_claim_that_lacks_something_is_left_out_and_told_without_a_name()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var patient = await demo.CurrentAsync("maplewood", "Patient/maplewood");
        patient.Remove("address");
        await demo.TakeAsync(patient);

        var run = await RunAsync(demo, "--format", "837p");

        run.Exit.ShouldBe(1);
        run.Error.ShouldContain("Patient/maplewood has no address");
        run.Error.ShouldContain("2010BA N3");
        run.Output.ShouldNotContain("Maplewood");
        run.Output.Split("CLM*").Length.ShouldBe(15, "fourteen claims");
    }

    [Fact]
    public async Task A_month_without_claims_makes_no_837_and_empty_tables()
    {
        await using var demo = await DemoJournal.OpenAsync();
        var run = await RunAsync(demo, "--format", "837p");
        (run.Exit, run.Output).ShouldBe((1, ""));
        run.Error.ShouldContain("no claim of 2026-10");
        (await RunAsync(demo, "--format", "ndjson")).Output.ShouldBeEmpty();
        (await RunAsync(demo, "--format", "csv")).Output.Split("\r\n").Length.ShouldBe(2, "the header");
    }

    [Fact]
    public async Task The_CSV_has_one_record_a_line_that_another_reader_reads_back()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var patient = await demo.CurrentAsync("maplewood", "Patient/maplewood");
        patient["name"]![0]!["family"] = "=HYPERLINK(\"http://bad\"),\n\"quoted\"";
        await demo.TakeAsync(patient);

        var run = await RunAsync(demo, "--format", "csv");

        var rows = Rows(run.Output);
        var claims = await ClaimsAsync(demo);
        rows.Count.ShouldBe(claims.Sum(claim => claim.GetProperty("item").GetArrayLength()));
        var lines = claims
            .SelectMany(claim => claim.GetProperty("item").EnumerateArray().Select(item => (Claim: claim, Item: item)))
            .ToList();
        for (var at = 0; at < rows.Count; at++)
        {
            var (claim, item) = lines[at];
            rows[at]["claim"].ShouldBe(Identifier(claim));
            rows[at]["controlNumber"].ShouldBe(Control(claim));
            rows[at]["patient"].ShouldBe(Patient(claim));
            rows[at]["code"].ShouldBe(CodeOf(item.GetProperty("productOrService")));
            rows[at]["units"].ShouldBe(item.GetProperty("quantity").GetProperty("value").ToString());
            rows[at]["net"].ShouldBe(item.GetProperty("net").GetProperty("value").ToString());
            rows[at]["from"].ShouldBe(item.GetProperty("servicedDate").GetString());
            rows[at]["state"].ShouldBe("issued");
        }
        rows.First(row => row["patient"] == "Patient/maplewood")["family"]
            .ShouldBe("'=HYPERLINK(\"http://bad\"),\n\"quoted\"");
    }

    [Fact]
    public async Task The_NDJSON_is_the_Claims_as_issued()
    {
        await using var demo = await DemoJournal.ClosedAsync();
        var run = await RunAsync(demo, "--format", "ndjson");
        var lines = run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var claims = await ClaimsAsync(demo);
        lines.Length.ShouldBe(claims.Count);
        for (var at = 0; at < lines.Length; at++)
        {
            JsonNode.DeepEquals(JsonNode.Parse(lines[at]), JsonNode.Parse(claims[at].GetRawText())).ShouldBeTrue();
        }
    }

    [Theory]
    [InlineData("--format", "pdf", 1)]
    [InlineData("--since", "yesterday", 2)]
    [InlineData("--month", "2026-13", 1)]
    public async Task A_wrong_argument_is_refused(string option, string value, int exit)
    {
        await using var demo = await DemoJournal.OpenAsync();
        string[] arguments = option == "--format" ? [option, value] : ["--format", "csv", option, value];
        var run = await RunAsync(demo, arguments);
        run.Exit.ShouldBe(exit, run.Error);
    }

    private static async Task HoldsAsync(
        DemoJournal demo,
        IReadOnlyList<string[]> segments,
        JsonElement claim,
        int level
    )
    {
        segments[0].ShouldBe(["HL", level.ToString(CultureInfo.InvariantCulture), "1", "22", "0"]);
        var patient = await demo.CurrentAsync(Patient(claim)["Patient/".Length..], Patient(claim));
        var insured = X12File.One(segments, "NM1", "IL");
        insured[3].ShouldBe(patient["name"]![0]!["family"]!.GetValue<string>());
        insured[4].ShouldBe(patient["name"]![0]!["given"]![0]!.GetValue<string>());
        insured[8].ShouldBe("MI");
        insured[9]
            .ShouldBe(
                patient["identifier"]!
                    .AsArray()
                    .Single(one => one!["system"]!.GetValue<string>() == "http://hl7.org/fhir/sid/us-mbi")![
                    "value"
                ]!.GetValue<string>()
            );
        X12File.One(segments, "DMG")[2].ShouldBe(patient["birthDate"]!.GetValue<string>().Replace("-", ""));
        X12File.One(segments, "DMG")[3].ShouldBe(patient["gender"]!.GetValue<string>() == "male" ? "M" : "F");
        var head = X12File.One(segments, "CLM");
        head[1].ShouldBe(Control(claim));
        decimal.Parse(head[2], CultureInfo.InvariantCulture)
            .ShouldBe(claim.GetProperty("total").GetProperty("value").GetDecimal());
        head[5].ShouldBe(CodeOf(claim.GetProperty("item")[0].GetProperty("locationCodeableConcept")) + ":B:1");
        X12File.All(segments, "REF", "F8").ShouldBeEmpty();
        X12File
            .One(segments, "HI")[1..]
            .Select(code => code[(code.IndexOf(':') + 1)..])
            .ShouldBe(
                claim
                    .GetProperty("diagnosis")
                    .EnumerateArray()
                    .Select(one => CodeOf(one.GetProperty("diagnosisCodeableConcept")).Replace(".", ""))
            );
        X12File.One(segments, "HI")[1].ShouldStartWith("ABK:");
        X12File
            .One(segments, "NM1", "82")[9]
            .ShouldBe(
                claim
                    .GetProperty("careTeam")[0]
                    .GetProperty("provider")
                    .GetProperty("identifier")
                    .GetProperty("value")
                    .GetString()
            );
        var items = claim.GetProperty("item").EnumerateArray().ToList();
        var (services, dates) = (X12File.All(segments, "SV1"), X12File.All(segments, "DTP", "472"));
        services.Count.ShouldBe(items.Count);
        for (var at = 0; at < items.Count; at++)
        {
            services[at][1].ShouldBe("HC:" + CodeOf(items[at].GetProperty("productOrService")));
            decimal.Parse(services[at][2], CultureInfo.InvariantCulture)
                .ShouldBe(items[at].GetProperty("net").GetProperty("value").GetDecimal());
            services[at][3].ShouldBe("UN");
            services[at][4].ShouldBe(items[at].GetProperty("quantity").GetProperty("value").ToString());
            services[at]
                [7]
                .Split(':')
                .ShouldBe(items[at].GetProperty("diagnosisSequence").EnumerateArray().Select(one => one.ToString()));
            dates[at][3].ShouldBe(items[at].GetProperty("servicedDate").GetString()!.Replace("-", ""));
        }
    }

    // The order of a file: by patient, then in the order they were issued.
    private static async Task<List<JsonElement>> ClaimsAsync(DemoJournal demo) =>
        [
            .. (await MonthClaim.ReadAsync(demo.Streams, DemoJournal.Practice, DemoJournal.Month, null, Cancel)).Select(
                claim => JsonDocument.Parse(claim.Journey.Json).RootElement
            ),
        ];

    private static string Control(JsonElement claim) =>
        "CCM" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(Identifier(claim))))[..17];

    private static string Identifier(JsonElement claim) =>
        claim.GetProperty("identifier")[0].GetProperty("value").GetString()!;

    private static string Patient(JsonElement claim) =>
        claim.GetProperty("patient").GetProperty("reference").GetString()!;

    private static string CodeOf(JsonElement concept) =>
        concept.GetProperty("coding")[0].GetProperty("code").GetString()!;

    private static List<Dictionary<string, string>> Rows(string csv)
    {
        using var reader = new TextFieldParser(new StringReader(csv)) { HasFieldsEnclosedInQuotes = true };
        reader.SetDelimiters(",");
        reader.TrimWhiteSpace = false;
        var header = reader.ReadFields()!;
        var rows = new List<Dictionary<string, string>>();
        while (!reader.EndOfData)
        {
            rows.Add(header.Zip(reader.ReadFields()!).ToDictionary(cell => cell.First, cell => cell.Second));
        }
        return rows;
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(
        DemoJournal demo,
        params string[] arguments
    )
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        string[] month = arguments.Contains("--month") ? [] : ["--month", DemoJournal.Month];
        var exit = await ExportCommand
            .Build(new FakeTimeProvider(DemoJournal.Now))
            .Parse(["claims", .. month, "--practice", demo.PracticePath, "--store", demo.Store, .. arguments])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = error }, Cancel);
        return (exit, output.ToString(), error.ToString());
    }
}
