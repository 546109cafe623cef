using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Profiles;

/// <summary>The examples that analysts learn the profiles from: valid ones are valid, and of each refused one exactly that is said which its
/// <c>.issues.json</c> names.</summary>
public sealed class ExamplesTest
{
    private static readonly string Folder = Path.Combine(NpmPackage.Repository, "profiles", "examples");

    private static readonly Lazy<ProfileSet> WithUsCore = new(() =>
        new ProfileSet(
            CcmPackage.OnR4.With(
                PackageLoader.Load(
                    Path.Combine(NpmPackage.Repository, "tests/CcmFhir.Validation.Tests/Data/us-core-6.1.0.tgz")
                )
            )
        )
    );

    public static TheoryData<string> Valid => Files("valid");

    public static TheoryData<string> Refused => Files("refused");

    [Theory]
    [MemberData(nameof(Valid))]
    public void A_valid_example_meets_its_profile_without_a_warning_but_for_profiles_that_are_not_loaded(string file)
    {
        var report = ProfileSet.Default.Validate(Read("valid", file), [Profile(file)]);
        report
            .Issues.Where(issue => issue.Severity < Severity.Information && issue.Rule != "profile-unknown")
            .Select(Told)
            .ShouldBeEmpty();
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public void Of_a_refused_example_that_is_said_which_its_table_names(string file)
    {
        var wanted = new List<string>();
        var table = FhirJson
            .Parse(Read("refused", file.Replace(".json", ".issues.json", StringComparison.Ordinal)), out _)
            .ShouldNotBeNull();
        foreach (var issue in table.Root["issues"u8].Items)
        {
            wanted.Add($"{issue["code"u8].Text} {issue["expression"u8].Text}");
        }
        wanted.ShouldNotBeEmpty();
        var report = ProfileSet.Default.Validate(Read("refused", file), [Profile(file)]);
        report.IsValid.ShouldBeFalse();
        report
            .Issues.Where(issue => issue.Severity <= Severity.Error)
            .Select(issue => $"{issue.Rule} {issue.Expression}")
            .Order(StringComparer.Ordinal)
            .ShouldBe(wanted.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_profile_has_three_valid_examples_and_eight_refused_ones_at_least()
    {
        foreach (
            var file in CcmPackage.Files.Where(file =>
                file.StartsWith("StructureDefinition-", StringComparison.Ordinal)
            )
        )
        {
            var profile = CcmPackage.Read(file);
            if (profile["type"u8].Is("Extension"u8))
            {
                continue;
            }
            var id = profile["id"u8].Text!;
            var valid = Directory.GetFiles(Path.Combine(Folder, "valid", id)).Select(Path.GetFileName);
            valid.ShouldContain("minimal.json");
            valid.ShouldContain("typical.json");
            valid.ShouldContain("rich.json");
            Files("refused")
                .Count(row => row.Data.StartsWith(id + "/", StringComparison.Ordinal))
                .ShouldBeGreaterThanOrEqualTo(8, id);
        }
    }

    [Theory]
    [InlineData("ccm-patient", "us-core-patient")]
    [InlineData("ccm-condition", "us-core-condition-problems-health-concerns")]
    [InlineData("ccm-care-plan", "us-core-careplan")]
    [InlineData("ccm-visit", "us-core-encounter")]
    [InlineData("ccm-coverage", "us-core-coverage")]
    [InlineData("ccm-practitioner", "us-core-practitioner")]
    [InlineData("ccm-organization", "us-core-organization")]
    public void Valid_examples_are_valid_against_US_Core_too(string ours, string theirs)
    {
        foreach (
            var file in Files("valid")
                .Select(row => row.Data)
                .Where(file => file.StartsWith(ours + "/", StringComparison.Ordinal))
        )
        {
            var report = WithUsCore.Value.Validate(
                Read("valid", file),
                [Profile(file), "http://hl7.org/fhir/us/core/StructureDefinition/" + theirs]
            );
            report.Issues.Where(issue => issue.Severity < Severity.Information).Select(Told).ShouldBeEmpty(file);
        }
    }

    [Fact]
    public void The_month_of_samples_is_valid_against_US_Core_but_for_the_one_refused_time_log()
    {
        var faults = new List<string>();
        foreach (var file in Directory.GetFiles(Path.Combine(NpmPackage.Repository, "profiles", "samples"), "*.json"))
        {
            var report = WithUsCore.Value.Validate(File.ReadAllBytes(file));
            faults.AddRange(
                report
                    .Issues.Where(issue => issue.Severity < Severity.Information)
                    .Select(issue => $"{Path.GetFileName(file)} {issue.Rule} {issue.Expression}")
            );
        }
        faults.ShouldBe(["11-honeysuckle.json per-1 Bundle.entry[10].resource.executionPeriod"]);
    }

    private static TheoryData<string> Files(string kind)
    {
        var folder = Path.Combine(Folder, kind);
        return
        [
            .. Directory
                .GetFiles(folder, "*.json", SearchOption.AllDirectories)
                .Where(file => !file.EndsWith(".issues.json", StringComparison.Ordinal))
                .Select(file => Path.GetRelativePath(folder, file).Replace('\\', '/'))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static byte[] Read(string kind, string file) => File.ReadAllBytes(Path.Combine(Folder, kind, file));

    private static string Profile(string file) =>
        $"{CcmPackage.Canonical}/StructureDefinition/{file[..file.IndexOf('/', StringComparison.Ordinal)]}";

    private static string Told(Issue issue) => $"{issue.Rule} {issue.Expression}: {issue.Text}";
}
