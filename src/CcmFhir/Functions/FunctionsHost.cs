namespace CcmFhir.Functions;

/// <summary>The Functions host as far as we must know it: whether it started us, and whether its settings are those we can live with.</summary>
internal static class FunctionsHost
{
    private const string PortSetting = "FUNCTIONS_CUSTOMHANDLER_PORT";
    private const string RootSetting = "FUNCTIONS_APP_ROOT_PATH";
    private const int DefaultDequeueCount = 5;

    /// <summary>The host started us.</summary>
    public static bool StartedUs(IConfiguration settings) => !string.IsNullOrEmpty(settings[PortSetting]);

    /// <summary>Reads <c>host.json</c> as the host does: app settings such as <c>AzureFunctionsJobHost__customHandler__...</c> go over it. A way of
    /// passing requests that breaks FHIR is refused.</summary>
    /// <returns>How often a message is delivered before it is put aside.</returns>
    /// <exception cref="InvalidDataException">Requests would not be proxied.</exception>
    public static int ReadMostTries(IConfiguration settings)
    {
        var path = Path.Combine(settings[RootSetting] ?? AppContext.BaseDirectory, "host.json");
        if (!File.Exists(path))
        {
            return DefaultDequeueCount;
        }
        using var read = File.OpenRead(path);
        var host = new ConfigurationBuilder()
            .AddJsonStream(read)
            .AddConfiguration(settings.GetSection("AzureFunctionsJobHost"))
            .Build();
        if (!host.GetValue("customHandler:enableProxyingHttpRequest", false))
        {
            throw new InvalidDataException(
                "host.json, or an app setting AzureFunctionsJobHost__customHandler__enableProxyingHttpRequest over it, does not say \"enableProxyingHttpRequest\": true. Forwarded requests lose repeated search parameters and chunked bodies, so the program does not start with them."
            );
        }
        return host.GetValue("extensions:queues:maxDequeueCount", DefaultDequeueCount);
    }
}
