using CcmFhir.Load;
using CcmFhir.Tests;
using CcmFhir.Tests.Journal;

namespace CcmFhir.Faults;

/// <summary>Azure Storage behind a network that drops, doubles and refuses calls, while the server is killed; <c>BlobJournalFaultsTest</c> and
/// <c>FaultyStorageMonthTest</c> play more of it.</summary>
[Collection(FaultTable.OneAtATime)]
public sealed class StorageFaultsTest(FaultTable table) : IDisposable
{
    private const double Share = 0.05;
    private const int Kills = 2;

    private readonly FaultScene scene = new("storage");

    [Fact]
    public async Task Over_storage_that_fails_the_killed_server_has_what_it_acknowledged_once_each()
    {
        await using var azurite = await AzuriteProcess.StartAsync(Repository.At(".cache"));
        await using var blobs = await FaultProxy.StartAsync(azurite.BlobPort, Share, seed: 1);
        await using var tables = await FaultProxy.StartAsync(azurite.TablePort, Share, seed: 2);
        scene.Settings["Ccm:Store"] = $"azure:{azurite.ConnectionString(blobs.Port, tables.Port)}";
        var load = new CareLoad(patients: 10, rounds: 4);
        load.Allow(load.Bundles);
        await scene.SendAsync(
            load,
            clients: 8,
            Kills,
            async _ =>
            {
                await load.AnswersAsync(load.Bundles / (Kills + 1));
                await scene.StartAsync();
            }
        );
        scene.Settings["Ccm:Store"] = $"azure:{azurite.ConnectionString()}";
        await scene.StartAsync();

        table.Report(
            "storage faults, server killed",
            Kills,
            blobs.Faults + tables.Faults,
            load.Acknowledged.Count,
            await new Invariants(scene, load).CheckAsync()
        );
        scene.Stop();
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();
}
