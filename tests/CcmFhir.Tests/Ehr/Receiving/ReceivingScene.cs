using CcmFhir.Commands;

namespace CcmFhir.Tests.Ehr.Receiving;

/// <summary>The real server, or the command line, over one store, and the EHR that it reads from.</summary>
internal sealed class ReceivingScene : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-receiving-").FullName;

    /// <summary>Writes the practice's file.</summary>
    /// <param name="ehr">More settings of the <c>ehr</c> object, each with a comma before it.</param>
    /// <param name="references">How references are mapped.</param>
    public ReceivingScene(string ehr = "", string references = "same-ids")
    {
        File.WriteAllText(Path.Combine(folder, "secret"), Secret);
        File.WriteAllText(
            PracticeFile,
            $$"""
            { "slug": "oak", "name": "Oak", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
              "practitioners": [ { "ref": "Practitioner/a", "npi": "1245319599", "name": "A" } ],
              "ehr": { "baseUrl": "{{Ehr.BaseUrl}}", "references": "{{references}}", "pauseSeconds": 0, "timeoutSeconds": 60,
                       "notifySecret": "file:secret"{{ehr}} } }
            """
        );
    }

    /// <summary>What the EHR's subscription brings.</summary>
    public static string Secret => "a-secret-of-forty-characters-0123456789ab";

    public SourceEhr Ehr { get; } = new();

    private string PracticeFile => Path.Combine(folder, "oak.json");

    private string Store => $"sqlite:{Path.Combine(folder, "ccm.db")}";

    /// <summary>Starts the server.</summary>
    /// <param name="every">Seconds between looks at what is to be fetched; 0 for none.</param>
    /// <param name="mode">Access mode.</param>
    public async Task<ReceivingServer> ServeAsync(int every = 1, string mode = "open")
    {
        var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store={Store}",
                $"--Ccm:Practices={folder}",
                $"--Ccm:PullEverySeconds={every}",
                $"--Ccm:Access:Mode={mode}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
            ],
            new ShiftedClock(new DateTimeOffset(2026, 11, 20, 15, 0, 0, TimeSpan.Zero)),
            TestContext.Current.CancellationToken
        );
        await app.StartAsync();
        return new ReceivingServer(app);
    }

    /// <summary>ccmfhir pull.</summary>
    public async Task<(int Code, string Output)> PullAsync(params string[] more)
    {
        var output = new StringWriter { NewLine = "\n" };
        var code = await PullCommand
            .Build(new ShiftedClock(new DateTimeOffset(2026, 11, 20, 15, 0, 0, TimeSpan.Zero)))
            .Parse(["--practice", PracticeFile, "--store", Store, .. more])
            .InvokeAsync(new() { Output = output, Error = output }, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }

    public static string Patient(string id) =>
        $$"""{"resourceType":"Patient","id":"{{id}}","identifier":[{"system":"urn:mrn","value":"{{id}}"}],"name":[{"family":"T","given":["A"]}],"gender":"female","birthDate":"1950-01-01"}""";

    public static string Task(string id, string patient, string status = "requested") =>
        $$"""{"resourceType":"Task","id":"{{id}}","status":"{{status}}","intent":"order","for":{"reference":"Patient/{{patient}}"} }""";

    public ValueTask DisposeAsync()
    {
        Ehr.Dispose();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }
}

/// <summary>The server, running.</summary>
internal sealed class ReceivingServer(Microsoft.AspNetCore.Builder.WebApplication app) : IAsyncDisposable
{
    private readonly HttpClient http = new() { BaseAddress = new Uri(app.Urls.First() + "/oak/fhir/") };

    /// <summary>Asks.</summary>
    public async Task<(int Status, string Text)> AskAsync(
        string method,
        string url,
        string? body = null,
        string? bearer = null
    )
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        if (body is not null)
        {
            request.Content = new StringContent(body, null, "application/fhir+json");
        }
        if (bearer is not null)
        {
            request.Headers.Authorization = new("Bearer", bearer);
        }
        using var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    /// <summary>Asks until the answer has that status.</summary>
    public async Task<string> UntilAsync(int status, string url)
    {
        var (_, text) = await Eventually.SeeAsync(() => AskAsync("GET", url), seen => seen.Status == status);
        return text;
    }

    public async ValueTask DisposeAsync()
    {
        http.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}
