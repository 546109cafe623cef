using System.Text.Json;

namespace CcmFhir.Tests.Cases;

/// <summary>A month that was closed and is closed again: nothing, a replacement or a void, never a silent edit.</summary>
public sealed class ClosingAgainTest
{
    [Fact]
    public async Task Closing_again_without_change_issues_nothing()
    {
        var claims = await CareCase.Usual().Log(1200).ClaimsAsync(_ => { }, _ => { }, _ => { });

        claims[0].ShouldNotBeNull();
        claims[1].ShouldBeNull();
        claims[2].ShouldBeNull();
    }

    [Fact]
    public async Task A_late_log_replaces_the_claim_and_names_it()
    {
        var claims = await CareCase.Usual().Log(1200).ClaimsAsync(_ => { }, one => one.Log(1200), _ => { });

        var (first, second) = (claims[0].ShouldNotBeNull(), claims[1].ShouldNotBeNull());
        Identifier(second).ShouldBe("a-2026-10-p-2");
        var related = second.GetProperty("related")[0];
        related
            .GetProperty("claim")
            .GetProperty("identifier")
            .GetProperty("value")
            .GetString()
            .ShouldBe(Identifier(first));
        related
            .GetProperty("claim")
            .GetProperty("reference")
            .GetString()
            .ShouldBe("Claim/" + first.GetProperty("id").GetString());
        related.GetProperty("relationship").GetProperty("coding")[0].GetProperty("code").GetString().ShouldBe("prior");
        Frequency(second).ShouldBe("replacement");
        second.GetProperty("item").GetArrayLength().ShouldBe(2);
        first.TryGetProperty("related", out _).ShouldBeFalse();
        claims[2].ShouldBeNull();
    }

    [Fact]
    public async Task A_log_entered_in_error_takes_the_claim_back_and_a_new_one_bills_again()
    {
        var claims = await CareCase
            .Usual()
            .Log(1200)
            .ClaimsAsync(
                _ => { },
                one => one.Set("Task/t1", "status", "\"entered-in-error\""),
                _ => { },
                one => one.Log(1500, id: "right")
            );

        var back = claims[1].ShouldNotBeNull();
        Frequency(back).ShouldBe("void");
        back.GetProperty("item")[0]
            .GetProperty("productOrService")
            .GetProperty("coding")[0]
            .GetProperty("code")
            .GetString()
            .ShouldBe("99490");
        back.GetProperty("diagnosis").GetArrayLength().ShouldBe(2);
        claims[2].ShouldBeNull();
        var again = claims[3].ShouldNotBeNull();
        Identifier(again).ShouldBe("a-2026-10-p-3");
        again.TryGetProperty("related", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task A_conflict_that_is_seen_later_takes_the_claim_back()
    {
        var claims = await CareCase
            .Usual()
            .Log(1200)
            .ClaimsAsync(_ => { }, one => one.Charge("99490", "2026-10-30", own: false));

        Frequency(claims[1].ShouldNotBeNull()).ShouldBe("void");
    }

    [Fact]
    public async Task A_refuted_condition_takes_the_claim_back_with_the_diagnoses_it_had()
    {
        var claims = await CareCase
            .Usual()
            .Log(1200)
            .ClaimsAsync(
                _ => { },
                one =>
                    one.Set(
                        "Condition/ht",
                        "verificationStatus",
                        """{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"refuted"}]}"""
                    )
            );

        var back = claims[1].ShouldNotBeNull();
        Frequency(back).ShouldBe("void");
        back.GetProperty("diagnosis").GetArrayLength().ShouldBe(2);
    }

    [Fact]
    public async Task A_consent_that_arrives_late_makes_the_first_claim()
    {
        var claims = await CareCase
            .Usual()
            .Without("Consent/consent")
            .Log(1200)
            .ClaimsAsync(_ => { }, one => one.Consent("2026-09-15T10:00:00-04:00"));

        claims[0].ShouldBeNull();
        Identifier(claims[1].ShouldNotBeNull()).ShouldBe("a-2026-10-p-1");
    }

    [Fact]
    public async Task New_charges_change_no_claim_that_was_issued()
    {
        var claims = await CareCase
            .Usual()
            .Log(1200)
            .ClaimsAsync(_ => { }, one => one.Practice("charges", """{"99490":99}"""));

        claims[1].ShouldBeNull();
    }

    [Fact]
    public async Task Past_timely_filing_a_late_log_changes_nothing_and_a_conflict_still_takes_the_claim_back()
    {
        var claims = await CareCase
            .Usual()
            .Log(1200)
            .ClaimsAsync(
                _ => { },
                one =>
                {
                    one.AsOf = "2027-11-02T00:00:00Z";
                    one.Log(1200);
                },
                one => one.Charge("99490", "2026-10-30", own: false)
            );

        claims[1].ShouldBeNull();
        Frequency(claims[2].ShouldNotBeNull()).ShouldBe("void");
    }

    private static string? Identifier(JsonElement claim) =>
        claim.GetProperty("identifier")[0].GetProperty("value").GetString();

    private static string? Frequency(JsonElement claim) =>
        claim.GetProperty("related")[0].GetProperty("extension")[0].GetProperty("valueCode").GetString();
}
