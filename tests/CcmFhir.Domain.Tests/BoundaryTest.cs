using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>The first and last of what counts, one by one.</summary>
public class BoundaryTest
{
    [Theory]
    [InlineData("99490")]
    [InlineData("99439")]
    [InlineData("G2058")]
    [InlineData("99487")]
    [InlineData("99489")]
    [InlineData("99491")]
    [InlineData("99437")]
    [InlineData("G0511")]
    [InlineData("99424")]
    [InlineData("99425")]
    [InlineData("99426")]
    [InlineData("99427")]
    [InlineData("G2064")]
    [InlineData("G2065")]
    public void A_claim_of_care_management_shows_that_it_is_under_way(string code) =>
        Complete()
            .Without<VisitFact>()
            .Issued("2026-08", code)
            .Log(1200)
            .Decide()
            .Reasons.ShouldNotContain(reason => reason.Code == "CCM-I01");

    [Theory]
    [InlineData("finished", true)]
    [InlineData("in-progress", true)]
    [InlineData("onleave", true)]
    [InlineData("arrived", true)]
    [InlineData("triaged", true)]
    [InlineData("planned", false)]
    [InlineData("entered-in-error", false)]
    public void Visits_that_took_place(string status, bool took) =>
        Eligibility
            .TookPlace(Visit("v", "2026-09-15T12:00:00Z", "2026-09-15T13:00:00Z", "99214") with { Status = status })
            .ShouldBe(took);

    [Theory]
    [InlineData("staff", "2020-01-01", "G2058")]
    [InlineData("staff", "2020-12-31", "G2058")]
    [InlineData("staff", "2021-01-01", "99439")]
    [InlineData("staff", "2026-12-31", "99439")]
    public void A_family_from_its_first_day_to_its_last(string family, string day, string addOn) =>
        RuleSet.Medicare.Family(family, Day(day))!.AddOn.ShouldBe(addOn);

    [Theory]
    [InlineData("2019-12-31", TcmPolicy.DenyUnlessEnded)]
    [InlineData("2020-01-01", TcmPolicy.Allow)]
    [InlineData("2026-12-31", TcmPolicy.Allow)]
    public void A_policy_from_its_first_day_to_its_last(string day, TcmPolicy tcm) =>
        RuleSet.Medicare.Policy("medicare-current", Day(day)).Tcm.ShouldBe(tcm);

    [Theory]
    [InlineData("2026-07-04", 0)]
    [InlineData("2026-07-05", 1)]
    [InlineData("2026-12-31", 1)]
    public void A_conflict_from_its_first_day_to_its_last(string day, int rows) =>
        RuleSet.Medicare.Conflicts("G0676", Day(day), "ccm").Count().ShouldBe(rows);

    [Theory]
    [InlineData("2017-12-31", FacilityBilling.BaseOnly)]
    [InlineData("2018-01-01", FacilityBilling.Bundle)]
    [InlineData("2025-09-30", FacilityBilling.Either)]
    [InlineData("2025-10-01", FacilityBilling.Codes)]
    public void A_facility_from_its_first_day_to_its_last(string day, FacilityBilling bills) =>
        RuleSet.Medicare.Facility(Day(day)).Bills.ShouldBe(bills);

    [Theory]
    [InlineData("2025-09-30", true)]
    [InlineData("2025-10-01", false)]
    [InlineData("2018-01-01", true)]
    [InlineData("2017-12-31", false)]
    public void A_code_from_its_first_day_to_its_last(string day, bool exists) =>
        RuleSet.Medicare.Exists("G0511", Day(day)).ShouldBe(exists);

    [Theory]
    [InlineData("2026-09-28T04:00:00Z", "2026-10-12", "2026-10-12")]
    [InlineData("2026-09-29T04:00:00Z", "2026-10-12", "2026-09-28")]
    [InlineData("2026-10-13T04:00:00Z", "2026-10-12", "2026-10-12")]
    [InlineData("2026-10-13T04:00:01Z", "2026-10-12", "2026-10-12")]
    [InlineData("2026-10-05T04:00:00Z", "2026-10-12", "2026-10-04")]
    public void Transitional_care_begins_with_a_discharge_of_the_fortnight(string ended, string service, string first)
    {
        var facts = new CareFact[]
        {
            Service("99495", service),
            new StayFact("Encounter/a", StayKind.Inpatient, Between("2026-09-01T12:00:00Z", ended)),
            new StayFact("Encounter/b", StayKind.Inpatient, Between("2026-09-01T12:00:00Z", "2026-09-03T12:00:00Z")),
            new StayFact("Encounter/c", StayKind.Hospice, Between("2026-09-01T12:00:00Z", "2026-10-11T12:00:00Z")),
            new StayFact(
                "Encounter/d",
                StayKind.Inpatient,
                new Stretch(Unix("2026-10-01T12:00:00Z"), Stretch.Always.End)
            ),
        };

        var care = Conflicts
            .Transitional(
                PatientLedger.Fold("Patient/p", facts),
                Of(new PracticePolicy()),
                new ServiceMonth(2026, 10),
                RuleSet.Medicare
            )
            .ShouldHaveSingleItem();

        care.First.ShouldBe(Day(first));
        care.Last.ShouldBe(Day(first).AddDays(29));
    }

    [Fact]
    public void Months_that_are_equal_are_neither_earlier_nor_later()
    {
        var (one, same) = (new ServiceMonth(2026, 10), new ServiceMonth(2026, 10));

        (one > same).ShouldBeFalse();
        (one < same).ShouldBeFalse();
        (one >= same).ShouldBeTrue();
        (one <= same).ShouldBeTrue();
    }

    [Fact]
    public void A_practice_is_an_office_unless_it_says_otherwise() =>
        Of(new PracticePolicy()).PlaceOfService.ShouldBe("11");

    private static DateOnly Day(string text) => DateOnly.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
}
