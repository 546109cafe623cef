using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Life and death, conditions, the plan, the initiating visit.</summary>
internal static class PatientScenarios
{
    public static IEnumerable<Scenario> All => [.. Death, .. Conditions, .. Plans, .. Visits];

    private static IEnumerable<Scenario> Death =>
        [
            new("all in place, 45 minutes", Complete().Log(2700)),
            new(
                "death in the month",
                Dead(Unix("2026-10-10T14:10:00Z")).Log(600).Log(1200, start: "2026-10-10T14:00:00Z").Log(900)
            ),
            new("death in the month's last second", Dead(Unix("2026-11-01T03:59:59Z")).Log(1200)),
            new("death as the month ends", Dead(Unix("2026-11-01T04:00:00Z")).Log(1200)),
            new("death before the month", Dead(Unix("2026-09-20T12:00:00Z")).Log(1200)),
            new("dead, the time is not known", Dead(null).Log(1200)),
            new("no Patient was received", Complete().Without<PatientFact>().Log(1200)),
        ];

    private static IEnumerable<Scenario> Conditions =>
        [
            new("no condition", Complete().Without<ConditionFact>().Log(1200)),
            new("one condition", Of(Condition("dm", "E11.9")).Log(1200)),
            new(
                "a condition that does not say enough",
                Of(
                        Condition("dm", "E11.9"),
                        Condition("ht", "I10") with
                        {
                            SignificantRisk = null,
                        },
                        Condition("ckd", "N18.3") with
                        {
                            VerificationStatus = "",
                        }
                    )
                    .Log(1200)
            ),
            new(
                "two codes of one category, counted by code",
                Of(Condition("dm", "E11.9"), Condition("dn", "E11.21"))
                    .With(new PracticePolicy { DistinctByCode = true })
                    .Log(1200)
            ),
            new(
                "two codes of one category, counted by category",
                Of(Condition("dm", "E11.9"), Condition("dn", "E11.21")).Log(1200)
            ),
            new(
                "conditions that are not commonly chronic",
                Of(Condition("dm", "E11.9"), Condition("an", "D50.9"), Condition("x", "K50.90")).Log(1200)
            ),
            new(
                "conditions that end with the consent's begin, or one second later",
                Of(
                        Condition("a", "E11.9") with
                        {
                            AbatementUnix = Unix("2026-10-01T04:00:00Z"),
                        },
                        Condition("b", "I10") with
                        {
                            AbatementUnix = Unix("2026-10-01T04:00:01Z"),
                        },
                        Condition("c", "N18.3") with
                        {
                            AbatementUnix = Unix("2026-10-01T04:00:00Z"),
                            ClinicalStatus = "resolved",
                        },
                        Condition("d", "J44.9") with
                        {
                            AbatementUnix = Unix("2026-10-01T04:00:01Z"),
                            ClinicalStatus = "remission",
                        },
                        Condition("e", "F32.1") with
                        {
                            ClinicalStatus = "inactive",
                        },
                        Condition("f", "I50.9") with
                        {
                            OnsetUnix = Unix("2026-11-01T04:00:00Z"),
                        },
                        Condition("g", "G40.9") with
                        {
                            OnsetUnix = Unix("2026-11-01T03:59:59Z"),
                        },
                        Condition("h", "G20") with
                        {
                            ClinicalStatus = "unknown",
                        }
                    )
                    .Log(1200)
            ),
            new(
                "conditions without a clinical status that ended",
                Of(
                        Condition("dm", "E11.9"),
                        Condition("b", "I10") with
                        {
                            ClinicalStatus = "",
                            AbatementUnix = Unix("2026-10-01T04:00:00Z"),
                        },
                        Condition("c", "N18.3") with
                        {
                            ClinicalStatus = "",
                            AbatementUnix = Unix("2026-10-01T04:00:01Z"),
                        },
                        Condition("d", "J44.9") with
                        {
                            ClinicalStatus = "",
                        }
                    )
                    .Log(1200)
            ),
        ];

    private static IEnumerable<Scenario> Plans =>
        [
            new("no care plan", Complete().Without<CarePlanFact>().Log(1200)),
            new("a plan without elements", Complete().With<CarePlanFact>(Bare).Log(1200)),
            new(
                "a plan without elements, strict",
                Complete().With<CarePlanFact>(Bare).With(new PracticePolicy { CarePlanStrict = true }).Log(1200)
            ),
            new(
                "a goal without target, a review on the month's last day",
                Complete()
                    .With<CarePlanFact>(plan =>
                        plan with
                        {
                            GoalMeasurable = false,
                            ReviewBy = new DateOnly(2026, 10, 31),
                        }
                    )
                    .Log(1200)
            ),
            new(
                "a review one day before the month's last",
                Complete().With<CarePlanFact>(plan => plan with { ReviewBy = new DateOnly(2026, 10, 30) }).Log(1200)
            ),
            new(
                "the goals were not received",
                Complete().With<CarePlanFact>(plan => plan with { GoalMeasurable = null }).Log(1200)
            ),
            new("a plan that came after the first time", PlanFrom("2026-10-04T00:00:00-04:00").Log(1200).Log(600)),
            new("a plan that came as the first time began", PlanFrom("2026-10-03T14:00:00Z").Log(1200)),
            new(
                "a plan in force for part of the month, strict",
                Complete()
                    .With<CarePlanFact>(plan =>
                        plan with
                        {
                            InForce = Between("2026-10-03T14:10:00Z", "2026-10-04T14:10:00Z"),
                        }
                    )
                    .With(new PracticePolicy { CarePlanStrict = true })
                    .Log(1200)
                    .Log(1200, PerformerRole.BillingPractitioner)
                    .Log(600)
            ),
        ];

    private static IEnumerable<Scenario> Visits =>
        [
            new("no initiating visit", Complete().Without<VisitFact>().Log(1200)),
            new(
                "a visit that does not say what was discussed",
                Complete()
                    .With<VisitFact>(visit => visit with { Discussed = null })
                    .With<ConsentFact>(consent =>
                        consent with
                        {
                            Window = new Stretch(Unix("2026-09-17T12:00:00Z"), Stretch.Always.End),
                        }
                    )
                    .Log(1200)
            ),
            new(
                "no visit, but the practice charged care management before",
                Complete().Without<VisitFact>().Add(Service("99490", "2026-09-30")).Log(1200)
            ),
            new(
                "no visit, but a claim of care management before",
                Complete().Without<VisitFact>().Issued("2026-08", "99490", "G0506").Log(1200)
            ),
            new(
                "no visit, and a claim of this month",
                Complete().Without<VisitFact>().Issued("2026-10", "99490").Log(1200)
            ),
            new(
                "no visit, and services that show nothing",
                Complete()
                    .Without<VisitFact>()
                    .Add(
                        Service("99490", "2026-09-20", id: "planned") with
                        {
                            Planned = true,
                        },
                        Service("99490", "2026-09-20", own: false, id: "other"),
                        Service("99214", "2026-09-20"),
                        Service("99491", "2026-09-20", id: "reaching") with
                        {
                            LastDay = new DateOnly(2026, 10, 1),
                        }
                    )
                    .Log(1200)
            ),
            new(
                "of two visits the later",
                Complete()
                    .Add(Visit("a", "2026-09-20T09:00:00-04:00", "2026-09-20T09:30:00-04:00", "99215", "36415"))
                    .Log(1200)
            ),
            new(
                "a visit a year before care management began in an earlier month",
                Began("completed", "care-coordination", PerformerRole.ClinicalStaff, null)
            ),
            new(
                "an earlier log in progress begins nothing",
                Began("in-progress", "care-coordination", PerformerRole.ClinicalStaff, null)
            ),
            new(
                "an earlier log of other work begins nothing",
                Began("completed", "administrative", PerformerRole.ClinicalStaff, null)
            ),
            new(
                "an earlier log of clerical staff begins nothing",
                Began("completed", "care-coordination", PerformerRole.NonClinicalStaff, null)
            ),
            new(
                "an earlier log for another program begins nothing",
                Began("completed", "care-coordination", PerformerRole.ClinicalStaff, "bhi")
            ),
        ];

    private static PatientMonth Dead(long? when) =>
        Complete().With<PatientFact>(patient => patient with { Deceased = true, DeathUnix = when });

    private static PatientMonth Of(params CareFact[] conditions) => Complete().Without<ConditionFact>().Add(conditions);

    private static CarePlanFact Bare(CarePlanFact plan) =>
        plan with
        {
            Addresses = false,
            HasGoal = false,
            GoalMeasurable = null,
            HasActivity = false,
            HasAuthor = false,
            CopyGiven = false,
            ReviewBy = null,
        };

    private static PatientMonth PlanFrom(string start) =>
        Complete().With<CarePlanFact>(plan => plan with { InForce = new Stretch(Unix(start), Stretch.Always.End) });

    private static PatientMonth Began(string status, string activity, PerformerRole role, string? toward) =>
        Complete()
            .Without<VisitFact>()
            .With<ConsentFact>(consent =>
                consent with
                {
                    Window = new Stretch(Unix("2025-09-15T12:00:00Z"), Stretch.Always.End),
                }
            )
            .Add(Visit("v", "2025-09-15T09:30:00-04:00", "2025-09-15T10:00:00-04:00", "99214"))
            .Log(600, role, "2026-03-02T14:00:00Z", activity, status, toward: toward)
            .Log(1200);
}
