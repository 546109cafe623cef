using System.Collections.Concurrent;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>What came of one month.</summary>
/// <param name="Month">The month.</param>
/// <param name="Enrolled">Patients with a consent in force at some moment of it.</param>
/// <param name="Engaged">Patients with time that counts.</param>
/// <param name="Minutes">Minutes that count, by activity.</param>
/// <param name="Revenue">Charges of the claims that stand, USD, by code.</param>
/// <param name="Refusals">Patients by what was said against billing them.</param>
public sealed record MonthFigures(
    ServiceMonth Month,
    int Enrolled,
    int Engaged,
    IReadOnlyDictionary<string, decimal> Minutes,
    IReadOnlyDictionary<string, decimal> Revenue,
    IReadOnlyDictionary<string, decimal> Refusals
);

/// <summary>The figures of a month and the eleven before it. They are worked out beside the page that shows them: the first time a large practice
/// is looked at, twelve months of it have to be decided.</summary>
/// <param name="board">The decided months.</param>
/// <param name="watched">The journal.</param>
/// <param name="rules">The rules.</param>
/// <param name="clock">The clock.</param>
/// <param name="stopping">The server's end.</param>
internal sealed class MonthTrend(
    MonthBoard board,
    WatchedJournalStore watched,
    RuleSet rules,
    TimeProvider clock,
    IHostApplicationLifetime stopping
)
{
    private const int Months = 12;
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<(string, ServiceMonth), Work> known = new();

    /// <summary>Twelve months that end with this one, oldest first; those of a moment ago where new ones are not ready yet, and null where there are
    /// none at all.</summary>
    public async Task<IReadOnlyList<MonthFigures>?> OfAsync(PracticeFile file, ServiceMonth last)
    {
        var key = (file.Practice.Slug, last);
        var now = clock.GetUtcNow();
        var work = known.AddOrUpdate(
            key,
            _ => Start(file, last, now, null),
            (_, there) =>
                !there.Task.IsCompleted || (there.Changes == watched.Changes && now - there.At < Fresh)
                    ? there
                    : Start(file, last, now, there.Figures ?? there.Before)
        );
        await Task.WhenAny(work.Task, Task.Delay(Patience, clock));
        return work.Figures ?? work.Before;
    }

    private Work Start(PracticeFile file, ServiceMonth last, DateTimeOffset now, IReadOnlyList<MonthFigures>? before) =>
        new(
            Task.Run(() => FiguresAsync(file, last, stopping.ApplicationStopping), stopping.ApplicationStopping),
            watched.Changes,
            now,
            before
        );

    private async Task<IReadOnlyList<MonthFigures>> FiguresAsync(
        PracticeFile file,
        ServiceMonth last,
        CancellationToken cancel
    )
    {
        var enrolled = await board.EnrolledAsync(file, cancel);
        var figures = new List<MonthFigures>();
        var month = last;
        for (var at = 0; at < Months && rules.NameFor(month) is not null; at++, month = month.Previous)
        {
            // A month without a time log has no more to tell than who was enrolled.
            var rows = await AnyTimeAsync(file.Practice.Slug, month, cancel)
                ? (await board.MonthAsync(file, month, cancel)).Rows
                : [];
            var bounds = month.Bounds(file.Practice.TimeZone);
            figures.Add(
                new MonthFigures(
                    month,
                    enrolled.Count(consents => consents.Any(consent => consent.Overlaps(bounds))),
                    rows.Count(row => row.Line.Counted > 0),
                    Sums(rows.SelectMany(row => row.Activities.Select(one => (one.Key, one.Value / 60m)))),
                    Sums(rows.SelectMany(row => row.Billed.Select(line => (line.Code, line.Net)))),
                    Sums(rows.SelectMany(row => row.Refusals.Select(reason => (reason, 1m))))
                )
            );
        }
        figures.Reverse();
        return figures;
    }

    private async Task<bool> AnyTimeAsync(string practice, ServiceMonth month, CancellationToken cancel)
    {
        await foreach (
            var _ in watched.ListAsync(JournalNames.Month(practice, month.Year, month.Month, ""), null, cancel)
        )
        {
            return true;
        }
        return false;
    }

    private static Dictionary<string, decimal> Sums(IEnumerable<(string Name, decimal Value)> parts)
    {
        var sums = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var (name, value) in parts)
        {
            sums[name] = sums.GetValueOrDefault(name) + value;
        }
        return sums;
    }

    private sealed record Work(
        Task<IReadOnlyList<MonthFigures>> Task,
        long Changes,
        DateTimeOffset At,
        IReadOnlyList<MonthFigures>? Before
    )
    {
        public IReadOnlyList<MonthFigures>? Figures => Task.IsCompletedSuccessfully ? Task.Result : null;
    }
}
