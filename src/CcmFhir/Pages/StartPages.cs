using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The start page: practices, months, connections, and what needs a person today.</summary>
internal sealed class StartPages(
    MonthBoard board,
    WatchedJournalStore store,
    Practices practices,
    EhrSessions sessions,
    TimeProvider clock
)
{
    private const int MonthsShown = 12;

    /// <summary>Shows it.</summary>
    public async Task<IResult> ShowAsync(HttpContext http)
    {
        var user = PageFrame.Of(http).User;
        var cancel = http.RequestAborted;
        var shown = new List<StartPage.StartPractice>();
        // Who practices here is for those who may come in.
        foreach (var file in practices.All.Where(file => user?.May(PageRight.Enter, file.Practice.Slug) == true))
        {
            var slug = file.Practice.Slug;
            var seesMonths = user!.May(PageRight.SeeMonth, slug);
            var patients = seesMonths ? await CountAsync($"month/{slug}/", cancel) : [];
            var claims = seesMonths ? await CountAsync($"claim/{slug}/", cancel) : [];
            shown.Add(
                new StartPage.StartPractice(
                    slug,
                    file.Practice.Name,
                    [
                        .. patients
                            .Reverse()
                            .Take(MonthsShown)
                            .Select(month => new StartPage.StartMonth(
                                month.Key.ToString(),
                                Shown.Month(month.Key.Year, month.Key.Month),
                                month.Value,
                                claims.GetValueOrDefault(month.Key)
                            )),
                    ],
                    seesMonths ? await TasksAsync(file, patients.Keys, user, cancel) : [],
                    Connection(file)
                )
            );
        }
        return new RazorComponentResult<StartPage>(
            new Dictionary<string, object?> { ["Practices"] = shown, ["Known"] = user is not null }
        );
    }

    // The running month and the two before it: what is older is settled, or a matter for its own worklist.
    private async Task<IReadOnlyList<StartPage.StartTask>> TasksAsync(
        PracticeFile file,
        IEnumerable<ServiceMonth> months,
        PageUser user,
        CancellationToken cancel
    )
    {
        var now = clock.GetUtcNow();
        var running = ServiceMonth.Of(now, file.Practice.TimeZone);
        var tasks = new List<StartPage.StartTask>();
        foreach (var month in months.Reverse().Where(month => month >= running.Previous.Previous && month <= running))
        {
            var rows = (await board.MonthAsync(file, month, cancel)).Rows;
            var address = PageAddress.Month(file.Practice.Slug, month);
            var name = Shown.Month(month.Year, month.Month);
            void add(int count, string one, string many, string to, string? more = null)
            {
                if (count > 0)
                {
                    tasks.Add(new StartPage.StartTask(count, $"{(count == 1 ? one : many)}, {name}", to, more));
                }
            }
            int of(MonthState state) => rows.Count(row => row.Line.State == state);
            decimal worth(MonthState state) => rows.Where(row => row.Line.State == state).Sum(row => row.Line.Amount);
            var over = CloseMonth.Over(file, month, now);
            add(
                of(MonthState.Held),
                "patient held",
                "patients held",
                $"{address}?state=held",
                $"{Shown.Money(worth(MonthState.Held))} at stake"
            );
            add(
                of(MonthState.Refused),
                "claim refused by the EHR",
                "claims refused by the EHR",
                $"{address}?state=refused"
            );
            add(
                rows.Count(row => row.NeedsPerson),
                "claim may be at the EHR: look there",
                "claims may be at the EHR: look there",
                $"{address}?state=billed"
            );
            if (over)
            {
                add(
                    rows.Count(row => row.Correction.Kind != CorrectionKind.Nothing),
                    "claim to issue: close the month",
                    "claims to issue: close the month",
                    user.May(PageRight.CloseMonth, file.Practice.Slug) ? $"{address}/close" : $"{address}?state=ready",
                    Shown.Money(worth(MonthState.Ready))
                );
            }
            else
            {
                add(
                    of(MonthState.Near),
                    "patient near the next threshold",
                    "patients near the next threshold",
                    $"{address}?state=near"
                );
            }
        }
        return tasks;
    }

    private StartPage.StartConnection? Connection(PracticeFile file)
    {
        if (file.Ehr is null)
        {
            return null;
        }
        try
        {
            return sessions.Find(file.Practice.Slug)?.Circuit is { Reason: { } reason } circuit
                ? new StartPage.StartConnection(
                    file.Ehr.BaseUrl.ToString(),
                    false,
                    $"{reason} It is asked again at {Shown.Instant(circuit.OpenUntil, file.Practice.TimeZone)}."
                )
                : new StartPage.StartConnection(file.Ehr.BaseUrl.ToString(), true, "no fault seen");
        }
        catch (InvalidDataException fault)
        {
            return new StartPage.StartConnection(file.Ehr.BaseUrl.ToString(), false, fault.Message);
        }
    }

    private async Task<SortedDictionary<ServiceMonth, int>> CountAsync(string prefix, CancellationToken cancel)
    {
        var counts = new SortedDictionary<ServiceMonth, int>();
        await foreach (var entry in store.ListAsync(prefix, null, cancel))
        {
            if (ServiceMonth.TryParse(entry.Key[prefix.Length..entry.Key.IndexOf('/', prefix.Length)], out var month))
            {
                counts[month] = counts.GetValueOrDefault(month) + 1;
            }
        }
        return counts;
    }
}
