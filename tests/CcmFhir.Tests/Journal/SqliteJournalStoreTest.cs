using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>The SQLite store keeps the contract, and stands up to what happens to files.</summary>
public sealed class SqliteJournalStoreTest : JournalStoreContract
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), $"ccm-journal-{Guid.NewGuid():N}");

    private string Database => Path.Combine(folder, "store", "ccm.db");

    private protected override ValueTask<IJournalStore> OpenAsync() => new(SqliteJournalStore.Open(Database));

    private protected override ValueTask CleanAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Ten_thousand_entries_in_one_stream_are_read_back()
    {
        for (var batch = 0; batch < 100; batch++)
        {
            // All hundred wait for the writer at once; it takes them in order.
            var answers = Enumerable.Range(batch * 100, 100).Select(i => AppendAsync("s", i, $"{i}")).ToList();
            (await Task.WhenAll(answers)).ShouldAllBe(answer => answer.Outcome == AppendOutcome.Appended);
        }

        (await ReadAsync("s", 0)).ShouldBe(Enumerable.Range(0, 10_000).Select(i => $"{i}"));
        (await ReadAsync("s", 9_998)).ShouldBe(["9998", "9999"]);
        ((SqliteJournalStore)Store).Flushes.ShouldBeLessThan(5_000);
    }

    [Fact]
    public async Task Files_are_readable_by_their_owner_alone()
    {
        await FillAsync("s", 1);

        if (!OperatingSystem.IsWindows())
        {
            File.GetUnixFileMode(Path.GetDirectoryName(Database)!)
                .ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            foreach (var file in Directory.GetFiles(Path.GetDirectoryName(Database)!))
            {
                File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
            }
        }
        Directory
            .GetFiles(Path.GetDirectoryName(Database)!)
            .Select(Path.GetFileName)
            .ShouldBe(["ccm.db", "ccm.db-wal", "ccm.db-shm"], ignoreOrder: true);
    }
}
