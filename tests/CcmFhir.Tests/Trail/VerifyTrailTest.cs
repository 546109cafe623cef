using System.Globalization;
using CcmFhir.Commands;
using CcmFhir.Journal;
using CcmFhir.Trail;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Trail;

/// <summary>What was done to the trail behind the program's back is found and named.</summary>
public sealed class VerifyTrailTest : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-trail-").FullName;
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 20, 15, 0, 0, TimeSpan.Zero));

    private string File => Path.Combine(folder, "ccm.db");

    [Fact]
    public async Task A_sound_trail_over_days_has_no_faults_and_its_mark_can_be_asked_for_later()
    {
        await RecordAsync(days: 3, each: 4);
        var (code, output) = await VerifyAsync();
        (code, output).ShouldBe((0, output));
        output.ShouldContain("oak: 3 days, 12 entries, 12 accesses");
        var mark = output[(output.IndexOf("mark ", StringComparison.Ordinal) + 5)..].Trim();

        clock.Advance(TimeSpan.FromDays(10));
        await RecordAsync(days: 1, each: 2);

        (await VerifyAsync("--noted", mark)).Code.ShouldBe(0);
        (await VerifyAsync("--noted", mark.Replace(":4:", ":3:", StringComparison.Ordinal))).Code.ShouldBe(1);
    }

    [Theory]
    [InlineData(
        "changed",
        "UPDATE entry SET payload = CAST(replace(CAST(payload AS TEXT), 'client-1', 'client-9') AS BLOB) WHERE key = {0} + 2",
        "audit/oak/2026-11-21: ",
        "entry 2"
    )]
    [InlineData("removed", "DELETE FROM entry WHERE key = {0} + 3", "audit/oak/2026-11-21: ", "entry 4")]
    [InlineData(
        "swapped",
        "UPDATE entry SET payload = (SELECT payload FROM entry WHERE key = {0} + 3), hash = (SELECT hash FROM entry WHERE key = {0} + 3) WHERE key = {0} + 2",
        "audit/oak/2026-11-21: ",
        "entry 2"
    )]
    [InlineData(
        "a day gone with its index",
        "DELETE FROM entry WHERE key BETWEEN {0} AND {0} + 100; DELETE FROM finder WHERE key = 'audit-day/oak/2026-11-21'",
        "audit/oak/2026-11-22: it follows on '2026-11-21:4:",
        "but the day before ends at '2026-11-20:4:"
    )]
    [InlineData(
        "a day emptied",
        "DELETE FROM entry WHERE key BETWEEN {0} AND {0} + 100",
        "audit/oak/2026-11-21: all its entries were removed",
        ""
    )]
    [InlineData(
        "cut at its end",
        "DELETE FROM entry WHERE key = {1} + 4",
        "The trail ends at '2026-11-22:3:",
        "2026-11-22:4:"
    )]
    [InlineData(
        "the first day gone",
        "DELETE FROM entry WHERE key BETWEEN {2} AND {2} + 100; DELETE FROM finder WHERE key = 'audit-day/oak/2026-11-20'",
        "audit/oak/2026-11-21: it follows on '2026-11-20:4:",
        "which was removed"
    )]
    public async Task What_was(string done, string sql, string named, string where)
    {
        await RecordAsync(days: 3, each: 4);
        await ChangeAsync(sql);

        var (code, output) = await VerifyAsync();

        code.ShouldBe(1, done);
        output.ShouldContain(named);
        output.ShouldContain(where);
    }

    [Fact]
    public async Task An_ordinary_stop_writes_what_waits_and_two_instances_make_one_chain()
    {
        await using (var store = SqliteJournalStore.Open(File))
        {
            await using var one = new AccessTrail(store, clock, NullLogger<AccessTrail>.Instance);
            await using var other = new AccessTrail(store, clock, NullLogger<AccessTrail>.Instance);
            await one.StartAsync(default);
            await other.StartAsync(default);
            for (var at = 0; at < 500; at++)
            {
                one.Note(Record(at)).ShouldBeTrue();
                other.Note(Record(at)).ShouldBeTrue();
            }
            await Task.WhenAll(one.StopAsync(default), other.StopAsync(default));
            one.Note(Record(0)).ShouldBeFalse("a stopped trail takes nothing, so nothing is given out");
        }

        (await VerifyAsync()).Output.ShouldContain(" 1000 accesses");
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private TrailRecord Record(int at) =>
        new()
        {
            Practice = "oak",
            At = clock.GetUtcNow(),
            By = string.Create(CultureInfo.InvariantCulture, $"client-{at}"),
            Do = "read",
            Url = "Task/t1",
            Status = 200,
        };

    private async Task RecordAsync(int days, int each)
    {
        await using var store = SqliteJournalStore.Open(File);
        await using var trail = new AccessTrail(store, clock, NullLogger<AccessTrail>.Instance);
        await trail.StartAsync(default);
        for (var day = 0; day < days; day++)
        {
            for (var at = 0; at < each; at++)
            {
                trail.Note(Record(at));
                await trail.FlushAsync(TestContext.Current.CancellationToken);
            }
            clock.Advance(TimeSpan.FromDays(1));
        }
        await trail.StopAsync(default);
    }

    // {0}: key before the first entry of the second day; {1} of the third; {2} of the first.
    private async Task ChangeAsync(string sql)
    {
        await using var connection = new SqliteConnection($"Data Source={File};Pooling=False");
        await connection.OpenAsync();
        var keys = new List<object>();
        foreach (var day in (string[])["2026-11-21", "2026-11-22", "2026-11-20"])
        {
            await using var find = connection.CreateCommand();
            find.CommandText = "SELECT id << 24 FROM stream WHERE name = $1";
            find.Parameters.AddWithValue("$1", $"audit/oak/{day}");
            keys.Add((await find.ExecuteScalarAsync())!);
        }
        await using var change = connection.CreateCommand();
        change.CommandText = string.Format(CultureInfo.InvariantCulture, sql, [.. keys]);
        (await change.ExecuteNonQueryAsync()).ShouldBeGreaterThan(0);
    }

    private async Task<(int Code, string Output)> VerifyAsync(params string[] more)
    {
        var output = new StringWriter();
        var code = await AuditCommand
            .Build(clock)
            .Parse(["verify", "--store", $"sqlite:{File}", "--practice", "oak", .. more])
            .InvokeAsync(new() { Output = output, Error = output }, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
