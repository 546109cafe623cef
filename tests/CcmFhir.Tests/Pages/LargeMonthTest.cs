using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Load;
using CcmFhir.Options;
using CcmFhir.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace CcmFhir.Tests.Pages;

/// <summary>A worklist of a practice with many patients. CCMFHIR_PATIENTS=5000 is the long form. What is held to account is what is read, since
/// that is what takes the time; the times themselves are only told.</summary>
public sealed class LargeMonthTest(ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly int Patients = int.Parse(
        Environment.GetEnvironmentVariable("CCMFHIR_PATIENTS") ?? "600",
        CultureInfo.InvariantCulture
    );

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-large-").FullName;
    private readonly StandingClock clock = new(new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(-5)));
    private CountedStore store = null!;
    private WebApplication app = null!;
    private HttpClient http = null!;

    public async ValueTask InitializeAsync()
    {
        await StartAsync();
        // Nobody is there yet; what it looked at later would be counted as a page's.
        await app.Services.GetRequiredService<BoardWarming>().ExecuteTask!;
        var months = new CareMonths();
        await Parallel.ForEachAsync(
            Enumerable.Range(0, Patients),
            new ParallelOptions { MaxDegreeOfParallelism = 8 },
            async (patient, cancel) => await PostAsync(months.Enrolment(patient), cancel)
        );
        store.TakePatientReads();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task A_page_after_the_first_reads_no_patient_and_one_after_a_post_only_whom_it_was_about()
    {
        var address = $"/{CareMonths.Practice}/months/{CareMonths.Month}";
        var first = await TimeAsync(address);
        // The picture of twelve months is worked out beside the first pages.
        while ((await http.GetStringAsync(address)).Contains("being worked out", StringComparison.Ordinal)) { }
        store.TakePatientReads().Count.ShouldBe(Patients);

        var times = new List<double>();
        foreach (
            var query in (string[])
                ["", "?page=2", "?sort=name&page=5", "?sort=amount", "?state=ready&page=3", "?q=ada", "?q=p77"]
        )
        {
            times.Add(await TimeAsync(address + query));
        }
        store.TakePatientReads().ShouldBeEmpty();

        var asked = address + "?q=p7&sort=minutes";
        var before = await http.GetStringAsync(asked);
        await PostAsync(new CareMonths().MoreTime(7, 3, 6), CancellationToken.None);
        store.TakePatientReads();
        var after = await http.GetStringAsync(asked);
        Rows(after).ShouldNotBe(Rows(before));
        while (Picture(after) == Picture(before))
        {
            after = await http.GetStringAsync(asked);
        }
        store.TakePatientReads().Keys.ShouldBe([JournalNames.PatientStream(CareMonths.Practice, "p7")]);

        times.Sort();
        output.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{Patients} patients: first page {first:0} ms, then median {times[times.Count / 2]:0} ms, slowest {times[^1]:0} ms"
            )
        );
    }

    [Fact]
    public async Task After_a_start_the_month_is_decided_before_anybody_looks_and_grows_old_only_by_what_happens()
    {
        await StopAsync();
        await StartAsync();
        await app.Services.GetRequiredService<BoardWarming>().ExecuteTask!;
        var ready = clock.GetUtcNow();
        store.TakePatientReads().Count.ShouldBe(Patients);
        clock.Advance(TimeSpan.FromSeconds(10));
        var file = app.Services.GetRequiredService<Practices>().Find(CareMonths.Practice)!;
        var board = app.Services.GetRequiredService<MonthBoard>();

        (await LookAsync()).ShouldAllBe(month => month.Rows.Count == Patients && month.AsOf == ready);
        store.TakePatientReads().ShouldBeEmpty();

        foreach (var idle in (int[])[31, 360])
        {
            clock.Advance(TimeSpan.FromSeconds(idle));
            await LookAsync();
            // Whether it has gone on is asked once for both months; to decide it would be read again.
            var asked = store.TakePatientReads();
            asked.Count.ShouldBe(Patients);
            asked.Values.ShouldAllBe(times => times == 1);
        }

        // A new day decides a running month anew.
        clock.Advance(TimeSpan.FromDays(1));
        await LookAsync();
        store.TakePatientReads().Values.ShouldAllBe(times => times > 1);

        // The running month, and the one that is being closed.
        async Task<IReadOnlyList<BoardMonth>> LookAsync() =>
            [
                await board.MonthAsync(file, new(2026, 11), CancellationToken.None),
                await board.MonthAsync(file, new(2026, 10), CancellationToken.None),
            ];
    }

    [Fact]
    public async Task What_does_not_fit_is_not_decided_before_somebody_looks()
    {
        var board = ActivatorUtilities.CreateInstance<MonthBoard>(app.Services);
        var practices = app.Services.GetRequiredService<Practices>();
        using var warming = new BoardWarming(
            board,
            practices,
            RuleSet.Medicare,
            clock,
            app.Lifetime,
            NullLogger<BoardWarming>.Instance
        )
        {
            Most = Patients * 3 / 2,
        };
        await warming.StartAsync(CancellationToken.None);
        await warming.ExecuteTask!;
        var ready = clock.GetUtcNow();
        clock.Advance(TimeSpan.FromSeconds(10));
        var file = practices.Find(CareMonths.Practice)!;

        (await board.MonthAsync(file, new(2026, 11), CancellationToken.None)).AsOf.ShouldBe(ready);
        (await board.MonthAsync(file, new(2026, 10), CancellationToken.None)).AsOf.ShouldBe(clock.GetUtcNow());
    }

    private async Task StartAsync()
    {
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        await File.WriteAllTextAsync(Path.Combine(practices, "load.json"), CareMonths.PracticeFile);
        app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={practices}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
            ],
            clock,
            CancellationToken.None,
            opened => store = new CountedStore(opened)
        );
        await app.StartAsync();
        http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    private async Task StopAsync()
    {
        http.Dispose();
        await app.DisposeAsync();
    }

    private async Task<double> TimeAsync(string address)
    {
        var began = Stopwatch.GetTimestamp();
        var page = await http.GetStringAsync(address);
        page.ShouldContain("patients, page");
        return Stopwatch.GetElapsedTime(began).TotalMilliseconds;
    }

    private static string Rows(string page) => Between(page, "<tbody>", "</tbody>");

    private static string Picture(string page) => Between(page, "<section class=\"trend\"", "</section>");

    private static string Between(string page, string start, string end)
    {
        var from = page.IndexOf(start, StringComparison.Ordinal);
        var to = page.IndexOf(end, Math.Max(from, 0), StringComparison.Ordinal);
        (from >= 0 && to >= 0).ShouldBeTrue($"no {start} in {page}");
        return page[from..to];
    }

    private async Task PostAsync(byte[] bundle, CancellationToken cancel)
    {
        using var content = new ByteArrayContent(bundle);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        using var answer = await http.PostAsync($"/{CareMonths.Practice}/fhir", content, cancel);
        answer.EnsureSuccessStatusCode();
    }
}
