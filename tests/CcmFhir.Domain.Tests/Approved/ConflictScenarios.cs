using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>Other services in the month, by who billed them, program and policy.</summary>
internal static class ConflictScenarios
{
    public static IEnumerable<Scenario> All => [.. Services, .. Programs, .. Transitional, .. Others];

    private static IEnumerable<Scenario> Services =>
        [
            new("billed by another practice already", Shared("99490", own: false)),
            new("billed by the practice already", Shared("99487")),
            new("home health supervision of the practice", Shared("G0181")),
            new("home health supervision of another", Shared("G0181", own: false)),
            new(
                "home health supervision of another under the conservative policy",
                Shared("G0181", own: false).With(new PracticePolicy { Name = "conservative" })
            ),
            new("home health supervision, by whom is not said", Unknown("G0181")),
            new("care management, by whom is not said", Unknown("99490")),
            new(
                "home health supervision that is planned",
                Complete().Add(Service("G0181", "2026-10-28") with { Planned = true }).Log(2400)
            ),
            new("hospice oversight and dialysis of the practice", Shared("G0182").Add(Service("90960", "2026-10-02"))),
            new(
                "remote monitoring, behavioral health, the same work, community health, ACCESS",
                Complete()
                    .Add(
                        Service("99457", "2026-10-12", id: "a"),
                        Service("99458", "2026-10-12", own: false, id: "a2"),
                        Service("99484", "2026-10-12", id: "b"),
                        Service("99091", "2026-10-12", id: "c"),
                        Service("G0019", "2026-10-12", id: "d"),
                        Service("G0676", "2026-10-12", id: "e")
                    )
                    .Log(2400)
            ),
            new(
                "remote monitoring under a policy that denies it",
                Shared("99457").With(new PracticePolicy { RpmDenies = true })
            ),
            new("a denial and warnings together", Shared("99457").Add(Service("99490", "2026-10-02", own: false))),
            new("principal care of the practice", Shared("99426")),
            new("advanced primary care of another", Shared("G0557", own: false)),
            new(
                "codes of visits: of the practice, of another, of nobody known, cancelled",
                Complete()
                    .Add(
                        Visit("own", "2026-10-12T14:00:00Z", "2026-10-12T14:10:00Z", "99091", "99366"),
                        Visit("other", "2026-10-12T15:00:00Z", "2026-10-12T15:10:00Z", "G0181") with
                        {
                            Practitioners = [],
                            Organization = PracticeB,
                        },
                        Visit("nobody", "2026-10-12T16:00:00Z", "2026-10-12T16:10:00Z", "G0181") with
                        {
                            Practitioners = [],
                            Organization = null,
                        },
                        Visit("cancelled", "2026-10-12T17:00:00Z", "2026-10-12T17:10:00Z", "99490") with
                        {
                            Status = "cancelled",
                        }
                    )
                    .Log(2400)
            ),
        ];

    private static IEnumerable<Scenario> Programs =>
        [
            new("principal care that was billed already", For("pcm", "99424")),
            new("principal care beside the practice's chronic care", For("pcm", "99490")),
            new("principal care beside a G0511 of another", For("pcm", "G0511", own: false)),
            new("advanced primary care that was billed already", For("apcm", "G0556", own: false)),
            new("advanced primary care beside the practice's chronic care", For("apcm", "99490")),
            new("advanced primary care beside the practice's transitional care", For("apcm", "99495")),
            new("the G0511 of a clinic in 2025", In(2025, 6).Add(Service("G0511", "2025-06-12", own: false)).Log(2400)),
        ];

    private static IEnumerable<Scenario> Transitional =>
        [
            new("transitional care, allowed since 2020", Shared("99496")),
            new("transitional care in 2019", In(2019, 6).Add(Service("99495", "2019-06-12")).Log(1200)),
            new(
                "transitional care under the conservative policy",
                Shared("99495").With(new PracticePolicy { Name = "conservative" })
            ),
            new("transitional care to the month's first day", Care("2026-09-02")),
            new("transitional care to the day before", Care("2026-09-01")),
            new("transitional care from the month's last day", Care("2026-10-31")),
            new("transitional care from the day after", Care("2026-11-01")),
            new("transitional care of months ago", Care("2026-07-01")),
            new(
                "transitional care that is planned",
                Complete().Add(Service("99495", "2026-10-12") with { Planned = true }).Log(2400)
            ),
        ];

    private static IEnumerable<Scenario> Others =>
        [
            new(
                "hospice",
                Complete()
                    .Add(
                        new StayFact(
                            "Encounter/hospice",
                            StayKind.Hospice,
                            new Stretch(Unix("2026-10-20T12:00:00Z"), Stretch.Always.End)
                        )
                    )
                    .Log(2400)
            ),
            new(
                "hospice after the month",
                Complete()
                    .Add(
                        new StayFact(
                            "Encounter/hospice",
                            StayKind.Hospice,
                            new Stretch(Unix("2026-11-01T04:00:00Z"), Stretch.Always.End)
                        )
                    )
                    .Log(2400)
            ),
            new("aligned to this practice under ACCESS", Aligned(PracticeA)),
            new("aligned to another participant", Aligned(PracticeB)),
            new(
                "billed elsewhere in this deployment",
                () =>
                    DecisionText.Of(
                        Complete().Log(2400).Decide().BilledElsewhere("Practice b has billed this month already")
                    )
            ),
        ];

    private static PatientMonth Shared(string code, bool own = true) =>
        Complete().Add(Service(code, "2026-10-12", own)).Log(2400);

    private static PatientMonth Unknown(string code) =>
        Complete().Add(Service(code, "2026-10-12") with { Practitioners = [], Organizations = [] }).Log(2400);

    private static PatientMonth For(string program, string code, bool own = true)
    {
        var month = program == "pcm" && code == "G0511" ? In(2025, 6) : In(2026, 6);
        var day = month
            .Month.FirstDay.AddDays(11)
            .ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        return month
            .With<ConsentFact>(consent => consent with { Programs = [program] })
            .Add(Service(code, day, own))
            .Log(1800);
    }

    private static PatientMonth Care(string day) => Complete().Add(Service("99495", day)).Log(1200);

    private static PatientMonth Aligned(string organization) =>
        Complete()
            .Add(
                new AccessAlignmentFact(
                    "EpisodeOfCare/e",
                    Between("2026-10-20T12:00:00Z", "2026-12-20T12:00:00Z"),
                    organization
                )
            )
            .Log(2400);
}
