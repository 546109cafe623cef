using System.Text.Json.Nodes;

namespace CcmFhir.Tests.Fhir;

/// <summary>FHIRPath Patch [fhirpatch.html], alone and in Bundles.</summary>
public class FhirPathPatchTest(FhirServer server) : IClassFixture<FhirServer>
{
    private const string Before = """
        {"resourceType":"Patient","id":"fp","identifier":[{"system":"a","value":"1"},{"system":"b","value":"2"},{"system":"c","value":"3"}],
         "name":[{"family":"Old","given":["A","B"]}],"gender":"male","birthDate":"1950-01-01","deceasedBoolean":false}
        """;

    public static TheoryData<string, string, string> Good =>
        new()
        {
            {
                """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.birthDate"},{"name":"value","valueDate":"1951-02-03"}""",
                "birthDate",
                "\"1951-02-03\""
            },
            {
                """{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.deceased"}""",
                "deceasedBoolean",
                ""
            },
            {
                """{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.maritalStatus"}""",
                "maritalStatus",
                ""
            },
            {
                """{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"maritalStatus"},{"name":"value","valueCodeableConcept":{"text":"M"} }""",
                "maritalStatus",
                """{"text":"M"}"""
            },
            {
                """{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"contact"},{"name":"value","part":[{"name":"name","valueHumanName":{"text":"K"} },{"name":"gender","valueCode":"female"}]}""",
                "contact",
                """[{"name":{"text":"K"},"gender":"female"}]"""
            },
            {
                """{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient.name.where(family = 'Old')"},{"name":"name","valueString":"given"},{"name":"value","valueString":"C"}""",
                "name",
                """[{"family":"Old","given":["A","B","C"]}]"""
            },
            {
                """{"name":"type","valueCode":"insert"},{"name":"path","valueString":"Patient.identifier"},{"name":"index","valueInteger":1},{"name":"value","valueIdentifier":{"system":"x","value":"9"} }""",
                "identifier",
                """[{"system":"a","value":"1"},{"system":"x","value":"9"},{"system":"b","value":"2"},{"system":"c","value":"3"}]"""
            },
            {
                """{"name":"type","valueCode":"move"},{"name":"path","valueString":"Patient.identifier"},{"name":"source","valueInteger":2},{"name":"destination","valueInteger":0}""",
                "identifier",
                """[{"system":"c","value":"3"},{"system":"a","value":"1"},{"system":"b","value":"2"}]"""
            },
            {
                """{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.identifier[1]"}""",
                "identifier",
                """[{"system":"a","value":"1"},{"system":"c","value":"3"}]"""
            },
            {
                """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.deceased"},{"name":"value","valueDateTime":"2026-01-01"}""",
                "deceasedDateTime",
                "\"2026-01-01\""
            },
        };

    [Theory]
    [MemberData(nameof(Good))]
    public async Task An_operation_changes_what_it_names(string parts, string element, string expected)
    {
        await server.PutAsync("Patient/fp", Before);

        var answer = await server.AskAsync("PATCH", "Patient/fp", Patch(parts));

        answer.Status.ShouldBe(200, answer.Text);
        (answer.Json[element]?.ToJsonString() ?? "").ShouldBe(expected.Replace("} }", "}}"));
    }

    [Theory]
    [InlineData(
        """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.maritalStatus"},{"name":"value","valueString":"x"}"""
    )]
    [InlineData(
        """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.identifier"},{"name":"value","valueString":"x"}"""
    )]
    [InlineData("""{"name":"type","valueCode":"delete"},{"name":"path","valueString":"Patient.identifier"}""")]
    [InlineData(
        """{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"colour"},{"name":"value","valueString":"x"}"""
    )]
    [InlineData(
        """{"name":"type","valueCode":"add"},{"name":"path","valueString":"Patient"},{"name":"name","valueString":"gender"},{"name":"value","valueCode":"other"}"""
    )]
    [InlineData(
        """{"name":"type","valueCode":"insert"},{"name":"path","valueString":"Patient.identifier"},{"name":"index","valueInteger":9},{"name":"value","valueString":"x"}"""
    )]
    [InlineData(
        """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.name.trace('x')"},{"name":"value","valueString":"x"}"""
    )]
    [InlineData("""{"name":"type","valueCode":"sing"},{"name":"path","valueString":"Patient"}""")]
    [InlineData(
        """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.id"},{"name":"value","valueId":"other"}"""
    )]
    public async Task An_operation_that_cannot_be_done_is_422_and_changes_nothing(string parts)
    {
        await server.PutAsync("Patient/fp-bad", Before.Replace("\"fp\"", "\"fp-bad\""));

        (await server.AskAsync("PATCH", "Patient/fp-bad", Patch(parts))).ShouldRefuse(422);
        (await server.GetAsync("Patient/fp-bad")).Version.ShouldBe("1");
    }

    [Fact]
    public async Task In_a_transaction_it_is_applied_with_the_others_or_not_at_all()
    {
        await server.PutAsync("Patient/fp-b", Before.Replace("\"fp\"", "\"fp-b\""));
        var patch = JsonNode
            .Parse(
                Patch(
                    """{"name":"type","valueCode":"replace"},{"name":"path","valueString":"Patient.gender"},{"name":"value","valueCode":"other"}"""
                )
            )!
            .ToJsonString();
        string Bundle(string ifMatch) =>
            $$"""
                {"resourceType":"Bundle","type":"transaction","entry":[
                 {"resource":{{patch}},"request":{"method":"PATCH","url":"Patient?identifier=a|1","ifMatch":"{{ifMatch}}"} },
                 {"resource":{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient/fp-b"} },"request":{"method":"POST","url":"Basic"} }]}
                """.Replace("identifier=a|1", "_id=fp-b");

        (await server.PostAsync("", Bundle("W/\\\"7\\\""))).ShouldRefuse(412);
        var done = await server.PostAsync("", Bundle("W/\\\"1\\\""));

        done.Statuses.ShouldBe(["200 OK", "201 Created"], done.Text);
        ((string?)(await server.GetAsync("Patient/fp-b")).Json["gender"]).ShouldBe("other");
    }

    private static string Patch(string parts) =>
        $$"""{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{{parts}}]}]}""";
}
