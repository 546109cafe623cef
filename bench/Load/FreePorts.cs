using System.Net;
using System.Net.Sockets;

namespace CcmFhir.Load;

/// <summary>Ports of this machine on which nobody listens now. Somebody else may take one before the caller does.</summary>
public static class FreePorts
{
    /// <summary>One.</summary>
    public static int One() => Take(1)[0];

    /// <summary>Several, no two the same.</summary>
    public static IReadOnlyList<int> Take(int count)
    {
        var listeners = Enumerable.Range(0, count).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            // A port that was let go may be given out again at once: all are held before one is.
            listeners.ForEach(listener => listener.Start());
            return [.. listeners.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port)];
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }
}
