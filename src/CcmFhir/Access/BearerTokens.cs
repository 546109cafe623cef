using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Duende.IdentityModel.Client;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Protocols;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Access;

/// <summary>What became of a token.</summary>
/// <param name="Context">Who asks, when the token is good.</param>
/// <param name="Fault">Else what is wrong with it.</param>
internal sealed record TokenVerdict(AccessContext? Context, string? Fault);

/// <summary>Reads access tokens: our own, and those of the issuers that a practice names. Whatever cannot be checked is refused.</summary>
internal sealed class BearerTokens(SigningKey signing, HttpClient http, IConfiguration settings, TimeProvider clock)
{
    private static readonly TimeSpan Skew = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenRefetches = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan IntrospectionLife = TimeSpan.FromSeconds(30);
    private static readonly string[] Asymmetric =
    [
        SecurityAlgorithms.RsaSha256,
        SecurityAlgorithms.RsaSha384,
        SecurityAlgorithms.RsaSha512,
        SecurityAlgorithms.RsaSsaPssSha256,
        SecurityAlgorithms.RsaSsaPssSha384,
        SecurityAlgorithms.EcdsaSha256,
        SecurityAlgorithms.EcdsaSha384,
        SecurityAlgorithms.EcdsaSha512,
    ];

    private static readonly JsonWebTokenHandler Tokens = new() { MapInboundClaims = false };

    private readonly ConcurrentDictionary<Uri, IssuerKeys> metadata = new();
    private readonly ConcurrentDictionary<string, (TokenVerdict Verdict, DateTimeOffset Until)> introspected = new(
        StringComparer.Ordinal
    );

    /// <summary>Checks a token for a practice.</summary>
    /// <param name="practice">Slug.</param>
    /// <param name="issuers">Other issuers that the practice accepts.</param>
    /// <param name="token">The token as sent.</param>
    /// <param name="ownIssuer">Our issuer for the practice.</param>
    /// <param name="fhirBase">Our FHIR base address for the practice: the audience.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<TokenVerdict> CheckAsync(
        string practice,
        IReadOnlyList<TokenIssuer> issuers,
        string token,
        string ownIssuer,
        string fhirBase,
        CancellationToken cancel
    )
    {
        if (token.Length > 16 * 1024)
        {
            return Refused("The token is longer than 16 KB.");
        }
        var jwt = Read(token);
        if (jwt is null)
        {
            return await IntrospectAsync(practice, issuers, token, cancel);
        }
        if (jwt.Issuer == ownIssuer)
        {
            var own = Parameters(ownIssuer, [fhirBase], [SecurityAlgorithms.EcdsaSha384]);
            own.IssuerSigningKey = signing.Key;
            // An ID token or an assertion signed with the same key is no access token.
            own.ValidTypes = ["at+jwt"];
            return await VerdictAsync(practice, token, own, "patient");
        }
        var issuer = issuers.FirstOrDefault(one => one.Issuer == jwt.Issuer);
        if (issuer is null)
        {
            return Refused("This practice accepts no tokens of that issuer.");
        }
        if (issuer.Introspection is not null && issuer.Discovery is null && issuer.JwksUri is null)
        {
            return await IntrospectAsync(practice, [issuer], token, cancel);
        }
        var audiences = issuer.Audiences is { Count: > 0 } named ? named : [fhirBase];
        var parameters = Parameters(issuer.Issuer, audiences, Asymmetric);
        try
        {
            parameters.IssuerSigningKeys = await KeysAsync(issuer, jwt.Kid, cancel);
        }
        catch (Exception fault)
            when (fault
                    is InvalidOperationException
                        or HttpRequestException
                        or IOException
                        or JsonException
                        or ArgumentException
            )
        {
            return Refused("The issuer's keys cannot be had just now.");
        }
        return await VerdictAsync(practice, token, parameters, issuer.PatientClaim);
    }

    private static TokenVerdict Refused(string fault) => new(null, fault);

    private static JsonWebToken? Read(string token)
    {
        try
        {
            return Tokens.CanReadToken(token) ? new JsonWebToken(token) : null;
        }
        catch (Exception fault) when (fault is ArgumentException or SecurityTokenException)
        {
            return null;
        }
    }

    private TokenValidationParameters Parameters(
        string issuer,
        IEnumerable<string> audiences,
        IEnumerable<string> algorithms
    ) =>
        new()
        {
            ValidIssuer = issuer,
            ValidAudiences = audiences,
            ValidAlgorithms = algorithms,
            RequireSignedTokens = true,
            RequireExpirationTime = true,
            TryAllIssuerSigningKeys = false,
            LifetimeValidator = (from, until, _, _) =>
            {
                var now = clock.GetUtcNow().UtcDateTime;
                return until > now - Skew && (from is null || from <= now + Skew);
            },
        };

    private static async Task<TokenVerdict> VerdictAsync(
        string practice,
        string token,
        TokenValidationParameters parameters,
        string patientClaim
    )
    {
        var result = await Tokens.ValidateTokenAsync(token, parameters);
        if (!result.IsValid)
        {
            return Refused(
                result.Exception switch
                {
                    SecurityTokenInvalidAudienceException =>
                        $"The token is not for this server: aud must be {string.Join(" or ", parameters.ValidAudiences)}.",
                    SecurityTokenInvalidLifetimeException
                    or SecurityTokenExpiredException
                    or SecurityTokenNotYetValidException => "The token has expired or is not valid yet.",
                    SecurityTokenInvalidTypeException => "The token is no access token.",
                    _ => "The token's signature cannot be verified.",
                }
            );
        }
        string? Claim(string name) => result.Claims.TryGetValue(name, out var value) ? value as string : null;
        if (!result.Claims.TryGetValue("scope", out var scopes))
        {
            result.Claims.TryGetValue("scp", out scopes);
        }
        return new TokenVerdict(
            Context(
                practice,
                Claim("client_id") ?? Claim("azp") ?? Claim("appid") ?? Claim("sub") ?? "",
                scope: scopes is IEnumerable<object> many ? string.Join(' ', many) : scopes as string ?? "",
                Claim(patientClaim),
                Claim("fhirUser")
            ),
            null
        );
    }

    private static AccessContext Context(string practice, string client, string scope, string? patient, string? user)
    {
        var scopes = new List<Scope>();
        foreach (var text in scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Scope.TryParse(text, out var one))
            {
                scopes.Add(one);
            }
        }
        return new AccessContext(practice, client, scopes, patient, user);
    }

    private async Task<IEnumerable<SecurityKey>> KeysAsync(TokenIssuer issuer, string? keyId, CancellationToken cancel)
    {
        var address =
            issuer.JwksUri
            ?? issuer.Discovery
            ?? new Uri($"{issuer.Issuer.TrimEnd('/')}/.well-known/openid-configuration");
        var held = metadata.GetOrAdd(address, at => Begin(issuer, at));
        var configuration = await held.Manager.GetConfigurationAsync(cancel);
        if (
            keyId is not null
            && configuration.SigningKeys.All(key => key.KeyId != keyId)
            && held.Begun + BetweenRefetches <= clock.GetUtcNow()
        )
        {
            // Rotated. Whoever sends tokens with made-up key ids makes us ask no more than once a minute.
            held = Begin(issuer, address);
            metadata[address] = held;
            configuration = await held.Manager.GetConfigurationAsync(cancel);
        }
        return configuration.SigningKeys;
    }

    private IssuerKeys Begin(TokenIssuer issuer, Uri address) =>
        new(
            new ConfigurationManager<OpenIdConnectConfiguration>(
                address.AbsoluteUri,
                issuer.JwksUri is null ? new OpenIdConnectConfigurationRetriever() : new BareKeys(),
                new HttpDocumentRetriever(http) { RequireHttps = !address.IsLoopback }
            ),
            clock.GetUtcNow()
        );

    private async Task<TokenVerdict> IntrospectAsync(
        string practice,
        IReadOnlyList<TokenIssuer> issuers,
        string token,
        CancellationToken cancel
    )
    {
        foreach (var issuer in issuers.Where(one => one.Introspection is not null))
        {
            var now = clock.GetUtcNow();
            var key =
                $"{practice}\n{issuer.Issuer}\n{Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(token)))}";
            if (introspected.TryGetValue(key, out var known) && known.Until > now)
            {
                return known.Verdict;
            }
            using var request = new TokenIntrospectionRequest
            {
                Address = issuer.Introspection!.AbsoluteUri,
                ClientId = issuer.ClientId!,
                ClientSecret = issuer.ClientSecretSetting is { } setting ? settings[setting] : null,
                Token = token,
            };
            var answer = await http.IntrospectTokenAsync(request, cancel);
            if (answer.IsError || !answer.IsActive)
            {
                continue;
            }
            string? Claim(string name) =>
                answer.Json?.TryGetProperty(name, out var value) == true && value.ValueKind == JsonValueKind.String
                    ? value.GetString()
                    : null;
            var expires =
                answer.Json?.TryGetProperty("exp", out var exp) == true && exp.TryGetInt64(out var seconds)
                    ? DateTimeOffset.FromUnixTimeSeconds(seconds)
                    : now;
            if (expires <= now - Skew || !IsForUs(answer.Json, issuer.Audiences))
            {
                continue;
            }
            var verdict = new TokenVerdict(
                Context(
                    practice,
                    Claim("client_id") ?? "",
                    Claim("scope") ?? "",
                    Claim(issuer.PatientClaim),
                    Claim("fhirUser")
                ),
                null
            );
            if (introspected.Count > 10_000)
            {
                introspected.Clear();
            }
            introspected[key] = (verdict, expires < now + IntrospectionLife ? expires : now + IntrospectionLife);
            return verdict;
        }
        return Refused("The token is unknown here, or no longer active.");
    }

    // RFC 7662 leaves aud to the server; where the practice names audiences, a token must be for one of them.
    private static bool IsForUs(JsonElement? answer, IReadOnlyList<string>? audiences) =>
        audiences is not { Count: > 0 }
        || (
            answer?.TryGetProperty("aud", out var aud) == true
            && aud.ValueKind switch
            {
                JsonValueKind.String => audiences.Contains(aud.GetString()),
                JsonValueKind.Array => aud.EnumerateArray()
                    .Any(one => one.ValueKind == JsonValueKind.String && audiences.Contains(one.GetString())),
                _ => false,
            }
        );

    private sealed record IssuerKeys(ConfigurationManager<OpenIdConnectConfiguration> Manager, DateTimeOffset Begun);

    private sealed class BareKeys : IConfigurationRetriever<OpenIdConnectConfiguration>
    {
        public async Task<OpenIdConnectConfiguration> GetConfigurationAsync(
            string address,
            IDocumentRetriever retriever,
            CancellationToken cancel
        )
        {
            var configuration = new OpenIdConnectConfiguration();
            foreach (var key in new JsonWebKeySet(await retriever.GetDocumentAsync(address, cancel)).GetSigningKeys())
            {
                configuration.SigningKeys.Add(key);
            }
            return configuration;
        }
    }
}
