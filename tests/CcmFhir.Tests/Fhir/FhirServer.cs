using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Fhir;

/// <summary>The real server on a free loopback port over a SQLite journal of its own, with the practices oak and elm.</summary>
public sealed class FhirServer : IAsyncLifetime
{
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-test-").FullName;
    private WebApplication? app;

    /// <summary>A clock that goes on by a millisecond whenever it is asked.</summary>
    public FakeTimeProvider Clock { get; } =
        new(new DateTimeOffset(2026, 11, 20, 15, 0, 0, TimeSpan.Zero))
        {
            AutoAdvanceAmount = TimeSpan.FromMilliseconds(1),
        };

    /// <summary>More settings, as <c>--Name=value</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>What it logs, as <c>--Name=value</c>.</summary>
    public string Logging { get; init; } = Quiet.Console;

    /// <summary>Where its journal lies.</summary>
    public string Folder => folder;

    /// <summary>More of the practice oak's file, with a comma before it.</summary>
    public string More { get; init; } = "";

    /// <summary>The server's rooms.</summary>
    public IServiceProvider Services => app!.Services;

    /// <summary>Speaks to the server; relative addresses are below the practice oak.</summary>
    public HttpClient Http { get; private set; } = null!;

    /// <summary>Address of the practice oak.</summary>
    public string Base => Http.BaseAddress!.ToString().TrimEnd('/');

    public async ValueTask InitializeAsync()
    {
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        foreach (var slug in (string[])["oak", "elm"])
        {
            await File.WriteAllTextAsync(
                Path.Combine(practices, slug + ".json"),
                PracticeFile(slug, slug == "oak" ? More : "")
            );
        }
        await StartAsync();
    }

    /// <summary>A practice's file.</summary>
    /// <param name="slug">Its slug.</param>
    /// <param name="more">More members, with a comma before them.</param>
    public static string PracticeFile(string slug, string more = "") =>
        $$"""
            {
              "slug": "{{slug}}", "name": "{{slug}} street", "npi": "1234567893", "tin": "12-3456789",
              "timeZone": "America/New_York", "placeOfService": "11", "policy": "medicare-current",
              "practitioners": [ { "ref": "Practitioner/dr-a", "npi": "1245319599", "name": "Ada Alvarez", "credential": "MD" } ],
              "organization": "Organization/{{slug}}",
              "ehr": { "baseUrl": "https://ehr.example.org/fhir" }{{more}}
            }
            """;

    /// <summary>Ends the server and starts it anew over the same journal: it holds nothing of what it saw before.</summary>
    public async Task StartAnewAsync()
    {
        Http.Dispose();
        await app!.DisposeAsync();
        await StartAsync();
    }

    private async Task StartAsync()
    {
        app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={Path.Combine(folder, "practices")}",
                Logging,
                .. Settings,
            ],
            Clock,
            CancellationToken.None
        );
        await app.StartAsync();
        Http = new HttpClient { BaseAddress = new Uri(app.Urls.First().TrimEnd('/') + "/oak/fhir/") };
    }

    public async ValueTask DisposeAsync()
    {
        Http?.Dispose();
        if (app is not null)
        {
            await app.DisposeAsync();
        }
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Asks, and reads the answer whole.</summary>
    /// <param name="method">HTTP method.</param>
    /// <param name="url">Below the practice oak; absolute for elsewhere.</param>
    /// <param name="body">JSON; null for none.</param>
    /// <param name="headers">Name and value.</param>
    public async Task<Answer> AskAsync(
        string method,
        string url,
        string? body = null,
        params (string Name, string Value)[] headers
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse("application/fhir+json");
        }
        foreach (var (name, value) in headers)
        {
            if (name is "Content-Encoding")
            {
                request.Content!.Headers.ContentEncoding.Add(value);
            }
            else if (name == "Content-Type")
            {
                request.Content!.Headers.ContentType = MediaTypeHeaderValue.Parse(value);
            }
            else
            {
                request.Headers.TryAddWithoutValidation(name, value);
            }
        }
        using var response = await Http.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return new Answer(
            (int)response.StatusCode,
            text,
            response.Headers.ETag?.ToString(),
            response.Headers.Location?.ToString(),
            response.Content.Headers.LastModified,
            response.Content.Headers.ContentType?.ToString(),
            response.Content.Headers.Allow.Count > 0 ? string.Join(", ", response.Content.Headers.Allow) : null
        );
    }

    public Task<Answer> GetAsync(string url, params (string Name, string Value)[] headers) =>
        AskAsync("GET", url, null, headers);

    public Task<Answer> PostAsync(string url, string body, params (string Name, string Value)[] headers) =>
        AskAsync("POST", url, body, headers);

    public Task<Answer> PutAsync(string url, string body, params (string Name, string Value)[] headers) =>
        AskAsync("PUT", url, body, headers);
}

/// <summary>An answer.</summary>
public sealed record Answer(
    int Status,
    string Text,
    string? ETag,
    string? Location,
    DateTimeOffset? LastModified,
    string? ContentType,
    string? Allow
)
{
    /// <summary>The body as JSON.</summary>
    public JsonNode Json => JsonNode.Parse(Text)!;

    /// <summary>The resource's id.</summary>
    public string Id => (string)Json["id"]!;

    /// <summary>The resource's version.</summary>
    public string Version => (string)Json["meta"]!["versionId"]!;

    /// <summary>Expressions of the outcome's issues.</summary>
    public IReadOnlyList<string> Expressions =>
        [
            .. ((JsonArray)Json["issue"]!)
                .Where(issue => issue!["expression"] is not null)
                .Select(issue => (string)issue!["expression"]![0]!),
        ];

    /// <summary>Rule ids of the outcome's issues.</summary>
    public IReadOnlyList<string> Rules =>
        [.. ((JsonArray)Json["issue"]!).Select(issue => (string)issue!["details"]!["coding"]![0]!["code"]!)];

    /// <summary>Entries of a Bundle.</summary>
    public JsonArray Entries => (JsonArray?)Json["entry"] ?? [];

    /// <summary>Status lines of a response Bundle.</summary>
    public IReadOnlyList<string> Statuses => [.. Entries.Select(entry => (string)entry!["response"]!["status"]!)];

    /// <summary>It is an OperationOutcome that says where to look or at least why.</summary>
    public Answer ShouldRefuse(int status, string? rule = null)
    {
        Status.ShouldBe(status, Text);
        ((string?)Json["resourceType"]).ShouldBe("OperationOutcome");
        ((string)Json["issue"]![0]!["details"]!["text"]!).ShouldNotBeNullOrWhiteSpace();
        if (rule is not null)
        {
            Rules.ShouldContain(rule, Text);
        }
        return this;
    }
}
