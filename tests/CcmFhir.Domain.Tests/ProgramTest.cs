using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>Principal and advanced primary care management, G0506, rural clinics and health centers.</summary>
public class ProgramTest
{
    [Theory]
    [InlineData(1799, 0, "none")]
    [InlineData(1800, 0, "99426x1")]
    [InlineData(3600, 0, "99426x1, 99427x1")]
    [InlineData(9000, 0, "99426x1, 99427x2")]
    [InlineData(0, 1800, "99424x1")]
    [InlineData(0, 3600, "99424x1, 99425x1")]
    [InlineData(0, 9000, "99424x1, 99425x4")]
    [InlineData(1200, 600, "99426x1")]
    public void Principal_care_management_where_the_consent_names_it(long staff, long practitioner, string codes)
    {
        var decision = Principal().Log(staff).Log(practitioner, PerformerRole.BillingPractitioner).Decide();

        decision.Program.ShouldBe("pcm");
        decision.Codes().ShouldBe(codes);
    }

    [Theory]
    [InlineData(2019, "none")]
    [InlineData(2020, "G2065x1")]
    [InlineData(2021, "G2065x1")]
    [InlineData(2022, "99426x1, 99427x1")]
    public void Principal_care_management_by_year(int year, string codes) =>
        In(year, 6)
            .Without<ConditionFact>()
            .Add(Condition("dm", "E11.9"))
            .With<ConsentFact>(consent => consent with { Programs = ["pcm"] })
            .Log(3600)
            .Decide()
            .Codes()
            .ShouldBe(codes);

    [Fact]
    public void Principal_care_management_by_the_practitioner_in_2020() =>
        In(2020, 6)
            .With<ConsentFact>(consent => consent with { Programs = ["pcm"] })
            .Log(3600, PerformerRole.BillingPractitioner)
            .Decide()
            .Codes()
            .ShouldBe("G2064x1");

    [Fact]
    public void Principal_care_management_needs_a_condition_and_a_visit()
    {
        Principal().Without<ConditionFact>().Log(1800).Decide().ShouldSay("CCM-E01", ReasonSeverity.Deny);
        Principal().Without<VisitFact>().Log(1800).Decide().ShouldSay("CCM-I01", ReasonSeverity.Deny);
        // Three months are enough, and "under 12 months" does not say whether it is that long.
        Principal()
            .With<ConditionFact>(condition => condition with { ExpectedDuration = "under-12-months" })
            .Log(1800)
            .Decide()
            .ShouldSay("CCM-E01", ReasonSeverity.Hold);
    }

    [Theory]
    [InlineData("99424", true, ReasonSeverity.Deny, "CCM-K01")]
    [InlineData("99490", true, ReasonSeverity.Deny, "CCM-K02")]
    [InlineData("G0557", true, ReasonSeverity.Deny, "CCM-K02")]
    [InlineData("90960", true, ReasonSeverity.Deny, "CCM-K02")]
    [InlineData("99490", false, ReasonSeverity.Info, "")]
    [InlineData("99424", false, ReasonSeverity.Info, "")]
    public void What_principal_care_management_may_not_share(
        string code,
        bool own,
        ReasonSeverity severity,
        string reason
    )
    {
        var decision = Principal().Add(Service(code, "2026-10-12", own)).Log(1800).Decide();

        decision.Codes().ShouldBe(reason.Length > 0 ? "none" : "99426x1");
        if (reason.Length > 0)
        {
            decision.ShouldSay(reason, severity);
        }
    }

    [Theory]
    [InlineData(1, false, "G0556x1")]
    [InlineData(2, false, "G0557x1")]
    [InlineData(1, true, "G0556x1")]
    [InlineData(2, true, "G0558x1")]
    [InlineData(0, false, "none")]
    public void Advanced_primary_care_goes_by_conditions_and_coverage(int conditions, bool beneficiary, string codes)
    {
        var month = Advanced()
            .Without<ConditionFact>()
            .With<CoverageFact>(coverage => coverage with { QualifiedMedicareBeneficiary = beneficiary });
        foreach (var icd in new[] { "E11.9", "I10" }.Take(conditions))
        {
            month.Add(Condition(icd, icd));
        }

        var decision = month.Decide();

        decision.Program.ShouldBe("apcm");
        decision.Codes().ShouldBe(codes);
    }

    [Theory]
    [InlineData(2024, "ccm")]
    [InlineData(2025, "apcm")]
    public void Advanced_primary_care_begins_in_2025(int year, string program) =>
        In(year, 6)
            .With<ConsentFact>(consent => consent with { Programs = ["ccm", "apcm"] })
            .Log(1200)
            .Decide()
            .Program.ShouldBe(program);

    [Theory]
    [InlineData("cocm", null, 2026, "G0557x1, G0568x1")]
    [InlineData("cocm", "G0568", 2026, "G0557x1, G0569x1")]
    [InlineData("cocm", "G0569", 2026, "G0557x1, G0569x1")]
    [InlineData("cocm", "G0570", 2026, "G0557x1, G0568x1")]
    [InlineData("cocm", null, 2025, "G0557x1")]
    [InlineData("rpm", null, 2026, "G0557x1")]
    public void Behavioral_add_ons_follow_the_logs_that_count_toward_them(
        string toward,
        string? before,
        int year,
        string codes
    )
    {
        var month = In(year, 10).With<ConsentFact>(consent => consent with { Programs = ["apcm"] });
        if (before is not null)
        {
            month.Issued("2026-09", "G0557", before);
        }

        month.Log(600, toward: toward).Decide().Codes().ShouldBe(codes);
    }

    [Fact]
    public void General_behavioral_integration_has_no_amount_yet_and_asks_for_a_charge()
    {
        var month = Advanced().Log(600, toward: "bhi");

        var held = month.Decide();
        held.Codes().ShouldBe("none");
        held.ShouldSay("CCM-B01", ReasonSeverity.Hold);

        month.Practice = month.Practice with { Charges = new Dictionary<string, decimal> { ["G0570"] = 55m } };
        month.Decide().Codes().ShouldBe("G0557x1, G0570x1");
    }

    [Theory]
    [InlineData("G0556", false, "CCM-K01")]
    [InlineData("99490", true, "CCM-K02")]
    [InlineData("99426", true, "CCM-K02")]
    [InlineData("99495", true, "CCM-K02")]
    [InlineData("99446", true, "CCM-K02")]
    [InlineData("99452", true, "CCM-K02")]
    [InlineData("G2012", true, "CCM-K02")]
    [InlineData("99421", true, "CCM-K02")]
    [InlineData("99490", false, "")]
    [InlineData("99495", false, "")]
    public void What_advanced_primary_care_replaces(string code, bool own, string reason)
    {
        var decision = Advanced().Add(Service(code, "2026-10-12", own)).Decide();

        decision.Codes().ShouldBe(reason.Length > 0 ? "none" : "G0557x1");
        if (reason.Length > 0)
        {
            decision.ShouldSay(reason, ReasonSeverity.Deny);
        }
    }

    [Fact]
    public void A_consent_to_chronic_care_is_not_one_to_advanced_primary_care()
    {
        var decision = Complete().Log(1200).Decide();

        decision.Program.ShouldBe("ccm");
        decision.Codes().ShouldBe("99490x1");
    }

    [Fact]
    public void The_consent_given_last_decides_the_program() =>
        Complete()
            .Add(Consent("2026-10-10T00:00:00-04:00") with { Reference = "Consent/a", Programs = ["apcm"] })
            .Log(2700)
            .Decide()
            .Codes()
            .ShouldBe("G0557x1");

    [Fact]
    public void Extensive_planning_goes_with_the_initiating_visit_of_its_month()
    {
        var month = Asking(Complete(), "G0439").Log(1200);

        month.Decide().Codes().ShouldBe("99490x1");
        month.Month = new ServiceMonth(2026, 9);
        var september = month.Decide();
        september.Codes().ShouldBe("G0506x1");
        september.Lines[0].Serviced.ShouldBe(new DateOnly(2026, 9, 15));
        september.ShouldSay("CCM-T01", ReasonSeverity.Deny);
    }

    [Theory]
    [InlineData("99211", "goes only with an initiating visit")]
    [InlineData("99285", "goes only with an initiating visit")]
    public void Extensive_planning_with_another_visit_is_denied_alone(string code, string why)
    {
        var month = Complete()
            .Add(
                Visit("w", "2026-10-02T09:00:00-04:00", "2026-10-02T09:10:00-04:00", code) with
                {
                    ExtensivePlanning = true,
                }
            )
            .Log(2700);

        var decision = month.Decide();

        decision.Codes().ShouldBe("99439x1, 99490x1");
        decision.Reasons.Single(reason => reason.Code == "CCM-G01").Text.ShouldContain(why);
    }

    [Theory]
    [InlineData("visit")]
    [InlineData("service")]
    [InlineData("claim")]
    [InlineData("care")]
    public void Extensive_planning_is_paid_once(string before)
    {
        var month = Complete().Log(2700);
        month.Add(
            Visit("second", "2026-10-02T09:00:00-04:00", "2026-10-02T09:10:00-04:00", "99214") with
            {
                ExtensivePlanning = true,
            }
        );
        month = before switch
        {
            "visit" => Asking(month, "G0439"),
            "service" => month.Add(Service("G0506", "2026-09-15")),
            "claim" => month.Issued("2026-09", "G0506"),
            _ => month.Issued("2026-08", "99490"),
        };

        var decision = month.Decide();

        decision.Codes().ShouldBe("99439x1, 99490x1");
        decision.ShouldSay("CCM-G01", ReasonSeverity.Deny);
    }

    [Fact]
    public void A_second_G0506_that_the_practice_charged_is_told()
    {
        var decision = Complete()
            .Add(Service("G0506", "2026-09-15"), Service("G0506", "2026-10-12", id: "again"))
            .Log(2700)
            .Decide();

        decision.Codes().ShouldBe("99439x1, 99490x1");
        decision.ShouldSay("CCM-G01", ReasonSeverity.Deny);
    }

    [Fact]
    public void Extensive_planning_does_not_share_a_day_with_prolonged_service()
    {
        var month = Asking(Complete(), "99214").Add(Service("99358", "2026-09-15"));
        month.Month = new ServiceMonth(2026, 9);

        month.Decide().ShouldSay("CCM-G01", ReasonSeverity.Deny);
    }

    [Fact]
    public void Extensive_planning_needs_an_enrolled_patient()
    {
        var september = new ServiceMonth(2026, 9);
        var unconsented = Asking(Complete(), "99214").Without<ConsentFact>();
        unconsented.Month = september;
        unconsented.Decide().ShouldSay("CCM-G01", ReasonSeverity.Deny);

        var healthy = Asking(Complete(), "99214").Without<ConditionFact>();
        healthy.Month = september;
        healthy.Decide().ShouldSay("CCM-G01", ReasonSeverity.Deny);
    }

    [Fact]
    public void Before_2017_there_was_no_G0506()
    {
        var month = In(2016, 6)
            .With<ConsentFact>(consent => consent with { Mode = "written" })
            .Add(
                Visit("w", "2016-06-02T09:00:00-04:00", "2016-06-02T09:10:00-04:00", "99214") with
                {
                    ExtensivePlanning = true,
                }
            );

        month.Log(1200).Decide().Codes().ShouldBe("99490x1");
    }

    [Theory]
    [InlineData(2015, 6, false, 2700, "none")]
    [InlineData(2016, 6, false, 2700, "99490x1")]
    [InlineData(2017, 6, false, 5400, "99490x1")]
    [InlineData(2018, 1, false, 2700, "G0511x1")]
    [InlineData(2018, 1, false, 1199, "none")]
    [InlineData(2024, 12, false, 2700, "G0511x1")]
    [InlineData(2024, 12, false, 36000, "G0511x1")]
    [InlineData(2025, 1, false, 2700, "99439x1, 99490x1")]
    [InlineData(2025, 1, true, 2700, "G0511x1")]
    [InlineData(2025, 9, true, 2700, "G0511x1")]
    [InlineData(2025, 10, true, 2700, "99439x1, 99490x1")]
    [InlineData(2025, 10, false, 2700, "99439x1, 99490x1")]
    [InlineData(2026, 10, false, 3600, "99439x2, 99490x1")]
    public void Rural_clinics_and_health_centers_by_year(int year, int month, bool bundled, long seconds, string codes)
    {
        foreach (var kind in new[] { FacilityKind.Rhc, FacilityKind.Fqhc })
        {
            var decision = In(year, month)
                .With<ConsentFact>(consent => consent with { Mode = "written" })
                .With(new PracticePolicy { Facility = kind, FacilityBillsG0511In2025 = bundled })
                .Log(seconds)
                .Decide();

            decision.Codes().ShouldBe(codes);
            decision.Institutional.ShouldBeTrue();
            if (codes != "none")
            {
                decision.ShouldSay("CCM-R01", ReasonSeverity.Info);
                decision
                    .Reasons.Single(reason => reason.Code == "CCM-R01")
                    .Text.ShouldStartWith(kind.ToString().ToUpperInvariant());
            }
        }
    }

    [Fact]
    public void In_2017_rural_clinics_bill_no_complex_care()
    {
        var inMonth = Unix("2017-06-10T12:00:00Z");

        In(2017, 6)
            .With(new PracticePolicy { Facility = FacilityKind.Rhc, ComplexNeedsPlanRevision = false })
            .Add(new MdmFact("Observation/mdm", "high", inMonth, [DoctorA]))
            .Log(3600)
            .Decide()
            .Codes()
            .ShouldBe("99490x1");
    }

    [Fact]
    public void A_practice_is_no_facility()
    {
        var decision = Complete().Log(1200).Decide();

        decision.Institutional.ShouldBeFalse();
        decision.Reasons.ShouldNotContain(reason => reason.Code == "CCM-R01");
    }

    private static PatientMonth Principal() =>
        Complete()
            .Without<ConditionFact>()
            .Add(Condition("dm", "E11.9"))
            .With<ConsentFact>(consent => consent with { Programs = ["pcm"] });

    private static PatientMonth Advanced() =>
        Complete().With<ConsentFact>(consent => consent with { Programs = ["apcm"] });

    private static PatientMonth Asking(PatientMonth month, string code) =>
        month.With<VisitFact>(visit =>
            visit.Reference == "Encounter/v" ? visit with { Codes = [code], ExtensivePlanning = true } : visit
        );
}
