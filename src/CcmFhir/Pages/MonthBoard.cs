using System.Collections.Concurrent;
using System.Collections.Immutable;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>A month's rows.</summary>
/// <param name="Rows">One a patient, in order of id.</param>
/// <param name="AsOf">The oldest instant that a row was looked at: nothing earlier is missing.</param>
internal sealed record BoardMonth(IReadOnlyList<BoardRow> Rows, DateTimeOffset AsOf);

/// <summary>A line of the worklist, and what the month's figures need beside it.</summary>
/// <param name="Line">The line.</param>
/// <param name="Activities">Seconds that count by activity.</param>
/// <param name="Billed">Lines of the claim that stands; none without one.</param>
/// <param name="Refusals">What the EHR, the payer or the rules said against billing: one short text each.</param>
/// <param name="Correction">What closing the month would issue.</param>
internal sealed record BoardRow(
    WorklistRow Line,
    IReadOnlyDictionary<string, long> Activities,
    IReadOnlyList<ClaimLine> Billed,
    IReadOnlyList<string> Refusals,
    Correction Correction
)
{
    /// <summary>The claim's delivery waits for a person.</summary>
    public bool NeedsPerson { get; init; }
}

/// <summary>The decided months of each practice, kept in memory by the position of each patient's stream: a page of thousands of patients decides only
/// those whom something was appended to. Derived; what is dropped is worked out again.</summary>
/// <param name="close">Knows a month's patients.</param>
/// <param name="records">The journal.</param>
/// <param name="watched">Tells what this process appended.</param>
/// <param name="rules">The rules.</param>
/// <param name="clock">The clock.</param>
internal sealed class MonthBoard(
    CloseMonth close,
    StreamRecords records,
    WatchedJournalStore watched,
    RuleSet rules,
    TimeProvider clock
)
{
    // A small practice is looked at anew for each page. In a large one appends of other processes show up after this long.
    private const int Small = 500;
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    // A decision grows old by itself in four ways: a day begins, time that was still to come comes, another practice bills the month or gives it back
    // (which no stream of this one tells), a claim is issued that was ready. For so long none of them is looked at.
    private static readonly TimeSpan AnywayFresh = TimeSpan.FromMinutes(5);
    private const string ToCome = "CCM-T06";

    private const string BilledElsewhere = "CCM-K01";
    private static readonly TimeSpan OthersFresh = TimeSpan.FromMinutes(30);

    private readonly ConcurrentDictionary<string, Held> held = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(string, ServiceMonth), PatientList> lists = new();

    /// <summary>Every patient of a month.</summary>
    /// <param name="file">The practice.</param>
    /// <param name="month">The month.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="atOnce">Patients looked at together; 0 for as many as somebody who waits is worth.</param>
    public async Task<BoardMonth> MonthAsync(
        PracticeFile file,
        ServiceMonth month,
        CancellationToken cancel,
        int atOnce = 0
    )
    {
        var now = clock.GetUtcNow();
        var patients = await PatientsAsync(file.Practice.Slug, month, now, cancel);
        var fresh = patients.Count <= Small ? TimeSpan.Zero : Fresh;
        var rows = new BoardRow[patients.Count];
        var stale = new List<int>();
        var oldest = now;
        for (var at = 0; at < rows.Length; at++)
        {
            var stream = JournalNames.PatientStream(file.Practice.Slug, patients[at]);
            if (
                fresh > TimeSpan.Zero
                && held.TryGetValue(stream, out var found)
                && now - found.CheckedAt < fresh
                && !watched.ChangedSince(stream, found.Changes)
                && found.Months.TryGetValue(month, out var decided)
                && Stands(file, month, decided, now)
            )
            {
                rows[at] = decided.Row;
                oldest = found.CheckedAt < oldest ? found.CheckedAt : oldest;
            }
            else
            {
                stale.Add(at);
            }
        }
        var reading = new MonthReading(file, rules);
        await Parallel.ForEachAsync(
            stale,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = atOnce > 0 ? atOnce : Math.Max(4, Environment.ProcessorCount),
                CancellationToken = cancel,
            },
            async (at, stop) => rows[at] = await RowAsync(file, reading, patients[at], month, now, stop)
        );
        return new BoardMonth(rows, oldest);
    }

    /// <summary>How many patients a month has, without deciding any.</summary>
    public async Task<int> CountAsync(PracticeFile file, ServiceMonth month, CancellationToken cancel) =>
        (await PatientsAsync(file.Practice.Slug, month, clock.GetUtcNow(), cancel)).Count;

    /// <summary>When patients are enrolled: for each the stretches in which a consent to a program of care management is in force.</summary>
    public async Task<IReadOnlyList<IReadOnlyList<Stretch>>> EnrolledAsync(PracticeFile file, CancellationToken cancel)
    {
        var prefix = JournalNames.Enrolled(file.Practice.Slug, "");
        var reading = new MonthReading(file, rules);
        var all = new List<IReadOnlyList<Stretch>>();
        await foreach (var entry in records.Store.ListAsync(prefix, null, cancel))
        {
            var stream = JournalNames.PatientStream(file.Practice.Slug, entry.Key[prefix.Length..]);
            var found = held.GetValueOrDefault(stream);
            if (found is null || watched.ChangedSince(stream, found.Changes))
            {
                found = await LookAsync(reading, stream, clock.GetUtcNow(), cancel);
            }
            all.Add(found.Consents);
        }
        return all;
    }

    private static bool Stands(
        PracticeFile file,
        ServiceMonth month,
        (BoardRow Row, DateTimeOffset At) decided,
        DateTimeOffset now
    )
    {
        var age = now - decided.At;
        var line = decided.Row.Line;
        if (age < AnywayFresh)
        {
            return true;
        }
        if (line.Reasons.Any(reason => reason.Code == BilledElsewhere))
        {
            return false;
        }
        return CloseMonth.Over(file, month, decided.At)
            ? line.State != MonthState.Ready || age < OthersFresh
            : Day(decided.At) == Day(now) && !line.Reasons.Any(reason => reason.Code == ToCome);

        DateOnly Day(DateTimeOffset instant) => ServiceMonth.LocalDay(instant, file.Practice.TimeZone);
    }

    private async Task<BoardRow> RowAsync(
        PracticeFile file,
        MonthReading reading,
        string patient,
        ServiceMonth month,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var stream = JournalNames.PatientStream(file.Practice.Slug, patient);
        var found = await LookAsync(reading, stream, now, cancel);
        if (found.Months.TryGetValue(month, out var decided) && Stands(file, month, decided, now))
        {
            return decided.Row;
        }
        var record = await records.ReadAsync(stream, cancel);
        var row = WorklistRows.Of(
            await close.ReadAsync(file, record, month, now, cancel),
            record,
            PatientName.Of(record, patient),
            file
        );
        held.AddOrUpdate(
            stream,
            found,
            (_, there) =>
                there.Position == record.Position
                    ? there with
                    {
                        Months = there.Months.SetItem(month, (row, now)),
                    }
                    : there
        );
        return row;
    }

    // What is held of a stream, after a look at whether it has gone on.
    private async Task<Held> LookAsync(
        MonthReading reading,
        string stream,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var changes = watched.Changes;
        if (held.TryGetValue(stream, out var found))
        {
            var further = await records.Store.ReadAsync(stream, found.Position, cancel);
            if (further.Count == 0)
            {
                var seen = found with { CheckedAt = now, Changes = changes };
                held.TryUpdate(stream, seen, found);
                return seen;
            }
        }
        var record = await records.ReadAsync(stream, cancel);
        return held[stream] = new Held(
            record.Position,
            now,
            changes,
            reading.Enrolled(record),
            ImmutableDictionary<ServiceMonth, (BoardRow, DateTimeOffset)>.Empty
        );
    }

    private async Task<IReadOnlyList<string>> PatientsAsync(
        string practice,
        ServiceMonth month,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var changes = watched.Changes;
        if (
            lists.TryGetValue((practice, month), out var known)
            && known.Patients.Count > Small
            && known.Changes == changes
            && now - known.At < Fresh
        )
        {
            return known.Patients;
        }
        var patients = await close.PatientsAsync(practice, month, cancel);
        lists[(practice, month)] = new PatientList(patients, now, changes);
        return patients;
    }

    private sealed record PatientList(IReadOnlyList<string> Patients, DateTimeOffset At, long Changes);

    private sealed record Held(
        long Position,
        DateTimeOffset CheckedAt,
        long Changes,
        IReadOnlyList<Stretch> Consents,
        ImmutableDictionary<ServiceMonth, (BoardRow Row, DateTimeOffset At)> Months
    );
}
