using System.Text.Json.Nodes;
using Hl7.Fhir.Model;
using Hl7.Fhir.Serialization;

namespace CcmFhir.Tests.Fhir;

/// <summary>The CapabilityStatement says what the routes do, no more and no less.</summary>
public class CapabilityTest(FhirServer server) : IClassFixture<FhirServer>
{
    [Fact]
    public async System.Threading.Tasks.Task Every_declared_interaction_of_every_type_answers()
    {
        var statement = (await server.GetAsync("metadata")).Json;
        ((string?)statement["fhirVersion"]).ShouldBe("4.0.1");
        var resources = statement["rest"]![0]!["resource"]!.AsArray();
        resources.Count.ShouldBe(145);
        foreach (var resource in resources)
        {
            var type = (string)resource!["type"]!;
            foreach (var interaction in resource["interaction"]!.AsArray().Select(each => (string)each!["code"]!))
            {
                var answer = interaction switch
                {
                    "read" => await server.GetAsync($"{type}/none"),
                    "vread" => await server.GetAsync($"{type}/none/_history/1"),
                    "update" => await server.PutAsync($"{type}/x", $$"""{"resourceType":"{{type}}","id":"y"}"""),
                    "patch" => await server.AskAsync(
                        "PATCH",
                        $"{type}/none",
                        "[]",
                        ("Content-Type", "application/json-patch+json")
                    ),
                    "delete" => await server.AskAsync("DELETE", $"{type}/none"),
                    "history-instance" => await server.GetAsync($"{type}/none/_history"),
                    "history-type" => await server.GetAsync($"{type}/_history"),
                    "create" => await server.PostAsync(type, "{}"),
                    "search-type" => await server.GetAsync($"{type}?_id=none"),
                    _ => throw new InvalidOperationException(interaction),
                };
                answer.Status.ShouldNotBe(405, $"{type} {interaction}");
                (answer.Status is 200 or 204 or 400 or 404).ShouldBeTrue($"{type} {interaction}: {answer.Text}");
                if (answer.Status == 404)
                {
                    answer.Rules.ShouldContain("not-found");
                }
            }
        }
    }

    [Fact]
    public async System.Threading.Tasks.Task Every_declared_operation_is_at_its_address()
    {
        var rest = (await server.GetAsync("metadata")).Json["rest"]![0]!;
        var operations = rest["operation"]!
            .AsArray()
            .Select(one => $"${one!["name"]}")
            .Concat(
                rest["resource"]!
                    .AsArray()
                    .SelectMany(type =>
                        type!["operation"]!
                            .AsArray()
                            .Select(one =>
                                (string?)one!["name"] == "validate"
                                    ? $"{type["type"]}/$validate"
                                    : $"{type["type"]}/x/${one["name"]}"
                            )
                    )
            )
            .ToList();
        operations.ShouldContain("Patient/x/$ccm-status");
        operations.ShouldContain("$ccm-notify");
        foreach (var operation in operations)
        {
            var posted = await server.PostAsync(operation, "{}");
            var answer =
                posted.Status == 405 || posted.Text.Contains("nothing at this address", StringComparison.Ordinal)
                    ? await server.GetAsync(operation)
                    : posted;
            answer.Text.ShouldNotContain("There is nothing at this address", Case.Sensitive, operation);
            answer.Status.ShouldNotBe(405, operation);
        }
    }

    [Fact]
    public async System.Threading.Tasks.Task Every_declared_search_parameter_is_understood()
    {
        var statement = (await server.GetAsync("metadata")).Json;
        foreach (var resource in statement["rest"]![0]!["resource"]!.AsArray())
        {
            var type = (string)resource!["type"]!;
            var query = string.Join(
                '&',
                resource["searchParam"]!
                    .AsArray()
                    .Select(parameter =>
                        $"{parameter!["name"]}={(string)parameter["type"]! switch
                        {
                            "date" => "2026",
                            "number" or "quantity" => "1",
                            _ => "x",
                        }}"
                    )
            );

            var answer = await server.GetAsync($"{type}?_id=none&{query}", ("Prefer", "handling=strict"));

            answer.Status.ShouldBe(200, $"{type}: {answer.Text}");
        }
    }

    [Fact]
    public async System.Threading.Tasks.Task What_is_not_declared_is_not_there()
    {
        (await server.GetAsync("Parameters/1")).ShouldRefuse(404);
        (await server.PostAsync("Parameters", """{"resourceType":"Parameters"}""")).ShouldRefuse(405, "not-stored");
    }

    [Fact]
    public async System.Threading.Tasks.Task It_is_a_valid_statement_for_the_Firely_SDK_and_names_our_profiles()
    {
        var text = (await server.GetAsync("metadata")).Text;

        var statement =
            new Hl7.Fhir.Serialization.FhirJsonDeserializer().Deserialize<Hl7.Fhir.Model.CapabilityStatement>(text);

        statement
            .Rest[0]
            .Resource.Single(resource => resource.Type == "Task")
            .SupportedProfile.ShouldBe(["http://ccmfhir.org/fhir/StructureDefinition/ccm-time-log"]);
        statement
            .Rest[0]
            .Interaction.Select(interaction => interaction.Code.ToString())
            .ShouldBe(["Transaction", "Batch", "HistorySystem"]);
        ((JsonArray)JsonNode.Parse(text)!["format"]!).Count.ShouldBe(4);
    }

    [Fact]
    public async System.Threading.Tasks.Task The_history_of_a_type_and_of_the_system_hold_every_version()
    {
        await server.PutAsync("Basic/ht", """{"resourceType":"Basic","id":"ht","code":{"text":"a"}}""");
        await server.PutAsync("Basic/ht", """{"resourceType":"Basic","id":"ht","code":{"text":"b"}}""");
        await server.AskAsync("DELETE", "Basic/ht");

        foreach (var url in (string[])["Basic/_history", "_history"])
        {
            var history = await server.GetAsync(url);
            history
                .Entries.Where(entry => ((string)entry!["fullUrl"]!).EndsWith("/Basic/ht", StringComparison.Ordinal))
                .Select(entry => (string)entry!["request"]!["method"]!)
                .ShouldBe(["DELETE", "PUT", "POST"]);
        }
        (await server.GetAsync("Basic/_history?_since=2100-01-01")).Entries.Count.ShouldBe(0);
    }
}
