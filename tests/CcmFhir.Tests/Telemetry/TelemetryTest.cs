using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using CcmFhir.Load;
using CcmFhir.Telemetry;
using CcmFhir.Tests.Ehr;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace CcmFhir.Tests.Telemetry;

/// <summary>What the program tells about itself, as a collector gets it.</summary>
public sealed class TelemetryTest : IAsyncLifetime
{
    private const string Trace = "4bf92f3577b34da6a3ce929d0e0e4736";

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-telemetry-").FullName;
    private readonly ConcurrentBag<(string Path, byte[] Body)> collected = [];
    private WebApplication collector = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(folder, "practices"));
        await File.WriteAllTextAsync(Path.Combine(folder, "practices", "load.json"), CareMonths.PracticeFile, Cancel);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        collector = builder.Build();
        collector.Run(async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            collected.Add((http.Request.Path, body.ToArray()));
        });
        await collector.StartAsync(Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await collector.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Traces_metrics_and_logs_reach_a_collector_and_hold_no_names()
    {
        await MonthAsync(
            $"--OTEL_EXPORTER_OTLP_ENDPOINT={collector.Urls.First()}",
            "--OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        );

        collected
            .Select(one => one.Path)
            .Distinct(StringComparer.Ordinal)
            .ShouldBe(["/v1/traces", "/v1/metrics", "/v1/logs"], ignoreOrder: true);
        foreach (
            var metric in (string[])
                [
                    "ccm.ingest.resources",
                    "ccm.validation.errors",
                    "ccm.journal.commits",
                    "ccm.journal.flushes",
                    "ccm.claims",
                    "ccm.time.counted",
                ]
        )
        {
            Collected("/v1/metrics").ShouldContain(metric);
        }
        Collected("/v1/traces").ShouldContain("issue claim");
        foreach (var name in (string[])["Abara", "Brandt", "Castell", "1EG4", "Duval"])
        {
            string.Concat(collected.Select(one => Encoding.Latin1.GetString(one.Body))).ShouldNotContain(name);
        }
    }

    [Fact]
    public async Task Nothing_leaves_the_house_where_nothing_is_configured()
    {
        await MonthAsync();

        collected.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_claim_leads_back_to_the_requests_that_brought_its_time()
    {
        var links = new ConcurrentBag<string>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name is Signals.Name or "Microsoft.AspNetCore",
            Sample = static (ref _) => ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = activity =>
            {
                if (activity.OperationName == "issue claim")
                {
                    foreach (var link in activity.Links)
                    {
                        links.Add(link.Context.TraceId.ToHexString());
                    }
                }
            },
        };
        ActivitySource.AddActivityListener(listener);

        await MonthAsync();

        links.ShouldContain(Trace);
    }

    // A patient comes in with a trace of the EHR's, a second bundle is refused, the month is closed.
    private async Task MonthAsync(params string[] settings)
    {
        await using var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={Path.Combine(folder, "practices")}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
                .. settings,
            ],
            new ShiftedClock(new DateTimeOffset(2026, 11, 2, 15, 0, 0, TimeSpan.Zero)),
            Cancel
        );
        await app.StartAsync(Cancel);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First() + "/load/fhir/") };
        (await PostAsync(http, "", new CareMonths().Enrolment(0))).ShouldBe(HttpStatusCode.OK);
        (await PostAsync(http, "Task", """{"resourceType":"Task","status":"sideways"}"""u8.ToArray())).ShouldBe(
            HttpStatusCode.UnprocessableEntity
        );
        (await PostAsync(http, $"$ccm-close?month={CareMonths.Month}", null)).ShouldBe(HttpStatusCode.OK);
        await app.StopAsync(Cancel);
    }

    private static async Task<HttpStatusCode> PostAsync(HttpClient http, string path, byte[]? body)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Headers.Add("traceparent", $"00-{Trace}-00f067aa0ba902b7-01");
        if (body is not null)
        {
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        }
        using var answer = await http.SendAsync(request, Cancel);
        return answer.StatusCode;
    }

    private string Collected(string path) =>
        string.Concat(collected.Where(one => one.Path == path).Select(one => Encoding.Latin1.GetString(one.Body)));
}
