using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Conditions, consent, plan and initiating visit.</summary>
public class EligibilityTest
{
    [Theory]
    [InlineData("E11.9", "I10", 2)]
    [InlineData("E11.9", "E11.40", 1)]
    [InlineData("E11.9", "E11.22", 1)]
    [InlineData("E11.22", "N18.30", 2)]
    [InlineData("E10.9", "E11.9", 1)]
    [InlineData("I10", "I11.9", 1)]
    [InlineData("I10", "I11.0", 1)]
    [InlineData("I12.9", "N18.4", 2)]
    [InlineData("I50.9", "I11.0", 2)]
    [InlineData("G30.9", "F02.80", 1)]
    [InlineData("F33.1", "F32.9", 1)]
    [InlineData("F31.9", "F33.1", 1)]
    [InlineData("F41.1", "F33.1", 2)]
    [InlineData("J44.9", "J45.909", 2)]
    [InlineData("I25.10", "I21.4", 1)]
    [InlineData("M17.0", "M06.9", 1)]
    [InlineData("E78.5", "E66.9", 2)]
    [InlineData("I48.91", "I63.9", 2)]
    public void Two_conditions_of_one_category_are_one(string one, string other, int distinct)
    {
        var decision = Complete()
            .Without<ConditionFact>()
            .Add(Condition("a", one), Condition("b", other))
            .Log(1200)
            .Decide();

        decision.Codes().ShouldBe(distinct == 2 ? "99490x1" : "none");
        decision.Reasons.Any(reason => reason.Code == "CCM-E01").ShouldBe(distinct < 2);
    }

    [Fact]
    public void A_practice_may_count_codes_and_is_warned()
    {
        var decision = Complete()
            .With(new PracticePolicy { DistinctByCode = true })
            .Without<ConditionFact>()
            .Add(Condition("a", "E11.9"), Condition("b", "E11.40"))
            .Log(1200)
            .Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.Reasons.Single(reason => reason.Code == "CCM-E02").References.ShouldBe(["Condition/b"]);
    }

    [Fact]
    public void The_same_code_twice_is_one_condition_by_either_measure() =>
        Complete()
            .With(new PracticePolicy { DistinctByCode = true })
            .Without<ConditionFact>()
            .Add(Condition("a", "E11.9"), Condition("b", "E11.9"))
            .Log(1200)
            .Decide()
            .ShouldSay("CCM-E01", ReasonSeverity.Deny);

    [Theory]
    [InlineData("Z99.89")]
    [InlineData("N17.9")]
    [InlineData("J40")]
    [InlineData("Q99.9")]
    public void A_condition_that_is_not_commonly_chronic_warns_and_does_not_deny(string icd)
    {
        var decision = Complete()
            .Without<ConditionFact>()
            .Add(Condition("a", "E11.9"), Condition("b", icd))
            .Log(1200)
            .Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.Reasons.Single(reason => reason.Code == "CCM-E02").Severity.ShouldBe(ReasonSeverity.Warn);
    }

    [Theory]
    [InlineData("active", "confirmed", "12-months-or-longer", true, null, "99490x1")]
    [InlineData("recurrence", "confirmed", "until-death", true, null, "99490x1")]
    [InlineData("relapse", "confirmed", "12-months-or-longer", true, null, "99490x1")]
    [InlineData("active", "refuted", "12-months-or-longer", true, null, "deny")]
    [InlineData("active", "entered-in-error", "12-months-or-longer", true, null, "deny")]
    [InlineData("active", "provisional", "12-months-or-longer", true, null, "deny")]
    [InlineData("active", "differential", "12-months-or-longer", true, null, "deny")]
    [InlineData("active", "unconfirmed", "12-months-or-longer", true, null, "deny")]
    [InlineData("active", "", "12-months-or-longer", true, null, "hold")]
    [InlineData("", "confirmed", "12-months-or-longer", true, null, "hold")]
    [InlineData("active", "confirmed", "under-12-months", true, null, "deny")]
    [InlineData("active", "confirmed", null, true, null, "hold")]
    [InlineData("active", "confirmed", "until-death", null, null, "hold")]
    [InlineData("active", "confirmed", "until-death", false, null, "deny")]
    [InlineData("inactive", "confirmed", "until-death", true, null, "deny")]
    [InlineData("resolved", "confirmed", "until-death", true, null, "deny")]
    [InlineData("resolved", "confirmed", "until-death", true, "2026-10-01T00:00:00-04:00", "deny")]
    [InlineData("resolved", "confirmed", "until-death", true, "2026-10-01T00:00:01-04:00", "99490x1")]
    [InlineData("inactive", "confirmed", "until-death", true, "2026-10-12T00:00:00-04:00", "99490x1")]
    [InlineData("remission", "confirmed", "until-death", true, "2026-10-12T00:00:00-04:00", "99490x1")]
    [InlineData("active", "confirmed", "until-death", true, "2026-09-12T00:00:00-04:00", "deny")]
    public void What_a_condition_must_be(
        string clinical,
        string verification,
        string? duration,
        bool? risk,
        string? ended,
        string expected
    )
    {
        var decision = Complete()
            .Without<ConditionFact>()
            .Add(
                Condition("a", "E11.9"),
                Condition("b", "I10") with
                {
                    ClinicalStatus = clinical,
                    VerificationStatus = verification,
                    ExpectedDuration = duration,
                    SignificantRisk = risk,
                    AbatementUnix = ended is null ? null : Unix(ended),
                }
            )
            .Log(1200)
            .Decide();

        if (expected.StartsWith('9'))
        {
            decision.Codes().ShouldBe(expected);
            return;
        }
        decision.Codes().ShouldBe("none");
        decision.ShouldSay("CCM-E01", expected == "hold" ? ReasonSeverity.Hold : ReasonSeverity.Deny);
    }

    [Theory]
    [InlineData(null, "none")]
    [InlineData("I1", "none")]
    [InlineData("I10", "99490x1")]
    public void Only_an_icd_code_can_stand_on_the_claim(string? icd, string codes) =>
        Complete()
            .Without<ConditionFact>()
            .Add(Condition("a", "E11.9"), Condition("b", "I10") with { IcdCode = icd })
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Fact]
    public void A_condition_that_begins_after_the_month_does_not_count_in_it() =>
        Complete()
            .With<ConditionFact>(condition =>
                condition.IcdCode == "I10"
                    ? condition with
                    {
                        OnsetUnix = Unix("2026-11-01T00:00:00-04:00"),
                    }
                    : condition
            )
            .Log(1200)
            .Decide()
            .ShouldSay("CCM-E01", ReasonSeverity.Deny);

    [Fact]
    public void A_condition_that_ended_before_consent_does_not_count() =>
        Complete()
            .With<ConsentFact>(consent => Consent("2026-10-15T09:00:00-04:00"))
            .With<ConditionFact>(condition =>
                condition.IcdCode == "I10"
                    ? condition with
                    {
                        ClinicalStatus = "resolved",
                        AbatementUnix = Unix("2026-10-14T00:00:00-04:00"),
                    }
                    : condition
            )
            .Log(1200, start: "2026-10-20T10:00:00-04:00")
            .Decide()
            .ShouldSay("CCM-E01", ReasonSeverity.Deny);

    [Fact]
    public void One_condition_is_advised_of_principal_care_management()
    {
        var decision = Complete().Without<ConditionFact>().Add(Condition("a", "E11.9")).Log(1200).Decide();

        decision.Reasons.Single(reason => reason.Code == "CCM-E01").Text.ShouldContain("99426");
    }

    [Fact]
    public void All_qualifying_conditions_stand_on_the_claim_by_code()
    {
        var decision = Complete().Add(Condition("aa", "J44.9"), Condition("ab", "E11.22")).Log(1200).Decide();

        decision.Diagnoses.Select(one => one.IcdCode).ShouldBe(["E11.22", "E11.9", "I10", "J44.9"]);
    }

    [Fact]
    public void Without_consent_nothing_counts_and_the_month_is_held()
    {
        var decision = Complete().Without<ConsentFact>().Log(2700).Decide();

        decision.Codes().ShouldBe("none");
        decision.Time.Counted.ShouldBe(0);
        decision.ShouldSay("CCM-C01", ReasonSeverity.Hold);
        decision.Why(ReasonSeverity.Deny).ShouldBe("");
        decision.IsHeld.ShouldBeTrue();
        decision.Potential.Select(line => line.Code).ShouldBe(["99490", "99439"]);
    }

    [Theory]
    [InlineData(1320, "99490x1")]
    [InlineData(1080, "none")]
    public void Only_time_after_consent_counts(long after, string codes)
    {
        var decision = Complete()
            .With<ConsentFact>(_ => Consent("2026-10-15T09:00:00-04:00"))
            .Log(720, start: "2026-10-05T10:00:00-04:00")
            .Log(after, start: "2026-10-20T10:00:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(after);
        decision.Codes().ShouldBe(codes);
        decision.ShouldSay("CCM-C02", ReasonSeverity.Info);
        decision.Reasons.Any(reason => reason.Code == "CCM-T01").ShouldBe(codes == "none");
    }

    [Fact]
    public void A_stretch_in_which_consent_was_given_counts_from_that_moment() =>
        Complete()
            .With<ConsentFact>(_ => Consent("2026-10-15T09:10:00-04:00"))
            .Log(1800, start: "2026-10-15T09:00:00-04:00")
            .Decide()
            .Time.Counted.ShouldBe(1200);

    [Theory]
    [InlineData(false, 1260)]
    [InlineData(true, 1860)]
    public void Time_after_a_revocation_does_not_count_unless_the_practice_says_so(bool counts, long counted)
    {
        var decision = Complete()
            .With(new PracticePolicy { CountAfterRevocation = counts })
            .With<ConsentFact>(consent => Ended(consent, "2026-10-18T12:00:00-04:00"))
            .Log(1260, start: "2026-10-17T10:00:00-04:00")
            .Log(600, start: "2026-10-19T10:00:00-04:00")
            .Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.Time.Counted.ShouldBe(counted);
        decision.Reasons.Any(reason => reason.Code == "CCM-C03").ShouldBe(!counts);
    }

    [Fact]
    public void After_the_month_of_revocation_nothing_is_billed()
    {
        var month = Complete().With<ConsentFact>(consent => Ended(consent, "2026-09-18T12:00:00-04:00")).Log(2700);

        var decision = month.Decide();

        decision.Codes().ShouldBe("none");
        decision.ShouldSay("CCM-C03", ReasonSeverity.Deny);
        decision.Potential.ShouldBeEmpty();
    }

    [Fact]
    public void A_new_consent_after_a_revocation_counts_again()
    {
        var decision = Complete()
            .With<ConsentFact>(consent => Ended(consent, "2026-10-10T00:00:00-04:00"))
            .Add(Consent("2026-10-20T00:00:00-04:00") with { Reference = "Consent/again" })
            .Log(600, start: "2026-10-05T10:00:00-04:00")
            .Log(600, start: "2026-10-15T10:00:00-04:00")
            .Log(600, start: "2026-10-25T10:00:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(1200);
        decision.Consent!.Reference.ShouldBe("Consent/again");
    }

    [Fact]
    public void A_consent_given_after_the_month_cannot_mend_it()
    {
        var decision = Complete().With<ConsentFact>(_ => Consent("2026-11-02T00:00:00-05:00")).Log(1200).Decide();

        decision.ShouldSay("CCM-C01", ReasonSeverity.Deny);
        decision.Potential.ShouldBeEmpty();
    }

    [Fact]
    public void A_consent_that_names_another_practice_is_not_ours()
    {
        var decision = Complete()
            .With<ConsentFact>(consent => consent with { Organizations = [PracticeB] })
            .Log(2700)
            .Decide();

        decision.Codes().ShouldBe("none");
        decision.ShouldSay("CCM-C04", ReasonSeverity.Deny);
        decision.Why(ReasonSeverity.Hold).ShouldBe("");
    }

    [Fact]
    public void A_consent_that_names_no_practice_holds_the_month() =>
        Complete()
            .With<ConsentFact>(consent => consent with { Organizations = [] })
            .Log(2700)
            .Decide()
            .ShouldSay("CCM-C04", ReasonSeverity.Hold);

    [Fact]
    public void A_consent_may_name_the_practice_by_npi() =>
        Complete()
            .With<ConsentFact>(consent => consent with { Organizations = [], OrganizationNpis = ["1234567893"] })
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe("99490x1");

    [Fact]
    public void Anothers_consent_beside_ours_does_not_matter() =>
        Complete()
            .Add(
                Consent("2026-09-20T00:00:00-04:00") with
                {
                    Reference = "Consent/b",
                    Organizations = [PracticeB],
                    Programs = ["apcm"],
                }
            )
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe("99490x1");

    [Fact]
    public void What_the_patient_was_not_told_is_a_warning()
    {
        var decision = Complete()
            .With<ConsentFact>(consent => consent with { Disclosures = ["cost-sharing", "right-to-stop"], Mode = null })
            .Log(1200)
            .Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.ShouldSay("CCM-C06", ReasonSeverity.Warn);
        var text = decision.Reasons.Single(reason => reason.Code == "CCM-C07").Text;
        text.ShouldContain("service-availability");
        text.ShouldContain("single-practitioner");
        text.ShouldNotContain("cost-sharing");
    }

    [Theory]
    [InlineData(2016, "verbal", "none")]
    [InlineData(2016, null, "none")]
    [InlineData(2016, "written", "99490x1")]
    [InlineData(2017, "verbal", "99490x1")]
    public void To_2016_consent_had_to_be_written(int year, string? mode, string codes)
    {
        var decision = In(year, 5).With<ConsentFact>(consent => consent with { Mode = mode }).Log(1200).Decide();

        decision.Codes().ShouldBe(codes);
        decision.Reasons.Any(reason => reason.Code == "CCM-C05").ShouldBe(codes == "none");
    }

    [Fact]
    public void Without_a_plan_the_month_is_held()
    {
        var decision = Complete().Without<CarePlanFact>().Log(1200).Decide();

        decision.Codes().ShouldBe("none");
        decision.ShouldSay("CCM-P01", ReasonSeverity.Hold);
        decision.Potential.ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("2026-08-01T00:00:00-04:00", "2026-10-01T00:00:00-04:00", "none")]
    [InlineData("2026-08-01T00:00:00-04:00", "2026-10-01T00:00:01-04:00", "99490x1")]
    [InlineData("2026-10-31T23:59:59-04:00", "2027-10-01T00:00:00-04:00", "99490x1")]
    [InlineData("2026-11-01T00:00:00-04:00", "2027-10-01T00:00:00-04:00", "none")]
    public void The_plan_must_have_been_active_at_some_moment_of_the_month(string from, string to, string codes) =>
        Complete()
            .With<CarePlanFact>(plan => plan with { InForce = Between(from, to) })
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Theory]
    [InlineData(false, 1500, "99490x1", "CCM-P02")]
    [InlineData(true, 600, "none", "CCM-T01")]
    public void A_plan_that_came_in_mid_month_is_a_warning_or_bounds_the_time(
        bool strict,
        long counted,
        string codes,
        string why
    )
    {
        var decision = Complete()
            .With(new PracticePolicy { CarePlanStrict = strict })
            .With<CarePlanFact>(_ => Plan("2026-10-20T00:00:00-04:00"))
            .Log(900, start: "2026-10-10T10:00:00-04:00")
            .Log(600, start: "2026-10-25T10:00:00-04:00")
            .Decide();

        decision.Time.Counted.ShouldBe(counted);
        decision.Codes().ShouldBe(codes);
        decision.Reasons.ShouldContain(reason => reason.Code == why);
    }

    [Theory]
    [InlineData("addresses")]
    [InlineData("goal")]
    [InlineData("measurable")]
    [InlineData("activity")]
    [InlineData("author")]
    [InlineData("copy")]
    [InlineData("review")]
    [InlineData("overdue")]
    public void An_element_that_the_plan_lacks_warns_or_denies(string element)
    {
        CarePlanFact Lacking(CarePlanFact plan) =>
            element switch
            {
                "addresses" => plan with { Addresses = false },
                "goal" => plan with { HasGoal = false },
                "measurable" => plan with { GoalMeasurable = false },
                "activity" => plan with { HasActivity = false },
                "author" => plan with { HasAuthor = false },
                "copy" => plan with { CopyGiven = false },
                "review" => plan with { ReviewBy = null },
                _ => plan with { ReviewBy = new DateOnly(2026, 10, 30) },
            };

        var decision = Complete().With<CarePlanFact>(Lacking).Log(1200).Decide();
        decision.Codes().ShouldBe("99490x1");
        decision.ShouldSay("CCM-P02", ReasonSeverity.Warn);

        var strict = Complete()
            .With(new PracticePolicy { CarePlanStrict = true })
            .With<CarePlanFact>(Lacking)
            .Log(1200)
            .Decide();
        strict.Codes().ShouldBe("none");
        strict.ShouldSay("CCM-P02", ReasonSeverity.Deny);
    }

    [Fact]
    public void Whether_a_goal_that_was_not_received_is_measurable_is_not_known_and_said_so()
    {
        var decision = Complete().With<CarePlanFact>(plan => plan with { GoalMeasurable = null }).Log(1200).Decide();

        decision.Codes().ShouldBe("99490x1");
        decision.Reasons.ShouldNotContain(reason => reason.Code == "CCM-P02");
        decision.Trace.ShouldContain(step => step.Rule == "care plan elements" && step.Answer == RuleAnswer.NotKnown);
    }

    [Fact]
    public void The_plan_that_began_last_is_taken() =>
        Complete()
            .Add(Plan("2026-10-10T00:00:00-04:00") with { Reference = "CarePlan/newer" })
            .Log(1200)
            .Decide()
            .Plan!.Reference.ShouldBe("CarePlan/newer");

    [Theory]
    [InlineData("99202", true)]
    [InlineData("99205", true)]
    [InlineData("99211", false)]
    [InlineData("99212", true)]
    [InlineData("99215", true)]
    [InlineData("G0402", true)]
    [InlineData("G0438", true)]
    [InlineData("G0439", true)]
    [InlineData("99495", true)]
    [InlineData("99347", true)]
    [InlineData("99441", false)]
    [InlineData("99285", false)]
    public void Which_visits_initiate_care_management(string code, bool qualifies)
    {
        var decision = Complete().With<VisitFact>(visit => visit with { Codes = [code] }).Log(1200).Decide();

        decision.Codes().ShouldBe(qualifies ? "99490x1" : "none");
        decision.Reasons.Any(reason => reason.Code == "CCM-I01").ShouldBe(!qualifies);
    }

    [Theory]
    [InlineData("2025-10-19T12:00:00-04:00", false)]
    [InlineData("2025-10-20T00:00:00-04:00", true)]
    [InlineData("2026-10-20T08:00:00-04:00", true)]
    [InlineData("2026-10-20T20:00:00-04:00", true)]
    [InlineData("2026-10-21T08:00:00-04:00", false)]
    public void The_visit_lies_in_the_365_days_to_the_first_service(string start, bool found)
    {
        var decision = Complete()
            .With<VisitFact>(visit => visit with { Period = new Stretch(Unix(start), Unix(start) + 600) })
            .Log(1200, start: "2026-10-20T10:00:00-04:00")
            .Decide();

        decision.Codes().ShouldBe(found ? "99490x1" : "none");
    }

    [Fact]
    public void The_window_of_the_visit_is_a_setting() =>
        Complete()
            .With(new PracticePolicy { InitiatingVisitDays = 10 })
            .Log(1200)
            .Decide()
            .ShouldSay("CCM-I01", ReasonSeverity.Deny);

    [Fact]
    public void The_first_service_may_lie_in_an_earlier_month() =>
        Complete()
            .With<VisitFact>(visit =>
                visit with
                {
                    Period = Between("2025-05-01T10:00:00-04:00", "2025-05-01T10:20:00-04:00"),
                }
            )
            .Log(600, start: "2025-12-01T10:00:00-05:00")
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe("99490x1");

    [Theory]
    [InlineData(true, "2026-09-20T10:00:00-04:00", "99490x1")]
    [InlineData(false, "2026-09-15T10:00:00-04:00", "deny")]
    [InlineData(null, "2026-09-15T10:00:00-04:00", "99490x1")]
    [InlineData(null, "2026-09-20T10:00:00-04:00", "hold")]
    public void Care_management_must_have_been_discussed_at_the_visit(
        bool? discussed,
        string consented,
        string expected
    )
    {
        var decision = Complete()
            .With<VisitFact>(visit => visit with { Discussed = discussed })
            .With<ConsentFact>(_ => Consent(consented))
            .Log(1200)
            .Decide();

        decision.Codes().ShouldBe(expected.StartsWith('9') ? expected : "none");
        if (!expected.StartsWith('9'))
        {
            decision.ShouldSay("CCM-I01", expected == "hold" ? ReasonSeverity.Hold : ReasonSeverity.Deny);
        }
    }

    [Theory]
    [InlineData(PracticeB, DoctorB, "finished", "none")]
    [InlineData(null, DoctorA, "finished", "99490x1")]
    [InlineData(PracticeA, Rn, "finished", "99490x1")]
    [InlineData(PracticeA, DoctorA, "cancelled", "none")]
    [InlineData(PracticeA, DoctorA, "planned", "none")]
    [InlineData(PracticeA, DoctorA, "in-progress", "99490x1")]
    public void The_visit_must_be_the_practices_and_have_taken_place(
        string? practice,
        string doctor,
        string status,
        string codes
    ) =>
        Complete()
            .With<VisitFact>(visit => visit with { Organization = practice, Practitioners = [doctor], Status = status })
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Fact]
    public void Once_care_management_was_billed_no_visit_is_needed_any_more()
    {
        Complete().Without<VisitFact>().Issued("2026-09", "99490").Log(1200).Decide().Codes().ShouldBe("99490x1");
        Complete().Without<VisitFact>().Issued("2026-10", "99490").Log(1200).Decide().Codes().ShouldBe("none");
        Complete()
            .Without<VisitFact>()
            .Add(Service("99490", "2026-09-30"))
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe("99490x1");
        Complete()
            .Without<VisitFact>()
            .Add(Service("99490", "2026-09-30", own: false))
            .Log(1200)
            .Decide()
            .Codes()
            .ShouldBe("none");
    }

    [Fact]
    public void Without_counted_time_the_visit_is_not_asked_for() =>
        Complete().Without<VisitFact>().Decide().Reasons.ShouldNotContain(reason => reason.Code == "CCM-I01");

    [Theory]
    [InlineData("2026-10-01T04:00:00Z", "2026-10-20")]
    [InlineData("2026-10-05T14:00:00Z", "2026-10-20")]
    [InlineData("2026-10-01T03:30:00Z", "2026-09-30")]
    public void Care_management_began_in_the_month_with_the_first_time_that_counts_and_before_it_with_any(
        string uncounted,
        string began
    ) =>
        Complete()
            .Without<VisitFact>()
            .With<ConsentFact>(_ => Consent("2026-10-10T12:00:00Z"))
            .Log(600, start: uncounted)
            .Log(1200, start: "2026-10-20T14:00:00Z")
            .Decide()
            .Reasons.Single(reason => reason.Code == "CCM-I01")
            .Text.ShouldContain($"care management began on {began}");

    private static ConsentFact Ended(ConsentFact consent, string at) =>
        consent with
        {
            Window = new Stretch(consent.Window.Start, Unix(at)),
            Ends = true,
        };
}
