namespace CcmFhir.Validation.Tests.FhirPath;

/// <summary>Invariants that ask what a reference leads to, where the target is elsewhere: its type is known by its name, everything else is
/// not checked rather than broken.</summary>
public sealed class ReferenceRulesTest
{
    [Theory]
    [InlineData("managingOrganization.resolve() is Organization", "Organization/1", "")]
    [InlineData("managingOrganization.resolve().is(Organization)", "https://a.org/fhir/Organization/1", "")]
    [InlineData("managingOrganization.resolve() is Patient", "Organization/1", "x-1 at Patient")]
    [InlineData("managingOrganization.resolve() is DomainResource", "Organization/1", "")]
    [InlineData("managingOrganization.resolve().active", "Organization/1", "not checked")]
    [InlineData(
        "managingOrganization.resolve() is Organization",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "not checked"
    )]
    [InlineData("managingOrganization.resolve().active", "#o", "")]
    [InlineData("managingOrganization.resolve().name = 'B'", "#o", "x-1 at Patient")]
    [InlineData("(managingOrganization.resolve() is Patient) or name.given.first() = 'A'", "Organization/1", "")]
    public void A_target_that_is_elsewhere_breaks_no_rule(string expression, string reference, string errors)
    {
        var profiles = TestProfile.Of(
            $$"""{"id":"Patient","path":"Patient","constraint":[{"key":"x-1","severity":"error","human":"a","expression":"{{expression}}"}]}"""
        );
        var contained =
            reference == "#o"
                ? "\"contained\":[{\"resourceType\":\"Organization\",\"id\":\"o\",\"name\":\"A\",\"active\":true}],"
                : "";
        var resource =
            $$"""{"resourceType":"Patient",{{contained}}"name":[{"given":["A","B"]}],"managingOrganization":{"reference":"{{reference}}"} }""";

        TestProfile.Errors(profiles, resource).ShouldBe(errors is "" or "not checked" ? [] : [errors]);
        var report = profiles.Validate(System.Text.Encoding.UTF8.GetBytes(resource), [TestProfile.Url]);
        report
            .NotChecked.Any(said => said.Contains("is not in the document", StringComparison.Ordinal))
            .ShouldBe(errors == "not checked");
    }
}
