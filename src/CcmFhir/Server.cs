using CcmFhir.Access;
using CcmFhir.Ehr;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Fhir;
using CcmFhir.Functions;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using CcmFhir.Pages;
using CcmFhir.Telemetry;

namespace CcmFhir;

/// <summary>The server put together: one line a room.</summary>
internal static class Server
{
    /// <summary>Builds the server; it is not started yet.</summary>
    /// <param name="args">Settings as <c>--Ccm:Store=...</c>, over environment and settings files.</param>
    /// <param name="clock">The clock everything asks.</param>
    /// <param name="cancel">Gives up opening the store.</param>
    /// <param name="before">Puts a store before the one that the settings name, to see what it is asked; null for none.</param>
    /// <exception cref="InvalidDataException">A practice file is wrong.</exception>
    public static async Task<WebApplication> BuildAsync(
        string[] args,
        TimeProvider clock,
        CancellationToken cancel,
        Func<IJournalStore, IJournalStore>? before = null
    )
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        var settings = builder.Configuration;
        builder.WebHost.UseUrls(Addresses.Listening(settings));
        var practices = Practices.Read(settings[Practices.Setting] ?? Practices.Default);
        var opened = await JournalStores.OpenAsync(settings[JournalStores.Setting], clock, cancel);
        var store = new WatchedJournalStore(
            before?.Invoke(opened) ?? opened,
            stream => JournalNames.PatientOf(stream) is not null
        );
        builder.Services.AddSingleton(clock);
        builder.Services.AddSingleton(practices);
        builder.AddProtection();
        builder.AddAccess();
        builder.Services.AddSingleton(store);
        builder.AddFhir(store, HouseDoor.Open(), practices);
        builder.AddMonthEnd();
        builder.AddPages(practices, clock);
        builder.AddFunctions();
        builder.AddTelemetry();
        builder.Services.AddDelivery(settings, $"{Environment.MachineName}-{Environment.ProcessId}");
        builder.Services.AddReceiving(settings);

        var app = builder.Build();
        app.UseProtection();
        app.MapAccess();
        app.MapFhir();
        app.MapDelivery();
        app.MapReceiving();
        app.MapPages();
        app.MapFunctions();
        return app;
    }
}
