using System.Text;

namespace CcmFhir.Validation.Tests;

public sealed class FloodTest
{
    [Fact]
    public void No_flood_of_warnings_hides_an_error_or_makes_one()
    {
        // Without a narrative each entry has a warning (dom-6).
        var entries = Enumerable
            .Range(0, 6000)
            .Select(at =>
                $$$"""{"fullUrl":"urn:uuid:{{{new Guid(at, 1, 1, [1, 1, 1, 1, 1, 1, 1, 1])}}}","resource":{"resourceType":"Patient"}}"""
            );

        var warned = Validate(entries);
        warned.IsValid.ShouldBeTrue();
        warned.Issues.Single(issue => issue.Rule == "too-many-issues").Severity.ShouldBe(Severity.Warning);

        var wrong = Validate(
            entries.Append(
                """{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient","gender":"w"}}"""
            )
        );
        wrong
            .Issues.Where(issue => issue.Severity == Severity.Error)
            .Select(issue => issue.Expression)
            .ShouldBe(["Bundle.entry[6000].resource.gender"]);
    }

    private static Report Validate(IEnumerable<string> entries) =>
        ProfileSet.Default.Validate(
            Encoding.UTF8.GetBytes(
                $$"""{"resourceType":"Bundle","type":"collection","entry":[{{string.Join(',', entries)}}]}"""
            )
        );
}
