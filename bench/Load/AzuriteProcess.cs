using System.Diagnostics;

namespace CcmFhir.Load;

/// <summary>Azure Storage on this machine: Azurite, from npm, in memory. Needs Node and, the first time, npm's registry; what it installs stays in a
/// folder of the caller's.</summary>
public sealed class AzuriteProcess : IAsyncDisposable
{
    private const string Version = "3.35.0";
    private const string Key =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly Process process;
    private readonly int queuePort;

    private AzuriteProcess(Process process, int blobPort, int queuePort, int tablePort) =>
        (this.process, BlobPort, this.queuePort, TablePort) = (process, blobPort, queuePort, tablePort);

    /// <summary>Port of its blob service.</summary>
    public int BlobPort { get; }

    /// <summary>Port of its table service.</summary>
    public int TablePort { get; }

    /// <summary>Starts one and waits until all its services listen.</summary>
    /// <param name="cache">Folder that what is installed stays in.</param>
    public static async Task<AzuriteProcess> StartAsync(string cache)
    {
        var modules = await NpmInstall.IntoAsync(Path.Combine(cache, $"azurite-{Version}"), $"azurite@{Version}");
        var main = Path.Combine(modules, "azurite", "dist", "src", "azurite.js");
        var ports = FreePorts.Take(3);
        var (blobPort, queuePort, tablePort) = (ports[0], ports[1], ports[2]);
        var started = Process.Start(
            new ProcessStartInfo("node")
            {
                ArgumentList =
                {
                    main,
                    "--blobPort",
                    $"{blobPort}",
                    "--queuePort",
                    $"{queuePort}",
                    "--tablePort",
                    $"{tablePort}",
                    "--inMemoryPersistence",
                    "--skipApiVersionCheck",
                    "--disableTelemetry",
                    "--silent",
                },
                UseShellExecute = false,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            }
        )!;
        // Its own words "successfully listening" come when a port is open, once for each of the three services.
        var listening = 0;
        while (await started.StandardOutput.ReadLineAsync() is { } line)
        {
            if (line.Contains("successfully listening", StringComparison.Ordinal) && ++listening == 3)
            {
                _ = started.StandardOutput.ReadToEndAsync();
                _ = started.StandardError.ReadToEndAsync();
                return new AzuriteProcess(started, blobPort, queuePort, tablePort);
            }
        }
        throw new InvalidOperationException($"Azurite did not start: {await started.StandardError.ReadToEndAsync()}");
    }

    /// <summary>Connection string of the running service.</summary>
    /// <param name="through">Port of a proxy in front of its blobs; null for none.</param>
    /// <param name="throughTables">Port of a proxy in front of its tables; null for none.</param>
    public string ConnectionString(int? through = null, int? throughTables = null) =>
        $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};BlobEndpoint=http://127.0.0.1:{through ?? BlobPort}/devstoreaccount1;QueueEndpoint=http://127.0.0.1:{queuePort}/devstoreaccount1;TableEndpoint=http://127.0.0.1:{throughTables ?? TablePort}/devstoreaccount1";

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
