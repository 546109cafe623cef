using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Serialization;
using CcmFhir.Journal;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Access;

/// <summary>SMART Backend Services: a signed assertion of a registered client becomes an access token of five minutes.</summary>
/// <remarks>SMART App Launch 2.2, Backend Services and Client Authentication: Asymmetric. Every refusal of the client is <c>invalid_client</c> and says
/// what would be right; it does not say whether the client exists.</remarks>
internal sealed class TokenEndpoint(
    ClientRegistry clients,
    ClientKeys keys,
    SigningKey signing,
    IJournalStore store,
    TimeProvider clock
)
{
    /// <summary>How long an access token lives.</summary>
    public static readonly TimeSpan TokenLife = TimeSpan.FromMinutes(5);

    /// <summary>How far ahead an assertion may expire.</summary>
    public static readonly TimeSpan AssertionLife = TimeSpan.FromMinutes(5);

    /// <summary>How far clocks may differ.</summary>
    public static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);

    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    private const int MaxAssertion = 16 * 1024;

    private static readonly JsonWebTokenHandler Tokens = new() { MapInboundClaims = false };

    /// <summary>Answers one request.</summary>
    /// <param name="practice">Slug.</param>
    /// <param name="form">The form as posted: each name once.</param>
    /// <param name="issuer">Our issuer for the practice.</param>
    /// <param name="tokenAddress">The address asked, which the assertion must name as its audience.</param>
    /// <param name="fhirBase">What the access token is good for.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<TokenAnswer> AnswerAsync(
        string practice,
        IReadOnlyDictionary<string, string> form,
        string issuer,
        string tokenAddress,
        string fhirBase,
        CancellationToken cancel
    )
    {
        if (form.GetValueOrDefault("grant_type") is not { Length: > 0 } grant)
        {
            return TokenAnswer.Refused(400, "invalid_request", "grant_type is missing; it must be client_credentials.");
        }
        if (grant != "client_credentials")
        {
            return TokenAnswer.Refused(400, "unsupported_grant_type", "Only client_credentials is offered here.");
        }
        if (form.GetValueOrDefault("client_assertion_type") != AssertionType)
        {
            return TokenAnswer.Refused(
                400,
                "invalid_request",
                $"client_assertion_type must be {AssertionType}; client secrets are not accepted."
            );
        }
        if (form.GetValueOrDefault("client_assertion") is not { Length: > 0 and <= MaxAssertion } assertion)
        {
            return TokenAnswer.Refused(400, "invalid_request", "client_assertion is missing or longer than 16 KB.");
        }
        var (client, fault) = await ClientAsync(practice, assertion, tokenAddress, cancel);
        if (client is null)
        {
            return TokenAnswer.Refused(401, "invalid_client", fault!);
        }
        if (form.GetValueOrDefault("scope") is not { Length: > 0 } asked)
        {
            return TokenAnswer.Refused(
                400,
                "invalid_scope",
                "scope is missing; ask for what is needed, such as system/Task.cruds."
            );
        }
        var granted = Granted(client, asked);
        if (granted.Count == 0)
        {
            return TokenAnswer.Refused(
                400,
                "invalid_scope",
                $"None of the scopes asked for is within what the client is registered for: {client.Scopes}."
            );
        }
        var scope = string.Join(' ', granted.Select(one => one.Text));
        var now = clock.GetUtcNow();
        var token = Tokens.CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = issuer,
                Audience = fhirBase,
                IssuedAt = now.UtcDateTime,
                NotBefore = now.UtcDateTime,
                Expires = (now + TokenLife).UtcDateTime,
                TokenType = "at+jwt",
                Claims = new Dictionary<string, object>
                {
                    ["sub"] = client.ClientId,
                    ["client_id"] = client.ClientId,
                    ["scope"] = scope,
                    ["jti"] = Guid.NewGuid().ToString("N"),
                },
                SigningCredentials = signing.Credentials,
            }
        );
        return new TokenAnswer(200, new GrantedToken(token, (int)TokenLife.TotalSeconds, scope), null);
    }

    /// <summary>Who the assertion says that it is from, proven or not: for the audit trail.</summary>
    public static string Claimed(IReadOnlyDictionary<string, string>? form)
    {
        try
        {
            return
                form?.GetValueOrDefault("client_assertion") is { Length: > 0 and <= MaxAssertion } assertion
                && new JsonWebToken(assertion).Issuer is { Length: > 0 and <= 200 } claimed
                ? claimed
                : "anonymous";
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException)
        {
            return "anonymous";
        }
    }

    private static List<Scope> Granted(RegisteredClient client, string asked)
    {
        var registered = new List<Scope>();
        foreach (var text in client.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Scope.TryParse(text, out var scope))
            {
                registered.Add(scope);
            }
        }
        var granted = new List<Scope>();
        foreach (var text in asked.Split(' ', StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal))
        {
            if (Scope.TryParse(text, out var wanted) && registered.Exists(have => have.Includes(wanted)))
            {
                granted.Add(wanted);
            }
        }
        return granted;
    }

    private async Task<(RegisteredClient? Client, string? Fault)> ClientAsync(
        string practice,
        string assertion,
        string tokenAddress,
        CancellationToken cancel
    )
    {
        const string unknown =
            "The assertion is not one of a registered client of this practice, or its signature does not fit the client's keys.";
        JsonWebToken jwt;
        try
        {
            jwt = new JsonWebToken(assertion);
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException)
        {
            return (null, "client_assertion is not a signed JWT.");
        }
        if (jwt.Alg is not (SecurityAlgorithms.RsaSha384 or SecurityAlgorithms.EcdsaSha384))
        {
            return (null, "The assertion must be signed with RS384 or ES384.");
        }
        if (string.IsNullOrEmpty(jwt.Kid))
        {
            return (null, "The assertion's header must name its key (kid).");
        }
        if (string.IsNullOrEmpty(jwt.Issuer) || jwt.Issuer != jwt.Subject)
        {
            return (null, "iss and sub must both be the client id.");
        }
        if (jwt.Id is not { Length: > 0 and <= 256 })
        {
            return (null, "jti must be there, new for every assertion, and at most 256 characters.");
        }
        var now = clock.GetUtcNow();
        if (jwt.ValidTo == DateTime.MinValue || jwt.ValidTo > (now + AssertionLife + Skew).UtcDateTime)
        {
            return (null, "exp must be there, and at most 5 minutes ahead.");
        }
        if (jwt.ValidTo <= (now - Skew).UtcDateTime)
        {
            return (null, "The assertion has expired.");
        }
        if (jwt.IssuedAt > (now + Skew).UtcDateTime || jwt.ValidFrom > (now + Skew).UtcDateTime)
        {
            return (null, "The assertion is not valid yet (iat, nbf).");
        }
        if (await clients.FindAsync(practice, jwt.Issuer, cancel) is not { } client)
        {
            return (null, unknown);
        }
        if (
            jwt.TryGetHeaderValue<string>("jku", out var jku)
            && (client.JwksUri is null || jku != client.JwksUri.OriginalString)
        )
        {
            return (null, "jku must be the address that the client is registered with.");
        }
        if (await keys.FindAsync(client, jwt.Kid, jwt.Alg, cancel) is not { } key)
        {
            return (null, unknown);
        }
        var checkedToken = await Tokens.ValidateTokenAsync(
            assertion,
            new TokenValidationParameters
            {
                ValidAlgorithms = [jwt.Alg],
                IssuerSigningKey = key,
                TryAllIssuerSigningKeys = false,
                ValidateIssuer = false,
                ValidAudience = tokenAddress,
                RequireExpirationTime = true,
                // Times were checked above, against the clock we were given.
                ValidateLifetime = false,
            }
        );
        if (!checkedToken.IsValid)
        {
            return (
                null,
                checkedToken.Exception is SecurityTokenInvalidAudienceException
                    ? $"aud must be {tokenAddress}."
                    : unknown
            );
        }
        return await FirstUseAsync(practice, jwt, cancel)
            ? (client, null)
            : (null, "This assertion was used before; make a new one with a new jti for every token.");
    }

    // One stream a jti: its first entry can be appended once, whichever instance tries. It is never removed, so no clock decides.
    private async Task<bool> FirstUseAsync(string practice, JsonWebToken jwt, CancellationToken cancel)
    {
        var name = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{jwt.Issuer}\n{jwt.Id}")));
        var expires = Encoding.UTF8.GetBytes(
            new DateTimeOffset(jwt.ValidTo)
                .ToUnixTimeSeconds()
                .ToString(System.Globalization.CultureInfo.InvariantCulture)
        );
        // The nonce keeps two uses of one assertion from looking like one commit tried twice.
        var payload = (byte[])[.. expires, (byte)' ', .. RandomNumberGenerator.GetBytes(16)];
        var appended = await store.AppendAsync(
            new JournalCommit([new StreamAppend($"jti/{practice}/{name}", 0, payload)], []),
            cancel
        );
        return appended.Outcome == AppendOutcome.Appended;
    }
}

/// <summary>Answer of the token endpoint.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Token">The token, where there is one.</param>
/// <param name="Error">The OAuth error, where there is one.</param>
internal sealed record TokenAnswer(int Status, GrantedToken? Token, TokenError? Error)
{
    /// <summary>A refusal.</summary>
    public static TokenAnswer Refused(int status, string error, string description) =>
        new(status, null, new TokenError(error, description));
}

/// <summary>RFC 6749, 5.1.</summary>
internal sealed record GrantedToken(
    [property: JsonPropertyName("access_token")] string AccessToken,
    [property: JsonPropertyName("expires_in")] int ExpiresIn,
    [property: JsonPropertyName("scope")] string Scope
)
{
    /// <summary>Always <c>bearer</c>.</summary>
    [JsonPropertyName("token_type")]
    public string TokenType => "bearer";
}

/// <summary>RFC 6749, 5.2.</summary>
internal sealed record TokenError(
    [property: JsonPropertyName("error")] string Error,
    [property: JsonPropertyName("error_description")] string Description
);
