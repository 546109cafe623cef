namespace CcmFhir.Tests.Fhir;

/// <summary><c>$validate</c> in all its forms [resource-operation-validate.html], and XML both ways.</summary>
public class ValidateTest(FhirServer server) : IClassFixture<FhirServer>
{
    private const string Good = """{"resourceType":"Basic","code":{"text":"x"}}""";
    private const string Bad = """{"resourceType":"Basic","code":{"txt":"x"},"created":"yesterday"}""";

    [Theory]
    [InlineData("$validate")]
    [InlineData("Basic/$validate")]
    [InlineData("Basic/$validate?mode=create")]
    [InlineData("Basic/$validate?profile=http://hl7.org/fhir/StructureDefinition/Basic")]
    public async Task A_good_resource_is_all_right(string url)
    {
        var answer = await server.PostAsync(url, Good);

        answer.Status.ShouldBe(200, answer.Text);
        ((string?)answer.Json["issue"]![0]!["severity"]).ShouldBe("information");
    }

    [Theory]
    [InlineData(Bad, "Basic")]
    [InlineData(
        """{"resourceType":"Parameters","parameter":[{"name":"mode","valueCode":"create"},{"name":"resource","resource":"""
            + Bad
            + "}]}",
        "Parameters.parameter[1].resource"
    )]
    [InlineData(
        """{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:0f0e0d0c-0000-4000-8000-00000000000a","resource":"""
            + Bad
            + "}]}",
        "Bundle.entry[0].resource"
    )]
    public async Task A_bad_resource_gets_200_with_every_fault_where_it_is(string body, string path)
    {
        var answer = await server.PostAsync("$validate", body);

        answer.Status.ShouldBe(200, answer.Text);
        answer.Expressions.ShouldContain(expression => expression.StartsWith(path + ".code"), answer.Text);
        answer.Expressions.ShouldContain(path + ".created", answer.Text);
        answer.Expressions.Distinct().Count().ShouldBe(answer.Expressions.Count);
    }

    [Fact]
    public async Task It_says_what_intake_says_and_stores_nothing()
    {
        var said = await server.PostAsync("Basic/$validate", Bad);
        var refused = await server.PostAsync("Basic", Bad);

        refused.ShouldRefuse(422);
        // A refusal names what must be mended; advice is left to $validate.
        said.Rules.ShouldBe([.. refused.Rules, "dom-6"]);
        said.Expressions.ShouldBe([.. refused.Expressions, "Basic.text"]);
        (await server.GetAsync("Basic?_lastUpdated=gt2000")).Entries.Count.ShouldBe(0);
    }

    [Fact]
    public async Task A_time_log_is_held_against_our_profile_without_being_asked()
    {
        var answer = await server.PostAsync(
            "$validate",
            """
            {"resourceType":"Task","status":"completed","intent":"plan","for":{"reference":"Patient/v"},
             "code":{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-activity","code":"care-coordination"}]},
             "executionPeriod":{"start":"2026-11-19T09:20:00-05:00","end":"2026-11-19T09:00:00-05:00"} }
            """
        );

        answer.Rules.ShouldContain("CCM-T04");
        answer.Expressions.ShouldContain("Task.intent", answer.Text);
        answer.Expressions.ShouldContain("Task.performerType", answer.Text);
    }

    [Theory]
    [InlineData("$validate?profile=http://example.org/unknown", Good, 400)]
    [InlineData("$validate?mode=sometimes", Good, 400)]
    [InlineData("Patient/$validate", Good, 400)]
    [InlineData("$validate", """{"resourceType":"Parameters","parameter":[]}""", 400)]
    [InlineData("$validate", "{", 400)]
    [InlineData("Basic/none/$validate", "", 404)]
    public async Task What_cannot_be_validated_is_refused(string url, string body, int status) =>
        (body.Length == 0 ? await server.GetAsync(url) : await server.PostAsync(url, body)).ShouldRefuse(status);

    public static TheoryData<string, string, string> Hostile =>
        new()
        {
            { "json-depth", "application/fhir+json", new string('[', 10_000) },
            { "json-comment", "application/fhir+json", "{ /* a */ \"resourceType\":\"Basic\"}" },
            { "json-surrogate", "application/fhir+json", """{"resourceType":"Basic","id":"\udc00"}""" },
            {
                "xml-depth",
                "application/fhir+xml",
                "<Basic xmlns=\"http://hl7.org/fhir\">" + string.Concat(Enumerable.Repeat("<a>", 10_000))
            },
        };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task What_is_made_to_break_a_reader_is_refused_by_its_rule(string rule, string type, string body) =>
        (await server.PostAsync("$validate", body, ("Content-Type", type))).ShouldRefuse(400, rule);

    [Theory]
    [InlineData("property-duplicate", """{"resourceType":"Basic","code":{"text":"x"},"code":{"text":"y"}}""")]
    [InlineData("json-type", "million")]
    public async Task What_can_be_read_for_all_that_gets_its_issue(string rule, string body)
    {
        body =
            body == "million"
                ? $$"""{"resourceType":"Basic","code":{"text":{{new string('1', 1_000_000)}} } }"""
                : body;

        var answer = await server.PostAsync("$validate", body);

        answer.Status.ShouldBe(200, answer.Text);
        answer.Rules.ShouldContain(rule);
        answer.Text.Length.ShouldBeLessThan(5_000);
    }

    [Fact]
    public async Task What_is_stored_can_be_validated_in_place()
    {
        await server.PutAsync("List/v", """{"resourceType":"List","id":"v","status":"current","mode":"working"}""");

        (await server.GetAsync("List/v/$validate")).Status.ShouldBe(200);
        (await server.AskAsync("POST", "List/v/$validate")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task XML_is_read_and_written()
    {
        const string Xml = """
            <Flag xmlns="http://hl7.org/fhir"><id value="x"/><status value="active"/><code><text value="ä &lt;&amp;>"/></code><subject><reference value="Patient/xml"/></subject></Flag>
            """;

        var made = await server.AskAsync(
            "PUT",
            "Flag/x",
            Xml,
            ("Content-Type", "application/fhir+xml"),
            ("Accept", "application/fhir+xml")
        );
        var json = await server.GetAsync("Flag/x");

        made.Status.ShouldBe(201, made.Text);
        made.ContentType.ShouldBe("application/fhir+xml; charset=utf-8");
        made.Text.ShouldContain("<Flag xmlns=\"http://hl7.org/fhir\">");
        ((string?)json.Json["code"]!["text"]).ShouldBe("ä <&>");
        (await server.GetAsync("Flag/none?_format=xml")).Text.ShouldContain("<OperationOutcome");
    }

    [Theory]
    [InlineData("<Flag xmlns=\"http://hl7.org/fhir\"><status></Flag>", "xml-syntax")]
    [InlineData("<Flag><status value=\"active\"/></Flag>", "xml-namespace")]
    [InlineData(
        "<!DOCTYPE f [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><Flag xmlns=\"http://hl7.org/fhir\"><status value=\"&x;\"/></Flag>",
        "xml-dtd"
    )]
    public async Task XML_that_is_no_FHIR_or_reaches_outside_is_400(string xml, string rule) =>
        (await server.PostAsync("Flag", xml, ("Content-Type", "application/fhir+xml"))).ShouldRefuse(400, rule);
}
