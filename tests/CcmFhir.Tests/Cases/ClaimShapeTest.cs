using System.Text.Json;

namespace CcmFhir.Tests.Cases;

/// <summary>The claim that a case becomes: base R4 and our own profile, with what an auditor and a payer ask for.</summary>
public sealed class ClaimShapeTest
{
    [Fact]
    public async Task Case_4_as_a_claim()
    {
        var claim = await CareCase.Usual().Log(1500).Log(900).ClaimAsync();

        Text(claim, "status").ShouldBe("active");
        Text(claim, "use").ShouldBe("claim");
        Code(claim.GetProperty("type")).ShouldBe("professional");
        Text(claim, "patient", "reference").ShouldBe("Patient/p");
        Text(claim, "billablePeriod", "start").ShouldBe("2026-10-01");
        Text(claim, "billablePeriod", "end").ShouldBe("2026-10-31");
        Text(claim, "provider", "reference").ShouldBe("Organization/a");
        Text(claim, "provider", "identifier", "value").ShouldBe("1234567893");
        var identifier = claim.GetProperty("identifier")[0];
        Text(identifier, "system").ShouldBe("http://ccmfhir.org/fhir/claim");
        Text(identifier, "value").ShouldBe("a-2026-10-p-1");
        var doctor = claim.GetProperty("careTeam")[0].GetProperty("provider");
        Text(doctor, "reference").ShouldBe("Practitioner/dr-a");
        Text(doctor, "identifier", "value").ShouldBe("1245319599");
        var insurance = claim.GetProperty("insurance")[0];
        insurance.GetProperty("focal").GetBoolean().ShouldBeTrue();
        insurance.GetProperty("sequence").GetInt32().ShouldBe(1);
        Text(insurance, "coverage", "reference").ShouldBe("Coverage/coverage");
        Code(claim.GetProperty("diagnosis")[0].GetProperty("diagnosisCodeableConcept")).ShouldBe("E11.9");
        Code(claim.GetProperty("diagnosis")[1].GetProperty("diagnosisCodeableConcept")).ShouldBe("I10");
        claim.GetProperty("diagnosis").GetArrayLength().ShouldBe(2);

        var items = claim
            .GetProperty("item")
            .EnumerateArray()
            .ToDictionary(item => Code(item.GetProperty("productOrService")));
        items.Keys.Order(StringComparer.Ordinal).ShouldBe(["99439", "99490"]);
        foreach (var (code, price) in new[] { ("99490", 66.13m), ("99439", 50.44m) })
        {
            var item = items[code];
            item.GetProperty("quantity").GetProperty("value").GetInt32().ShouldBe(1);
            Text(item, "servicedDate").ShouldBe("2026-10-31");
            Code(item.GetProperty("locationCodeableConcept")).ShouldBe("11");
            item.GetProperty("diagnosisSequence").EnumerateArray().Select(one => one.GetInt32()).ShouldBe([1, 2]);
            item.GetProperty("unitPrice").GetProperty("value").GetDecimal().ShouldBe(price);
            item.GetProperty("net").GetProperty("value").GetDecimal().ShouldBe(price);
            Text(item, "net", "currency").ShouldBe("USD");
        }
        claim.GetProperty("total").GetProperty("value").GetDecimal().ShouldBe(116.57m);
        var info = claim
            .GetProperty("supportingInfo")
            .EnumerateArray()
            .ToLookup(one => Code(one.GetProperty("category")));
        info["counted-seconds"].Single().GetProperty("valueQuantity").GetProperty("value").GetInt32().ShouldBe(2400);
        info["rule-set"].Single().GetProperty("valueString").GetString().ShouldBe("cms-2026.1");
        Text(info["consent"].Single(), "valueReference", "reference").ShouldBe("Consent/consent/_history/1");
        Text(info["care-plan"].Single(), "valueReference", "reference").ShouldBe("CarePlan/plan/_history/1");
        info["time-log"]
            .Select(one => Text(one, "valueReference", "reference"))
            .Order(StringComparer.Ordinal)
            .ShouldBe(["Task/t1", "Task/t2"]);
    }

    [Fact]
    public async Task The_practices_charges_stand_on_the_claim()
    {
        var claim = await CareCase.Usual().Practice("charges", """{"99490":80,"99439":60.5}""").Log(3600).ClaimAsync();

        claim.GetProperty("total").GetProperty("value").GetDecimal().ShouldBe(201m);
    }

    [Theory]
    [InlineData("rhc")]
    [InlineData("fqhc")]
    public async Task A_clinic_bills_an_institutional_claim(string facility) =>
        Code(
                (await CareCase.Usual().Practice("facility", $"\"{facility}\"").Log(1200).ClaimAsync()).GetProperty(
                    "type"
                )
            )
            .ShouldBe("institutional");

    [Fact]
    public async Task The_whole_month_can_be_the_time_of_service()
    {
        var claim = await CareCase.Usual().Practice("dosPolicy", "\"periodRange\"").Log(1200).ClaimAsync();

        Text(claim.GetProperty("item")[0], "servicedPeriod", "start").ShouldBe("2026-10-01");
        Text(claim.GetProperty("item")[0], "servicedPeriod", "end").ShouldBe("2026-10-31");
    }

    [Fact]
    public async Task Without_a_coverage_the_claim_names_the_patients_Medicare_number()
    {
        var one = CareCase.Usual().Without("Coverage/coverage").Log(1200);

        Text((await one.ClaimAsync()).GetProperty("insurance")[0], "coverage", "identifier", "value")
            .ShouldBe("1EG4TE5MK73");
        (await one.CloseAsync()).Reasons.ShouldContain("CCM-V01 warn");
    }

    [Fact]
    public async Task Without_any_number_of_the_insured_the_month_is_held()
    {
        var decided = await CareCase
            .Usual()
            .Without("Coverage/coverage")
            .Set("Patient/p", "identifier", """[{"system":"https://ehr.example.org/mrn","value":"7"}]""")
            .Log(1200)
            .CloseAsync();

        decided.Lines.ShouldBe("none");
        decided.Stops.ShouldBe("CCM-V01");
    }

    [Fact]
    public async Task A_claim_names_twelve_diagnoses_at_most_and_a_line_points_at_four()
    {
        var one = CareCase.Usual();
        foreach (
            var icd in new[]
            {
                "E78.5",
                "F33.1",
                "F41.1",
                "G20.A1",
                "G40.909",
                "I25.10",
                "I48.91",
                "I50.22",
                "J44.9",
                "J45.909",
                "M81.0",
                "N18.30",
            }
        )
        {
            one.Condition("c" + icd.Replace(".", "", StringComparison.Ordinal).ToLowerInvariant(), icd);
        }

        var claim = await one.Log(1200).ClaimAsync();

        claim.GetProperty("diagnosis").GetArrayLength().ShouldBe(12);
        claim.GetProperty("item")[0].GetProperty("diagnosisSequence").GetArrayLength().ShouldBe(4);
    }

    private static string? Text(JsonElement element, params ReadOnlySpan<string> path)
    {
        foreach (var name in path)
        {
            element = element.GetProperty(name);
        }
        return element.GetString();
    }

    private static string Code(JsonElement concept) =>
        concept.GetProperty("coding")[0].GetProperty("code").GetString()!;
}
