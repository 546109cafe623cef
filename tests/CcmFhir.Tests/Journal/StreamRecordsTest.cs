using System.Text;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>The cache of streams: what it holds, and what a pass over many leaves of it.</summary>
public sealed class StreamRecordsTest : IAsyncLifetime
{
    private const int Body = 1000;

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-records-").FullName;
    private IJournalStore store = null!;
    private StreamRecords records = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        store = SqliteJournalStore.Open(Path.Combine(folder, "ccm.db"));
        // Room for two streams, and not for three.
        records = new StreamRecords(store, maxBytes: (Body * 2) + (Body * 3 / 4));
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task What_is_read_in_passing_is_kept_where_there_is_room_and_drops_nothing()
    {
        foreach (var stream in (string[])["a", "b", "c"])
        {
            await AppendAsync(stream, 0, 1);
        }
        await records.ReadAsync("a", Cancel);

        (await records.ReadInPassingAsync("b", Cancel)).Position.ShouldBe(1);
        (await records.ReadInPassingAsync("c", Cancel)).Position.ShouldBe(1);

        records.Known("a").ShouldNotBeNull();
        records.Known("b").ShouldNotBeNull("there was room");
        records.Known("c").ShouldBeNull("there was none");
    }

    [Fact]
    public async Task What_is_held_goes_on_when_it_is_read_in_passing()
    {
        await AppendAsync("a", 0, 1);
        await records.ReadAsync("a", Cancel);
        await AppendAsync("a", 1, 2);

        (await records.ReadInPassingAsync("a", Cancel)).Find("Task", "t")!.Current.VersionId.ShouldBe("2");

        records.Known("a")!.Position.ShouldBe(2);
    }

    [Fact]
    public async Task What_is_read_beyond_the_bound_drops_what_was_used_longest_ago()
    {
        foreach (var stream in (string[])["a", "b", "c"])
        {
            await AppendAsync(stream, 0, 1);
            await records.ReadAsync(stream, Cancel);
        }

        records.Known("a").ShouldBeNull();
        records.Known("c").ShouldNotBeNull();
    }

    private async Task AppendAsync(string stream, long expected, long version)
    {
        var body = Encoding.UTF8.GetBytes(
            $$"""{"resourceType":"Task","id":"t","x":"{{new string('x', Body - 250)}}"}"""
        );
        var payload = new EntryPayload(
            new DateTimeOffset(2026, 11, 25, 12, 0, 0, TimeSpan.Zero),
            "test",
            $"{stream} {version}",
            [new JournalRecord(RecordKind.Put, "Task", "t", version, body)]
        );
        (
            await store.AppendAsync(
                new JournalCommit([new StreamAppend(stream, expected, payload.ToBytes())], []),
                Cancel
            )
        ).Outcome.ShouldBe(AppendOutcome.Appended);
    }
}
