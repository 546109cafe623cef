using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.Tests.Journal;

[assembly: AssemblyFixture(typeof(Azurite))]

namespace CcmFhir.Tests.Journal;

/// <summary>Azure Storage on this machine, started once a test run when the first test asks for it; what it needs stays in <c>.cache</c> at the root of
/// the repository.</summary>
public sealed class Azurite : IAsyncDisposable
{
    private readonly SemaphoreSlim starting = new(1);
    private AzuriteProcess? process;

    /// <summary>Connection string of the running service, which is started when it is not running yet.</summary>
    /// <param name="through">Port of a proxy in front of its blobs; null for none.</param>
    /// <param name="throughTables">Port of a proxy in front of its tables; null for none.</param>
    public async Task<string> ConnectionStringAsync(int? through = null, int? throughTables = null) =>
        (await RunningAsync()).ConnectionString(through, throughTables);

    /// <summary>Port of its blob service.</summary>
    public async Task<int> BlobPortAsync() => (await RunningAsync()).BlobPort;

    /// <summary>Port of its table service.</summary>
    public async Task<int> TablePortAsync() => (await RunningAsync()).TablePort;

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
            await process.DisposeAsync();
        }
        starting.Dispose();
    }

    private async Task<AzuriteProcess> RunningAsync()
    {
        await starting.WaitAsync();
        try
        {
            return process ??= await AzuriteProcess.StartAsync(Repository.At(".cache"));
        }
        finally
        {
            starting.Release();
        }
    }
}

/// <summary>The machine's own clock, for what truly waits.</summary>
internal sealed class RealTime : TimeProvider;
