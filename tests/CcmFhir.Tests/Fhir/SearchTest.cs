using System.Text;
using System.Text.Json.Nodes;

namespace CcmFhir.Tests.Fhir;

/// <summary>A server with one patient's small record, the same for every test.</summary>
public sealed class SearchScene : IAsyncLifetime
{
    /// <summary>The server.</summary>
    public FhirServer Server { get; } = new();

    public async ValueTask InitializeAsync()
    {
        await Server.InitializeAsync();
        foreach (var (type, id, body) in Resources)
        {
            var answer = await Server.PutAsync(
                $"{type}/{id}",
                $$"""{"resourceType":"{{type}}","id":"{{id}}",{{body}} }"""
            );
            answer.Status.ShouldBe(201, answer.Text);
        }
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    private static readonly (string Type, string Id, string Body)[] Resources =
    [
        (
            "Patient",
            "s1",
            """
            "identifier":[{"system":"http://hl7.org/fhir/sid/us-mbi","value":"1EG4TE5MK73"},{"system":"urn:mrn","value":"A,1|x"}],
            "active":true,"name":[{"family":"Müller-Ström","given":["Änne","Maria"]}],"gender":"female","birthDate":"1948-03-07",
            "telecom":[{"system":"phone","value":"555-0100"},{"system":"email","value":"a@example.org"}],
            "address":[{"city":"Springfield","state":"MA"}],"generalPractitioner":[{"reference":"Practitioner/d1"}]
            """
        ),
        (
            "Patient",
            "s2",
            """ "identifier":[{"system":"urn:mrn","value":"s2"}],"name":[{"family":"Muller","given":["Bo"]}],"gender":"male","birthDate":"1950-12-31" """
        ),
        (
            "Practitioner",
            "d1",
            """ "identifier":[{"system":"http://hl7.org/fhir/sid/us-npi","value":"1245319599"}],"name":[{"family":"Alvarez","given":["Ada"]}] """
        ),
        ("Organization", "o1", """ "name":"Oak Street","identifier":[{"system":"urn:o","value":"1"}] """),
        (
            "Observation",
            "w1",
            """
            "meta":{"profile":["http://example.org/p1"],"tag":[{"system":"urn:t","code":"red"}]},
            "status":"final","category":[{"coding":[{"system":"urn:cat","code":"vital-signs"}]}],
            "code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body weight"}]},
            "subject":{"reference":"Patient/s1"},"effectiveDateTime":"2026-10-05T08:00:00-04:00",
            "valueQuantity":{"value":70.5,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},
            "performer":[{"reference":"Practitioner/d1"}]
            """
        ),
        (
            "Observation",
            "w2",
            """
            "status":"amended","category":[{"coding":[{"system":"urn:cat","code":"vital-signs"}]}],
            "code":{"coding":[{"system":"http://loinc.org","code":"29463-7"}]},
            "subject":{"reference":"Patient/s1"},"effectiveDateTime":"2026-11-02",
            "valueQuantity":{"value":69,"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}
            """
        ),
        (
            "Observation",
            "l1",
            """
            "status":"final","category":[{"coding":[{"system":"urn:cat","code":"laboratory"}]}],
            "code":{"coding":[{"system":"urn:local","code":"29463-7"}],"text":"Something local"},
            "subject":{"reference":"Patient/s1"},"effectivePeriod":{"start":"2026-10-31T23:00:00-04:00","end":"2026-11-01T01:00:00-04:00"},
            "valueString":"Slightly raised"
            """
        ),
        (
            "Task",
            "t1",
            """
            "status":"completed","intent":"order","for":{"reference":"Patient/s1"},"owner":{"reference":"Practitioner/d1"},
            "code":{"coding":[{"system":"urn:a","code":"x"}]},"authoredOn":"2026-10-05T10:00:00Z",
            "executionPeriod":{"start":"2026-10-05T09:00:00-04:00","end":"2026-10-05T09:20:00-04:00"}
            """
        ),
        (
            "Task",
            "t2",
            """
            "status":"entered-in-error","intent":"order","for":{"reference":"Patient/s1"},
            "owner":{"identifier":{"system":"urn:staff","value":"n7"} },
            "executionPeriod":{"start":"2026-10-06T09:00:00-04:00","end":"2026-10-06T09:20:00-04:00"}
            """
        ),
        (
            "Provenance",
            "pv1",
            """ "target":[{"reference":"Observation/w1"}],"recorded":"2026-10-05T12:00:00Z","agent":[{"who":{"reference":"Practitioner/d1"} }] """
        ),
        ("Observation", "other", """ "status":"final","code":{"text":"x"},"subject":{"reference":"Patient/s2"} """),
        ("ValueSet", "vs1", """ "status":"active","url":"http://example.org/vs/one","name":"One","version":"1.2" """),
        (
            "RiskAssessment",
            "r1",
            """ "status":"final","subject":{"reference":"Patient/s1"},"prediction":[{"probabilityDecimal":0.25}] """
        ),
    ];
}

/// <summary>Search [search.html]: each kind of parameter, prefix and modifier, what shapes the answer, and what is refused.</summary>
public class SearchTest(SearchScene scene) : IClassFixture<SearchScene>
{
    private readonly FhirServer server = scene.Server;

    [Theory]
    // 3.1.1.4: by patient, in all the ways of naming one
    [InlineData("Observation?patient=Patient/s1", "l1 w1 w2")]
    [InlineData("Observation?patient=s1", "l1 w1 w2")]
    [InlineData("Observation?subject=Patient/s1", "l1 w1 w2")]
    [InlineData("Observation?subject:Patient=s1", "l1 w1 w2")]
    [InlineData("Observation?patient=https://ehr.example.org/fhir/Patient/s1", "l1 w1 w2")]
    [InlineData("Observation?patient=Patient/s1,Patient/s2", "l1 other w1 w2")]
    [InlineData("Observation?patient=Patient/nobody", "")]
    [InlineData("Patient/s1/Observation?code=29463-7", "l1 w1 w2")]
    [InlineData("Task?patient=Patient/s1", "t1 t2")]
    // 3.1.1.4.10 token
    [InlineData("Observation?patient=s1&code=29463-7", "l1 w1 w2")]
    [InlineData("Observation?patient=s1&code=http://loinc.org|29463-7", "w1 w2")]
    [InlineData("Observation?patient=s1&code=http://loinc.org|", "w1 w2")]
    [InlineData("Observation?patient=s1&code=|29463-7", "")]
    [InlineData("Observation?patient=s1&code:text=something", "l1")]
    [InlineData("Observation?patient=s1&code:text=BODY", "w1")]
    [InlineData("Observation?patient=s1&category=urn:cat|vital-signs&status=final", "w1")]
    [InlineData("Observation?patient=s1&status=final,amended", "l1 w1 w2")]
    [InlineData("Observation?patient=s1&status:not=final", "w2")]
    [InlineData("Task?patient=s1&status:not=entered-in-error", "t1")]
    [InlineData("Patient?identifier=http://hl7.org/fhir/sid/us-mbi|1EG4TE5MK73", "s1")]
    [InlineData("Patient?identifier=1EG4TE5MK73", "s1")]
    [InlineData("Patient?identifier=urn:other|1EG4TE5MK73", "")]
    [InlineData("Patient?identifier=urn:mrn|A\\,1\\|x", "s1")]
    [InlineData("Patient?_id=s1&active=true", "s1")]
    [InlineData("Patient?_id=s1&email=a@example.org", "s1")]
    [InlineData("Patient?_id=s1&phone=a@example.org", "")]
    // 3.1.1.4.5 :missing
    [InlineData("Observation?patient=s1&value-quantity:missing=true", "l1")]
    [InlineData("Observation?patient=s1&performer:missing=false", "w1")]
    // 3.1.1.4.9 date, to the precision written, in the practice's zone where there is no offset
    [InlineData("Observation?patient=s1&date=2026-10-05", "w1")]
    [InlineData("Observation?patient=s1&date=2026-10", "w1")]
    [InlineData("Observation?patient=s1&date=ge2026-11-01", "l1 w2")]
    [InlineData("Observation?patient=s1&date=gt2026-11-01", "w2")]
    [InlineData("Observation?patient=s1&date=lt2026-11-01", "l1 w1")]
    [InlineData("Observation?patient=s1&date=ge2026-10-01&date=le2026-10-31", "l1 w1")]
    [InlineData("Observation?patient=s1&date=sa2026-10-31", "w2")]
    [InlineData("Observation?patient=s1&date=eb2026-10-31", "w1")]
    [InlineData("Observation?patient=s1&date=ne2026-10-05", "l1 w2")]
    [InlineData("Observation?patient=s1&date=2026-10-05T12:00:00Z", "w1")]
    [InlineData("Observation?patient=s1&date=2026-10-05T08:00:00-04:00", "w1")]
    [InlineData("Observation?patient=s1&date=2026-10-05T14:00:00%2B02:00", "w1")]
    [InlineData("Task?patient=s1&period=ge2026-10-06", "t2")]
    [InlineData("Patient?birthdate=1948-03-07", "s1")]
    [InlineData("Patient?birthdate=1948", "s1")]
    [InlineData("Patient?name=m&birthdate=lt1950-01-01", "s1")]
    // 3.1.1.4.8 string
    [InlineData("Patient?name=müll", "s1 s2")]
    [InlineData("Patient?name=MULLER", "s1 s2")]
    [InlineData("Patient?family=muller-strom", "s1")]
    [InlineData("Patient?family:exact=Muller", "s2")]
    [InlineData("Patient?given=anne", "s1")]
    [InlineData("Patient?_id=s1&name:contains=str", "s1")]
    [InlineData("Patient?_id=s1&address=spring", "s1")]
    [InlineData("Patient?_id=s1&address-city=boston", "")]
    [InlineData("Observation?patient=s1&value-string=slight", "l1")]
    // 3.1.1.4.11 quantity, 3.1.1.4.7 number
    [InlineData("Observation?patient=s1&value-quantity=70.5", "w1")]
    [InlineData("Observation?patient=s1&value-quantity=70.5|http://unitsofmeasure.org|kg", "w1")]
    [InlineData("Observation?patient=s1&value-quantity=70.5|http://unitsofmeasure.org|g", "")]
    [InlineData("Observation?patient=s1&value-quantity=ge69||kg", "w1 w2")]
    [InlineData("Observation?patient=s1&value-quantity=lt70", "w2")]
    [InlineData("Observation?patient=s1&value-quantity=71", "w1")]
    [InlineData("Observation?patient=s1&value-quantity=70", "")]
    [InlineData("Observation?patient=s1&value-quantity=ap72", "w1 w2")]
    [InlineData("RiskAssessment?patient=s1&probability=gt0.2", "r1")]
    [InlineData("RiskAssessment?patient=s1&probability=lt0.2", "")]
    // 3.1.1.4.12 reference
    [InlineData("Observation?patient=s1&performer=Practitioner/d1", "w1")]
    [InlineData("Observation?patient=s1&performer=d1", "w1")]
    [InlineData("Observation?patient=s1&performer:Practitioner=d1", "w1")]
    [InlineData("Task?patient=s1&owner:identifier=urn:staff|n7", "t2")]
    // 3.1.1.4.13 uri
    [InlineData("ValueSet?url=http://example.org/vs/one", "vs1")]
    [InlineData("ValueSet?url=http://example.org/vs", "")]
    [InlineData("ValueSet?url:below=http://example.org/vs", "vs1")]
    // 3.1.1.4.2 parameters of all resources
    [InlineData("Observation?_id=w1,w2", "w1 w2")]
    [InlineData("Observation?patient=s1&_profile=http://example.org/p1", "w1")]
    [InlineData("Observation?patient=s1&_tag=urn:t|red", "w1")]
    [InlineData("Observation?patient=s1&_lastUpdated=gt2026-01-01", "l1 w1 w2")]
    [InlineData("Observation?patient=s1&_lastUpdated=lt2026-01-01", "")]
    // directory
    [InlineData("Practitioner?name=alv", "d1")]
    [InlineData("Practitioner", "d1")]
    [InlineData("Organization?name=Oak", "o1")]
    public async Task A_search_finds_what_matches(string url, string ids)
    {
        var answer = await server.GetAsync(url);

        answer.Status.ShouldBe(200, answer.Text);
        ((string?)answer.Json["type"]).ShouldBe("searchset");
        Ids(answer).ShouldBe(ids);
        ((int?)answer.Json["total"]).ShouldBe(answer.Entries.Count);
    }

    [Theory]
    [InlineData("Observation", "too-costly")]
    [InlineData("Observation?code=1", "too-costly")]
    [InlineData("Patient", "too-costly")]
    [InlineData("Patient?gender=male", "too-costly")]
    [InlineData("Observation?patient=s1&date=yesterday", "value")]
    [InlineData("Observation?patient=s1&date=2026-13-01", "value")]
    [InlineData("Observation?patient=s1&value-quantity=heavy", "value")]
    [InlineData("Observation?patient=s1&code:sometimes=1", "value")]
    [InlineData("Observation?patient=s1&code:missing=perhaps", "value")]
    [InlineData("Observation?patient=s1&_count=many", "value")]
    [InlineData("Observation?patient=s1&_sort=colour", "value")]
    [InlineData("Observation?patient=s1&_include=Observation:colour", "value")]
    [InlineData("Observation?patient=s1&_summary=some", "value")]
    [InlineData("Observation?patient=s1&_page=x", "value")]
    public async Task What_makes_no_sense_is_400_with_what_to_give(string url, string code)
    {
        var refused = await server.GetAsync(url);

        refused.ShouldRefuse(400);
        ((string?)refused.Json["issue"]![0]!["code"]).ShouldBe(code);
    }

    [Fact] // 3.1.1.4.1
    public async Task Unknown_parameters_are_named_when_lenient_and_refused_when_strict()
    {
        var lenient = await server.GetAsync("Observation?patient=s1&colour=red&code=http://loinc.org|29463-7");
        var strict = await server.GetAsync("Observation?patient=s1&colour=red", ("Prefer", "handling=strict"));

        Ids(lenient).ShouldBe("w1 w2");
        var outcome = lenient.Entries.Single(entry => (string)entry!["search"]!["mode"]! == "outcome")!;
        ((string?)outcome["resource"]!["issue"]![0]!["details"]!["text"])!.ShouldContain("colour");
        Link(lenient, "self").ShouldNotContain("colour");
        strict.ShouldRefuse(400, "search-parameter");
    }

    [Theory]
    [InlineData("_sort=date", "w1 l1 w2")]
    [InlineData("_sort=-date", "w2 l1 w1")]
    [InlineData("_sort=status,-date", "w2 l1 w1")]
    [InlineData("_sort=value-quantity", "w2 w1 l1")]
    [InlineData("_sort=-_id", "w2 w1 l1")]
    [InlineData("", "l1 w2 w1")]
    public async Task Results_stand_in_the_order_asked_for(string sort, string ids) =>
        string.Join(
                ' ',
                (await server.GetAsync($"Observation?patient=s1&{sort}")).Entries.Select(entry =>
                    (string)entry!["resource"]!["id"]!
                )
            )
            .ShouldBe(ids);

    [Fact]
    public async Task Pages_follow_each_other_without_repeats_while_others_write()
    {
        for (var number = 0; number < 7; number++)
        {
            await server.PutAsync(
                $"Basic/page-{number}",
                $$"""{"resourceType":"Basic","id":"page-{{number}}","code":{"text":"x"},"subject":{"reference":"Patient/pg"} }"""
            );
        }
        var (seen, totals) = (new List<string>(), new List<int>());
        for (var url = "Basic?patient=Patient/pg&_count=3"; url is not null; )
        {
            var page = await server.GetAsync(url);
            seen.AddRange(page.Entries.Select(entry => (string)entry!["resource"]!["id"]!));
            totals.Add((int)page.Json["total"]!);
            await server.PutAsync(
                $"Basic/more-{seen.Count}",
                $$"""{"resourceType":"Basic","id":"more-{{seen.Count}}","code":{"text":"x"},"subject":{"reference":"Patient/pg"} }"""
            );
            url = Links(page).GetValueOrDefault("next");
        }

        seen.ShouldBe(Enumerable.Range(0, 7).Reverse().Select(number => $"page-{number}"));
        totals.ShouldBe([7, 7, 7]);
    }

    [Fact]
    public async Task A_count_of_zero_gives_the_total_alone()
    {
        var zero = await server.GetAsync("Observation?patient=s1&_count=0");
        var count = await server.GetAsync("Observation?patient=s1&_summary=count");

        ((int?)zero.Json["total"], zero.Entries.Count).ShouldBe((3, 0));
        ((int?)count.Json["total"], count.Entries.Count).ShouldBe((3, 0));
    }

    [Theory]
    [InlineData("Observation?_id=w1&_include=Observation:performer", "include:Practitioner/d1 match:Observation/w1")]
    [InlineData("Observation?_id=w1&_include=Observation:patient", "include:Patient/s1 match:Observation/w1")]
    [InlineData(
        "Observation?_id=w1&_include=Observation:patient&_include:iterate=Patient:general-practitioner",
        "include:Patient/s1 include:Practitioner/d1 match:Observation/w1"
    )]
    [InlineData("Observation?_id=w1&_include=*", "include:Patient/s1 include:Practitioner/d1 match:Observation/w1")]
    [InlineData("Observation?_id=w1&_include=Observation:subject:Group", "match:Observation/w1")]
    [InlineData(
        "Observation?_id=w1&_revinclude=Provenance:target",
        "include:Provenance/pv1 include:Provenance/received-95-1-w1 match:Observation/w1"
    )]
    [InlineData("Patient?_id=s1&_revinclude=Task:patient", "include:Task/t1 include:Task/t2 match:Patient/s1")]
    public async Task References_are_taken_along(string url, string found) =>
        string.Join(
                ' ',
                (await server.GetAsync(url))
                    .Entries.Select(entry =>
                        $"{entry!["search"]!["mode"]}:{entry["resource"]!["resourceType"]}/{entry["resource"]!["id"]}"
                    )
                    .Order(StringComparer.Ordinal)
            )
            .ShouldBe(found);

    [Fact] // 3.1.1.2.1
    public async Task A_posted_form_finds_the_same()
    {
        var got = await server.GetAsync("Observation?patient=s1&code=http://loinc.org|29463-7");
        var posted = await server.PostAsync(
            "Observation/_search?patient=s1",
            "code=http%3A%2F%2Floinc.org%7C29463-7",
            ("Content-Type", "application/x-www-form-urlencoded")
        );

        Ids(posted).ShouldBe(Ids(got));
        (await server.PostAsync("Observation/_search", "{}")).ShouldRefuse(415);
    }

    [Theory] // 3.1.1.5.9
    [InlineData("_summary=text", "id meta resourceType status code", "valueQuantity")]
    [InlineData("_summary=true", "id meta status code subject effectiveDateTime valueQuantity", "performer-none")]
    [InlineData("_elements=valueQuantity", "id meta status code valueQuantity", "subject")]
    [InlineData("_elements=value", "id meta status code valueQuantity", "subject")]
    [InlineData("_summary=data", "id meta status code subject valueQuantity", "text")]
    public async Task Shortened_resources_say_so(string shape, string present, string absent)
    {
        foreach (
            var resource in new[]
            {
                (await server.GetAsync($"Observation?_id=w1&{shape}")).Entries[0]!["resource"]!,
                (await server.GetAsync($"Observation/w1?{shape}")).Json,
            }
        )
        {
            present.Split(' ').ShouldAllBe(name => resource[name] != null);
            resource[absent].ShouldBeNull();
            ((JsonArray)resource["meta"]!["tag"]!).Select(tag => (string)tag!["code"]!).ShouldContain("SUBSETTED");
        }
    }

    [Fact]
    public async Task The_self_link_says_what_was_understood()
    {
        var answer = await server.GetAsync("Observation?patient=s1&code=http%3A%2F%2Floinc.org%7C29463-7&_count=1");

        Link(answer, "self").ShouldBe($"{server.Base}/Observation?patient=s1&code=http://loinc.org|29463-7&_count=1");
        ((string?)answer.Entries[0]!["fullUrl"])!.ShouldStartWith($"{server.Base}/Observation/");
    }

    [Fact]
    public async Task Deleted_resources_are_not_found_any_more_and_changed_ones_by_their_new_content_only()
    {
        string Body(string value) =>
            $$"""{"resourceType":"Basic","id":"moving","identifier":[{"system":"urn:m","value":"{{value}}"}],"code":{"text":"x"} }""";
        await server.PutAsync("Basic/moving", Body("old"));
        await server.PutAsync("Basic/moving", Body("new"));

        (await server.GetAsync("Basic?identifier=urn:m|old")).Entries.Count.ShouldBe(0);
        (await server.GetAsync("Basic?identifier=urn:m|new")).Entries.Count.ShouldBe(1);
        await server.AskAsync("DELETE", "Basic/moving");
        (await server.GetAsync("Basic?identifier=urn:m|new")).Entries.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Other_practices_find_nothing_of_ours() =>
        (
            (int?)
                (
                    await server.GetAsync(
                        $"{server.Base.Replace("/oak/", "/elm/", StringComparison.Ordinal)}/Observation?patient=s1"
                    )
                ).Json["total"]
        ).ShouldBe(0);

    [Fact]
    public async Task Long_and_strange_identifiers_are_found()
    {
        var value = new StringBuilder("é/?&=%|").Append('x', 500).ToString();
        await server.PutAsync(
            "Basic/strange",
            $$"""{"resourceType":"Basic","id":"strange","identifier":[{"system":"urn:m","value":"{{value}}"}],"code":{"text":"x"} }"""
        );

        var found = await server.GetAsync(
            $"Basic?identifier={Uri.EscapeDataString("urn:m|" + value.Replace("|", "\\|", StringComparison.Ordinal))}"
        );

        Ids(found).ShouldBe("strange");
    }

    private static string Ids(Answer answer) =>
        string.Join(
            ' ',
            answer
                .Entries.Where(entry => (string)entry!["search"]!["mode"]! == "match")
                .Select(entry => (string)entry!["resource"]!["id"]!)
                .Order(StringComparer.Ordinal)
        );

    private static Dictionary<string, string> Links(Answer answer) =>
        answer.Json["link"]!
            .AsArray()
            .ToDictionary(link => (string)link!["relation"]!, link => (string)link!["url"]!, StringComparer.Ordinal);

    private static string Link(Answer answer, string relation) => Links(answer)[relation];
}
