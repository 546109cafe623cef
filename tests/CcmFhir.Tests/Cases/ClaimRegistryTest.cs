using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using CcmFhir.Tests.Journal;

namespace CcmFhir.Tests.Cases;

/// <summary>One biller a month across the practices of one deployment, on both stores: who issues first has the month, the others are told.</summary>
public sealed class ClaimRegistryTest(Azurite azurite) : IAsyncLifetime
{
    private const string Mbi = "1EG4TE5MK73";
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-registry-").FullName;
    private readonly string container = $"registry-{Guid.NewGuid():N}";
    private readonly List<IJournalStore> open = [];
    private bool azure;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var store in open)
        {
            await store.DisposeAsync();
        }
        if (azure)
        {
            await azurite.DeleteJournalAsync(container);
        }
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_first_practice_bills_and_the_second_is_told_also_after_a_restart(bool onAzure)
    {
        azure = onAzure;
        var records = await OpenAsync();
        var (a, b) = (await SendAsync(records, "a"), await SendAsync(records, "b"));

        (await CloseAsync(records, a)).Issued.Count.ShouldBe(1);
        var lost = await CloseAsync(records, b);

        lost.Issued.ShouldBeEmpty();
        lost.Decisions.ShouldHaveSingleItem().Lines.ShouldBeEmpty();
        var reason = lost.Decisions[0].Reasons[0];
        (reason.Code, reason.Severity).ShouldBe(("CCM-K01", ReasonSeverity.Deny));
        reason.References.ShouldBeEmpty("whose patient it is elsewhere is not b's business");

        var again = await OpenAsync();
        (await CloseAsync(again, b)).Issued.ShouldBeEmpty();
        var winner = await CloseAsync(again, a);
        winner.Issued.ShouldBeEmpty();
        winner.Standing.ShouldBe(1);
        winner.Decisions[0].IsClaim.ShouldBeTrue("closing again is no conflict with oneself");
        // What pages and $ccm-status show is the same.
        var seen = await Close(again).ReadAsync(b, "p", October, Now, Cancel);
        seen!.Decision.Reasons.Select(one => one.Code).ShouldContain("CCM-K01");
        (await Close(again).DecideAsync(b, October, Now, null, Cancel))[0].IsClaim.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_void_gives_the_month_to_the_next_and_the_first_does_not_get_it_back(bool onAzure)
    {
        azure = onAzure;
        var records = await OpenAsync();
        var (a, b) = (await SendAsync(records, "a"), await SendAsync(records, "b"));
        await CloseAsync(records, a);
        await Case("a").Set("Task/t1", "status", "\"entered-in-error\"").SendAsync(records, folder);

        (await CloseAsync(records, a)).Issued.Count.ShouldBe(1, "the void");
        (await CloseAsync(records, b)).Issued.Count.ShouldBe(1);
        await Case("a").SendAsync(records, folder);

        var late = await CloseAsync(records, a);
        late.Issued.ShouldBeEmpty();
        late.Decisions[0].Reasons.Select(one => one.Code).ShouldContain("CCM-K01");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_replacement_keeps_the_month(bool onAzure)
    {
        azure = onAzure;
        var records = await OpenAsync();
        var (a, b) = (await SendAsync(records, "a"), await SendAsync(records, "b"));
        await CloseAsync(records, a);
        await Case("a").Log(1200).SendAsync(records, folder);

        (await CloseAsync(records, a)).Issued.Count.ShouldBe(1);
        (await CloseAsync(records, b)).Issued.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_many_that_close_at_once_one_bills(bool onAzure)
    {
        azure = onAzure;
        var first = await OpenAsync();
        var files = new List<PracticeFile>();
        foreach (var slug in (string[])["a", "b", "c", "d", "e", "f"])
        {
            files.Add(await SendAsync(first, slug));
        }
        // Each over a connection of its own, as processes have it.
        var records = new List<StreamRecords>();
        foreach (var _ in files)
        {
            records.Add(await OpenAsync());
        }

        var results = await Task.WhenAll(
            files.Select((file, at) => Task.Run(() => CloseAsync(records[at], file), Cancel))
        );

        results.Sum(result => result.Issued.Count).ShouldBe(1);
        results.Count(result => result.Decisions[0].Reasons.Any(one => one.Code == "CCM-K01")).ShouldBe(5);
    }

    [Fact]
    public async Task Two_processes_that_close_at_once_bill_each_patient_once()
    {
        var records = await OpenAsync();
        foreach (var slug in (string[])["a", "b"])
        {
            for (var at = 0; at < 20; at++)
            {
                await Case(slug, $"p{at}", $"1EG4TE5MK{at:00}").SendAsync(records, folder);
            }
        }
        await open[0].DisposeAsync();
        open.Clear();

        var said = await Task.WhenAll(RunAsync("a"), RunAsync("b"));

        said.Sum().ShouldBe(20);
    }

    [Theory]
    [InlineData("1EG4-TE5-MK73", 0)]
    [InlineData("1eg4te5mk73", 0)]
    [InlineData("1EG4TE5MK74", 1)]
    [InlineData("H-1234", 1)]
    public async Task It_is_the_person_that_counts_however_the_coverage_writes_the_number(string number, int issued)
    {
        var records = await OpenAsync();
        await CloseAsync(records, await SendAsync(records, "a"));
        var other = Case("b", "q")
            .Set("Patient/q", "identifier", """[{"system":"https://ehr.example/mrn","value":"77"}]""")
            .Set("Coverage/coverage-q", "subscriberId", $"\"{number}\"");
        var file = PracticeFile.Read(await other.SendAsync(records, folder));

        (await CloseAsync(records, file)).Issued.Count.ShouldBe(issued);
    }

    [Fact]
    public async Task Principal_care_beside_it_is_no_conflict()
    {
        var records = await OpenAsync();
        await CloseAsync(records, await SendAsync(records, "a"));
        var specialist = Case("b").Consent("2026-09-15T10:00:00-04:00", program: "pcm").Log(1800, id: "long");
        var file = PracticeFile.Read(await specialist.SendAsync(records, folder));

        var result = await CloseAsync(records, file);

        result.Decisions[0].Program.ShouldBe("pcm");
        result.Decisions[0].Reasons.Select(one => one.Code).ShouldNotContain("CCM-K01");
        result.Issued.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_place_whose_claim_never_came_is_held_for_an_hour_and_then_free()
    {
        var records = await OpenAsync();
        var (a, b) = (await SendAsync(records, "a"), await SendAsync(records, "b"));
        await CloseAsync(records, a);
        var key = (await records.Store.ListAsync("registry/", null, Cancel).ToListAsync(Cancel)).ShouldHaveSingleItem();
        key.Key.ShouldNotContain(Mbi);
        // As a Blob store leaves it whose process died between index and entry.
        await records.Store.RewriteIndexAsync(
            [new IndexEntry(key.Key, $"ccm-never {Now.ToUnixTimeMilliseconds()} patient/a/p")],
            Cancel
        );

        (await CloseAsync(records, b, Now.AddMinutes(59))).Issued.ShouldBeEmpty();
        (await CloseAsync(records, b, Now.AddMinutes(61))).Issued.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_index_made_anew_knows_who_has_the_month()
    {
        var records = await OpenAsync();
        await CloseAsync(records, await SendAsync(records, "a"));
        var before = (
            await records.Store.ListAsync("registry/", null, Cancel).ToListAsync(Cancel)
        ).ShouldHaveSingleItem();

        var anew = await new ClaimRegistry(records).StandingAsync(
            await records.ReadAsync("patient/a/p", Cancel),
            Cancel
        );

        anew.ShouldHaveSingleItem().ShouldBe(new IndexEntry(before.Key, before.Value));
    }

    private static ServiceMonth October => ServiceMonth.TryParse("2026-10", out var month) ? month : default;

    private static CareCase Case(string slug, string patient = "p", string mbi = Mbi) =>
        CareCase.Usual().Practice("slug", $"\"{slug}\"").Log(1200).Person(patient, mbi);

    private async Task<PracticeFile> SendAsync(StreamRecords records, string slug) =>
        PracticeFile.Read(await Case(slug).SendAsync(records, folder));

    private async Task<StreamRecords> OpenAsync()
    {
        var store = await JournalStores.OpenAsync(
            azure
                ? $"azure:{await azurite.ConnectionStringAsync()};Container={container}"
                : $"sqlite:{Path.Combine(folder, "journal.db")}",
            new RealTime(),
            Cancel
        );
        open.Add(store);
        return new StreamRecords(store);
    }

    private static CloseMonth Close(StreamRecords records) => new(records, RuleSet.Medicare, HouseDoor.CheckClaim);

    private static Task<CloseResult> CloseAsync(StreamRecords records, PracticeFile file, DateTimeOffset? now = null) =>
        Close(records).RunAsync(file, October, now ?? Now, null, Cancel);

    // How many claims it says that it issued.
    private async Task<int> RunAsync(string slug)
    {
        var (code, output, errors) = await ProgramRun.RunAsync(
            "dotnet",
            [
                Path.Combine(AppContext.BaseDirectory, "ccmfhir.dll"),
                "close",
                "--practice",
                Path.Combine(folder, slug + ".json"),
                "--month",
                "2026-10",
                "--as-of",
                "2026-11-23T00:00:00Z",
            ],
            [new("Ccm:Store", $"sqlite:{Path.Combine(folder, "journal.db")}")],
            Cancel
        );
        code.ShouldBe(0, output + errors);
        var line = output.Split('\n').Single(text => text.Contains(" claims issued now"));
        return int.Parse(line.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
    }
}
