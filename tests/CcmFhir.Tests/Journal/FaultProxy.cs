using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CcmFhir.Tests.Journal;

/// <summary>Stands between program and storage and does what networks and services do: drops requests before and after they were carried
/// out, sends them twice, answers 503, waits.</summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Host",
        "Connection",
        "Transfer-Encoding",
        "Keep-Alive",
    };

    private readonly WebApplication app;
    private readonly HttpClient client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false });
    private readonly Random random;
    private readonly double share;
    private readonly int target;
    private int faults;
    private int calls;

    private FaultProxy(int target, double share, int seed)
    {
        this.target = target;
        this.share = share;
        random = new Random(seed);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        app = builder.Build();
        app.Run(HandleAsync);
    }

    /// <summary>Where it listens.</summary>
    public int Port => new Uri(app.Urls.First()).Port;

    /// <summary>Calls that came.</summary>
    public int Calls => calls;

    /// <summary>Calls that met a fault.</summary>
    public int Faults => faults;

    /// <summary>Asked before a call is passed on; the call waits for it, and is passed on even when its sender has died meanwhile.</summary>
    public Func<HttpRequest, Task> Passing { get; set; } = _ => Task.CompletedTask;

    /// <summary>Starts one.</summary>
    /// <param name="target">Port of the storage.</param>
    /// <param name="share">Share of calls, from 0 to 1, that meet a fault; each kind is as likely as the others.</param>
    /// <param name="seed">Makes the choice repeatable.</param>
    public static async Task<FaultProxy> StartAsync(int target, double share, int seed)
    {
        var proxy = new FaultProxy(target, share, seed);
        await proxy.app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        client.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        Interlocked.Increment(ref calls);
        using var buffer = new MemoryStream();
        await context.Request.Body.CopyToAsync(buffer);
        var body = buffer.ToArray();
        await Passing(context.Request);
        int fault;
        lock (random)
        {
            fault = random.NextDouble() < share ? random.Next(5) : -1;
        }
        if (fault >= 0)
        {
            Interlocked.Increment(ref faults);
        }
        switch (fault)
        {
            case 0:
                context.Abort();
                return;
            case 1:
                (await SendAsync(context, body)).Dispose();
                context.Abort();
                return;
            case 2:
                (await SendAsync(context, body)).Dispose();
                break;
            case 3:
                context.Response.StatusCode = 503;
                context.Response.Headers["x-ms-error-code"] = "ServerBusy";
                return;
            case 4:
                await Task.Delay(TimeSpan.FromMilliseconds(30), TimeProvider.System, context.RequestAborted);
                break;
            default:
                break;
        }
        using var answer = await SendAsync(context, body);
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (!NotForwarded.Contains(name))
            {
                context.Response.Headers[name] = values.ToArray();
            }
        }
        if (
            answer.StatusCode is not (System.Net.HttpStatusCode.NoContent or System.Net.HttpStatusCode.NotModified)
            && !HttpMethods.IsHead(context.Request.Method)
        )
        {
            await answer.Content.CopyToAsync(context.Response.Body);
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpContext context, byte[] body)
    {
        var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method),
            new Uri($"http://127.0.0.1:{target}{context.Request.Path.ToUriComponent()}{context.Request.QueryString}")
        )
        {
            Content = new ByteArrayContent(body),
        };
        foreach (var (name, values) in context.Request.Headers)
        {
            if (!NotForwarded.Contains(name) && !request.Headers.TryAddWithoutValidation(name, values.ToArray()))
            {
                request.Content.Headers.TryAddWithoutValidation(name, values.ToArray());
            }
        }
        return await client.SendAsync(request, HttpCompletionOption.ResponseContentRead, CancellationToken.None);
    }
}
