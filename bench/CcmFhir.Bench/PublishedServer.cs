using System.Diagnostics;
using CcmFhir.Load;

namespace CcmFhir.Bench;

/// <summary>The server as it is shipped: <c>dotnet publish src/CcmFhir -c Release -o publish</c>, ReadyToRun.</summary>
internal static class PublishedServer
{
    /// <summary>Starts it over a folder and waits until it is ready.</summary>
    /// <param name="program">Path that <see cref="FindAsync"/> gave.</param>
    /// <param name="folder">Practices and journal.</param>
    public static Task<ServerProcess> StartAsync(string program, LoadFolder folder) =>
        ServerProcess.StartAsync(program, folder.Settings, TimeProvider.System, CancellationToken.None);

    /// <summary>Path of the program, published anew unless one is named.</summary>
    /// <param name="named">Path that <c>--server</c> gave; null to publish.</param>
    public static async Task<string> FindAsync(string? named)
    {
        if (named is not null)
        {
            return named;
        }
        var folder = Path.Combine(BenchRepository.Root, "publish");
        using var publish = Process.Start(
            new ProcessStartInfo(
                "dotnet",
                ["publish", Path.Combine(BenchRepository.Root, "src", "CcmFhir"), "-c", "Release", "-o", folder]
            )
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            }
        )!;
        var said = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        return publish.ExitCode == 0
            ? Path.Combine(folder, "ccmfhir")
            : throw new InvalidOperationException($"The server cannot be published:\n{said}");
    }
}
