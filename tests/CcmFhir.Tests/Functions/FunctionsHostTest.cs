using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using CcmFhir.Demo;
using CcmFhir.Load;
using CcmFhir.Tests.Journal;
using Microsoft.AspNetCore.Http;

namespace CcmFhir.Tests.Functions;

/// <summary>The published folder under what the Functions host does.</summary>
public sealed class FunctionsHostTest(Azurite azurite, PublishedProgram published) : DeploymentTest(azurite, published)
{
    [Fact]
    public async Task A_bundle_goes_in_chunked_and_gzipped_and_comes_out_by_a_search_with_repeated_parameters()
    {
        var host = await Deployment.InstanceAsync(Cancel);
        using var http = await Deployment.ClientAsync(host, Cancel);
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(new CareMonths().Enrolment(0), Cancel);
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, "")
        {
            Content = new ByteArrayContent(packed.ToArray()),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        request.Content.Headers.ContentEncoding.Add("gzip");
        request.Headers.TransferEncodingChunked = true;
        using var answer = await http.SendAsync(request, Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Cancel));

        // Two values of one parameter are AND; merged they would be OR and find all three logs.
        var none = await SearchAsync(http, "Task?patient=p0&period=ge2026-10-01&period=lt2026-10-01");
        var all = await SearchAsync(http, "Task?patient=p0&period=ge2026-10-01&period=lt2026-11-01");

        all["entry"]!.AsArray().Count.ShouldBe(3);
        none["entry"].ShouldBeNull();
        ((string)all["entry"]![0]!["fullUrl"]!).ShouldStartWith(http.BaseAddress!.ToString());
        ((string)all["link"]![0]!["url"]!).ShouldStartWith(http.BaseAddress!.ToString());
    }

    [Fact]
    public async Task What_is_open_to_all_is_reached_through_the_host_and_what_is_not_asks_for_a_token()
    {
        var host = await Deployment.InstanceAsync(Cancel);
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        string[] open =
        [
            "/",
            "/health/ready",
            "/load/fhir/metadata",
            "/assets/ccm.css",
            "/.well-known/smart-configuration",
            "/auth/load/jwks",
        ];
        foreach (var path in open)
        {
            using var answer = await http.GetAsync(new Uri(host.Address, path), Cancel);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK, path + host.Output);
        }
        using var asked = await http.GetAsync(new Uri(host.Address, "/load/fhir/Task"), Cancel);
        asked.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task An_outsider_cannot_reach_a_function_of_the_host()
    {
        var host = await Deployment.InstanceAsync(Cancel);
        var calls = host.Functions.Where(name => name is not ("Fhir" or "Home" or "Lab" or "Web")).ToList();
        calls.ShouldBe(["CloseShard", "MonthEnd", "PullDue", "PushClaims", "PushDue"], ignoreOrder: true);

        foreach (var name in calls)
        {
            string[] ways =
            [
                $"/{name}",
                $"/{name.ToLowerInvariant()}",
                $"/{name}/",
                $"//{name}",
                $"/./{name}",
                $"/load/../{name}",
                $"/load/%2e%2e/{name}",
                $"/load/..%2f{name}",
                $"/load/fhir/../../{name}",
                $"/%{(int)name[0]:x2}{name[1..]}",
                $"/{name}?x=1",
                $"/{name.ToUpperInvariant()}",
                $"/{name}.",
                $"/{name};x=1",
                $"/{name}%20",
                $"/{name}%00",
                $"/%2f{name}",
                $"/%5c{name}",
                $"/x/..;/{name}",
                $"/load/fhir//{name}",
                $"/load//{name}",
                // The absolute form, as to a proxy.
                $"http://ccm.example.org/{name}",
                $"http://ccm.example.org//{name}",
                $"http://127.0.0.1:{host.Inside.Port}/{name}",
            ];
            foreach (var way in ways)
            {
                foreach (var headers in Disguises(name))
                {
                    // What is no HTTP at all is the host's own to refuse (400).
                    (await RawAsync(host.Address, way, headers)).ShouldBeOneOf([400, 401, 404], way + headers);
                }
            }
            // Paths that do lead to the program stay what they are, whatever a header says that they were.
            foreach (var headers in Disguises(name))
            {
                (await RawAsync(host.Address, "/load/fhir/Task", headers)).ShouldBe(401, headers);
            }
            // Even where a route let them through, the program refuses what the proxy has marked; unmarked calls are the host's own.
            (await RawAsync(host.Inside, $"/{name}", "X-Forwarded-For: 203.0.113.1\r\n")).ShouldBe(404);
            (await RawAsync(host.Inside, $"/{name}", "X-Forwarded-Host: ccm.example.org\r\n")).ShouldBe(404);
            (await RawAsync(host.Inside, $"/{name}", "")).ShouldBeOneOf([200, 500], name);
        }
    }

    [Fact]
    public async Task A_month_is_closed_by_the_queue_and_its_claims_reach_the_EHR()
    {
        await using var ehr = await StandInEhr.StartAsync(Cancel);
        var practice = JsonNode.Parse(CareMonths.PracticeFile)!;
        practice["ehr"] = new JsonObject
        {
            ["baseUrl"] = ehr.BaseAddress.ToString().TrimEnd('/'),
            ["references"] = "same-ids",
        };
        await Deployment.PracticeAsync(practice.ToJsonString());
        var host = await Deployment.InstanceAsync(Cancel);
        using var http = await Deployment.ClientAsync(host, Cancel);
        await AzureDeployment.EnrolAsync(http, 12, Cancel);

        var (status, body) = await AzureDeployment.EndAsync(http, await AzureDeployment.CloseAsync(http, Cancel));

        status.ShouldBe(200, body.ToJsonString());
        Number(body, "patients").ShouldBe(12);
        Number(body, "claims").ShouldBe(12);
        (await Deployment.ClaimsAsync(12, Cancel)).ShouldAllBe(claims => claims == 1);
        await Eventually.SeeAsync(() => ehr.Claims.Count, claims => claims >= 12);

        // The timers find everything done.
        foreach (var timer in (string[])["MonthEnd", "PushDue", "PullDue"])
        {
            using var fired = await host.FireAsync(timer, Cancel);
            fired.StatusCode.ShouldBe(HttpStatusCode.OK, host.Output);
        }
        await Deployment.QuietAsync(Cancel);
        ehr.Claims.Count.ShouldBe(12);
        (await Deployment.ClaimsAsync(12, Cancel)).ShouldAllBe(claims => claims == 1);
    }

    [Fact]
    public async Task The_timer_starts_the_month_before_once()
    {
        var host = await Deployment.InstanceAsync(Cancel, ("Ccm__CloseHour", "0"));
        using var http = await Deployment.ClientAsync(host, Cancel);
        // The month may turn meanwhile.
        var before = MonthBefore();
        for (var hour = 0; hour < 3; hour++)
        {
            using var fired = await host.FireAsync("MonthEnd", Cancel);
            fired.StatusCode.ShouldBe(HttpStatusCode.OK, host.Output);
        }

        var runs = new List<(string Month, HttpStatusCode First, HttpStatusCode Second)>();
        foreach (var month in ((string[])[before, MonthBefore()]).Distinct())
        {
            runs.Add((month, await StatusAsync(month, 1), await StatusAsync(month, 2)));
        }
        runs.ShouldContain(run => run.First == HttpStatusCode.OK);
        runs.ShouldAllBe(run => run.Second == HttpStatusCode.NotFound);

        async Task<HttpStatusCode> StatusAsync(string month, int run)
        {
            using var answer = await http.GetAsync($"$ccm-close-status?month={month}&run={run}", Cancel);
            return answer.StatusCode;
        }

        static string MonthBefore() =>
            TimeZoneInfo
                .ConvertTime(new RealTime().GetUtcNow(), TimeZoneInfo.FindSystemTimeZoneById("America/New_York"))
                .AddMonths(-1)
                .ToString("yyyy-MM", System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_program_that_is_killed_in_the_middle_is_started_again_and_finishes()
    {
        const int Patients = 30;
        var blobs = await Deployment.ProxyAsync();
        using var held = new HeldCalls(IsWrite, pass: 12);
        var host = await Deployment.InstanceAsync(Cancel, ("Ccm__Store", await Deployment.StoreThroughAsync(blobs)));
        using var http = await Deployment.ClientAsync(host, Cancel);
        await AzureDeployment.EnrolAsync(http, Patients, Cancel);
        // When the shard is delivered, the request that asked for it has written what it writes, and its answer waits for nothing.
        host.Delivering = (_, _) => blobs.Passing = held.PassAsync;

        var status = await AzureDeployment.CloseAsync(http, Cancel);
        await held.HeldAsync();
        await Eventually.SeeAsync(
            async () => (await Deployment.ClaimsAsync(Patients, Cancel)).Sum(),
            claims => claims is > 0 and < Patients
        );
        await host.KillAsync();
        held.LetGo();
        var (code, body) = await AzureDeployment.EndAsync(http, status);

        code.ShouldBe(200, body.ToJsonString());
        host.Starts.ShouldBe(2);
        (await Deployment.ClaimsAsync(Patients, Cancel)).ShouldAllBe(claims => claims == 1);
    }

    [Fact]
    public async Task Two_instances_close_one_month_at_once_one_is_killed_and_each_patient_has_one_claim()
    {
        const int Patients = 110;
        var blobs = await Deployment.ProxyAsync();
        using var held = new HeldCalls(IsWrite, pass: 12);
        var one = await Deployment.InstanceAsync(Cancel);
        var two = await Deployment.InstanceAsync(Cancel, ("Ccm__Store", await Deployment.StoreThroughAsync(blobs)));
        using var http = await Deployment.ClientAsync(one, Cancel);
        using var other = await Deployment.ClientAsync(two, Cancel);
        await AzureDeployment.EnrolAsync(http, Patients, Cancel);

        // By the queue, and by two requests at once that each go over all patients.
        blobs.Passing = held.PassAsync;
        var killed = other.PostAsync($"$ccm-close?month={CareMonths.Month}", null, Cancel);
        await held.HeldAsync(killed);
        var status = await AzureDeployment.CloseAsync(http, Cancel);
        var whole = http.PostAsync($"$ccm-close?month={CareMonths.Month}", null, Cancel);
        await two.KillAsync();
        held.LetGo();
        using var answer = await whole;
        var (code, body) = await AzureDeployment.EndAsync(http, status);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK, await answer.Content.ReadAsStringAsync(Cancel));
        code.ShouldBe(200, body.ToJsonString());
        Number(body, "claims").ShouldBe(Patients);
        (await Deployment.ClaimsAsync(Patients, Cancel)).ShouldAllBe(claims => claims == 1);
        using var cut = await killed;
        cut.IsSuccessStatusCode.ShouldBeFalse();
    }

    [Theory]
    [InlineData(false, "")]
    [InlineData(true, "--AzureFunctionsJobHost:customHandler:enableProxyingHttpRequest=false")]
    public async Task A_host_that_would_forward_instead_of_proxying_is_refused_at_the_start(bool proxy, string setting)
    {
        var folder = Directory.CreateTempSubdirectory("ccmfhir-forward-").FullName;
        try
        {
            var host = JsonNode.Parse(await File.ReadAllTextAsync(Repository.At("host.json"), Cancel))!;
            host["customHandler"]!["enableProxyingHttpRequest"] = proxy;
            host["customHandler"]!["enableForwardingHttpRequest"] = true;
            await File.WriteAllTextAsync(Path.Combine(folder, "host.json"), host.ToJsonString(), Cancel);

            var fault = await Should.ThrowAsync<InvalidDataException>(() =>
                Server.BuildAsync(
                    [
                        "--FUNCTIONS_CUSTOMHANDLER_PORT=1",
                        $"--FUNCTIONS_APP_ROOT_PATH={folder}",
                        $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                        setting,
                    ],
                    new RealTime(),
                    Cancel
                )
            );

            fault.Message.ShouldContain("enableProxyingHttpRequest");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool IsWrite(HttpRequest request) => HttpMethods.IsPut(request.Method);

    private static int Number(JsonNode parameters, string name) =>
        (int)parameters["parameter"]!.AsArray().First(one => (string?)one!["name"] == name)!["valueInteger"]!;

    private static async Task<JsonNode> SearchAsync(HttpClient http, string query)
    {
        using var answer = await http.GetAsync(query, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK, text);
        return JsonNode.Parse(text)!;
    }

    // Headers that servers and frameworks elsewhere take for the path, the method or the sender.
    private static IEnumerable<string> Disguises(string name) =>
        [
            "",
            "X-Forwarded-For: \r\nX-Forwarded-Host: \r\nConnection: X-Forwarded-For, X-Forwarded-Host, close\r\n",
            $"X-Original-URL: /{name}\r\nX-Rewrite-URL: /{name}\r\n",
            $"X-Forwarded-Prefix: /load\r\nX-Forwarded-Path: /{name}\r\nX-HTTP-Method-Override: POST\r\n",
            "X-Azure-Functions-InvocationId: 1\r\nX-Azure-Functions-HostVersion: 4.1037.0.0\r\nUser-Agent: Azure-Functions-Host/4.1037.0.0\r\n",
        ];

    // A request as nobody's client library would tidy it up; answers the status.
    private static async Task<int> RawAsync(Uri address, string path, string headers)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(IPAddress.Loopback, address.Port, Cancel);
        var body = """{"Data":{"x":"1"}}""";
        await socket
            .GetStream()
            .WriteAsync(
                Encoding.ASCII.GetBytes(
                    $"POST {path} HTTP/1.1\r\nHost: ccm.example.org\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n{(headers.Contains("Connection", StringComparison.Ordinal) ? "" : "Connection: close\r\n")}{headers}\r\n{body}"
                ),
                Cancel
            );
        using var reader = new StreamReader(socket.GetStream(), Encoding.ASCII);
        var line = await reader.ReadLineAsync(Cancel) ?? "";
        return int.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
