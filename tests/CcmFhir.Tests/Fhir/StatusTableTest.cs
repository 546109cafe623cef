using System.Net.Sockets;
using System.Text;

namespace CcmFhir.Tests.Fhir;

/// <summary>The statuses of R4's REST interface in one table, each with its section of http.html (or the RFC), each with an OperationOutcome that says what
/// would be right.</summary>
public class StatusTableTest(StatusTableTest.Prepared prepared) : IClassFixture<StatusTableTest.Prepared>
{
    private const string Json = "application/fhir+json";

    public static TheoryData<string, string, string, string?, string, int, string> Rows() =>
        new()
        {
            // section, method, address, body, headers (name: value; ...), status, rule
            { "3.1.0.8 create", "POST", "Basic", "{", "", 400, "json-syntax" },
            { "3.1.0.8 create", "POST", "Basic", """{"resourceType":"Patient"}""", "", 400, "resource-type" },
            { "3.1.0.8 create", "POST", "Basic", """{"resourceType":"Basic"}""", "", 422, "cardinality-min" },
            { "3.1.0.8 create", "POST", "Basik", """{"resourceType":"Basik"}""", "", 404, "resource-type" },
            {
                "3.1.0.8.1 conditional create",
                "POST",
                "Basic",
                Prepared.Basic(null),
                "If-None-Exist: identifier=urn:s|two",
                412,
                "condition-many-matches"
            },
            {
                "3.1.0.4 update",
                "PUT",
                "Basic/a",
                """{"resourceType":"Basic","id":"b","code":{"text":"x"}}""",
                "",
                400,
                "id-mismatch"
            },
            { "3.1.0.4 update", "PUT", "Basic", Prepared.Basic(null), "", 400, "condition-missing" },
            {
                "3.1.0.4.3 conditional update",
                "PUT",
                "Basic?identifier=urn:s|two",
                Prepared.Basic(null),
                "",
                412,
                "condition-many-matches"
            },
            {
                "3.1.0.5 contention",
                "PUT",
                "Basic/there",
                Prepared.Basic("there"),
                "If-Match: W/\"9\"",
                412,
                "if-match"
            },
            {
                "3.1.0.5 contention",
                "PUT",
                "Basic/there",
                Prepared.Basic("there"),
                "If-None-Match: *",
                412,
                "if-none-match"
            },
            {
                "3.1.0.6 patch",
                "PATCH",
                "Basic/there",
                """[{"op":"test","path":"/code/text","value":"no"}]""",
                "Content-Type: application/json-patch+json",
                422,
                ""
            },
            {
                "3.1.0.6 patch",
                "PATCH",
                "Basic/never",
                "[]",
                "Content-Type: application/json-patch+json",
                404,
                "not-found"
            },
            { "3.1.0.7 delete", "DELETE", "Basic?identifier=urn:s|two", null, "", 412, "condition-many-matches" },
            { "3.1.0.7 delete", "DELETE", "Basic/there", null, "If-Match: W/\"9\"", 412, "if-match" },
            { "3.1.0.2 read", "GET", "Basic/never", null, "", 404, "not-found" },
            { "3.1.0.2 read", "GET", "Basic/gone", null, "", 410, "deleted" },
            { "3.1.0.2 read", "GET", "Basic/a_b", null, "", 404, "id-format" },
            { "3.1.0.3 vread", "GET", "Basic/there/_history/7", null, "", 404, "version-not-found" },
            { "3.1.0.3 vread", "GET", "Basic/gone/_history/2", null, "", 410, "deleted" },
            { "3.1.0.9 search", "GET", "Basic?colour=red", null, "Prefer: handling=strict", 400, "search-parameter" },
            {
                "3.1.0.9 search",
                "GET",
                "Observation?subject.name=x&patient=p",
                null,
                "Prefer: handling=strict",
                400,
                "search-parameter"
            },
            {
                "3.1.0.9 search",
                "GET",
                "Patient?_has:Observation:patient:code=x&_id=p",
                null,
                "Prefer: handling=strict",
                400,
                "search-parameter"
            },
            { "3.1.0.9 search", "GET", "Basic?_lastUpdated=yesterday", null, "", 400, "search-value" },
            { "3.1.0.9 search", "GET", "Observation", null, "", 400, "search-scope" },
            { "3.1.0.9 search", "POST", "Basic/_search", "{}", "", 415, "content-type" },
            { "3.1.0.1.9 content types", "GET", "Basic/there", null, "Accept: text/html", 406, "accept" },
            { "3.1.0.1.9 content types", "GET", "Basic/there?_format=turtle", null, "", 406, "accept" },
            {
                "3.1.0.1.9 content types",
                "POST",
                "Basic",
                Prepared.Basic(null),
                "Content-Type: text/plain",
                415,
                "content-type"
            },
            {
                "3.1.0.1.9 content types",
                "POST",
                "Basic",
                Prepared.Basic(null),
                $"Content-Type: {Json}; Content-Encoding: zip",
                415,
                "content-encoding"
            },
            {
                "3.1.0.11 transaction",
                "POST",
                "",
                """{"resourceType":"Bundle","type":"document"}""",
                "",
                400,
                "bundle-type"
            },
            {
                "3.1.0.11 transaction",
                "POST",
                "",
                """{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic","code":{"text":"x"}} }]}""",
                "",
                400,
                ""
            },
            {
                "3.1.0.11.2 transaction rules",
                "POST",
                "",
                """{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"DELETE","url":"Basic/x"} },{"request":{"method":"DELETE","url":"Basic/x"} }]}""",
                "",
                400,
                ""
            },
            {
                "3.1.0.11 references",
                "POST",
                "",
                """{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient?identifier=urn:s|none"}},"request":{"method":"POST","url":"Basic"} }]}""",
                "",
                412,
                ""
            },
            { "3.1.0.12 history", "GET", "Basic/there/_history?_since=soon", null, "", 400, "history-parameter" },
            { "RFC 9110, 15.5.6", "POST", "Basic/there", Prepared.Basic("there"), "", 405, "method" },
            { "RFC 9110, 15.5.6", "PUT", "metadata", "{}", "", 405, "method" },
            { "RFC 9110, 15.5.6", "DELETE", "AuditEvent/1", null, "", 405, "audit-trail" },
            { "RFC 9110, 15.5.14", "POST", "Basic", "{long}", "", 413, "body-size" },
        };

    [Theory]
    [MemberData(nameof(Rows))]
    public async Task A_request_that_is_not_right_gets_the_status_of_the_specification(
        string section,
        string method,
        string url,
        string? body,
        string headers,
        int status,
        string rule
    )
    {
        body = body == "{long}" ? new string(' ', 200_000) : body;
        var answer = await AskAsync(method, url, body, headers);

        answer.Status.ShouldBe(status, $"{section}: {answer.Text}");
        answer.ShouldRefuse(status, rule.Length == 0 ? null : rule);
        answer.ContentType!.ShouldStartWith("application/fhir+json");
        if (status == 405)
        {
            (answer.Allow is not null || rule == "audit-trail").ShouldBeTrue("a 405 says what there is");
        }
    }

    [Fact]
    public async Task A_chained_parameter_is_named_in_an_outcome_where_it_is_not_refused()
    {
        var answer = await prepared.Server.GetAsync("Basic?identifier=urn:s|there&subject.name=x");

        answer.Status.ShouldBe(200);
        var outcome = answer.Entries.Single(entry => (string?)entry!["search"]!["mode"] == "outcome")!["resource"]!;
        ((string?)outcome["issue"]![0]!["details"]!["text"]).ShouldBe(
            "Chained parameters such as 'subject.name' are not supported. Search in two steps."
        );
        ((string)answer.Json["link"]![0]!["url"]!).ShouldNotContain("subject.name");
    }

    [Fact]
    public async Task A_length_that_is_not_said_is_no_reason_to_refuse()
    {
        // RFC 9110, 15.5.12: 411 is for servers that must know; this one reads chunks.
        var uri = new Uri(prepared.Server.Base);
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(uri.Host, uri.Port);
        var body = Prepared.Basic(null);
        await socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"POST /oak/fhir/Basic HTTP/1.1\r\nHost: {uri.Authority}\r\nContent-Type: {Json}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n"
            )
        );
        var buffer = new byte[4096];
        var read = await socket.ReceiveAsync(buffer);
        Encoding.ASCII.GetString(buffer, 0, read).ShouldStartWith("HTTP/1.1 201");
    }

    private Task<Answer> AskAsync(string method, string url, string? body, string headers) =>
        prepared.Server.AskAsync(
            method,
            url,
            body,
            [
                .. headers
                    .Split("; ", StringSplitOptions.RemoveEmptyEntries)
                    .Select(header => header.Split(": "))
                    .Select(parts => (parts[0], parts[1])),
            ]
        );

    /// <summary>The server with one resource that is there, one that is gone, and two of one identifier.</summary>
    public sealed class Prepared : IAsyncLifetime
    {
        /// <summary>The server.</summary>
        public FhirServer Server { get; } = new() { Settings = ["--Ccm:MaxBodyBytes=100000"] };

        /// <summary>A Basic.</summary>
        public static string Basic(string? id) =>
            $$"""{"resourceType":"Basic",{{(id is null ? "" : $"\"id\":\"{id}\",")}}"identifier":[{"system":"urn:s","value":"{{id ?? "two"}}"}],"code":{"text":"x"} }""";

        public async ValueTask InitializeAsync()
        {
            await Server.InitializeAsync();
            await Server.PutAsync("Basic/there", Basic("there"));
            await Server.PutAsync("Basic/gone", Basic("gone"));
            await Server.AskAsync("DELETE", "Basic/gone");
            await Server.PostAsync("Basic", Basic(null));
            await Server.PostAsync("Basic", Basic(null));
        }

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
