using CcmFhir.Tests.Fhir;

namespace CcmFhir.Tests.MonthEnd;

/// <summary><c>$ccm-status</c> and <c>$ccm-close</c> asked wrongly, or about nobody.</summary>
public sealed class MonthStatusTest(FhirServer server) : IClassFixture<FhirServer>
{
    [Fact]
    public async Task A_patient_of_whom_nothing_came_is_not_found()
    {
        var answer = await server.GetAsync("Patient/nobody/$ccm-status?month=2026-10");

        answer.ShouldRefuse(404, "patient");
    }

    [Fact]
    public async Task A_patient_without_time_has_a_month_with_nothing_in_it_and_what_is_missing()
    {
        const string Quiet = """
            {"resourceType":"Patient","id":"quiet","identifier":[{"system":"urn:example:mrn","value":"q1"}],
             "name":[{"family":"Testperson"}],"gender":"unknown","birthDate":"1950-01-01"}
            """;
        (await server.PutAsync("Patient/quiet", Quiet)).Status.ShouldBe(201);

        var answer = await server.GetAsync("Patient/quiet/$ccm-status?month=2026-10");

        answer.Status.ShouldBe(200, answer.Text);
        answer.Text.ShouldContain("\"outcome\",\"valueCode\":\"none\"");
        answer.Text.ShouldContain("\"loggedSeconds\",\"valueInteger\":0");
    }

    [Theory]
    [InlineData("GET", "Patient/quiet/$ccm-status", 400, "month", "Give month as yyyy-MM")]
    [InlineData("GET", "Patient/quiet/$ccm-status?month=2026-13", 400, "month", "Give month as yyyy-MM")]
    [InlineData("GET", "Patient/quiet/$ccm-status?month=2027-01", 422, "rule-set", "2027: no rule set; latest 2026")]
    [InlineData("POST", "$ccm-close?month=October", 400, "month", "Give month as yyyy-MM")]
    [InlineData("POST", "$ccm-close?month=2026-11", 422, "month-running", "has not ended in America/New_York")]
    [InlineData("POST", "$ccm-close?month=2026-10&dryRun=perhaps", 400, "dry-run", "dryRun is true or false")]
    [InlineData("POST", "$ccm-close?month=2026-10&asOf=2026-11-01T00:00:00Z", 400, "as-of", "only with dryRun=true")]
    [InlineData("POST", "$ccm-close?month=2026-10&dryRun=true&asOf=noon", 400, "as-of", "asOf is an instant")]
    public async Task A_wrong_parameter_is_named_with_what_would_be_right(
        string method,
        string url,
        int status,
        string rule,
        string saying
    )
    {
        var answer = await server.AskAsync(method, url);

        answer.ShouldRefuse(status, rule).Text.ShouldContain(saying);
    }
}
