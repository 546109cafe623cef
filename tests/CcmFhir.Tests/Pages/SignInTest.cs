using System.Text.Json.Nodes;
using CcmFhir.Journal;
using CcmFhir.Trail;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Pages;

/// <summary>People sign in at an authorization server that is not ours, in a real browser, and see what their role may see.</summary>
public sealed class SignInTest(Browser browser) : IAsyncLifetime
{
    private const string Goldfinch = "/maple-street/patients/goldfinch/";
    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 2, 14, 0, 0, TimeSpan.Zero));
    private SignInAuthority authority = null!;
    private DemoSite site = null!;

    public async ValueTask InitializeAsync()
    {
        authority = await SignInAuthority.StartAsync(clock);
        site = new DemoSite { Clock = clock, SignIn = Ways(authority) };
        await site.InitializeAsync();
        await authority.RegisterAsync(site.Root);
    }

    public async ValueTask DisposeAsync()
    {
        await site.DisposeAsync();
        await authority.DisposeAsync();
    }

    [Fact]
    public async Task A_launch_in_a_patients_context_opens_on_that_patients_month()
    {
        authority.Launches["xyz"] = "goldfinch";
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync($"/auth/maple-street/launch?iss={Uri.EscapeDataString(authority.Fhir)}&launch=xyz");
        await open.ClickAsync("text=Nora Ng");
        new Uri(open.Page.Url).AbsolutePath.ShouldBe(Goldfinch + "2026-11");
        (await open.Page.Locator("h1").TextContentAsync())!.ShouldContain("Goldfinch");
        var request = authority.Requests.ShouldHaveSingleItem();
        ((string?)request["aud"]).ShouldBe(authority.Fhir);
        request.Scope!.Split(' ').ShouldBe(["openid", "fhirUser", "launch"], ignoreOrder: true);
        request.CodeChallengeMethod.ShouldBe("S256");
        open.Complaints.ShouldBeEmpty();
    }

    [Fact]
    public async Task Signed_in_by_oneself_one_comes_back_to_the_page_that_asked()
    {
        await using var open = await browser.OpenAsync(site.Root);
        (await open.GoAsync(DemoSite.Worklist + "?state=held")).ShouldBe(401);
        await SignInAsync(open, "Bea Boyd");
        new Uri(open.Page.Url).PathAndQuery.ShouldBe(DemoSite.Worklist + "?state=held");
        (await open.Page.Locator("header").TextContentAsync())!.ShouldContain("Sign out Bea Boyd");
        (await open.Page.Locator("text=Development mode").CountAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData("Nora Ng", 200, 403, 200)]
    [InlineData("Bea Boyd", 200, 200, 200)]
    [InlineData("Ira Ito", 403, 403, 200)]
    [InlineData("Zoe Zed", 403, 403, 403)]
    public async Task A_role_sees_what_is_its_own(string person, int worklist, int close, int bench)
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist);
        await SignInAsync(open, person);
        (await open.GoAsync(DemoSite.Worklist)).ShouldBe(worklist);
        (await open.GoAsync(Goldfinch + "2026-10")).ShouldBe(worklist);
        (await open.GoAsync(DemoSite.Worklist + "/close")).ShouldBe(close);
        (await open.GoAsync("/lab")).ShouldBe(bench);
        (await open.GoAsync("/elm-street/months/2026-10")).ShouldBe(403);
        (await open.GoAsync("/elm-street/patients/goldfinch/2026-10")).ShouldBe(403);
    }

    [Fact]
    public async Task OpenID_Connect_gives_roles_by_group()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/");
        (await open.ViolationsAsync()).ShouldBeEmpty();
        await open.Page.FillAsync("input[name=practice]", "maple-street");
        await open.ClickAsync("button:has-text('Sign in')");
        (await open.ViolationsAsync()).ShouldBeEmpty();
        await open.ClickAsync("text=Sign in with Maple single sign-on");
        await open.ClickAsync("text=Bea Boyd");
        new Uri(open.Page.Url).AbsolutePath.ShouldBe("/");
        (await open.GoAsync(DemoSite.Worklist + "/close")).ShouldBe(200);
    }

    [Fact]
    public async Task A_session_ends_without_use_and_in_any_case_and_leads_back_in()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist);
        await SignInAsync(open, "Nora Ng");
        clock.Advance(TimeSpan.FromMinutes(31));
        (await open.GoAsync(DemoSite.Worklist)).ShouldBe(401);
        (await open.Page.Locator("h1").TextContentAsync()).ShouldBe("Your session has ended");
        (await open.ViolationsAsync()).ShouldBeEmpty();
        await SignInAsync(open, "Nora Ng");
        for (var at = 0; at < 12 * 60 / 20; at++)
        {
            (await open.GoAsync(Goldfinch + "2026-10")).ShouldBe(200, $"after {at * 20} minutes");
            clock.Advance(TimeSpan.FromMinutes(20));
        }
        (await open.GoAsync(Goldfinch + "2026-10")).ShouldBe(401);
    }

    [Fact]
    public async Task Signing_out_ends_it()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync(DemoSite.Worklist);
        await SignInAsync(open, "Nora Ng");
        await open.ClickAsync("text=Sign out Nora Ng");
        (await open.Page.Locator("h1").TextContentAsync()).ShouldBe("Signed out");
        (await open.GoAsync(DemoSite.Worklist)).ShouldBe(401);
    }

    [Fact]
    public async Task A_sign_in_that_is_declined_and_one_that_is_forged_say_so()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/auth/maple-street/sign-in/0");
        await open.ClickAsync("text=Decline");
        (await open.Page.Locator("h1").TextContentAsync()).ShouldBe("Sign-in did not work");
        (await open.Page.ContentAsync()).ShouldContain("declined");
        (await open.GoAsync("/auth/maple-street/callback/0?code=stolen&state=forged")).ShouldBe(400);
        (await open.GoAsync("/auth/maple-street/callback/0?code=stolen")).ShouldBe(400);
        (await open.GoAsync(DemoSite.Worklist)).ShouldBe(401);
    }

    [Fact]
    public async Task Behind_a_proxy_the_address_that_the_outside_knows_is_registered_and_cookies_are_secure()
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false })
        {
            BaseAddress = site.Root,
        };
        http.DefaultRequestHeaders.Add("X-Forwarded-Proto", "https");
        http.DefaultRequestHeaders.Add("X-Forwarded-Host", "ccm.maple.example");
        using var answer = await http.GetAsync("/auth/maple-street/sign-in/0");
        answer.Headers.Location!.Query.ShouldContain(
            Uri.EscapeDataString("https://ccm.maple.example/auth/maple-street/callback/0")
        );
        var cookies = answer.Headers.GetValues("Set-Cookie").ToList();
        cookies.Count.ShouldBeGreaterThan(2);
        cookies
            .Where(cookie => !cookie.StartsWith("ccmfhir-form", StringComparison.Ordinal))
            .ShouldAllBe(cookie =>
                cookie.Contains("secure; samesite=lax; httponly", StringComparison.OrdinalIgnoreCase)
            );
    }

    [Fact]
    public async Task Who_saw_whom_stands_in_the_audit_trail()
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync("/auth/maple-street/sign-in/0?return=" + Uri.EscapeDataString(Goldfinch + "2026-10"));
        await open.ClickAsync("text=Nora Ng");
        await open.GoAsync(DemoSite.Worklist + "/close");
        var trail = site.Services.GetRequiredService<AccessTrail>();
        await trail.FlushAsync(TestContext.Current.CancellationToken);
        var store = site.Services.GetRequiredService<IJournalStore>();
        var records = new List<TrailRecord>();
        await foreach (var stream in store.StreamsAsync(TestContext.Current.CancellationToken))
        {
            if (stream.StartsWith("audit/maple-street/", StringComparison.Ordinal))
            {
                foreach (var entry in await store.ReadAsync(stream, 0, TestContext.Current.CancellationToken))
                {
                    records.AddRange(TrailEntry.FromBytes(entry.Payload).Records.Where(one => one.By == "pages"));
                }
            }
        }
        records
            .OrderBy(record => record.At)
            .Select(record => $"{record.Do} {record.Status} {string.Join(',', record.Patients ?? [])}".Trim())
            .ShouldBe(["login 200", "page 200 goldfinch", "page 403"]);
        records.ShouldAllBe(record => record.User == $"{authority.Fhir}/Practitioner/nurse-ng");
    }

    [Theory]
    [InlineData("https://evil.example/fhir", "xyz")]
    [InlineData("", "xyz")]
    [InlineData(null, null)]
    public async Task Only_the_practices_own_EHR_may_launch(string? iss, string? launch)
    {
        await using var open = await browser.OpenAsync(site.Root);
        (
            await open.GoAsync(
                "/auth/maple-street/launch" + (iss is null ? "" : $"?iss={Uri.EscapeDataString(iss)}&launch={launch}")
            )
        ).ShouldBe(400);
        open.Hosts.ShouldBe([site.Root.Authority]);
    }

    [Theory]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example/")]
    [InlineData("https://evil.example/")]
    public async Task After_sign_in_one_never_lands_elsewhere(string elsewhere)
    {
        await using var open = await browser.OpenAsync(site.Root);
        await open.GoAsync($"/auth/maple-street/sign-in/0?return={Uri.EscapeDataString(elsewhere)}");
        await open.ClickAsync("text=Nora Ng");
        new Uri(open.Page.Url).Authority.ShouldBe(site.Root.Authority);
    }

    private static async Task SignInAsync(OpenPage open, string person)
    {
        await open.ClickAsync("a:has-text('Sign in')");
        await open.ClickAsync("text=Sign in with Maple EHR");
        await open.ClickAsync($"text={person}");
    }

    private static JsonArray Ways(SignInAuthority authority) =>
        [
            new JsonObject
            {
                ["kind"] = "smart",
                ["name"] = "Maple EHR",
                ["authority"] = authority.Fhir,
                ["clientId"] = SignInAuthority.Client,
                ["users"] = new JsonObject
                {
                    ["Practitioner/nurse-ng"] = "care-manager",
                    ["Practitioner/biller-boyd"] = new JsonArray("care-manager", "biller"),
                    ["Practitioner/analyst-ito"] = "analyst",
                },
            },
            new JsonObject
            {
                ["kind"] = "openid",
                ["name"] = "Maple single sign-on",
                ["authority"] = authority.Root,
                ["clientId"] = SignInAuthority.Client,
                ["roleClaim"] = "groups",
                ["roles"] = new JsonObject { ["billing"] = "biller" },
                ["defaultRole"] = "none",
            },
        ];
}
