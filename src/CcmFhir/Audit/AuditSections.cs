using System.Globalization;
using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Export;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Pages;

namespace CcmFhir.Audit;

/// <summary>The sections of an audit packet, one method each.</summary>
internal static class AuditSections
{
    /// <summary>All sections in order.</summary>
    public static IReadOnlyList<AuditSection> Of(AuditMatter matter) =>
        [
            Decision(matter),
            Consent(matter),
            Plan(matter),
            Conditions(matter),
            Visit(matter),
            TimeLogs(matter),
            Exclusions(matter),
            Rules(matter),
            Claims(matter),
            Later(matter),
            Chain(matter),
        ];

    private static AuditSection Decision(AuditMatter matter)
    {
        var decision = matter.Decision;
        var said = new List<string>
        {
            matter.Claims.Count == 0
                ? $"Preliminary: no claim was issued for {decision.Month}. What follows is what would be decided now, and may still change."
                : $"The month as it stood when the newest claim was issued, at {matter.Local(decision.AsOf)}.",
            $"Decided under {decision.RuleSet}, policy {matter.File.Practice.Policy.Name}, as of {matter.Local(decision.AsOf)}; month boundaries in {matter.File.Practice.TimeZone.Id}.",
            $"{Shown.Duration(decision.Time.Counted)} counted of {Shown.Duration(decision.Time.Logged)} logged: {Shown.Duration(decision.Time.StaffTime.Seconds)} of clinical staff, {Shown.Duration(decision.Time.PractitionerTime.Seconds)} of the billing practitioner, {Shown.Duration(decision.Time.Excluded)} excluded.",
            decision.IsClaim
                ? $"To be billed: {string.Join(", ", decision.Lines.Select(DecisionText.Line))}, {Shown.Money(decision.Total)}, by {decision.Practitioner.Name}, {decision.Practitioner.Credential}, NPI {decision.Practitioner.Npi}."
                : "Nothing is to be billed.",
        };
        if (matter.Claims is [.., { Lines.Count: > 0 } last] && !Same(last.Lines, decision.Lines))
        {
            said.Add(
                $"The claim itself says {string.Join(", ", last.Lines.Select(DecisionText.Line))}: settings or rules of the practice have changed since it was issued."
            );
        }
        return new AuditSection(
            "decision",
            "Decision",
            said,
            new AuditTable(
                ["Reason", "Severity", "Text", "Rests on"],
                [
                    .. decision.Reasons.Select(reason =>
                        (IReadOnlyList<string>)
                            [
                                reason.Code,
                                reason.Severity.ToString().ToLowerInvariant(),
                                reason.Text,
                                string.Join(", ", reason.References),
                            ]
                    ),
                ]
            ),
            [.. decision.Reasons.SelectMany(reason => reason.References)]
        );
    }

    private static bool Same(IReadOnlyList<ClaimLine> claimed, IReadOnlyList<ClaimLine> decided) =>
        claimed.Select(line => (line.Code, line.Units)).SequenceEqual(decided.Select(line => (line.Code, line.Units)));

    private static AuditSection Consent(AuditMatter matter)
    {
        var consent = matter.Decision.Consent;
        return new AuditSection(
            "consent",
            "Consent as given",
            [
                consent is null
                    ? "No consent was in force."
                    : $"{consent.Reference}, version {consent.Version}: {consent.Mode ?? "mode not recorded"}, in force from {matter.Local(consent.Window.Start)}{(consent.Window.End >= Stretch.Always.End ? "" : $" to {matter.Local(consent.Window.End)}")}; told to the patient: {(consent.Disclosures.Count == 0 ? "nothing recorded" : string.Join(", ", consent.Disclosures))}.",
            ],
            null,
            consent is null ? [.. References(matter, "Consent")] : [consent.Reference]
        );
    }

    private static AuditSection Plan(AuditMatter matter)
    {
        var plan = matter.Decision.Plan;
        var goals = new List<string>();
        if (plan is not null)
        {
            var resource = ClaimFileReader.Parsed(
                matter.Then.Find("CarePlan", plan.Reference["CarePlan/".Length..])?.Current
            );
            foreach (var goal in resource["goal"u8].Items)
            {
                if (goal["reference"u8].Text is { } reference)
                {
                    goals.Add(reference);
                }
            }
        }
        return new AuditSection(
            "care-plan",
            "Care plan as it stood",
            [
                plan is null
                    ? "No care plan was in force."
                    : $"{plan.Reference}, version {plan.Version}, in force from {matter.Local(plan.InForce.Start)}; {(plan.CopyGiven ? "a copy was given" : "no copy is recorded")}; review by {plan.ReviewBy?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "no day"}.",
            ],
            null,
            plan is null ? [.. References(matter, "CarePlan")] : [plan.Reference, .. goals]
        );
    }

    private static AuditSection Conditions(AuditMatter matter) =>
        new(
            "conditions",
            "Chronic conditions",
            matter.Decision.Diagnoses.Count == 0 ? ["No condition qualifies."] : [],
            new AuditTable(
                ["Condition", "ICD-10-CM", "Expected to last", "Significant risk"],
                [
                    .. matter.Decision.Diagnoses.Select(condition =>
                        (IReadOnlyList<string>)
                            [
                                condition.Reference,
                                condition.IcdCode ?? "",
                                condition.ExpectedDuration ?? "not recorded",
                                condition.SignificantRisk switch
                                {
                                    true => "yes",
                                    false => "no",
                                    null => "not recorded",
                                },
                            ]
                    ),
                ]
            ),
            matter.Decision.Diagnoses.Count == 0
                ? [.. References(matter, "Condition")]
                : [.. matter.Decision.Diagnoses.Select(condition => condition.Reference)]
        );

    private static AuditSection Visit(AuditMatter matter) =>
        new(
            "initiating-visit",
            "Initiating visit and coverage",
            [
                matter.Decision.Visit is { } visit
                    ? $"{visit.Reference}, {matter.Local(visit.Period.Start)}: {string.Join(", ", visit.Codes)}."
                    : "No initiating visit: it was not asked for, or none was found; the rules below say which.",
                matter.Decision.Coverage is { } coverage
                    ? $"Coverage: {coverage.Reference}."
                    : "No coverage was received.",
            ],
            null,
            [
                .. (IEnumerable<string>)
                    [
                        .. new[]
                        {
                            matter.Decision.Visit?.Reference,
                            matter.Decision.Coverage?.Reference,
                        }.OfType<string>(),
                        .. References(matter, "Observation"),
                        matter.Decision.Practitioner.Reference,
                    ],
            ]
        );

    private static AuditSection TimeLogs(AuditMatter matter) =>
        new(
            "time-logs",
            "Time logs",
            [$"Times in {matter.File.Practice.TimeZone.Id}. Every second logged is counted or excluded."],
            new AuditTable(
                ["Log", "From", "To", "Who", "Role", "What", "Logged, s", "Counted, s"],
                [
                    .. matter.Decision.Time.Entries.Select(entry =>
                        (IReadOnlyList<string>)
                            [
                                entry.Log.Reference,
                                matter.Local(entry.Logged.Start),
                                matter.Local(entry.Logged.End),
                                entry.Log.Owner,
                                entry.Log.Role switch
                                {
                                    PerformerRole.BillingPractitioner => "billing practitioner",
                                    PerformerRole.ClinicalStaff => "clinical staff",
                                    PerformerRole.MedicalAssistant => "medical assistant",
                                    _ => "not clinical staff",
                                },
                                entry.Log.Activity,
                                Number(entry.Logged.Seconds),
                                Number(entry.Counted.Seconds),
                            ]
                    ),
                ]
            ),
            [
                .. matter.Decision.Time.Entries.Select(entry => entry.Log.Reference),
                .. matter.Decision.Time.Entries.Select(entry => entry.Log.Owner).Where(owner => owner.Length > 0),
            ]
        );

    private static AuditSection Exclusions(AuditMatter matter)
    {
        var rows = matter
            .Decision.Time.Entries.SelectMany(entry =>
                entry.Excluded.Select(exclusion =>
                    (IReadOnlyList<string>)
                        [
                            entry.Log.Reference,
                            exclusion.Code,
                            Number(exclusion.Seconds),
                            exclusion.Text,
                            string.Join(", ", exclusion.References),
                        ]
                )
            )
            .ToList();
        return new AuditSection(
            "exclusions",
            "Time that does not count, and why",
            rows.Count == 0 ? ["All logged time counts."] : [],
            new AuditTable(["Log", "Reason", "Seconds", "Why", "Rests on"], rows),
            [
                .. matter.Decision.Time.Entries.SelectMany(entry =>
                    entry.Excluded.SelectMany(exclusion => exclusion.References)
                ),
            ]
        );
    }

    private static AuditSection Rules(AuditMatter matter) =>
        new(
            "rules",
            "Rules that were asked, and their sources",
            [$"Rule set {matter.Decision.RuleSet}."],
            new AuditTable(
                ["Rule", "Answer", "Finding", "Source"],
                [
                    .. matter.Decision.Trace.Select(step =>
                        (IReadOnlyList<string>)
                            [
                                step.Rule,
                                step.Answer switch
                                {
                                    RuleAnswer.Yes => "yes",
                                    RuleAnswer.No => "no",
                                    _ => "not known",
                                },
                                step.Finding,
                                step.Source,
                            ]
                    ),
                ]
            ),
            []
        );

    private static AuditSection Claims(AuditMatter matter)
    {
        var rows = new List<IReadOnlyList<string>>();
        var references = new List<string>();
        foreach (var claim in matter.Claims)
        {
            references.Add($"Claim/{claim.Id}");
            foreach (var step in claim.Journey.Events)
            {
                var note = step.Kind == RecordKind.ClaimIssued ? null : DeliveryNote.FromBytes(step.Body);
                rows.Add([
                    $"Claim/{claim.Id}",
                    claim.Revision.ToString(CultureInfo.InvariantCulture),
                    matter.Local(step.At),
                    EntryPayload.Word(step.Kind),
                    note is null
                        ? claim.Lines.Count == 0
                            ? "takes back the revision before"
                            : string.Join(", ", claim.Lines.Select(DecisionText.Line))
                        : string.Join(
                            "; ",
                            new[]
                            {
                                note.EhrReference ?? note.File,
                                note.Status is { } status ? $"HTTP {Number(status)}" : null,
                                note.EhrStatus,
                                note.Text,
                            }.OfType<string>()
                        ),
                ]);
            }
            foreach (var answer in ClaimAnswer.Of(matter.Record, claim.Journey, matter.File.Ehr?.BaseUrl))
            {
                references.Add(answer.Reference);
                rows.Add([
                    $"Claim/{claim.Id}",
                    claim.Revision.ToString(CultureInfo.InvariantCulture),
                    matter.Local(answer.At),
                    $"answered: {answer.Kind.ToString().ToLowerInvariant()}",
                    string.Join(
                        "; ",
                        new[] { answer.Reference, answer.Amount is { } paid ? Shown.Money(paid) : null }
                            .OfType<string>()
                            .Concat(answer.Reasons)
                    ),
                ]);
            }
        }
        return new AuditSection(
            "claims",
            "Claims, and what the EHR and the payer answered",
            matter.Claims.Count == 0 ? ["No claim was issued."] : [],
            new AuditTable(["Claim", "Revision", "When", "What", "Detail"], rows),
            references
        );
    }

    private static AuditSection Later(AuditMatter matter)
    {
        var rows = new List<IReadOnlyList<string>>();
        foreach (var entry in matter.Entries.Where(entry => entry.Position > matter.Through))
        {
            var payload = EntryPayload.FromBytes(entry.Payload);
            rows.AddRange(
                payload
                    .Records.Where(record => record.Kind is RecordKind.Put or RecordKind.Delete)
                    .Select(record =>
                        (IReadOnlyList<string>)
                            [
                                matter.Local(payload.At),
                                payload.By,
                                EntryPayload.Word(record.Kind),
                                $"{record.Type}/{record.Id}",
                                Number(record.Version),
                            ]
                    )
            );
        }
        return new AuditSection(
            "later",
            "What came after the claim",
            rows.Count == 0 ? ["Nothing."] : ["These are not part of what the claim rests on."],
            new AuditTable(["When", "From", "What", "Resource", "Version"], rows),
            []
        );
    }

    private static AuditSection Chain(AuditMatter matter) =>
        new(
            "journal",
            "Journal entries that it rests on",
            [
                $"Stream {matter.Record.Stream}. The hash of an entry is the SHA-256 of the hash of the entry before it (32 zero bytes for the first) followed by the SHA-256 of its content: no entry can be changed, added or taken out without changing every hash after it.",
            ],
            new AuditTable(
                ["Position", "When", "From", "Records", "SHA-256 of the content", "Hash"],
                [
                    .. matter.Entries.Select(entry =>
                    {
                        var payload = EntryPayload.FromBytes(entry.Payload);
                        return (IReadOnlyList<string>)
                            [
                                Number(entry.Position),
                                matter.Local(payload.At),
                                payload.By,
                                string.Join(
                                    ", ",
                                    payload.Records.Select(record =>
                                        $"{EntryPayload.Word(record.Kind)} {record.Type}/{record.Id}"
                                    )
                                ),
                                Convert.ToHexStringLower(HashChain.Content(entry.Payload.Span)),
                                Convert.ToHexStringLower(entry.Hash.Span),
                            ];
                    }),
                ]
            ),
            []
        );

    private static IEnumerable<string> References(AuditMatter matter, string type) =>
        matter
            .Then.Resources.Select(versions => versions.Current)
            .Where(resource => resource.Type == type && !resource.Deleted)
            .Select(resource => resource.Reference)
            .Order(StringComparer.Ordinal);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
