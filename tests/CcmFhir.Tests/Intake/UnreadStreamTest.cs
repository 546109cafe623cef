using System.Globalization;
using CcmFhir.Tests.Fhir;

namespace CcmFhir.Tests.Intake;

/// <summary>A server that has not read a patient's stream writes to it as one that has: what is new is appended without a look at the rest, what is
/// not new is seen.</summary>
public sealed class UnreadStreamTest : IAsyncLifetime
{
    private readonly FhirServer server = new();

    public async ValueTask InitializeAsync()
    {
        await server.InitializeAsync();
        (
            await server.PutAsync(
                "Patient/p1",
                """
                {"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:mrn","value":"p1"}],
                 "name":[{"family":"Test","given":["Pat"]}],"gender":"female","birthDate":"1950-01-01"}
                """
            )
        ).Status.ShouldBe(201);
        (await server.PutAsync("Observation/o1", Observation("o1", "1"))).Status.ShouldBe(201);
        (await server.PostAsync("Observation", Observation(null, "posted"))).Status.ShouldBe(201);
        await server.StartAnewAsync();
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task What_is_new_stands_behind_what_was_there()
    {
        (await server.PostAsync("Observation", Observation(null, "2"))).Status.ShouldBe(201);
        (await server.PutAsync("Observation/o3", Observation("o3", "3"))).Status.ShouldBe(201);
        (await server.PutAsync("Observation/o3", Observation("o3", "4"))).Version.ShouldBe("2");

        (await server.GetAsync("Observation?patient=p1&_summary=count")).Json["total"]!
            .GetValue<int>()
            .ShouldBe(4, "two from before, two new");
        (await server.GetAsync("Observation/o3/_history/1")).Text.ShouldContain("\"code\":\"3\"");
        (await server.GetAsync("Observation/o1")).Version.ShouldBe("1");
    }

    [Fact]
    public async Task An_update_of_what_was_there_is_its_next_version()
    {
        var updated = await server.PutAsync("Observation/o1", Observation("o1", "2"));

        updated.Status.ShouldBe(200);
        updated.Version.ShouldBe("2");
        (await server.GetAsync("Observation/o1/_history")).Entries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task What_was_there_and_is_sent_again_unchanged_keeps_its_version()
    {
        var again = await server.PutAsync("Observation/o1", Observation("o1", "1"));

        again.Status.ShouldBe(200);
        again.Version.ShouldBe("1");
    }

    [Fact]
    public async Task The_same_content_posted_again_is_another_resource()
    {
        (await server.PostAsync("Observation", Observation(null, "posted"))).Status.ShouldBe(201);

        (await server.GetAsync("Observation?patient=p1&_summary=count")).Json["total"]!.GetValue<int>().ShouldBe(3);
    }

    [Fact]
    public async Task A_condition_on_the_version_is_held_against_what_is_there()
    {
        (await server.PutAsync("Observation/o1", Observation("o1", "2"), ("If-Match", "W/\"7\""))).ShouldRefuse(412);
        (await server.PutAsync("Observation/o9", Observation("o9", "2"), ("If-Match", "W/\"1\""))).ShouldRefuse(412);
        (await server.PutAsync("Observation/o1", Observation("o1", "2"), ("If-Match", "W/\"1\""))).Version.ShouldBe(
            "2"
        );
    }

    [Fact]
    public async Task Many_at_once_are_each_there_once()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(number =>
                    server.PostAsync(
                        "Observation",
                        Observation(null, "m" + number.ToString(CultureInfo.InvariantCulture))
                    )
                )
        );

        answers.ShouldAllBe(answer => answer.Status == 201);
        (await server.GetAsync("Observation?patient=p1&_summary=count")).Json["total"]!.GetValue<int>().ShouldBe(42);
    }

    private static string Observation(string? id, string code) =>
        $$"""
            {"resourceType":"Observation"{{(id is null ? "" : $",\"id\":\"{id}\"")}},"status":"final",
             "code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"subject":{"reference":"Patient/p1"} }
            """;
}
