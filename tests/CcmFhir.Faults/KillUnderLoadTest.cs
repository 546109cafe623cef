using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>The promise behind every 200: what was answered is there, whatever happens to the process afterwards.</summary>
/// <remarks>The short form runs in CI; <c>CCMFHIR_KILL_ROUNDS=100</c> runs the long one.</remarks>
public sealed class KillUnderLoadTest : IDisposable
{
    private const int Clients = 32;
    private const int Bundles = 1000;
    private const int Patients = 200;

    private static readonly MediaTypeHeaderValue FhirJson = new("application/fhir+json");
    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("CCMFHIR_KILL_ROUNDS") ?? "10",
        CultureInfo.InvariantCulture
    );

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-kill-").FullName;
    private readonly CareMonths months = new(seed: 7);

    [Fact]
    public async Task Bundles_that_were_answered_survive_ten_kills_once_each_and_make_the_same_ledger()
    {
        var cancel = TestContext.Current.CancellationToken;
        var settings = Settings();
        var answered = new ConcurrentDictionary<int, byte>();
        var next = -1;
        var server = await StartAsync(settings, cancel);
        var kills = 0;
        try
        {
            // Each kill waits for a share of the answers, so that it falls into the middle of the load and needs no clock.
            var live = server;
            var moved = new SemaphoreSlim(0);
            var clients = Enumerable
                .Range(0, Clients)
                .Select(async _ =>
                {
                    using var http = new HttpClient();
                    for (
                        var number = Interlocked.Increment(ref next);
                        number < Bundles;
                        number = Interlocked.Increment(ref next)
                    )
                    {
                        // A client does what clients do: it sends the same bundle again until somebody answers.
                        while (!await PostAsync(http, Volatile.Read(ref live).Address, number, cancel))
                        {
                            await Task.Yield();
                        }
                        answered[number] = 1;
                        moved.Release();
                    }
                })
                .ToList();

            var share = Bundles / (Kills + 1);
            for (; kills < Kills; kills++)
            {
                for (var answers = 0; answers < share; answers++)
                {
                    await moved.WaitAsync(cancel);
                }
                Volatile.Read(ref live).Dispose();
                server = await StartAsync(settings, cancel);
                Volatile.Write(ref live, server);
            }
            await Task.WhenAll(clients);
            server.Dispose();
            server = await StartAsync(settings, cancel);

            answered.Count.ShouldBe(Bundles);
            kills.ShouldBe(Kills);
            using var reader = new HttpClient { BaseAddress = server.Address };
            await EveryLogIsThereOnceAsync(reader, cancel);
            await TheLedgerEqualsTheOneComputedFromTheBundlesAsync(reader, cancel);
        }
        finally
        {
            server.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static string Program => Path.Combine(AppContext.BaseDirectory, "ccmfhir.dll");

    private static Task<ServerProcess> StartAsync(Dictionary<string, string> settings, CancellationToken cancel) =>
        ServerProcess.StartAsync(Program, settings, TimeProvider.System, cancel);

    private Dictionary<string, string> Settings()
    {
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        File.WriteAllText(Path.Combine(practices, "load.json"), CareMonths.PracticeFile);
        return new Dictionary<string, string>
        {
            ["Ccm:Store"] = $"sqlite:{Path.Combine(folder, "ccm.db")}",
            ["Ccm:Practices"] = practices,
        };
    }

    // Bundle n: the first of a patient enrols, each later one brings two more time logs.
    private byte[] Bundle(int number)
    {
        var (patient, round) = (number % Patients, number / Patients);
        return round == 0 ? months.Enrolment(patient) : months.MoreTime(patient, 3 + ((round - 1) * 2), 2);
    }

    private async Task<bool> PostAsync(HttpClient http, Uri address, int number, CancellationToken cancel)
    {
        using var content = new ByteArrayContent(Bundle(number)) { Headers = { ContentType = FhirJson } };
        try
        {
            using var answer = await http.PostAsync(new Uri(address, $"/{CareMonths.Practice}/fhir"), content, cancel);
            var body = await answer.Content.ReadAsStringAsync(cancel);
            if (answer.StatusCode is HttpStatusCode.ServiceUnavailable)
            {
                return false;
            }
            answer.IsSuccessStatusCode.ShouldBeTrue($"bundle {number}: {(int)answer.StatusCode} {body}");
            return true;
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            return false;
        }
    }

    private async Task EveryLogIsThereOnceAsync(HttpClient http, CancellationToken cancel)
    {
        var logs = 3 + ((Bundles / Patients - 1) * 2);
        for (var patient = 0; patient < Patients; patient++)
        {
            for (var log = 0; log < logs; log++)
            {
                var address = new Uri($"/{CareMonths.Practice}/fhir/Task/p{patient}-t{log}", UriKind.Relative);
                using var answer = await http.GetAsync(address, cancel);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, $"Task/p{patient}-t{log}");
                using var task = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
                task.RootElement.GetProperty("meta")
                    .GetProperty("versionId")
                    .GetString()
                    .ShouldBe("1", "the same bundle again makes no new version");
            }
        }
    }

    private async Task TheLedgerEqualsTheOneComputedFromTheBundlesAsync(HttpClient http, CancellationToken cancel)
    {
        const string asOf = "2026-11-23T00:00:00Z";
        var input = Directory.CreateDirectory(Path.Combine(folder, "input")).FullName;
        for (var number = 0; number < Bundles; number++)
        {
            await File.WriteAllBytesAsync(Path.Combine(input, $"{number:D5}.json"), Bundle(number), cancel);
        }
        var fromBundles = await RunAsync(
            [
                "close",
                "--input",
                input,
                "--practice",
                Path.Combine(folder, "practices", "load.json"),
                "--month",
                CareMonths.Month,
                "--dry-run",
                "--as-of",
                asOf,
                "--format",
                "json",
            ],
            cancel
        );
        using var close = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri(
                $"/{CareMonths.Practice}/fhir/$ccm-close?month={CareMonths.Month}&dryRun=true&asOf={asOf}",
                UriKind.Relative
            )
        );
        close.Headers.Accept.ParseAdd("application/json");
        using var answer = await http.SendAsync(close, cancel);
        var fromServer = await answer.Content.ReadAsStringAsync(cancel);
        answer.IsSuccessStatusCode.ShouldBeTrue(fromServer);

        using var bundles = JsonDocument.Parse(fromBundles);
        using var served = JsonDocument.Parse(fromServer);
        var expected = bundles.RootElement.GetProperty("decisions");
        expected.GetArrayLength().ShouldBe(Patients);
        served.RootElement.GetProperty("decisions").GetRawText().ShouldBe(expected.GetRawText());
    }

    private static async Task<string> RunAsync(IEnumerable<string> arguments, CancellationToken cancel)
    {
        using var process = System.Diagnostics.Process.Start(
            new System.Diagnostics.ProcessStartInfo("dotnet", [Program, .. arguments])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync(cancel);
        var output = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        process.ExitCode.ShouldBe(0, await errors);
        return output;
    }
}
