using System.Collections.Concurrent;
using System.Security.Claims;
using System.Text.Json.Nodes;
using CcmFhir.Ehr;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using OpenIddict.Validation.AspNetCore;

namespace CcmFhir.Tests.Ehr;

/// <summary>An EHR that lets in whoever shows a token of its own authorization server, which is OpenIddict. Clients show an assertion signed with a
/// key of the set that they publish.</summary>
internal sealed class SmartEhr : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly SqliteFile database;
    private readonly ConcurrentDictionary<string, JsonObject> claims = new(StringComparer.Ordinal);
    private int tokens;

    private SmartEhr(WebApplication app, SqliteFile database) => (this.app, this.database) = (app, database);

    public Uri BaseUrl => new(app.Urls.First() + "/fhir");

    public Uri TokenUrl => new(app.Urls.First() + "/token");

    public int Tokens => tokens;

    public IReadOnlyCollection<JsonObject> Claims => [.. claims.Values];

    public int Refusals { get; private set; }

    public static async Task<SmartEhr> StartAsync()
    {
        var database = new SqliteFile();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddDbContext<DbContext>(options =>
        {
            options.UseSqlite($"Data Source={database.Path}");
            options.UseOpenIddict();
        });
        builder
            .Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>())
            .AddServer(server =>
            {
                server
                    .SetTokenEndpointUris("token")
                    .AllowClientCredentialsFlow()
                    .RegisterScopes("system/*.cruds")
                    .SetAccessTokenLifetime(TimeSpan.FromMinutes(5))
                    .AddEphemeralEncryptionKey()
                    .AddEphemeralSigningKey();
                server.UseAspNetCore().EnableTokenEndpointPassthrough().DisableTransportSecurityRequirement();
            })
            .AddValidation(validation =>
            {
                validation.UseLocalServer();
                validation.EnableTokenEntryValidation();
                validation.UseAspNetCore();
            });
        builder.Services.AddAuthentication(OpenIddictValidationAspNetCoreDefaults.AuthenticationScheme);
        builder.Services.AddAuthorization();
        var ehr = new SmartEhr(builder.Build(), database);
        ehr.app.UseAuthentication();
        ehr.app.UseAuthorization();
        ehr.app.MapPost("/token", (Delegate)ehr.TokenAsync);
        ehr.app.MapGet("/fhir/metadata", () => Results.Json(Capability));
        ehr.app.MapGet(
            "/fhir/.well-known/smart-configuration",
            () => Results.Json(new { token_endpoint = ehr.TokenUrl })
        );
        ehr.app.MapPost("/fhir/Claim", (Delegate)ehr.CreateAsync);
        ehr.app.MapGet("/fhir/Claim", (Delegate)ehr.SearchAsync);
        ehr.app.MapGet("/fhir/Claim/{id}", ehr.ReadAsync);
        await using (var scope = ehr.app.Services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<DbContext>().Database.EnsureCreatedAsync();
        }
        await ehr.app.StartAsync();
        return ehr;
    }

    /// <summary>Takes the keys that the client publishes now, as an authorization server that fetches them does.</summary>
    public async Task RegisterAsync(string client, IEnumerable<EhrKey> published)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var applications = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        var descriptor = Descriptor(client);
        descriptor.JsonWebKeySet = new JsonWebKeySet(
            System.Text.Json.JsonSerializer.Serialize(new { keys = published.Select(key => key.PublicJwk) })
        );
        if (await applications.FindByClientIdAsync(client) is { } there)
        {
            await applications.UpdateAsync(there, descriptor);
        }
        else
        {
            await applications.CreateAsync(descriptor);
        }
    }

    /// <summary>Registers a client that shows a secret.</summary>
    public async Task RegisterAsync(string client, string secret)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var descriptor = Descriptor(client);
        descriptor.ClientSecret = secret;
        await scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>().CreateAsync(descriptor);
    }

    /// <summary>Withdraws every token that was given out.</summary>
    public async Task WithdrawAsync()
    {
        await using var scope = app.Services.CreateAsyncScope();
        var manager = scope.ServiceProvider.GetRequiredService<IOpenIddictTokenManager>();
        await foreach (var token in manager.ListAsync())
        {
            await manager.TryRevokeAsync(token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        database.Dispose();
    }

    private static OpenIddictApplicationDescriptor Descriptor(string client) =>
        new()
        {
            ClientId = client,
            ClientType = OpenIddictConstants.ClientTypes.Confidential,
            Permissions =
            {
                OpenIddictConstants.Permissions.Endpoints.Token,
                OpenIddictConstants.Permissions.GrantTypes.ClientCredentials,
                OpenIddictConstants.Permissions.Prefixes.Scope + "system/*.cruds",
            },
        };

    private static JsonObject Capability { get; } =
        JsonNode
            .Parse(
                """
                {"resourceType":"CapabilityStatement","rest":[{"mode":"server","resource":[{"type":"Claim","conditionalCreate":true,
                  "interaction":[{"code":"create"},{"code":"read"},{"code":"search-type"}],
                  "searchParam":[{"name":"identifier","type":"token"}]}]}]}
                """
            )!
            .AsObject();

    private async Task<IResult> TokenAsync(HttpContext http)
    {
        var request = http.GetOpenIddictServerRequest()!;
        var identity = new ClaimsIdentity("Smart");
        identity.AddClaim(new Claim(OpenIddictConstants.Claims.Subject, request.ClientId!));
        var principal = new ClaimsPrincipal(identity);
        principal.SetScopes(request.GetScopes());
        Interlocked.Increment(ref tokens);
        return await Task.FromResult(
            Results.SignIn(principal, authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme)
        );
    }

    private async Task<bool> AdmitAsync(HttpContext http)
    {
        var result = await http.AuthenticateAsync(OpenIddictValidationAspNetCoreDefaults.AuthenticationScheme);
        if (result.Succeeded && result.Principal.HasScope("system/*.cruds"))
        {
            return true;
        }
        Refusals++;
        return false;
    }

    private async Task<IResult> CreateAsync(HttpContext http)
    {
        if (!await AdmitAsync(http))
        {
            return Results.StatusCode(401);
        }
        var claim = (await JsonNode.ParseAsync(http.Request.Body))!.AsObject();
        var id = claim["identifier"]![0]!["value"]!.GetValue<string>();
        claim["id"] = id;
        var status = claims.TryAdd(id, claim) ? 201 : 200;
        http.Response.Headers.Location = $"{BaseUrl}/Claim/{id}";
        return Results.Json(claims[id], contentType: "application/fhir+json", statusCode: status);
    }

    private async Task<IResult> SearchAsync(HttpContext http)
    {
        if (!await AdmitAsync(http))
        {
            return Results.StatusCode(401);
        }
        var wanted = http.Request.Query["identifier"].ToString().Split('|')[^1];
        var entries = new JsonArray();
        if (claims.TryGetValue(wanted, out var claim))
        {
            entries.Add(new JsonObject { ["resource"] = claim.DeepClone() });
        }
        return Results.Json(
            new JsonObject
            {
                ["resourceType"] = "Bundle",
                ["type"] = "searchset",
                ["entry"] = entries,
            },
            contentType: "application/fhir+json"
        );
    }

    private async Task<IResult> ReadAsync(HttpContext http, string id) =>
        !await AdmitAsync(http) ? Results.StatusCode(401)
        : claims.TryGetValue(id, out var claim) ? Results.Json(claim, contentType: "application/fhir+json")
        : Results.NotFound();

    /// <summary>A database that is gone afterwards.</summary>
    internal sealed class SqliteFile : IDisposable
    {
        public string Path { get; } = System.IO.Path.GetTempFileName();

        public void Dispose()
        {
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
            File.Delete(Path);
        }
    }
}
