using System.IO.Compression;
using System.Text.Json.Nodes;
using CcmFhir.Tests.Fhir;

namespace CcmFhir.Tests.Intake;

/// <summary>Whole patients as Synthea writes them: transactions of hundreds of entries that refer to each other by urn:uuid.</summary>
public class SyntheaTest(FhirServer server) : IClassFixture<FhirServer>
{
    [Theory]
    [InlineData("mary-lind")]
    [InlineData("morris-lockman")]
    [InlineData("renato-dare")]
    public async Task A_whole_patient_is_taken_and_read_back_equal(string name)
    {
        var sent = await ReadAsync(name);

        var answer = await server.PostAsync("", sent.ToJsonString());

        answer.Status.ShouldBe(200, answer.Text.Length > 2000 ? answer.Text[..2000] : answer.Text);
        var entries = sent["entry"]!.AsArray();
        var ids = new Dictionary<string, string>();
        for (var at = 0; at < entries.Count; at++)
        {
            var location = (string)answer.Entries[at]!["response"]!["location"]!;
            var parts = location[(server.Base.Length + 1)..].Split('/');
            ids[(string)entries[at]!["fullUrl"]!] = $"{parts[0]}/{parts[1]}";
        }
        for (var at = 0; at < entries.Count; at++)
        {
            var stored = await server.GetAsync(ids[(string)entries[at]!["fullUrl"]!]);
            var expected = entries[at]!["resource"]!.DeepClone();
            Rewrite(expected, ids);
            expected["id"] = stored.Id;
            var kept = stored.Json;
            kept["meta"]!.AsObject().Remove("versionId");
            kept["meta"]!.AsObject().Remove("lastUpdated");
            if (kept["meta"]!.AsObject().Count == 0)
            {
                kept.AsObject().Remove("meta");
            }
            JsonNode.DeepEquals(kept, expected).ShouldBeTrue($"entry {at}: {stored.Text}");
        }
    }

    // Later releases of Synthea bring practitioners and organizations first, by conditional creates, and refer to them by identifier.
    [Fact]
    public async Task The_newer_form_with_conditional_references_is_taken()
    {
        // A server of its own: elsewhere the same practitioners are known already.
        await using var own = new FhirServer();
        await own.InitializeAsync();
        var sent = await ReadAsync("mary-lind");
        var entries = sent["entry"]!.AsArray();
        var (first, shared) = (new JsonArray(), new Dictionary<string, string>());
        foreach (var entry in entries.ToList())
        {
            var type = (string)entry!["resource"]!["resourceType"]!;
            if (type is not ("Practitioner" or "Organization"))
            {
                continue;
            }
            var identifier = entry["resource"]!["identifier"]![0]!;
            var query = $"identifier={identifier["system"]}|{identifier["value"]}";
            shared[(string)entry["fullUrl"]!] = $"{type}?{query}";
            entries.Remove(entry);
            entry["request"]!["ifNoneExist"] = query;
            first.Add(entry);
        }
        shared.Count.ShouldBe(2);
        Rewrite(sent, shared);
        var before = new JsonObject
        {
            ["resourceType"] = "Bundle",
            ["type"] = "transaction",
            ["entry"] = first,
        };
        (await own.PostAsync("", sent.ToJsonString())).ShouldRefuse(412, "reference-no-match");
        (await own.PostAsync("", before.ToJsonString())).Status.ShouldBe(200);

        var answer = await own.PostAsync("", sent.ToJsonString());

        answer.Status.ShouldBe(200, answer.Text.Length > 2000 ? answer.Text[..2000] : answer.Text);
        var encounter = answer
            .Entries.Select(entry => (string)entry!["response"]!["location"]!)
            .First(location => location.Contains("/Encounter/", StringComparison.Ordinal));
        ((string)(await own.GetAsync(encounter)).Json["serviceProvider"]!["reference"]!).ShouldStartWith(
            "Organization/"
        );
    }

    private static async Task<JsonNode> ReadAsync(string name)
    {
        await using var file = File.OpenRead(
            Path.Combine(AppContext.BaseDirectory, "Data", "synthea", name + ".json.gz")
        );
        await using var unpacked = new GZipStream(file, CompressionMode.Decompress);
        return (await JsonNode.ParseAsync(unpacked))!;
    }

    private static void Rewrite(JsonNode? node, Dictionary<string, string> ids)
    {
        switch (node)
        {
            case JsonObject found:
                foreach (var (name, value) in found.ToList())
                {
                    if (value is JsonValue && value.GetValueKind() == System.Text.Json.JsonValueKind.String)
                    {
                        if (ids.TryGetValue((string)value!, out var reference))
                        {
                            found[name] = reference;
                        }
                    }
                    else
                    {
                        Rewrite(value, ids);
                    }
                }
                break;
            case JsonArray list:
                foreach (var item in list)
                {
                    Rewrite(item, ids);
                }
                break;
            default:
                break;
        }
    }
}
