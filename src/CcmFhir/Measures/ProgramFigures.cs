using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Measures;

/// <summary>What the measures ask of one patient over a period of whole service months.</summary>
internal sealed record PatientFigures
{
    /// <summary><c>Patient/id</c>.</summary>
    public required string Patient { get; init; }

    /// <summary>The months of the period, decided.</summary>
    public required IReadOnlyList<PatientMonth> Months { get; init; }

    /// <summary>A consent was in force at some moment of the period.</summary>
    public bool Consented => Months.Any(month => month.Decision.Consent is not null);

    /// <summary>Time was logged in the period, or a consent was in force.</summary>
    public bool Enrolled => Consented || Months.Any(month => month.Decision.Time.Entries.Count > 0);

    /// <summary>Twenty minutes or more counted in a month of the period.</summary>
    public bool Engaged => Months.Any(month => month.Decision.Time.Counted >= 1200);

    /// <summary>A claim stands for a month of the period.</summary>
    public bool Billed => Months.Any(month => Standing(month) is not null);

    /// <summary>Some time counted in the period.</summary>
    public bool Worked => Months.Any(month => month.Decision.Time.Counted > 0);

    /// <summary>Time with the activity <c>medication-reconciliation</c> counted in the period.</summary>
    public bool Reconciled =>
        Months.Any(month =>
            month.Decision.Time.Entries.Any(entry =>
                entry.Log.Activity == "medication-reconciliation" && entry.Counted.Seconds > 0
            )
        );

    /// <summary>The plan in force at the end of the period was to be reviewed before.</summary>
    public required bool PlanOverdue { get; init; }

    /// <summary>Hospital stays that ended in the period, each with whether another began within 30 days after it.</summary>
    public required IReadOnlyList<bool> Discharges { get; init; }

    /// <summary>Reasons of payers that denied or rejected a claim of the period.</summary>
    public required IReadOnlyList<string> PayerReasons { get; init; }

    /// <summary>Lines of the claims that stand.</summary>
    public IEnumerable<ClaimLine> Lines =>
        Months.Select(Standing).OfType<IssuedClaim>().SelectMany(claim => claim.Lines);

    /// <summary>Codes of what denied or held a month, once for each month.</summary>
    public IEnumerable<string> Denials =>
        Months
            .Where(month => Standing(month) is null && !month.Decision.IsClaim && month.Decision.Time.Entries.Count > 0)
            .SelectMany(month =>
                month
                    .Decision.Reasons.Where(reason => reason.Severity <= ReasonSeverity.Hold)
                    .Select(reason => reason.Code)
                    .Distinct(StringComparer.Ordinal)
            );

    /// <summary>Time that counted.</summary>
    public IEnumerable<LedgerEntry> Entries =>
        Months.SelectMany(month => month.Decision.Time.Entries).Where(entry => entry.Counted.Seconds > 0);

    private static IssuedClaim? Standing(PatientMonth month) =>
        month.Claims is [.., { Lines.Count: > 0 } last] ? last : null;
}

/// <summary>Works out the figures of a practice's patients.</summary>
/// <param name="close">Decides months.</param>
/// <param name="records">The journal.</param>
/// <param name="rules">The rules.</param>
internal sealed class ProgramFigures(CloseMonth close, StreamRecords records, RuleSet rules)
{
    private static readonly TimeSpan ReadmittedWithin = TimeSpan.FromDays(30);

    /// <summary>Patients with time in a month of the period or a consent, by id.</summary>
    /// <param name="file">The practice.</param>
    /// <param name="first">First month.</param>
    /// <param name="last">Last month (included).</param>
    /// <param name="only">Logical id of the only patient asked for; null for all.</param>
    /// <param name="now">Now.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<IReadOnlyList<PatientFigures>> RunAsync(
        PracticeFile file,
        ServiceMonth first,
        ServiceMonth last,
        string? only,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var months = new List<ServiceMonth>();
        for (var month = first; month <= last; month = month.Next)
        {
            months.Add(month);
        }
        var patients = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var month in months)
        {
            patients.UnionWith(await close.PatientsAsync(file.Practice.Slug, month, cancel));
        }
        var figures = new List<PatientFigures>();
        foreach (var patient in patients.Where(patient => only is null || patient == only))
        {
            var record = await records.ReadAsync(JournalNames.PatientStream(file.Practice.Slug, patient), cancel);
            var decided = new List<PatientMonth>();
            foreach (var month in months)
            {
                decided.Add(await close.ReadAsync(file, record, month, now, cancel));
            }
            figures.Add(Of(file, record, decided, first, last));
        }
        return figures;
    }

    private PatientFigures Of(
        PracticeFile file,
        StreamRecord record,
        IReadOnlyList<PatientMonth> months,
        ServiceMonth first,
        ServiceMonth last
    )
    {
        var zone = file.Practice.TimeZone;
        var (start, end) = (first.Bounds(zone).Start, last.Bounds(zone).End);
        var stays = new MonthReading(file, rules)
            .Facts(record)
            .OfType<StayFact>()
            .Where(stay => stay.Kind == StayKind.Inpatient)
            .ToList();
        return new PatientFigures
        {
            Patient = $"Patient/{JournalNames.PatientOf(record.Stream)}",
            Months = months,
            PlanOverdue =
                months[^1].Decision is { Consent: not null, Plan: { ReviewBy: { } review } plan }
                && plan.InForce.End >= end
                && review < last.LastDay,
            Discharges =
            [
                .. stays
                    .Where(stay => stay.Period.End > start && stay.Period.End <= end)
                    .Select(stay =>
                        stays.Exists(next =>
                            next.Period.Start >= stay.Period.End
                            && next.Period.Start - stay.Period.End <= ReadmittedWithin.TotalSeconds
                            && next.Reference != stay.Reference
                        )
                    ),
            ],
            PayerReasons =
            [
                .. months
                    .SelectMany(month => month.Claims)
                    .SelectMany(claim => ClaimAnswer.Of(record, claim.Journey, file.Ehr?.BaseUrl))
                    .Where(answer => answer.Kind is AnswerKind.Denied or AnswerKind.Rejected)
                    .SelectMany(answer => answer.Reasons is [] ? ["no reason given"] : answer.Reasons),
            ],
        };
    }
}
