namespace CcmFhir;

/// <summary>The server put together: one line a room.</summary>
internal static class Server
{
    /// <summary>Builds the server; it is not started yet.</summary>
    /// <param name="args">Settings as <c>--Ccm:Store=...</c>, over environment and settings files.</param>
    /// <param name="clock">The clock everything asks.</param>
    public static WebApplication Build(string[] args, TimeProvider clock)
    {
        var builder = WebApplication.CreateBuilder(
            new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory }
        );
        builder.Services.AddSingleton(clock);
        var app = builder.Build();
        app.MapGet("/health/live", () => Results.Ok());
        return app;
    }
}
