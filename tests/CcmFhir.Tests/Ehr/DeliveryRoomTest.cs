using System.Text.Json.Nodes;
using CcmFhir.Ehr;
using Microsoft.AspNetCore.Builder;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Ehr;

/// <summary>Delivery in the server: operations, published keys, and the worker that pushes by itself.</summary>
public class DeliveryRoomTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_refused_claim_is_resent_and_confirmed_by_operations_and_each_says_what_it_did()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.Refuses : Misdeed.None;
        await using var app = await ServeAsync(scene, pushEvery: 0);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First() + $"/{PushScene.Practice}/fhir/") };

        var pushed = await AskAsync(http, HttpMethod.Post, "$ccm-push?month=2026-10");
        pushed.Body.ToJsonString().ShouldContain("\"refused\"");
        (await AskAsync(http, HttpMethod.Get, "$ccm-claims?month=2026-10"))
            .Body.ToJsonString()
            .ShouldContain("no rendering provider");
        (await AskAsync(http, HttpMethod.Post, "$ccm-push?month=october")).Status.ShouldBe(400);
        (await AskAsync(http, HttpMethod.Post, "Claim/none/$ccm-resend")).Status.ShouldBe(404);
        (await AskAsync(http, HttpMethod.Post, $"Claim/{claim}/$ccm-resend?reason=mended")).Status.ShouldBe(200);
        (await AskAsync(http, HttpMethod.Post, $"Claim/{claim}/$ccm-confirm?reference=Claim/77")).Status.ShouldBe(200);
        (await AskAsync(http, HttpMethod.Post, $"Claim/{claim}/$ccm-resend")).Status.ShouldBe(409);
        var seen = JsonNode.Parse(PushScene.ClaimJson("p1", claim))!.AsObject();
        seen["id"] = "77";
        scene.Ehr.Hold(seen);
        (await AskAsync(http, HttpMethod.Post, "$ccm-fetch-answers?month=2026-10")).Status.ShouldBe(200);

        (await scene.DeliveryAsync("p1", claim)).Accepted!.EhrReference.ShouldBe("Claim/77");
        (await scene.JourneyAsync("p1", claim)).Events.Count.ShouldBeGreaterThan(4);
    }

    [Fact]
    public async Task Our_keys_are_published_without_their_private_half()
    {
        await using var scene = new PushScene();
        var key = scene.Keys.Signing(PushScene.Practice, "ES384", scene.Clock.GetUtcNow());
        await using var app = await ServeAsync(scene, pushEvery: 0);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };

        using var answer = await http.GetAsync(
            new Uri($"/{PushScene.Practice}/ehr/jwks.json", UriKind.Relative),
            Cancel
        );
        var json = await answer.Content.ReadAsStringAsync(Cancel);

        answer.Headers.CacheControl!.MaxAge.ShouldBe(TimeSpan.FromMinutes(5));
        var published = new JsonWebKeySet(json).Keys.ShouldHaveSingleItem();
        (published.Kid, published.HasPrivateKey, published.KeySize).ShouldBe((key.Id, false, 384));
        using var nobody = await http.GetAsync(new Uri("/nobody/ehr/jwks.json", UriKind.Relative), Cancel);
        ((int)nobody.StatusCode).ShouldBe(404);
    }

    [Fact]
    public async Task The_server_pushes_what_is_due_by_itself()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        var left = 1;
        scene.Ehr.Behave = (method, _) =>
            method == "POST" && Interlocked.Decrement(ref left) >= 0 ? Misdeed.FaultAfterTaking : Misdeed.None;

        await using var app = await ServeAsync(scene, pushEvery: 1);

        await Eventually.SeeAsync(
            () => scene.DeliveryAsync("p1", claim),
            delivery => delivery.Standing == Standing.Delivered
        );
        scene.Ehr.Count("POST", "Claim").ShouldBe(1);
        PushRound
            .MonthsAt(new DateTimeOffset(2026, 2, 3, 0, 0, 0, TimeSpan.Zero))
            .Take(3)
            .ShouldBe(["2026-02", "2026-01", "2025-12"]);
    }

    private static async Task<WebApplication> ServeAsync(PushScene scene, int pushEvery)
    {
        var practices = Directory.CreateDirectory(Path.Combine(scene.Folder, "practices")).FullName;
        await File.WriteAllTextAsync(
            Path.Combine(practices, "northside.json"),
            $$"""
            { "slug": "northside", "name": "Northside", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
              "practitioners": [ { "ref": "Practitioner/dr1", "npi": "1245319599", "name": "Ada Alvarez" } ],
              "ehr": { "baseUrl": "{{scene.Ehr.BaseUrl}}", "references": "same-ids", "settleSeconds": 0, "retryMinSeconds": 0 } }
            """,
            Cancel
        );
        var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(scene.Folder, "journal.db")}",
                $"--Ccm:Practices={practices}",
                $"--Ccm:EhrKeys={Path.Combine(scene.Folder, "keys")}",
                $"--Ccm:PushEverySeconds={pushEvery}",
                Quiet.Console,
            ],
            scene.Clock,
            Cancel
        );
        await app.StartAsync(Cancel);
        return app;
    }

    private static async Task<(int Status, JsonNode Body)> AskAsync(HttpClient http, HttpMethod method, string path)
    {
        using var request = new HttpRequestMessage(method, path);
        using var answer = await http.SendAsync(request, Cancel);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Cancel))!);
    }
}
