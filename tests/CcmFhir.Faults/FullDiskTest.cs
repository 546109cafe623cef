using System.Globalization;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>No room for another byte: what is posted is refused for a time, what is there can be read, and when there is room it goes on.</summary>
[Collection(FaultTable.OneAtATime)]
public sealed class FullDiskTest(FaultTable table) : IDisposable
{
    private const int Rounds = 3;
    private const int Clients = 8;

    private readonly FaultScene scene = new("full");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_full_disk_refuses_for_a_time_and_loses_nothing()
    {
        using var disk = await Disk.MemoryAsync(scene.StoreFolder, megabytes: 16);
        if (disk is null)
        {
            table.NotPermitted("disk full (a disk of its own)");
            Assert.Skip("No disk may be mounted here; the bound on the size of files stands in for it.");
        }
        var load = new CareLoad(patients: 40, rounds: 12);
        var violations = new List<string>();
        await scene.SendAsync(
            load,
            Clients,
            Rounds,
            async round =>
            {
                load.Allow(40);
                await load.AnswersAsync(40);
                disk.Fill();
                // The log may still have room within itself, or give some back.
                load.Allow(20);
                await load.RefusalsAsync(20, again: disk.Fill);
                await ReadAsync(violations);
                if (round == 1)
                {
                    await StartWhileFullAsync(violations);
                }
                disk.Free();
                if (!scene.Runs)
                {
                    await scene.StartAsync();
                }
                await load.AnswersAsync(8);
            }
        );
        await scene.StartAsync();

        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        table.Report("disk full (a disk of its own)", Rounds, load.Refusals, load.Acknowledged.Count, violations);
        scene.Stop();
    }

    [Fact]
    public async Task Files_that_may_not_grow_refuse_for_a_time_and_lose_nothing()
    {
        const int startKiB = 1024;
        // The runtime maps memory through a file larger than any bound that would be met here.
        scene.Settings["DOTNET_EnableWriteXorExecute"] = "0";
        scene.Through =
        [
            "bash",
            "-c",
            string.Create(CultureInfo.InvariantCulture, $"trap '' XFSZ; ulimit -S -f {startKiB}; exec \"$@\""),
            "bounded",
        ];
        var load = new CareLoad(patients: 60, rounds: 6);
        var violations = new List<string>();
        load.Allow(load.Bundles / 2);
        await scene.SendAsync(
            load,
            Clients,
            Rounds,
            async round =>
            {
                await load.RefusalsAsync(20);
                await ReadAsync(violations);
                await BoundAsync("unlimited");
                await load.AnswersAsync(20);
                if (round + 1 < Rounds)
                {
                    await BoundAsync("65536");
                    load.Allow(20);
                }
            }
        );
        scene.Through = [];
        await scene.StartAsync();

        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        table.Report("disk full (files bounded)", Rounds, load.Refusals, load.Acknowledged.Count, violations);
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private async Task BoundAsync(string bytes) =>
        (await Disk.RunAsync("prlimit", $"--pid={scene.Server.Id}", $"--fsize={bytes}:unlimited")).ShouldBe(0);

    // Reading needs no room.
    private async Task ReadAsync(List<string> violations)
    {
        using var http = new HttpClient();
        using var answer = await http.GetAsync(
            new Uri(scene.Address, $"/{CareMonths.Practice}/fhir/Patient/p0"),
            Cancel
        );
        if (!answer.IsSuccessStatusCode)
        {
            violations.Add($"Reading while the disk is full: {(int)answer.StatusCode}");
        }
    }

    // It may start and refuse, or say why it does not start.
    private async Task StartWhileFullAsync(List<string> violations)
    {
        if (await scene.TryStartAsync() is not { } said)
        {
            await ReadAsync(violations);
        }
        else if (!said.Contains("full", StringComparison.Ordinal))
        {
            violations.Add($"Started on a full disk it says: {said}");
        }
    }
}
