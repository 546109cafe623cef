namespace CcmFhir.Validation.Tests;

/// <summary>Guides that others published on R4, from the npm registry, loaded alone, without the packages that they build on: every example in
/// them against the profiles that it claims. Those with an error are listed with the reason.</summary>
public sealed class PublishedPackagesTest
{
    public static TheoryData<string, string, int, string[]> Packages =>
        new()
        {
            { "hl7.fhir.uv.ips", "2.0.0", 44, [] },
            { "hl7.fhir.au.base", "6.0.0", 123, [] },
            {
                "hl7.fhir.uv.sdc",
                "4.0.0-ballot",
                50,
                [
                    // cqf-calculatedValue is a string in R4; its Expression comes with hl7.fhir.uv.extensions.r4, which is said to be missing.
                    "Questionnaire-questionnaire-sdc-profile-example-form-behavior.json type-not-allowed",
                    // A quotation mark has slipped into the reference.
                    "QuestionnaireResponse-questionnaireresponse-sdc-profile-example-PHQ9.json reference-format",
                    // The same; and an extension of R4 leads to a plan, not to an ObservationDefinition.
                    "QuestionnaireResponse-questionnaireresponse-sdc-profile-example-loinc.json reference-format",
                    "QuestionnaireResponse-questionnaireresponse-sdc-profile-example-loinc.json reference-target",
                ]
            },
        };

    [Theory]
    [MemberData(nameof(Packages))]
    public void No_example_has_an_error_but_those_listed(string name, string version, int count, string[] listed)
    {
        var folder = NpmPackage.Folder(name, version);
        var profiles = ProfileSet.Load([folder]);
        var files = Directory
            .GetFiles(Path.Combine(folder, "example"), "*.json")
            .Where(file => Path.GetFileName(file)[0] != '.')
            .Order(StringComparer.Ordinal)
            .ToArray();

        var errors =
            from file in files
            from issue in profiles.Validate(File.ReadAllBytes(file)).Issues
            where issue.Severity <= Severity.Error
            select $"{Path.GetFileName(file)} {issue.Rule}";

        errors.Distinct().Order(StringComparer.Ordinal).ShouldBe(listed.Order(StringComparer.Ordinal));
        files.Length.ShouldBe(count);
        profiles.Missing.ShouldContain(said => said.Contains("hl7.fhir.uv.extensions.r4", StringComparison.Ordinal));
    }
}
