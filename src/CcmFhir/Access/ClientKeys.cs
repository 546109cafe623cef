using System.Collections.Concurrent;
using System.Text.Json;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Access;

/// <summary>Public keys of clients. Those at an address are fetched from that registered address only (never from a token's own <c>jku</c>),
/// kept no longer than the answer's Cache-Control allows, and fetched again, at most once a minute, when a key id is unknown.</summary>
/// <param name="http">Client that follows no redirect and has a short time-out.</param>
/// <param name="clock">The clock.</param>
internal sealed class ClientKeys(HttpClient http, TimeProvider clock)
{
    private const int MaxBytes = 256 * 1024;
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);
    private static readonly TimeSpan BetweenRefetches = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Uri, Held> held = new();

    /// <summary>The one key of that id and that algorithm's key type; null when there is none, or more than one.</summary>
    public async Task<SecurityKey?> FindAsync(
        RegisteredClient client,
        string keyId,
        string algorithm,
        CancellationToken cancel
    )
    {
        if (client.Jwks is { } inline)
        {
            return Pick(inline.GetRawText(), keyId, algorithm);
        }
        var now = clock.GetUtcNow();
        if (!held.TryGetValue(client.JwksUri!, out var keys) || keys.Until <= now)
        {
            keys = await FetchAsync(client.JwksUri!, now, cancel) ?? keys;
        }
        else if (Pick(keys.Json, keyId, algorithm) is null && keys.Fetched + BetweenRefetches <= now)
        {
            keys = await FetchAsync(client.JwksUri!, now, cancel) ?? keys;
        }
        return keys is null || keys.Until <= now ? null : Pick(keys.Json, keyId, algorithm);
    }

    /// <summary>Why keys cannot be registered; null when they can.</summary>
    public static string? Fault(JsonElement jwks)
    {
        const string right =
            "a JSON Web Key Set is { \"keys\": [ ... ] } with public keys, each with kty (RSA of 2048 bits or more, or EC with P-384) and kid";
        try
        {
            var keys = new JsonWebKeySet(jwks.GetRawText()).Keys;
            return keys.Count == 0 ? $"jwks holds no keys: {right}."
                : keys.Any(key => key.HasPrivateKey)
                    ? "jwks holds a private key. It is known to others now: make a new pair, and give only its public half."
                : keys.Any(key => string.IsNullOrEmpty(key.Kid)) ? $"jwks holds a key without kid: {right}."
                : keys.All(key =>
                    Pick(jwks.GetRawText(), key.Kid, SecurityAlgorithms.EcdsaSha384) is null
                    && Pick(jwks.GetRawText(), key.Kid, SecurityAlgorithms.RsaSha384) is null
                )
                    ? $"jwks holds no key that can be used: {right}."
                : null;
        }
        catch (Exception fault) when (fault is ArgumentException or JsonException)
        {
            return $"jwks cannot be read: {right}.";
        }
    }

    private static SecurityKey? Pick(string json, string keyId, string algorithm)
    {
        var type =
            algorithm == SecurityAlgorithms.EcdsaSha384
                ? JsonWebAlgorithmsKeyTypes.EllipticCurve
                : JsonWebAlgorithmsKeyTypes.RSA;
        try
        {
            var fitting = new JsonWebKeySet(json).Keys.Where(key => key.Kid == keyId && key.Kty == type).ToList();
            return
                fitting is [{ HasPrivateKey: false } key]
                && (key.Use is null or "sig")
                && key.KeySize >= (type == JsonWebAlgorithmsKeyTypes.RSA ? 2048 : 384)
                ? key
                : null;
        }
        catch (Exception fault) when (fault is ArgumentException or JsonException)
        {
            return null;
        }
    }

    private async Task<Held?> FetchAsync(Uri address, DateTimeOffset now, CancellationToken cancel)
    {
        try
        {
            using var answer = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancel);
            if (!answer.IsSuccessStatusCode)
            {
                return null;
            }
            await answer.Content.LoadIntoBufferAsync(MaxBytes, cancel);
            var cache = answer.Headers.CacheControl;
            var life = cache is { NoStore: true } or { NoCache: true }
                ? TimeSpan.Zero
                : cache?.MaxAge ?? TimeSpan.FromMinutes(5);
            var keys = new Held(
                await answer.Content.ReadAsStringAsync(cancel),
                now,
                // Also what must not be kept serves the request it was fetched for.
                now + TimeSpan.FromTicks(Math.Clamp(life.Ticks, TimeSpan.TicksPerSecond, Longest.Ticks))
            );
            held[address] = keys;
            return keys;
        }
        catch (Exception fault)
            when (fault is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
        {
            return null;
        }
    }

    private sealed record Held(string Json, DateTimeOffset Fetched, DateTimeOffset Until);
}
