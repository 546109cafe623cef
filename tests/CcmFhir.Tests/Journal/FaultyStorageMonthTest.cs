using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using CcmFhir.Journal;
using CcmFhir.Load;

namespace CcmFhir.Tests.Journal;

/// <summary>A month of bundles and its close, once over storage that fails on one call in twenty and once over storage that does not: what the
/// practice is told and what it bills must be the same. 300 bundles; with <c>CCMFHIR_FAULT_BUNDLES=10000</c> so many (about a quarter of an hour).</summary>
public sealed class FaultyStorageMonthTest(Azurite azurite) : IAsyncLifetime
{
    private const double Share = 0.05;
    private const int BundlesAPatient = 10;
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 15, 0, 0, TimeSpan.Zero);

    private static readonly int Bundles = int.Parse(
        Environment.GetEnvironmentVariable("CCMFHIR_FAULT_BUNDLES") ?? "300",
        CultureInfo.InvariantCulture
    );

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-faults-").FullName;
    private readonly string container = $"month-{Guid.NewGuid():N}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(folder, "practices"));
        await File.WriteAllTextAsync(Path.Combine(folder, "practices", "load.json"), CareMonths.PracticeFile, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await azurite.DeleteJournalAsync(container);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Ledger_and_claims_equal_those_of_a_run_without_faults()
    {
        await using var blobs = await FaultProxy.StartAsync(await azurite.BlobPortAsync(), Share, seed: 1);
        await using var tables = await FaultProxy.StartAsync(await azurite.TablePortAsync(), Share, seed: 2);
        var storage = await azurite.ConnectionStringAsync(blobs.Port, tables.Port);

        var faulty = await MonthAsync($"azure:{storage};Container={container}");
        var plain = await MonthAsync($"sqlite:{Path.Combine(folder, "ccm.db")}");

        (blobs.Faults + tables.Faults).ShouldBeGreaterThan(Bundles / 20);
        faulty.Decisions.ToJsonString().ShouldBe(plain.Decisions.ToJsonString());
        faulty.Claims.Count.ShouldBe(Bundles / BundlesAPatient);
        faulty.Claims.ShouldBe(plain.Claims);
        faulty.Logs.ShouldBe(plain.Logs);
        await using var journal = await JournalStores.OpenAsync(
            $"azure:{await azurite.ConnectionStringAsync()};Container={container}",
            new RealTime(),
            Cancel
        );
        (await journal.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Bundles} bundles: {blobs.Calls} calls to blobs and {tables.Calls} to tables, {blobs.Faults + tables.Faults} of them met a fault; {faulty.Claims.Count} claims."
        );
    }

    // What the practice is told of the closed month, its claims, and how many time logs it has.
    private async Task<(JsonNode Decisions, List<string> Claims, int Logs)> MonthAsync(string store)
    {
        await using var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store={store}",
                $"--Ccm:Practices={Path.Combine(folder, "practices")}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
            ],
            new StandingClock(Now),
            Cancel
        );
        await app.StartAsync(Cancel);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First() + "/load/fhir/") };
        var months = new CareMonths();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Bundles / BundlesAPatient),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Cancel },
            async (patient, _) =>
            {
                await PostAsync(http, "", months.Enrolment(patient), null);
                for (var bundle = 1; bundle < BundlesAPatient; bundle++)
                {
                    await PostAsync(http, "", months.MoreTime(patient, 2 + bundle, 1), null);
                }
            }
        );
        var decisions = JsonNode.Parse(
            await PostAsync(http, $"$ccm-close?month={CareMonths.Month}", null, "application/json")
        )!;
        var (claims, logs) = (new List<string>(), 0);
        for (var patient = 0; patient < Bundles / BundlesAPatient; patient++)
        {
            foreach (var claim in await SearchAsync(http, $"Claim?patient=p{patient}"))
            {
                // When a version came in is the server's; the clock stands, so even that is the same.
                claims.Add(claim.ToJsonString());
            }
            logs += (await SearchAsync(http, $"Task?patient=p{patient}&_count=100")).Count;
        }
        await app.StopAsync(Cancel);
        return (decisions, claims, logs);
    }

    // As clients do: what is answered with 503 is sent again.
    private static async Task<string> PostAsync(HttpClient http, string path, byte[]? body, string? accept)
    {
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path);
            if (body is not null)
            {
                request.Content = new ByteArrayContent(body);
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
            }
            if (accept is not null)
            {
                request.Headers.Accept.ParseAdd(accept);
            }
            using var answer = await http.SendAsync(request, Cancel);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
                return text;
            }
        }
    }

    private static async Task<List<JsonNode>> SearchAsync(HttpClient http, string query)
    {
        while (true)
        {
            using var answer = await http.GetAsync(query, Cancel);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
            {
                var found = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!;
                return [.. (found["entry"]?.AsArray() ?? []).Select(entry => entry!["resource"]!)];
            }
        }
    }
}
