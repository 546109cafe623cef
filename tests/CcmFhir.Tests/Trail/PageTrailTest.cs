using CcmFhir.Tests.Fhir;

namespace CcmFhir.Tests.Trail;

/// <summary>Who looks at a page is in the audit trail as who asks for a resource is.</summary>
public class PageTrailTest(FhirServer server) : IClassFixture<FhirServer>
{
    [Theory]
    [InlineData("months/2026-10", "AuditEvent?type=110110&_count=1", null)]
    [InlineData("patients/seen/2026-10", "AuditEvent?patient=Patient/seen&type=110110&_count=1", "Patient/seen")]
    public async Task A_page_that_was_shown_is_found(string page, string search, string? patient)
    {
        await server.PutAsync(
            "Patient/seen",
            """{"resourceType":"Patient","id":"seen","identifier":[{"system":"urn:mrn","value":"1"}],"name":[{"family":"T","given":["A"]}],"gender":"female","birthDate":"1950-01-01"}"""
        );
        var root = server.Base[..^"fhir".Length];
        using var shown = await server.Http.GetAsync(new Uri($"{root}{page}"));
        ((int)shown.StatusCode).ShouldBe(200);

        var found = await server.GetAsync(search);

        var newest = found.Entries.ShouldHaveSingleItem()!["resource"]!;
        ((string?)newest["action"]).ShouldBe("R");
        ((string?)newest["agent"]![0]!["who"]!["display"]).ShouldBe("development");
        newest.ToJsonString().ShouldContain(patient ?? page);
    }
}
