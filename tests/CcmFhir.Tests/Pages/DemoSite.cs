using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using CcmFhir.Demo;
using Microsoft.AspNetCore.Builder;

namespace CcmFhir.Tests.Pages;

/// <summary>The real server over the demo's month, on the morning after it: everything posted over HTTP, closed and claimed from a stand-in EHR.</summary>
public sealed class DemoSite : IAsyncLifetime
{
    public const string Worklist = "/maple-street/months/2026-10";
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-site-").FullName;
    private WebApplication app = null!;
    private StandInEhr ehr = null!;

    /// <summary>The month is closed and claimed; false leaves it open.</summary>
    public bool Close { get; init; } = true;

    public Uri Root => new(app.Urls.First());

    public IServiceProvider Services => app.Services;

    public async ValueTask InitializeAsync()
    {
        ehr = await StandInEhr.StartAsync(CancellationToken.None);
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        var practice = JsonNode.Parse(
            await File.ReadAllTextAsync(Repository.At("profiles", "practices", "maple-street.json"))
        )!;
        practice["ehr"] = new JsonObject
        {
            ["baseUrl"] = ehr.BaseAddress.ToString().TrimEnd('/'),
            ["references"] = "same-ids",
        };
        await File.WriteAllTextAsync(Path.Combine(practices, "maple-street.json"), practice.ToJsonString());
        practice["slug"] = "elm-street";
        practice["name"] = "Elm Street Family Medicine";
        practice["organization"] = "Organization/elm-street";
        await File.WriteAllTextAsync(Path.Combine(practices, "elm-street.json"), practice.ToJsonString());
        app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={practices}",
                "--Ccm:PushEverySeconds=0",
                "--Logging:LogLevel:Default=Warning",
            ],
            new DemoClock(new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(-5)), TimeProvider.System),
            CancellationToken.None
        );
        await app.StartAsync();
        using var http = new HttpClient { BaseAddress = new Uri(Root, "/maple-street/fhir/") };
        foreach (
            var file in Directory
                .EnumerateFiles(Repository.At("profiles", "samples"), "*.json")
                .Order(StringComparer.Ordinal)
        )
        {
            using var bundle = new ByteArrayContent(await File.ReadAllBytesAsync(file));
            bundle.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
            using var answer = await http.PostAsync("", bundle);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, file);
        }
        foreach (var step in Close ? (string[])["$ccm-close?month=2026-10", "$ccm-push?month=2026-10"] : [])
        {
            using var answer = await http.PostAsync(step, null);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, step);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await ehr.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}
