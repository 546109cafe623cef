using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Which codes the counted time earns: staff, complex, the practitioner's own, by year and policy.</summary>
internal static class CodeScenarios
{
    public static IEnumerable<Scenario> All => [.. Staff, .. Complex, .. Personal, .. Years];

    private static IEnumerable<Scenario> Staff =>
        [
            new("no time at all", Complete()),
            new("19 minutes 59 seconds, and a log that does not count", Complete().Log(1199).Log(60, toward: "bhi")),
            new("too little time while the month lasts", Complete().Log(600).Seen("2026-10-20T12:00:00Z")),
            new("20 minutes", Complete().Log(1200)),
            new("more than the cap", Complete().Log(3690).Log(60, toward: "bhi")),
            new("20 minutes under the conservative policy, the month not over", NotOver(1200)),
            new("too little time under the conservative policy, the month not over", NotOver(600)),
            new(
                "20 minutes under the conservative policy as the month ends",
                Complete().With(new PracticePolicy { Name = "conservative" }).Log(1200).Seen("2026-11-01T04:00:00Z")
            ),
        ];

    private static IEnumerable<Scenario> Complex =>
        [
            new("complex, 90 minutes", Attested("moderate", "2026-10-20T12:00:00Z").Log(5400)),
            new("complex, one second short", Attested("high", "2026-10-20T12:00:00Z").Log(3599)),
            new("simple decision making", Attested("low", "2026-10-20T12:00:00Z").Log(3600)),
            new("simple decision making and too little time", Attested("low", "2026-10-20T12:00:00Z").Log(2400)),
            new("attested by a nurse", Complete().Add(Mdm("high", "2026-10-20T12:00:00Z", Rn)).Log(3600)),
            new(
                "attested by a nurse and the practitioner",
                Complete().Add(Mdm("high", "2026-10-20T12:00:00Z") with { Performers = [Rn, DoctorA] }).Log(3600)
            ),
            new(
                "one simple attestation, one moderate",
                Attested("straightforward", "2026-10-10T12:00:00Z")
                    .Add(Mdm("moderate", "2026-10-20T12:00:00Z") with { Reference = "Observation/second" })
                    .Log(3600)
            ),
            new("attested before the month", Attested("high", "2026-10-01T03:59:59Z").Log(3600)),
            new("attested in the month's first second", Attested("high", "2026-10-01T04:00:00Z").Log(3600)),
            new("attested in the month's last second", Attested("high", "2026-11-01T03:59:59Z").Log(3600)),
            new("attested as the month ended", Attested("high", "2026-11-01T04:00:00Z").Log(3600)),
            new(
                "complex beside prolonged service without contact",
                Attested("high", "2026-10-20T12:00:00Z")
                    .Add(Service("99358", "2026-10-12"), Service("99359", "2026-10-12"))
                    .Log(3600)
            ),
            new(
                "complex beside prolonged service that is only planned",
                Attested("high", "2026-10-20T12:00:00Z")
                    .Add(Service("99358", "2026-10-28") with { Planned = true })
                    .Log(3600)
            ),
            new("complex needs a revised plan under the conservative policy", Revised("2026-09-16T00:00:00Z")),
            new("revised in the last second before the month", Revised("2026-10-01T03:59:59Z")),
            new("revised in the month's first second", Revised("2026-10-01T04:00:00Z")),
            new("revised as the month ended", Revised("2026-11-01T04:00:00Z")),
            new(
                "work on the plan shows that it was revised",
                Revised("2026-09-16T00:00:00Z").Log(600, activity: "care-plan-revision")
            ),
            new(
                "work on a plan shows that it was established",
                Revised("2026-09-16T00:00:00Z").Log(600, activity: "care-plan-development")
            ),
            new(
                "work on the plan that was not completed shows nothing",
                Revised("2026-09-16T00:00:00Z").Log(600, activity: "care-plan-revision", status: "in-progress")
            ),
            new(
                "work on the plan in another month shows nothing",
                Revised("2026-09-16T00:00:00Z").Log(600, activity: "care-plan-revision", start: "2026-09-20T12:00:00Z")
            ),
            new(
                "the conservative policy, but complex without a revised plan",
                Revised(
                    "2026-09-16T00:00:00Z",
                    new PracticePolicy { Name = "conservative", ComplexNeedsPlanRevision = false }
                )
            ),
            new("complex with its cap under the conservative policy", Revised("2026-10-16T00:00:00Z").Log(7200)),
        ];

    private static IEnumerable<Scenario> Personal =>
        [
            new("the practitioner's own 30 minutes", Complete().Log(1800, PerformerRole.BillingPractitioner)),
            new(
                "the practitioner's own 90 minutes and staff's 10",
                Complete().Log(600).Log(5400, PerformerRole.BillingPractitioner)
            ),
            new(
                "the practitioner's own 90 minutes, capped",
                Complete().With(new PracticePolicy { Cap99437 = 1 }).Log(5400, PerformerRole.BillingPractitioner)
            ),
            new("what was documented", Complete().Log(1800, PerformerRole.BillingPractitioner).Log(1800)),
            new(
                "what pays most",
                Complete()
                    .With(new PracticePolicy { FamilyOrder = FamilyOrder.HighestAllowed })
                    .Log(1800, PerformerRole.BillingPractitioner)
                    .Log(1800)
            ),
        ];

    private static IEnumerable<Scenario> Years =>
        [
            new("40 minutes in 2015", Written(2015).Log(2400)),
            new("60 minutes of complex care in 2016", Written(2016).Add(Mdm("high", "2016-06-10T12:00:00Z")).Log(3600)),
            new("complex in 2017", In(2017, 6).Add(Mdm("high", "2017-06-10T12:00:00Z")).Log(5400)),
            new("the practitioner's 60 minutes in 2019", In(2019, 6).Log(3600, PerformerRole.BillingPractitioner)),
            new("60 minutes in 2020", In(2020, 6).Log(3600)),
            new("60 minutes in 2021", In(2021, 6).Log(3600)),
            new("the practitioner's 60 minutes in 2022", In(2022, 6).Log(3600, PerformerRole.BillingPractitioner)),
            new("60 minutes in February 2024, before the factor rose", In(2024, 2).Log(3600)),
            new("60 minutes in 2024", In(2024, 6).Log(3600)),
            new("60 minutes in 2025", In(2025, 6).Log(3600)),
        ];

    private static PatientMonth NotOver(long seconds) =>
        Complete().With(new PracticePolicy { Name = "conservative" }).Log(seconds).Seen("2026-11-01T03:59:59Z");

    private static PatientMonth Attested(string level, string at) => Complete().Add(Mdm(level, at));

    private static PatientMonth Revised(string at, PracticePolicy? policy = null) =>
        Attested("high", "2026-10-20T12:00:00Z")
            .With(policy ?? new PracticePolicy { Name = "conservative" })
            .With<CarePlanFact>(plan => plan with { RevisedUnix = Unix(at) })
            .Log(3600);

    private static PatientMonth Written(int year) =>
        In(year, 6).With<ConsentFact>(consent => consent with { Mode = "written" });
}
