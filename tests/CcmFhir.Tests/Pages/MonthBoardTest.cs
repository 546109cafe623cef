using System.Net.Http.Headers;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using CcmFhir.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace CcmFhir.Tests.Pages;

/// <summary>What is held of a month against what deciding it anew says.</summary>
public sealed class MonthBoardTest : IDisposable
{
    private const int Patients = 4;
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-board-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task While_a_month_runs_and_after_it_what_is_held_is_what_deciding_anew_would_say()
    {
        var cancel = TestContext.Current.CancellationToken;
        var month = new ServiceMonth(2026, 10);
        var clock = new StandingClock(new DateTimeOffset(2026, 11, 1, 9, 0, 0, TimeSpan.FromHours(-5)));
        // Taken in when all of it was over; then the month is gone through from its first day, as if each time log came as it ended.
        await using (var before = await ServeAsync(clock, cancel))
        {
            using var http = new HttpClient
            {
                BaseAddress = new Uri($"{before.Urls.First()}/{CareMonths.Practice}/fhir/"),
            };
            for (var patient = 0; patient < Patients; patient++)
            {
                using var content = new ByteArrayContent(new CareMonths().Enrolment(patient));
                content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
                (await http.PostAsync("", content, cancel)).EnsureSuccessStatusCode();
            }
        }
        clock.Advance(TimeSpan.FromDays(-31));
        await using var app = await ServeAsync(clock, cancel);
        var file = app.Services.GetRequiredService<Practices>().Find(CareMonths.Practice)!;
        var board = app.Services.GetRequiredService<MonthBoard>();
        var close = app.Services.GetRequiredService<CloseMonth>();
        var records = app.Services.GetRequiredService<StreamRecords>();
        var counted = new HashSet<long>();

        for (var step = TimeSpan.Zero; step < TimeSpan.FromDays(34); step += TimeSpan.FromMinutes(53))
        {
            clock.Advance(TimeSpan.FromMinutes(53));
            var held = await board.MonthAsync(file, month, cancel);
            held.Rows.Count.ShouldBe(Patients);
            for (var patient = 0; patient < Patients; patient++)
            {
                var record = await records.ReadAsync(
                    JournalNames.PatientStream(CareMonths.Practice, $"p{patient}"),
                    cancel
                );
                var anew = WorklistRows
                    .Of(await close.ReadAsync(file, record, month, clock.GetUtcNow(), cancel), record, "", file)
                    .Line;
                var line = held.Rows[patient].Line;
                var now = $"{clock.GetUtcNow():O}";
                (line.Counted, line.State, line.Codes, line.Amount).ShouldBe(
                    (anew.Counted, anew.State, anew.Codes, anew.Amount),
                    now
                );
                line.Reasons.Select(reason => $"{reason.Code} {reason.Text}")
                    .ShouldBe(anew.Reasons.Select(reason => $"{reason.Code} {reason.Text}"), now);
                counted.Add(line.Counted);
            }
        }
        counted.Count.ShouldBeGreaterThan(Patients);
    }

    private async Task<WebApplication> ServeAsync(TimeProvider clock, CancellationToken cancel)
    {
        var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
        await File.WriteAllTextAsync(Path.Combine(practices, "load.json"), CareMonths.PracticeFile, cancel);
        var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={practices}",
                "--Ccm:PushEverySeconds=0",
                Quiet.Console,
            ],
            clock,
            cancel
        );
        await app.StartAsync(cancel);
        return app;
    }
}
