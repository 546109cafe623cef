using System.Globalization;

namespace CcmFhir.Tests.Cases;

/// <summary>The worked billing cases, each built from FHIR resources and decided by <c>ccmfhir close</c>. Numbers have gaps, as the list of cases has.</summary>
public sealed class WorkedCasesTest
{
    private const string Time = "99439x1, 99490x1";

    /// <summary>Numbers of the cases; a second form of a case has 80,000 added to its number, a third 81,000.</summary>
    public static TheoryData<int> Numbers => [.. Cases.Select(one => one.Number)];

    private static readonly Case[] Cases =
    [
        // A. Time thresholds.
        new(1, () => CareCase.Usual().Log(1199), "none", "0", 1199, "CCM-T01 deny"),
        new(2, () => CareCase.Usual().Log(1200), "99490x1", "66.13", 1200, ""),
        new(4, () => CareCase.Usual().Log(2400), Time, "116.57", 2400, ""),
        new(5, () => CareCase.Usual().Log(3600), "99439x2, 99490x1", "167.01", 3600, ""),
        new(6, () => CareCase.Usual().Log(3690), "99439x2, 99490x1", "167.01", 3690, "CCM-T02 info"),
        new(
            8,
            () => CareCase.Usual().Mdm("moderate", "2026-10-20T11:00:00-04:00").Log(3600),
            "99487x1",
            "144.29",
            3600,
            ""
        ),
        new(
            80_008,
            () =>
                CareCase
                    .Usual()
                    .Practice("familyOrder", "\"highestAllowed\"")
                    .Mdm("moderate", "2026-10-20T11:00:00-04:00")
                    .Log(3600),
            "99439x2, 99490x1",
            "167.01",
            3600,
            ""
        ),
        new(9, () => CareCase.Usual().Mdm("moderate", "2026-10-20T11:00:00-04:00").Log(3599), Time, "116.57", 3599, ""),
        new(
            11,
            () => CareCase.Usual().Mdm("high", "2026-10-20T11:00:00-04:00").Log(5400),
            "99487x1, 99489x1",
            "222.45",
            5400,
            ""
        ),
        new(
            13,
            () => CareCase.Usual().Log(900, "2026-09-20T10:00:00-04:00").Log(900, "2026-10-15T10:00:00-04:00"),
            "none",
            "0",
            900,
            "CCM-T01 deny"
        ),
        // B. Intervals, zones, clock changes.
        new(
            15,
            () =>
                CareCase
                    .Usual()
                    .Log(900, "2026-10-05T10:00:00-04:00")
                    .Log(900, "2026-10-05T10:05:00-04:00", owner: "Practitioner/rn-2"),
            "99490x1",
            "66.13",
            1200,
            "CCM-T03 info"
        ),
        new(17, () => CareCase.Usual().Log(1800, served: 3), "none", "0", 600, "CCM-T01 deny"),
        new(
            18,
            () => CareCase.Usual().Task("t", "2026-10-31T23:50:00-04:00", "2026-11-01T00:15:00-04:00"),
            "none",
            "0",
            600,
            "CCM-T10 info"
        ),
        new(
            80_018,
            () => November().Task("t", "2026-10-31T23:50:00-04:00", "2026-11-01T00:15:00-04:00"),
            "none",
            "0",
            900,
            "CCM-T10 info"
        ),
        new(
            20,
            () => November().Task("t", "2026-11-01T01:50:00-04:00", "2026-11-01T01:10:00-05:00"),
            "99490x1",
            "66.13",
            1200,
            ""
        ),
        // C. Consent, eligibility, plan, visit.
        new(
            24,
            () =>
                CareCase
                    .Usual()
                    .Consent("2026-10-15T09:00:00-04:00")
                    .Log(720, "2026-10-05T10:00:00-04:00")
                    .Log(1320, "2026-10-20T10:00:00-04:00"),
            "99490x1",
            "66.13",
            1320,
            "CCM-C02 info"
        ),
        new(
            80_024,
            () =>
                CareCase
                    .Usual()
                    .Consent("2026-10-15T09:00:00-04:00")
                    .Log(720, "2026-10-05T10:00:00-04:00")
                    .Log(1080, "2026-10-20T10:00:00-04:00"),
            "none",
            "0",
            1080,
            "CCM-T01 deny"
        ),
        new(25, Revoked, "99490x1", "66.13", 1260, "CCM-C03 info"),
        new(
            80_025,
            () =>
            {
                var november = Revoked().Log(2700, "2026-11-05T10:00:00-05:00");
                november.Month = "2026-11";
                return november;
            },
            "none",
            "0",
            0,
            "CCM-C03 deny"
        ),
        new(27, () => CareCase.Usual().Without("Consent/consent").Log(2700), "none", "0", 0, "CCM-C01 hold"),
        new(
            28,
            () => CareCase.Usual().Consent("2026-09-15T10:00:00-04:00", practice: "Organization/b").Log(2700),
            "none",
            "0",
            0,
            "CCM-C04 deny"
        ),
        new(29, () => CareCase.Usual().Without("Condition/ht").Log(2700), "none", "0", 2700, "CCM-E01 deny"),
        new(
            31,
            () => CareCase.Usual().Without("Condition/ht").Condition("dm2", "E11.40").Log(2700),
            "none",
            "0",
            2700,
            "CCM-E01 deny"
        ),
        new(
            80_031,
            () =>
                CareCase
                    .Usual()
                    .Practice("distinctBy", "\"code\"")
                    .Without("Condition/ht")
                    .Condition("dm2", "E11.40")
                    .Log(2700),
            Time,
            "116.57",
            2700,
            "CCM-E02 warn"
        ),
        new(32, () => Verification("refuted"), "none", "0", 2700, "CCM-E01 deny"),
        new(80_032, () => Verification("entered-in-error"), "none", "0", 2700, "CCM-E01 deny"),
        new(33, () => CareCase.Usual().Without("CarePlan/plan").Log(2700), "none", "0", 2700, "CCM-P01 hold"),
        new(35, PlanFromTheTwentieth, "99490x1", "66.13", 1500, "CCM-P02 warn"),
        new(80_035, () => PlanFromTheTwentieth().Practice("carePlanStrict", "true"), "none", "0", 600, "CCM-T01 deny"),
        new(36, Unmeasurable, Time, "116.57", 2700, "CCM-P02 warn"),
        new(80_036, () => Unmeasurable().Practice("carePlanStrict", "true"), "none", "0", 2700, "CCM-P02 deny"),
        new(37, () => CareCase.Usual().Without("Encounter/visit").Log(2700), "none", "0", 2700, "CCM-I01 deny"),
        new(40, () => Planning().Log(1200), "99490x1", "66.13", 1200, ""),
        new(
            80_040,
            () =>
            {
                var september = Planning().Practice("charges", """{"G0506":63.00}""");
                september.Month = "2026-09";
                return september;
            },
            "G0506x1",
            "63.00",
            0,
            ""
        ),
        new(
            41,
            () =>
                CareCase
                    .Usual()
                    .Charge("G0506", "2026-09-15")
                    .Visit(
                        "second",
                        "2026-10-02T09:00:00-04:00",
                        "2026-10-02T09:20:00-04:00",
                        "99214",
                        true,
                        planning: true
                    )
                    .Log(2700),
            Time,
            "116.57",
            2700,
            "CCM-G01 deny"
        ),
        // D. Conflicts in the month.
        new(
            43,
            () => CareCase.Usual().Charge("99490", "2026-10-31", own: false).Log(2700),
            "none",
            "0",
            2700,
            "CCM-K01 deny"
        ),
        new(44, () => CareCase.Usual().Charge("99495", "2026-10-02").Log(2700), Time, "116.57", 2700, "CCM-K03 info"),
        new(
            46,
            () =>
                CareCase
                    .Usual(2018)
                    .Practice("policy", "\"medicare-2017-2019\"")
                    .Charge("99495", "2018-10-02")
                    .Log(2700),
            "none",
            "0",
            2700,
            "CCM-K03 deny"
        ),
        new(48, () => CareCase.Usual().Charge("G0181", "2026-10-12").Log(2700), "none", "0", 2700, "CCM-K02 deny"),
        new(
            50,
            () => CareCase.Usual().Stay("hospice", "2026-09-20T10:00:00-04:00", null).Log(2700),
            Time,
            "116.57",
            2700,
            "CCM-K05 warn"
        ),
        new(
            80_050,
            () =>
                CareCase
                    .Usual()
                    .Stay("hospice", "2026-09-20T10:00:00-04:00", null)
                    .Charge("G0182", "2026-10-31")
                    .Log(2700),
            "none",
            "0",
            2700,
            "CCM-K02 deny"
        ),
        new(51, () => CareCase.Usual().Charge("90960", "2026-10-31").Log(2700), "none", "0", 2700, "CCM-K02 deny"),
        new(53, () => CareCase.Usual().Charge("G0557", "2026-10-31").Log(2700), "none", "0", 2700, "CCM-K02 deny"),
        new(55, () => Aligned("Organization/a"), "none", "0", 2700, "CCM-K02 deny"),
        new(80_055, () => Aligned("Organization/b"), Time, "116.57", 2700, "CCM-K04 warn"),
        new(56, () => Health(2025, 10), Time, "106.42", 2700, "CCM-R01 info"),
        new(81_056, () => Health(2025, 9), Time, "106.42", 2700, "CCM-R01 info"),
        new(
            82_056,
            () => Health(2025, 9).Practice("facilityBillsG0511In2025", "true"),
            "G0511x1",
            "54.67",
            2700,
            "CCM-R01 info"
        ),
        new(83_056, () => Health(2024, 10), "G0511x1", "", 2700, "CCM-R01 info"),
        // E. Bad or odd Tasks (those that are refused: RefusedLogsTest).
        new(57, () => CareCase.Usual().Log(1500, status: "entered-in-error"), "none", "0", 0, "CCM-T01 deny"),
        new(
            61,
            () => CareCase.Usual().Log(600, role: "billing-practitioner", owner: "Practitioner/dr-a").Log(720),
            "99490x1",
            "66.13",
            1320,
            ""
        ),
        new(63, () => CareCase.Usual().Log(1800), "99490x1", "66.13", 1800, ""),
        new(
            64,
            () => CareCase.Usual().Log(3600, role: "billing-practitioner", owner: "Practitioner/dr-a"),
            "99437x1, 99491x1",
            "",
            3600,
            ""
        ),
        new(
            71,
            () => CareCase.Usual().Log(1080).Log(600, activity: "scheduling"),
            "none",
            "0",
            1080,
            "CCM-T01 deny, CCM-T08 info"
        ),
        new(
            80_071,
            () => CareCase.Usual().Log(1080).Log(600, activity: "billing-admin"),
            "none",
            "0",
            1080,
            "CCM-T08 info"
        ),
        new(72, () => CareCase.Usual().Log(1500, role: "non-clinical-staff"), "none", "0", 0, "CCM-T09 info"),
        new(
            73,
            () => CareCase.Usual().Practice("countMedicalAssistants", "true").Log(1500, role: "medical-assistant"),
            "99490x1",
            "66.13",
            1500,
            ""
        ),
        new(80_073, () => CareCase.Usual().Log(1500, role: "medical-assistant"), "none", "0", 0, "CCM-T09 info"),
        new(
            75,
            () =>
                CareCase
                    .Usual()
                    .Visit("tcm", "2026-10-07T10:00:00-04:00", "2026-10-07T10:15:00-04:00", "99495")
                    .Log(2700, "2026-10-07T10:00:00-04:00"),
            "99490x1",
            "66.13",
            1800,
            ""
        ),
        new(
            77,
            () =>
                CareCase.Usual().Stay("inpatient", "2026-09-30T10:00:00-04:00", "2026-11-02T10:00:00-05:00").Log(2700),
            "none",
            "0",
            0,
            "CCM-F01 info"
        ),
        new(
            80_077,
            () => CareCase.Usual().Stay("snf-part-a", "2026-10-01", "2026-10-31").Log(2700),
            "none",
            "0",
            0,
            "CCM-F01 info"
        ),
        new(
            78,
            () => CareCase.Usual().Log(1500, status: "in-progress").Log(1500, status: "cancelled"),
            "none",
            "0",
            0,
            "CCM-T01 deny"
        ),
    ];

    [Theory]
    [MemberData(nameof(Numbers))]
    public async Task The_case_comes_out(int number)
    {
        var one = Cases.Single(one => one.Number == number);

        var decided = await one.Make().CloseAsync();

        decided.Lines.ShouldBe(one.Lines, decided.Json);
        if (one.Total.Length > 0)
        {
            decided.Total.ShouldBe(decimal.Parse(one.Total, CultureInfo.InvariantCulture));
        }
        decided.Counted.ShouldBe(one.Counted);
        (decided.Counted + decided.Seconds("excluded")).ShouldBe(decided.Seconds("logged"));
        (decided.Seconds("clinicalStaff") + decided.Seconds("billingPractitioner")).ShouldBe(decided.Counted);
        decided.Refused.ShouldBeEmpty();
        foreach (var reason in one.Reasons.Split(", ", StringSplitOptions.RemoveEmptyEntries))
        {
            decided.Reasons.ShouldContain(reason, decided.Json);
        }
        if (one.Lines != "none" && one.Lines != "G0506x1")
        {
            decided.Stops.ShouldBe(
                one.Reasons.Contains("CCM-G01", StringComparison.Ordinal) ? "CCM-G01" : "",
                decided.Json
            );
        }
    }

    [Fact]
    public async Task Case_5_no_complex_is_asked_for_and_none_is_missed() =>
        (await CareCase.Usual().Log(3600).CloseAsync()).Reasons.ShouldNotContain(reason =>
            reason.StartsWith("CCM-X01", StringComparison.Ordinal)
        );

    [Fact]
    public async Task Case_80_the_same_month_decided_again_gives_the_same_bytes()
    {
        var one = CareCase.Usual().Log(2700).Log(600, activity: "travel").Charge("99457", "2026-10-12");

        (await one.TextAsync()).ShouldBe(await one.TextAsync());
    }

    private static CareCase November()
    {
        var november = CareCase.Usual();
        november.Month = "2026-11";
        return november;
    }

    private static CareCase Revoked() =>
        CareCase
            .Usual()
            .Consent("2026-09-15T10:00:00-04:00", ended: "2026-10-18T12:00:00-04:00")
            .Log(1260, "2026-10-10T10:00:00-04:00")
            .Log(600, "2026-10-20T10:00:00-04:00");

    private static CareCase Verification(string status) =>
        CareCase
            .Usual()
            .Set(
                "Condition/ht",
                "verificationStatus",
                $$"""{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"{{status}}"}]}"""
            )
            .Change(
                "Condition/ht",
                condition =>
                {
                    if (status == "entered-in-error")
                    {
                        condition.Remove("clinicalStatus");
                    }
                }
            )
            .Log(2700);

    private static CareCase PlanFromTheTwentieth() =>
        CareCase
            .Usual()
            .Set("CarePlan/plan", "period", """{"start":"2026-10-20"}""")
            .Log(900, "2026-10-10T10:00:00-04:00")
            .Log(600, "2026-10-25T10:00:00-04:00");

    private static CareCase Unmeasurable() =>
        CareCase.Usual().Change("Goal/goal", goal => goal.Remove("target")).Log(2700);

    private static CareCase Planning() =>
        CareCase
            .Usual()
            .Visit("visit", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "G0439", true, planning: true);

    private static CareCase Aligned(string participant) =>
        CareCase
            .Usual()
            .Put(
                $$"""
                {"resourceType":"EpisodeOfCare","id":"access","status":"active","type":[{"coding":[{"system":"{{CareCase.Base}}/CodeSystem/ccm-enrolment","code":"access"}]}],
                 "patient":{"reference":"Patient/p"},"managingOrganization":{"reference":"{{participant}}"},"period":{"start":"2026-08-01"} }
                """
            )
            .Log(2700);

    private static CareCase Health(int year, int month)
    {
        var made = CareCase.Usual(year).Practice("facility", "\"fqhc\"");
        if (month != 10)
        {
            made.Consent($"{year}-08-15T10:00:00-04:00");
            made.Visit("visit", $"{year}-08-15T09:30:00-04:00", $"{year}-08-15T10:00:00-04:00", "99214", true);
            made.Set("CarePlan/plan", "period", $$"""{"start":"{{year}}-08-16"}""");
            made.Month = $"{year}-{month:D2}";
        }
        return made.Log(2700);
    }

    private sealed record Case(
        int Number,
        Func<CareCase> Make,
        string Lines,
        string Total,
        long Counted,
        string Reasons
    );
}
