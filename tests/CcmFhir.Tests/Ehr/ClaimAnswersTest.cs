using System.Text.Json.Nodes;
using CcmFhir.Ehr;

namespace CcmFhir.Tests.Ehr;

/// <summary>What became of the claims: answers linked, fetched, and added up.</summary>
public class ClaimAnswersTest
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("""{"request":{"reference":"Claim/claim-p1"}}""")]
    [InlineData("""{"request":{"reference":"Claim/e1"}}""")]
    [InlineData("""{"request":{"reference":"BASE/Claim/e1/_history/2"}}""")]
    [InlineData(
        """{"request":{"identifier":{"system":"http://ccmfhir.org/fhir/claim","value":"northside-2026-10-claim-p1-1"}}}"""
    )]
    public async Task An_answer_is_linked_by_whatever_it_calls_the_claim(string link)
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        await scene.PushAsync();
        var response = JsonNode.Parse(link.Replace("BASE", scene.Ehr.BaseUrl.AbsoluteUri, StringComparison.Ordinal))!;
        (response["resourceType"], response["id"], response["outcome"]) = ("ClaimResponse", "r1", "queued");
        await scene.PutAsync("p1", "ClaimResponse", "r1", response.ToJsonString());
        await scene.PutAsync(
            "p1",
            "ClaimResponse",
            "r2",
            """{"resourceType":"ClaimResponse","id":"r2","outcome":"error","request":{"reference":"Claim/another"}}"""
        );

        var view = await ViewAsync(scene, claim);

        view.Answers.ShouldHaveSingleItem().Kind.ShouldBe(AnswerKind.Pending);
        view.State.ShouldBe("pending");
    }

    [Theory]
    [InlineData(
        """{"outcome":"error","error":[{"code":{"coding":[{"code":"a005"}],"text":"no coverage"}}]}""",
        "Rejected",
        null,
        "a005 no coverage"
    )]
    [InlineData(
        """{"outcome":"complete","payment":{"amount":{"value":52.90,"currency":"USD"}}}""",
        "Paid",
        "52.90",
        null
    )]
    [InlineData(
        """{"outcome":"complete","total":[{"category":{"coding":[{"code":"benefit"}]},"amount":{"value":0}}],"item":[{"adjudication":[{"reason":{"coding":[{"code":"97"}]}}]}]}""",
        "Denied",
        "0",
        "97"
    )]
    [InlineData("""{"outcome":"partial","disposition":"In review"}""", "Pending", null, "In review")]
    [InlineData(
        """{"status":"cancelled","outcome":"complete","payment":{"amount":{"value":5}}}""",
        "Pending",
        "5",
        null
    )]
    public void An_answer_says_what_became_of_the_claim(string json, string kind, string? amount, string? reason)
    {
        var answer = ClaimAnswer.Read(
            CcmFhir.Validation.FhirJson.Parse(System.Text.Encoding.UTF8.GetBytes(json), out _)!.Root,
            "ClaimResponse/r1",
            default
        );

        answer.Kind.ToString().ShouldBe(kind);
        answer.Amount?.ToString(System.Globalization.CultureInfo.InvariantCulture).ShouldBe(amount);
        answer.Reasons.FirstOrDefault().ShouldBe(reason);
    }

    [Fact]
    public async Task Answers_are_fetched_once_and_point_at_our_claim_and_patient()
    {
        await using var scene = new PushScene();
        scene.Ehr.SearchParameters["ExplanationOfBenefit"] = "claim";
        var claim = await scene.IssueAsync("p1");
        await scene.PushAsync();
        var benefit = (JsonObject)
            JsonNode.Parse(
                """
                {"resourceType":"ExplanationOfBenefit","id":"eob1","status":"active","outcome":"complete",
                 "type":{"text":"professional"},"use":"claim","created":"2026-11-02","insurer":{"display":"Medicare"},"provider":{"display":"Northside"},
                 "insurance":[{"focal":true,"coverage":{"reference":"Coverage/cov-p1"}}],
                 "patient":{"reference":"Patient/ehr-77"},"claim":{"reference":"Claim/e1"},
                 "payment":{"amount":{"value":52.9,"currency":"USD"}}}
                """
            )!;
        scene.Ehr.Hold(benefit);
        var fetch = scene.Fetch();

        var first = await fetch.RunAsync(scene.Session, PushScene.Month, Cancel);
        var again = await fetch.RunAsync(scene.Session, PushScene.Month, Cancel);

        first.Problem.ShouldBeNull();
        scene.Ehr.Requests.ShouldContain("GET ExplanationOfBenefit?claim=Claim%2Fe1");
        (first.Looked, first.Found, first.Moved).ShouldBe((1, 1, 1));
        (again.Looked, again.Found).ShouldBe((0, 0), "a paid claim is asked about no more");
        var stored = (await scene.Streams.ReadAsync("patient/northside/p1", Cancel)).Find(
            "ExplanationOfBenefit",
            "eob1"
        )!;
        var kept = JsonNode.Parse(stored.Current.Json.Span)!;
        kept["patient"]!["reference"]!.GetValue<string>().ShouldBe("Patient/p1");
        kept["claim"]!["reference"]!.GetValue<string>().ShouldBe("Claim/claim-p1");
        var view = await ViewAsync(scene, claim);
        (view.State, view.Answer!.Amount, view.EhrStatus).ShouldBe(("paid", 52.9m, "active"));
    }

    [Fact]
    public async Task The_month_is_added_up_from_issue_to_money()
    {
        await using var scene = new PushScene();
        await scene.IssueAsync("p1");
        await scene.IssueAsync("p2");
        await scene.IssueAsync("p3");
        await scene.IssueAsync("p4");
        var left = 1;
        scene.Ehr.Behave = (method, _) =>
            method == "POST" && Interlocked.Decrement(ref left) == 0 ? Misdeed.Refuses : Misdeed.None;
        await scene.PushAsync();
        var desk = new ClaimDesk(scene.Streams, scene.Clock);
        var delivered = (await desk.ListAsync(PushScene.Practice, scene.Connection, PushScene.Month, Cancel))
            .Where(claim => claim.State == "delivered")
            .ToList();
        await scene.PutAsync(delivered[0].Patient, "ClaimResponse", "r1", Response(delivered[0].Id, "52.90"));
        await scene.PutAsync(delivered[1].Patient, "ClaimResponse", "r2", Response(delivered[1].Id, "0"));
        scene.Clock.Advance(TimeSpan.FromDays(10));

        var claims = await desk.ListAsync(PushScene.Practice, scene.Connection, PushScene.Month, Cancel);
        var report = Reconciliation.Of(PushScene.Month, claims, scene.Clock.GetUtcNow());

        report
            .Stages.Select(stage => (stage.Name, stage.Count, stage.Amount, stage.Open))
            .ShouldBe([
                ("issued", 4, 264.52m, 0),
                ("delivered", 3, 198.39m, 1),
                ("answered", 2, 132.26m, 1),
                ("paid", 1, 52.90m, 1),
            ]);
        report.Stages[2].OldestOpen!.Value.TotalDays.ShouldBe(10, 0.1);
        report.Trouble.Select(claim => claim.State).Order().ShouldBe(["denied", "refused"]);
        report.ToCsv().Split('\n').Length.ShouldBe(6);
    }

    [Fact]
    public async Task A_delivered_claim_is_not_resent_and_one_under_way_neither()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        await scene.PushAsync();
        var desk = new ClaimDesk(scene.Streams, scene.Clock);

        var answer = await desk.ResendAsync(PushScene.Practice, scene.Connection, claim, true, "ann", "", Cancel);

        answer.Done.ShouldBeFalse();
        answer.Text.ShouldContain("Claim/e1");
        (await desk.ResendAsync(PushScene.Practice, scene.Connection, "none", true, "ann", "", Cancel)).Text.ShouldBe(
            "There is no claim none."
        );
    }

    private static string Response(string claim, string amount) =>
        $$"""
            { "resourceType": "ClaimResponse", "outcome": "complete", "request": { "reference": "Claim/{{claim}}" },
              "payment": { "amount": { "value": {{amount}} } } }
            """;

    private static async Task<ClaimView> ViewAsync(PushScene scene, string claim) =>
        (
            await new ClaimDesk(scene.Streams, scene.Clock).ShowAsync(
                PushScene.Practice,
                scene.Connection,
                claim,
                Cancel
            )
        )!;
}
