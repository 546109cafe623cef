using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using CcmFhir.Tests.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace CcmFhir.Tests.Functions;

/// <summary>Does to a published folder what the Azure Functions host does to a custom handler: reads host.json and the function.json files, starts
/// the program and starts it again when it fails, passes HTTP requests on by proxy, and brings timers and queue messages as envelopes. The
/// queues are real ones.</summary>
internal sealed class StandInHost : IAsyncDisposable
{
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);

    // Longer than any work takes: only the program is ever killed, and this host itself brings again what failed.
    private static readonly TimeSpan Lease = TimeSpan.FromMinutes(10);

    private readonly JsonNode settings;
    private readonly Dictionary<string, JsonNode> functions;
    private readonly string connection;
    private readonly HostedProgram program;
    private readonly CancellationTokenSource stopping = new();
    private readonly HttpClient client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        Timeout = TimeSpan.FromMinutes(5),
    };
    private readonly HttpMessageInvoker proxied = new(
        new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
        }
    );
    private readonly WebApplication web;
    private readonly List<Task> pumps = [];

    private StandInHost(string folder, string connection, IReadOnlyDictionary<string, string> appSettings)
    {
        this.connection = connection;
        settings = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "host.json")))!;
        functions = Directory
            .EnumerateFiles(folder, "function.json", SearchOption.AllDirectories)
            .Where(file => Path.GetDirectoryName(Path.GetDirectoryName(file)) == folder)
            .ToDictionary(
                file => Path.GetFileName(Path.GetDirectoryName(file)!),
                file => JsonNode.Parse(File.ReadAllText(file))!,
                StringComparer.Ordinal
            );
        functions.ShouldNotBeEmpty();
        ((string?)settings["version"]).ShouldBe("2.0");
        var handler = settings["customHandler"]!;
        ((bool?)handler["enableProxyingHttpRequest"]).ShouldBe(true);
        var environment = new Dictionary<string, string>(appSettings, StringComparer.Ordinal)
        {
            ["AzureWebJobsStorage"] = connection,
            ["FUNCTIONS_APP_ROOT_PATH"] = folder,
            ["FUNCTIONS_WORKER_RUNTIME"] = "custom",
            // The function images set these for the host, and the program inherits them.
            ["ASPNETCORE_URLS"] = "http://+:80",
            ["ASPNETCORE_CONTENTROOT"] = "/azure-functions-host",
        };
        program = new HostedProgram(folder, handler, environment);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder
            .WebHost.UseUrls("http://127.0.0.1:0")
            .ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestBodySize = 104_857_600);
        builder.Services.AddHttpForwarder();
        builder.Services.AddRouting();
        web = builder.Build();
    }

    /// <summary>Where outsiders reach it.</summary>
    public Uri Address => new(web.Urls.First());

    /// <summary>Where the program listens; outsiders cannot reach it.</summary>
    public Uri Inside => program.Address;

    /// <summary>Names of the functions.</summary>
    public IReadOnlyCollection<string> Functions => functions.Keys;

    /// <summary>How often the program was started.</summary>
    public int Starts => program.Starts;

    /// <summary>What the program printed.</summary>
    public string Output => program.Output;

    /// <summary>Calls out before a queue message is handed to the program: queue and delivery count.</summary>
    public Action<string, long>? Delivering { get; set; }

    /// <summary>Starts host and program.</summary>
    /// <param name="folder">The published folder.</param>
    /// <param name="connection">Connection string of the storage.</param>
    /// <param name="appSettings">The app's settings.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<StandInHost> StartAsync(
        string folder,
        string connection,
        IReadOnlyDictionary<string, string> appSettings,
        CancellationToken cancel
    )
    {
        var host = new StandInHost(folder, connection, appSettings);
        try
        {
            await host.program.StartAsync(cancel);
            host.MapHttp();
            await host.web.StartAsync(cancel);
            foreach (var (name, binding) in host.Bindings("queueTrigger"))
            {
                host.pumps.Add(host.PumpAsync(name, binding, host.stopping.Token));
            }
            return host;
        }
        catch
        {
            await host.DisposeAsync();
            throw;
        }
    }

    /// <summary>Lets a timer go off.</summary>
    public Task<HttpResponseMessage> FireAsync(string function, CancellationToken cancel) =>
        InvokeAsync(
            function,
            (string)Bindings("timerTrigger").Single(one => one.Name == function).Binding["name"]!,
            new JsonObject
            {
                ["Schedule"] = new JsonObject { ["AdjustForDST"] = true },
                ["ScheduleStatus"] = null,
                ["IsPastDue"] = false,
            },
            new JsonObject(),
            cancel
        );

    /// <summary>Kills the program (SIGKILL), as scaling in or a timeout does, and waits until it is gone.</summary>
    public Task KillAsync() => program.KillAsync();

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await Task.WhenAll(pumps);
        await program.DisposeAsync();
        await web.DisposeAsync();
        client.Dispose();
        proxied.Dispose();
        stopping.Dispose();
    }

    private IEnumerable<(string Name, JsonNode Binding)> Bindings(string type) =>
        functions
            .OrderBy(function => function.Key, StringComparer.Ordinal)
            .Select(function =>
                (function.Key, function.Value["bindings"]!.AsArray().First(one => (string?)one!["direction"] == "in")!)
            )
            .Where(one => (string?)one.Item2["type"] == type);

    // Routes in order of function names, first match wins; no method named is all methods; no match is 404.
    private void MapHttp()
    {
        var forwarder = web.Services.GetRequiredService<IHttpForwarder>();
        var prefix = (string?)settings["extensions"]?["http"]?["routePrefix"] ?? "api";
        var order = 0;
        foreach (var (name, binding) in Bindings("httpTrigger"))
        {
            ((string?)binding["authLevel"]).ShouldBe("anonymous", name);
            var route = $"{prefix}/{(string?)binding["route"] ?? name}".TrimStart('/');
            web.Map(route, http => ProxyAsync(forwarder, http)).WithOrder(order++);
        }
    }

    private async Task ProxyAsync(IHttpForwarder forwarder, HttpContext http)
    {
        var request = new ForwarderRequestConfig { ActivityTimeout = TimeSpan.FromSeconds(240) };
        await forwarder.SendAsync(http, Inside.ToString(), proxied, request, new OutsideHeaders());
    }

    private async Task PumpAsync(string function, JsonNode binding, CancellationToken cancel)
    {
        var queues = settings["extensions"]!["queues"]!;
        var atOnce = (int)queues["batchSize"]! + (int)queues["newBatchThreshold"]!;
        var mostTries = (int)queues["maxDequeueCount"]!;
        ((string?)queues["messageEncoding"]).ShouldBe("base64");
        var service = new QueueServiceClient(connection);
        var queue = service.GetQueueClient((string)binding["queueName"]!);
        var poison = service.GetQueueClient(queue.Name + "-poison");
        await queue.CreateIfNotExistsAsync(cancellationToken: CancellationToken.None);
        var running = new List<Task>();
        while (!cancel.IsCancellationRequested)
        {
            running.RemoveAll(task => task.IsCompleted);
            QueueMessage[] messages =
                running.Count < atOnce
                    ? (await queue.ReceiveMessagesAsync(atOnce - running.Count, Lease, CancellationToken.None)).Value
                    : [];
            running.AddRange(messages.Select(message => WorkAsync(message)));
            if (messages.Length == 0)
            {
                await Task.WhenAny(Task.Delay(Look, new RealTime(), cancel));
            }
        }
        await Task.WhenAll(running);

        async Task WorkAsync(QueueMessage message)
        {
            if (!IsBase64(message.Body))
            {
                // What cannot be decoded is never delivered: it is put aside as it came.
                await PutAsideAsync(message);
                return;
            }
            Delivering?.Invoke(queue.Name, message.DequeueCount);
            if (await DeliverAsync(function, (string)binding["name"]!, message, cancel))
            {
                await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, CancellationToken.None);
            }
            else if (message.DequeueCount >= mostTries)
            {
                await PutAsideAsync(message);
            }
            else
            {
                // The host waits visibilityTimeout before it tries again; here nobody waits.
                await queue.UpdateMessageAsync(
                    message.MessageId,
                    message.PopReceipt,
                    message.Body,
                    TimeSpan.Zero,
                    CancellationToken.None
                );
            }
        }

        async Task PutAsideAsync(QueueMessage message)
        {
            await poison.CreateIfNotExistsAsync(cancellationToken: CancellationToken.None);
            await poison.SendMessageAsync(message.Body, cancellationToken: CancellationToken.None);
            await queue.DeleteMessageAsync(message.MessageId, message.PopReceipt, CancellationToken.None);
        }
    }

    private static bool IsBase64(BinaryData body) => System.Buffers.Text.Base64.IsValid(body.ToMemory().Span);

    private async Task<bool> DeliverAsync(
        string function,
        string binding,
        QueueMessage message,
        CancellationToken cancel
    )
    {
        try
        {
            await program.Ready.WaitAsync(cancel);
            using var answer = await InvokeAsync(
                function,
                binding,
                // The host writes a message as JSON text inside a string, twice.
                JsonValue.Create(
                    JsonSerializer.Serialize(Encoding.UTF8.GetString(Convert.FromBase64String(message.Body.ToString())))
                ),
                new JsonObject
                {
                    ["DequeueCount"] = message.DequeueCount.ToString(CultureInfo.InvariantCulture),
                    ["Id"] = $"\"{message.MessageId}\"",
                },
                cancel
            );
            return answer.IsSuccessStatusCode;
        }
        catch (Exception fault) when (fault is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }

    // An answer that would leave the host waiting, or that it could not read, fails here at once.
    private async Task<HttpResponseMessage> InvokeAsync(
        string function,
        string binding,
        JsonNode value,
        JsonObject metadata,
        CancellationToken cancel
    )
    {
        metadata["sys"] = new JsonObject { ["MethodName"] = function };
        var body = new JsonObject
        {
            ["Data"] = new JsonObject { [binding] = value.DeepClone() },
            ["Metadata"] = metadata,
        };
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Inside, "/" + function))
        {
            Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json"),
        };
        request.Headers.TransferEncodingChunked = true;
        request.Headers.Add("X-Azure-Functions-InvocationId", Guid.NewGuid().ToString());
        request.Headers.Add("X-Azure-Functions-HostVersion", "4.1037.0.0");
        var answer = await client.SendAsync(request, cancel);
        if (answer.IsSuccessStatusCode)
        {
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
            answer.Content.Headers.ContentType?.MediaType.ShouldBe("application/json");
            var said = JsonNode.Parse(await answer.Content.ReadAsStringAsync(cancel))!.AsObject();
            said.Select(member => member.Key).ShouldBe(["Outputs", "Logs", "ReturnValue"]);
        }
        return answer;
    }

    // What the host's proxy does to headers: those that name the outside are set, whatever the client sent.
    private sealed class OutsideHeaders : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext,
            HttpRequestMessage proxyRequest,
            string destinationPrefix,
            CancellationToken cancellationToken
        )
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            Set("X-Forwarded-For", httpContext.Connection.RemoteIpAddress!.ToString());
            Set("X-Forwarded-Host", httpContext.Request.Host.Value!);
            Set("X-Forwarded-Proto", httpContext.Request.Scheme);
            Set("X-Azure-Functions-InvocationId", Guid.NewGuid().ToString());
            Set("X-Azure-Functions-HostVersion", "4.1037.0.0");
            proxyRequest.Headers.Host = null;

            void Set(string name, string value)
            {
                proxyRequest.Headers.Remove(name);
                proxyRequest.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }
}
