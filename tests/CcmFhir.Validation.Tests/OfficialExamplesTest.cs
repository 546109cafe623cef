using System.Collections.Concurrent;
using System.Text.Json;

namespace CcmFhir.Validation.Tests;

/// <summary>Every resource that HL7 publishes with R4, against base R4. What is an error in them is listed with its reason in
/// <c>Data/r4-examples.json</c>.</summary>
public sealed class OfficialExamplesTest
{
    private static readonly string[] Faultless =
    [
        "CarePlan",
        "Consent",
        "Condition",
        "Task",
        "Claim",
        "Patient",
        "Encounter",
        "Coverage",
        "Practitioner",
        "Organization",
    ];

    [Fact]
    public void No_example_has_an_error_but_those_listed_with_their_reason()
    {
        var files = Directory.GetFiles(NpmPackage.R4Examples, "*-*.json").Order(StringComparer.Ordinal).ToArray();
        files.Length.ShouldBe(5306);
        var found = new ConcurrentDictionary<(string File, string Rule), string>();

        Parallel.ForEach(
            files,
            file =>
            {
                foreach (var issue in ProfileSet.Default.Validate(File.ReadAllBytes(file)).Issues)
                {
                    if (issue.Severity <= Severity.Error)
                    {
                        found.TryAdd((Path.GetFileName(file), issue.Rule), $"{issue.Expression}: {issue.Text}");
                    }
                }
            }
        );

        var listed = Listed();
        found
            .Where(pair => !listed.ContainsKey(pair.Key))
            .Select(pair => $"{pair.Key.File} {pair.Key.Rule} {pair.Value}")
            .ShouldBe([], "These are errors that are not listed.");
        listed.Keys.Where(key => !found.ContainsKey(key)).ShouldBe([], "These are listed and no error any more.");
    }

    [Fact]
    public void The_types_that_matter_here_have_no_error_at_all()
    {
        OfficialExamples.OfTypes(Faultless).Count().ShouldBe(127);
        Listed().Keys.ShouldAllBe(key => !Faultless.Contains(key.File.Split('-', StringSplitOptions.None)[0]));
    }

    private static Dictionary<(string File, string Rule), string> Listed() =>
        JsonDocument
            .Parse(
                File.ReadAllBytes(
                    Path.Combine(NpmPackage.Repository, "tests/CcmFhir.Validation.Tests/Data/r4-examples.json")
                )
            )
            .RootElement.EnumerateArray()
            .ToDictionary(
                one => (one.GetProperty("file").GetString()!, one.GetProperty("rule").GetString()!),
                one => one.GetProperty("reason").GetString()!
            );
}
