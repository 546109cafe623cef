using CcmFhir.Fhir;
using CcmFhir.Validation;

namespace CcmFhir.Tests.Fhir;

/// <summary>What operations, profiles and reports name by canonical can be read at the server that names it.</summary>
public class OwnDefinitionsTest(FhirServer server) : IClassFixture<FhirServer>
{
    public static TheoryData<string> All =>
        [.. OwnDefinitions.Record.Resources.Select(versions => versions.Current.Reference)];

    [Theory]
    [MemberData(nameof(All))]
    public async Task A_definition_is_read_and_found_by_its_url(string reference)
    {
        var read = await server.GetAsync(reference);

        read.Status.ShouldBe(200);
        var (type, url) = (reference.Split('/')[0], (string)read.Json["url"]!);
        url.ShouldEndWith(reference);
        read.Version.ShouldBe("1");
        ProfileSet
            .Default.Validate(FhirJson.Parse(System.Text.Encoding.UTF8.GetBytes(read.Text), out _)!.Root, [])
            .Issues.ShouldNotContain(issue => issue.Severity <= Severity.Error);
        var found = await server.GetAsync($"{type}?url={Uri.EscapeDataString(url)}");
        ((string?)found.Entries.ShouldHaveSingleItem()!["resource"]!["id"]).ShouldBe(read.Id);
        (await server.GetAsync($"{reference}/_history/1")).Text.ShouldBe(read.Text);
    }

    [Fact]
    public async Task Every_measure_that_can_be_evaluated_is_found()
    {
        var names = CcmFhir.Measures.MeasureTable.All.Keys.ToList();

        var found = await server.GetAsync("Measure?_sort=_id&_elements=url");

        found.Entries.Select(entry => (string)entry!["resource"]!["id"]!).ShouldBe(names.Order(StringComparer.Ordinal));
        (await server.GetAsync("Measure/_history"))
            .Entries.Select(entry => (string?)entry!["resource"]?["id"])
            .Where(id => id is not null && names.Contains(id))
            .ShouldBe(names, ignoreOrder: true);
        (await server.GetAsync("Measure/ccm-nothing")).ShouldRefuse(404, "not-found");
    }

    [Fact]
    public async Task Ones_own_measure_stands_beside_them()
    {
        const string Own =
            """{"resourceType":"Measure","id":"own","url":"http://practice.example/Measure/own","status":"draft"}""";
        (await server.PutAsync("Measure/own", Own)).Status.ShouldBe(201);

        var found = await server.GetAsync("Measure?status=draft,active");

        found.Entries.Count.ShouldBe(CcmFhir.Measures.MeasureTable.All.Count + 1);
        (await server.AskAsync("DELETE", "Measure/own")).Status.ShouldBe(204);
    }

    [Theory]
    [InlineData("PUT", "Measure/ccm-program")]
    [InlineData("PUT", "Measure?url=http%3A%2F%2Fccmfhir.org%2Ffhir%2FMeasure%2Fccm-program")]
    [InlineData("DELETE", "Measure/ccm-program")]
    [InlineData("DELETE", "Measure?url=http%3A%2F%2Fccmfhir.org%2Ffhir%2FMeasure%2Fccm-program")]
    public async Task Nobody_writes_them(string method, string address)
    {
        const string Other = """{"resourceType":"Measure","id":"ccm-program","status":"retired"}""";

        var answer = await server.AskAsync(method, address, method == "PUT" ? Other : null);

        answer.ShouldRefuse(405, "own-definition").Text.ShouldContain("Measure/ccm-program");
        ((string?)(await server.GetAsync("Measure/ccm-program")).Json["status"]).ShouldBe("active");
    }

    [Fact]
    public async Task A_Bundle_reads_them_as_well()
    {
        var answer = await server.PostAsync(
            "",
            """
            {"resourceType":"Bundle","type":"batch","entry":[
              {"request":{"method":"GET","url":"Measure/ccm-program"}},
              {"request":{"method":"GET","url":"StructureDefinition?url=http://ccmfhir.org/fhir/StructureDefinition/ccm-time-log"}},
              {"resource":{"resourceType":"Measure","id":"ccm-program","status":"retired"},"request":{"method":"PUT","url":"Measure/ccm-program"}}]}
            """
        );

        answer.Statuses.Select(status => status[..3]).ShouldBe(["200", "200", "405"]);
        ((int)answer.Entries[1]!["resource"]!["total"]!).ShouldBe(1);
    }

    [Fact]
    public async Task The_CapabilityStatement_names_the_evaluation_of_measures_and_where_its_own_definitions_are()
    {
        var resources = (await server.GetAsync("metadata")).Json["rest"]![0]!["resource"]!.AsArray();
        var measure = resources.Single(one => (string)one!["type"]! == "Measure")!;

        measure["operation"]!
            .AsArray()
            .ShouldContain(one =>
                (string)one!["definition"]! == "http://hl7.org/fhir/OperationDefinition/Measure-evaluate-measure"
            );
        resources
            .Where(one => $"{one!["documentation"]}".Contains("own definitions", StringComparison.Ordinal))
            .Select(one => (string)one!["type"]!)
            .ShouldBe(OwnDefinitions.Types);
    }
}
