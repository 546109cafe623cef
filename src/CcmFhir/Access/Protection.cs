using Microsoft.Net.Http.Headers;

namespace CcmFhir.Access;

/// <summary>What every answer carries whoever asks: headers that keep browsers from doing more than was meant, and leave for the SMART apps that are
/// named in the settings to read answers in a browser.</summary>
internal static class Protection
{
    /// <summary>Origins of SMART apps that run in browsers, with semicolons between; empty for none.</summary>
    public const string OriginsSetting = "Ccm:Cors:Origins";

    private static readonly string[] Exposed =
    [
        HeaderNames.ETag,
        HeaderNames.Location,
        HeaderNames.ContentLocation,
        HeaderNames.LastModified,
        HeaderNames.RetryAfter,
        HeaderNames.WWWAuthenticate,
    ];

    /// <summary>Adds what it needs.</summary>
    /// <exception cref="InvalidOperationException">A setting names what is no origin.</exception>
    public static void AddProtection(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(new RequestLimits(builder.Configuration));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(15);
            kestrel.Limits.MaxRequestHeaderCount = 60;
        });
        var origins = Origins(builder.Configuration[OriginsSetting]);
        builder.Services.AddCors(cors =>
            cors.AddDefaultPolicy(policy =>
                policy
                    .WithOrigins(origins)
                    .WithMethods("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
                    .WithHeaders(
                        HeaderNames.Authorization,
                        HeaderNames.Accept,
                        HeaderNames.ContentType,
                        "Prefer",
                        HeaderNames.IfMatch,
                        HeaderNames.IfNoneMatch,
                        HeaderNames.IfModifiedSince,
                        "If-None-Exist"
                    )
                    .WithExposedHeaders(Exposed)
                    .SetPreflightMaxAge(TimeSpan.FromMinutes(10))
            )
        );
    }

    /// <summary>Puts it before everything else.</summary>
    public static void UseProtection(this WebApplication app)
    {
        app.Use(
            (http, next) =>
            {
                var headers = http.Response.Headers;
                headers.XContentTypeOptions = "nosniff";
                headers.ContentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'";
                headers["Referrer-Policy"] = "no-referrer";
                headers["Cross-Origin-Resource-Policy"] = "same-origin";
                if (Addresses.Root(http).StartsWith("https:", StringComparison.Ordinal))
                {
                    headers.StrictTransportSecurity = "max-age=31536000";
                }
                return next(http);
            }
        );
        app.UseCors();
    }

    private static string[] Origins(string? setting)
    {
        var origins = (setting ?? "").Split(
            ';',
            StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries
        );
        foreach (var origin in origins)
        {
            if (
                !Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                || uri.GetLeftPart(UriPartial.Authority) != origin
                || (uri.Scheme != Uri.UriSchemeHttps && !uri.IsLoopback)
            )
            {
                throw new InvalidOperationException(
                    $"{OriginsSetting} holds '{origin}', which is no origin: https://host, without a path."
                );
            }
        }
        return origins;
    }
}
