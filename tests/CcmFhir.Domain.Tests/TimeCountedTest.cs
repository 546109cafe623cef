using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Which time counts, and where the rest went.</summary>
public class TimeCountedTest
{
    [Fact]
    public void Two_staff_on_one_patient_at_the_same_moment_count_once()
    {
        var decision = Complete()
            .Log(900, start: "2026-10-05T10:00:00-04:00")
            .Log(900, start: "2026-10-05T10:05:00-04:00", owner: "Practitioner/rn-2")
            .Decide();

        decision.Time.Logged.ShouldBe(1800);
        decision.Time.Counted.ShouldBe(1200);
        decision.Time.Excluded.ShouldBe(600);
        decision.Codes().ShouldBe("99490x1");
        var reason = decision.Reasons.Single(reason => reason.Code == "CCM-T03");
        reason.Severity.ShouldBe(ReasonSeverity.Info);
        reason.Text.ShouldContain("10 min");
        reason.References.ShouldBe(["Task/t002"]);
    }

    [Fact]
    public void A_stretch_inside_another_adds_nothing()
    {
        var decision = Complete()
            .Log(1800, start: "2026-10-05T10:00:00-04:00")
            .Log(600, start: "2026-10-05T10:10:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(1800);
        decision.Time.Entries[1].Counted.Seconds.ShouldBe(0);
    }

    [Theory]
    [InlineData(false, 1200, 600)]
    [InlineData(true, 600, 1200)]
    public void Where_practitioner_and_staff_worked_at_once_the_moment_is_the_practitioners_unless_set_otherwise(
        bool toStaff,
        long practitioner,
        long staff
    )
    {
        var decision = Complete()
            .With(new PracticePolicy { OverlapToStaff = toStaff })
            .Log(1200, PerformerRole.BillingPractitioner, start: "2026-10-05T10:00:00-04:00")
            .Log(1200, start: "2026-10-05T10:10:00-04:00")
            .Decide();

        decision.Time.PractitionerTime.Seconds.ShouldBe(practitioner);
        decision.Time.StaffTime.Seconds.ShouldBe(staff);
    }

    [Theory]
    [InlineData(1800, 3, 600)]
    [InlineData(1800, 1, 1800)]
    [InlineData(1000, 3, 333)]
    [InlineData(3600, 3, 1200)]
    [InlineData(3599, 3, 1199)]
    public void A_stretch_that_served_several_patients_is_divided(long seconds, int served, long counted)
    {
        var decision = Complete().Log(seconds, served: served).Decide();

        decision.Time.Logged.ShouldBe(seconds);
        decision.Time.Counted.ShouldBe(counted);
        decision.Reasons.Any(reason => reason.Code == "CCM-T14").ShouldBe(served > 1);
    }

    [Fact]
    public void Fractions_of_shared_stretches_add_up_and_are_not_lost_one_by_one()
    {
        var decision = Complete().Log(1000, served: 3).Log(1000, served: 3).Log(1000, served: 3).Decide();

        decision.Time.Counted.ShouldBe(1000);
        Complete().Log(1000, served: 3).Log(4000, served: 6).Decide().Time.Counted.ShouldBe(1000);
    }

    [Fact]
    public void A_practitioners_seconds_never_come_from_staffs_fractions()
    {
        var decision = Complete().Log(5399, PerformerRole.BillingPractitioner, served: 3).Log(3601, served: 3).Decide();

        decision.Time.PractitionerTime.Seconds.ShouldBe(1799);
        decision.Time.Counted.ShouldBe(3000);
        decision.Codes().ShouldBe("99439x1, 99490x1");
    }

    [Fact]
    public void A_shared_stretch_never_takes_a_moment_that_counts_in_full()
    {
        var decision = Complete()
            .Log(1800, PerformerRole.BillingPractitioner, start: "2026-10-05T10:00:00-04:00", served: 3)
            .Log(1200, start: "2026-10-05T10:00:00-04:00")
            .Decide();

        decision.Time.StaffTime.Seconds.ShouldBe(1200);
        decision.Time.PractitionerTime.Seconds.ShouldBe(200);
    }

    [Theory]
    [InlineData("care-plan-development")]
    [InlineData("care-plan-revision")]
    [InlineData("care-coordination")]
    [InlineData("medication-management")]
    [InlineData("medication-reconciliation")]
    [InlineData("symptom-management")]
    [InlineData("patient-communication")]
    [InlineData("caregiver-communication")]
    [InlineData("patient-education")]
    [InlineData("transition-coordination")]
    [InlineData("community-services")]
    [InlineData("preventive-care")]
    [InlineData("results-review")]
    [InlineData("record-review")]
    public void Care_management_counts(string activity) =>
        Complete().Log(1200, activity: activity).Decide().Codes().ShouldBe("99490x1");

    [Theory]
    [InlineData("scheduling")]
    [InlineData("billing-admin")]
    [InlineData("prior-authorization")]
    [InlineData("unsuccessful-contact")]
    [InlineData("travel")]
    [InlineData("consent-discussion")]
    [InlineData("something-else")]
    public void Other_work_does_not(string activity)
    {
        var decision = Complete().Log(1080).Log(600, activity: activity).Decide();

        decision.Codes().ShouldBe("none");
        decision.Time.Counted.ShouldBe(1080);
        decision.ShouldSay("CCM-T08", ReasonSeverity.Info);
        decision.ShouldSay("CCM-T01", ReasonSeverity.Deny);
    }

    [Fact]
    public void Prior_authorization_counts_where_the_practice_says_so() =>
        Complete()
            .With(new PracticePolicy { CountPriorAuthorization = true })
            .Log(1200, activity: "prior-authorization")
            .Decide()
            .Codes()
            .ShouldBe("99490x1");

    [Theory]
    [InlineData(PerformerRole.ClinicalStaff, false, true)]
    [InlineData(PerformerRole.BillingPractitioner, false, true)]
    [InlineData(PerformerRole.MedicalAssistant, false, false)]
    [InlineData(PerformerRole.MedicalAssistant, true, true)]
    [InlineData(PerformerRole.NonClinicalStaff, true, false)]
    public void Who_counts(PerformerRole role, bool assistants, bool counts)
    {
        var decision = Complete()
            .With(new PracticePolicy { CountMedicalAssistants = assistants })
            .Log(1500, role)
            .Decide();

        decision.Time.Counted.ShouldBe(counts ? 1500 : 0);
        decision.Codes().ShouldBe(counts ? "99490x1" : "none");
        decision.Reasons.Any(reason => reason.Code == "CCM-T09").ShouldBe(!counts);
    }

    [Theory]
    [InlineData("completed", 1500, 1500)]
    [InlineData("in-progress", 1500, 0)]
    [InlineData("cancelled", 1500, 0)]
    [InlineData("requested", 1500, 0)]
    [InlineData("failed", 1500, 0)]
    [InlineData("entered-in-error", 0, 0)]
    public void Only_completed_work_counts_and_what_was_entered_in_error_was_never_logged(
        string status,
        long logged,
        long counted
    )
    {
        var decision = Complete().Log(1500, status: status).Decide();

        decision.Time.Logged.ShouldBe(logged);
        decision.Time.Counted.ShouldBe(counted);
        decision.Reasons.Any(reason => reason.Code == "CCM-T13").ShouldBe(logged > counted);
    }

    [Theory]
    [InlineData("tcm")]
    [InlineData("rpm")]
    [InlineData("rtm")]
    [InlineData("bhi")]
    [InlineData("cocm")]
    [InlineData("em-visit")]
    [InlineData("awv")]
    [InlineData("extensive-planning")]
    [InlineData("apcm")]
    [InlineData("pcm")]
    public void Minutes_of_another_program_belong_there(string program)
    {
        var decision = Complete().Log(1200).Log(1200, toward: program).Decide();

        decision.Time.Counted.ShouldBe(1200);
        decision.Codes().ShouldBe("99490x1");
        decision.Reasons.Single(reason => reason.Code == "CCM-T12").References.ShouldBe(["Task/t002"]);
    }

    [Fact]
    public void A_stretch_over_the_months_end_is_split_at_local_midnight()
    {
        var month = Complete().Log(1500, start: "2026-10-31T23:50:00-04:00");

        var october = month.Decide();
        month.Month = new ServiceMonth(2026, 11);
        var november = month.Decide();

        october.Time.Counted.ShouldBe(600);
        november.Time.Counted.ShouldBe(900);
        october.ShouldSay("CCM-T10", ReasonSeverity.Info);
        november.ShouldSay("CCM-T10", ReasonSeverity.Info);
    }

    [Fact]
    public void When_the_clocks_go_back_instants_are_subtracted_and_not_wall_clocks()
    {
        var month = Complete()
            .Add(
                new TimeLogFact(
                    "Task/dst",
                    "completed",
                    "care-coordination",
                    PerformerRole.ClinicalStaff,
                    Rn,
                    Between("2026-11-01T01:50:00-04:00", "2026-11-01T01:10:00-05:00"),
                    1,
                    null
                )
            );
        month.Month = new ServiceMonth(2026, 11);

        var decision = month.Decide();

        decision.Time.Counted.ShouldBe(1200);
        decision.Codes().ShouldBe("99490x1");
    }

    [Fact]
    public void When_the_clocks_go_forward_the_hour_that_is_not_there_does_not_count()
    {
        var month = Complete();
        month.Month = new ServiceMonth(2027, 3);

        Between("2027-03-14T01:50:00-05:00", "2027-03-14T03:10:00-04:00").Seconds.ShouldBe(1200);
    }

    [Theory]
    [InlineData("America/Los_Angeles", 1500, 0)]
    [InlineData("UTC", 0, 1500)]
    [InlineData("America/New_York", 600, 900)]
    public void The_practices_zone_decides_where_the_month_ends(string zone, long october, long november)
    {
        var month = Complete().Log(1500, start: "2026-10-31T23:50:00-04:00");
        month.Practice = month.Practice with { TimeZone = TimeZoneInfo.FindSystemTimeZoneById(zone) };

        month.Decide().Time.Logged.ShouldBe(october);
        month.Month = new ServiceMonth(2026, 11);
        month.Decide().Time.Logged.ShouldBe(november);
    }

    [Fact]
    public void Time_within_a_visit_of_the_practice_belongs_to_the_visit()
    {
        var decision = Complete()
            .Add(Visit("tcm", "2026-10-05T10:00:00-04:00", "2026-10-05T10:15:00-04:00", "99495"))
            .Log(2700, start: "2026-10-05T10:00:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(1800);
        decision.Codes().ShouldBe("99490x1");
        decision.Reasons.Single(reason => reason.Code == "CCM-T12").References.ShouldBe(["Encounter/tcm", "Task/t001"]);
    }

    [Fact]
    public void Time_within_a_session_that_the_practice_billed_belongs_there()
    {
        var session = Service("99457", "2026-10-05") with
        {
            Period = Between("2026-10-05T10:00:00-04:00", "2026-10-05T10:20:00-04:00"),
        };

        var decision = Complete().Add(session).Log(2400, start: "2026-10-05T10:00:00-04:00").Decide();

        decision.Time.Counted.ShouldBe(1200);
        decision.Codes().ShouldBe("99490x1");
    }

    [Fact]
    public void A_period_of_a_day_or_more_is_no_session()
    {
        var month = Service("99457", "2026-10-01") with
        {
            LastDay = new DateOnly(2026, 10, 31),
            Period = Between("2026-10-01T00:00:00-04:00", "2026-10-31T00:00:00-04:00"),
        };

        Complete().Add(month).Log(1200).Decide().Time.Counted.ShouldBe(1200);
    }

    [Theory]
    [InlineData("finished", PracticeA, DoctorA, 1200)]
    [InlineData("cancelled", PracticeA, DoctorA, 2400)]
    [InlineData("planned", PracticeA, DoctorA, 2400)]
    [InlineData("finished", PracticeB, DoctorB, 2400)]
    public void Only_visits_of_the_practice_that_took_place_take_time_away(
        string status,
        string practice,
        string doctor,
        long counted
    )
    {
        var visit = Visit("x", "2026-10-05T10:00:00-04:00", "2026-10-05T10:20:00-04:00", "99213") with
        {
            Status = status,
            Organization = practice,
            Practitioners = [doctor],
        };

        Complete().Add(visit).Log(2400, start: "2026-10-05T10:00:00-04:00").Decide().Time.Counted.ShouldBe(counted);
    }

    [Theory]
    [InlineData(EmDayPolicy.ExcludeOverlap, "99213", 2400, 0)]
    [InlineData(EmDayPolicy.ExcludeDay, "99213", 1200, 0)]
    [InlineData(EmDayPolicy.ExcludeDay, "G0439", 2400, 0)]
    [InlineData(EmDayPolicy.ExcludeDay, "99213", 1200, 600)]
    public void A_policy_may_leave_out_staff_time_of_the_whole_day_of_a_visit(
        EmDayPolicy policy,
        string code,
        long staff,
        long practitioner
    )
    {
        var decision = Complete()
            .With(new PracticePolicy { EmDay = policy })
            .Add(Visit("x", "2026-10-05T09:00:00-04:00", "2026-10-05T09:20:00-04:00", code))
            .Log(1200, start: "2026-10-05T17:00:00-04:00")
            .Log(1200, start: "2026-10-06T00:00:00-04:00")
            .Log(practitioner, PerformerRole.BillingPractitioner, start: "2026-10-05T20:00:00-04:00")
            .Decide();

        decision.Time.StaffTime.Seconds.ShouldBe(staff);
        decision.Time.PractitionerTime.Seconds.ShouldBe(practitioner);
    }

    [Theory]
    [InlineData("medicare-current", 2026, 2400)]
    [InlineData("medicare-current", 2018, 2400)]
    [InlineData("medicare-2017-2019", 2026, 1200)]
    [InlineData("conservative", 2026, 1200)]
    public void Which_day_policy_a_policy_has(string policy, int year, long counted)
    {
        var month = In(year, 10).With(new PracticePolicy { Name = policy });

        month
            .Add(Visit("x", $"{year}-10-05T09:00:00-04:00", $"{year}-10-05T09:20:00-04:00", "99213"))
            .Log(1200, start: $"{year}-10-05T17:00:00-04:00")
            .Log(1200, start: $"{year}-10-07T17:00:00-04:00")
            .Decide()
            .Time.Counted.ShouldBe(counted);
    }

    [Theory]
    [InlineData(StayKind.Inpatient, 1200)]
    [InlineData(StayKind.SnfPartA, 1200)]
    [InlineData(StayKind.Hospice, 2400)]
    public void Time_in_a_stay_that_is_paid_for_care_does_not_count(StayKind kind, long counted)
    {
        var decision = Complete()
            .Add(
                new StayFact("Encounter/stay", kind, Between("2026-10-10T00:00:00-04:00", "2026-10-12T00:00:00-04:00"))
            )
            .Log(1200, start: "2026-10-11T10:00:00-04:00")
            .Log(1200, start: "2026-10-12T10:00:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(counted);
        decision.Codes().ShouldBe(counted == 2400 ? "99439x1, 99490x1" : "99490x1");
        decision.Reasons.Any(reason => reason.Code == "CCM-F01").ShouldBe(kind != StayKind.Hospice);
    }

    [Fact]
    public void In_hospital_all_month_nothing_counts()
    {
        var decision = Complete()
            .Add(
                new StayFact(
                    "Encounter/stay",
                    StayKind.Inpatient,
                    new Stretch(Unix("2026-09-30T00:00:00Z"), Stretch.Always.End)
                )
            )
            .Log(2700)
            .Decide();

        decision.Codes().ShouldBe("none");
        decision.Time.Counted.ShouldBe(0);
        decision.ShouldSay("CCM-F01", ReasonSeverity.Info);
    }

    [Fact]
    public void Time_after_death_does_not_count_and_the_claim_is_dated_on_the_day_of_death()
    {
        var decision = Complete()
            .With<PatientFact>(patient =>
                patient with
                {
                    Deceased = true,
                    DeathUnix = Unix("2026-10-12T15:00:00-04:00"),
                }
            )
            .Log(1200, start: "2026-10-11T10:00:00-04:00")
            .Log(1200, start: "2026-10-12T14:50:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(1800);
        decision.Codes().ShouldBe("99490x1");
        decision.Lines[0].Serviced.ShouldBe(new DateOnly(2026, 10, 12));
        decision.ShouldSay("CCM-D01", ReasonSeverity.Info);
    }

    [Fact]
    public void Dead_without_a_time_of_death_holds_the_month()
    {
        var decision = Complete().With<PatientFact>(patient => patient with { Deceased = true }).Log(1200).Decide();

        decision.Codes().ShouldBe("none");
        decision.IsHeld.ShouldBeTrue();
        decision.ShouldSay("CCM-D01", ReasonSeverity.Hold);
        decision.Potential.ShouldHaveSingleItem().Code.ShouldBe("99490");
    }

    [Fact]
    public void What_is_not_over_yet_does_not_count()
    {
        var month = Complete().Log(1200, start: "2026-10-20T10:00:00-04:00");
        month.AsOf = At("2026-10-20T10:10:00-04:00");

        var decision = month.Decide();

        decision.Time.Counted.ShouldBe(600);
        decision.ShouldSay("CCM-T06", ReasonSeverity.Info);
    }
}
