using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Which time counts, and why the rest does not.</summary>
internal static class TimeScenarios
{
    private static readonly PracticePolicy WholeDay = new() { EmDay = EmDayPolicy.ExcludeDay };

    public static IEnumerable<Scenario> All => [.. Logs, .. Borders, .. Shared, .. Blocked, .. Sessions];

    private static IEnumerable<Scenario> Logs =>
        [
            new(
                "every reason why a log does not count",
                Complete()
                    .Log(60, status: "in-progress")
                    .Log(120, status: "cancelled")
                    .Log(180, activity: "administrative")
                    .Log(240, activity: "scheduling")
                    .Log(300, PerformerRole.MedicalAssistant)
                    .Log(360, PerformerRole.NonClinicalStaff)
                    .Log(420, toward: "bhi")
                    .Log(480, toward: "rpm")
                    .Log(540, activity: "prior-authorization")
                    .Log(61, status: "entered-in-error")
                    .Log(1200)
            ),
            new(
                "what a policy lets count",
                Complete()
                    .With(new PracticePolicy { CountMedicalAssistants = true, CountPriorAuthorization = true })
                    .Log(600, PerformerRole.MedicalAssistant)
                    .Log(601, activity: "prior-authorization")
                    .Log(60, PerformerRole.NonClinicalStaff)
            ),
            new(
                "two at the same moment",
                Complete()
                    .Log(1200, start: "2026-10-05T14:00:00Z")
                    .Log(1200, PerformerRole.BillingPractitioner, "2026-10-05T14:10:00Z")
                    .Log(600, start: "2026-10-05T13:55:00Z")
            ),
            new(
                "two at the same moment, the second is staff's",
                Complete()
                    .With(new PracticePolicy { OverlapToStaff = true })
                    .Log(1200, start: "2026-10-05T14:00:00Z")
                    .Log(1200, PerformerRole.BillingPractitioner, "2026-10-05T14:10:00Z")
            ),
        ];

    private static IEnumerable<Scenario> Borders =>
        [
            new(
                "logs over both ends of the month, and of other months",
                Complete()
                    .Log(1200, start: "2026-10-01T03:50:00Z")
                    .Log(1500, start: "2026-11-01T03:50:00Z")
                    .Log(900, start: "2026-09-20T14:00:00Z")
                    .Log(900, start: "2026-11-01T04:00:00Z")
            ),
            new(
                "logs from the month's first second and to its last",
                Complete().Log(600, start: "2026-10-01T04:00:00Z").Log(600, start: "2026-11-01T03:50:00Z")
            ),
            new("while the month lasts", Complete().Log(600).Log(900).Seen("2026-10-04T14:05:00Z")),
        ];

    private static IEnumerable<Scenario> Shared =>
        [
            new(
                "stretches that served two and three patients",
                Complete()
                    .Log(62, start: "2026-10-05T14:00:00Z", served: 3)
                    .Log(61, start: "2026-10-05T15:00:00Z", served: 2)
                    .Log(2400, PerformerRole.BillingPractitioner, "2026-10-06T15:00:00Z", served: 2)
            ),
        ];

    private static IEnumerable<Scenario> Blocked =>
        [
            new(
                "a hospital stay and a nursing facility's, by staff and practitioner",
                Complete()
                    .Add(
                        new StayFact(
                            "Encounter/ip",
                            StayKind.Inpatient,
                            Between("2026-10-03T14:10:00Z", "2026-10-05T12:00:00Z")
                        ),
                        new StayFact(
                            "Encounter/snf",
                            StayKind.SnfPartA,
                            Between("2026-10-05T12:00:00Z", "2026-10-05T14:05:00Z")
                        ),
                        new StayFact("Encounter/hospice", StayKind.Hospice, Stretch.Always)
                    )
                    .Log(1200)
                    .Log(1200, PerformerRole.BillingPractitioner)
                    .Log(1200)
            ),
            new(
                "a stay that ended as the month began and one that began as it ended",
                Complete()
                    .Add(
                        new StayFact(
                            "Encounter/before",
                            StayKind.Inpatient,
                            Between("2026-09-28T12:00:00Z", "2026-10-01T04:00:00Z")
                        ),
                        new StayFact(
                            "Encounter/after",
                            StayKind.Inpatient,
                            Between("2026-11-01T04:00:00Z", "2026-11-03T12:00:00Z")
                        )
                    )
                    .Log(1200, start: "2026-10-01T04:00:00Z")
            ),
            new(
                "transitional care that ended in the month, under the older policy: time after it counts",
                Transitional().Log(1200, start: "2026-10-21T14:00:00Z")
            ),
            new(
                "transitional care that ended in the month, under the older policy: too little time after it",
                Transitional().Log(600, start: "2026-10-21T14:00:00Z")
            ),
            new(
                "transitional care that ended in the month, today: its time counts",
                Transitional().With(new PracticePolicy()).Log(1200, start: "2026-10-21T14:00:00Z")
            ),
            new(
                "principal care beside transitional care under the older policy: 32 minutes after it",
                Transitional()
                    .With<ConsentFact>(consent => consent with { Programs = ["pcm"] })
                    .Log(1500, start: "2026-10-21T14:00:00Z")
            ),
            new(
                "principal care beside transitional care under the older policy: 25 minutes after it",
                Transitional()
                    .With<ConsentFact>(consent => consent with { Programs = ["pcm"] })
                    .Log(1080, start: "2026-10-21T14:00:00Z")
            ),
            new(
                "transitional care under the older policy, and too little time in the whole month",
                Complete()
                    .With(new PracticePolicy { Name = "medicare-2017-2019" })
                    .Add(Service("99495", "2026-10-02", id: "tcm"))
                    .Log(600)
            ),
            new(
                "advanced primary care beside transitional care under the older policy",
                Transitional()
                    .With<ConsentFact>(consent => consent with { Programs = ["apcm"] })
                    .Log(1200, start: "2026-10-21T14:00:00Z")
            ),
            new(
                "transitional care that ends with the month, under the older policy",
                Complete()
                    .With(new PracticePolicy { Name = "medicare-2017-2019" })
                    .Add(Service("99495", "2026-10-02", id: "tcm"))
                    .Log(2400)
            ),
        ];

    private static IEnumerable<Scenario> Sessions =>
        [
            new(
                "time within the practice's own visits and services",
                Own().Log(1200).Log(1200, PerformerRole.BillingPractitioner).Log(1200).Log(1200)
            ),
            new(
                "the same where the whole day of a visit is left out",
                Own().With(WholeDay).Log(1200).Log(1200, PerformerRole.BillingPractitioner).Log(1200).Log(1200)
            ),
            new(
                "a visit on the month's first day",
                Complete()
                    .Add(Visit("w", "2026-10-01T14:00:00Z", "2026-10-01T14:30:00Z", "99213"))
                    .Log(1200, start: "2026-10-01T14:20:00Z")
                    .Log(600)
            ),
            new(
                "visits without time of their own: cancelled, another's, without a code",
                Complete()
                    .Add(
                        Visit("cancelled", "2026-10-02T14:00:00Z", "2026-10-02T15:00:00Z", "99213") with
                        {
                            Status = "cancelled",
                        },
                        Visit("other", "2026-10-02T14:00:00Z", "2026-10-02T15:00:00Z", "99213") with
                        {
                            Practitioners = [DoctorB],
                            Organization = PracticeB,
                        },
                        Visit("plain", "2026-10-02T14:00:00Z", "2026-10-02T15:00:00Z")
                    )
                    .Log(1200, start: "2026-10-02T14:10:00Z")
            ),
            new(
                "services that block no time: planned, another's, over a whole day",
                Complete()
                    .With(WholeDay)
                    .Add(
                        Service("99213", "2026-10-02", id: "planned") with
                        {
                            Period = Between("2026-10-02T14:00:00Z", "2026-10-02T15:00:00Z"),
                            Planned = true,
                        },
                        Service("99213", "2026-10-02", own: false, id: "other") with
                        {
                            Period = Between("2026-10-02T14:00:00Z", "2026-10-02T15:00:00Z"),
                        },
                        Service("93793", "2026-10-02", id: "day") with
                        {
                            Period = Between("2026-10-02T04:00:00Z", "2026-10-03T04:00:00Z"),
                        },
                        Service("93792", "2026-09-20", id: "before") with
                        {
                            Period = Between("2026-09-20T14:00:00Z", "2026-09-20T15:00:00Z"),
                        }
                    )
                    .Log(1200, start: "2026-10-02T14:10:00Z")
            ),
            new(
                "a service of one second less than a day",
                Complete()
                    .Add(
                        Service("93793", "2026-10-02", id: "day") with
                        {
                            Period = Between("2026-10-02T04:00:00Z", "2026-10-03T03:59:59Z"),
                        }
                    )
                    .Log(1200, start: "2026-10-02T14:10:00Z")
            ),
        ];

    // A visit with two codes on the 3rd, a service with times on the 4th, an evaluation without times on the 5th, no visit on the 6th.
    private static PatientMonth Own() =>
        Complete()
            .Add(
                Visit("w", "2026-10-03T14:10:00Z", "2026-10-03T14:30:00Z", "99213", "36415"),
                Service("93793", "2026-10-04", id: "anticoagulation") with
                {
                    Period = Between("2026-10-04T14:00:00Z", "2026-10-04T14:05:00Z"),
                },
                Service("99212", "2026-10-05", id: "evaluation")
            );

    private static PatientMonth Transitional() =>
        Complete()
            .With(new PracticePolicy { Name = "medicare-2017-2019" })
            .Add(Service("99495", "2026-09-12", id: "tcm"))
            .Log(900, start: "2026-10-05T14:00:00Z")
            .Log(900, PerformerRole.BillingPractitioner, "2026-10-06T14:00:00Z")
            .Log(300, start: "2026-10-12T03:57:00Z")
            .Log(300, start: "2026-10-20T14:00:00Z");
}
