using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using CcmFhir.Journal;
using CcmFhir.Tests.Journal;

[assembly: AssemblyFixture(typeof(Azurite))]

namespace CcmFhir.Tests.Journal;

/// <summary>Azure Storage on this machine: Azurite, from npm, started once a test run when the first test asks for it. Needs Node and, the
/// first time, npm's registry; what it installs stays in <c>.cache</c> at the root of the repository.</summary>
public sealed class Azurite : IAsyncDisposable
{
    private const string Version = "3.35.0";
    private const string Key =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private readonly SemaphoreSlim starting = new(1);
    private Process? process;
    private int blobPort;
    private int queuePort;
    private int tablePort;

    /// <summary>Connection string of the running service, which is started when it is not running yet.</summary>
    /// <param name="through">Port of a proxy in front of its blobs; null for none.</param>
    /// <param name="throughTables">Port of a proxy in front of its tables; null for none.</param>
    public async Task<string> ConnectionStringAsync(int? through = null, int? throughTables = null)
    {
        await starting.WaitAsync();
        try
        {
            if (process is null)
            {
                await StartAsync();
            }
        }
        finally
        {
            starting.Release();
        }
        return $"DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey={Key};BlobEndpoint=http://127.0.0.1:{through ?? blobPort}/devstoreaccount1;QueueEndpoint=http://127.0.0.1:{queuePort}/devstoreaccount1;TableEndpoint=http://127.0.0.1:{throughTables ?? tablePort}/devstoreaccount1";
    }

    /// <summary>Port of its table service.</summary>
    public async Task<int> TablePortAsync()
    {
        await ConnectionStringAsync();
        return tablePort;
    }

    /// <summary>Port of its blob service.</summary>
    public async Task<int> BlobPortAsync()
    {
        await ConnectionStringAsync();
        return blobPort;
    }

    /// <summary>Deletes a journal's container and its index.</summary>
    public async Task DeleteJournalAsync(string container)
    {
        var place = $"{await ConnectionStringAsync()};Container={container}";
        await JournalStores.Container(place).DeleteIfExistsAsync(cancellationToken: CancellationToken.None);
        await JournalStores.IndexTable(place).DeleteAsync(CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        if (process is not null)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync();
            process.Dispose();
        }
        starting.Dispose();
    }

    private async Task StartAsync()
    {
        var main = await InstallAsync();
        (blobPort, queuePort, tablePort) = (FreePort(), FreePort(), FreePort());
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
                process = started;
                _ = started.StandardOutput.ReadToEndAsync();
                _ = started.StandardError.ReadToEndAsync();
                return;
            }
        }
        throw new InvalidOperationException($"Azurite did not start: {await started.StandardError.ReadToEndAsync()}");
    }

    private static async Task<string> InstallAsync()
    {
        var cache = Directory.CreateDirectory(Repository.At(".cache", $"azurite-{Version}")).FullName;
        var main = Path.Combine(cache, "node_modules", "azurite", "dist", "src", "azurite.js");
        if (!File.Exists(Path.Combine(cache, "installed")))
        {
            using var npm = Process.Start(
                new ProcessStartInfo("npm")
                {
                    ArgumentList =
                    {
                        "install",
                        "--prefix",
                        cache,
                        "--no-audit",
                        "--no-fund",
                        "--no-save",
                        $"azurite@{Version}",
                    },
                    UseShellExecute = false,
                    RedirectStandardOutput = true,
                    RedirectStandardError = true,
                }
            )!;
            var output = npm.StandardOutput.ReadToEndAsync();
            var errors = await npm.StandardError.ReadToEndAsync();
            await npm.WaitForExitAsync();
            if (npm.ExitCode != 0)
            {
                throw new InvalidOperationException($"npm could not install azurite {Version}: {errors}{await output}");
            }
            await File.WriteAllTextAsync(Path.Combine(cache, "installed"), Version);
        }
        return main;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>The machine's own clock, for what truly waits.</summary>
internal sealed class RealTime : TimeProvider;
