using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using CcmFhir.Demo;
using Microsoft.AspNetCore.Builder;

namespace CcmFhir.Tests.Pages;

/// <summary>The real server over the demo's month, on the morning after it: everything posted over HTTP, closed and claimed from a stand-in EHR.</summary>
public class DemoSite : IAsyncLifetime
{
    public const string Worklist = "/maple-street/months/2026-10";
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-site-").FullName;
    private WebApplication app = null!;
    private StandInEhr ehr = null!;

    /// <summary>The month is closed and claimed; false leaves it open.</summary>
    public bool Closed { get; init; } = true;

    /// <summary>The demo's morning, unless a test wants to move it.</summary>
    public TimeProvider Clock { get; init; } =
        new DemoClock(new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(-5)), TimeProvider.System);

    /// <summary>The <c>signIn</c> of the practice maple-street: with it the server asks for sign-in.</summary>
    public JsonArray? SignIn { get; init; }

    public Uri Root => new(app.Urls.First());

    public IServiceProvider Services => app.Services;

    public async ValueTask InitializeAsync()
    {
        ehr = await StandInEhr.StartAsync(CancellationToken.None);
        await WritePracticesAsync();
        app = await StartAsync("open");
        using (var http = new HttpClient { BaseAddress = new Uri(Root, "/maple-street/fhir/") })
        {
            foreach (var file in Directory.EnumerateFiles(Repository.At("profiles", "samples"), "*.json").Order())
            {
                using var bundle = new ByteArrayContent(await File.ReadAllBytesAsync(file));
                bundle.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
                using var answer = await http.PostAsync("", bundle);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, file);
            }
            foreach (var step in Closed ? (string[])["$ccm-close?month=2026-10", "$ccm-push?month=2026-10"] : [])
            {
                using var answer = await http.PostAsync(step, null);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, step);
            }
        }
        if (SignIn is not null)
        {
            await app.DisposeAsync();
            app = await StartAsync("smart");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        await ehr.DisposeAsync();
        Directory.Delete(folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    private async Task WritePracticesAsync()
    {
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        var practice = JsonNode
            .Parse(await File.ReadAllTextAsync(Repository.At("profiles", "practices", "maple-street.json")))!
            .AsObject();
        practice["ehr"] = new JsonObject
        {
            ["baseUrl"] = ehr.BaseAddress.ToString().TrimEnd('/'),
            ["references"] = "same-ids",
        };
        if (SignIn is not null)
        {
            practice["signIn"] = SignIn.DeepClone();
        }
        await File.WriteAllTextAsync(Path.Combine(practices, "maple-street.json"), practice.ToJsonString());
        practice.Remove("signIn");
        practice["slug"] = "elm-street";
        practice["name"] = "Elm Street Family Medicine";
        practice["organization"] = "Organization/elm-street";
        await File.WriteAllTextAsync(Path.Combine(practices, "elm-street.json"), practice.ToJsonString());
    }

    private async Task<WebApplication> StartAsync(string mode)
    {
        var built = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={Path.Combine(folder, "practices")}",
                "--Ccm:PushEverySeconds=0",
                $"--Ccm:Access:Mode={mode}",
                Quiet.Console,
            ],
            Clock,
            CancellationToken.None
        );
        await built.StartAsync();
        return built;
    }
}

/// <summary>The same before anybody closed the month.</summary>
public sealed class OpenDemoSite : DemoSite
{
    public OpenDemoSite() => Closed = false;
}
