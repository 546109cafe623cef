using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Where several would do, it is always the same one, whatever came first.</summary>
public class TieTest
{
    private const string DoctorC = "Practitioner/dr-c";

    [Theory]
    // The discharge of the very day is later than one of the week before.
    [InlineData("2026-10-05T12:00:00Z", "2026-10-12T12:00:00Z", "2026-10-12")]
    [InlineData("2026-10-12T12:00:00Z", "2026-10-05T12:00:00Z", "2026-10-12")]
    [InlineData("2026-10-05T12:00:00Z", "2026-10-08T12:00:00Z", "2026-10-08")]
    [InlineData("2026-10-08T12:00:00Z", "2026-10-05T12:00:00Z", "2026-10-08")]
    public void Transitional_care_begins_with_the_last_of_two_discharges(string one, string two, string first) =>
        Transitional(
                Service("99495", "2026-10-12"),
                new StayFact("Encounter/a", StayKind.Inpatient, Between("2026-10-01T12:00:00Z", one)),
                new StayFact("Encounter/b", StayKind.Inpatient, Between("2026-10-01T12:00:00Z", two))
            )
            .ShouldHaveSingleItem()
            .First.ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture)
            .ShouldBe(first);

    [Fact]
    public void Each_of_two_transitional_cares_is_found() =>
        Transitional(Service("99495", "2026-09-12", id: "a"), Service("99496", "2026-10-20", id: "b"))
            .Select(care => care.Service.Code)
            .ShouldBe(["99495", "99496"]);

    [Fact]
    public void Of_two_visits_at_one_moment_the_last_by_reference_initiates() =>
        Complete()
            .Add(Visit("a", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "99213"))
            .Add(Visit("z", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "99215"))
            .Log(1200)
            .Decide()
            .Visit!.Reference.ShouldBe("Encounter/z");

    [Fact]
    public void Of_two_visits_at_one_moment_that_ask_for_planning_the_first_by_reference_has_it()
    {
        var month = Complete().Without<VisitFact>();
        foreach (var id in (string[])["b", "a"])
        {
            month.Add(
                Visit(id, "2026-10-02T09:30:00-04:00", "2026-10-02T10:00:00-04:00", "99214") with
                {
                    ExtensivePlanning = true,
                }
            );
        }

        var decision = month.With<VisitFact>(one => one with { Codes = ["36415"] }).Log(1200).Decide();

        decision.Reasons.Single(reason => reason.Code == "CCM-G01").References.ShouldBe(["Encounter/a"]);
    }

    [Fact]
    public void Logs_of_one_moment_stand_by_reference_whatever_came_first()
    {
        var logs = Enumerable
            .Range(0, 40)
            .Select(number => new TimeLogFact(
                string.Create(System.Globalization.CultureInfo.InvariantCulture, $"Task/{number:D2}"),
                "completed",
                "care-coordination",
                PerformerRole.ClinicalStaff,
                Rn,
                Between("2026-10-05T14:00:00Z", "2026-10-05T14:10:00Z"),
                1,
                null
            ))
            .ToList();
        var month = new ServiceMonth(2026, 10).Bounds(TimeZoneInfo.Utc);
        var bounds = new TimeBounds(month, month.End, Stretches.Of(Stretch.Always), [], null, null, []);

        var ledger = TimeLedger.Add(logs.AsEnumerable().Reverse(), bounds, new PracticePolicy());

        ledger.Entries.Select(entry => entry.Log).ShouldBe(logs);
    }

    [Theory]
    [InlineData(new[] { Rn, DoctorA }, PracticeB, true)]
    [InlineData(new[] { DoctorA }, PracticeB, true)]
    [InlineData(new[] { DoctorA }, null, true)]
    [InlineData(new[] { DoctorB, Rn }, PracticeA, true)]
    [InlineData(new[] { DoctorB, Rn }, PracticeB, false)]
    [InlineData(new string[0], PracticeB, false)]
    [InlineData(new string[0], PracticeA, true)]
    public void A_visit_is_ones_own_where_one_of_its_practitioners_or_the_practice_is_named(
        string[] practitioners,
        string? organization,
        bool own
    ) =>
        Eligibility
            .IsOwn(
                Visit("v", "2026-10-02T13:30:00Z", "2026-10-02T14:00:00Z", "99214") with
                {
                    Practitioners = practitioners,
                    Organization = organization,
                },
                Of(new PracticePolicy())
            )
            .ShouldBe(own);

    [Theory]
    [InlineData("1245319599", ReasonSeverity.Deny)]
    [InlineData("1538596788", ReasonSeverity.Deny)]
    [InlineData("1679576722", ReasonSeverity.Warn)]
    public void A_service_is_ones_own_by_the_NPI_of_any_practitioner(string npi, ReasonSeverity severity)
    {
        var month = Complete()
            .Add(
                Service("G0181", "2026-10-12") with
                {
                    Practitioners = [],
                    Organizations = [],
                    PractitionerNpis = [npi],
                }
            )
            .Log(1200);
        month.Practice = month.Practice with
        {
            Practitioners =
            [
                .. month.Practice.Practitioners,
                new BillingPractitioner(DoctorC, "1538596788", "Dr C", "NP"),
            ],
        };

        month.Decide().ShouldSay("CCM-K02", severity);
    }

    [Theory]
    [InlineData("99358")]
    [InlineData("99359")]
    public void Planning_goes_with_neither_code_of_prolonged_service_on_its_day(string code) =>
        Complete()
            .Add(
                Visit("w", "2026-10-02T09:00:00-04:00", "2026-10-02T09:10:00-04:00", "99214") with
                {
                    ExtensivePlanning = true,
                },
                Service(code, "2026-10-02")
            )
            .Log(2400)
            .Decide()
            .Reasons.Single(reason => reason.Code == "CCM-G01")
            .Text.ShouldStartWith("G0506 may not share a day with prolonged service");

    private static IReadOnlyList<TransitionalCare> Transitional(params CareFact[] facts) =>
        Conflicts.Transitional(
            PatientLedger.Fold("Patient/p", facts),
            Of(new PracticePolicy()),
            new ServiceMonth(2026, 10),
            RuleSet.Medicare
        );
}
