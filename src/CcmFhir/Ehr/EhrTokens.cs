using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Ehr;

/// <summary>What goes into the Authorization header, or why there is nothing to put there.</summary>
/// <param name="Header">Header value; null for an EHR that asks for none.</param>
/// <param name="Problem">The answer that stands for the request that could not be made; null when it can.</param>
internal sealed record EhrToken(string? Header, EhrAnswer? Problem);

/// <summary>Access tokens for one EHR: fetched once, shared, renewed a little before their time.</summary>
internal sealed class EhrTokens(
    EhrConnection connection,
    EhrHttp http,
    EhrKeys keys,
    string practice,
    TimeProvider clock
) : IDisposable
{
    private static readonly TimeSpan RenewBefore = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan AssertionLife = TimeSpan.FromMinutes(4);

    private readonly SemaphoreSlim turn = new(1, 1);
    private string? held;
    private DateTimeOffset until;
    private Uri? tokenUrl;

    /// <summary>A fresh token can be had.</summary>
    public bool Renewable => connection.Authorization.Kind is AuthorizationKind.Secret or AuthorizationKind.Smart;

    /// <summary>The token to use.</summary>
    /// <param name="renew">The one held was turned away.</param>
    /// <param name="cancel">Gives up.</param>
    public async ValueTask<EhrToken> GetAsync(bool renew, CancellationToken cancel)
    {
        var auth = connection.Authorization;
        switch (auth.Kind)
        {
            case AuthorizationKind.None:
                return new EhrToken(null, null);
            case AuthorizationKind.Token:
                return Secret(out var token) is { } missing ? missing : new EhrToken("Bearer " + token, null);
            default:
                break;
        }
        var turnedAway = renew ? held : null;
        await turn.WaitAsync(cancel);
        try
        {
            // Whoever waited behind another's renewal takes what that one brought.
            if (held is not null && held != turnedAway && clock.GetUtcNow() + RenewBefore < until)
            {
                return new EhrToken("Bearer " + held, null);
            }
            return await FetchAsync(cancel);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => turn.Dispose();

    private static EhrToken Fault(string text, EhrAnswer? answer = null) =>
        new(
            null,
            new EhrAnswer
            {
                Problem = answer?.Problem ?? DeliveryProblem.NotAuthorized,
                Left = false,
                RetryAfter = answer?.RetryAfter,
                Text = text + " Nothing was sent.",
            }
        );

    private EhrToken? Secret(out string secret)
    {
        try
        {
            secret = EhrAuthorization.ReadSecret(connection.Authorization.SecretFrom!);
            return null;
        }
        catch (InvalidDataException fault)
        {
            secret = "";
            return Fault(fault.Message);
        }
    }

    private async Task<EhrToken> FetchAsync(CancellationToken cancel)
    {
        var auth = connection.Authorization;
        var address = auth.TokenUrl ?? tokenUrl;
        if (address is null)
        {
            var (found, fault) = await DiscoverAsync(cancel);
            if (found is null)
            {
                return fault!;
            }
            address = tokenUrl = found;
        }
        var form = new Dictionary<string, string>(StringComparer.Ordinal) { ["grant_type"] = "client_credentials" };
        if (auth.Scope is not null)
        {
            form["scope"] = auth.Scope;
        }
        List<(string, string)> headers = [("Accept", "application/json")];
        if (auth.Kind == AuthorizationKind.Smart)
        {
            form["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
            form["client_assertion"] = Assertion(address);
        }
        else
        {
            if (Secret(out var secret) is { } missing)
            {
                return missing;
            }
            var pair = $"{Uri.EscapeDataString(auth.ClientId!)}:{Uri.EscapeDataString(secret)}";
            headers.Add(("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(pair))));
        }
        var asked = clock.GetUtcNow();
        using var content = new FormUrlEncodedContent(form);
        var answer = await http.SendAsync(HttpMethod.Post, address, content, headers, cancel);
        if (answer.Problem is not null)
        {
            return Fault($"The token endpoint gave no answer. {answer.Text}", answer);
        }
        if (answer.Status != 200)
        {
            return Fault(
                $"The token endpoint answers {answer.StatusText}{Error(answer)}. Check client id, audience, scope, and that the EHR knows our keys.",
                answer
            );
        }
        return Take(answer, asked);
    }

    private EhrToken Take(EhrAnswer answer, DateTimeOffset asked)
    {
        var token = answer.Json?.Root["access_token"u8].Text;
        if (string.IsNullOrEmpty(token) || !AuthenticationHeaderValue.TryParse("Bearer " + token, out _))
        {
            return Fault("The token endpoint's answer holds no access_token.");
        }
        var life =
            answer.Json!.Root["expires_in"u8].Text is { } text
            && int.TryParse(text, CultureInfo.InvariantCulture, out var seconds)
                ? seconds
                : 300;
        (held, until) = (token, asked + TimeSpan.FromSeconds(Math.Clamp(life, 0, 86_400)));
        return new EhrToken("Bearer " + token, null);
    }

    private static string Error(EhrAnswer answer) =>
        answer.Json?.Root["error"u8].Text is { } error
            ? $" ({error}{(answer.Json.Root["error_description"u8].Text is { } more ? ": " + more : "")})"
            : "";

    private async Task<(Uri? Found, EhrToken? Fault)> DiscoverAsync(CancellationToken cancel)
    {
        var address = new Uri(connection.BaseUrl.AbsoluteUri.TrimEnd('/') + "/.well-known/smart-configuration");
        var answer = await http.SendAsync(HttpMethod.Get, address, null, [("Accept", "application/json")], cancel);
        var text = answer is { Status: 200, Problem: null } ? answer.Json?.Root["token_endpoint"u8].Text : null;
        if (
            !Uri.TryCreate(text, UriKind.Absolute, out var found)
            || (found.Scheme != Uri.UriSchemeHttps && !(found.IsLoopback && connection.BaseUrl.IsLoopback))
        )
        {
            return (
                null,
                Fault(
                    "The EHR's .well-known/smart-configuration names no token endpoint over https; set 'ehr.auth.tokenUrl'.",
                    answer
                )
            );
        }
        return (found, null);
    }

    /// <summary>The assertion of SMART Backend Services: at most five minutes of life, an id never used before.</summary>
    private string Assertion(Uri address)
    {
        var auth = connection.Authorization;
        var now = clock.GetUtcNow();
        var key = keys.Signing(practice, auth.Algorithm, now);
        var headers = new Dictionary<string, object>(StringComparer.Ordinal) { ["typ"] = auth.AssertionType };
        if (auth.KeysUrl is not null)
        {
            headers["jku"] = auth.KeysUrl;
        }
        var claims = new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["iss"] = auth.ClientId!,
            ["sub"] = auth.ClientId!,
            ["aud"] = auth.Audience ?? address.AbsoluteUri,
            ["jti"] = Base64UrlEncoder.Encode(RandomNumberGenerator.GetBytes(24)),
            ["iat"] = now.ToUnixTimeSeconds(),
            ["exp"] = (now + AssertionLife).ToUnixTimeSeconds(),
        };
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            JsonSerializer.Serialize(claims),
            new SigningCredentials(key.Key, auth.Algorithm),
            headers
        );
    }
}
