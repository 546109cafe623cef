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

    /// <summary>Starts the server and sends every bundle of a load.</summary>
    /// <param name="load">The load.</param>
    /// <param name="clients">How many send at a time.</param>
    public async Task SendAsync(CareLoad load, int clients)
    {
        await StartAsync();
        await load.SendAsync(() => Address, clients);
    }

    /// <summary>Starts the server and sends a load while something happens in rounds, each of which says with <see cref="CareLoad.Allow"/> how many
    /// bundles may go; after the last one all may.</summary>
    /// <param name="load">The load.</param>
    /// <param name="clients">How many send at a time.</param>
    /// <param name="rounds">How many rounds.</param>
    /// <param name="happens">What happens in the round of a number, from 0.</param>
    public async Task SendAsync(CareLoad load, int clients, int rounds, Func<int, Task> happens)
    {
        await StartAsync();
        await load.SendAsync(
            () => Address,
            clients,
            async () =>
            {
                for (var round = 0; round < rounds; round++)
                {
                    await happens(round);
                }
            }
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
    public Task<ProgramRun> CommandAsync(params string[] arguments) =>
        ProgramRun.RunAsync("dotnet", [Program, .. arguments], Settings, Cancel);

    /// <inheritdoc/>
    public void Dispose()
    {
        Volatile.Read(ref server)?.Dispose();
        Directory.Delete(Folder, recursive: true);
    }
}
