using System.Text.Json;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests;

/// <summary>Cases of the FHIR/fhir-test-cases project (Apache 2.0) on whose verdict HL7's Java validator and Firely agree
/// (<c>Data/validator-cases</c>). What is decided otherwise here is listed with its reason in <c>differences.json</c>.</summary>
public sealed class ValidatorCasesTest
{
    private static readonly string Folder = Path.Combine(
        NpmPackage.Repository,
        "tests/CcmFhir.Validation.Tests/Data/validator-cases"
    );

    public static TheoryData<int, string> Cases
    {
        get
        {
            var data = new TheoryData<int, string>();
            var at = 0;
            foreach (var one in Read("manifest.json"))
            {
                data.Add(
                    at++,
                    $"{one.GetProperty("name").GetString()} against {one.GetProperty("against").GetString()}"
                );
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_verdict_is_that_of_the_validators_that_people_know(int index, string name)
    {
        var manifest = Read("manifest.json");
        var one = manifest[index];
        name.ShouldNotBeEmpty();
        var definitions = new List<Definition>();
        string? profile = null;
        if (one.GetProperty("profile").GetString() is { } own)
        {
            definitions.AddRange(PackageLoader.Load(Path.Combine(Folder, own)));
            profile = definitions.First(definition => definition.Kind == DefinitionKind.Structure).Url;
        }
        foreach (var file in one.GetProperty("support").EnumerateArray())
        {
            definitions.AddRange(PackageLoader.Load(Path.Combine(Folder, file.GetString()!)));
        }
        var profiles = new ProfileSet(BaseDefinitions.R4.With(definitions));

        var report = Validate(
            profiles,
            File.ReadAllBytes(Path.Combine(Folder, one.GetProperty("file").GetString()!)),
            one.GetProperty("against").GetString() == "profile" ? [profile!] : null
        );

        var isDifferent = Read("differences.json")
            .Any(other =>
                other.GetProperty("name").GetString() == one.GetProperty("name").GetString()
                && other.GetProperty("against").GetString() == one.GetProperty("against").GetString()
            );
        report.IsValid.ShouldBe(
            one.GetProperty("expect").GetString() == "ok" != isDifferent,
            string.Join(
                '\n',
                report.Issues.Select(issue => $"{issue.Severity} {issue.Rule} {issue.Expression}: {issue.Text}")
            )
        );
    }

    [Fact]
    public void At_most_four_verdicts_differ_and_each_has_its_reason()
    {
        var differences = Read("differences.json");

        differences.Length.ShouldBeLessThanOrEqualTo(4);
        differences.ShouldAllBe(one => one.GetProperty("reason").GetString()!.Length > 40);
        Read("manifest.json").Length.ShouldBe(99);
    }

    private static Report Validate(ProfileSet profiles, byte[] document, string[]? canonicals)
    {
        if (!FhirXml.Looks(document))
        {
            return profiles.Validate(document, canonicals);
        }
        var xml = FhirXml.Parse(document, out var fault);
        xml.ShouldNotBeNull(fault?.Text);
        return profiles.Validate(xml, canonicals);
    }

    private static JsonElement[] Read(string file) =>
        [.. JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, file))).RootElement.EnumerateArray()];
}
