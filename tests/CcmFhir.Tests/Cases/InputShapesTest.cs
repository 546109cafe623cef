using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CcmFhir.Tests.Cases;

/// <summary>The same month comes out of the same resources, however they are sent.</summary>
public sealed class InputShapesTest
{
    [Theory]
    [InlineData("transaction")]
    [InlineData("batch")]
    [InlineData("collection")]
    [InlineData("searchset")]
    [InlineData("ndjson")]
    [InlineData("reversed")]
    [InlineData("folders")]
    public async Task A_month_is_decided_alike_from_every_shape_of_input(string shape)
    {
        var one = CareCase.Usual().Log(1320).Log(1300, activity: "travel").Charge("99457", "2026-10-12");
        var expected = await one.TextAsync();

        var actual = await one.TextAsync(
            (folder, resources) =>
            {
                switch (shape)
                {
                    case "ndjson":
                        File.WriteAllLines(
                            Path.Combine(folder, "all.ndjson"),
                            resources.Select(resource => resource.ToJsonString())
                        );
                        break;
                    case "reversed":
                        for (var at = 0; at < resources.Count; at++)
                        {
                            File.WriteAllText(
                                Path.Combine(folder, $"{resources.Count - at:D3}.json"),
                                resources[at].ToJsonString()
                            );
                        }
                        break;
                    case "folders":
                        foreach (var resource in resources)
                        {
                            var type = Directory.CreateDirectory(
                                Path.Combine(folder, (string)resource["resourceType"]!)
                            );
                            File.WriteAllText(
                                Path.Combine(type.FullName, (string)resource["id"]! + ".json"),
                                resource.ToJsonString(new JsonSerializerOptions { WriteIndented = true })
                            );
                        }
                        break;
                    default:
                        File.WriteAllText(Path.Combine(folder, "bundle.json"), Bundle(shape, resources));
                        break;
                }
            }
        );

        actual.ShouldBe(expected);
    }

    [Fact]
    public async Task References_under_the_EHRs_base_mean_the_same_as_relative_ones()
    {
        const string ehr = "https://ehr.example.org/r4";
        var one = CareCase
            .Usual()
            .Practice("ehr", $$"""{"baseUrl":"{{ehr}}"}""")
            .Log(1320, role: "billing-practitioner", owner: "Practitioner/dr-a");
        var expected = await one.TextAsync();

        var actual = await one.TextAsync(
            (folder, resources) =>
            {
                var text = Bundle("transaction", resources);
                File.WriteAllText(
                    Path.Combine(folder, "bundle.json"),
                    text.Replace("\"reference\":\"", $"\"reference\":\"{ehr}/", StringComparison.Ordinal)
                );
            }
        );

        actual.ShouldBe(expected);
    }

    [Fact]
    public async Task The_same_log_sent_twice_counts_once()
    {
        var one = CareCase.Usual().Log(1200);

        var text = await one.TextAsync(
            (folder, resources) =>
            {
                File.WriteAllText(Path.Combine(folder, "1.json"), Bundle("transaction", resources));
                File.WriteAllText(Path.Combine(folder, "2.json"), Bundle("transaction", resources));
            }
        );

        new Decided(text).Counted.ShouldBe(1200);
    }

    [Fact]
    public async Task A_log_that_is_updated_to_entered_in_error_is_taken_back()
    {
        var one = CareCase.Usual().Log(1500);

        var text = await one.TextAsync(
            (folder, resources) =>
            {
                File.WriteAllText(Path.Combine(folder, "1.json"), Bundle("transaction", resources));
                var task = resources.Single(resource => (string)resource["resourceType"]! == "Task").DeepClone();
                task["status"] = "entered-in-error";
                File.WriteAllText(Path.Combine(folder, "2.json"), task.ToJsonString());
            }
        );

        var decided = new Decided(text);
        decided.Lines.ShouldBe("none");
        decided.Counted.ShouldBe(0);
        decided.Reasons.ShouldContain("CCM-T01 deny");
    }

    [Fact]
    public async Task Posted_entries_get_ids_that_do_not_change_from_run_to_run()
    {
        var one = CareCase.Usual().Log(1200);
        void Write(string folder, IReadOnlyList<JsonObject> resources)
        {
            var entries = resources.Select(resource =>
            {
                var copy = resource.DeepClone().AsObject();
                var isTask = (string)copy["resourceType"]! == "Task";
                var reference = $"{copy["resourceType"]}/{copy["id"]}";
                if (isTask)
                {
                    copy.Remove("id");
                }
                return new JsonObject
                {
                    ["fullUrl"] = isTask ? "urn:uuid:0fa5b1c2-3a4b-4c5d-8e6f-708192a3b4c5" : null,
                    ["resource"] = copy,
                    ["request"] = new JsonObject
                    {
                        ["method"] = isTask ? "POST" : "PUT",
                        ["url"] = isTask ? "Task" : reference,
                    },
                };
            });
            var bundle = new JsonObject { ["resourceType"] = "Bundle", ["type"] = "transaction" };
            var array = new JsonArray();
            foreach (var entry in entries)
            {
                if (entry["fullUrl"] is null)
                {
                    entry.Remove("fullUrl");
                }
                array.Add(entry);
            }
            bundle["entry"] = array;
            File.WriteAllText(Path.Combine(folder, "bundle.json"), bundle.ToJsonString());
        }

        var first = await one.TextAsync(Write);

        new Decided(first).Lines.ShouldBe("99490x1");
        (await one.TextAsync(Write)).ShouldBe(first);
    }

    [Fact]
    public async Task Patients_are_listed_in_order_and_only_those_with_time_or_consent()
    {
        var one = CareCase
            .Usual()
            .Log(1200)
            .Put(Person("a"))
            .Put(Person("z"))
            .Put(
                """
                {"resourceType":"Task","id":"of-a","status":"completed","intent":"order",
                 "code":{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-activity","code":"care-coordination"}]},
                 "for":{"reference":"Patient/a"},"executionPeriod":{"start":"2026-10-05T10:00:00-04:00","end":"2026-10-05T10:10:00-04:00"},
                 "authoredOn":"2026-10-05T10:10:00-04:00",
                 "performerType":[{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-performer-role","code":"clinical-staff"}]}],
                 "owner":{"reference":"Practitioner/rn-1"}}
                """
            );

        using var answer = JsonDocument.Parse(await one.TextAsync());

        answer
            .RootElement.GetProperty("decisions")
            .EnumerateArray()
            .Select(decision => decision.GetProperty("patient").GetString())
            .ShouldBe(["Patient/a", "Patient/p"]);
    }

    private static string Person(string id) =>
        $$"""
            {"resourceType":"Patient","id":"{{id}}","identifier":[{"system":"http://hl7.org/fhir/sid/us-mbi","value":"1EG4TE5MK7{{(
                id == "a" ? 4 : 5
            )}}"}],"name":[{"family":"Other"}],"gender":"male","birthDate":"1950-01-01"}
            """;

    private static string Bundle(string type, IReadOnlyList<JsonObject> resources)
    {
        var text = new StringBuilder($$"""{"resourceType":"Bundle","type":"{{type}}","entry":[""");
        foreach (var resource in resources)
        {
            var reference = $"{resource["resourceType"]}/{resource["id"]}";
            text.Append($$"""{"fullUrl":"https://ehr.example.org/r4/{{reference}}","resource":""")
                .Append(resource.ToJsonString());
            if (type is "transaction" or "batch")
            {
                text.Append($$""","request":{"method":"PUT","url":"{{reference}}"}""");
            }
            else if (type == "searchset")
            {
                text.Append(",\"search\":{\"mode\":\"match\"}");
            }
            text.Append("},");
        }
        text.Length--;
        return text.Append("]}").ToString();
    }
}
