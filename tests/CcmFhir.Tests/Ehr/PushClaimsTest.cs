using CcmFhir.Ehr;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Ehr;

/// <summary>Claims on their way into an EHR that misbehaves: what stands in the journal is true, and nothing is there twice.</summary>
public class PushClaimsTest
{
    [Fact]
    public async Task An_issued_claim_arrives_once_however_often_the_month_is_pushed()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(1);
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(1);

        scene.Ehr.Claims.Count().ShouldBe(1);
        scene.Ehr.Count("POST", "Claim").ShouldBe(1);
        var journey = await scene.JourneyAsync("p1", claim);
        journey
            .Events.Select(step => step.Kind)
            .ShouldBe([RecordKind.ClaimIssued, RecordKind.ClaimSent, RecordKind.ClaimAccepted]);
        var accepted = (await scene.DeliveryAsync("p1", claim)).Accepted!;
        accepted.EhrReference.ShouldBe("Claim/e1");
        accepted.EhrVersion.ShouldBe("1");
        accepted.Status.ShouldBe(201);
    }

    /// <summary>Each misdeed once, then good behaviour: one claim at the EHR in the end, and the first try reads as it was.</summary>
    [Theory]
    [InlineData("Garbage", Standing.Delivered, null)]
    [InlineData("GarbageWithoutTaking", Standing.Waiting, DeliveryProblem.UnclearAnswer)]
    [InlineData("NoLocation", Standing.Delivered, null)]
    [InlineData("FalseMatch", Standing.Waiting, DeliveryProblem.Contradiction)]
    [InlineData("TooMany", Standing.Waiting, DeliveryProblem.Busy)]
    [InlineData("HalfAnswer", Standing.Waiting, DeliveryProblem.NoAnswer)]
    [InlineData("Silence", Standing.Waiting, DeliveryProblem.NoAnswer)]
    [InlineData("HalfAnswerWithoutTaking", Standing.Waiting, DeliveryProblem.NoAnswer)]
    [InlineData("Redirect", Standing.Waiting, DeliveryProblem.Redirect)]
    [InlineData("FaultAfterTaking", Standing.Waiting, DeliveryProblem.ServerFault)]
    [InlineData("Unavailable", Standing.Waiting, DeliveryProblem.ServerFault)]
    [InlineData("LocksOut", Standing.Waiting, DeliveryProblem.NotAuthorized)]
    public async Task A_claim_survives_one_misdeed_and_is_there_once(string misdeed, object standing, string? problem)
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        var left = 1;
        scene.Ehr.Behave = (method, _) =>
            method == "POST" && Interlocked.Decrement(ref left) >= 0 ? Enum.Parse<Misdeed>(misdeed) : Misdeed.None;

        await scene.PushAsync();

        var first = await scene.DeliveryAsync("p1", claim);
        first.Standing.ShouldBe(standing);
        first.Last!.Problem.ShouldBe(problem);
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
        scene.Ehr.Claims.Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_connection_that_ends_without_a_word_is_not_used_to_send_it_again_behind_our_back()
    {
        await using var scene = new PushScene(connection => connection with { Concurrency = 1 });
        scene.Ehr.KeepsConditional = false;
        await scene.IssueAsync("p1", "first");
        await scene.IssueAsync("p1", "second");
        var posts = 0;
        // The second goes over the connection of the first, where HTTP clients like to repeat what got no answer.
        scene.Ehr.Behave = (method, _) =>
            method == "POST" && Interlocked.Increment(ref posts) == 2 ? Misdeed.Silence : Misdeed.None;

        await scene.PushAsync();

        posts.ShouldBe(2);
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(2);
        scene.Ehr.Claims.Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_claim_that_the_EHR_accepts_and_forgets_goes_out_again_twice_and_then_a_person_is_asked()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.Forgets : Misdeed.None;

        var report = await scene.PushUntilQuietAsync();

        report.Count(Standing.NeedsPerson).ShouldBe(1);
        report.Claims[0].Text!.ShouldContain("does not have it any more");
        scene.Ehr.Count("POST", "Claim").ShouldBe(3);
        scene.Ehr.Behave = (_, _) => Misdeed.None;
        var desk = new ClaimDesk(scene.Streams, scene.Clock);
        (
            await desk.ResendAsync(
                PushScene.Practice,
                scene.Connection,
                claim,
                notThere: false,
                "ann",
                "vendor mended it",
                TestContext.Current.CancellationToken
            )
        ).Done.ShouldBeTrue();
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
        scene.Ehr.Claims.Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_refusal_is_final_and_holds_what_the_EHR_said()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.Refuses : Misdeed.None;

        var report = await scene.PushUntilQuietAsync();

        report.Claims.ShouldHaveSingleItem().Text!.ShouldContain("no rendering provider that we know");
        report.Count(Standing.Refused).ShouldBe(1);
        scene.Ehr.Count("POST", "Claim").ShouldBe(1);
        var refused = await scene.DeliveryAsync("p1", claim);
        refused.Last!.Status.ShouldBe(422);
        refused.Last.Answer!.Value.GetProperty("resourceType").GetString().ShouldBe("OperationOutcome");
    }

    [Fact]
    public async Task An_EHR_that_asks_for_an_hour_is_left_alone_for_an_hour()
    {
        await using var scene = new PushScene();
        for (var patient = 1; patient <= 20; patient++)
        {
            await scene.IssueAsync($"p{patient}");
        }
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.TooMany : Misdeed.None;

        var report = await scene.PushAsync();
        report.Count(Standing.Waiting).ShouldBe(20);
        // A request holds one of the places until its answer has been read, and none starts after the first such answer.
        var posts = scene.Ehr.Count("POST", "Claim");
        posts.ShouldBeLessThanOrEqualTo(scene.Connection.Concurrency);
        scene.Clock.Advance(TimeSpan.FromMinutes(50));
        (await scene.PushAsync()).Paused.ShouldNotBeNull();
        scene.Ehr.Count("POST", "Claim").ShouldBe(posts);

        scene.Ehr.Behave = (_, _) => Misdeed.None;
        scene.Clock.Advance(TimeSpan.FromMinutes(11));
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(20);
        scene.Ehr.Claims.Count().ShouldBe(20);
    }

    [Fact]
    public async Task A_request_that_was_let_through_before_the_EHR_asked_for_an_hour_is_not_sent_after_it()
    {
        await using var scene = new PushScene();
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.TooMany : Misdeed.None;
        (await PostAsync()).Status.ShouldBe(429);

        var late = await PostAsync();

        (late.Status, late.Problem, late.Left).ShouldBe((0, DeliveryProblem.Busy, false));
        late.RetryAfter!.Value.ShouldBeGreaterThan(scene.Clock.GetUtcNow() + TimeSpan.FromMinutes(50));
        scene.Ehr.Count("POST", "Claim").ShouldBe(1);
        scene.Clock.Advance(TimeSpan.FromMinutes(61));
        (await PostAsync()).Status.ShouldBe(429);

        Task<EhrAnswer> PostAsync() =>
            scene.Session.SendAsync(
                HttpMethod.Post,
                "Claim",
                System.Text.Encoding.UTF8.GetBytes(PushScene.ClaimJson("p1", "claim-p1")),
                [],
                TestContext.Current.CancellationToken
            );
    }

    [Fact]
    public async Task A_dead_EHR_is_asked_a_few_times_and_then_left_alone()
    {
        await using var scene = new PushScene(baseUrl: new Uri("http://127.0.0.1:9/fhir"));
        for (var patient = 1; patient <= 30; patient++)
        {
            await scene.IssueAsync($"p{patient}");
        }

        var report = await scene.PushAsync();

        report.Count(Standing.Waiting).ShouldBe(30);
        report.Paused!.ShouldContain("cannot be reached");
    }

    [Fact]
    public async Task Where_If_None_Exist_is_not_declared_a_search_goes_before_every_try()
    {
        await using var scene = new PushScene();
        scene.Ehr.DeclaresConditional = false;
        await scene.IssueAsync("p1");

        await scene.PushAsync();

        scene.Ehr.Requests.ShouldBe([
            "GET metadata",
            "GET Claim?identifier=http%3A%2F%2Fccmfhir.org%2Ffhir%2Fclaim%7Cnorthside-2026-10-claim-p1-1",
            "POST Claim",
        ]);
    }

    [Fact]
    public async Task A_lost_answer_that_no_search_can_clear_up_waits_for_a_person()
    {
        await using var scene = new PushScene();
        (scene.Ehr.DeclaresConditional, scene.Ehr.Searches) = (false, false);
        var claim = await scene.IssueAsync("p1");
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.HalfAnswer : Misdeed.None;

        var report = await scene.PushUntilQuietAsync();

        report.Count(Standing.NeedsPerson).ShouldBe(1);
        report.Claims[0].Text!.ShouldContain("Look in the EHR");
        scene.Ehr.Count("POST", "Claim").ShouldBe(1);
        (await scene.DeliveryAsync("p1", claim)).Last!.Problem.ShouldBe(DeliveryProblem.InDoubt);
    }

    [Fact]
    public async Task Two_at_the_EHR_are_reported_with_their_ids_and_nothing_more_is_sent()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        for (var twin = 0; twin < 2; twin++)
        {
            scene.Ehr.Hold(
                System.Text.Json.Nodes.JsonNode.Parse(PushScene.ClaimJson("p1", claim))!.AsObject() is var copy
                && copy.Remove("id")
                    ? copy
                    : throw new InvalidOperationException()
            );
        }

        var report = await scene.PushUntilQuietAsync();

        report.Count(Standing.Refused).ShouldBe(1);
        report.Claims[0].Text!.ShouldContain("Claim/e1");
        report.Claims[0].Text!.ShouldContain("Claim/e2");
        scene.Ehr.Claims.Count().ShouldBe(2);
    }

    [Fact]
    public async Task A_correction_waits_until_the_original_has_arrived_and_names_it_as_the_EHR_does()
    {
        await using var scene = new PushScene();
        var original = await scene.IssueAsync("p1", "first");
        var correction = await scene.IssueAsync("p1", "second", replaces: original);
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.Unavailable : Misdeed.None;
        await scene.PushAsync();
        (await scene.DeliveryAsync("p1", correction)).Attempts.ShouldBe(0);

        scene.Ehr.Behave = (_, _) => Misdeed.None;
        scene.Clock.Advance(TimeSpan.FromHours(1));
        await scene.PushAsync();
        await scene.PushAsync();

        scene.Ehr.Claims.Count().ShouldBe(2);
        var at = (await scene.DeliveryAsync("p1", original)).Accepted!.EhrReference;
        scene.Ehr.Claims.Single(claim => claim["related"] is not null)["related"]![0]!["claim"]!["reference"]!
            .GetValue<string>()
            .ShouldBe(at);
    }

    [Fact]
    public async Task A_try_that_ended_with_its_process_is_looked_up_before_anything_is_sent()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        var stream = $"patient/{PushScene.Practice}/p1";
        var record = await scene.Streams.ReadAsync(stream, TestContext.Current.CancellationToken);
        var lease = new DeliveryNote { Attempt = 1, Until = scene.Clock.GetUtcNow() + TimeSpan.FromMinutes(2) };
        await scene.Streams.Store.AppendAsync(
            new JournalCommit(
                [
                    new StreamAppend(
                        stream,
                        record.Position,
                        new EntryPayload(
                            scene.Clock.GetUtcNow(),
                            "ccmfhir",
                            "",
                            [new JournalRecord(RecordKind.ClaimSent, "Claim", claim, 0, lease.ToBytes())]
                        ).ToBytes()
                    ),
                ],
                []
            ),
            TestContext.Current.CancellationToken
        );
        scene.Ehr.Hold(System.Text.Json.Nodes.JsonNode.Parse(PushScene.ClaimJson("p1", claim))!.AsObject());

        (await scene.PushAsync()).Count(Standing.Sending).ShouldBe(1);
        scene.Ehr.Requests.ShouldBeEmpty("another instance may still be at work");
        scene.Clock.Advance(TimeSpan.FromMinutes(3));
        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(1);

        scene.Ehr.Count("POST", "Claim").ShouldBe(0);
    }
}
