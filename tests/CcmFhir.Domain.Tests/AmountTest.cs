using System.Globalization;
using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Amounts, days of service, late claims.</summary>
public class AmountTest
{
    [Theory]
    [InlineData("99490", "2023-06-30", "62.69")]
    [InlineData("99490", "2024-03-08", "61.56")]
    [InlineData("99490", "2024-03-09", "62.58")]
    [InlineData("99490", "2025-06-30", "60.49")]
    [InlineData("99490", "2026-06-30", "66.13")]
    [InlineData("99439", "2024-01-31", "47.15")]
    [InlineData("99439", "2024-04-30", "47.93")]
    [InlineData("99439", "2025-06-30", "45.93")]
    [InlineData("99439", "2026-06-30", "50.44")]
    [InlineData("99487", "2022-06-30", "134.27")]
    [InlineData("99487", "2024-02-29", "131.96")]
    [InlineData("99487", "2024-03-31", "134.15")]
    [InlineData("99487", "2025-06-30", "131.65")]
    [InlineData("99487", "2026-06-30", "144.29")]
    [InlineData("99489", "2024-03-31", "72.23")]
    [InlineData("99489", "2025-06-30", "70.52")]
    [InlineData("99489", "2026-06-30", "78.16")]
    [InlineData("99491", "2025-06-30", "82.16")]
    [InlineData("99437", "2025-06-30", "57.58")]
    [InlineData("99424", "2022-06-30", "83.40")]
    [InlineData("99425", "2022-06-30", "60.21")]
    [InlineData("99426", "2022-06-30", "63.33")]
    [InlineData("99427", "2022-06-30", "48.45")]
    [InlineData("99424", "2026-06-30", "87.51")]
    [InlineData("99425", "2026-06-30", "61.46")]
    [InlineData("G0556", "2025-06-30", "15.20")]
    [InlineData("G0557", "2025-06-30", "48.84")]
    [InlineData("G0568", "2026-06-30", "161.66")]
    [InlineData("G0569", "2026-06-30", "145.96")]
    [InlineData("G0511", "2025-06-30", "54.67")]
    public void The_national_amount_is_units_times_the_factor_of_the_day(string code, string day, string amount) =>
        RuleSet.Medicare.Amount(code, Day(day)).ShouldBe(Dollars(amount));

    [Theory]
    [InlineData("99490", "66.46")]
    [InlineData("99439", "50.69")]
    [InlineData("99487", "145.01")]
    [InlineData("99489", "78.55")]
    [InlineData("99424", "87.95")]
    [InlineData("99425", "61.76")]
    public void Qualifying_participants_have_a_factor_of_their_own_in_2026(string code, string amount)
    {
        RuleSet.Medicare.Amount(code, Day("2026-06-30"), qualifying: true).ShouldBe(Dollars(amount));
        RuleSet
            .Medicare.Amount(code, Day("2025-06-30"), qualifying: true)
            .ShouldBe(RuleSet.Medicare.Amount(code, Day("2025-06-30")));
    }

    [Theory]
    [InlineData("99490", "2014-12-31")]
    [InlineData("99439", "2020-12-31")]
    [InlineData("G2058", "2021-01-01")]
    [InlineData("G0511", "2025-10-01")]
    [InlineData("99214", "2026-06-30")]
    [InlineData("G0570", "2026-06-30")]
    [InlineData("99490", "2027-01-01")]
    public void What_is_not_known_has_no_amount(string code, string day) =>
        RuleSet.Medicare.Amount(code, Day(day)).ShouldBeNull();

    [Theory]
    [InlineData("99490", "43.76", false)]
    [InlineData("99489", "43.76", false)]
    [InlineData("99439", "50.44", true)]
    public void In_a_facility_the_amount_is_lower_where_it_is_known(string code, string amount, bool doubtful)
    {
        var price = RuleSet.Medicare.Price(code, Day("2026-06-30"), 1m, qualifying: false, "22");

        price.Amount.ShouldBe(Dollars(amount));
        (price.Doubt is not null).ShouldBe(doubtful);
    }

    [Fact]
    public void A_locality_moves_the_amount() =>
        RuleSet.Medicare.Amount("99490", Day("2026-06-30"), gpci: 1.1m).ShouldBe(72.75m);

    [Fact]
    public void A_rate_is_not_moved_by_factor_or_locality() =>
        RuleSet.Medicare.Amount("G0511", Day("2024-06-30"), gpci: 1.1m, qualifying: true).ShouldBe(72.98m);

    [Fact]
    public void The_practices_charge_comes_first()
    {
        var month = Complete().Log(2400);
        month.Practice = month.Practice with
        {
            Charges = new Dictionary<string, decimal> { ["99490"] = 100m, ["99487"] = 1m },
        };

        var decision = month.Decide();

        decision
            .Lines.Select(line => (line.Code, line.UnitPrice, line.Net))
            .ShouldBe([("99439", 50.44m, 50.44m), ("99490", 100m, 100m)]);
        decision.Total.ShouldBe(150.44m);
    }

    [Fact]
    public void Highest_allowed_goes_by_what_the_practice_charges()
    {
        var month = Complete()
            .With(new PracticePolicy { FamilyOrder = FamilyOrder.HighestAllowed })
            .Add(Mdm("high", "2026-10-20T12:00:00-04:00"))
            .Log(3600);
        month.Practice = month.Practice with { Charges = new Dictionary<string, decimal> { ["99487"] = 500m } };

        month.Decide().Codes().ShouldBe("99487x1");
    }

    [Theory]
    [InlineData(2026, false)]
    [InlineData(2018, true)]
    public void An_amount_of_figures_that_are_not_verified_is_a_warning(int year, bool warned) =>
        In(year, 6)
            .Log(1200)
            .Decide()
            .Reasons.Any(reason => reason.Code == "CCM-B04" && reason.Severity == ReasonSeverity.Warn)
            .ShouldBe(warned);

    [Theory]
    [InlineData(DateOfServicePolicy.LastDay, "2026-10-31")]
    [InlineData(DateOfServicePolicy.LastBusinessDay, "2026-10-30")]
    [InlineData(DateOfServicePolicy.ThresholdDate, "2026-10-20")]
    [InlineData(DateOfServicePolicy.PeriodRange, "2026-10-01")]
    public void The_day_of_service_is_a_setting(DateOfServicePolicy policy, string day)
    {
        var decision = Complete()
            .With(new PracticePolicy { DateOfService = policy })
            .Log(1200, start: "2026-10-05T10:00:00-04:00")
            .Log(1200, start: "2026-10-20T10:00:00-04:00")
            .Log(600, start: "2026-10-25T10:00:00-04:00")
            .Decide();

        decision.Lines.ShouldAllBe(line => line.Serviced == Day(day));
        decision.Lines.ShouldAllBe(line =>
            line.Through == (policy == DateOfServicePolicy.PeriodRange ? Day("2026-10-31") : null)
        );
    }

    [Theory]
    [InlineData(1200, "2026-10-05")]
    [InlineData(1800, "2026-10-20")]
    public void The_threshold_of_the_practitioner_is_met_by_his_own_time(long first, string day)
    {
        var decision = Complete()
            .With(new PracticePolicy { DateOfService = DateOfServicePolicy.ThresholdDate })
            .Log(first == 1200 ? 1800 : 1200, PerformerRole.BillingPractitioner, start: "2026-10-05T10:00:00-04:00")
            .Log(5000, start: "2026-10-10T10:00:00-04:00")
            .Log(first == 1200 ? 0 : 600, PerformerRole.BillingPractitioner, start: "2026-10-20T10:00:00-04:00")
            .Decide();

        decision
            .Lines.ShouldHaveSingleItem()
            .ShouldSatisfyAllConditions(line => line.Code.ShouldBe("99491"), line => line.Serviced.ShouldBe(Day(day)));
    }

    [Fact]
    public void While_the_month_lasts_the_day_of_service_is_not_in_the_future()
    {
        var month = Complete().Log(1200, start: "2026-10-05T10:00:00-04:00");
        month.AsOf = At("2026-10-12T23:00:00-04:00");

        month.Decide().Lines.ShouldHaveSingleItem().Serviced.ShouldBe(Day("2026-10-12"));
    }

    [Theory]
    [InlineData("medicare-current", null, "99490x1")]
    [InlineData("conservative", null, "none")]
    [InlineData("conservative", true, "99490x1")]
    [InlineData("medicare-current", false, "none")]
    public void Before_the_month_is_over_it_is_billed_by_policy(string policy, bool? setting, string codes)
    {
        var month = Complete()
            .With(new PracticePolicy { Name = policy, BillBeforeMonthEnd = setting })
            .Log(1200, start: "2026-10-05T10:00:00-04:00");
        month.AsOf = At("2026-10-31T23:59:59-04:00");

        var decision = month.Decide();

        decision.Codes().ShouldBe(codes);
        decision.Reasons.Any(reason => reason.Code == "CCM-B03").ShouldBe(codes == "none");
        month.AsOf = At("2026-11-01T00:00:00-04:00");
        month.Decide().Codes().ShouldBe("99490x1");
    }

    [Theory]
    [InlineData("2027-10-31T23:59:00-04:00", false)]
    [InlineData("2027-11-01T00:00:00-04:00", true)]
    public void A_claim_more_than_a_calendar_year_after_the_service_is_late(string asOf, bool late)
    {
        var month = Complete().Log(1200);
        month.AsOf = At(asOf);

        var decision = month.Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.Reasons.Any(reason => reason.Code == "CCM-B02").ShouldBe(late);
    }

    [Fact]
    public void Lines_stand_in_code_order_with_their_sums()
    {
        var decision = Complete().Log(3600).Decide();

        decision.Lines.ShouldBe([
            new ClaimLine("99439", 2, 50.44m, new DateOnly(2026, 10, 31)),
            new ClaimLine("99490", 1, 66.13m, new DateOnly(2026, 10, 31)),
        ]);
        decision.Lines[0].Net.ShouldBe(100.88m);
        decision.Total.ShouldBe(167.01m);
        decision.IsClaim.ShouldBeTrue();
    }

    [Fact]
    public void The_coverage_is_one_in_force_that_has_a_member_id()
    {
        var decision = Complete()
            .Without<CoverageFact>()
            .Add(
                new CoverageFact("Coverage/a", false, "1", null, null, false),
                new CoverageFact("Coverage/b", true, "2", null, new DateOnly(2026, 9, 30), false),
                new CoverageFact("Coverage/c", true, "3", new DateOnly(2026, 11, 1), null, false),
                new CoverageFact("Coverage/d", true, null, null, null, false),
                new CoverageFact("Coverage/e", true, "5", new DateOnly(2026, 10, 31), new DateOnly(2026, 10, 31), false)
            )
            .Log(1200)
            .Decide();

        decision.Coverage!.Reference.ShouldBe("Coverage/e");
    }

    [Fact]
    public void The_practitioner_is_who_made_the_visit_else_who_attested_else_the_first()
    {
        const string second = "Practitioner/dr-c";
        var month = Complete().Log(1200);
        month.Practice = month.Practice with
        {
            Practitioners =
            [
                month.Practice.Practitioners[0],
                new BillingPractitioner(second, "1538596788", "Dr C", "NP"),
            ],
        };
        month.Decide().Practitioner.Reference.ShouldBe(DoctorA);

        month.With<VisitFact>(visit => visit with { Practitioners = [second] });
        month.Decide().Practitioner.Reference.ShouldBe(second);

        month.With<VisitFact>(visit => visit with { Practitioners = [Rn] });
        month.Add(Mdm("low", "2026-10-20T12:00:00-04:00", second));
        month.Decide().Practitioner.Reference.ShouldBe(second);
    }

    private static DateOnly Day(string text) => DateOnly.Parse(text, CultureInfo.InvariantCulture);

    private static decimal Dollars(string text) => decimal.Parse(text, CultureInfo.InvariantCulture);
}
