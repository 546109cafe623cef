using System.Diagnostics;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>A practice in a folder of its own and the program that serves it, as its users run it: a process with a SQLite store.</summary>
internal sealed class FaultScene : IDisposable
{
    private ServerProcess? server;

    /// <summary>Makes the folder.</summary>
    /// <param name="name">Names it.</param>
    public FaultScene(string name)
    {
        Folder = Directory.CreateTempSubdirectory($"ccmfhir-{name}-").FullName;
        StoreFolder = Directory.CreateDirectory(Path.Combine(Folder, "data")).FullName;
        Directory.CreateDirectory(Practices);
        File.WriteAllText(PracticeFile, CareMonths.PracticeFile);
        Settings = new Dictionary<string, string>
        {
            ["Ccm:Store"] = $"sqlite:{Store}",
            ["Ccm:Practices"] = Practices,
            ["Ccm:PushEverySeconds"] = "0",
        };
    }

    /// <summary>Folder of everything.</summary>
    public string Folder { get; }

    /// <summary>Folder of the store.</summary>
    public string StoreFolder { get; }

    /// <summary>The store's file.</summary>
    public string Store => Path.Combine(StoreFolder, "ccm.db");

    /// <summary>Folder of practice files.</summary>
    public string Practices => Path.Combine(Folder, "practices");

    /// <summary>The practice's file.</summary>
    public string PracticeFile => Path.Combine(Practices, "load.json");

    /// <summary>Settings and environment of the server and of the commands.</summary>
    public Dictionary<string, string> Settings { get; }

    /// <summary>A command that becomes the server; empty for none.</summary>
    public IReadOnlyList<string> Through { get; set; } = [];

    /// <summary>The server that was started last.</summary>
    public ServerProcess Server =>
        Volatile.Read(ref server) ?? throw new InvalidOperationException("No server was started.");

    /// <summary>Where it listens.</summary>
    public Uri Address => Host ?? Server.Address;

    /// <summary>Where a server of the test's own listens, in place of the process.</summary>
    public Uri? Host { get; set; }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "ccmfhir.dll");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>It runs.</summary>
    public bool Runs => !Server.HasEnded;

    /// <summary>SIGKILL; nothing where none runs.</summary>
    public void Stop() => Volatile.Read(ref server)?.Kill();

    /// <summary>Starts the server and waits until it is ready; one that still runs is killed first.</summary>
    public async Task StartAsync()
    {
        Stop();
        Volatile.Write(
            ref server,
            await ServerProcess.StartAsync(Program, Settings, TimeProvider.System, Cancel, Through)
        );
    }

    /// <summary>Starts the server where it may refuse to.</summary>
    /// <returns>What it said when it refused; null when it runs.</returns>
    public async Task<string?> TryStartAsync()
    {
        try
        {
            await StartAsync();
            return null;
        }
        catch (InvalidOperationException refused)
        {
            return refused.Message;
        }
    }

    /// <summary>Runs a command of the program to its end.</summary>
    /// <returns>Exit code, output, and what it wrote to standard error.</returns>
    public async Task<(int Code, string Output, string Errors)> CommandAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in Settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(Cancel);
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        return (process.ExitCode, output, await errors);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Volatile.Read(ref server)?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
