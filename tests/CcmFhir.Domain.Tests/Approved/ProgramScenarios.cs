using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Principal and advanced primary care management, and the G0506 of the initiating visit.</summary>
internal static class ProgramScenarios
{
    public static IEnumerable<Scenario> All => [.. Principal, .. Advanced, .. Planning];

    private static IEnumerable<Scenario> Principal =>
        [
            new("principal care, 60 minutes of staff", Pcm(Complete()).Log(3600)),
            new("principal care, too little time", Pcm(Complete()).Log(1799)),
            new("principal care by the practitioner", Pcm(Complete()).Log(3600, PerformerRole.BillingPractitioner)),
            new("principal care without a condition", Pcm(Complete()).Without<ConditionFact>().Log(1800)),
            new(
                "principal care for a condition of less than a year",
                Pcm(Complete())
                    .Without<ConditionFact>()
                    .Add(Condition("dm", "E11.9") with { ExpectedDuration = "under-12-months" })
                    .Log(1800)
            ),
            new("principal care in 2019: there is no code", Pcm(In(2019, 6)).Log(1800)),
            new(
                "principal care in 2019, the consent names nobody",
                Pcm(In(2019, 6)).With<ConsentFact>(consent => consent with { Organizations = [] }).Log(1800)
            ),
            new("principal care in 2020", Pcm(In(2020, 6)).Log(1800)),
            new(
                "principal care by the practitioner in 2021",
                Pcm(In(2021, 6)).Log(1800, PerformerRole.BillingPractitioner)
            ),
        ];

    private static IEnumerable<Scenario> Advanced =>
        [
            new("advanced primary care, two conditions", Apcm().Log(600)),
            new("advanced primary care, no condition", Apcm().Without<ConditionFact>()),
            new("advanced primary care, one condition", Apcm().Without<ConditionFact>().Add(Condition("dm", "E11.9"))),
            new(
                "advanced primary care of a Qualified Medicare Beneficiary, by one of two coverages",
                Apcm().Add(new CoverageFact("Coverage/d", true, null, null, null, true))
            ),
            new(
                "advanced primary care, the consent names nobody",
                Apcm().With<ConsentFact>(consent => consent with { Organizations = [] })
            ),
            new("collaborative care beside it, first month", Apcm().Log(600, toward: "cocm").Log(600, toward: "bhi")),
            new(
                "collaborative care beside it, later month",
                Apcm().Issued("2026-09", "G0557", "G0568").Log(600, toward: "cocm")
            ),
            new(
                "collaborative care beside it, decided again",
                Apcm().Issued("2026-10", "G0557", "G0568").Log(600, toward: "cocm")
            ),
            new(
                "collaborative care in a log in progress and in another month",
                Apcm()
                    .Log(600, toward: "cocm", status: "in-progress")
                    .Log(600, toward: "cocm", start: "2026-09-20T12:00:00Z")
            ),
            new("behavioral integration beside it, without a charge", Apcm().Log(600, toward: "bhi")),
            new(
                "behavioral integration beside it, with a charge",
                Apcm().Log(600, toward: "bhi").Charging(("G0570", 55m))
            ),
            new(
                "advanced primary care with the planning of the visit, one amount missing",
                Asking(Apcm()).Log(600, toward: "bhi", start: "2026-09-20T12:00:00Z").Ask("2026-09")
            ),
            new(
                "advanced primary care by the day of the threshold",
                Apcm().With(new PracticePolicy { DateOfService = DateOfServicePolicy.ThresholdDate }).Log(600)
            ),
            new("advanced primary care in 2025", Apcm(In(2025, 6)).Log(600, toward: "bhi")),
        ];

    private static IEnumerable<Scenario> Planning =>
        [
            new("the visit's planning without time", Asking(Complete()).Ask("2026-09")),
            new(
                "the visit's planning with time",
                Asking(Complete()).Log(1200, start: "2026-09-20T12:00:00Z").Ask("2026-09")
            ),
            new("the visit's planning, nobody to bill", Asking(Uninsured()).Ask("2026-09")),
            new("the visit's planning at no charge", Asking(Complete()).Charging(("G0506", 0m)).Ask("2026-09")),
            new("planning with a visit that cannot initiate", October("99211").Log(2400)),
            new(
                "planning with a visit that was cancelled, and of another month",
                Asking(October("99214").With<VisitFact>(visit => visit with { Status = "cancelled" })).Log(2400)
            ),
            new("planning after care management began", October("99214").Issued("2026-08", "99490").Log(2400)),
            new("planning that was billed before", October("99214").Issued("2026-09", "G0506").Log(2400)),
            new("planning that is decided again", October("99214").Issued("2026-10", "G0506").Log(2400)),
            new("planning after a claim without it", October("99214").Issued("2026-09", "G0557").Log(2400)),
            new("planning of a second visit, the first asked for it too", Asking(October("99214")).Log(2400)),
            new(
                "two visits of one day ask for planning",
                October("99214")
                    .Add(Visit("a", "2026-10-02T15:00:00-04:00", "2026-10-02T15:10:00-04:00", "99215", "G0506"))
                    .Log(2400)
            ),
            new(
                "two visits of the month ask for planning",
                October("99214")
                    .Add(Visit("a", "2026-10-09T15:00:00-04:00", "2026-10-09T15:10:00-04:00", "99215", "G0506"))
                    .Log(2400)
            ),
            new(
                "planning on a day with prolonged service",
                October("99214").Add(Service("99358", "2026-10-02"), Service("99214", "2026-09-20")).Log(2400)
            ),
            new(
                "prolonged service on another day, and only planned on the same",
                October("99214")
                    .Add(Service("99358", "2026-10-03"), Service("99359", "2026-10-02") with { Planned = true })
                    .Log(2400)
            ),
            new(
                "planning that the practice charged, without a visit on the day",
                Complete().Add(Service("G0506", "2026-10-12")).Log(2400)
            ),
            new(
                "planning that the practice charged with a visit",
                Complete()
                    .Add(
                        Service("G0506", "2026-10-12"),
                        Visit("w", "2026-10-12T09:00:00-04:00", "2026-10-12T09:10:00-04:00", "99214")
                    )
                    .Log(2400)
            ),
            new("planning charged twice on one day", October("99214").Add(Service("G0506", "2026-10-02")).Log(2400)),
            new(
                "planning charged later, and planned before",
                October("99214")
                    .Add(
                        Service("G0506", "2026-10-12", id: "later"),
                        Service("G0506", "2026-09-20", id: "planned") with
                        {
                            Planned = true,
                        }
                    )
                    .Log(2400)
            ),
            new("planning for somebody who is not enrolled", Asking(Complete()).Without<ConsentFact>().Ask("2026-09")),
            new(
                "planning for one condition",
                Asking(Complete()).Without<ConditionFact>().Add(Condition("dm", "E11.9")).Ask("2026-09")
            ),
        ];

    private static PatientMonth Pcm(PatientMonth month) =>
        month.With<ConsentFact>(consent => consent with { Programs = ["pcm"] });

    private static PatientMonth Apcm(PatientMonth? month = null) =>
        (month ?? Complete()).With<ConsentFact>(consent => consent with { Programs = ["apcm"] });

    private static PatientMonth Uninsured() =>
        Complete().Without<CoverageFact>().With<PatientFact>(patient => patient with { MemberId = null });

    // The visit of September asks for G0506.
    private static PatientMonth Asking(PatientMonth month) =>
        month.With<VisitFact>(visit =>
            visit.Reference == "Encounter/v" ? visit with { ExtensivePlanning = true } : visit
        );

    // A visit in October asks for it.
    private static PatientMonth October(string code) =>
        Complete()
            .Add(
                Visit("w", "2026-10-02T09:00:00-04:00", "2026-10-02T09:10:00-04:00", code) with
                {
                    ExtensivePlanning = true,
                }
            );
}
