using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Which codes so many seconds earn, by year.</summary>
public class ThresholdTest
{
    [Theory]
    [InlineData(0, "none", "0")]
    [InlineData(1, "none", "0")]
    [InlineData(1199, "none", "0")]
    [InlineData(1200, "99490x1", "66.13")]
    [InlineData(2399, "99490x1", "66.13")]
    [InlineData(2400, "99439x1, 99490x1", "116.57")]
    [InlineData(3599, "99439x1, 99490x1", "116.57")]
    [InlineData(3600, "99439x2, 99490x1", "167.01")]
    [InlineData(3690, "99439x2, 99490x1", "167.01")]
    [InlineData(36000, "99439x2, 99490x1", "167.01")]
    public void Staff_time_earns_99490_and_at_most_two_units_of_99439(long seconds, string codes, string total)
    {
        var decision = Complete().Log(seconds).Decide();

        decision.Codes().ShouldBe(codes);
        decision.Total.ShouldBe(decimal.Parse(total, System.Globalization.CultureInfo.InvariantCulture));
        decision.Time.Counted.ShouldBe(seconds);
    }

    [Theory]
    [InlineData(3599, "99439x1, 99490x1", "116.57")]
    [InlineData(3600, "99487x1", "144.29")]
    [InlineData(5399, "99487x1", "144.29")]
    [InlineData(5400, "99487x1, 99489x1", "222.45")]
    [InlineData(7200, "99487x1, 99489x2", "300.61")]
    [InlineData(9000, "99487x1, 99489x3", "378.77")]
    [InlineData(3600 + (10 * 1800), "99487x1, 99489x10", "925.89")]
    [InlineData(3600 + (12 * 1800), "99487x1, 99489x10", "925.89")]
    public void With_moderate_decision_making_an_hour_is_complex(long seconds, string codes, string total)
    {
        var decision = Complete().Add(Mdm("moderate", "2026-10-20T12:00:00-04:00")).Log(seconds).Decide();

        decision.Codes().ShouldBe(codes);
        decision.Total.ShouldBe(decimal.Parse(total, System.Globalization.CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData(1199, "none")]
    [InlineData(1200, "99490x1")]
    [InlineData(1799, "99490x1")]
    [InlineData(1800, "99491x1")]
    [InlineData(3599, "99491x1")]
    [InlineData(3600, "99437x1, 99491x1")]
    [InlineData(9000, "99437x4, 99491x1")]
    public void The_practitioners_own_time_earns_99491_and_99437(long seconds, string codes) =>
        Complete().Log(seconds, PerformerRole.BillingPractitioner).Decide().Codes().ShouldBe(codes);

    [Fact]
    public void Practitioner_time_helps_staff_time_over_the_threshold()
    {
        var decision = Complete().Log(600, PerformerRole.BillingPractitioner, owner: DoctorA).Log(720).Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.Time.PractitionerTime.Seconds.ShouldBe(600);
        decision.Time.StaffTime.Seconds.ShouldBe(720);
    }

    [Fact]
    public void Staff_time_never_helps_practitioner_time()
    {
        var decision = Complete().Log(1799, PerformerRole.BillingPractitioner).Log(1800).Decide();

        decision.Codes().ShouldBe("99439x1, 99490x1");
    }

    [Fact]
    public void Beside_99491_no_99490_is_billed_for_the_staffs_time() =>
        Complete().Log(1800, PerformerRole.BillingPractitioner).Log(2400).Decide().Codes().ShouldBe("99491x1");

    [Theory]
    [InlineData(FamilyOrder.DocumentedService, 3600, "99487x1")]
    [InlineData(FamilyOrder.HighestAllowed, 3600, "99439x2, 99490x1")]
    [InlineData(FamilyOrder.DocumentedService, 5400, "99487x1, 99489x1")]
    [InlineData(FamilyOrder.HighestAllowed, 5400, "99487x1, 99489x1")]
    public void The_documented_service_comes_first_unless_the_practice_wants_the_highest(
        FamilyOrder order,
        long seconds,
        string codes
    ) =>
        Complete()
            .With(new PracticePolicy { FamilyOrder = order })
            .Add(Mdm("high", "2026-10-20T12:00:00-04:00"))
            .Log(seconds)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Theory]
    [InlineData(2015, 7, 3600, "99490x1")]
    [InlineData(2016, 7, 3600, "99490x1")]
    [InlineData(2019, 7, 3600, "99490x1")]
    [InlineData(2020, 1, 2399, "99490x1")]
    [InlineData(2020, 1, 2400, "99490x1, G2058x1")]
    [InlineData(2020, 12, 7200, "99490x1, G2058x2")]
    [InlineData(2021, 1, 7200, "99439x2, 99490x1")]
    [InlineData(2025, 12, 3600, "99439x2, 99490x1")]
    public void Staff_time_by_year(int year, int month, long seconds, string codes) =>
        In(year, month)
            .With<ConsentFact>(consent => consent with { Mode = "written" })
            .Log(seconds)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Theory]
    [InlineData(2018, "99490x1")]
    [InlineData(2019, "99491x1")]
    [InlineData(2021, "99491x1")]
    [InlineData(2022, "99437x1, 99491x1")]
    public void Practitioner_time_by_year(int year, string codes) =>
        In(year, 6).Log(3600, PerformerRole.BillingPractitioner).Decide().Codes().ShouldBe(codes);

    [Theory]
    [InlineData(2016, "99490x1")]
    [InlineData(2017, "99487x1, 99489x1")]
    [InlineData(2020, "99487x1, 99489x1")]
    public void Complex_by_year(int year, string codes)
    {
        var month = In(year, 6).With<ConsentFact>(consent => consent with { Mode = "written" });
        var inMonth = new DateTimeOffset(year, 6, 10, 12, 0, 0, TimeSpan.Zero);

        month
            .With<CarePlanFact>(plan => plan with { RevisedUnix = inMonth.ToUnixTimeSeconds() })
            .Add(new MdmFact("Observation/mdm", "high", inMonth.ToUnixTimeSeconds(), [DoctorA]))
            .Log(5400)
            .Decide()
            .Codes()
            .ShouldBe(codes);
    }

    [Theory]
    [InlineData("medicare-current", 2019, false)]
    [InlineData("medicare-current", 2020, true)]
    [InlineData("medicare-2017-2019", 2026, false)]
    [InlineData("conservative", 2026, false)]
    public void Complex_needs_a_revised_plan_to_2019_and_by_the_policies_that_keep_it(
        string policy,
        int year,
        bool complex
    )
    {
        var month = In(year, 6).With(new PracticePolicy { Name = policy });
        var inMonth = new DateTimeOffset(year, 6, 10, 12, 0, 0, TimeSpan.Zero).ToUnixTimeSeconds();

        var decision = month.Add(new MdmFact("Observation/mdm", "high", inMonth, [DoctorA])).Log(3600).Decide();

        decision.Lines.Any(line => line.Code == "99487").ShouldBe(complex);
        decision.Reasons.Any(reason => reason.Code == "CCM-X01").ShouldBe(!complex);
    }

    [Fact]
    public void Work_on_the_plan_in_the_month_is_its_revision()
    {
        var decision = Complete()
            .With(new PracticePolicy { Name = "conservative" })
            .Add(Mdm("high", "2026-10-20T12:00:00-04:00"))
            .Log(1800, activity: "care-plan-revision")
            .Log(1800)
            .Decide();

        decision.Codes().ShouldBe("99487x1");
    }

    [Theory]
    [InlineData("straightforward", DoctorA, "2026-10-20T12:00:00-04:00")]
    [InlineData("low", DoctorA, "2026-10-20T12:00:00-04:00")]
    [InlineData("high", Rn, "2026-10-20T12:00:00-04:00")]
    [InlineData("high", DoctorB, "2026-10-20T12:00:00-04:00")]
    public void Without_moderate_decision_making_by_the_practitioner_complex_becomes_non_complex(
        string level,
        string by,
        string at
    )
    {
        var decision = Complete().Add(Mdm(level, at, by)).Log(3600).Decide();

        decision.Codes().ShouldBe("99439x2, 99490x1");
        decision.ShouldSay("CCM-X01", ReasonSeverity.Info);
    }

    [Theory]
    [InlineData("2026-09-30T23:59:59-04:00", "99439x2, 99490x1")]
    [InlineData("2026-10-01T00:00:00-04:00", "99487x1")]
    [InlineData("2026-10-31T23:59:59-04:00", "99487x1")]
    [InlineData("2026-11-01T00:00:00-04:00", "99439x2, 99490x1")]
    public void Decision_making_counts_in_its_month(string at, string codes) =>
        Complete().Add(Mdm("moderate", at)).Log(3600).Decide().Codes().ShouldBe(codes);

    [Theory]
    [InlineData("medicare-current", 9000, "99437x4, 99491x1")]
    [InlineData("conservative", 9000, "99437x2, 99491x1")]
    public void The_cap_on_99437_is_the_policys(string policy, long seconds, string codes) =>
        Complete()
            .With(new PracticePolicy { Name = policy })
            .Log(seconds, PerformerRole.BillingPractitioner)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Fact]
    public void Caps_can_be_set()
    {
        var policy = new PracticePolicy { Cap99489 = 1, Cap99437 = 1 };

        Complete()
            .With(policy)
            .Add(Mdm("high", "2026-10-20T12:00:00-04:00"))
            .Log(9000)
            .Decide()
            .Codes()
            .ShouldBe("99487x1, 99489x1");
        Complete()
            .With(policy)
            .Log(9000, PerformerRole.BillingPractitioner)
            .Decide()
            .Codes()
            .ShouldBe("99437x1, 99491x1");
    }

    [Theory]
    [InlineData(3600, false)]
    [InlineData(3690, true)]
    [InlineData(2490, false)]
    public void Surplus_above_the_cap_is_said(long seconds, bool said) =>
        Complete().Log(seconds).Decide().Reasons.Any(reason => reason.Code == "CCM-T02").ShouldBe(said);

    [Fact]
    public void Surplus_is_said_to_the_second()
    {
        var reason = Complete().Log(3690).Decide().Reasons.Single(reason => reason.Code == "CCM-T02");

        reason.Severity.ShouldBe(ReasonSeverity.Info);
        reason.Text.ShouldContain("1 min 30 s");
        reason.References.ShouldBe(["Task/t001"]);
    }

    [Theory]
    [InlineData(0, "99490", 1200)]
    [InlineData(1199, "99490", 1)]
    [InlineData(1200, "99439", 1200)]
    [InlineData(3599, "99439", 1)]
    public void The_next_unit_is_so_far_away(long seconds, string code, long missing)
    {
        var next = Complete().Log(seconds).Decide().Next.ShouldNotBeNull();

        next.Code.ShouldBe(code);
        next.Missing.ShouldBe(missing);
    }

    [Fact]
    public void At_the_cap_there_is_no_next_unit() => Complete().Log(3600).Decide().Next.ShouldBeNull();

    [Fact]
    public void The_next_unit_is_that_of_the_family_that_is_billed()
    {
        var personal = Complete().Log(2000, PerformerRole.BillingPractitioner).Log(5000).Decide().Next!;
        personal.Code.ShouldBe("99437");
        personal.At.ShouldBe(3600);
        personal.Missing.ShouldBe(1600);

        var complex = Complete().Add(Mdm("high", "2026-10-20T12:00:00-04:00")).Log(4000).Decide().Next!;
        complex.Code.ShouldBe("99489");
        complex.Missing.ShouldBe(1400);
    }

    [Fact]
    public void Minutes_never_carry_over_to_another_month()
    {
        var month = Complete()
            .Log(900, start: "2026-09-20T10:00:00-04:00")
            .Log(900, start: "2026-10-20T10:00:00-04:00");

        month.Decide().Codes().ShouldBe("none");
        month.Month = new ServiceMonth(2026, 9);
        month.Decide().Codes().ShouldBe("none");
    }

    [Fact]
    public void While_the_month_lasts_a_missing_minute_holds_and_afterwards_denies()
    {
        var month = Complete().Log(600);

        month.Decide().ShouldSay("CCM-T01", ReasonSeverity.Deny);
        month.AsOf = At("2026-10-31T23:59:59-04:00");
        month.Decide().ShouldSay("CCM-T01", ReasonSeverity.Hold);
        month.AsOf = At("2026-11-01T00:00:00-04:00");
        month.Decide().ShouldSay("CCM-T01", ReasonSeverity.Deny);
    }
}
