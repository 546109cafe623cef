using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using CcmFhir.Access;
using CcmFhir.Commands;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.Tests.Journal;
using CcmFhir.Tests.MonthEnd;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Functions;

/// <summary>A deployment on Azurite: a journal of its own, the practice of the load driver, and as many instances as a test starts. Queues are shared
/// by all deployments of an account, so only one may be there at a time: tests that use it are of the collection <see cref="Alone"/>.</summary>
internal sealed class AzureDeployment : IAsyncDisposable
{
    /// <summary>Name of the collection of tests that use one.</summary>
    public const string Alone = "one deployment at a time";

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-azure-").FullName;
    private readonly string container = $"functions-{Guid.NewGuid():N}";
    private readonly List<StandInHost> hosts = [];
    private readonly List<FaultProxy> proxies = [];
    private readonly SigningKey clientKey = SigningKey.Load(pem: null, file: null);
    private readonly ECDsa signing = ECDsa.Create(ECCurve.NamedCurves.nistP384);
    private readonly Azurite azurite;
    private readonly string program;

    private AzureDeployment(Azurite azurite, string program, string connection) =>
        (this.azurite, this.program, Connection) = (azurite, program, connection);

    /// <summary>Connection string of the storage.</summary>
    public string Connection { get; }

    /// <summary>The setting that names the journal.</summary>
    public string Store => StoreAt(Connection);

    /// <summary>Starts a proxy before the storage's blobs, which outlives the instances.</summary>
    public async Task<FaultProxy> ProxyAsync()
    {
        var proxy = await FaultProxy.StartAsync(await azurite.BlobPortAsync(), share: 0, seed: 1);
        proxies.Add(proxy);
        return proxy;
    }

    /// <summary>The setting that names the journal for a program that reaches the storage's blobs through a proxy.</summary>
    public async Task<string> StoreThroughAsync(FaultProxy blobs) =>
        StoreAt(await azurite.ConnectionStringAsync(blobs.Port));

    /// <summary>Opens one.</summary>
    public static async Task<AzureDeployment> OpenAsync(
        Azurite azurite,
        PublishedProgram published,
        CancellationToken cancel
    )
    {
        var deployment = new AzureDeployment(
            azurite,
            await published.FolderAsync(),
            await azurite.ConnectionStringAsync()
        );
        Directory.CreateDirectory(Path.Combine(deployment.folder, "practices"));
        await deployment.PracticeAsync(CareMonths.PracticeFile);
        await deployment.EmptyQueuesAsync();
        return deployment;
    }

    /// <summary>Writes the practice file anew, for instances started after.</summary>
    public Task PracticeAsync(string json) =>
        File.WriteAllTextAsync(Path.Combine(folder, "practices", "load.json"), json);

    /// <summary>Starts an instance.</summary>
    public async Task<StandInHost> InstanceAsync(CancellationToken cancel, params (string Name, string Value)[] more)
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Ccm__Store"] = Store,
            ["Ccm__Queues"] = Connection,
            ["Ccm__Practices"] = Path.Combine(folder, "practices"),
            ["Ccm__Access__Mode"] = "smart",
            ["Ccm__Access__SigningKey"] = signing.ExportECPrivateKeyPem(),
            ["Logging__LogLevel__Default"] = "Warning",
        };
        foreach (var (name, value) in more)
        {
            settings[name] = value;
        }
        var host = await StandInHost.StartAsync(program, Connection, settings, cancel);
        hosts.Add(host);
        return host;
    }

    /// <summary>The journal, as a process of its own would see it.</summary>
    public ValueTask<IJournalStore> JournalAsync(CancellationToken cancel) =>
        JournalStores.OpenAsync(Store, new RealTime(), cancel);

    /// <summary>A client that the deployment knows, with a token for all that was asked for through the host.</summary>
    public async Task<HttpClient> ClientAsync(StandInHost host, CancellationToken cancel)
    {
        await using (var journal = await JournalAsync(cancel))
        {
            var keys = JsonSerializer.SerializeToElement(clientKey.PublicKeys);
            (
                await new ClientRegistry(journal).RegisterAsync(
                    CareMonths.Practice,
                    new RegisteredClient("ehr", "EHR", "system/*.cruds", null, keys),
                    cancel
                )
            ).ShouldBeNull();
        }
        var http = new HttpClient
        {
            BaseAddress = new Uri(host.Address, $"/{CareMonths.Practice}/fhir/"),
            // The host's proxy has a limit of its own.
            Timeout = Timeout.InfiniteTimeSpan,
        };
        var token = new Uri(host.Address, $"/auth/{CareMonths.Practice}/token");
        var now = new RealTime().GetUtcNow();
        var assertion = new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            new SecurityTokenDescriptor
            {
                Claims = new Dictionary<string, object>(StringComparer.Ordinal)
                {
                    ["iss"] = "ehr",
                    ["sub"] = "ehr",
                    ["aud"] = token.ToString(),
                    ["jti"] = Guid.NewGuid().ToString(),
                    ["iat"] = now.ToUnixTimeSeconds(),
                    ["exp"] = now.AddMinutes(4).ToUnixTimeSeconds(),
                },
                SigningCredentials = clientKey.Credentials,
            }
        );
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["grant_type"] = "client_credentials",
                ["scope"] = "system/*.cruds",
                ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ["client_assertion"] = assertion,
            }
        );
        using var answer = await http.PostAsync(token, form, cancel);
        var granted = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!;
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer",
            (string?)granted["access_token"] ?? throw new InvalidOperationException(granted.ToJsonString())
        );
        return http;
    }

    /// <summary>Brings patients in, ten resources each.</summary>
    public static Task EnrolAsync(HttpClient http, int patients, CancellationToken cancel) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, patients),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancel },
            async (patient, stop) =>
            {
                using var content = new ByteArrayContent(new CareMonths().Enrolment(patient));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
                using var answer = await http.PostAsync("", content, stop);
                answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(stop));
            }
        );

    /// <summary>Starts closing the load driver's month.</summary>
    /// <returns>Where to ask how far it is.</returns>
    public static async Task<Uri> CloseAsync(HttpClient http, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"$ccm-close?month={CareMonths.Month}");
        request.Headers.Add("Prefer", "respond-async");
        using var answer = await http.SendAsync(request, cancel);
        ((int)answer.StatusCode).ShouldBe(202, await answer.Content.ReadAsStringAsync(cancel));
        return answer.Content.Headers.ContentLocation!;
    }

    /// <summary>How many claims the journal has for each patient of the load driver.</summary>
    public async Task<IReadOnlyList<int>> ClaimsAsync(int patients, CancellationToken cancel)
    {
        await using var journal = await JournalAsync(cancel);
        var streams = new StreamRecords(journal);
        var claims = new List<int>();
        for (var patient = 0; patient < patients; patient++)
        {
            var stream = JournalNames.PatientStream(CareMonths.Practice, $"p{patient}");
            claims.Add((await streams.ReadAsync(stream, cancel)).Claims.Count());
        }
        return claims;
    }

    /// <summary>Waits until a run has come to an end.</summary>
    /// <returns>Status and body of the last answer.</returns>
    public static async Task<(int Status, JsonNode Body)> EndAsync(HttpClient http, Uri status)
    {
        var (code, text) = await CloseRun.EndAsync(http, status);
        return (code, JsonNode.Parse(text)!);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
        foreach (var proxy in proxies)
        {
            await proxy.DisposeAsync();
        }
        await azurite.DeleteJournalAsync(container);
        await EmptyQueuesAsync();
        clientKey.Dispose();
        signing.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>What <c>ccmfhir queue list</c> says.</summary>
    public Task<(int Exit, string Text)> ListAsync(CancellationToken cancel) => QueueAsync(cancel, "list");

    /// <summary>Runs <c>ccmfhir queue</c>.</summary>
    public async Task<(int Exit, string Text)> QueueAsync(CancellationToken cancel, params string[] what)
    {
        await using var said = new StringWriter();
        var exit = await QueueCommand
            .Build()
            .Parse([.. what, "--queues", Connection])
            .InvokeAsync(new System.CommandLine.InvocationConfiguration { Output = said }, cancel);
        return (exit, said.ToString());
    }

    /// <summary>Waits until no message waits or is being worked on.</summary>
    public Task QuietAsync(CancellationToken cancel) =>
        Eventually.SeeAsync(
            async () => (await ListAsync(cancel)).Text,
            text =>
                text.Split('\n')
                    .All(line =>
                        !line.Contains(" waiting", StringComparison.Ordinal)
                        || line.Contains(": 0 waiting", StringComparison.Ordinal)
                    )
        );

    private string StoreAt(string connection) => $"azure:{connection};Container={container}";

    private async Task EmptyQueuesAsync()
    {
        var service = new QueueServiceClient(Connection);
        await foreach (var queue in service.GetQueuesAsync())
        {
            await service.GetQueueClient(queue.Name).ClearMessagesAsync();
        }
    }
}
