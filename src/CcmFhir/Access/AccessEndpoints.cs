using System.Text.Json;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Trail;

namespace CcmFhir.Access;

/// <summary>Routes of the authorization side: token endpoint, keys, discovery. Open to all; the token endpoint decides by signature.</summary>
internal static partial class AccessEndpoints
{
    private const int MaxForm = 64 * 1024;

    /// <summary>Adds what access is decided with.</summary>
    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration;
        var addresses = (settings["urls"] ?? "http://localhost:5000").Split(';', StringSplitOptions.RemoveEmptyEntries);
        builder.Services.AddSingleton(AccessSettings.Read(settings, Addresses.Listening(settings)));
        builder.Services.AddSingleton(_ =>
            SigningKey.Load(
                settings["Ccm:Access:SigningKey"],
                OwnKey(settings[JournalStores.Setting] ?? JournalStores.Default)
            )
        );
        builder
            .Services.AddHttpClient(nameof(ClientKeys), http => http.Timeout = TimeSpan.FromSeconds(5))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false });
        builder
            .Services.AddHttpClient(nameof(BearerTokens), http => http.Timeout = TimeSpan.FromSeconds(5))
            .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { AllowAutoRedirect = false });
        builder.Services.AddSingleton(services => new ClientKeys(
            services.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(ClientKeys)),
            services.GetRequiredService<TimeProvider>()
        ));
        builder.Services.AddSingleton(services => new BearerTokens(
            services.GetRequiredService<SigningKey>(),
            services.GetRequiredService<IHttpClientFactory>().CreateClient(nameof(BearerTokens)),
            settings,
            services.GetRequiredService<TimeProvider>()
        ));
        builder.Services.AddSingleton<ClientRegistry>();
        builder.Services.AddSingleton<TokenEndpoint>();
        builder.Services.AddSingleton<AccessGate>();
    }

    /// <summary>Adds the routes.</summary>
    public static void MapAccess(this WebApplication app)
    {
        var practices = app.Services.GetRequiredService<Practices>();
        if (app.Services.GetRequiredService<AccessSettings>().Open)
        {
            OpenToThisMachine(app.Logger);
        }
        bool hasPractice(string slug) => practices.Find(slug) is not null;
        app.MapPost(
            "/auth/{practice}/token",
            (HttpContext http, string practice) => hasPractice(practice) ? TokenAsync(http, practice) : NotFound(http)
        );
        app.MapGet(
            "/auth/{practice}/jwks",
            (HttpContext http, string practice, SigningKey key) =>
                hasPractice(practice) ? http.Response.WriteAsJsonAsync(key.PublicKeys) : NotFound(http)
        );
        app.MapGet(
            "/.well-known/smart-configuration",
            (HttpContext http, string? practice) =>
                practice is not null && hasPractice(practice)
                    ? ConfigurationAsync(http, practice)
                    : ConfigurationAsync(http, null)
        );
        app.MapGet(
            "/{practice}/fhir/.well-known/smart-configuration",
            (HttpContext http, string practice) =>
                hasPractice(practice) ? ConfigurationAsync(http, practice) : NotFound(http)
        );
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "DEVELOPMENT MODE: every program on this machine reads and changes all patient data without a token. Set Ccm:Access:Mode to 'smart' for anything but a trial."
    )]
    private static partial void OpenToThisMachine(ILogger log);

    // A machine's own key stands beside its store; a store elsewhere needs a key that all instances share.
    private static string? OwnKey(string store) =>
        store.StartsWith("sqlite:", StringComparison.Ordinal) ? store["sqlite:".Length..] + ".signing-key.pem" : null;

    private static Task NotFound(HttpContext http)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return http.Response.WriteAsJsonAsync(new TokenError("not_found", "There is no such practice."));
    }

    private static async Task TokenAsync(HttpContext http, string practice)
    {
        http.Response.Headers.CacheControl = "no-store";
        http.Response.Headers.Pragma = "no-cache";
        if (http.RequestServices.GetRequiredService<RequestLimits>().Address(Addresses.Client(http)) is { } wait)
        {
            AccessGate.Wait(http.Response, wait);
            http.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            await http.Response.WriteAsJsonAsync(
                new TokenError("temporarily_unavailable", "Too many requests. Wait as long as Retry-After says."),
                http.RequestAborted
            );
            return;
        }
        var form = Addresses.IsPrivate(http) ? await FormAsync(http) : null;
        var answer = form is not null
            ? await http
                .RequestServices.GetRequiredService<TokenEndpoint>()
                .AnswerAsync(
                    practice,
                    form,
                    Addresses.Issuer(http, practice),
                    $"{Addresses.Issuer(http, practice)}/token",
                    Addresses.FhirBase(http, practice),
                    http.RequestAborted
                )
            : TokenAnswer.Refused(
                400,
                "invalid_request",
                !Addresses.IsPrivate(http)
                    ? Addresses.OverTls
                    : "Post application/x-www-form-urlencoded with grant_type, scope, client_assertion_type and client_assertion, each once."
            );
        http.Response.StatusCode = answer.Status;
        http.RequestServices.GetRequiredService<AccessTrail>()
            .Note(
                RequestTrail.Base(
                    http,
                    practice,
                    null,
                    http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow()
                ) with
                {
                    By = TokenEndpoint.Claimed(form),
                    Do = "login",
                    Url = answer.Token?.Scope ?? "",
                    Why = answer.Error is { } error ? $"{error.Error}: {error.Description}" : null,
                }
            );
        if (answer.Token is { } token)
        {
            await http.Response.WriteAsJsonAsync(token, http.RequestAborted);
        }
        else
        {
            await http.Response.WriteAsJsonAsync(answer.Error!, http.RequestAborted);
        }
    }

    private static async Task<Dictionary<string, string>?> FormAsync(HttpContext http)
    {
        if (!http.Request.HasFormContentType || http.Request.ContentLength > MaxForm)
        {
            return null;
        }
        try
        {
            var posted = await http.Request.ReadFormAsync(
                new Microsoft.AspNetCore.Http.Features.FormOptions
                {
                    BufferBodyLengthLimit = MaxForm,
                    ValueCountLimit = 32,
                    ValueLengthLimit = MaxForm,
                },
                http.RequestAborted
            );
            var form = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var (name, values) in posted)
            {
                if (values.Count != 1)
                {
                    return null;
                }
                form[name] = values[0]!;
            }
            return form;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    // SMART App Launch 2.2, Conformance.
    private static Task ConfigurationAsync(HttpContext http, string? practice)
    {
        var issuer = Addresses.Issuer(http, practice ?? "{practice}");
        return http.Response.WriteAsJsonAsync(
            new Dictionary<string, object>
            {
                ["issuer"] = issuer,
                ["jwks_uri"] = $"{issuer}/jwks",
                ["token_endpoint"] = $"{issuer}/token",
                ["grant_types_supported"] = new[] { "client_credentials" },
                ["token_endpoint_auth_methods_supported"] = new[] { "private_key_jwt" },
                ["token_endpoint_auth_signing_alg_values_supported"] = new[] { "RS384", "ES384" },
                ["scopes_supported"] = new[]
                {
                    "system/*.cruds",
                    "system/*.read",
                    "system/*.write",
                    "system/Patient.rs",
                    "system/Task.cruds",
                    "system/Claim.rs",
                },
                ["response_types_supported"] = Array.Empty<string>(),
                ["code_challenge_methods_supported"] = new[] { "S256" },
                ["capabilities"] = new[] { "client-confidential-asymmetric", "permission-v1", "permission-v2" },
            },
            (JsonSerializerOptions?)null,
            "application/json",
            http.RequestAborted
        );
    }
}
