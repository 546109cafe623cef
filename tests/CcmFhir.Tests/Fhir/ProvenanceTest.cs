using System.Text;
using CcmFhir.Validation;

namespace CcmFhir.Tests.Fhir;

/// <summary>Where each version came from is read as Provenance.</summary>
public class ProvenanceTest(FhirServer server) : IClassFixture<FhirServer>
{
    [Fact]
    public async Task Each_version_has_one_that_is_found_by_its_target_and_read_by_its_id()
    {
        await server.PutAsync("Task/pv-1", Task("pv-1", "requested"));
        await server.PutAsync("Task/pv-1", Task("pv-1", "in-progress"));
        await server.AskAsync("DELETE", "Task/pv-1");
        await server.PutAsync("Task/pv-2", Task("pv-2", "requested"));

        var found = await server.GetAsync("Provenance?target=Task/pv-1");

        found
            .Entries.Select(entry => entry!["resource"]!)
            .Select(one =>
                $"{one["target"]![0]!["reference"]} {one["activity"]!["coding"]![0]!["code"]} {one["agent"]![0]!["who"]!["identifier"]!["value"]}"
            )
            .ShouldBe([
                "Task/pv-1/_history/3 DELETE development",
                "Task/pv-1/_history/2 UPDATE development",
                "Task/pv-1/_history/1 CREATE development",
            ]);
        foreach (var entry in found.Entries)
        {
            var read = await server.GetAsync($"Provenance/{entry!["resource"]!["id"]}");
            read.Json.ToJsonString().ShouldBe(entry["resource"]!.ToJsonString());
            ProfileSet
                .Default.Validate(Encoding.UTF8.GetBytes(read.Text))
                .Issues.ShouldNotContain(issue => issue.Severity <= Severity.Error);
        }
        (await server.GetAsync("Provenance/received-0-9-none")).ShouldRefuse(404);
    }

    [Fact]
    public async Task It_comes_along_by_revinclude_as_US_Core_asks()
    {
        await server.PutAsync("Task/pv-3", Task("pv-3", "requested"));

        var found = await server.GetAsync("Task?_id=pv-3&_revinclude=Provenance:target");

        found
            .Entries.Select(entry => $"{entry!["search"]!["mode"]} {entry["resource"]!["resourceType"]}")
            .ShouldBe(["match Task", "include Provenance"]);
    }

    private static string Task(string id, string status) =>
        $$"""{"resourceType":"Task","id":"{{id}}","status":"{{status}}","intent":"order","for":{"reference":"Patient/pv"} }""";
}
