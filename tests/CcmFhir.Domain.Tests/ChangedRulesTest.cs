using System.Globalization;
using System.Text.Json.Nodes;
using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Rows that Medicare has none of today, and next year's file may have.</summary>
public class ChangedRulesTest
{
    private static readonly string[] Dated =
    [
        "conversionFactors",
        "codes",
        "families",
        "policies",
        "facilities",
        "conflicts",
    ];

    [Fact]
    public void A_range_of_one_code_is_that_code()
    {
        var rules = ChangedRules.With(rules => rules.Conflict("esrd")["codes"] = new JsonArray("90970-90970"));

        rules.Conflicts("90970", new DateOnly(2026, 10, 31), "ccm").ShouldHaveSingleItem().Id.ShouldBe("esrd");
        rules.Conflicts("90969", new DateOnly(2026, 10, 31), "ccm").ShouldBeEmpty();
    }

    [Fact]
    public void Rows_may_stand_in_any_order()
    {
        var rules = ChangedRules.With(rules =>
        {
            foreach (var table in Dated)
            {
                rules[table] = new JsonArray([.. rules[table]!.AsArray().Reverse().Select(row => row!.DeepClone())]);
            }
        });

        rules.Amount("99490", new DateOnly(2026, 10, 31)).ShouldBe(66.13m);
        rules
            .Amount("99490", new DateOnly(2015, 1, 1))
            .ShouldBe(RuleSet.Medicare.Amount("99490", new DateOnly(2015, 1, 1)));
    }

    [Theory]
    [InlineData("2015-01-01", "2015: no rule set; latest 2015")]
    [InlineData("2026-12-31", "2026: no rule set; earliest 2026")]
    public void A_rule_set_may_be_for_one_day_and_has_no_whole_month_then(string day, string unknown)
    {
        var only = DateOnly.Parse(day, CultureInfo.InvariantCulture);
        var rules = ChangedRules.With(rules =>
        {
            (rules["first"], rules["last"]) = (day, day);
            foreach (var table in Dated)
            {
                var rows = rules[table]!.AsArray();
                foreach (var row in rows.ToList())
                {
                    if (
                        string.CompareOrdinal((string)row!["from"]!, day) > 0
                        || string.CompareOrdinal((string)row["to"]!, day) < 0
                    )
                    {
                        rows.Remove(row);
                    }
                    (row["from"], row["to"]) = (day, day);
                }
            }
        });

        (rules.First, rules.Last).ShouldBe((only, only));
        rules.Amount("99490", only).ShouldBe(RuleSet.Medicare.Amount("99490", only));
        rules.Unknown(new ServiceMonth(only.Year, only.Month)).ShouldBe(unknown);
    }

    [Fact]
    public void A_day_outside_of_the_rules_has_no_billing_of_facilities() =>
        Should.Throw<InvalidOperationException>(() => RuleSet.Medicare.Facility(new DateOnly(2027, 1, 1)));

    [Fact]
    public void A_service_may_be_worth_a_note_only()
    {
        var month = Complete().Add(Service("90960", "2026-10-12")).Log(1200);
        month.Rules = ChangedRules.With(rules => rules.Conflict("esrd")["same"] = "info");

        var decision = month.Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.ShouldSay("CCM-K02", ReasonSeverity.Info);
    }

    [Theory]
    [InlineData("2026-10-31", ReasonSeverity.Info)]
    [InlineData("2026-11-01", ReasonSeverity.Deny)]
    public void Rural_clinics_bill_beside_transitional_care_from_a_day_on(string from, ReasonSeverity severity)
    {
        // Today's clinics bill by code; the day of the change is moved into a month that can be billed so.
        var month = Complete()
            .With(new PracticePolicy { Facility = FacilityKind.Rhc })
            .Add(Service("99495", "2026-10-05"))
            .Log(2700);
        month.Rules = ChangedRules.With(rules => rules["facilityTcmFrom"] = from);

        month.Decide().ShouldSay("CCM-K03", severity);
    }

    [Fact]
    public void Every_code_without_an_amount_is_named()
    {
        var month = Complete().Log(2400);
        month.Rules = ChangedRules.Unpriced("99439", "99490");

        var decision = month.Decide();

        decision.Codes().ShouldBe("none");
        decision
            .Reasons.Single(reason => reason.Code == "CCM-B01")
            .Text.ShouldStartWith("No national amount is known for 99439, 99490 on that day");
    }

    [Fact]
    public void Planning_without_an_amount_is_held_and_does_not_stand_alone()
    {
        var month = Planned().Log(1200);
        month.Rules = ChangedRules.Unpriced("G0506");

        var decision = month.Decide();

        decision.Codes().ShouldBe("none");
        decision.ShouldSay("CCM-B01", ReasonSeverity.Hold);
    }

    [Fact]
    public void Planning_that_the_practice_gives_away_stands_where_the_rest_has_no_amount()
    {
        var month = Planned().Charging(("G0506", 0m)).Log(1200);
        month.Rules = ChangedRules.Unpriced("99490");

        var decision = month.Decide();

        decision.Codes().ShouldBe("G0506x1");
        decision.Lines.ShouldHaveSingleItem().Net.ShouldBe(0m);
    }

    // The initiating visit lies in the month and asks for G0506.
    private static PatientMonth Planned() =>
        Complete()
            .With<VisitFact>(visit =>
                visit with
                {
                    ExtensivePlanning = true,
                    Period = Between("2026-10-02T13:30:00Z", "2026-10-02T14:00:00Z"),
                }
            )
            .With<ConsentFact>(consent =>
                consent with
                {
                    Window = new Stretch(Unix("2026-10-02T14:00:00Z"), Stretch.Always.End),
                }
            );
}
