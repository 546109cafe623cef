using static CcmFhir.Domain.Tests.PatientMonth;

namespace CcmFhir.Domain.Tests;

/// <summary>What a decision makes of the claim that stands.</summary>
public class CorrectionTest
{
    private static readonly TimeZoneInfo Zone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York");

    [Fact]
    public void Nothing_stands_and_nothing_is_billed()
    {
        var correction = Correct(Complete().Log(600), null);

        correction.Kind.ShouldBe(CorrectionKind.Nothing);
        correction.Revision.ShouldBe(0);
        correction.Lines.ShouldBeEmpty();
    }

    [Fact]
    public void The_first_claim_of_the_month()
    {
        var correction = Correct(Complete().Log(1200), null);

        correction.Kind.ShouldBe(CorrectionKind.Original);
        correction.Revision.ShouldBe(1);
        correction.Lines.ShouldHaveSingleItem().Code.ShouldBe("99490");
    }

    [Fact]
    public void The_same_answer_changes_nothing()
    {
        var correction = Correct(Complete().Log(2400), Standing(1, ("99490", 1), ("99439", 1)));

        correction.Kind.ShouldBe(CorrectionKind.Nothing);
        correction.Revision.ShouldBe(1);
    }

    [Theory]
    [InlineData(3600, 2)]
    [InlineData(1200, 0)]
    public void A_late_or_withdrawn_log_replaces_the_claim(long seconds, int addOns)
    {
        var correction = Correct(Complete().Log(seconds), Standing(3, ("99490", 1), ("99439", 1)));

        correction.Kind.ShouldBe(CorrectionKind.Replacement);
        correction.Revision.ShouldBe(4);
        correction.Lines.Where(line => line.Code == "99439").Sum(line => line.Units).ShouldBe(addOns);
    }

    [Fact]
    public void Another_family_replaces_the_claim() =>
        Correct(
            Complete().Add(Mdm("high", "2026-10-20T12:00:00-04:00")).Log(3600),
            Standing(1, ("99490", 1), ("99439", 2))
        )
            .Kind.ShouldBe(CorrectionKind.Replacement);

    [Fact]
    public void A_conflict_that_is_seen_later_takes_the_claim_back()
    {
        var correction = Correct(
            Complete().Log(1200).Add(Service("99490", "2026-10-12", own: false)),
            Standing(1, ("99490", 1))
        );

        correction.Kind.ShouldBe(CorrectionKind.Void);
        correction.Revision.ShouldBe(2);
        correction.Lines.ShouldHaveSingleItem().Code.ShouldBe("99490");
    }

    [Fact]
    public void A_consent_that_was_entered_in_error_takes_the_claim_back() =>
        Correct(Complete().Without<ConsentFact>().Log(1200), Standing(1, ("99490", 1)))
            .Kind.ShouldBe(CorrectionKind.Void);

    [Fact]
    public void After_a_void_the_month_can_be_billed_again_as_new()
    {
        var correction = Correct(Complete().Log(1200), Standing(2));

        correction.Kind.ShouldBe(CorrectionKind.Original);
        correction.Revision.ShouldBe(3);
        Correct(Complete().Log(600), Standing(2)).Kind.ShouldBe(CorrectionKind.Nothing);
    }

    [Fact]
    public void A_charge_that_changes_later_changes_no_claim()
    {
        var month = Complete().Log(1200);
        month.Practice = month.Practice with { Charges = new Dictionary<string, decimal> { ["99490"] = 150m } };

        Correct(month, Standing(1, ("99490", 1))).Kind.ShouldBe(CorrectionKind.Nothing);
    }

    [Fact]
    public void A_day_of_service_that_is_set_otherwise_later_changes_no_claim() =>
        Correct(
            Complete().With(new PracticePolicy { DateOfService = DateOfServicePolicy.ThresholdDate }).Log(1200),
            Standing(1, ("99490", 1))
        )
            .Kind.ShouldBe(CorrectionKind.Nothing);

    [Fact]
    public void A_diagnosis_that_was_refuted_changes_the_claim()
    {
        var month = Complete().Add(Condition("ckd", "N18.30")).Without<ConditionFact>();
        month.Add(Condition("dm", "E11.9"), Condition("ckd", "N18.30")).Log(1200);

        var correction = Correct(month, Standing(1, ("99490", 1)));

        correction.Kind.ShouldBe(CorrectionKind.Replacement);
        correction.Why.ShouldContain("diagnosis");
    }

    [Fact]
    public void A_further_diagnosis_does_not() =>
        Correct(Complete().Add(Condition("ckd", "N18.30")).Log(1200), Standing(1, ("99490", 1)))
            .Kind.ShouldBe(CorrectionKind.Nothing);

    [Fact]
    public void A_death_before_the_day_of_service_changes_the_claim()
    {
        var month = Complete()
            .Log(1200, start: "2026-10-05T10:00:00-04:00")
            .With<PatientFact>(patient =>
                patient with
                {
                    Deceased = true,
                    DeathUnix = Unix("2026-10-20T08:00:00-04:00"),
                }
            );

        var correction = Correct(month, Standing(1, ("99490", 1)));

        correction.Kind.ShouldBe(CorrectionKind.Replacement);
        correction.Lines.ShouldHaveSingleItem().Serviced.ShouldBe(new DateOnly(2026, 10, 20));
    }

    [Theory]
    [InlineData(
        "2027-10-31T23:59:59-04:00",
        CorrectionKind.Original,
        CorrectionKind.Replacement,
        CorrectionKind.Replacement
    )]
    [InlineData(
        "2027-11-01T00:00:00-04:00",
        CorrectionKind.Nothing,
        CorrectionKind.Nothing,
        CorrectionKind.Replacement
    )]
    public void Past_timely_filing_only_money_goes_back(
        string asOf,
        CorrectionKind first,
        CorrectionKind more,
        CorrectionKind less
    )
    {
        var month = Complete().Log(2400);
        month.AsOf = At(asOf);
        Correct(month, null).Kind.ShouldBe(first);
        Correct(month, Standing(1, ("99490", 1))).Kind.ShouldBe(more);
        Correct(month, Standing(1, ("99490", 1), ("99439", 2))).Kind.ShouldBe(less);

        var conflict = Complete().Log(2400).Add(Service("99490", "2026-10-12", own: false));
        conflict.AsOf = At(asOf);
        Correct(conflict, Standing(1, ("99490", 1))).Kind.ShouldBe(CorrectionKind.Void);
    }

    [Fact]
    public void A_range_is_late_by_its_last_day()
    {
        var range = new ClaimLine("99490", 1, 1m, new DateOnly(2026, 10, 1), new DateOnly(2026, 10, 31));

        Correction.IsLate([range], new DateOnly(2027, 10, 31)).ShouldBeFalse();
        Correction.IsLate([range], new DateOnly(2027, 11, 1)).ShouldBeTrue();
        Correction.IsLate([], new DateOnly(2030, 1, 1)).ShouldBeFalse();
    }

    private static Correction Correct(PatientMonth month, StandingClaim? standing) =>
        Correction.Of(month.Decide(), standing, Zone);

    private static StandingClaim Standing(int revision, params (string Code, int Units)[] lines) =>
        new(
            revision,
            [
                .. lines.Select(line => new ClaimLine(
                    line.Code,
                    line.Units,
                    line.Code == "99490" ? 66.13m : 50.44m,
                    new DateOnly(2026, 10, 31)
                )),
            ],
            ["E11.9", "I10"]
        );
}
