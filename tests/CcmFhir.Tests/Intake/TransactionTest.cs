using System.Text.Json.Nodes;
using CcmFhir.Tests.Fhir;

namespace CcmFhir.Tests.Intake;

/// <summary>R4's rules for Bundles at the base [http.html 3.1.0.11].</summary>
public class TransactionTest(FhirServer server) : IClassFixture<FhirServer>
{
    private static readonly string[] Uuids =
    [
        "urn:uuid:0f0e0d0c-0000-4000-8000-000000000001",
        "urn:uuid:0f0e0d0c-0000-4000-8000-000000000002",
        "urn:uuid:0f0e0d0c-0000-4000-8000-000000000003",
    ];

    private static JsonObject Bundle(string type, params JsonObject[] entries) =>
        new()
        {
            ["resourceType"] = "Bundle",
            ["type"] = type,
            ["entry"] = new JsonArray([.. entries]),
        };

    private static JsonObject Entry(
        string method,
        string url,
        string? resource = null,
        string? fullUrl = null,
        params (string Name, string Value)[] request
    )
    {
        var entry = new JsonObject();
        if (fullUrl is not null)
        {
            entry["fullUrl"] = fullUrl;
        }
        if (resource is not null)
        {
            entry["resource"] = JsonNode.Parse(resource);
        }
        entry["request"] = new JsonObject { ["method"] = method, ["url"] = url };
        foreach (var (name, value) in request)
        {
            entry["request"]![name] = value;
        }
        return entry;
    }

    private static string Patient(string? id = null, string? identifier = null) =>
        $$"""
            {"resourceType":"Patient"{{(id is null ? "" : $",\"id\":\"{id}\"")}},
             "identifier":[{"system":"urn:mrn","value":"{{identifier ?? id ?? "m"}}"}],
             "name":[{"family":"Test","given":["Pat"]}],"gender":"female","birthDate":"1950-01-01"}
            """;

    private static string Observation(string subject, string? id = null, string code = "1") =>
        $$"""
            {"resourceType":"Observation"{{(id is null ? "" : $",\"id\":\"{id}\"")}},"status":"final",
             "code":{"coding":[{"system":"http://loinc.org","code":"{{code}}"}]},"subject":{"reference":"{{subject}}"} }
            """;

    private static string Uuid() => "urn:uuid:" + Guid.NewGuid();

    [Fact]
    public async Task References_by_urn_uuid_are_rewritten_wherever_they_stand()
    {
        var (patient, document) = (Uuid(), Uuid());
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry(
                        "POST",
                        "DocumentReference",
                        $$"""
                        {"resourceType":"DocumentReference","status":"current",
                         "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{{patient}}\">who</a><img src='{{patient}}#x'/> {{patient}}</div>"},
                         "contained":[{"resourceType":"Basic","id":"p","code":{"text":"c"},"subject":{"reference":"{{document}}"} }],
                         "extension":[{"url":"urn:x","valueReference":{"reference":"{{patient}}"} },{"url":"urn:p","valueReference":{"reference":"#p"} },{"url":"urn:y","valueUri":"{{patient}}"},{"url":"urn:z","valueString":"{{patient}}"}],
                         "subject":{"reference":"{{patient}}"},
                         "content":[{"attachment":{"url":"{{patient}}","title":"{{patient}}"} }]}
                        """,
                        document
                    ),
                    Entry("POST", "Patient", Patient(), patient)
                )
                .ToJsonString()
        );

        answer.Status.ShouldBe(200, answer.Text);
        answer.Statuses.ShouldBe(["201 Created", "201 Created"]);
        var locations = answer.Entries.Select(entry => (string)entry!["response"]!["location"]!).ToList();
        locations[1].ShouldBe($"{server.Base}/Patient/{patient["urn:uuid:".Length..]}/_history/1");
        var who = $"Patient/{patient["urn:uuid:".Length..]}";
        var stored = (await server.GetAsync(locations[0])).Json;
        ((string?)stored["subject"]!["reference"]).ShouldBe(who);
        ((string?)stored["extension"]![0]!["valueReference"]!["reference"]).ShouldBe(who);
        ((string?)stored["extension"]![2]!["valueUri"]).ShouldBe(who);
        ((string?)stored["extension"]![3]!["valueString"]).ShouldBe(patient);
        ((string?)stored["content"]![0]!["attachment"]!["url"]).ShouldBe(who);
        ((string?)stored["content"]![0]!["attachment"]!["title"]).ShouldBe(patient);
        ((string?)stored["contained"]![0]!["subject"]!["reference"]).ShouldBe(
            $"DocumentReference/{document["urn:uuid:".Length..]}"
        );
        ((string?)stored["text"]!["div"]).ShouldBe(
            $"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\"{who}\">who</a><img src='{who}#x'/> {patient}</div>"
        );
    }

    [Fact]
    public async Task Circular_references_are_allowed()
    {
        var (patient, first, second) = (Uuid(), Uuid(), Uuid());
        string Linked(string other) =>
            $$"""
                {"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":"{{patient}}"},
                 "hasMember":[{"reference":"{{other}}"}]}
                """;

        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry("POST", "Observation", Linked(second), first),
                    Entry("POST", "Observation", Linked(first), second),
                    Entry("POST", "Patient", Patient(), patient)
                )
                .ToJsonString()
        );

        answer.Status.ShouldBe(200, answer.Text);
        var stored = await server.GetAsync((string)answer.Entries[0]!["response"]!["location"]!);
        ((string?)stored.Json["hasMember"]![0]!["reference"]).ShouldBe($"Observation/{second["urn:uuid:".Length..]}");
    }

    [Fact]
    public async Task The_order_of_processing_is_delete_post_put_get_and_the_answer_stands_in_the_clients_order()
    {
        await server.PutAsync("Observation/ord-1", Observation("Patient/ord", "ord-1"));
        await server.PutAsync("Observation/ord-2", Observation("Patient/ord", "ord-2"));

        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry("GET", "Observation/ord-2"),
                    Entry("GET", "Observation?patient=Patient/ord&_summary=count"),
                    Entry("PUT", "Observation/ord-2", Observation("Patient/ord", "ord-2", "changed")),
                    Entry("POST", "Observation", Observation("Patient/ord")),
                    Entry("DELETE", "Observation/ord-1")
                )
                .ToJsonString()
        );

        answer.Status.ShouldBe(200, answer.Text);
        answer.Statuses.ShouldBe(["200 OK", "200 OK", "200 OK", "201 Created", "204 No Content"]);
        ((string?)answer.Entries[0]!["resource"]!["code"]!["coding"]![0]!["code"]).ShouldBe("changed");
        ((int?)answer.Entries[1]!["resource"]!["total"]).ShouldBe(2);
    }

    [Fact]
    public async Task Nothing_is_stored_when_one_entry_is_wrong_and_every_wrong_entry_is_named_by_the_clients_index()
    {
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry("PUT", "Observation/at-0", Observation("Patient/at", "at-0")),
                    Entry("PUT", "Observation/at-1", Observation("Patient/at", "other")),
                    Entry("DELETE", "Observation/at-x"),
                    Entry("POST", "Observations", Observation("Patient/at"))
                )
                .ToJsonString()
        );

        answer.ShouldRefuse(400);
        answer.Expressions.ShouldBe(["Bundle.entry[1].resource.id", "Bundle.entry[3].request.url"]);
        (await server.GetAsync("Observation/at-0")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task A_failing_GET_or_condition_undoes_everything()
    {
        foreach (
            var (failing, status, expression) in new[]
            {
                (Entry("GET", "Observation/nothing-here"), 404, "Bundle.entry[1]"),
                (
                    Entry("PUT", "Observation/af-1", Observation("Patient/af", "af-1"), null, ("ifMatch", "W/\"7\"")),
                    412,
                    "Bundle.entry[1].request.ifMatch"
                ),
                (
                    Entry("POST", "Observation", Observation("Patient?identifier=urn:mrn|nobody")),
                    412,
                    "Bundle.entry[1].resource.subject.reference"
                ),
                (Entry("PATCH", "Observation/nothing-here", """{"resourceType":"Binary"}"""), 404, "Bundle.entry[1]"),
            }
        )
        {
            var answer = await server.PostAsync(
                "",
                Bundle("transaction", Entry("PUT", "Observation/af-0", Observation("Patient/af", "af-0")), failing)
                    .ToJsonString()
            );

            answer.ShouldRefuse(status);
            answer.Expressions.ShouldBe([expression]);
            (await server.GetAsync("Observation/af-0")).Status.ShouldBe(404);
        }
    }

    [Fact]
    public async Task The_same_resource_twice_is_refused()
    {
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry("PUT", "Observation/tw", Observation("Patient/tw", "tw")),
                    Entry("DELETE", "Observation/tw")
                )
                .ToJsonString()
        );

        answer.ShouldRefuse(400, "same-resource-twice");
    }

    [Fact]
    public async Task The_same_fullUrl_twice_is_refused()
    {
        var url = Uuid();

        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry("POST", "Basic", """{"resourceType":"Basic","code":{"text":"a"}}""", url),
                    Entry("POST", "Basic", """{"resourceType":"Basic","code":{"text":"b"}}""", url)
                )
                .ToJsonString()
        );

        answer.ShouldRefuse(400, "bdl-7");
    }

    [Fact]
    public async Task Two_patients_in_one_transaction_are_refused_and_a_batch_takes_them()
    {
        string Of(string type) =>
            Bundle(
                    type,
                    Entry("PUT", "Observation/two-1", Observation("Patient/two-1", "two-1")),
                    Entry("PUT", "Observation/two-2", Observation("Patient/two-2", "two-2"))
                )
                .ToJsonString();

        var refused = await server.PostAsync("", Of("transaction"));
        refused.ShouldRefuse(422, "one-patient");
        refused.Expressions.ShouldBe(["Bundle.entry[1]"]);
        (await server.PostAsync("", Of("batch"))).Statuses.ShouldBe(["201 Created", "201 Created"]);
    }

    [Fact]
    public async Task Directory_resources_ride_along()
    {
        var (patient, doctor) = (Uuid(), Uuid());
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry(
                        "POST",
                        "Practitioner",
                        """{"resourceType":"Practitioner","identifier":[{"system":"urn:npi","value":"ride"}]}""",
                        doctor
                    ),
                    Entry(
                        "POST",
                        "Patient",
                        Patient()
                            .Replace("\"name\"", $"\"generalPractitioner\":[{{\"reference\":\"{doctor}\"}}],\"name\""),
                        patient
                    )
                )
                .ToJsonString()
        );

        answer.Statuses.ShouldBe(["201 Created", "201 Created"]);
        var stored = await server.GetAsync((string)answer.Entries[1]!["response"]!["location"]!);
        ((string?)stored.Json["generalPractitioner"]![0]!["reference"]).ShouldBe(
            $"Practitioner/{doctor["urn:uuid:".Length..]}"
        );
        (await server.GetAsync("Practitioner?identifier=urn:npi|ride")).Entries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_bundle_of_conditional_creates_sent_again_refers_to_what_is_there()
    {
        var mrn = Guid.NewGuid().ToString();
        async Task<(List<string> Statuses, string Subject)> SendAsync(string code)
        {
            var patient = Uuid();
            var answer = await server.PostAsync(
                "",
                Bundle(
                        "transaction",
                        Entry(
                            "POST",
                            "Patient",
                            Patient(identifier: mrn),
                            patient,
                            ("ifNoneExist", $"identifier=urn:mrn|{mrn}")
                        ),
                        Entry("POST", "Observation", Observation(patient, code: code), Uuid())
                    )
                    .ToJsonString()
            );
            answer.Status.ShouldBe(200, answer.Text);
            var stored = await server.GetAsync((string)answer.Entries[1]!["response"]!["location"]!);
            return ([.. answer.Statuses], (string)stored.Json["subject"]!["reference"]!);
        }

        var first = await SendAsync("a");
        var second = await SendAsync("b");

        first.Statuses.ShouldBe(["201 Created", "201 Created"]);
        second.Statuses.ShouldBe(["200 OK", "201 Created"]);
        second.Subject.ShouldBe(first.Subject);
    }

    [Fact]
    public async Task Conditional_references_find_what_is_stored_and_what_comes_along()
    {
        var (stored, along) = (Guid.NewGuid().ToString(), Guid.NewGuid().ToString());
        await server.PostAsync(
            "Organization",
            $$"""{"resourceType":"Organization","identifier":[{"system":"urn:o","value":"{{stored}}"}],"name":"x"}"""
        );

        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry(
                        "POST",
                        "Encounter",
                        $$"""
                        {"resourceType":"Encounter","status":"finished","class":{"code":"AMB"},
                         "subject":{"reference":"Patient?identifier=urn:mrn|{{along}}"},
                         "serviceProvider":{"reference":"Organization?identifier=urn:o|{{stored}}"} }
                        """,
                        Uuid()
                    ),
                    Entry("POST", "Patient", Patient(identifier: along), Uuid())
                )
                .ToJsonString()
        );

        answer.Status.ShouldBe(200, answer.Text);
        var encounter = (await server.GetAsync((string)answer.Entries[0]!["response"]!["location"]!)).Json;
        ((string)encounter["subject"]!["reference"]!).ShouldStartWith("Patient/");
        ((string)encounter["subject"]!["reference"]!).ShouldNotContain("?");
        ((string)encounter["serviceProvider"]!["reference"]!).ShouldStartWith("Organization/");
    }

    [Fact]
    public async Task References_under_our_base_and_the_EHRs_base_become_relative_and_others_stay()
    {
        var answer = await server.PostAsync(
            "Observation",
            """
            {"resourceType":"Observation","status":"final","code":{"text":"x"},
             "subject":{"reference":"https://ehr.example.org/fhir/Patient/rel"},
             "encounter":{"reference":"BASE/Encounter/e1"},
             "performer":[{"reference":"https://elsewhere.example.org/fhir/Practitioner/9"}]}
            """.Replace("BASE", server.Base)
        );

        answer.Status.ShouldBe(201, answer.Text);
        ((string?)answer.Json["subject"]!["reference"]).ShouldBe("Patient/rel");
        ((string?)answer.Json["encounter"]!["reference"]).ShouldBe("Encounter/e1");
        ((string?)answer.Json["performer"]![0]!["reference"]).ShouldBe(
            "https://elsewhere.example.org/fhir/Practitioner/9"
        );
        (await server.GetAsync("Observation?patient=Patient/rel")).Entries.Count.ShouldBe(1);
    }

    [Fact]
    public async Task References_relative_to_a_fullUrl_mean_the_entry_with_that_fullUrl()
    {
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry("POST", "Patient", Patient(), "https://other.example.org/fhir/Patient/77"),
                    Entry(
                        "POST",
                        "Observation",
                        Observation("Patient/77"),
                        "https://other.example.org/fhir/Observation/88"
                    )
                )
                .ToJsonString()
        );

        answer.Status.ShouldBe(200, answer.Text);
        var location = (string)answer.Entries[0]!["response"]!["location"]!;
        var stored = await server.GetAsync((string)answer.Entries[1]!["response"]!["location"]!);
        location.ShouldContain((string)stored.Json["subject"]!["reference"]!);
    }

    [Fact]
    public async Task A_subject_that_no_entry_bears_is_named()
    {
        var answer = await server.PostAsync(
            "",
            Bundle("transaction", Entry("POST", "Observation", Observation(Uuids[0]), Uuids[1])).ToJsonString()
        );

        answer.ShouldRefuse(422, "reference-unresolved");
        answer.Expressions.ShouldBe(["Bundle.entry[0].resource.subject.reference"]);
    }

    [Fact]
    public async Task A_batch_does_each_entry_for_itself()
    {
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "batch",
                    Entry("PUT", "Observation/b-1", Observation("Patient/b", "b-1")),
                    Entry("PUT", "Observation/b-2", Observation("Patient/b", "wrong")),
                    Entry("GET", "Observation/b-1"),
                    Entry("GET", "Observation/b-9"),
                    Entry("DELETE", "Observation/b-9")
                )
                .ToJsonString()
        );

        ((string?)answer.Json["type"]).ShouldBe("batch-response");
        answer.Statuses.ShouldBe(["201 Created", "400 Bad Request", "200 OK", "404 Not Found", "204 No Content"]);
        ((string?)answer.Entries[1]!["response"]!["outcome"]!["issue"]![0]!["expression"]![0]).ShouldBe(
            "Bundle.entry[1].resource.id"
        );
    }

    [Fact]
    public async Task In_a_batch_the_same_resource_may_come_twice()
    {
        var answer = await server.PostAsync(
            "",
            Bundle(
                    "batch",
                    Entry("PUT", "Observation/bt", Observation("Patient/bt", "bt", "1")),
                    Entry("PUT", "Observation/bt", Observation("Patient/bt", "bt", "2"))
                )
                .ToJsonString()
        );

        answer.Statuses.ShouldBe(["201 Created", "200 OK"], answer.Text);
        (await server.GetAsync("Observation/bt")).Version.ShouldBe("2");
    }

    [Fact]
    public async Task A_collection_keeps_ids_and_can_be_sent_again()
    {
        var (patient, extra) = (Uuid(), Uuid());
        var bundle = $$"""
            {"resourceType":"Bundle","type":"collection","entry":[
              {"fullUrl":"{{patient}}","resource":{{Patient()}} },
              {"fullUrl":"https://ehr.example.org/fhir/Observation/kept-1","resource":{{Observation(
                patient,
                "kept-1"
            )}} },
              {"fullUrl":"{{extra}}","resource":{{Observation(patient)}} }]}
            """;

        var first = await server.PostAsync("", bundle);
        var second = await server.PostAsync("", bundle);

        first.Statuses.ShouldBe(["201 Created", "201 Created", "201 Created"], first.Text);
        second.Statuses.ShouldBe(["200 OK", "200 OK", "200 OK"]);
        ((string?)(await server.GetAsync("Observation/kept-1")).Json["subject"]!["reference"]).ShouldBe(
            $"Patient/{patient["urn:uuid:".Length..]}"
        );
        (await server.GetAsync($"Observation/{extra["urn:uuid:".Length..]}")).Version.ShouldBe("1");
    }

    [Fact]
    public async Task A_transaction_sent_twice_with_POST_makes_new_resources()
    {
        var (patient, note) = (Uuid(), Uuid());
        var bundle = Bundle(
                "transaction",
                Entry("POST", "Patient", Patient(), patient),
                Entry("POST", "Observation", Observation(patient), note)
            )
            .ToJsonString();

        var first = await server.PostAsync("", bundle);
        var second = await server.PostAsync("", bundle);
        var third = await server.PostAsync("", bundle);

        var all = new[] { first, second, third }
            .SelectMany(answer => answer.Entries.Select(entry => (string)entry!["response"]!["location"]!))
            .ToList();
        all.Count.ShouldBe(6);
        all.Distinct().Count().ShouldBe(6);
    }

    [Theory]
    [InlineData("history", "bundle-type")]
    [InlineData("document", "bundle-type")]
    [InlineData("nonsense", "bundle-type")]
    public async Task Other_types_of_Bundle_are_refused(string type, string rule) =>
        (await server.PostAsync("", Bundle(type).ToJsonString())).ShouldRefuse(400, rule);

    [Fact]
    public async Task An_empty_transaction_does_nothing_well() =>
        (await server.PostAsync("", """{"resourceType":"Bundle","type":"transaction"}""")).Status.ShouldBe(200);

    [Fact]
    public async Task Prefer_representation_brings_the_resources_back()
    {
        var bundle = Bundle("transaction", Entry("POST", "Observation", Observation("Patient/pr"))).ToJsonString();

        var whole = await server.PostAsync("", bundle, ("Prefer", "return=representation"));
        var outcome = await server.PostAsync("", bundle, ("Prefer", "return=OperationOutcome"));

        ((string?)whole.Entries[0]!["resource"]!["resourceType"]).ShouldBe("Observation");
        ((string?)outcome.Entries[0]!["response"]!["outcome"]!["resourceType"]).ShouldBe("OperationOutcome");
    }

    [Fact]
    public async Task A_patch_in_a_Bundle_is_a_Binary()
    {
        await server.PutAsync("Observation/bp", Observation("Patient/bp", "bp"));
        var patch = Convert.ToBase64String("""[{"op":"replace","path":"/status","value":"amended"}]"""u8.ToArray());

        var answer = await server.PostAsync(
            "",
            Bundle(
                    "transaction",
                    Entry(
                        "PATCH",
                        "Observation/bp",
                        $$"""{"resourceType":"Binary","contentType":"application/json-patch+json","data":"{{patch}}"}"""
                    )
                )
                .ToJsonString()
        );

        answer.Statuses.ShouldBe(["200 OK"], answer.Text);
        ((string?)(await server.GetAsync("Observation/bp")).Json["status"]).ShouldBe("amended");
    }

    [Fact]
    public async Task A_resource_stays_with_its_patient()
    {
        await server.PutAsync("Observation/stay", Observation("Patient/stay-1", "stay"));

        var refused = await server.PutAsync("Observation/stay", Observation("Patient/stay-2", "stay"));

        refused.ShouldRefuse(422, "patient-changed");
        (await server.GetAsync("Observation/stay")).Version.ShouldBe("1");
    }

    [Fact]
    public async Task Many_writers_of_one_patient_lose_nothing()
    {
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(number =>
                    server.PutAsync($"Observation/mw-{number}", Observation("Patient/mw", $"mw-{number}"))
                )
        );

        answers.ShouldAllBe(answer => answer.Status == 201);
        var found = await server.GetAsync("Observation?patient=Patient/mw&_count=100");
        ((int?)found.Json["total"]).ShouldBe(40);
    }
}
