using CcmFhir.Access;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Trail;
using Microsoft.AspNetCore.ResponseCompression;

namespace CcmFhir.Fhir;

/// <summary>Puts intake and the FHIR REST interface into the server.</summary>
internal static class FhirRoom
{
    /// <summary>Adds what they need.</summary>
    public static void AddFhir(this WebApplicationBuilder builder, IJournalStore store, Door door, Practices practices)
    {
        var max = builder.Configuration.GetValue("Ccm:MaxBodyBytes", RequestBody.DefaultMax);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // Bodies are bounded where they are read, so that the answer says what would be right; Kestrel then throws away what is left
            // for a few seconds, so that the client gets to read it.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.AddServerHeader = false;
        });
        // The framework logs whole addresses, and a search's address holds names, birth dates and record numbers: only its warnings are kept.
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddFilter("System.Net.Http.HttpClient", LogLevel.Warning);
        builder.Services.AddSingleton(_ => store);
        builder.Services.AddSingleton(new StreamRecords(store));
        builder.Services.AddSingleton(door);
        builder.Services.AddSingleton<AccessTrail>();
        builder.Services.AddHostedService(services => services.GetRequiredService<AccessTrail>());
        builder.Services.AddSingleton(services =>
        {
            var gate = services.GetRequiredService<AccessGate>();
            return new FhirDoor(
                slug => practices.Find(slug) is { } file ? Receiver.Of(file) : null,
                (http, slug) => gate.AdmitAsync(http, slug, practices.Find(slug)!.Issuers)
            );
        });
        var seconds = builder.Configuration.GetValue("Ccm:MaxBodySeconds", RequestBody.DefaultSeconds);
        builder.Services.AddSingleton(services => new RequestBody(
            services.GetRequiredService<TimeProvider>(),
            max,
            seconds
        ));
        builder.Services.AddSingleton<ReceiveBundle>();
        builder.Services.AddSingleton<ValidateOperation>();
        builder.Services.AddSingleton<FhirEndpoints>();
        builder.Services.AddResponseCompression(options =>
        {
            options.EnableForHttps = true;
            options.MimeTypes =
            [
                .. ResponseCompressionDefaults.MimeTypes,
                "application/fhir+json",
                "application/fhir+xml",
            ];
        });
    }

    /// <summary>Adds the routes.</summary>
    public static void MapFhir(this WebApplication app)
    {
        app.UseResponseCompression();
        var endpoints = app.Services.GetRequiredService<FhirEndpoints>();
        app.Map("/{practice}/fhir/{**path}", endpoints.HandleAsync).WithMetadata(new WithoutSession());
        app.MapFallback(NothingHereAsync);
        app.MapGet("/health/live", () => Results.Ok());
        app.MapGet("/health/ready", ReadyAsync);
    }

    /// <summary>The answer where there is no such address.</summary>
    public static Task NothingHereAsync(HttpContext http) =>
        FhirAnswer
            .Of(
                Refusal.Of(
                    404,
                    "not-found",
                    "route",
                    "There is nothing at this address. FHIR is at /{practice}/fhir, its statement at /{practice}/fhir/metadata."
                )
            )
            .WriteAsync(http, FhirFormat.Json, pretty: false);

    // Ready when the journal answers.
    private static async Task<IResult> ReadyAsync(IJournalStore store, CancellationToken cancel)
    {
        try
        {
            _ = await store.FindAsync("health/ready", cancel);
            return Results.Ok();
        }
        catch (JournalUnavailableException)
        {
            return Results.StatusCode(StatusCodes.Status503ServiceUnavailable);
        }
    }
}
