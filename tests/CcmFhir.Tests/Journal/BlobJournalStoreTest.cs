using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>The blob store keeps the contract, against Azurite.</summary>
public sealed class BlobJournalStoreTest(Azurite azurite) : JournalStoreContract
{
    private readonly string container = $"test-{Guid.NewGuid():N}";

    [Fact]
    public async Task It_is_told_where_a_stream_stands()
    {
        Store.AppendsAtEnd.ShouldBeFalse();

        await Should.ThrowAsync<ArgumentException>(async () =>
            await Store.AppendAsync(
                new JournalCommit([StreamAppend.AtEnd("s", ["key"], Bytes("x"))], [new IndexEntry("key", "s")]),
                Cancel
            )
        );
    }

    private protected override async ValueTask<IJournalStore> OpenAsync() =>
        await JournalStores.OpenAsync(
            $"azure:{await azurite.ConnectionStringAsync()};Container={container}",
            new RealTime(),
            Cancel
        );

    private protected override async ValueTask CleanAsync() => await azurite.DeleteJournalAsync(container);
}
