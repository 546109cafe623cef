using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using CcmFhir.Tests.Access;
using CcmFhir.Validation;

namespace CcmFhir.Tests.Trail;

/// <summary>Every access to patient data is in the audit trail, and who may ask for it finds it there as AuditEvents.</summary>
public class AuditTrailTest(SmartServer smart) : IClassFixture<SmartServer>
{
    private const string Auditor = "system/AuditEvent.rs";
    private static int patients;

    private readonly string patient = string.Create(
        CultureInfo.InvariantCulture,
        $"a{Interlocked.Increment(ref patients)}"
    );

    private static string Observation(string patient, string id, string status = "final") =>
        $$"""
            {"resourceType":"Observation","id":"{{id}}","status":"{{status}}","code":{"text":"x"},"subject":{"reference":"Patient/{{patient}}"} }
            """;

    [Theory]
    [InlineData("GET", "Observation/{0}-o", null, "read", "R", 200)]
    [InlineData("GET", "Observation/{0}-o/_history/1", null, "vread", "R", 200)]
    [InlineData("GET", "Observation/{0}-o/_history", null, "history-instance", "E", 200)]
    [InlineData("GET", "Observation?patient=Patient/{0}", null, "search-type", "E", 200)]
    [InlineData("GET", "Patient/{0}/Observation", null, "search-type", "E", 200)]
    [InlineData("PUT", "Observation/{0}-o", "amended", "update", "U", 200)]
    [InlineData("PUT", "Observation/{0}-new", "final", "create", "C", 201)]
    [InlineData("DELETE", "Observation/{0}-o", null, "delete", "D", 204)]
    public async Task An_access_is_found_by_its_patient(
        string method,
        string url,
        string? status,
        string interaction,
        string action,
        int answered
    )
    {
        var app = smart.Token("system/*.cruds");
        (
            await smart.AskAsync(app, "PUT", $"Observation/{patient}-o", Observation(patient, $"{patient}-o"))
        ).Status.ShouldBe(201);
        url = string.Format(CultureInfo.InvariantCulture, url, patient);
        var body = status is null ? null : Observation(patient, url.Split('/')[1], status);

        (await smart.AskAsync(app, method, url, body)).Status.ShouldBe(answered);

        var found = await smart.AskAsync(smart.Token(Auditor), "GET", $"AuditEvent?patient=Patient/{patient}");
        found.Status.ShouldBe(200, found.Text);
        ((int)found.Json["total"]!).ShouldBe(2);
        var newest = found.Entries[0]!["resource"]!;
        ((string?)newest["subtype"]![0]!["code"]).ShouldBe(interaction);
        ((string?)newest["action"]).ShouldBe(action);
        ((string?)newest["outcome"]).ShouldBe("0");
        ((string?)newest["agent"]![0]!["who"]!["identifier"]!["value"]).ShouldBe("app");
        ((string?)newest["agent"]![0]!["network"]!["address"]).ShouldBe("127.0.0.1");
        ProfileSet
            .Default.Validate(Encoding.UTF8.GetBytes(newest.ToJsonString()))
            .Issues.Where(issue => issue.Severity <= Severity.Error)
            .Select(issue => $"{issue.Expression}: {issue.Text}")
            .ShouldBeEmpty();
        var again = await smart.AskAsync(smart.Token(Auditor), "GET", $"AuditEvent/{newest["id"]}");
        JsonNode.DeepEquals(again.Json, newest).ShouldBeTrue(again.Text);
    }

    [Fact]
    public async Task A_refused_access_is_there_with_its_reason()
    {
        await smart.AskAsync(smart.Token("system/Task.rs"), "GET", $"Observation/{patient}-o");
        await smart.Server.GetAsync($"Observation/{patient}-o");

        var found = await smart.AskAsync(
            smart.Token(Auditor),
            "GET",
            $"AuditEvent?entity=Observation/{patient}-o&outcome=4"
        );

        found.Entries.Count.ShouldBe(2, found.Text);
        var (nobody, app) = (found.Entries[0]!["resource"]!, found.Entries[1]!["resource"]!);
        ((string)nobody["outcomeDesc"]!).ShouldStartWith("HTTP 401: token: A token is needed");
        ((string?)nobody["agent"]![0]!["who"]!["display"]).ShouldBe("anonymous");
        ((string)app["outcomeDesc"]!).ShouldBe("HTTP 403: scope: The token lacks the scope system/Observation.r.");
    }

    [Fact]
    public async Task What_a_bundle_wrote_read_and_was_refused_is_told_apart()
    {
        var answer = await smart.AskAsync(
            smart.Token("system/Observation.cruds"),
            "POST",
            "",
            $$"""
            {"resourceType":"Bundle","type":"batch","entry":[
              {"resource":{{Observation(
                patient,
                $"{patient}-b"
            )}},"request":{"method":"PUT","url":"Observation/{{patient}}-b"} },
              {"resource":{"resourceType":"Patient","id":"{{patient}}"},"request":{"method":"PUT","url":"Patient/{{patient}}"} },
              {"request":{"method":"GET","url":"Observation/{{patient}}-b"} }]}
            """
        );
        answer.Statuses.ShouldBe(["201 Created", "403 Forbidden", "200 OK"]);

        var found = await smart.AskAsync(smart.Token(Auditor), "GET", $"AuditEvent?entity=Patient/{patient}");
        found
            .Entries.Select(entry => (string)entry!["resource"]!["subtype"]![0]!["code"]!)
            .Order()
            .ShouldBe(["create", "read", "update"]);
    }

    [Fact]
    public async Task A_refused_login_is_there_with_the_id_that_was_claimed()
    {
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ["client_assertion"] = smart.Token("x"),
                ["scope"] = "system/*.cruds",
            }
        );
        var address = smart.Server.Base.Replace("/oak/fhir", "/auth/oak/token", StringComparison.Ordinal);
        using var answer = await smart.Server.Http.PostAsync(new Uri(address), form);
        ((int)answer.StatusCode).ShouldBe(401);

        var found = await smart.AskAsync(smart.Token(Auditor), "GET", "AuditEvent?subtype=110122&outcome=4");
        found.Entries.Count.ShouldBeGreaterThan(0);
        ((string)found.Entries[0]!["resource"]!["outcomeDesc"]!).ShouldContain("invalid_client");
    }

    [Theory]
    [InlineData("system/*.cruds", null, 403)]
    [InlineData("system/*.rs", null, 403)]
    [InlineData("user/*.*", null, 403)]
    [InlineData("system/AuditEvent.rs", null, 200)]
    [InlineData("user/AuditEvent.rs", null, 200)]
    public async Task Only_who_is_named_for_it_reads_the_trail(string scope, string? launch, int status)
    {
        (await smart.AskAsync(smart.Token(scope, launch), "GET", "AuditEvent?_count=1")).Status.ShouldBe(status);
        (await smart.AskAsync(smart.Token(scope, launch), "GET", "AuditEvent/20260101-1-0")).Status.ShouldBe(
            status == 200 ? 404 : 403
        );
    }

    [Fact]
    public async Task A_patients_own_app_sees_who_looked_at_this_patient_and_nothing_else()
    {
        var app = smart.Token("system/*.cruds");
        await smart.AskAsync(app, "PUT", $"Observation/{patient}-o", Observation(patient, $"{patient}-o"));
        await smart.AskAsync(app, "PUT", "Observation/other-o", Observation("someone", "other-o"));

        var found = await smart.AskAsync(smart.Token("patient/AuditEvent.rs", patient), "GET", "AuditEvent");

        found.Entries.Count.ShouldBe(1, found.Text);
        found.Entries[0]!.ToJsonString().ShouldContain($"Patient/{patient}");
    }

    [Theory]
    [InlineData("POST", "AuditEvent")]
    [InlineData("PUT", "AuditEvent/x")]
    [InlineData("PATCH", "AuditEvent/x")]
    [InlineData("DELETE", "AuditEvent/x")]
    public async Task Nobody_writes_the_trail_by_hand(string method, string url) =>
        (
            await smart.AskAsync(
                smart.Token("system/AuditEvent.cruds"),
                method,
                url,
                method == "DELETE" ? null : """{"resourceType":"AuditEvent","id":"x"}"""
            )
        ).ShouldRefuse(405, "audit-trail");

    [Fact]
    public async Task Another_practice_sees_nothing_of_it()
    {
        await smart.AskAsync(
            smart.Token("system/*.cruds"),
            "PUT",
            $"Observation/{patient}-o",
            Observation(patient, $"{patient}-o")
        );
        var elm = smart.Server.Base.Replace("/oak/", "/elm/", StringComparison.Ordinal);

        var found = await smart.AskAsync(
            smart.Token(Auditor, practice: "elm"),
            "GET",
            $"{elm}/AuditEvent?patient=Patient/{patient}"
        );

        (found.Status, (int)found.Json["total"]!).ShouldBe((200, 0));
    }

    [Fact]
    public async Task Its_pages_neither_repeat_nor_skip()
    {
        var app = smart.Token("system/*.cruds");
        for (var at = 0; at < 7; at++)
        {
            await smart.AskAsync(
                app,
                "PUT",
                $"Observation/{patient}-{at}",
                Observation(patient, string.Create(CultureInfo.InvariantCulture, $"{patient}-{at}"))
            );
        }
        var seen = new List<string>();
        var next = $"AuditEvent?patient=Patient/{patient}&_count=3";
        while (next is not null)
        {
            var page = await smart.AskAsync(smart.Token(Auditor), "GET", next);
            seen.AddRange(page.Entries.Select(entry => (string)entry!["resource"]!["id"]!));
            next = (string?)
                page.Json["link"]!.AsArray().FirstOrDefault(link => (string?)link!["relation"] == "next")?["url"];
        }
        // The auditor's own looks at the patient came later than the first page.
        seen.Distinct().Count().ShouldBe(seen.Count);
        seen.Count.ShouldBe(7);
    }
}
