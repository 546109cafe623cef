using System.Text.Json;

namespace CcmFhir.Functions;

/// <summary>The Functions host as far as we must know it: whether it started us, and whether its settings are those we can live with.</summary>
internal static class FunctionsHost
{
    private const string PortSetting = "FUNCTIONS_CUSTOMHANDLER_PORT";
    private const string RootSetting = "FUNCTIONS_APP_ROOT_PATH";
    private const int DefaultDequeueCount = 5;

    /// <summary>The host started us.</summary>
    public static bool StartedUs(IConfiguration settings) => !string.IsNullOrEmpty(settings[PortSetting]);

    /// <summary>Reads <c>host.json</c>; a way of passing requests that breaks FHIR is refused.</summary>
    /// <returns>How often a message is delivered before it is put aside.</returns>
    /// <exception cref="InvalidDataException">Requests would not be proxied.</exception>
    public static int ReadMostTries(IConfiguration settings)
    {
        var path = Path.Combine(settings[RootSetting] ?? AppContext.BaseDirectory, "host.json");
        if (!File.Exists(path))
        {
            return DefaultDequeueCount;
        }
        using var host = JsonDocument.Parse(
            File.ReadAllBytes(path),
            new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
        );
        var root = host.RootElement;
        if (
            !root.TryGetProperty("customHandler", out var handler)
            || !handler.TryGetProperty("enableProxyingHttpRequest", out var proxy)
            || proxy.ValueKind != JsonValueKind.True
        )
        {
            throw new InvalidDataException(
                "host.json does not say \"enableProxyingHttpRequest\": true. Forwarded requests lose repeated search parameters and chunked bodies, so the program does not start with them."
            );
        }
        return
            root.TryGetProperty("extensions", out var extensions)
            && extensions.TryGetProperty("queues", out var queues)
            && queues.TryGetProperty("maxDequeueCount", out var count)
            && count.TryGetInt32(out var most)
            ? most
            : DefaultDequeueCount;
    }
}
