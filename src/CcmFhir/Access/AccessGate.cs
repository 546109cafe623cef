using Microsoft.Net.Http.Headers;

namespace CcmFhir.Access;

/// <summary>What the gate says to one request.</summary>
/// <param name="Context">Who asks, when they may come in.</param>
/// <param name="Fault">Else why not; the answer is 401, or 429 with a time to wait.</param>
/// <param name="RetryAfter">How long to wait, when there were too many requests; null otherwise.</param>
internal sealed record GateAnswer(AccessContext? Context, string? Fault, TimeSpan? RetryAfter = null);

/// <summary>The gate before a practice's FHIR data: a bearer token becomes an <see cref="AccessContext"/>.</summary>
internal sealed class AccessGate(AccessSettings settings, BearerTokens tokens, RequestLimits limits)
{
    /// <summary>Lets a request in, or says why not.</summary>
    /// <param name="http">The request.</param>
    /// <param name="practice">Slug of a practice that is there.</param>
    /// <param name="issuers">Issuers that the practice accepts beside us.</param>
    public async ValueTask<GateAnswer> AdmitAsync(HttpContext http, string practice, IReadOnlyList<TokenIssuer> issuers)
    {
        var answer = await LetInAsync(http, practice, issuers);
        var wait =
            settings.Open ? null
            : answer.Context is { } context ? limits.Client(practice, context.Client)
            : limits.Address(Addresses.Client(http));
        http.Items[typeof(AccessContext)] = answer.Context;
        return wait is null
            ? answer
            : new GateAnswer(
                null,
                "Too many requests. Wait as long as Retry-After says; send several resources in one Bundle.",
                wait
            );
    }

    private async ValueTask<GateAnswer> LetInAsync(
        HttpContext http,
        string practice,
        IReadOnlyList<TokenIssuer> issuers
    )
    {
        var header = http.Request.Headers.Authorization;
        if (settings.Open)
        {
            // A proxy in front means that others can reach us after all.
            return
                http.Request.Headers.ContainsKey("X-Forwarded-For")
                || http.Request.Headers.ContainsKey("X-Forwarded-Host")
                ? new GateAnswer(null, "Development mode answers only requests of this machine, not those of a proxy.")
                : new GateAnswer(AccessContext.Unrestricted(practice, "development"), null);
        }
        if (!Addresses.IsPrivate(http))
        {
            return new GateAnswer(null, Addresses.OverTls);
        }
        if (header.Count == 0)
        {
            return new GateAnswer(
                null,
                $"A token is needed: see {Addresses.FhirBase(http, practice)}/.well-known/smart-configuration."
            );
        }
        if (header.Count > 1 || !header[0]!.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase))
        {
            return new GateAnswer(null, "One Authorization header of the form 'Bearer token' is needed.");
        }
        var verdict = await tokens.CheckAsync(
            practice,
            issuers,
            header[0]!["Bearer ".Length..].Trim(),
            Addresses.Issuer(http, practice),
            Addresses.FhirBase(http, practice),
            http.RequestAborted
        );
        return new GateAnswer(verdict.Context, verdict.Fault);
    }

    /// <summary>The headers of a refusal at the gate: what kind of token is needed, or how long to wait.</summary>
    public static void Refuse(HttpResponse response, GateAnswer answer)
    {
        if (answer.RetryAfter is { } wait)
        {
            Wait(response, wait);
        }
        else
        {
            Challenge(response, "invalid_token", answer.Fault!);
        }
    }

    /// <summary>Says how long to wait, in whole seconds, at least one.</summary>
    public static void Wait(HttpResponse response, TimeSpan wait) =>
        response.Headers.RetryAfter = ((int)Math.Max(1, Math.Ceiling(wait.TotalSeconds))).ToString(
            System.Globalization.CultureInfo.InvariantCulture
        );

    /// <summary>The <c>WWW-Authenticate</c> header for a 401 or 403 (RFC 6750, 3).</summary>
    public static void Challenge(HttpResponse response, string error, string description, string? scope = null)
    {
        var safe = description.Replace('"', '\'').Replace('\n', ' ');
        response.Headers[HeaderNames.WWWAuthenticate] =
            $"Bearer error=\"{error}\", error_description=\"{safe}\"" + (scope is null ? "" : $", scope=\"{scope}\"");
    }
}

/// <summary>Our own addresses as the outside knows them. Behind the Functions host and other proxies the forwarded headers hold them.</summary>
internal static class Addresses
{
    /// <summary>Address when nothing is set: this machine alone.</summary>
    public const string Default = "http://127.0.0.1:5080";

    /// <summary>Where we listen. The Functions host names its loopback port, and what its images set for themselves (ASPNETCORE_URLS) is not for us.</summary>
    public static string[] Listening(IConfiguration settings) =>
        settings["FUNCTIONS_CUSTOMHANDLER_PORT"] is { Length: > 0 } port
            ? [$"http://127.0.0.1:{port}"]
            : (settings["urls"] ?? Default).Split(
                ';',
                StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
            );

    /// <summary>Scheme and host, without a slash at the end.</summary>
    public static string Root(HttpContext http)
    {
        var configured = http.RequestServices.GetRequiredService<IConfiguration>()["Ccm:PublicAddress"];
        if (!string.IsNullOrEmpty(configured))
        {
            return configured.TrimEnd('/');
        }
        var host = http.Request.Headers["X-Forwarded-Host"] is [{ Length: > 0 } forwarded, ..]
            ? forwarded
            : http.Request.Host.Value;
        var scheme = http.Request.Headers["X-Forwarded-Proto"] is [{ Length: > 0 } outside, ..]
            ? outside
            : http.Request.Scheme;
        return $"{scheme}://{host}";
    }

    /// <summary>What is said to who sends a token in the clear.</summary>
    public const string OverTls =
        "Tokens are taken over TLS only. This one went over the network in the clear: get a new one, and use https.";

    /// <summary>Nobody on the way can read the request: it came over TLS (as the proxy in front says, where there is one), or from this machine.</summary>
    public static bool IsPrivate(HttpContext http) =>
        http.Connection.RemoteIpAddress is not { } address
        || System.Net.IPAddress.IsLoopback(address)
        || Root(http).StartsWith("https:", StringComparison.OrdinalIgnoreCase);

    /// <summary>Network address that a request came from. Behind the Functions host it is the one that the host's front saw, the last of the
    /// forwarded ones; elsewhere forwarded headers are what anybody writes, and not believed.</summary>
    public static string? Client(HttpContext http)
    {
        var behindHost = !string.IsNullOrEmpty(
            http.RequestServices.GetRequiredService<IConfiguration>()["FUNCTIONS_CUSTOMHANDLER_PORT"]
        );
        return behindHost && http.Request.Headers["X-Forwarded-For"] is [.., { Length: > 0 } forwarded]
            ? forwarded.Split(',')[^1].Trim()
            : http.Connection.RemoteIpAddress?.ToString();
    }

    /// <summary>FHIR base address of a practice.</summary>
    public static string FhirBase(HttpContext http, string practice) => $"{Root(http)}/{practice}/fhir";

    /// <summary>Our token issuer for a practice.</summary>
    public static string Issuer(HttpContext http, string practice) => $"{Root(http)}/auth/{practice}";
}
