using System.Globalization;
using System.Net.Http.Headers;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace CcmFhir.Tests.MonthEnd;

/// <summary>A month closed in shards, on a server by itself, and when what carries it dies.</summary>
public sealed class CloseShardsTest : IAsyncLifetime
{
    private static readonly ServiceMonth Month = new(2026, 10);

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-shards-").FullName;
    private readonly StandingClock clock = new(new DateTimeOffset(2026, 11, 2, 15, 0, 0, TimeSpan.Zero));
    private readonly SentShards sent = new();
    private PracticeFile practice = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(folder, "ccm.db");

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(Path.Combine(folder, "practices"));
        var file = Path.Combine(folder, "practices", "load.json");
        await File.WriteAllTextAsync(file, CareMonths.PracticeFile, Cancel);
        practice = PracticeFile.Read(file);
    }

    public ValueTask DisposeAsync()
    {
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_server_by_itself_closes_a_month_while_the_client_asks_how_far_it_is()
    {
        var app = await ServeAsync();
        using var http = await EnrolAsync(app, 3);

        for (var run = 1; run <= 2; run++)
        {
            var (status, text) = await CloseAsync(http, run);
            status.ShouldBe(200, text);
            text.ShouldContain("""{"name":"patients","valueInteger":3}""");
            text.ShouldContain("""{"name":"claims","valueInteger":3}""");
        }

        await app.DisposeAsync();
        (await ClaimsAsync(3)).ShouldBe([1, 1, 1]);
    }

    [Fact]
    public async Task A_run_whose_process_died_before_it_sent_anything_is_taken_up_when_the_server_starts()
    {
        await using (var before = await ServeAsync())
        {
            using var enrolled = await EnrolAsync(before, 2);
            await before.StopAsync(Cancel);
        }
        await using (var store = SqliteJournalStore.Open(Database))
        {
            await new CloseRuns(store).SayAsync(
                CareMonths.Practice,
                Month,
                _ => new CloseWord(CloseWordKind.Started, 1, clock.GetUtcNow()) { Shards = 1, Patients = 2 },
                Cancel
            );
        }

        var app = await ServeAsync();
        using var http = Client(app);
        (
            await CloseRun.EndAsync(http, new Uri("$ccm-close-status?month=2026-10&run=1", UriKind.Relative))
        ).Status.ShouldBe(200);
        await app.DisposeAsync();
        (await ClaimsAsync(2)).ShouldBe([1, 1]);
    }

    [Fact]
    public async Task A_run_under_way_is_joined_and_one_that_has_gone_silent_is_sent_out_again()
    {
        await using var store = await StoreAsync(2);
        var shards = Shards(store);
        var first = await shards.StartAsync(practice, Month, "a", "", once: false, Cancel);
        sent.Work.Count.ShouldBe(1);

        var second = await shards.StartAsync(practice, Month, "b", "", once: false, Cancel);
        second.Number.ShouldBe(first.Number);
        sent.Work.Count.ShouldBe(1);

        clock.Advance(CloseShards.Silence);
        await shards.StartAsync(practice, Month, "timer", "", once: true, Cancel);
        sent.Work.Count.ShouldBe(2);
        sent.Work[1].Patients.ShouldBe(sent.Work[0].Patients);

        (await shards.CloseAsync(sent.Work[0], Cancel)).ShouldBe(2);
        (await shards.CloseAsync(sent.Work[1], Cancel)).ShouldBe(0);
        (await shards.FindAsync("load", Month, 1, Cancel))!.State.ShouldBe(CloseState.Closed);
    }

    [Fact]
    public async Task A_shard_that_is_given_up_makes_the_run_fail_with_the_reason_until_it_is_closed_after_all()
    {
        await using var store = await StoreAsync(1);
        var shards = Shards(store);
        await shards.StartAsync(practice, Month, "a", "", once: false, Cancel);

        await shards.GiveUpAsync(sent.Work[0], new InvalidDataException("Blob s/1 is gone."), Cancel);
        var stuck = CloseStatus.Of((await shards.FindAsync("load", Month, 1, Cancel))!);
        stuck.Status.ShouldBe(500);
        System.Text.Encoding.UTF8.GetString(stuck.Body.Span).ShouldContain("shard 0: Blob s/1 is gone.");

        await shards.CloseAsync(sent.Work[0], Cancel);
        CloseStatus.Of((await shards.FindAsync("load", Month, 1, Cancel))!).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData(-10)]
    [InlineData(10)]
    [InlineData(60 * 24 * 3)]
    [InlineData(-60 * 24 * 3)]
    public async Task Instances_whose_clocks_differ_issue_each_claim_once(int minutes)
    {
        await using var store = await StoreAsync(2);
        // The month has been over for a second by the clock that starts the run.
        var starting = new StandingClock(new DateTimeOffset(2026, 11, 1, 4, 0, 1, TimeSpan.Zero));
        var other = new StandingClock(starting.GetUtcNow().AddMinutes(minutes));
        await Shards(store, starting).StartAsync(practice, Month, "timer", "", once: true, Cancel);

        (await Shards(store, other).CloseAsync(sent.Work[0], Cancel)).ShouldBe(2);

        // Closed again by the other clock, and by both at once, nothing changes.
        sent.Work.Clear();
        await Shards(store, starting).StartAsync(practice, Month, "a", "", once: false, Cancel);
        await Task.WhenAll(
            Shards(store, starting).CloseAsync(sent.Work[0], Cancel),
            Shards(store, other).CloseAsync(sent.Work[0], Cancel)
        );
        (await ClaimsAsync(store, 2)).ShouldBe([1, 1]);
        (await new CloseRuns(store).ReadAsync("load", Month, Cancel)).ShouldAllBe(run =>
            run.State == CloseState.Closed && run.Closed.Sum(word => word.Claims) == 2
        );
    }

    [Fact]
    public async Task A_cancelled_run_leaves_its_shards_alone()
    {
        await using var store = await StoreAsync(1);
        var shards = Shards(store);
        await shards.StartAsync(practice, Month, "a", "", once: false, Cancel);

        await shards.CancelAsync("load", Month, 1, "a", Cancel);

        (await shards.CloseAsync(sent.Work[0], Cancel)).ShouldBe(0);
        (await ClaimsAsync(store, 1)).ShouldBe([0]);
        CloseStatus.Of((await shards.FindAsync("load", Month, 1, Cancel))!).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_shard_of_a_practice_or_run_that_nobody_knows_is_refused()
    {
        await using var store = await StoreAsync(0);
        var shards = Shards(store);
        foreach (
            var work in (ShardWork[])
                [new("elm", "2026-10", 1, 0, []), new("load", "2026-13", 1, 0, []), new("load", "2026-10", 7, 0, [])]
        )
        {
            await Should.ThrowAsync<InvalidDataException>(() => shards.CloseAsync(work, Cancel));
        }
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public async Task A_shard_that_the_run_does_not_have_is_refused_and_counts_for_nothing(int shard)
    {
        await using var store = await StoreAsync(1);
        var shards = Shards(store);
        await shards.StartAsync(practice, Month, "a", "", once: false, Cancel);
        var foreign = sent.Work[0] with { Shard = shard };

        var fault = await Should.ThrowAsync<InvalidDataException>(() => shards.CloseAsync(foreign, Cancel));
        await shards.GiveUpAsync(foreign, fault, Cancel);

        var run = (await shards.FindAsync("load", Month, 1, Cancel))!;
        run.State.ShouldBe(CloseState.Running);
        run.Open.ShouldBe([0]);
    }

    [Theory]
    [InlineData("2026-11-01T10:59:00Z", 6, "2026-09")] // 5:59 in New York, whose clocks went back that night
    [InlineData("2026-11-01T11:00:00Z", 6, "2026-10")]
    [InlineData("2026-11-01T04:00:00Z", 0, "2026-10")]
    [InlineData("2026-11-01T03:59:00Z", 0, "2026-09")] // still October there
    [InlineData("2026-11-19T00:00:00Z", 6, "2026-10")] // the deployment was down
    [InlineData("2026-11-19T00:00:00Z", null, null)]
    public async Task A_month_closes_by_itself_once_at_the_practices_own_hour(string now, int? hour, string? closed)
    {
        var at = new StandingClock(DateTimeOffset.Parse(now, CultureInfo.InvariantCulture));
        await using var store = SqliteJournalStore.Open(Database);
        var shards = Shards(store, at);
        var round = new MonthEndRound(shards, new Practices([practice]), hour, at, NullLogger<MonthEndRound>.Instance);

        await round.RunAsync(Cancel);
        await round.RunAsync(Cancel);

        foreach (var month in (ServiceMonth[])[new(2026, 9), new(2026, 10), new(2026, 11)])
        {
            (await new CloseRuns(store).ReadAsync("load", month, Cancel)).Count.ShouldBe(
                month.ToString() == closed ? 1 : 0,
                month.ToString()
            );
        }
    }

    private CloseShards Shards(IJournalStore store, TimeProvider? at = null) =>
        new(
            new CloseMonth(new StreamRecords(store), RuleSet.Medicare, HouseDoor.CheckClaim),
            new CloseRuns(store),
            sent,
            new Practices([practice]),
            at ?? clock,
            NullLogger<CloseShards>.Instance
        );

    private async Task<IJournalStore> StoreAsync(int patients)
    {
        await using (var app = await ServeAsync())
        {
            using var http = await EnrolAsync(app, patients);
            await app.StopAsync(Cancel);
        }
        return SqliteJournalStore.Open(Database);
    }

    private async Task<Microsoft.AspNetCore.Builder.WebApplication> ServeAsync()
    {
        var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Database}",
                $"--Ccm:Practices={Path.Combine(folder, "practices")}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
            ],
            clock,
            Cancel
        );
        await app.StartAsync(Cancel);
        return app;
    }

    private static HttpClient Client(Microsoft.AspNetCore.Builder.WebApplication app) =>
        new() { BaseAddress = new Uri(app.Urls.First() + "/load/fhir/") };

    private static async Task<HttpClient> EnrolAsync(Microsoft.AspNetCore.Builder.WebApplication app, int patients)
    {
        var http = Client(app);
        for (var patient = 0; patient < patients; patient++)
        {
            using var content = new ByteArrayContent(new CareMonths().Enrolment(patient));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
            using var answer = await http.PostAsync("", content, Cancel);
            ((int)answer.StatusCode).ShouldBe(200);
        }
        return http;
    }

    private static async Task<(int Status, string Text)> CloseAsync(HttpClient http, int run)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "$ccm-close?month=2026-10");
        request.Headers.Add("Prefer", "respond-async");
        using var answer = await http.SendAsync(request, Cancel);
        ((int)answer.StatusCode).ShouldBe(202);
        var status = answer.Content.Headers.ContentLocation!;
        status.ToString().ShouldEndWith($"/load/fhir/$ccm-close-status?month=2026-10&run={run}");
        return await CloseRun.EndAsync(http, status);
    }

    private async Task<IReadOnlyList<int>> ClaimsAsync(int patients)
    {
        await using var store = SqliteJournalStore.Open(Database);
        return await ClaimsAsync(store, patients);
    }

    private static async Task<IReadOnlyList<int>> ClaimsAsync(IJournalStore store, int patients)
    {
        var records = new StreamRecords(store);
        var claims = new List<int>();
        for (var patient = 0; patient < patients; patient++)
        {
            claims.Add((await records.ReadAsync($"patient/load/p{patient}", Cancel)).Claims.Count());
        }
        return claims;
    }

    private sealed class SentShards : IShardQueue
    {
        private readonly Lock gate = new();

        public List<ShardWork> Work { get; } = [];

        public ValueTask SendAsync(ShardWork work, CancellationToken cancel)
        {
            lock (gate)
            {
                Work.Add(work);
            }
            return ValueTask.CompletedTask;
        }
    }
}
