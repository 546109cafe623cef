using System.Globalization;
using System.Security.Claims;
using CcmFhir.Access;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using CcmFhir.Options;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace CcmFhir.Pages;

/// <summary>Puts sign-in into the server: one scheme for each way of each practice, all ending in the same session cookie. Code flow with PKCE; the id
/// token is checked against the authority's keys, issuer, our client id and a nonce; no access token is kept.</summary>
internal static class SignInRoom
{
    /// <summary>Folder of the keys that session cookies and forms are sealed with; instances share it.</summary>
    public const string KeysSetting = "Ccm:Session:Keys";

    /// <summary>Name of the launch token among the properties of a sign-in.</summary>
    public const string Launch = "launch";

    /// <summary>Adds what sign-in needs.</summary>
    public static void AddSignIn(this WebApplicationBuilder builder, Practices practices, TimeProvider clock)
    {
        var settings = builder.Configuration;
        var sessions = SessionSettings.Read(settings);
        builder.Services.AddSingleton(sessions);
        builder.Services.AddSingleton<PageGate>();
        builder.Services.AddAntiforgery(options =>
        {
            options.Cookie.Name = "ccmfhir-form";
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.FormFieldName = PageFrame.TokenField;
        });
        AddKeys(builder);
        var authentication = builder
            .Services.AddAuthentication(SessionSettings.Scheme)
            .AddCookie(SessionSettings.Scheme, options => Session(options, sessions, clock));
        foreach (var file in practices.All)
        {
            for (var at = 0; at < file.SignIns.Count; at++)
            {
                var (number, signIn) = (at, file.SignIns[at]);
                authentication.AddOpenIdConnect(
                    Scheme(file, number),
                    signIn.Name,
                    options => Authority(options, file, number, clock)
                );
            }
        }
    }

    /// <summary>Puts it before the pages; what is <see cref="WithoutSession"/> goes by. Redirect addresses and the Secure of cookies follow the address that the outside knows.</summary>
    public static void UseSignIn(this WebApplication app)
    {
        app.UseWhen(
            static http => http.GetEndpoint()?.Metadata.GetMetadata<WithoutSession>() is null,
            static pages =>
            {
                pages.Use(
                    (http, next) =>
                    {
                        if (Uri.TryCreate(Addresses.Root(http), UriKind.Absolute, out var root))
                        {
                            (http.Request.Scheme, http.Request.Host) = (root.Scheme, new HostString(root.Authority));
                        }
                        return next(http);
                    }
                );
                pages.UseAuthentication();
            }
        );
    }

    /// <summary>Name of the authentication scheme of a practice's way to sign in.</summary>
    public static string Scheme(PracticeFile file, int number) =>
        string.Create(CultureInfo.InvariantCulture, $"{file.Practice.Slug}/{number}");

    private static void AddKeys(WebApplicationBuilder builder)
    {
        // What is sealed here are sessions of hours; that the keys lie in a folder for their owner alone is enough, and needs no warning at each start.
        builder.Logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        var store = builder.Configuration[JournalStores.Setting] ?? JournalStores.Default;
        var folder =
            builder.Configuration[KeysSetting]
            ?? (
                store.StartsWith("sqlite:", StringComparison.Ordinal)
                    ? store["sqlite:".Length..] + ".session-keys"
                    : null
            );
        var protection = builder.Services.AddDataProtection().SetApplicationName("ccmfhir");
        if (folder is null)
        {
            protection.DisableAutomaticKeyGeneration();
            builder
                .Services.AddOptions<KeyManagementOptions>()
                .Configure<SigningKey>((keys, signing) => keys.XmlRepository = new SharedSessionKey(signing));
            return;
        }
        var place = Path.GetFullPath(folder);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(place);
        }
        else
        {
            Directory.CreateDirectory(place, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        protection.PersistKeysToFileSystem(new DirectoryInfo(place));
    }

    private static void Session(CookieAuthenticationOptions options, SessionSettings sessions, TimeProvider clock)
    {
        options.Cookie.Name = SessionSettings.Cookie;
        options.Cookie.HttpOnly = true;
        // A launch comes from the EHR's site: Strict would lose the session on the way back.
        options.Cookie.SameSite = SameSiteMode.Lax;
        options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        options.ExpireTimeSpan = sessions.Idle;
        options.SlidingExpiration = true;
        options.TimeProvider = clock;
        options.Events.OnValidatePrincipal = context =>
        {
            if (SessionClaims.IsOver(context.Principal, sessions, clock.GetUtcNow()))
            {
                context.RejectPrincipal();
            }
            return Task.CompletedTask;
        };
    }

    private static void Authority(OpenIdConnectOptions options, PracticeFile file, int number, TimeProvider clock)
    {
        var signIn = file.SignIns[number];
        var root = signIn.Authority.AbsoluteUri.TrimEnd('/');
        options.TimeProvider = clock;
        options.SignInScheme = SessionSettings.Scheme;
        options.MetadataAddress =
            root
            + (
                signIn.Kind == SignInKind.Smart
                    ? "/.well-known/smart-configuration"
                    : "/.well-known/openid-configuration"
            );
        options.RequireHttpsMetadata = signIn.Authority.Scheme == Uri.UriSchemeHttps;
        options.ClientId = signIn.ClientId;
        options.ClientSecret = signIn.SecretFrom is { } source ? EhrAuthorization.ReadSecret(source) : null;
        options.CallbackPath = string.Create(
            CultureInfo.InvariantCulture,
            $"/auth/{file.Practice.Slug}/callback/{number}"
        );
        options.ResponseType = OpenIdConnectResponseType.Code;
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        options.UsePkce = true;
        options.MapInboundClaims = false;
        options.SaveTokens = false;
        options.DisableTelemetry = true;
        options.Scope.Clear();
        options.Scope.Add("openid");
        foreach (var scope in signIn.Scopes)
        {
            options.Scope.Add(scope);
        }
        options.CorrelationCookie = new BrowserSessionCookie(options.CorrelationCookie);
        options.NonceCookie = new BrowserSessionCookie(options.NonceCookie);
        options.TokenValidationParameters.ClockSkew = TimeSpan.FromMinutes(2);
        options.TokenValidationParameters.LifetimeValidator = (from, to, _, parameters) =>
        {
            var now = clock.GetUtcNow().UtcDateTime;
            return to is { } end
                && now < end + parameters.ClockSkew
                && (from is not { } start || start - parameters.ClockSkew <= now);
        };
        options.Events.OnRedirectToIdentityProvider = context =>
        {
            if (signIn.Kind == SignInKind.Smart)
            {
                context.ProtocolMessage.SetParameter("aud", root);
                if (context.Properties.Items.TryGetValue(Launch, out var launch) && launch is not null)
                {
                    context.ProtocolMessage.SetParameter("launch", launch);
                    context.ProtocolMessage.Scope += " launch";
                }
            }
            return Task.CompletedTask;
        };
        options.Events.OnTokenValidated = context =>
        {
            var patient = context.TokenEndpointResponse?.GetParameter("patient");
            if (!string.IsNullOrEmpty(patient) && context.Properties?.Items.ContainsKey(Launch) == true)
            {
                context.Properties.RedirectUri = PageAddress.Patient(file, patient, clock.GetUtcNow());
            }
            context.Principal = Known(context.Principal!, file.Practice.Slug, signIn, clock.GetUtcNow());
            PageTrail.SignedIn(context.HttpContext, file.Practice.Slug, SessionClaims.Read(context.Principal));
            return Task.CompletedTask;
        };
        options.Events.OnRemoteFailure = async context =>
        {
            context.HandleResponse();
            PageTrail.SignedIn(context.HttpContext, file.Practice.Slug, null);
            context
                .HttpContext.RequestServices.GetRequiredService<ILoggerFactory>()
                .CreateLogger(typeof(SignInRoom).FullName!)
                .SignInFailed(file.Practice.Slug, number, context.Failure?.GetType().Name ?? "unknown");
            await SignInPages.Failed(file, number, context.Failure).ExecuteAsync(context.HttpContext);
        };
    }

    private static ClaimsPrincipal Known(
        ClaimsPrincipal principal,
        string practice,
        SignInSettings signIn,
        DateTimeOffset now
    )
    {
        var names = new[] { "fhirUser", "email", "preferred_username", "sub" }
            .SelectMany(principal.FindAll)
            .Select(claim => claim.Value)
            .ToList();
        if (principal.FindFirstValue("fhirUser") is { } user)
        {
            // Practitioner/123, however the EHR writes its own address.
            names.Add(string.Join('/', user.Split('/').TakeLast(2)));
        }
        var roles = PageRoles.None;
        foreach (var name in names)
        {
            roles |= signIn.Users.GetValueOrDefault(name);
        }
        foreach (var group in signIn.RoleClaim is { } claim ? principal.FindAll(claim) : [])
        {
            roles |= signIn.Groups.GetValueOrDefault(group.Value);
        }
        return SessionClaims.Of(
            practice,
            principal.FindFirstValue("fhirUser") ?? principal.FindFirstValue("sub") ?? "",
            principal.FindFirstValue("name") ?? names.LastOrDefault() ?? "",
            roles == PageRoles.None ? signIn.Default : roles,
            now
        );
    }

    /// <summary>A cookie that ends with the browser: its end is not told by a clock that may not be the browser's.</summary>
    private sealed class BrowserSessionCookie(CookieBuilder like) : CookieBuilder
    {
        public override string? Name
        {
            get => like.Name;
            set => like.Name = value;
        }

        public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
        {
            var options = like.Build(context, expiresFrom);
            options.Expires = null;
            // Over plain HTTP, which is this machine alone, browsers refuse None without Secure.
            (options.SameSite, options.Secure) = (SameSiteMode.Lax, context.Request.IsHttps);
            return options;
        }
    }
}

/// <summary>What sign-in logs: ids, never names.</summary>
internal static partial class SignInLog
{
    /// <summary>Somebody could not be signed in.</summary>
    [LoggerMessage(LogLevel.Warning, "Sign-in {Number} of practice {Practice} failed: {Fault}")]
    public static partial void SignInFailed(this ILogger logger, string practice, int number, string fault);
}
