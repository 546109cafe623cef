using System.Text;
using System.Text.Json.Nodes;
using CcmFhir.Ehr;

namespace CcmFhir.Tests.Ehr;

/// <summary>The shapes in which a claim gets into an EHR, and how its references become the EHR's.</summary>
public class DeliveryShapeTest
{
    private const string Npi = "http://hl7.org/fhir/sid/us-npi";
    private const string Mbi = "http://hl7.org/fhir/sid/us-mbi";

    [Fact]
    public async Task References_are_the_EHRs_own_found_by_identifier_and_looked_up_once()
    {
        await using var scene = await MappedAsync(connection => connection with { Concurrency = 1 });
        await scene.IssueAsync("p1");
        await scene.IssueAsync("p1", "again");

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(2);

        var claim = scene.Ehr.Claims.First();
        Reference(claim["patient"]).ShouldBe("Patient/ehr-pat");
        Reference(claim["provider"]).ShouldBe("Organization/ehr-org");
        Reference(claim["careTeam"]![0]!["provider"]).ShouldBe("Practitioner/ehr-doc");
        Reference(claim["insurance"]![0]!["coverage"]).ShouldBe("Coverage/ehr-cov");
        var consent = claim["supportingInfo"]![0]!["valueReference"]!;
        consent["reference"].ShouldBeNull("the EHR need not hold it");
        consent["identifier"]!["value"]!.GetValue<string>().ShouldBe("consent-p1");
        claim["meta"]!["versionId"].ShouldBeNull();
        claim["item"]![0]!["unitPrice"]!["value"]!.ToJsonString().ShouldBe("66.13");
        scene.Ehr.Count("GET", "Practitioner").ShouldBe(1);
        scene.Ehr.Count("GET", "Patient").ShouldBe(1);
    }

    [Fact]
    public async Task A_patient_that_the_EHR_has_twice_is_not_guessed()
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Hold(Resource("Patient", "ehr-twin", Mbi, "1EG4TE5MK73"));
        await scene.IssueAsync("p1");

        var report = await scene.PushUntilQuietAsync();

        report.Count(Standing.Refused).ShouldBe(1);
        report.Claims[0].Text!.ShouldContain("Patient/ehr-pat");
        report.Claims[0].Text!.ShouldContain("Patient/ehr-twin");
        scene.Ehr.Claims.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_practitioner_that_the_EHR_lacks_is_named_and_a_resend_after_the_mend_goes_through()
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Held.TryRemove("Practitioner/ehr-doc", out var doctor);
        var claim = await scene.IssueAsync("p1");

        var report = await scene.PushUntilQuietAsync();
        report.Claims[0].Text!.ShouldContain("Claim.careTeam.provider (Practitioner/dr1)");
        scene.Ehr.Hold(doctor!);
        var desk = new ClaimDesk(scene.Streams, scene.Clock);
        (
            await desk.ResendAsync(PushScene.Practice, scene.Connection, claim, notThere: false, "ann", "", Cancel)
        ).Done.ShouldBeTrue();

        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_passes_over_the_identifier_parameter_is_not_believed()
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Special = (method, path, _) =>
            method == "GET" && path == "Patient"
                ? (200, Bundle(Resource("Patient", "other", Mbi, "somebody-else")))
                : null;
        await scene.IssueAsync("p1");

        (await scene.PushUntilQuietAsync()).Count(Standing.Refused).ShouldBe(1);

        scene.Ehr.Claims.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_transaction_brings_along_what_the_EHR_lacks()
    {
        await using var scene = await MappedAsync(connection => connection with { Shape = DeliveryShape.Transaction });
        scene.Ehr.Held.TryRemove("Coverage/ehr-cov", out _);
        JsonNode? sent = null;
        scene.Ehr.Special = (method, path, body) =>
        {
            if (method != "POST" || path.Length > 0)
            {
                return null;
            }
            sent = JsonNode.Parse(body!);
            return (
                200,
                """
                {"resourceType":"Bundle","type":"transaction-response","entry":[
                  {"response":{"status":"201 Created","location":"Coverage/c9/_history/1"}},
                  {"response":{"status":"201 Created","location":"Claim/k9/_history/1"}}]}
                """
            );
        };
        var claim = await scene.IssueAsync("p1");

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(1);

        (await scene.DeliveryAsync("p1", claim)).Accepted!.EhrReference.ShouldBe("Claim/k9");
        var coverage = sent!["entry"]![0]!;
        Reference(coverage["resource"]!["beneficiary"]).ShouldBe("Patient/ehr-pat");
        coverage["request"]!["ifNoneExist"]!.GetValue<string>().ShouldContain("identifier=");
        Reference(sent["entry"]![1]!["resource"]!["insurance"]![0]!["coverage"])
            .ShouldBe(coverage["fullUrl"]!.GetValue<string>());
    }

    [Fact]
    public async Task A_transaction_of_which_only_a_part_was_stored_is_read_entry_by_entry()
    {
        await using var scene = await MappedAsync(connection => connection with { Shape = DeliveryShape.Transaction });
        scene.Ehr.Special = (method, path, _) =>
            method == "POST" && path.Length == 0
                ? (
                    200,
                    """
                    {"resourceType":"Bundle","type":"transaction-response","entry":[
                      {"response":{"status":"422","outcome":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"value","diagnostics":"No such payer."}]}}}]}
                    """
                )
                : null;
        await scene.IssueAsync("p1");

        var report = await scene.PushUntilQuietAsync();

        report.Count(Standing.Refused).ShouldBe(1);
        report.Claims[0].Text!.ShouldContain("No such payer.");
    }

    [Theory]
    [InlineData("complete", Standing.Delivered)]
    [InlineData("queued", Standing.Delivered)]
    [InlineData("error", Standing.Refused)]
    public async Task A_submitted_claim_stands_as_its_ClaimResponse_says(string outcome, object standing)
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Creates = [];
        scene.Ehr.Operations["Claim"] = "submit";
        scene.Ehr.Special = (method, path, _) =>
            method == "POST" && path == "Claim/$submit"
                ? (
                    200,
                    $$"""
                    {"resourceType":"ClaimResponse","id":"r1","status":"active","outcome":"{{outcome}}","disposition":"Seen.",
                     "error": [{ "code": { "coding": [{ "code": "a001" }] } }] }
                    """
                )
                : null;
        await scene.IssueAsync("p1");

        (await scene.PushUntilQuietAsync()).Claims.ShouldHaveSingleItem().Standing.ShouldBe(standing);

        scene.Ehr.Count("POST", "Claim/$submit").ShouldBe(1);
    }

    [Fact]
    public async Task Charge_items_go_out_one_a_line_and_a_try_goes_on_where_the_last_one_ended()
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Creates = ["ChargeItem"];
        var claim = await scene.IssueAsync("p1", json => TwoLines(json));
        var posts = 0;
        scene.Ehr.Behave = (method, _) =>
            method == "POST" && Interlocked.Increment(ref posts) == 2 ? Misdeed.HalfAnswer : Misdeed.None;

        await scene.PushAsync();
        (await scene.DeliveryAsync("p1", claim)).Parts.Keys.ShouldBe([1]);
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);

        var charges = scene.Ehr.Of("ChargeItem").OrderBy(charge => charge["identifier"]!.ToJsonString()).ToList();
        charges
            .Select(charge => charge["code"]!["coding"]![0]!["code"]!.GetValue<string>())
            .ShouldBe(["99490", "99439"]);
        Reference(charges[0]["subject"]).ShouldBe("Patient/ehr-pat");
        Reference(charges[0]["performer"]![0]!["actor"]).ShouldBe("Practitioner/ehr-doc");
        charges[0]["reason"]!.AsArray().Count.ShouldBe(2);
        scene.Ehr.Count("POST", "ChargeItem").ShouldBe(2);
    }

    [Fact]
    public async Task Oracles_charge_operation_is_not_repeated_in_the_dark()
    {
        await using var scene = await MappedAsync();
        (scene.Ehr.Creates, scene.Ehr.Searches) = ([], true);
        scene.Ehr.Operations["ChargeItem"] = "create";
        var taken = 0;
        scene.Ehr.Special = (method, path, _) =>
            (method, path) switch
            {
                ("POST", "ChargeItem/$create") when ++taken > 0 => (500, ""),
                ("GET", "ChargeItem") => (400, """{"resourceType":"OperationOutcome","issue":[]}"""),
                _ => null,
            };
        var claim = await scene.IssueAsync("p1");

        (await scene.PushUntilQuietAsync()).Count(Standing.NeedsPerson).ShouldBe(1);
        taken.ShouldBe(1);

        var desk = new ClaimDesk(scene.Streams, scene.Clock);
        (
            await desk.ResendAsync(PushScene.Practice, scene.Connection, claim, notThere: false, "ann", "", Cancel)
        ).Done.ShouldBeFalse("nobody has looked");
        (
            await desk.ConfirmAsync(PushScene.Practice, scene.Connection, claim, "ChargeItem/55", "ann", Cancel)
        ).Done.ShouldBeTrue();
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
        taken.ShouldBe(1);
    }

    [Fact]
    public async Task Where_only_documents_are_taken_a_document_carries_the_claim()
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Creates = ["DocumentReference"];
        await scene.IssueAsync("p1");

        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);

        var document = scene.Ehr.Of("DocumentReference").ShouldHaveSingleItem();
        Reference(document["subject"]).ShouldBe("Patient/ehr-pat");
        var contents = document["content"]!.AsArray();
        JsonNode.Parse(Data(contents[0]))!["resourceType"]!.GetValue<string>().ShouldBe("Claim");
        Data(contents[1]).ShouldContain("<td>99490</td>");
    }

    [Fact]
    public async Task An_EHR_that_offers_no_way_is_named_and_nothing_is_tried()
    {
        await using var scene = await MappedAsync();
        scene.Ehr.Creates = [];
        await scene.IssueAsync("p1");

        var report = await scene.PushUntilQuietAsync();

        report.Claims[0].Text!.ShouldContain("ehr.deliver");
        scene.Ehr.Requests.ShouldBe(["GET metadata"]);
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static async Task<PushScene> MappedAsync(Func<EhrConnection, EhrConnection>? change = null)
    {
        var scene = new PushScene(connection =>
            (change?.Invoke(connection) ?? connection) with
            {
                References = ReferenceMapping.ByIdentifier,
            }
        );
        await scene.PutAsync("p1", "Patient", "p1", Resource("Patient", "p1", Mbi, "1EG4TE5MK73").ToJsonString());
        var coverage = Resource("Coverage", "cov-p1", "urn:medicare", "cov-77");
        coverage["beneficiary"] = new JsonObject { ["reference"] = "Patient/p1" };
        await scene.PutAsync("p1", "Coverage", "cov-p1", coverage.ToJsonString());
        await scene.PutAsync(
            "dir",
            "Organization",
            "org1",
            Resource("Organization", "org1", Npi, "1000000001").ToJsonString()
        );
        await scene.PutAsync(
            "dir",
            "Practitioner",
            "dr1",
            Resource("Practitioner", "dr1", Npi, "1000000002").ToJsonString()
        );
        scene.Ehr.Hold(Resource("Patient", "ehr-pat", Mbi, "1EG4TE5MK73"));
        scene.Ehr.Hold(Resource("Coverage", "ehr-cov", "urn:medicare", "cov-77"));
        scene.Ehr.Hold(Resource("Organization", "ehr-org", Npi, "1000000001"));
        scene.Ehr.Hold(Resource("Practitioner", "ehr-doc", Npi, "1000000002"));
        return scene;
    }

    private static JsonObject Resource(string type, string id, string system, string value) =>
        new()
        {
            ["resourceType"] = type,
            ["id"] = id,
            ["identifier"] = new JsonArray(new JsonObject { ["system"] = system, ["value"] = value }),
        };

    private static string Bundle(JsonObject resource) =>
        new JsonObject
        {
            ["resourceType"] = "Bundle",
            ["type"] = "searchset",
            ["entry"] = new JsonArray(new JsonObject { ["resource"] = resource }),
        }.ToJsonString();

    private static string TwoLines(string json)
    {
        var claim = JsonNode.Parse(json)!;
        var second = claim["item"]![0]!.DeepClone();
        second["sequence"] = 2;
        second["productOrService"]!["coding"]![0]!["code"] = "99439";
        claim["item"]!.AsArray().Add(second);
        return claim.ToJsonString();
    }

    private static string? Reference(JsonNode? node) => node?["reference"]?.GetValue<string>();

    private static string Data(JsonNode? content) =>
        Encoding.UTF8.GetString(Convert.FromBase64String(content!["attachment"]!["data"]!.GetValue<string>()));
}
