using CcmFhir.Access;
using CcmFhir.Ehr;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir;

/// <summary>The server put together: one line a room.</summary>
internal static class Server
{
    /// <summary>Builds the server; it is not started yet.</summary>
    /// <param name="args">Settings as <c>--Ccm:Store=...</c>, over environment and settings files.</param>
    /// <param name="clock">The clock everything asks.</param>
    /// <param name="cancel">Gives up opening the store.</param>
    public static async Task<WebApplication> BuildAsync(string[] args, TimeProvider clock, CancellationToken cancel)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        var settings = builder.Configuration;
        builder.Services.AddSingleton(clock);
        var practices = Receivers.Read(settings["Ccm:Practices"] ?? "practices");
        var access = AccessSettings.Read(
            settings,
            (settings["urls"] ?? "http://localhost:5000").Split(';', StringSplitOptions.RemoveEmptyEntries)
        );
        builder.AddFhir(
            await JournalStores.OpenAsync(settings[JournalStores.Setting], clock, cancel),
            new Door(static (_, _) => new Report([], []), static _ => false, static (_, _) => []),
            new FhirDoor(
                practices.Find,
                (http, practice) =>
                    new ValueTask<GateAnswer>(
                        access.Open
                            ? new GateAnswer(AccessContext.Unrestricted(practice, "development"), null)
                            : new GateAnswer(null, "A token is needed.")
                    )
            )
        );
        builder.Services.AddDelivery(settings, $"{Environment.MachineName}-{Environment.ProcessId}");
        var app = builder.Build();
        app.MapFhir();
        app.MapDelivery();
        return app;
    }
}
