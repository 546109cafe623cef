using System.Text;
using System.Text.Json;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>Stores as the first release wrote them, kept byte for byte in <c>Golden/</c>: every later release reads them and goes on. They are never
/// made anew; a later format adds a file of its own.</summary>
public sealed class GoldenStoreTest(Azurite azurite) : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ccm-golden-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    /// <summary>Number 1 has every payload as it came, number 2 has large ones packed.</summary>
    [Theory]
    [InlineData("sqlite-1.db")]
    [InlineData("sqlite-2.db")]
    public async Task The_SQLite_store_of_an_earlier_release_is_read_and_goes_on(string golden)
    {
        var path = Path.Combine(folder, "ccm.db");
        File.Copy(Repository.At("tests", "CcmFhir.Tests", "Journal", "Golden", golden), path);

        await using var store = SqliteJournalStore.Open(path);

        await ShouldBeGoldenAsync(store);
    }

    [Fact]
    public async Task The_blobs_of_the_first_release_are_read_and_go_on()
    {
        var name = $"golden-{Guid.NewGuid():N}";
        var place = $"{await azurite.ConnectionStringAsync()};Container={name}";
        var container = JournalStores.Container(place);
        var index = BlobJournalStore.FirstIndexOf(container);
        await container.CreateAsync(cancellationToken: Cancel);
        await index.CreateAsync(cancellationToken: Cancel);
        try
        {
            foreach (var blob in await BlobsAsync())
            {
                var bytes = new BinaryData(blob.Content);
                var (home, facts) = (
                    blob.Name.StartsWith("i/", StringComparison.Ordinal) ? index : container,
                    blob.Facts
                );
                if (blob.Name.StartsWith("s/", StringComparison.Ordinal))
                {
                    var client = home.GetAppendBlobClient(blob.Name);
                    await client.CreateAsync(new AppendBlobCreateOptions { Metadata = facts }, Cancel);
                    await client.AppendBlockAsync(bytes.ToStream(), cancellationToken: Cancel);
                }
                else
                {
                    await home.GetBlobClient(blob.Name)
                        .UploadAsync(bytes, new BlobUploadOptions { Metadata = facts }, Cancel);
                }
            }

            await using var store = await BlobJournalStore.OpenAsync(
                container,
                JournalStores.IndexTable(place),
                new RealTime(),
                new BlobJournalOptions { MostBlocks = 3 },
                make: false,
                Cancel
            );

            await ShouldBeGoldenAsync(store);
        }
        finally
        {
            await azurite.DeleteJournalAsync(name);
            await index.DeleteAsync(cancellationToken: CancellationToken.None);
        }
    }

    // Also what was written into the golden stores.
    private static async Task ShouldBeGoldenAsync(IJournalStore store)
    {
        (await store.CheckAsync(Cancel).ToListAsync(Cancel)).ShouldBeEmpty();
        (await store.StreamsAsync(Cancel).ToListAsync(Cancel)).ShouldBe(
            ["patient/riverside/p1", "patient/riverside/müller-😀", "directory/riverside/Organization/o1"],
            ignoreOrder: true
        );
        var entries = await store.ReadAsync("patient/riverside/p1", 0, Cancel);
        entries.Select(entry => entry.Position).ShouldBe([1, 2, 3, 4]);
        var record = StreamRecord.Empty("patient/riverside/p1").After(entries);
        var task = record.Find("Task", "t1")!;
        task.Current.VersionId.ShouldBe("2");
        task.By.ShouldBe("ehr-1");
        task.Current.LastUpdated.ShouldBe(new DateTimeOffset(2026, 10, 5, 14, 1, 0, TimeSpan.Zero));
        Encoding
            .UTF8.GetString(task.Current.Json.Span)
            .ShouldBe("""{"resourceType":"Task","id":"t1","status":"completed"}""");
        record.Find("Task", "t2")!.Current.Deleted.ShouldBeTrue();
        record.Find("DocumentReference", "d1")!.Current.Json.Length.ShouldBe(6_000);
        record.Claim("c1")!.State.ShouldBe(ClaimState.Accepted);
        (await store.ReadAsync("patient/riverside/müller-😀", 0, Cancel)).Count.ShouldBe(1);
        (await store.ReadAsync("directory/riverside/Organization/o1", 0, Cancel)).Count.ShouldBe(2);
        (
            await store.ListAsync("", null, Cancel).Select(entry => $"{entry.Key}={entry.Value}").ToListAsync(Cancel)
        ).ShouldBe([
            "id/riverside/Task/t1=patient/riverside/p1",
            "month/riverside/2026-10/p1=patient/riverside/p1",
            "unique/riverside/Task/identifier%3Dx=second",
        ]);
        Convert
            .ToHexStringLower(entries[^1].Hash.Span)
            .ShouldBe("a2d0f88e58e884c19213fdfdf3a651ba44296fc08bf10efdcab2fd8aba320ceb");

        var answer = await store.AppendAsync(
            new JournalCommit(
                [
                    new("patient/riverside/p1", 4, "next"u8.ToArray()),
                    new("directory/riverside/Organization/o1", 2, "next"u8.ToArray()),
                ],
                [new("unique/riverside/Task/identifier%3Dx", "third", Replaces: "second")]
            ),
            Cancel
        );
        answer.Outcome.ShouldBe(AppendOutcome.Appended);
        (await store.ReadAsync("patient/riverside/p1", 4, Cancel)).Count.ShouldBe(1);
        (await store.FindAsync("unique/riverside/Task/identifier%3Dx", Cancel)).ShouldBe("third");
    }

    private static async Task<List<GoldenBlob>> BlobsAsync()
    {
        await using var file = File.OpenRead(
            Repository.At("tests", "CcmFhir.Tests", "Journal", "Golden", "blobs-1.json")
        );
        return (await JsonSerializer.DeserializeAsync<List<GoldenBlob>>(file, cancellationToken: Cancel))!;
    }

    private sealed record GoldenBlob(string Name, Dictionary<string, string> Facts, byte[] Content);
}
