using System.Text;
using System.Text.Json.Nodes;

namespace CcmFhir.Domain.Tests;

/// <summary>A rule set that is wrong stops the start and names the row.</summary>
public class RuleSetTest
{
    [Theory]
    // Gaps.
    [InlineData("conversionFactors", 1, "from", "\"2016-01-02\"", "conversionFactors from 2016-01-02: it leaves a gap")]
    [InlineData("conversionFactors", 0, "from", "\"2015-01-02\"", "conversionFactors: the rows must cover 2015-01-01")]
    [InlineData("policies", 0, "to", "\"2019-12-30\"", "policies 'medicare-current' from 2020-01-01: it leaves a gap")]
    [InlineData("policies", 3, "to", "\"2026-12-30\"", "policies 'conservative': the rows must cover")]
    [InlineData("families", 0, "to", "\"2019-11-30\"", "families 'staff' from 2020-01-01: it leaves a gap")]
    [InlineData("facilities", 4, "from", "\"2025-10-02\"", "facilities from 2025-10-02: it leaves a gap")]
    [InlineData(
        "conflicts",
        17,
        "from",
        "\"2026-01-02\"",
        "conflicts 'community-health' from 2026-01-02: it leaves a gap"
    )]
    // Overlaps.
    [InlineData("conversionFactors", 1, "from", "\"2015-12-31\"", "conversionFactors from 2015-12-31: it overlaps")]
    [InlineData("codes", 1, "from", "\"2015-12-31\"", "codes '99490' from 2015-12-31: it overlaps")]
    [InlineData("policies", 0, "to", "\"2020-01-01\"", "policies 'medicare-current' from 2020-01-01: it overlaps")]
    [InlineData("families", 1, "from", "\"2019-12-31\"", "families 'staff' from 2019-12-31: it overlaps")]
    [InlineData("conflicts", 17, "from", "\"2025-12-31\"", "conflicts 'community-health' from 2025-12-31: it overlaps")]
    // Ends before it begins.
    [InlineData(
        "conflicts",
        0,
        "to",
        "\"2014-12-31\"",
        "conflicts 'care-management-again' from 2015-01-01: it ends before it begins"
    )]
    // Unknown codes.
    [InlineData("families", 0, "base", "\"99499\"", "families 'staff' from 2015-01-01: code 99499 has no row in codes")]
    [InlineData(
        "families",
        2,
        "addOn",
        "\"99438\"",
        "families 'staff' from 2021-01-01: code 99438 has no row in codes"
    )]
    [InlineData(
        "families",
        3,
        "from",
        "\"2016-01-01\"",
        "families 'complex' from 2016-01-01: code 99487 has no row in codes"
    )]
    [InlineData("codes", 0, "code", "\"9949\"", "'9949' is neither a CPT or HCPCS code nor a range")]
    [InlineData(
        "conflicts",
        0,
        "codes",
        "[\"99490-99439\"]",
        "conflicts 'care-management-again' from 2015-01-01: '99490-99439' is neither"
    )]
    [InlineData(
        "conflicts",
        0,
        "codes",
        "[\"99490-G0439\"]",
        "conflicts 'care-management-again' from 2015-01-01: '99490-G0439' is neither"
    )]
    [InlineData("conflicts", 0, "codes", "[]", "conflicts 'care-management-again' from 2015-01-01: names no code")]
    [InlineData("conflicts", 0, "codes", "[\"99490\", \"99489-99491\"]", "code 99490 stands twice")]
    // Unknown words and amounts that cannot be.
    [InlineData(
        "conflicts",
        0,
        "same",
        "\"forbid\"",
        "conflicts 'care-management-again' from 2015-01-01: the words for same and other"
    )]
    [InlineData(
        "conflicts",
        0,
        "other",
        "\"\"",
        "conflicts 'care-management-again' from 2015-01-01: the words for same and other"
    )]
    [InlineData(
        "conflicts",
        0,
        "programs",
        "[\"tcm\"]",
        "conflicts 'care-management-again' from 2015-01-01: programs must be some of ccm"
    )]
    [InlineData(
        "conflicts",
        0,
        "programs",
        "[]",
        "conflicts 'care-management-again' from 2015-01-01: programs must be some of ccm"
    )]
    [InlineData(
        "conflicts",
        0,
        "setting",
        "\"rtm\"",
        "conflicts 'care-management-again' from 2015-01-01: setting 'rtm' is not known"
    )]
    [InlineData(
        "conflicts",
        0,
        "reason",
        "\"CCM-T01\"",
        "conflicts 'care-management-again' from 2015-01-01: reason 'CCM-T01'"
    )]
    [InlineData("families", 0, "seconds", "0", "families 'staff' from 2015-01-01: seconds and step must be positive")]
    [InlineData("families", 1, "step", "0", "families 'staff' from 2020-01-01: seconds and step must be positive")]
    [InlineData("families", 1, "cap", "-1", "families 'staff' from 2020-01-01: seconds and step must be positive")]
    [InlineData("codes", 0, "units", "0", "codes 99490 from 2015-01-01: units and rate must be positive")]
    [InlineData("codes", 0, "facilityUnits", "-1", "codes 99490 from 2015-01-01: units and rate must be positive")]
    [InlineData("codes", 0, "facilityUnits", "0", "codes 99490 from 2015-01-01: units and rate must be positive")]
    [InlineData("codes", 61, "rate", "0", "codes G0511 from 2018-01-01: units and rate must be positive")]
    [InlineData("codes", 0, "rate", "1", "codes 99490 from 2015-01-01: has units and a rate")]
    [InlineData("conversionFactors", 2, "factor", "0", "conversionFactors from 2017-01-01: a factor must be positive")]
    [InlineData(
        "conversionFactors",
        2,
        "qualifyingFactor",
        "-3",
        "conversionFactors from 2017-01-01: a factor must be positive"
    )]
    [InlineData(
        "conversionFactors",
        12,
        "qualifyingFactor",
        "0",
        "conversionFactors from 2026-01-01: a factor must be positive"
    )]
    [InlineData("categories", 0, "prefixes", "[\"E0\"]", "categories 'hypothyroidism': 'E0' is no ICD-10-CM prefix")]
    [InlineData("categories", 0, "prefixes", "[\"999\"]", "categories 'hypothyroidism': '999' is no ICD-10-CM prefix")]
    [InlineData("categories", 0, "prefixes", "[\"I21\"]", "prefix I21 stands twice")]
    public void A_row_that_is_wrong_is_named(string table, int row, string column, string value, string message)
    {
        Should
            .Throw<RuleSetException>(() =>
                ChangedRules.With(rules => rules[table]![row]![column] = JsonNode.Parse(value))
            )
            .Message.ShouldContain(message);
    }

    [Theory]
    [InlineData("initiatingVisitCodes", "[\"office\"]", "initiatingVisitCodes: 'office' is neither")]
    [InlineData("evaluationCodes", "[]", "evaluationCodes: names no code")]
    [InlineData("tcmCodes", "[\"99495\",\"99495\"]", "tcmCodes: code 99495 stands twice")]
    [InlineData("last", "\"2014-12-31\"", "ends before it begins")]
    [InlineData("surprise", "1", "surprise")]
    [InlineData("codes", "null", "codes")]
    public void A_table_that_is_wrong_is_named(string table, string value, string message)
    {
        Should
            .Throw<RuleSetException>(() => ChangedRules.With(rules => rules[table] = JsonNode.Parse(value)))
            .Message.ShouldContain(message);
    }

    [Theory]
    [InlineData("not json")]
    [InlineData("null")]
    [InlineData("{}")]
    public void What_is_no_rule_set_is_refused(string text) =>
        Should.Throw<RuleSetException>(() => RuleSet.Read(new MemoryStream(Encoding.UTF8.GetBytes(text))));

    [Theory]
    [InlineData("2027-01", "2027: no rule set; latest 2026")]
    [InlineData("2031-05", "2031: no rule set; latest 2026")]
    [InlineData("2014-12", "2014: no rule set; earliest 2015")]
    [InlineData("2015-01", null)]
    [InlineData("2026-12", null)]
    public void A_month_without_rules_is_refused_with_what_is_known(string text, string? unknown)
    {
        ServiceMonth.TryParse(text, out var month).ShouldBeTrue();
        RuleSet.Medicare.Unknown(month).ShouldBe(unknown);

        var patient = PatientMonth.Complete();
        patient.Month = month;
        if (unknown is null)
        {
            patient.Decide().RuleSet.ShouldBe($"cms-{text[..4]}.1");
        }
        else
        {
            Should.Throw<RuleSetException>(patient.Decide).Message.ShouldStartWith(unknown);
        }
    }

    [Fact]
    public void An_unknown_policy_is_refused_with_those_that_are_known()
    {
        var patient = PatientMonth.Complete().With(new PracticePolicy { Name = "generous" });

        Should
            .Throw<RuleSetException>(patient.Decide)
            .Message.ShouldContain("conservative, medicare-2017-2019, medicare-current");
    }

    [Fact]
    public void Every_day_of_every_month_from_2015_to_2026_has_rules()
    {
        for (var month = new ServiceMonth(2015, 1); month <= new ServiceMonth(2026, 12); month = month.Next)
        {
            RuleSet.Medicare.NameFor(month).ShouldNotBeNull();
            RuleSet.Medicare.Family("staff", month.FirstDay)!.Base.ShouldBe("99490");
            RuleSet.Medicare.Amount("99490", month.LastDay).ShouldNotBeNull();
            foreach (var policy in RuleSet.Medicare.Policies)
            {
                RuleSet.Medicare.Policy(policy, month.LastDay).Source.ShouldNotBeEmpty();
            }
        }
    }

    [Theory]
    [InlineData("E11.9", "diabetes", true)]
    [InlineData("E11", "diabetes", true)]
    [InlineData("I21.4", "ischaemic heart disease", false)]
    [InlineData("I25.10", "ischaemic heart disease", true)]
    [InlineData("Z85.038", "colorectal cancer", true)]
    [InlineData("Q99.9", "Q99", false)]
    [InlineData("Z9", "Z9", false)]
    public void The_category_of_a_condition(string icd, string category, bool listed)
    {
        RuleSet.Medicare.Category(icd, out var known).ShouldBe(category);
        known.ShouldBe(listed);
    }
}
