using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;

namespace CcmFhir.Tests.Ehr;

/// <summary>The demo month's claims go into a real FHIR server that we did not write, which validates them.</summary>
public sealed class MedplumTest(Medplum medplum) : IClassFixture<Medplum>, IAsyncLifetime
{
    private const string Month = "2026-10";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ccmfhir-medplum-");
    private readonly ShiftedClock clock = new(new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(-5)));
    private readonly HttpClient ehr = new() { BaseAddress = new Uri(medplum.BaseUrl.AbsoluteUri + "/") };
    private WebApplication app = null!;
    private HttpClient ccm = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string Samples => Path.Combine(AppContext.BaseDirectory, "profiles");

    public async ValueTask InitializeAsync()
    {
        var practices = folder.CreateSubdirectory("practices").FullName;
        var practice = JsonNode
            .Parse(await File.ReadAllTextAsync(Path.Combine(Samples, "practices", "maple-street.json")))!
            .AsObject();
        practice["ehr"] = new JsonObject
        {
            ["baseUrl"] = medplum.BaseUrl.AbsoluteUri,
            ["deliver"] = "claim",
            ["settleSeconds"] = 0,
        };
        await File.WriteAllTextAsync(Path.Combine(practices, "maple-street.json"), practice.ToJsonString());
        app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder.FullName, "ccm.db")}",
                $"--Ccm:Practices={practices}",
                $"--Ccm:EhrKeys={Path.Combine(folder.FullName, "keys")}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
            ],
            clock,
            Cancel
        );
        await app.StartAsync(Cancel);
        ccm = new HttpClient { BaseAddress = new Uri(app.Urls.First() + "/maple-street/fhir/") };
    }

    public async ValueTask DisposeAsync()
    {
        ccm.Dispose();
        ehr.Dispose();
        await app.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Medplum_takes_each_claim_of_the_demo_month_once_and_finds_it_valid()
    {
        await TellTheEhrAsync();
        await PostSamplesAsync("samples");
        var closed = await AskAsync(ccm, HttpMethod.Post, $"$ccm-close?month={Month}", null);
        closed.Status.ShouldBe(200, closed.Body.ToJsonString());

        var pushed = await AskAsync(ccm, HttpMethod.Post, $"$ccm-push?month={Month}", null);
        var claims = Claims(pushed.Body);
        claims.Count.ShouldBeGreaterThan(5);
        claims.ShouldAllBe(claim => claim.State == "delivered");
        (await AskAsync(ccm, HttpMethod.Post, $"$ccm-push?month={Month}", null)).Status.ShouldBe(200);
        (await AtEhrAsync()).Count.ShouldBe(claims.Count);

        // What was missing arrives; the month closes again, with new claims and corrections of old ones.
        await PostSamplesAsync("samples-mended");
        await AskAsync(ccm, HttpMethod.Post, $"$ccm-close?month={Month}", null);
        await AskAsync(ccm, HttpMethod.Post, $"$ccm-push?month={Month}", null);
        var again = Claims((await AskAsync(ccm, HttpMethod.Post, $"$ccm-push?month={Month}", null)).Body);
        again.Count.ShouldBeGreaterThan(claims.Count);
        again.ShouldAllBe(claim => claim.State == "delivered");

        var there = await AtEhrAsync();
        there.Count.ShouldBe(again.Count);
        foreach (var claim in there)
        {
            var patient = await AskAsync(ehr, HttpMethod.Get, claim["patient"]!["reference"]!.GetValue<string>(), null);
            patient.Status.ShouldBe(200, "the claim names the EHR's own patient");
            var provider = await AskAsync(
                ehr,
                HttpMethod.Get,
                claim["provider"]!["reference"]!.GetValue<string>(),
                null
            );
            provider.Status.ShouldBe(200);
        }
    }

    [Fact]
    public async Task Medplum_is_no_yes_man_a_claim_without_insurance_is_refused_there()
    {
        var answer = await AskAsync(ehr, HttpMethod.Post, "Claim", """{"resourceType":"Claim","status":"active"}""");

        answer.Status.ShouldBe(400);
        answer.Body.ToJsonString().ShouldContain("Claim.insurance");
    }

    /// <summary>The EHR knows its own patients, practitioners and coverages, under ids of its own.</summary>
    private async Task TellTheEhrAsync()
    {
        var ids = new Dictionary<string, string>(StringComparer.Ordinal);
        string[] order = ["Organization", "Practitioner", "Patient", "Coverage"];
        var resources = Directory
            .EnumerateFiles(Path.Combine(Samples, "samples"), "*.json")
            .Concat(Directory.EnumerateFiles(Path.Combine(Samples, "samples-mended"), "*.json"))
            .SelectMany(file => JsonNode.Parse(File.ReadAllText(file))!["entry"]!.AsArray())
            .Where(entry => order.Contains(entry!["resource"]!["resourceType"]!.GetValue<string>()))
            .OrderBy(entry => Array.IndexOf(order, entry!["resource"]!["resourceType"]!.GetValue<string>()));
        foreach (var entry in resources)
        {
            var resource = entry!["resource"]!.DeepClone().AsObject();
            var type = resource["resourceType"]!.GetValue<string>();
            var name = $"{type}/{resource["id"]}";
            resource.Remove("id");
            var identifier = resource["identifier"]?[0];
            Point(resource["beneficiary"], ids);
            Point(resource["subscriber"], ids);
            Point(resource["payor"]?[0], ids);
            var answer = await AskAsync(
                ehr,
                HttpMethod.Post,
                type,
                resource.ToJsonString(),
                identifier is null
                    ? []
                    : [("If-None-Exist", $"identifier={identifier["system"]}|{identifier["value"]}")]
            );
            answer.Status.ShouldBeInRange(200, 201, answer.Body.ToJsonString());
            ids[name] = $"{type}/{answer.Body["id"]}";
            if (entry["fullUrl"] is { } fullUrl)
            {
                ids[fullUrl.GetValue<string>()] = ids[name];
            }
        }
    }

    private static void Point(JsonNode? reference, Dictionary<string, string> ids)
    {
        if (reference?["reference"] is { } text && ids.TryGetValue(text.GetValue<string>(), out var there))
        {
            reference["reference"] = there;
        }
    }

    private async Task PostSamplesAsync(string of)
    {
        foreach (
            var file in Directory.EnumerateFiles(Path.Combine(Samples, of), "*.json").Order(StringComparer.Ordinal)
        )
        {
            await AskAsync(ccm, HttpMethod.Post, "", await File.ReadAllTextAsync(file));
        }
    }

    private async Task<List<JsonNode>> AtEhrAsync()
    {
        var bundle = await AskAsync(ehr, HttpMethod.Get, "Claim?_count=1000", null);
        return [.. bundle.Body["entry"]!.AsArray().Select(entry => entry!["resource"]!)];
    }

    private static List<(string State, string? Message)> Claims(JsonNode parameters) =>
        [
            .. parameters["parameter"]!
                .AsArray()
                .Select(claim => claim!["part"]!.AsArray())
                .Select(parts => (Part(parts, "state", "valueCode")!, Part(parts, "message", "valueString"))),
        ];

    private static string? Part(JsonArray parts, string name, string value) =>
        parts.FirstOrDefault(part => part!["name"]!.GetValue<string>() == name)?[value]?.GetValue<string>();

    private static async Task<(int Status, JsonNode Body)> AskAsync(
        HttpClient http,
        HttpMethod method,
        string path,
        string? body,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        }
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }
        using var answer = await http.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
    }
}
