using System.Collections.Concurrent;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Telemetry;
using CcmFhir.Validation;

namespace CcmFhir.MonthEnd;

/// <summary>How far a close has come.</summary>
/// <param name="Done">Patients decided.</param>
/// <param name="All">Patients of the month.</param>
internal sealed record CloseProgress(int Done, int All);

/// <summary>What a close did.</summary>
/// <param name="Decisions">By patient.</param>
/// <param name="Issued">Claims issued now: logical ids.</param>
/// <param name="Standing">Claims that stood already and still say the same.</param>
/// <param name="Faults">Patients whose claim could not be issued, in patients' order; the others' stand.</param>
internal sealed record CloseResult(
    IReadOnlyList<MonthDecision> Decisions,
    IReadOnlyList<string> Issued,
    int Standing,
    IReadOnlyList<CloseFault> Faults
);

/// <summary>A claim that was decided and not issued, because it breaks our own profile of a claim.</summary>
/// <param name="Patient"><c>Patient/id</c>.</param>
/// <param name="Text">The element, the rule it breaks, and what would be right.</param>
internal sealed record CloseFault(string Patient, string Text);

/// <summary>Closes a practice's month: every patient is decided, and what is to be billed becomes a claim in the journal before anything leaves
/// the house. Closing again changes nothing unless the decision has changed; then a new revision replaces or voids the one before.</summary>
/// <param name="records">The journal.</param>
/// <param name="rules">The rules.</param>
/// <param name="check">Holds our own claim against our own profile.</param>
internal sealed class CloseMonth(StreamRecords records, RuleSet rules, Func<FhirElement, Report> check)
{
    // Each patient waits for his claim to be durable, and what waits together is made durable together.
    private const int AtOnce = 64;

    private readonly ClaimRegistry registry = new(records);

    /// <summary>Patients with time in the month or a consent to a program, by id.</summary>
    public async Task<IReadOnlyList<string>> PatientsAsync(
        string practice,
        ServiceMonth month,
        CancellationToken cancel
    )
    {
        var patients = new SortedSet<string>(StringComparer.Ordinal);
        foreach (
            var prefix in (string[])
                [JournalNames.Month(practice, month.Year, month.Month, ""), JournalNames.Enrolled(practice, "")]
        )
        {
            await foreach (var entry in records.Store.ListAsync(prefix, after: null, cancel))
            {
                patients.Add(entry.Key[prefix.Length..]);
            }
        }
        return [.. patients];
    }

    /// <summary>Decides every patient's month; changes nothing.</summary>
    public async Task<IReadOnlyList<MonthDecision>> DecideAsync(
        PracticeFile file,
        ServiceMonth month,
        DateTimeOffset asOf,
        IProgress<CloseProgress>? progress,
        CancellationToken cancel
    )
    {
        var reading = new MonthReading(file, rules);
        var patients = await PatientsAsync(file.Practice.Slug, month, cancel);
        var decisions = new MonthDecision[patients.Count];
        var done = 0;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, patients.Count),
            Options(cancel),
            async (at, stop) =>
            {
                var record = await records.ReadInPassingAsync(
                    JournalNames.PatientStream(file.Practice.Slug, patients[at]),
                    stop
                );
                (decisions[at], _) = await registry.AskAsync(
                    record,
                    reading.Read(record, month, asOf).Decision,
                    asOf,
                    stop
                );
                progress?.Report(new CloseProgress(Interlocked.Increment(ref done), patients.Count));
            }
        );
        return decisions;
    }

    /// <summary>Decides one patient's month; changes nothing.</summary>
    /// <returns>Null when the practice has received nothing of such a patient.</returns>
    public async Task<PatientMonth?> ReadAsync(
        PracticeFile file,
        string patient,
        ServiceMonth month,
        DateTimeOffset asOf,
        CancellationToken cancel
    )
    {
        var record = await records.ReadAsync(JournalNames.PatientStream(file.Practice.Slug, patient), cancel);
        return record.Position == 0 ? null : await ReadAsync(file, record, month, asOf, cancel);
    }

    /// <summary>Decides one patient's month from a stream that was read; changes nothing.</summary>
    public async ValueTask<PatientMonth> ReadAsync(
        PracticeFile file,
        StreamRecord record,
        ServiceMonth month,
        DateTimeOffset asOf,
        CancellationToken cancel
    )
    {
        var found = new MonthReading(file, rules).Read(record, month, asOf);
        var (decision, _) = await registry.AskAsync(record, found.Decision, asOf, cancel);
        return found with { Decision = decision };
    }

    /// <summary>Decides every patient's month and issues what is to be billed.</summary>
    /// <param name="file">The practice.</param>
    /// <param name="month">The month; over in the practice's time zone (<see cref="Over"/>).</param>
    /// <param name="asOf">Now.</param>
    /// <param name="progress">Told after each patient; null for nobody.</param>
    /// <param name="cancel">Stops between patients; what was issued stays issued.</param>
    public async Task<CloseResult> RunAsync(
        PracticeFile file,
        ServiceMonth month,
        DateTimeOffset asOf,
        IProgress<CloseProgress>? progress,
        CancellationToken cancel
    )
    {
        var patients = await PatientsAsync(file.Practice.Slug, month, cancel);
        return await RunPatientsAsync(file, patients, month, asOf, progress, failed: null, cancel);
    }

    /// <summary>Decides some patients' month and issues what is to be billed.</summary>
    /// <param name="file">The practice.</param>
    /// <param name="patients">Their ids.</param>
    /// <param name="month">The month; over in the practice's time zone (<see cref="Over"/>).</param>
    /// <param name="asOf">Now.</param>
    /// <param name="progress">Told after each patient; null for nobody.</param>
    /// <param name="failed">Takes what kept a patient from being decided, by id, while the others go on; null: the first such fault ends the close.</param>
    /// <param name="cancel">Stops between patients; what was issued stays issued.</param>
    public async Task<CloseResult> RunPatientsAsync(
        PracticeFile file,
        IReadOnlyList<string> patients,
        ServiceMonth month,
        DateTimeOffset asOf,
        IProgress<CloseProgress>? progress,
        ConcurrentDictionary<string, Exception>? failed,
        CancellationToken cancel
    )
    {
        var decisions = new MonthDecision?[patients.Count];
        var issued = new string?[patients.Count];
        var faults = new CloseFault?[patients.Count];
        var (done, standing) = (0, 0);
        await Parallel.ForEachAsync(
            Enumerable.Range(0, patients.Count),
            Options(cancel),
            async (at, stop) =>
            {
                try
                {
                    (decisions[at], issued[at], var stands, faults[at]) = await CloseAsync(
                        file,
                        patients[at],
                        month,
                        asOf,
                        stop
                    );
                    if (stands)
                    {
                        Interlocked.Increment(ref standing);
                    }
                }
                catch (Exception fault) when (failed is not null && fault is not OperationCanceledException)
                {
                    failed[patients[at]] = fault;
                }
                progress?.Report(new CloseProgress(Interlocked.Increment(ref done), patients.Count));
            }
        );
        return new CloseResult(
            [.. decisions.OfType<MonthDecision>()],
            [.. issued.OfType<string>()],
            standing,
            [.. faults.OfType<CloseFault>()]
        );
    }

    /// <summary>The month has ended in the practice's time zone.</summary>
    public static bool Over(PracticeFile file, ServiceMonth month, DateTimeOffset now) =>
        now.ToUnixTimeSeconds() >= month.Bounds(file.Practice.TimeZone).End;

    private static ParallelOptions Options(CancellationToken cancel) =>
        new() { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancel };

    private async Task<(MonthDecision Decision, string? Issued, bool Stands, CloseFault? Fault)> CloseAsync(
        PracticeFile file,
        string patient,
        ServiceMonth month,
        DateTimeOffset asOf,
        CancellationToken cancel
    )
    {
        var reading = new MonthReading(file, rules, keep: false);
        var stream = JournalNames.PatientStream(file.Practice.Slug, patient);
        while (true)
        {
            var record = await records.ReadInPassingAsync(stream, cancel);
            var (own, claims) = reading.Read(record, month, asOf);
            var (decision, places) = await registry.AskAsync(record, own, asOf, cancel);
            if (Next(file, decision, claims.Count == 0 ? null : claims[^1], asOf) is not { } claim)
            {
                return (decision, null, claims.Count > 0, null);
            }
            var (identifier, id, bytes) = claim;
            using var issuing = Signals.Begin(
                "issue claim",
                decision.Time.Entries.Select(entry => record.Find(entry.Log.Reference)?.Correlation ?? "")
            );
            if (Fault(decision.Patient, id, bytes) is { } fault)
            {
                return (decision, null, false, fault);
            }
            if (await IssueAsync(file.Practice.Slug, record, month, identifier, id, bytes, places, asOf, cancel))
            {
                Signals.Claim(file.Practice.Slug, RecordKind.ClaimIssued);
                Signals.Counted(file.Practice.Slug, decision);
                return (decision, id, false, null);
            }
        }
    }

    // The claim that has to be issued now; null when the one that stands says it already, or there is nothing to say.
    private static (string Identifier, string Id, byte[] Bytes)? Next(
        PracticeFile file,
        MonthDecision decision,
        IssuedClaim? last,
        DateTimeOffset at
    )
    {
        var practice = file.Practice;
        var correction = Correction.Of(decision, last?.Standing, practice.TimeZone);
        if (correction.Kind == CorrectionKind.Nothing)
        {
            return null;
        }
        var identifier = ClaimIdentifier.Value(practice.Slug, decision.Month, decision.Patient, correction.Revision);
        var frequency = correction.Kind switch
        {
            CorrectionKind.Original => ClaimFrequency.Original,
            CorrectionKind.Replacement => ClaimFrequency.Replacement,
            _ => ClaimFrequency.Void,
        };
        return (
            identifier,
            ClaimIdentifier.Id(identifier),
            ClaimWriter.Write(
                practice,
                decision,
                correction.Lines,
                correction.Revision,
                frequency,
                at,
                frequency == ClaimFrequency.Void ? last!.Diagnoses : null
            )
        );
    }

    private CloseFault? Fault(string patient, string id, byte[] claim)
    {
        var document =
            FhirJson.Parse(claim, out _) ?? throw new InvalidOperationException("Our own Claim is not JSON.");
        return check(document.Root).Issues.FirstOrDefault(issue => issue.Severity <= Severity.Error) is { } broken
            ? new CloseFault(
                patient,
                $"Claim/{id} was not issued: it breaks {broken.Rule} at {broken.Expression}: {broken.Text}"
            )
            : null;
    }

    private async Task<bool> IssueAsync(
        string practice,
        StreamRecord record,
        ServiceMonth month,
        string identifier,
        string id,
        byte[] claim,
        IReadOnlyList<RegistryPlace> places,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        var payload = new EntryPayload(
            at,
            "ccmfhir",
            Signals.Correlation(),
            [new JournalRecord(RecordKind.ClaimIssued, "Claim", id, 1, claim)]
        );
        var appended = await records.Store.AppendAsync(
            new JournalCommit(
                [new StreamAppend(record.Stream, record.Position, payload.ToBytes())],
                [
                    new IndexEntry(JournalNames.Id(practice, "Claim", id), record.Stream),
                    new IndexEntry(JournalNames.Identifier(practice, "Claim", identifier, id), record.Stream),
                    new IndexEntry(Ehr.ClaimJournal.MonthKey(practice, month.ToString()) + id, record.Stream),
                    .. ClaimRegistry.Entries(places, id, at, record.Stream),
                ]
            ),
            cancel
        );
        return appended.Outcome switch
        {
            AppendOutcome.Appended => true,
            AppendOutcome.LostRace => false,
            AppendOutcome.IndexTaken when ClaimRegistry.IsEntry(appended.Taken?.Key) => false,
            _ => throw new InvalidOperationException($"The index key of Claim {id} leads elsewhere."),
        };
    }
}
