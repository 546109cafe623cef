using System.Globalization;
using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Functions;
using CcmFhir.Journal;
using CcmFhir.Trail;

namespace CcmFhir.Ehr;

/// <summary>Delivery as a room of the server: services, the published keys, and the operations on claims.</summary>
internal static class DeliveryRoom
{
    /// <summary>Seconds between two rounds of the outbox; 0 for none.</summary>
    public const string EverySetting = "Ccm:PushEverySeconds";

    /// <summary>Folder of our keys for the EHRs' token endpoints.</summary>
    public const string KeysSetting = "Ccm:EhrKeys";

    /// <summary>Folder of the keys when nothing is set.</summary>
    public const string DefaultKeys = "data/ehr-keys";

    /// <summary>Adds the services. <see cref="StreamRecords"/>, practices and the clock are there already.</summary>
    /// <param name="services">The services.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="instance">Name of this instance, for the journal.</param>
    public static void AddDelivery(this IServiceCollection services, IConfiguration settings, string instance)
    {
        services.AddSingleton(_ => new EhrKeys(settings[KeysSetting] ?? DefaultKeys));
        services.AddSingleton<EhrSessions>();
        services.AddSingleton<ClaimDesk>();
        services.AddSingleton<FetchAnswers>();
        services.AddSingleton(provider => new PushClaims(
            provider.GetRequiredService<StreamRecords>(),
            provider.GetRequiredService<TimeProvider>(),
            instance
        ));
        services.AddSingleton<PushRound>();
        // Behind the Functions host its timer and queue do it, on as many instances as there are.
        var every = FunctionsHost.StartedUs(settings) ? 0 : settings.GetValue(EverySetting, 60);
        if (every > 0)
        {
            services.AddHostedService(provider => new OutboxWorker(
                provider.GetRequiredService<PushRound>(),
                provider.GetRequiredService<TimeProvider>(),
                TimeSpan.FromSeconds(every),
                provider.GetRequiredService<ILogger<OutboxWorker>>()
            ));
        }
    }

    /// <summary>Adds the routes.</summary>
    public static void MapDelivery(this WebApplication app)
    {
        var admit = app.Services.GetRequiredService<FhirDoor>().AdmitAsync;
        app.MapGet("/{practice}/ehr/jwks.json", Keys);
        app.MapPost(
            "/{practice}/fhir/$ccm-push",
            (HttpContext http, string practice, string? month) =>
                InAsync(http, practice, admit, desk => PushAsync(http, desk, month))
        );
        app.MapPost(
            "/{practice}/fhir/$ccm-fetch-answers",
            (HttpContext http, string practice, string? month) =>
                InAsync(http, practice, admit, desk => FetchAsync(http, desk, month))
        );
        app.MapGet(
            "/{practice}/fhir/$ccm-claims",
            (HttpContext http, string practice, string? month) =>
                InAsync(http, practice, admit, desk => ClaimsAsync(http, desk, month))
        );
        app.MapPost(
            "/{practice}/fhir/Claim/{id}/$ccm-resend",
            (HttpContext http, string practice, string id, bool? notThere, string? reason) =>
                InAsync(
                    http,
                    practice,
                    admit,
                    async desk =>
                        Say(
                            await http
                                .RequestServices.GetRequiredService<ClaimDesk>()
                                .ResendAsync(
                                    desk.Practice,
                                    desk.Connection,
                                    id,
                                    notThere ?? false,
                                    desk.By,
                                    reason ?? "",
                                    http.RequestAborted
                                )
                        )
                )
        );
        app.MapPost(
            "/{practice}/fhir/Claim/{id}/$ccm-confirm",
            (HttpContext http, string practice, string id, string? reference) =>
                InAsync(
                    http,
                    practice,
                    admit,
                    async desk =>
                        Say(
                            await http
                                .RequestServices.GetRequiredService<ClaimDesk>()
                                .ConfirmAsync(
                                    desk.Practice,
                                    desk.Connection,
                                    id,
                                    reference,
                                    desk.By,
                                    http.RequestAborted
                                )
                        )
                )
        );
    }

    /// <summary>A month's claims as FHIR Parameters.</summary>
    public static byte[] Parameters(IEnumerable<ClaimView> claims)
    {
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Parameters");
            var open = false;
            foreach (var claim in claims)
            {
                if (!open)
                {
                    json.WriteStartArray("parameter");
                    open = true;
                }
                json.WriteStartObject();
                json.WriteString("name", "claim");
                json.WriteStartArray("part");
                Part(json, "claim", "valueReference", () => Reference(json, $"Claim/{claim.Id}"));
                Part(json, "patient", "valueReference", () => Reference(json, $"Patient/{claim.Patient}"));
                Part(json, "state", "valueCode", () => json.WriteStringValue(claim.State));
                Part(json, "issued", "valueInstant", () => json.WriteStringValue(Instant(claim.IssuedAt)));
                if (claim.Total is { } total)
                {
                    Part(json, "total", "valueDecimal", () => json.WriteNumberValue(total));
                }
                if (claim.Delivery.AcceptedAt is { } delivered)
                {
                    Part(json, "delivered", "valueInstant", () => json.WriteStringValue(Instant(delivered)));
                }
                if (claim.Delivery.Accepted?.EhrReference is { } there)
                {
                    Part(json, "ehrReference", "valueString", () => json.WriteStringValue(there));
                }
                if ((claim.Delivery.Accepted is null ? claim.Delivery.Last?.Text : null) is { Length: > 0 } text)
                {
                    Part(json, "message", "valueString", () => json.WriteStringValue(text));
                }
                if (claim.Advice is { } advice)
                {
                    Part(json, "advice", "valueString", () => json.WriteStringValue(advice));
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            if (open)
            {
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void Part(Utf8JsonWriter json, string name, string value, Action write)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WritePropertyName(value);
        write();
        json.WriteEndObject();
    }

    private static void Reference(Utf8JsonWriter json, string reference)
    {
        json.WriteStartObject();
        json.WriteString("reference", reference);
        json.WriteEndObject();
    }

    private static string Instant(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Our public keys for a practice's EHR. They may be kept for five minutes: half the time that a new key is published ahead.</summary>
    private static Task Keys(HttpContext http, string practice, EhrSessions sessions, TimeProvider clock)
    {
        if (sessions.Practices.Find(practice) is null)
        {
            http.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        http.Response.Headers.CacheControl = "public, max-age=300";
        return http.Response.WriteAsJsonAsync(
            new { keys = sessions.Keys.Published(practice, clock.GetUtcNow()).Select(key => key.PublicJwk) },
            http.RequestAborted
        );
    }

    private static async Task InAsync(
        HttpContext http,
        string practice,
        Func<HttpContext, string, ValueTask<GateAnswer>> admit,
        Func<Desk, Task<(int Status, byte[] Body)>> answer
    )
    {
        var sessions = http.RequestServices.GetRequiredService<EhrSessions>();
        (int Status, byte[] Body) said;
        AccessContext? access = null;
        if (sessions.Practices.Find(practice) is null)
        {
            said = Outcome(404, "not-found", "There is no such practice.");
        }
        else
        {
            var gate = await admit(http, practice);
            access = gate.Context;
            if (gate.Context is not { } context)
            {
                AccessGate.Refuse(http.Response, gate);
                said = gate.RetryAfter is null
                    ? Outcome(401, "login", gate.Fault!)
                    : Outcome(429, "throttled", gate.Fault!);
            }
            // A patient's own app delivers no claims.
            else if (!context.AllowsAll("Claim", Interactions.Update))
            {
                AccessGate.Challenge(
                    http.Response,
                    "insufficient_scope",
                    "The token lacks the scope system/Claim.u.",
                    "system/Claim.u"
                );
                said = Outcome(403, "forbidden", "The token lacks the scope system/Claim.u or user/Claim.u.");
            }
            else if (sessions.Find(practice) is not { } ehr)
            {
                said = Outcome(422, "business-rule", "The practice has no EHR connection: its file has no 'ehr'.");
            }
            else
            {
                said = await answer(new Desk(practice, ehr, ehr.Connection, context.User ?? context.Client));
            }
        }
        http.Response.StatusCode = said.Status;
        http.Response.ContentType = "application/fhir+json; charset=utf-8";
        if (sessions.Practices.Find(practice) is not null)
        {
            http.RequestServices.GetRequiredService<AccessTrail>()
                .Note(
                    RequestTrail.Base(http, practice, access, sessions.Clock.GetUtcNow()) with
                    {
                        Url = http.Request.Path.Value![$"/{practice}/fhir/".Length..] + http.Request.QueryString.Value,
                        Why = said.Status >= 400 ? System.Text.Encoding.UTF8.GetString(said.Body) : null,
                    }
                );
        }
        await http.Response.BodyWriter.WriteAsync(said.Body, http.RequestAborted);
    }

    private static async Task<(int Status, byte[] Body)> PushAsync(HttpContext http, Desk desk, string? month)
    {
        if (!IsMonth(month))
        {
            return BadMonth;
        }
        await http
            .RequestServices.GetRequiredService<PushClaims>()
            .RunAsync(desk.Ehr, month!, null, http.RequestAborted);
        return await ClaimsAsync(http, desk, month);
    }

    private static async Task<(int Status, byte[] Body)> FetchAsync(HttpContext http, Desk desk, string? month)
    {
        if (!IsMonth(month))
        {
            return BadMonth;
        }
        var report = await http
            .RequestServices.GetRequiredService<FetchAnswers>()
            .RunAsync(desk.Ehr, month!, http.RequestAborted);
        return report.Problem is { } problem
            ? Outcome(502, "transient", problem)
            : await ClaimsAsync(http, desk, month);
    }

    private static async Task<(int Status, byte[] Body)> ClaimsAsync(HttpContext http, Desk desk, string? month) =>
        IsMonth(month)
            ? (
                200,
                Parameters(
                    await http
                        .RequestServices.GetRequiredService<ClaimDesk>()
                        .ListAsync(desk.Practice, desk.Connection, month!, http.RequestAborted)
                )
            )
            : BadMonth;

    private static (int Status, byte[] Body) BadMonth =>
        Outcome(400, "value", "The parameter 'month' must be a month such as 2026-10.");

    /// <summary>A month as <c>yyyy-MM</c>.</summary>
    public static bool IsMonth(string? month) =>
        month is { Length: 7 }
        && DateOnly.TryParseExact(
            month + "-01",
            "yyyy-MM-dd",
            CultureInfo.InvariantCulture,
            DateTimeStyles.None,
            out _
        );

    private static (int Status, byte[] Body) Say(DeskAnswer answer) =>
        answer.Done
            ? Outcome(200, "informational", answer.Text, "information")
            : Outcome(
                answer.Text.StartsWith("There is no", StringComparison.Ordinal) ? 404 : 409,
                "conflict",
                answer.Text
            );

    private static (int Status, byte[] Body) Outcome(int status, string code, string text, string severity = "error") =>
        (
            status,
            JsonSerializer.SerializeToUtf8Bytes(
                new
                {
                    resourceType = "OperationOutcome",
                    issue = new[]
                    {
                        new
                        {
                            severity,
                            code,
                            diagnostics = text,
                        },
                    },
                }
            )
        );

    private sealed record Desk(string Practice, EhrSession Ehr, EhrConnection Connection, string By);
}
