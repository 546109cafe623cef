using System.Text.Json.Nodes;

namespace CcmFhir.Tests.Fhir;

/// <summary>R4's rules for single interactions [http.html], one a test, with its section.</summary>
public class RestRulesTest(FhirServer server) : IClassFixture<FhirServer>
{
    private static string Observation(string patient, string code = "8867-4", string? id = null) =>
        $$"""
            {"resourceType":"Observation",{{(id is null ? "" : $"\"id\":\"{id}\",")}}"status":"final",
             "code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"subject":{"reference":"Patient/{{patient}}"} }
            """;

    private static string Basic(string id, string code = "x") =>
        $$"""{"resourceType":"Basic","id":"{{id}}","code":{"text":"{{code}}"} }""";

    [Fact] // 3.1.0.8
    public async Task A_create_answers_201_with_location_version_and_time_and_ignores_the_clients_id()
    {
        var made = await server.PostAsync("Observation", Observation("c1", id: "mine"));

        made.Status.ShouldBe(201);
        made.Id.ShouldNotBe("mine");
        made.Version.ShouldBe("1");
        made.ETag.ShouldBe("W/\"1\"");
        made.Location.ShouldBe($"{server.Base}/Observation/{made.Id}/_history/1");
        made.LastModified.ShouldNotBeNull();
        (await server.GetAsync($"Observation/{made.Id}")).Text.ShouldBe(made.Text);
    }

    [Fact] // 3.1.0.8: what is sent is kept
    public async Task A_create_keeps_everything_that_was_sent_beside_id_and_meta()
    {
        var made = await server.PostAsync("Observation", Observation("c2"));

        var sent = JsonNode.Parse(Observation("c2"))!.AsObject();
        var kept = made.Json.AsObject();
        kept.Remove("id");
        kept.Remove("meta");
        JsonNode.DeepEquals(sent, kept).ShouldBeTrue();
    }

    [Fact] // 3.1.0.8.1
    public async Task A_conditional_create_makes_one_and_finds_it_again()
    {
        var body = """{"resourceType":"Basic","identifier":[{"system":"urn:s","value":"cc-1"}],"code":{"text":"x"}}""";

        var first = await server.PostAsync("Basic", body, ("If-None-Exist", "identifier=urn:s|cc-1"));
        var second = await server.PostAsync("Basic", body, ("If-None-Exist", "identifier=urn:s|cc-1"));

        first.Status.ShouldBe(201);
        second.Status.ShouldBe(200);
        second.Id.ShouldBe(first.Id);
        second.ETag.ShouldBe("W/\"1\"");
        second.Location.ShouldBe(first.Location);
    }

    [Fact] // 3.1.0.8.1
    public async Task A_conditional_create_that_finds_several_is_412()
    {
        var body = """{"resourceType":"Basic","identifier":[{"system":"urn:s","value":"cc-2"}],"code":{"text":"x"}}""";
        await server.PostAsync("Basic", body);
        await server.PostAsync("Basic", body);

        var refused = await server.PostAsync("Basic", body, ("If-None-Exist", "identifier=urn:s|cc-2"));

        refused.ShouldRefuse(412, "condition-many-matches");
    }

    [Theory] // 3.1.0.8.1
    [InlineData("", "condition-empty")]
    [InlineData("_count=1", "condition-empty")]
    [InlineData("colour=red", "search-parameter")]
    public async Task A_conditional_create_without_a_condition_is_400(string condition, string rule) =>
        (await server.PostAsync("Basic", Basic("x"), ("If-None-Exist", condition))).ShouldRefuse(400, rule);

    [Fact] // 3.1.0.8.1 under concurrency
    public async Task Of_32_conditional_creates_at_once_one_creates()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 32)
                .Select(number =>
                    server.PostAsync(
                        "Basic",
                        $$"""{"resourceType":"Basic","identifier":[{"system":"urn:s","value":"race"}],"code":{"text":"{{number}}"} }""",
                        ("If-None-Exist", "identifier=urn:s|race")
                    )
                )
        );

        answers.Count(answer => answer.Status == 201).ShouldBe(1);
        answers.Count(answer => answer.Status == 200).ShouldBe(31);
        answers.Select(answer => answer.Id).Distinct().Count().ShouldBe(1);
    }

    [Fact] // 3.1.0.2
    public async Task A_read_of_what_was_never_there_is_404() =>
        (await server.GetAsync("Observation/never")).ShouldRefuse(404, "not-found");

    [Fact] // 3.1.0.2
    public async Task A_read_of_another_practices_resource_is_404()
    {
        var made = await server.PostAsync("Observation", Observation("c3"));

        (await server.GetAsync($"{server.Base.Replace("/oak/", "/elm/")}/Observation/{made.Id}")).ShouldRefuse(404);
    }

    [Fact] // 3.1.0.2, 3.1.0.3
    public async Task Deleted_is_410_and_older_versions_stay()
    {
        await server.PutAsync("Basic/gone", Basic("gone"));
        (await server.AskAsync("DELETE", "Basic/gone")).Status.ShouldBe(204);

        (await server.GetAsync("Basic/gone")).ShouldRefuse(410, "deleted");
        (await server.GetAsync("Basic/gone/_history/1")).Status.ShouldBe(200);
        (await server.GetAsync("Basic/gone/_history/2")).ShouldRefuse(410);
        (await server.GetAsync("Basic/gone/_history/9")).ShouldRefuse(404, "version-not-found");
    }

    [Fact] // 3.1.0.7
    public async Task A_delete_can_be_repeated_and_what_was_never_there_can_be_deleted()
    {
        await server.PutAsync("Basic/twice", Basic("twice"));
        (await server.AskAsync("DELETE", "Basic/twice")).Status.ShouldBe(204);
        (await server.AskAsync("DELETE", "Basic/twice")).Status.ShouldBe(204);
        (await server.AskAsync("DELETE", "Basic/never")).Status.ShouldBe(204);
    }

    [Fact] // 3.1.0.7: an update can bring back what was deleted
    public async Task An_update_revives_what_was_deleted_with_the_next_version()
    {
        await server.PutAsync("Basic/back", Basic("back"));
        await server.AskAsync("DELETE", "Basic/back");

        var back = await server.PutAsync("Basic/back", Basic("back"));

        back.Status.ShouldBe(201);
        back.Version.ShouldBe("3");
    }

    [Fact] // 3.1.0.4
    public async Task An_update_of_an_unknown_id_creates_it()
    {
        var made = await server.PutAsync("Basic/new-1", Basic("new-1"));

        made.Status.ShouldBe(201);
        made.Id.ShouldBe("new-1");
        made.Location.ShouldBe($"{server.Base}/Basic/new-1/_history/1");
    }

    [Fact] // 3.1.0.4
    public async Task An_update_makes_the_next_version_and_an_unchanged_one_makes_none()
    {
        await server.PutAsync("Basic/v", Basic("v"));
        var second = await server.PutAsync("Basic/v", Basic("v", "y"));
        var third = await server.PutAsync("Basic/v", Basic("v", "y"));

        (second.Status, second.Version).ShouldBe((200, "2"));
        (third.Status, third.Version).ShouldBe((200, "2"));
    }

    [Theory] // 3.1.0.4
    [InlineData("""{"resourceType":"Basic","id":"other","code":{"text":"x"}}""", "id-mismatch", "Basic.id")]
    [InlineData("""{"resourceType":"Basic","code":{"text":"x"}}""", "id-missing", "Basic.id")]
    [InlineData("""{"resourceType":"Basic","id":"a/b","code":{"text":"x"}}""", "id-format", "Basic.id")]
    [InlineData("""{"resourceType":"List","id":"m"}""", "resource-type", "Basic.resourceType")]
    public async Task An_update_whose_body_speaks_of_another_is_400(string body, string rule, string expression)
    {
        var refused = await server.PutAsync("Basic/m", body);

        refused.ShouldRefuse(400, rule);
        refused.Expressions.ShouldContain(expression);
    }

    [Fact] // 3.1.0.5
    public async Task If_Match_holds_an_update_to_a_version()
    {
        await server.PutAsync("Basic/im", Basic("im"));

        (await server.PutAsync("Basic/im", Basic("im", "a"), ("If-Match", "W/\"9\""))).ShouldRefuse(412, "if-match");
        (await server.PutAsync("Basic/im", Basic("im", "a"), ("If-Match", "nonsense"))).ShouldRefuse(400, "if-match");
        (await server.PutAsync("Basic/im", Basic("im", "a"), ("If-Match", "W/\"1\""))).Status.ShouldBe(200);
        (await server.PutAsync("Basic/no-such", Basic("no-such"), ("If-Match", "W/\"1\""))).ShouldRefuse(412);
        (await server.AskAsync("DELETE", "Basic/im", null, ("If-Match", "W/\"1\""))).ShouldRefuse(412);
    }

    [Fact] // 3.1.0.4.3
    public async Task A_conditional_update_creates_updates_or_refuses()
    {
        string Body(string? id, string text) =>
            $$"""{"resourceType":"Basic",{{(id is null ? "" : $"\"id\":\"{id}\",")}}"identifier":[{"system":"urn:s","value":"cu"}],"code":{"text":"{{text}}"} }""";

        var made = await server.PutAsync("Basic?identifier=urn:s|cu", Body(null, "a"));
        var changed = await server.PutAsync("Basic?identifier=urn:s|cu", Body(null, "b"));

        made.Status.ShouldBe(201);
        (changed.Status, changed.Id, changed.Version).ShouldBe((200, made.Id, "2"));
        (await server.PutAsync("Basic?identifier=urn:s|cu", Body("else", "c"))).ShouldRefuse(400, "id-mismatch");
        (await server.PutAsync("Basic", Body(null, "c"))).ShouldRefuse(400, "condition-missing");
        var named = await server.PutAsync(
            "Basic?identifier=urn:s|cu2",
            Body("chosen", "a").Replace("\"cu\"", "\"cu2\"")
        );
        (named.Status, named.Id).ShouldBe((201, "chosen"));
        await server.PostAsync("Basic", Body(null, "d"));
        (await server.PutAsync("Basic?identifier=urn:s|cu", Body(null, "e"))).ShouldRefuse(
            412,
            "condition-many-matches"
        );
    }

    [Fact] // 3.1.0.7.1
    public async Task A_conditional_delete_deletes_one_nothing_or_refuses()
    {
        var body = """{"resourceType":"Basic","identifier":[{"system":"urn:s","value":"cd"}],"code":{"text":"x"}}""";
        var made = await server.PostAsync("Basic", body);

        (await server.AskAsync("DELETE", "Basic?identifier=urn:s|cd")).Status.ShouldBe(204);
        (await server.GetAsync($"Basic/{made.Id}")).ShouldRefuse(410);
        (await server.AskAsync("DELETE", "Basic?identifier=urn:s|cd")).Status.ShouldBe(204);
        await server.PostAsync("Basic", body);
        await server.PostAsync("Basic", body.Replace("\"x\"", "\"y\""));
        (await server.AskAsync("DELETE", "Basic?identifier=urn:s|cd")).ShouldRefuse(412);
    }

    [Fact] // 3.1.0.6
    public async Task A_JSON_patch_changes_one_thing_and_holds_to_if_match()
    {
        await server.PutAsync("Basic/p", Basic("p"));

        var patched = await server.AskAsync(
            "PATCH",
            "Basic/p",
            """[{"op":"test","path":"/code/text","value":"x"},{"op":"replace","path":"/code/text","value":"y"}]""",
            ("Content-Type", "application/json-patch+json"),
            ("If-Match", "W/\"1\"")
        );

        (patched.Status, patched.Version).ShouldBe((200, "2"));
        ((string?)patched.Json["code"]!["text"]).ShouldBe("y");
    }

    [Theory] // 3.1.0.6
    [InlineData("""[{"op":"test","path":"/code/text","value":"z"}]""", 422)]
    [InlineData("""[{"op":"remove","path":"/nothing"}]""", 422)]
    [InlineData("""[{"op":"replace","path":"/id","value":"other"}]""", 422)]
    [InlineData("""[{"op":"jump","path":"/code"}]""", 422)]
    [InlineData("""{"op":"add"}""", 400)]
    [InlineData("""[""", 400)]
    public async Task A_patch_that_cannot_be_applied_changes_nothing(string patch, int status)
    {
        await server.PutAsync("Basic/bad-patch", Basic("bad-patch"));

        var refused = await server.AskAsync(
            "PATCH",
            "Basic/bad-patch",
            patch,
            ("Content-Type", "application/json-patch+json")
        );

        refused.ShouldRefuse(status);
        (await server.GetAsync("Basic/bad-patch")).Version.ShouldBe("1");
    }

    [Fact] // 3.1.0.6
    public async Task A_patch_of_what_is_not_there_is_404() =>
        (
            await server.AskAsync("PATCH", "Basic/none", "[]", ("Content-Type", "application/json-patch+json"))
        ).ShouldRefuse(404);

    [Fact] // 3.1.0.1.5: conditional read
    public async Task A_read_of_the_version_that_the_client_has_is_304()
    {
        var made = await server.PutAsync("Basic/nm", Basic("nm"));

        (await server.GetAsync("Basic/nm", ("If-None-Match", "W/\"1\""))).Status.ShouldBe(304);
        (await server.GetAsync("Basic/nm", ("If-None-Match", "W/\"2\""))).Status.ShouldBe(200);
        (
            await server.GetAsync("Basic/nm", ("If-Modified-Since", made.LastModified!.Value.ToString("R")))
        ).Status.ShouldBe(304);
        (
            await server.GetAsync(
                "Basic/nm",
                ("If-Modified-Since", made.LastModified!.Value.AddHours(-1).ToString("R"))
            )
        ).Status.ShouldBe(200);
    }

    [Fact] // 3.1.0.1.6
    public async Task Prefer_return_decides_what_the_answer_holds()
    {
        var minimal = await server.PostAsync("Basic", Basic("x"), ("Prefer", "return=minimal"));
        var outcome = await server.PostAsync("Basic", Basic("x"), ("Prefer", "return=OperationOutcome"));
        var whole = await server.PostAsync("Basic", Basic("x"), ("Prefer", "return=representation"));

        (minimal.Status, minimal.Text).ShouldBe((201, ""));
        minimal.Location.ShouldNotBeNull();
        ((string?)outcome.Json["resourceType"]).ShouldBe("OperationOutcome");
        ((string?)whole.Json["resourceType"]).ShouldBe("Basic");
    }

    [Theory] // 3.1.0.1.11
    [InlineData("_format=json", "*/*", 200)]
    [InlineData("_format=application/fhir%2Bjson", "text/html", 200)]
    [InlineData("_format=application/fhir+json", "text/html", 200)]
    [InlineData("", "application/fhir+json;fhirVersion=4.0", 200)]
    [InlineData("", "text/html,application/xhtml+xml,*/*;q=0.8", 200)]
    [InlineData("", "application/fhir+json;fhirVersion=3.0", 406)]
    [InlineData("", "text/turtle", 406)]
    [InlineData("_format=ttl", "*/*", 406)]
    [InlineData("_pretty=perhaps", "*/*", 400)]
    public async Task The_format_is_negotiated(string query, string accept, int status) =>
        (await server.GetAsync($"metadata?{query}", ("Accept", accept))).Status.ShouldBe(status);

    [Theory] // 3.1.0.1.11
    [InlineData("text/plain")]
    [InlineData("application/fhir+json; charset=iso-8859-1")]
    [InlineData("application/fhir+json; fhirVersion=3.0")]
    public async Task Another_content_type_is_415(string type) =>
        (await server.PostAsync("Basic", Basic("x"), ("Content-Type", type))).ShouldRefuse(415, "content-type");

    [Theory]
    [InlineData("GET", "Basics", 404)]
    [InlineData("GET", "Patient/1/2/3", 404)]
    [InlineData("GET", "$nonsense", 404)]
    [InlineData("GET", "Patient/1/$nonsense", 404)]
    [InlineData("PUT", "", 405)]
    [InlineData("DELETE", "metadata", 405)]
    [InlineData("POST", "Patient/1", 405)]
    [InlineData("DELETE", "Patient/1/_history", 405)]
    [InlineData("GET", "Patient/_search", 405)]
    [InlineData("GET", "Patient/..%2f1", 404)]
    public async Task Every_wrong_address_and_method_gets_an_outcome(string method, string url, int status)
    {
        var refused = await server.AskAsync(method, url, method is "PUT" or "POST" ? "{}" : null);

        refused.ShouldRefuse(status);
        (refused.Allow is not null).ShouldBe(status == 405);
    }

    [Fact]
    public async Task An_address_outside_of_every_practice_gets_an_outcome_too() =>
        (await server.GetAsync(new Uri(new Uri(server.Base), "/nowhere/at/all").ToString())).ShouldRefuse(404, "route");

    [Fact]
    public async Task The_probes_answer()
    {
        (await server.GetAsync(new Uri(new Uri(server.Base), "/health/live").ToString())).Status.ShouldBe(200);
        (await server.GetAsync(new Uri(new Uri(server.Base), "/health/ready").ToString())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_unknown_practice_is_404() =>
        (await server.GetAsync($"{server.Base.Replace("/oak/", "/nobody/")}/Patient/1")).ShouldRefuse(404, "practice");

    [Fact] // 3.1.0.10
    public async Task HEAD_answers_as_GET_without_the_body()
    {
        await server.PutAsync("Basic/head", Basic("head"));

        var head = await server.AskAsync("HEAD", "Basic/head");

        (head.Status, head.Text, head.ETag).ShouldBe((200, "", "W/\"1\""));
    }

    [Fact] // 3.1.0.9
    public async Task The_history_of_an_instance_is_newest_first_with_deletions()
    {
        await server.PutAsync("Basic/h", Basic("h", "a"));
        await server.PutAsync("Basic/h", Basic("h", "b"));
        await server.AskAsync("DELETE", "Basic/h");

        var history = await server.GetAsync("Basic/h/_history");

        ((string?)history.Json["type"]).ShouldBe("history");
        history.Entries.Select(entry => (string)entry!["request"]!["method"]!).ShouldBe(["DELETE", "PUT", "POST"]);
        history.Entries[0]!["resource"].ShouldBeNull();
        history
            .Entries.Select(entry => (string)entry!["response"]!["etag"]!)
            .ShouldBe(["W/\"3\"", "W/\"2\"", "W/\"1\""]);
        (await server.GetAsync("Basic/never-h/_history")).ShouldRefuse(404);
        (await server.GetAsync("Basic/h/_history?_sort=x")).ShouldRefuse(400);
    }

    [Fact] // 3.1.0.9
    public async Task A_history_is_paged_without_repeats()
    {
        for (var version = 0; version < 7; version++)
        {
            await server.PutAsync("Basic/hp", Basic("hp", $"v{version}"));
        }
        var seen = new List<string>();
        var url = "Basic/hp/_history?_count=3";
        while (url is not null)
        {
            var page = await server.GetAsync(url);
            seen.AddRange(page.Entries.Select(entry => (string)entry!["resource"]!["meta"]!["versionId"]!));
            await server.PutAsync("Basic/hp", Basic("hp", $"more{seen.Count}"));
            url = page.Json["link"]!
                .AsArray()
                .Where(link => (string)link!["relation"]! == "next")
                .Select(link => (string)link!["url"]!)
                .FirstOrDefault();
        }

        seen.ShouldBe(["7", "6", "5", "4", "3", "2", "1"]);
    }
}
