using CcmFhir.Ehr;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Fhir;
using CcmFhir.MonthEnd;
using CcmFhir.Telemetry;

namespace CcmFhir.Functions;

/// <summary>The room that only the Functions host enters: its timers and queues, each called at <c>POST /{function}</c>. Settings, routes and
/// schedules stand in <c>host.json</c> and in the <c>function.json</c> files beside this one.</summary>
internal static class FunctionsRoom
{
    // An empty answer, or one of another shape, leaves the host waiting until the function's time is up.
    private const string Done = """{"Outputs":{},"Logs":[],"ReturnValue":null}""";

    /// <summary>Adds what the functions need; nothing where the host did not start us.</summary>
    /// <exception cref="InvalidDataException">The host's settings are not those we can live with, or no queues are named.</exception>
    public static void AddFunctions(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration;
        if (!FunctionsHost.StartedUs(settings))
        {
            return;
        }
        var mostTries = FunctionsHost.ReadMostTries(settings);
        var queues = WorkQueues.Open(settings[WorkQueues.Setting] ?? settings["AzureWebJobsStorage"]);
        builder.Services.AddSingleton(queues);
        builder.Services.AddSingleton<IShardQueue>(queues);
        builder.Services.AddSingleton(services => new FunctionCalls(
            services.GetRequiredService<MonthEndRound>(),
            services.GetRequiredService<CloseShards>(),
            services.GetRequiredService<PushRound>(),
            services.GetRequiredService<PullRound>(),
            queues,
            mostTries
        ));
    }

    /// <summary>Adds the functions' addresses; none where the host did not start us.</summary>
    public static void MapFunctions(this WebApplication app)
    {
        if (app.Services.GetService<FunctionCalls>() is not { } calls)
        {
            return;
        }
        Map(app, "MonthEnd", (_, cancel) => calls.MonthEndAsync(cancel));
        Map(app, "CloseShard", calls.CloseShardAsync);
        Map(app, "PushDue", (_, cancel) => calls.PushDueAsync(cancel));
        Map(app, "PushClaims", calls.PushClaimsAsync);
        Map(app, "PullDue", (_, cancel) => calls.PullDueAsync(cancel));
    }

    private static void Map(WebApplication app, string function, Func<Invocation, CancellationToken, Task> call) =>
        app.MapPost("/" + function, http => CallAsync(http, function, call));

    private static async Task CallAsync(
        HttpContext http,
        string function,
        Func<Invocation, CancellationToken, Task> call
    )
    {
        // The host's proxy sets these on every request from outside, whatever the client sends; its own calls have none of them.
        if (http.Request.Headers.ContainsKey("X-Forwarded-For") || http.Request.Headers.ContainsKey("X-Forwarded-Host"))
        {
            await FhirRoom.NothingHereAsync(http);
            return;
        }
        try
        {
            var invocation = await Invocation.ReadAsync(http.Request.Body, http.RequestAborted);
            // A call that the host gave up is carried to its end: it would come again anyway.
            await call(invocation, CancellationToken.None);
        }
        catch (Exception fault)
        {
            http.RequestServices.GetRequiredService<ILoggerFactory>()
                .CreateLogger(typeof(FunctionsRoom))
                .LogError(fault, "Function {Function} failed.", function);
            http.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return;
        }
        http.Response.ContentType = "application/json";
        await http.Response.WriteAsync(Done, http.RequestAborted);
    }
}

/// <summary>What the functions do.</summary>
/// <param name="round">Month end.</param>
/// <param name="shards">Closes shards.</param>
/// <param name="push">Pushes claims.</param>
/// <param name="pull">Reads from EHRs.</param>
/// <param name="queues">The queues.</param>
/// <param name="mostTries">How often a message is delivered before it is put aside.</param>
internal sealed class FunctionCalls(
    MonthEndRound round,
    CloseShards shards,
    PushRound push,
    PullRound pull,
    WorkQueues queues,
    int mostTries
)
{
    /// <summary>The hourly timer.</summary>
    public Task MonthEndAsync(CancellationToken cancel) => round.RunAsync(cancel);

    /// <summary>A shard.</summary>
    public async Task CloseShardAsync(Invocation invocation, CancellationToken cancel)
    {
        var work = Read<ShardWork>(invocation);
        try
        {
            if (await shards.CloseAsync(work, cancel) > 0)
            {
                await queues.SendAsync(new PushWork(work.Practice) { TraceParent = work.TraceParent }, cancel);
            }
        }
        catch (Exception fault) when (invocation.DequeueCount >= mostTries)
        {
            await shards.GiveUpAsync(work, fault, cancel);
            throw;
        }
    }

    /// <summary>The timer that looks for claims to be pushed again: each practice with an EHR becomes a message. It also counts what was put aside.</summary>
    public async Task PushDueAsync(CancellationToken cancel)
    {
        foreach (var practice in push.Practices)
        {
            await queues.SendAsync(new PushWork(practice), cancel);
        }
        foreach (var queue in WorkQueues.All)
        {
            Signals.PutAside(queue, await queues.CountAsync(queue + WorkQueues.Poison, cancel));
        }
    }

    /// <summary>The timer that reads from EHRs: what notifications named and no instance has fetched, and what is to be pulled by now.</summary>
    public Task PullDueAsync(CancellationToken cancel) => pull.RunAsync(cancel);

    /// <summary>A practice whose claims are to be pushed.</summary>
    public async Task PushClaimsAsync(Invocation invocation, CancellationToken cancel)
    {
        var work = Read<PushWork>(invocation);
        using var pushing = Signals.Continue("push", work.TraceParent);
        await push.RunAsync(work.Practice, cancel);
    }

    private static T Read<T>(Invocation invocation)
        where T : class =>
        WorkQueues.Read<T>(invocation.Data)
        ?? throw new InvalidDataException($"The message is no {typeof(T).Name}, or lacks something of one.");
}
