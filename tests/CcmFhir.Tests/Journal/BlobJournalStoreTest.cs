using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>The blob store keeps the contract, against Azurite.</summary>
public sealed class BlobJournalStoreTest(Azurite azurite) : JournalStoreContract
{
    private readonly string container = $"test-{Guid.NewGuid():N}";

    private protected override async ValueTask<IJournalStore> OpenAsync() =>
        await JournalStores.OpenAsync(
            $"azure:{await azurite.ConnectionStringAsync()};Container={container}",
            new RealTime(),
            Cancel
        );

    private protected override bool TellsPosition => false;

    private protected override async ValueTask CleanAsync() => await azurite.DeleteJournalAsync(container);
}
