using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Journal;

namespace CcmFhir.Access;

/// <summary>A client that may ask for tokens (SMART Backend Services).</summary>
/// <param name="ClientId">Id, unique in its practice.</param>
/// <param name="Name">What people call it.</param>
/// <param name="Scopes">Scopes it may be granted at most, space separated.</param>
/// <param name="JwksUri">Where its public keys are; preferred, because keys then rotate without us.</param>
/// <param name="Jwks">Its public keys, where there is no address.</param>
/// <param name="Disabled">It gets no tokens any more.</param>
internal sealed record RegisteredClient(
    [property: JsonPropertyName("client_id")] string ClientId,
    [property: JsonPropertyName("client_name")] string Name,
    [property: JsonPropertyName("scope")] string Scopes,
    [property: JsonPropertyName("jwks_uri")] Uri? JwksUri,
    [property: JsonPropertyName("jwks")] JsonElement? Jwks,
    [property: JsonPropertyName("disabled")] bool Disabled = false
);

/// <summary>The clients of each practice, kept in the journal so that every instance knows them and no registration is lost. The newest
/// registration of a client id counts.</summary>
/// <param name="store">The journal.</param>
internal sealed class ClientRegistry(IJournalStore store)
{
    /// <summary>All clients of a practice by id, in ordinal order.</summary>
    public async Task<IReadOnlyList<RegisteredClient>> ListAsync(string practice, CancellationToken cancel)
    {
        var clients = new SortedDictionary<string, RegisteredClient>(StringComparer.Ordinal);
        foreach (var entry in await store.ReadAsync(Stream(practice), 0, cancel))
        {
            var client = JsonSerializer.Deserialize<RegisteredClient>(entry.Payload.Span)!;
            clients[client.ClientId] = client;
        }
        return [.. clients.Values];
    }

    /// <summary>The client; null when there is none, or it is disabled.</summary>
    public async Task<RegisteredClient?> FindAsync(string practice, string clientId, CancellationToken cancel) =>
        (await ListAsync(practice, cancel)).FirstOrDefault(client => client.ClientId == clientId && !client.Disabled);

    /// <summary>Registers a client, or registers it anew.</summary>
    /// <returns>Null when it is registered; else what is wrong and what would be right.</returns>
    public async Task<string?> RegisterAsync(string practice, RegisteredClient client, CancellationToken cancel)
    {
        if (Fault(client) is { } fault)
        {
            return fault;
        }
        var payload = JsonSerializer.SerializeToUtf8Bytes(client);
        while (true)
        {
            var position = (await store.ReadAsync(Stream(practice), 0, cancel)).Count;
            var appended = await store.AppendAsync(
                new JournalCommit([new StreamAppend(Stream(practice), position, payload)], []),
                cancel
            );
            if (appended.Outcome == AppendOutcome.Appended)
            {
                return null;
            }
        }
    }

    private static string Stream(string practice) => $"clients/{practice}";

    private static string? Fault(RegisteredClient client)
    {
        if (
            client.ClientId.Length is 0 or > 200
            || !client.ClientId.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or ':' or '/')
        )
        {
            return "A client id has 1 to 200 letters, digits and - _ . : /";
        }
        if ((client.JwksUri is null) == (client.Jwks is null))
        {
            return "Give either the address of the client's keys (jwks_uri) or the keys themselves (jwks).";
        }
        if (client.Jwks is { } keys && ClientKeys.Fault(keys) is { } unfit)
        {
            return unfit;
        }
        if (client.JwksUri is { } address && (address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback))
        {
            return $"jwks_uri '{address}' must be https.";
        }
        foreach (var text in client.Scopes.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!Scope.TryParse(text, out var scope) || scope.Context != ScopeContext.System)
            {
                return $"'{text}' is no scope for Backend Services: system/Task.cruds, system/*.read ... are.";
            }
        }
        return string.IsNullOrWhiteSpace(client.Scopes) ? "Give at least one scope, such as system/*.cruds." : null;
    }
}
