using CcmFhir.Functions;

namespace CcmFhir.Access;

/// <summary>How access is decided, from the settings <c>Ccm:Access</c>, <c>Ccm:Access:SigningKey</c> and the addresses listened on.</summary>
/// <param name="Open">Development mode: no tokens. Only where nothing but this machine can reach us.</param>
internal sealed record AccessSettings(bool Open)
{
    /// <summary>Reads the settings: <c>smart</c> (tokens), <c>open</c> (development mode), or nothing: open on loopback, else tokens.</summary>
    /// <exception cref="InvalidOperationException">Development mode was asked for where others could reach us.</exception>
    public static AccessSettings Read(IConfiguration settings, IEnumerable<string> addresses)
    {
        // Behind the Functions host everybody comes from loopback: the address proves nothing there.
        var behindHost = FunctionsHost.StartedUs(settings);
        var alone =
            !behindHost
            && addresses.All(address => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback);
        return settings["Ccm:Access:Mode"] switch
        {
            "smart" => new AccessSettings(Open: false),
            "open" when alone => new AccessSettings(Open: true),
            "open" => throw new InvalidOperationException(
                "Ccm:Access:Mode is 'open', which answers without tokens, but others than this machine could reach the server. Listen on 127.0.0.1, or set it to 'smart'."
            ),
            null or "" => new AccessSettings(Open: alone),
            var other => throw new InvalidOperationException($"Ccm:Access:Mode is '{other}'; it is 'smart' or 'open'."),
        };
    }
}
