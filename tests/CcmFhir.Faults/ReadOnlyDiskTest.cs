using System.Runtime.Versioning;

namespace CcmFhir.Faults;

/// <summary>A store that cannot be written: the start says which file and why; under a running server what is posted is refused for a time.</summary>
[Collection(FaultTable.OneAtATime)]
[SupportedOSPlatform("linux")]
public sealed class ReadOnlyDiskTest(FaultTable table) : IDisposable
{
    private const UnixFileMode Sealed = UnixFileMode.UserRead;
    private const UnixFileMode SealedFolder = UnixFileMode.UserRead | UnixFileMode.UserExecute;
    private const UnixFileMode Open = SealedFolder | UnixFileMode.UserWrite;

    private readonly FaultScene scene = new("readonly");

    [Fact]
    public async Task A_store_without_write_permission_refuses_the_start_and_says_why()
    {
        // Permissions do not bind root unless it gives up its privileges.
        scene.Through = Environment.IsPrivilegedProcess ? ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] : [];
        var load = new CareLoad(patients: 20, rounds: 2);
        await scene.SendAsync(load, clients: 8);
        scene.Stop();
        var violations = new List<string>();

        var (rounds, refused) = (0, 0);
        foreach (var (file, folder) in new[] { (Sealed, Open), (Open, SealedFolder), (Sealed, SealedFolder) })
        {
            rounds++;
            foreach (var each in Directory.GetFiles(scene.StoreFolder))
            {
                File.SetUnixFileMode(each, file);
            }
            File.SetUnixFileMode(scene.StoreFolder, folder);
            try
            {
                // Where the logs beside the file are there already, a sealed folder is no hindrance.
                if (await scene.TryStartAsync() is { } said)
                {
                    refused++;
                    if (!said.Contains(scene.Store, StringComparison.Ordinal) || !Explains(said))
                    {
                        violations.Add($"Started with file {file} and folder {folder} it says: {said}");
                    }
                }
                else if (file == Sealed)
                {
                    violations.Add("It runs although its file cannot be written.");
                }
                scene.Stop();
            }
            finally
            {
                File.SetUnixFileMode(scene.StoreFolder, Open);
                foreach (var each in Directory.GetFiles(scene.StoreFolder))
                {
                    File.SetUnixFileMode(each, UnixFileMode.UserRead | UnixFileMode.UserWrite);
                }
            }
        }
        await scene.StartAsync();

        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        table.Report("disk read-only (permissions)", rounds, refused, load.Acknowledged.Count, violations);
    }

    [Fact]
    public async Task A_disk_that_turns_read_only_under_the_server_refuses_for_a_time_and_loses_nothing()
    {
        using var disk = await Disk.Ext4Async(scene.StoreFolder, Path.Combine(scene.Folder, "disk.img"));
        if (disk is null)
        {
            table.NotPermitted("disk read-only (under the running server)");
            Assert.Skip("No disk may be mounted here; permissions stand in for it.");
        }
        const int rounds = 2;
        var load = new CareLoad(patients: 40, rounds: 4);
        await scene.SendAsync(
            load,
            clients: 8,
            rounds,
            async _ =>
            {
                // Between two bundles: of a sync that is under way at that moment, Linux 6.18 may say that it succeeded when it did not.
                load.Allow(40);
                await load.AnswersAsync(40);
                await disk.AbortAsync();
                load.Allow(20);
                await load.RefusalsAsync(20);
                scene.Stop();
                await disk.MountAgainAsync();
                await scene.StartAsync();
                await load.AnswersAsync(20);
            }
        );

        var violations = await new Invariants(scene, load).CheckAsync();
        scene.Stop();
        table.Report(
            "disk read-only (under the running server)",
            rounds,
            load.Refusals,
            load.Acknowledged.Count,
            violations
        );
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private static bool Explains(string output) =>
        output.Contains("read-only", StringComparison.Ordinal)
        || output.Contains("permission", StringComparison.Ordinal)
        || output.Contains("may not be opened", StringComparison.Ordinal);
}
