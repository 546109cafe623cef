using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Services that share the month, by who billed them, year and policy.</summary>
public class ConflictTest
{
    private const string Billed = "99439x1, 99490x1";

    [Theory]
    // Care management of anybody.
    [InlineData("99490", true, "CCM-K01", ReasonSeverity.Deny)]
    [InlineData("99490", false, "CCM-K01", ReasonSeverity.Deny)]
    [InlineData("99439", false, "CCM-K01", ReasonSeverity.Deny)]
    [InlineData("99487", false, "CCM-K01", ReasonSeverity.Deny)]
    [InlineData("99489", false, "CCM-K01", ReasonSeverity.Deny)]
    [InlineData("99491", false, "CCM-K01", ReasonSeverity.Deny)]
    [InlineData("99437", false, "CCM-K01", ReasonSeverity.Deny)]
    // Exclusive for the same practitioner.
    [InlineData("G0181", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("G0181", false, "CCM-K02", ReasonSeverity.Warn)]
    [InlineData("G0182", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("90951", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("90960", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("90970", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("99424", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("99427", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("G0556", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("G0557", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("G0558", true, "CCM-K02", ReasonSeverity.Deny)]
    [InlineData("G0557", false, "CCM-K02", ReasonSeverity.Warn)]
    // Concurrent, with minutes of their own.
    [InlineData("99457", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99458", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99470", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("98980", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99484", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99492", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99494", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99091", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("99374", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("G0019", true, "CCM-K04", ReasonSeverity.Warn)]
    [InlineData("G0676", false, "CCM-K04", ReasonSeverity.Warn)]
    // Transitional care is allowed since 2020.
    [InlineData("99495", true, "CCM-K03", ReasonSeverity.Info)]
    [InlineData("99496", false, "CCM-K03", ReasonSeverity.Info)]
    public void A_service_in_the_month(string code, bool own, string reason, ReasonSeverity severity)
    {
        var decision = Complete().Add(Service(code, "2026-10-12", own)).Log(2700).Decide();

        decision.Codes().ShouldBe(severity == ReasonSeverity.Deny ? "none" : Billed);
        decision.ShouldSay(reason, severity);
        decision.Reasons.Single(one => one.Code == reason).References.ShouldBe([$"ChargeItem/s-{code}"]);
    }

    [Theory]
    [InlineData("G0179", true)]
    [InlineData("G0180", true)]
    [InlineData("G0182", false)]
    [InlineData("90960", false)]
    [InlineData("99426", false)]
    [InlineData("99214", true)]
    [InlineData("99358", false)]
    [InlineData("99091", false)]
    public void A_service_that_does_not_matter(string code, bool own)
    {
        var decision = Complete().Add(Service(code, "2026-10-12", own)).Log(2700).Decide();

        decision.Codes().ShouldBe(Billed);
        decision.Reasons.ShouldNotContain(reason => reason.Code.StartsWith("CCM-K", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2026-09-30", false)]
    [InlineData("2026-10-01", true)]
    [InlineData("2026-10-31", true)]
    [InlineData("2026-11-01", false)]
    public void Only_the_month_itself_matters(string day, bool denied) =>
        Complete().Add(Service("99490", day, own: false)).Log(2700).Decide().Codes().ShouldBe(denied ? "none" : Billed);

    [Fact]
    public void A_service_over_a_period_matters_where_it_reaches_into_the_month()
    {
        var service = Service("G0181", "2026-09-15") with { LastDay = new DateOnly(2026, 10, 1) };

        Complete().Add(service).Log(2700).Decide().Codes().ShouldBe("none");
    }

    [Theory]
    [InlineData("G0181", ReasonSeverity.Hold)]
    [InlineData("90960", ReasonSeverity.Hold)]
    [InlineData("99490", ReasonSeverity.Deny)]
    public void Who_billed_it_is_not_said(string code, ReasonSeverity severity)
    {
        var decision = Complete()
            .Add(Service(code, "2026-10-12") with { Practitioners = [], Organizations = [] })
            .Log(2700)
            .Decide();

        decision.Codes().ShouldBe("none");
        decision.Reasons.ShouldContain(reason => reason.Severity == severity);
    }

    [Theory]
    [InlineData("1245319599", "", true)]
    [InlineData("", "1234567893", true)]
    [InlineData("1538596788", "", false)]
    public void Who_billed_it_may_be_told_by_npi(string practitioner, string organization, bool own)
    {
        var service = Service("G0181", "2026-10-12") with
        {
            Practitioners = [],
            Organizations = [],
            PractitionerNpis = practitioner.Length > 0 ? [practitioner] : [],
            OrganizationNpis = organization.Length > 0 ? [organization] : [],
        };

        Complete()
            .Add(service)
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K02", own ? ReasonSeverity.Deny : ReasonSeverity.Warn);
    }

    [Fact]
    public void What_is_only_planned_denies_nothing_yet()
    {
        var decision = Complete().Add(Service("G0181", "2026-10-28") with { Planned = true }).Log(2700).Decide();

        decision.Codes().ShouldBe(Billed);
        decision.ShouldSay("CCM-K02", ReasonSeverity.Warn);
    }

    [Theory]
    [InlineData("medicare-current", "CCM-K02", ReasonSeverity.Warn)]
    [InlineData("medicare-2017-2019", "CCM-K02", ReasonSeverity.Warn)]
    [InlineData("conservative", "CCM-K02", ReasonSeverity.Deny)]
    public void Anothers_home_health_supervision_by_policy(string policy, string reason, ReasonSeverity severity) =>
        Complete()
            .With(new PracticePolicy { Name = policy })
            .Add(Service("G0181", "2026-10-12", own: false))
            .Log(2700)
            .Decide()
            .ShouldSay(reason, severity);

    [Fact]
    public void Settings_come_before_the_policy()
    {
        Complete()
            .With(new PracticePolicy { G0181SameMonth = HomeHealthPolicy.DenyAny })
            .Add(Service("G0181", "2026-10-12", own: false))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K02", ReasonSeverity.Deny);
        Complete()
            .With(new PracticePolicy { RpmDenies = true })
            .Add(Service("99457", "2026-10-12"))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K04", ReasonSeverity.Deny);
        Complete()
            .With(new PracticePolicy { TcmSameMonth = TcmPolicy.Deny })
            .Add(Service("99495", "2026-10-12"))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K03", ReasonSeverity.Deny);
        Complete()
            .With(new PracticePolicy { Name = "conservative", TcmSameMonth = TcmPolicy.Allow })
            .Add(Service("99495", "2026-10-12"))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K03", ReasonSeverity.Info);
    }

    [Theory]
    [InlineData("medicare-current", 2026, ReasonSeverity.Info)]
    [InlineData("medicare-current", 2020, ReasonSeverity.Info)]
    [InlineData("medicare-current", 2019, ReasonSeverity.Deny)]
    [InlineData("medicare-2017-2019", 2018, ReasonSeverity.Deny)]
    [InlineData("medicare-2017-2019", 2026, ReasonSeverity.Deny)]
    [InlineData("conservative", 2026, ReasonSeverity.Deny)]
    public void Transitional_care_by_policy_and_year(string policy, int year, ReasonSeverity severity)
    {
        var decision = In(year, 10)
            .With(new PracticePolicy { Name = policy })
            .Add(Service("99495", $"{year}-10-02"))
            .Log(2700)
            .Decide();

        decision.ShouldSay("CCM-K03", severity);
        (decision.Lines.Count == 0).ShouldBe(severity == ReasonSeverity.Deny);
        decision.Reasons.ShouldNotContain(reason => reason.Code == "CCM-T01");
    }

    [Theory]
    // 30 days from the 20th of September on end on the 19th of October.
    [InlineData("2018-09-20", "2018-10-19T23:59:00-04:00", 1200, "none")]
    [InlineData("2018-09-20", "2018-10-20T00:00:00-04:00", 1200, "99490x1")]
    [InlineData("2018-09-20", "2018-10-20T00:00:00-04:00", 1199, "none")]
    [InlineData("2018-09-01", "2018-10-02T00:00:00-04:00", 1200, "99490x1")]
    // Ends on the last day of the month: no time can follow.
    [InlineData("2018-10-02", "2018-10-31T10:00:00-04:00", 2400, "none")]
    public void To_2019_the_threshold_had_to_be_met_after_the_30_days(
        string discharge,
        string start,
        long seconds,
        string codes
    )
    {
        var decision = In(2018, 10).Add(Service("99495", discharge)).Log(seconds, start: start).Decide();

        decision.Codes().ShouldBe(codes);
    }

    [Fact]
    public void Time_within_the_30_days_then_counts_for_neither()
    {
        var decision = In(2018, 10)
            .Add(Service("99495", "2018-09-20"))
            .Log(2400, start: "2018-10-05T10:00:00-04:00")
            .Log(1200, start: "2018-10-25T10:00:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(1200);
        decision.Time.Logged.ShouldBe(3600);
        decision.ShouldSay("CCM-K03", ReasonSeverity.Info);
    }

    [Theory]
    [InlineData("2018-09-05T12:00:00-04:00", "2018-09-05")]
    [InlineData("2018-09-01T12:00:00-04:00", "2018-09-01")]
    [InlineData("2018-08-20T12:00:00-04:00", "2018-09-14")]
    public void The_30_days_begin_with_the_discharge_where_it_is_known(string discharged, string first)
    {
        var month = In(2018, 10)
            .Add(
                Service("99495", "2018-09-14"),
                new StayFact(
                    "Encounter/stay",
                    StayKind.Inpatient,
                    new Stretch(Unix("2018-08-10T00:00:00Z"), Unix(discharged))
                )
            );

        var decision = month.Log(2400, start: "2018-10-30T10:00:00-04:00").Decide();

        decision.Reasons.Where(reason => reason.Code == "CCM-K03").ShouldAllBe(reason => reason.Text.Contains(first));
    }

    [Theory]
    [InlineData(FacilityKind.Rhc, 2021, ReasonSeverity.Deny)]
    [InlineData(FacilityKind.Rhc, 2022, ReasonSeverity.Info)]
    [InlineData(FacilityKind.None, 2021, ReasonSeverity.Info)]
    public void Rural_clinics_came_later_to_transitional_care(FacilityKind kind, int year, ReasonSeverity severity) =>
        In(year, 10)
            .With(new PracticePolicy { Facility = kind })
            .Add(Service("99495", $"{year}-10-05"))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K03", severity);

    [Theory]
    [InlineData("99358", true, "99439x2, 99490x1")]
    [InlineData("99359", true, "99439x2, 99490x1")]
    [InlineData("99358", false, "99487x1")]
    public void Prolonged_service_excludes_complex_only(string code, bool own, string codes) =>
        Complete()
            .Add(Mdm("high", "2026-10-20T12:00:00-04:00"), Service(code, "2026-10-20", own))
            .Log(3600)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Theory]
    [InlineData("G0557", 2024, true)]
    [InlineData("99424", 2019, true)]
    [InlineData("G0676", 2026, true)]
    public void A_row_matters_only_in_its_years(string code, int year, bool ignored)
    {
        var month = In(year, 6).Add(Service(code, $"{year}-06-10")).Log(1200);

        month
            .Decide()
            .Reasons.Any(reason => reason.Code.StartsWith("CCM-K", StringComparison.Ordinal))
            .ShouldBe(!ignored);
    }

    [Fact]
    public void A_visit_with_a_code_that_conflicts_is_a_conflict() =>
        Complete()
            .Add(Visit("esrd", "2026-10-12T10:00:00-04:00", "2026-10-12T10:30:00-04:00", "90960"))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K02", ReasonSeverity.Deny);

    [Fact]
    public void Hospice_is_a_warning_and_its_supervision_a_denial()
    {
        var hospice = new StayFact(
            "Encounter/h",
            StayKind.Hospice,
            new Stretch(Unix("2026-09-01T00:00:00Z"), Stretch.Always.End)
        );

        var decision = Complete().Add(hospice).Log(2700).Decide();
        decision.Codes().ShouldBe(Billed);
        decision.ShouldSay("CCM-K05", ReasonSeverity.Warn);

        Complete()
            .Add(hospice, Service("G0182", "2026-10-12"))
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-K02", ReasonSeverity.Deny);
        Complete()
            .Add(hospice with { Period = Between("2026-09-01T00:00:00-04:00", "2026-10-01T00:00:00-04:00") })
            .Log(2700)
            .Decide()
            .Reasons.ShouldNotContain(reason => reason.Code == "CCM-K05");
    }

    [Theory]
    [InlineData(PracticeA, "none")]
    [InlineData(PracticeB, Billed)]
    [InlineData(null, Billed)]
    public void A_patient_aligned_under_access(string? participant, string codes)
    {
        var aligned = new AccessAlignmentFact(
            "EpisodeOfCare/a",
            Between("2026-08-01T00:00:00-04:00", "2027-08-01T00:00:00-04:00"),
            participant
        );

        var decision = Complete().Add(aligned).Log(2700).Decide();

        decision.Codes().ShouldBe(codes);
        decision.Reasons.ShouldContain(reason => reason.Code == (codes == "none" ? "CCM-K02" : "CCM-K04"));
    }

    [Fact]
    public void Denials_stand_before_holds_warnings_and_information()
    {
        var decision = Complete()
            .Without<CarePlanFact>()
            .Add(
                Service("99490", "2026-10-12", own: false),
                Service("99457", "2026-10-13"),
                Service("99495", "2026-10-02")
            )
            .Log(2700)
            .Decide();

        decision.Reasons.Select(reason => reason.Code).ShouldBe(["CCM-K01", "CCM-P01", "CCM-K04", "CCM-K03"]);
        decision.Potential.ShouldBeEmpty();
        decision.IsHeld.ShouldBeFalse();
    }

    [Fact]
    public void A_month_that_another_biller_has_is_denied_before_all_else()
    {
        var decision = Complete()
            .Add(Service("99457", "2026-10-13"))
            .Log(2700)
            .Decide()
            .BilledElsewhere("Practice B has it");

        decision.Codes().ShouldBe("none");
        decision.Potential.ShouldBeEmpty();
        decision.Reasons.Select(reason => reason.Code).ShouldBe(["CCM-K01", "CCM-K04"]);
        decision.Trace[^1].Finding.ShouldBe("Practice B has it");
    }

    [Fact]
    public void The_forecast_says_how_far_it_is_what_is_missing_and_what_looms()
    {
        var month = Complete()
            .Without<CarePlanFact>()
            .Add(Service("G0181", "2026-10-28") with { Planned = true })
            .Log(900, start: "2026-10-02T10:00:00-04:00");
        month.AsOf = At("2026-10-12T12:00:00-04:00");

        var forecast = month.Decide().Forecast;

        forecast.Next.ShouldBe(new NextUnit("99490", 1200, 300));
        forecast.Missing.Select(reason => reason.Code).ShouldBe(["CCM-P01", "CCM-T01"]);
        forecast.Looming.ShouldHaveSingleItem().Code.ShouldBe("CCM-K02");
    }
}
