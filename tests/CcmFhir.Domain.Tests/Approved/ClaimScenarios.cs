using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>The claim: day of service, amounts, insurance, filing in time, what is corrected later.</summary>
internal static class ClaimScenarios
{
    public static IEnumerable<Scenario> All => [.. Days, .. Money, .. Insurance, .. Filing, .. Corrections];

    private static IEnumerable<Scenario> Days =>
        [
            new("the day of the threshold", On(DateOfServicePolicy.ThresholdDate).Log(600).Log(900).Log(600)),
            new(
                "the threshold met as a day ends",
                On(DateOfServicePolicy.ThresholdDate).Log(1200, start: "2026-10-06T03:40:00Z")
            ),
            new(
                "the day of the practitioner's threshold",
                On(DateOfServicePolicy.ThresholdDate)
                    .Log(1000)
                    .Log(900, PerformerRole.BillingPractitioner)
                    .Log(900, PerformerRole.BillingPractitioner)
            ),
            new(
                "the day of the practitioner's threshold in principal care",
                On(DateOfServicePolicy.ThresholdDate)
                    .With<ConsentFact>(consent => consent with { Programs = ["pcm"] })
                    .Log(1000)
                    .Log(900, PerformerRole.BillingPractitioner)
                    .Log(900, PerformerRole.BillingPractitioner)
            ),
            new("the last business day", On(DateOfServicePolicy.LastBusinessDay).Log(1200)),
            new(
                "the last business day where the month began with a Saturday and lasts",
                On(DateOfServicePolicy.LastBusinessDay, In(2026, 8))
                    .Log(1200, start: "2026-08-01T14:00:00Z")
                    .Seen("2026-08-02T18:00:00Z")
            ),
            new("a range of days", On(DateOfServicePolicy.PeriodRange).Log(2400)),
            new(
                "a range on the month's first day",
                On(DateOfServicePolicy.PeriodRange)
                    .Log(1200, start: "2026-10-01T14:00:00Z")
                    .Seen("2026-10-01T18:00:00Z")
            ),
            new(
                "a range cut off by death",
                On(DateOfServicePolicy.PeriodRange)
                    .With<PatientFact>(patient =>
                        patient with
                        {
                            Deceased = true,
                            DeathUnix = Unix("2026-10-20T12:00:00Z"),
                        }
                    )
                    .Log(1200)
            ),
        ];

    private static IEnumerable<Scenario> Money =>
        [
            new("the practice's charges", Complete().Charging(("99490", 90m), ("99439", 70.5m)).Log(3600)),
            new("a charge of nothing", Complete().Charging(("99490", 0m)).Log(1200)),
            new(
                "a charge of nothing, held for want of consent",
                Complete().Without<ConsentFact>().Charging(("99490", 0m)).Log(1200)
            ),
            new(
                "an amount that is not known, held for want of consent",
                Complete()
                    .With<ConsentFact>(consent => consent with { Programs = ["apcm"], Organizations = [] })
                    .Log(600, toward: "bhi")
            ),
            new("geographic adjustment", Complete().With(new PracticePolicy { Gpci = 1.05m }).Log(1200)),
            new(
                "participant in an alternative payment model",
                Complete().With(new PracticePolicy { QualifyingApmParticipant = true }).Log(1200)
            ),
        ];

    private static IEnumerable<Scenario> Insurance =>
        [
            new("no coverage, but a Medicare number", Complete().Without<CoverageFact>().Log(1200)),
            new(
                "no coverage and no number",
                Complete().Without<CoverageFact>().With<PatientFact>(one => one with { MemberId = null }).Log(1200)
            ),
            new("no coverage and no time", Complete().Without<CoverageFact>().Log(600)),
            new(
                "the coverage's number before the patient's",
                Complete().With<PatientFact>(one => one with { MemberId = "1EG4TE5MK72" }).Log(1200)
            ),
            new(
                "a coverage without number",
                Complete().With<CoverageFact>(one => one with { MemberId = null }).Log(1200)
            ),
            new(
                "coverages up to the first day and from the last, the one with a number first",
                Complete()
                    .Without<CoverageFact>()
                    .Add(
                        new CoverageFact("Coverage/a", true, null, null, new DateOnly(2026, 10, 1), false),
                        new CoverageFact("Coverage/b", true, "B", new DateOnly(2026, 10, 31), null, false),
                        new CoverageFact("Coverage/c", true, "C", new DateOnly(2026, 10, 31), null, false)
                    )
                    .Log(1200)
            ),
            new(
                "a coverage up to the first day",
                Complete().With<CoverageFact>(one => one with { To = new DateOnly(2026, 10, 1) }).Log(1200)
            ),
            new(
                "coverages of other months, and one that is not active",
                Complete()
                    .Without<CoverageFact>()
                    .Add(
                        new CoverageFact("Coverage/a", true, "A", null, new DateOnly(2026, 9, 30), false),
                        new CoverageFact("Coverage/b", true, "B", new DateOnly(2026, 11, 1), null, false),
                        new CoverageFact("Coverage/c", false, "C", null, null, false)
                    )
                    .Log(1200)
            ),
            new("the practitioner of the visit", TwoDoctors("Practitioner/dr-c").Log(1200)),
            new(
                "the practitioner who attested",
                TwoDoctors("Practitioner/dr-x")
                    .Add(
                        Mdm("low", "2026-10-20T12:00:00Z", "Practitioner/dr-c"),
                        Mdm("low", "2026-10-21T12:00:00Z", Rn) with
                        {
                            Reference = "Observation/rn",
                        }
                    )
                    .Log(1200)
            ),
        ];

    private static IEnumerable<Scenario> Filing =>
        [
            new("the last day of timely filing", Complete().Log(1200).Seen("2027-10-31T20:00:00Z")),
            new("the day after timely filing", Complete().Log(1200).Seen("2027-11-01T04:00:00Z")),
            new(
                "timely filing of a range goes by its last day",
                On(DateOfServicePolicy.PeriodRange).Log(1200).Seen("2027-10-20T20:00:00Z")
            ),
            new(
                "timely filing goes by the latest line",
                Complete()
                    .With<VisitFact>(visit => visit with { ExtensivePlanning = true })
                    .Log(1200, start: "2026-09-20T12:00:00Z")
                    .Ask("2026-09")
                    .Seen("2027-09-20T12:00:00Z")
            ),
        ];

    private static IEnumerable<Scenario> Corrections =>
        [
            Corrected("nothing stands, nothing is billed", Complete().Log(600), null),
            Corrected("the first claim", Complete().Log(1200), null),
            Corrected("the first claim, too late", Complete().Log(1200).Seen("2027-11-01T12:00:00Z"), null),
            Corrected("again after a void", Complete().Log(1200), new StandingClaim(2, [], [])),
            Corrected("nothing any more", Complete().Log(600), Standing(2026, 10, 31, 1)),
            Corrected("the same", Complete().Log(1200), Standing(2026, 10, 31, 1)),
            Corrected("another unit", Complete().Log(2400), Standing(2026, 10, 31, 1)),
            Corrected(
                "another unit, too late",
                Complete().Log(2400).Seen("2027-11-01T12:00:00Z"),
                Standing(2026, 10, 31, 1)
            ),
            Corrected(
                "a unit less, however late",
                Complete().Log(1200).Seen("2027-11-01T12:00:00Z"),
                Standing(2026, 10, 31, 2)
            ),
            Corrected(
                "a diagnosis that does not qualify any more",
                Complete().Log(1200),
                Standing(2026, 10, 31, 1) with
                {
                    Diagnoses = ["E11.9", "N18.3"],
                }
            ),
            Corrected(
                "a diagnosis that does not qualify any more, too late, for the same money",
                Complete().Log(1200).Seen("2027-11-01T12:00:00Z"),
                Standing(2026, 10, 31, 1) with
                {
                    Diagnoses = ["E11.9", "N18.3"],
                }
            ),
            Corrected("a day after death", Died().Log(1200), Standing(2026, 10, 31, 1)),
            Corrected("the day of death", Died().Log(1200), Standing(2026, 10, 20, 1)),
            Corrected(
                "one of two days after death",
                Died().Log(2400),
                new StandingClaim(
                    1,
                    [
                        new ClaimLine("99439", 1, 50.44m, new DateOnly(2026, 10, 20)),
                        new ClaimLine("99490", 1, 66.13m, new DateOnly(2026, 10, 21)),
                    ],
                    []
                )
            ),
            Corrected(
                "a range that ends after death",
                Died().Log(1200),
                new StandingClaim(
                    1,
                    [new ClaimLine("99490", 1, 66.13m, new DateOnly(2026, 10, 1), new DateOnly(2026, 10, 31))],
                    []
                )
            ),
            Corrected(
                "another unit, in time by the later of two days",
                Complete().Log(3600).Seen("2027-10-25T12:00:00Z"),
                new StandingClaim(
                    1,
                    [
                        new ClaimLine("99439", 1, 50.44m, new DateOnly(2026, 10, 20)),
                        new ClaimLine("99490", 1, 66.13m, new DateOnly(2026, 10, 31)),
                    ],
                    []
                )
            ),
        ];

    private static PatientMonth On(DateOfServicePolicy policy, PatientMonth? month = null) =>
        (month ?? Complete()).With(new PracticePolicy { DateOfService = policy });

    private static PatientMonth Died() =>
        Complete()
            .With<PatientFact>(patient => patient with { Deceased = true, DeathUnix = Unix("2026-10-20T12:00:00Z") });

    private static PatientMonth TwoDoctors(string visited)
    {
        var month = Complete().With<VisitFact>(visit => visit with { Practitioners = [visited] });
        month.Practice = month.Practice with
        {
            Practitioners =
            [
                .. month.Practice.Practitioners,
                new BillingPractitioner("Practitioner/dr-c", "1538596788", "Dr C", "NP"),
            ],
        };
        return month;
    }

    private static Scenario Corrected(string name, PatientMonth month, StandingClaim? standing) =>
        new(
            $"correction: {name}",
            () => DecisionText.Of(Correction.Of(month.Decide(), standing, month.Practice.TimeZone))
        );

    private static StandingClaim Standing(int year, int month, int day, int units)
    {
        var serviced = new DateOnly(year, month, day);
        ClaimLine[] lines = [new("99490", 1, 66.13m, serviced), new("99439", units - 1, 50.44m, serviced)];
        return new StandingClaim(1, [.. lines.Where(line => line.Units > 0)], ["E11.9", "I10"]);
    }
}
