using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace CcmFhir.Telemetry;

/// <summary>Sends traces, metrics and logs where the settings say: by OTLP (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c> and its companions), to Application
/// Insights (<c>APPLICATIONINSIGHTS_CONNECTION_STRING</c>), to both, or nowhere.</summary>
internal static class TelemetryRoom
{
    private const string Otlp = "OTEL_EXPORTER_OTLP_ENDPOINT";
    private const string Insights = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>Adds what is configured; nothing where nothing is.</summary>
    public static void AddTelemetry(this WebApplicationBuilder builder)
    {
        var settings = builder.Configuration;
        var (otlp, insights) = (!string.IsNullOrEmpty(settings[Otlp]), settings[Insights]);
        if (!otlp && string.IsNullOrEmpty(insights))
        {
            return;
        }
        var telemetry = builder
            .Services.AddOpenTelemetry()
            .ConfigureResource(resource =>
                resource.AddService("ccmfhir", serviceInstanceId: $"{Environment.MachineName}-{Environment.ProcessId}")
            )
            .WithTracing(traces =>
                traces.AddSource(Signals.Name).AddAspNetCoreInstrumentation().AddHttpClientInstrumentation()
            )
            .WithMetrics(metrics =>
                metrics.AddMeter(Signals.Name).AddAspNetCoreInstrumentation().AddHttpClientInstrumentation()
            )
            .WithLogging(configureBuilder: null, logs => logs.IncludeScopes = true);
        if (otlp)
        {
            telemetry.UseOtlpExporter();
        }
        if (!string.IsNullOrEmpty(insights))
        {
            builder.Services.ConfigureOpenTelemetryTracerProvider(traces => traces.AddAzureMonitorTraceExporter(To));
            builder.Services.ConfigureOpenTelemetryMeterProvider(metrics => metrics.AddAzureMonitorMetricExporter(To));
            builder.Services.ConfigureOpenTelemetryLoggerProvider(logs => logs.AddAzureMonitorLogExporter(To));
        }

        void To(AzureMonitorExporterOptions options)
        {
            options.ConnectionString = insights;
            // The resource takes no keys; on Azure the app's identity speaks for us.
            options.Credential = new DefaultAzureCredential();
        }
    }
}
