using System.Collections.Concurrent;
using System.Net;
using System.Security.Claims;
using CcmFhir.Tests.Ehr;
using Microsoft.AspNetCore;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server.AspNetCore;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace CcmFhir.Tests.Pages;

/// <summary>An authorization server that people sign in at, which is OpenIddict: code flow with PKCE. It speaks for an EHR, whose launches it knows,
/// and as a plain OpenID provider. Its sign-in page is a row of links, one for each person.</summary>
public sealed class SignInAuthority : IAsyncDisposable
{
    public const string Client = "ccmfhir-pages";
    private static readonly Dictionary<string, (string Name, string FhirUser, string Group)> People = new()
    {
        ["ng"] = ("Nora Ng", "Practitioner/nurse-ng", "nurses"),
        ["boyd"] = ("Bea Boyd", "Practitioner/biller-boyd", "billing"),
        ["ito"] = ("Ira Ito", "Practitioner/analyst-ito", "interfaces"),
        ["zed"] = ("Zoe Zed", "Practitioner/visitor-zed", "visitors"),
    };
    private readonly WebApplication app;
    private readonly SmartEhr.SqliteFile database;

    private SignInAuthority(WebApplication app, SmartEhr.SqliteFile database) =>
        (this.app, this.database) = (app, database);

    /// <summary>The issuer.</summary>
    public string Root => app.Urls.First();

    /// <summary>The FHIR base URL of the EHR that it speaks for.</summary>
    public string Fhir => Root + "/fhir";

    /// <summary>Queries of the authorization requests.</summary>
    public ConcurrentQueue<OpenIddictRequest> Requests { get; } = new();

    /// <summary>Patients by launch token.</summary>
    public ConcurrentDictionary<string, string> Launches { get; } = new();

    public static async Task<SignInAuthority> StartAsync(TimeProvider clock)
    {
        var database = new SmartEhr.SqliteFile();
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
                    .SetAuthorizationEndpointUris("authorize")
                    .SetTokenEndpointUris("token")
                    .AllowAuthorizationCodeFlow()
                    .RequireProofKeyForCodeExchange()
                    .RegisterScopes("fhirUser", "launch", "profile", "email")
                    .AddEphemeralEncryptionKey()
                    .AddEphemeralSigningKey()
                    .Configure(options => options.TimeProvider = clock);
                server
                    .UseAspNetCore()
                    .EnableAuthorizationEndpointPassthrough()
                    .EnableTokenEndpointPassthrough()
                    .DisableTransportSecurityRequirement();
            });
        builder.Services.AddAuthentication();
        var authority = new SignInAuthority(builder.Build(), database);
        authority.app.UseAuthentication();
        authority.app.MapGet("/authorize", (Delegate)authority.Authorize);
        authority.app.MapPost("/token", (Delegate)TokenAsync);
        authority.app.MapGet(
            "/fhir/.well-known/smart-configuration",
            () =>
                Results.Json(
                    new Dictionary<string, object>
                    {
                        ["issuer"] = authority.Root + "/",
                        ["jwks_uri"] = authority.Root + "/.well-known/jwks",
                        ["authorization_endpoint"] = authority.Root + "/authorize",
                        ["token_endpoint"] = authority.Root + "/token",
                        ["code_challenge_methods_supported"] = new[] { "S256" },
                        ["capabilities"] = new[]
                        {
                            "launch-ehr",
                            "launch-standalone",
                            "sso-openid-connect",
                            "client-public",
                        },
                    }
                )
        );
        await using (var scope = authority.app.Services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<DbContext>().Database.EnsureCreatedAsync();
        }
        await authority.app.StartAsync();
        return authority;
    }

    /// <summary>Makes our pages known as a public client.</summary>
    public async Task RegisterAsync(Uri pages)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var descriptor = new OpenIddictApplicationDescriptor
        {
            ClientId = Client,
            ClientType = ClientTypes.Public,
            ConsentType = ConsentTypes.Implicit,
            Permissions =
            {
                Permissions.Endpoints.Authorization,
                Permissions.Endpoints.Token,
                Permissions.GrantTypes.AuthorizationCode,
                Permissions.ResponseTypes.Code,
                Permissions.Scopes.Profile,
                Permissions.Scopes.Email,
                Permissions.Prefixes.Scope + "fhirUser",
                Permissions.Prefixes.Scope + "launch",
            },
        };
        for (var number = 0; number < 2; number++)
        {
            descriptor.RedirectUris.Add(new Uri(pages, $"/auth/maple-street/callback/{number}"));
        }
        await scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>().CreateAsync(descriptor);
    }

    public async ValueTask DisposeAsync()
    {
        await app.DisposeAsync();
        database.Dispose();
    }

    private IResult Authorize(HttpContext http)
    {
        var request = http.GetOpenIddictServerRequest()!;
        if ((string?)request["user"] is not { } user)
        {
            var links = People
                .Select(one => (one.Key, one.Value.Name))
                .Append(("nobody", "Decline"))
                .Select(one =>
                    $"<li><a href=\"{WebUtility.HtmlEncode(http.Request.Path + http.Request.QueryString.ToString())}&amp;user={one.Item1}\">{one.Item2}</a></li>"
                );
            return Results.Content(
                $"<!DOCTYPE html><html lang=en><title>Sign in</title><h1>Who are you?</h1><ul>{string.Concat(links)}</ul>",
                "text/html"
            );
        }
        Requests.Enqueue(request);
        if (!People.TryGetValue(user, out var person))
        {
            return Results.Forbid(authenticationSchemes: [OpenIddictServerAspNetCoreDefaults.AuthenticationScheme]);
        }
        var identity = new ClaimsIdentity("authority");
        identity.SetClaim(Claims.Subject, user).SetClaim(Claims.Name, person.Name);
        identity.SetClaim("fhirUser", $"{Fhir}/{person.FhirUser}").SetClaim("groups", person.Group);
        if ((string?)request["launch"] is { } launch && Launches.TryGetValue(launch, out var patient))
        {
            identity.SetClaim("launched-for", patient);
        }
        identity.SetScopes(request.GetScopes());
        identity.SetDestinations(claim => claim.Type == "launched-for" ? [] : [Destinations.IdentityToken]);
        return Results.SignIn(
            new ClaimsPrincipal(identity),
            authenticationScheme: OpenIddictServerAspNetCoreDefaults.AuthenticationScheme
        );
    }

    private static async Task<IResult> TokenAsync(HttpContext http)
    {
        var code = await http.AuthenticateAsync(OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
        var properties = new AuthenticationProperties();
        if (code.Principal!.GetClaim("launched-for") is { } patient)
        {
            properties.SetParameter("patient", patient);
        }
        return Results.SignIn(code.Principal!, properties, OpenIddictServerAspNetCoreDefaults.AuthenticationScheme);
    }
}
