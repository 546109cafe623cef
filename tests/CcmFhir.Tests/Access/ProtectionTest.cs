using System.Net;
using System.Net.Http.Headers;
using CcmFhir.Access;
using CcmFhir.Tests.Fhir;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace CcmFhir.Tests.Access;

/// <summary>Limits, headers and files: what protects the server and its data whoever asks.</summary>
public class ProtectionTest
{
    private const string App = "https://app.example.org";

    [Fact]
    public async Task Who_asks_too_often_waits_and_others_do_not()
    {
        await using var smart = new LimitedServer("--Ccm:Limits:ClientPerMinute=10");
        await smart.InitializeAsync();
        var token = smart.Token("system/*.rs");
        for (var at = 0; at < 10; at++)
        {
            (await smart.AskAsync(token, "GET", "Observation/none")).Status.ShouldBe(404);
        }

        using var answer = await smart.SendAsync("Observation/none", token);
        ((int)answer.StatusCode).ShouldBe(429);
        answer.Headers.RetryAfter!.Delta!.Value.TotalSeconds.ShouldBeInRange(1, 10);
        (await smart.AskAsync(token, "GET", "Observation/none")).ShouldRefuse(429, "rate");
        var elm = smart.Server.Base.Replace("/oak/", "/elm/", StringComparison.Ordinal);
        (
            await smart.AskAsync(smart.Token("system/*.rs", practice: "elm"), "GET", $"{elm}/Observation/none")
        ).Status.ShouldBe(404, "the client of another practice is another client");
        (await smart.Server.GetAsync("metadata")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Who_is_not_let_in_guesses_no_longer_than_the_address_may()
    {
        await using var smart = new LimitedServer("--Ccm:Limits:AddressPerMinute=10");
        await smart.InitializeAsync();
        var statuses = new List<int>();
        for (var at = 0; at < 12; at++)
        {
            statuses.Add((await smart.AskAsync($"guess-{at}", "GET", "Observation/none")).Status);
        }
        statuses.ShouldBe([.. Enumerable.Repeat(401, 10), 429, 429]);
        (await smart.AskAsync(smart.Token("system/*.rs"), "GET", "Observation/none")).Status.ShouldBe(404);

        using var form = new FormUrlEncodedContent([]);
        using var answer = await smart.Server.Http.PostAsync(
            new Uri(smart.Server.Base.Replace("/oak/fhir", "/auth/oak/token", StringComparison.Ordinal)),
            form
        );
        ((int)answer.StatusCode).ShouldBe(429);
        answer.Headers.RetryAfter.ShouldNotBeNull();
    }

    [Theory]
    [InlineData("192.0.2.7", "http", null, false)]
    [InlineData("192.0.2.7", "https", null, true)]
    [InlineData("192.0.2.7", "http", "https", true)]
    [InlineData("127.0.0.1", "http", null, true)]
    [InlineData("::1", "http", null, true)]
    public void A_token_counts_only_where_nobody_on_the_way_can_read_it(
        string from,
        string scheme,
        string? forwarded,
        bool counts
    )
    {
        var http = new DefaultHttpContext
        {
            RequestServices = new ServiceCollection()
                .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
                .BuildServiceProvider(),
        };
        http.Connection.RemoteIpAddress = IPAddress.Parse(from);
        (http.Request.Scheme, http.Request.Host) = (scheme, new HostString("ccm.example.org"));
        if (forwarded is not null)
        {
            http.Request.Headers["X-Forwarded-Proto"] = forwarded;
        }

        Addresses.IsPrivate(http).ShouldBe(counts);
    }

    [Theory]
    [InlineData("Observation/none")]
    [InlineData("metadata")]
    [InlineData("nowhere")]
    [InlineData("../../auth/oak/token")]
    [InlineData("../../health/live")]
    [InlineData("../../")]
    public async Task Every_answer_tells_browsers_to_do_no_more_than_was_meant(string url)
    {
        await using var smart = new LimitedServer();
        await smart.InitializeAsync();

        using var answer = await smart.SendAsync(url, smart.Token("system/*.rs"));

        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
        answer
            .Headers.GetValues("Content-Security-Policy")
            .ShouldHaveSingleItem()
            .ShouldContain("frame-ancestors 'none'");
        answer.Headers.Contains("Server").ShouldBeFalse();
    }

    [Theory]
    [InlineData(App, true)]
    [InlineData("https://elsewhere.example.org", false)]
    [InlineData("http://app.example.org", false)]
    public async Task A_browser_app_reads_answers_only_from_a_configured_origin(string origin, bool allowed)
    {
        await using var smart = new LimitedServer($"--Ccm:Cors:Origins={App};http://localhost:4200");
        await smart.InitializeAsync();

        using var preflight = new HttpRequestMessage(HttpMethod.Options, "Observation/none");
        preflight.Headers.Add("Origin", origin);
        preflight.Headers.Add("Access-Control-Request-Method", "PUT");
        preflight.Headers.Add("Access-Control-Request-Headers", "authorization,if-match,prefer");
        using var answer = await smart.Server.Http.SendAsync(preflight);
        answer.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(allowed);
        using var plain = await smart.SendAsync("Observation/none", smart.Token("system/*.rs"), origin);
        plain.Headers.Contains("Access-Control-Allow-Origin").ShouldBe(allowed);
        plain.Headers.Contains("Access-Control-Allow-Credentials").ShouldBeFalse();
    }

    [Theory]
    [InlineData("--Ccm:Cors:Origins=*", "no origin")]
    [InlineData("--Ccm:Cors:Origins=https://app.example.org/", "no origin")]
    [InlineData("--Ccm:Cors:Origins=http://app.example.org", "no origin")]
    [InlineData("--Ccm:Limits:ClientPerMinute=many", "whole number")]
    [InlineData("--Ccm:Access:Mode=closed", "'smart' or 'open'")]
    public async Task A_wrong_setting_stops_the_start(string setting, string saying)
    {
        await using var server = new FhirServer { Settings = [setting] };
        var fault = await Should.ThrowAsync<InvalidOperationException>(async () => await server.InitializeAsync());
        fault.Message.ShouldContain(saying);
    }

    [Fact]
    public async Task The_store_and_its_key_are_readable_by_their_owner_alone()
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }
        await using var smart = new LimitedServer();
        await smart.InitializeAsync();
        await smart.AskAsync(
            smart.Token("system/*.cruds"),
            "PUT",
            "Basic/b",
            """{"resourceType":"Basic","id":"b","code":{"text":"x"}}"""
        );

        var files = Directory.EnumerateFiles(smart.Server.Folder, "ccm.db*").ToList();
        files.Count.ShouldBeGreaterThanOrEqualTo(3, string.Join(' ', files));
        foreach (var file in files)
        {
            (File.GetUnixFileMode(file) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)).ShouldBe(
                UnixFileMode.None,
                file
            );
        }
    }

    private sealed class LimitedServer(params string[] settings) : SmartServer(settings)
    {
        public async Task<HttpResponseMessage> SendAsync(string url, string token, string? origin = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, url);
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            if (origin is not null)
            {
                request.Headers.Add("Origin", origin);
            }
            return await Server.Http.SendAsync(request);
        }
    }
}
