namespace CcmFhir.Tests.Ehr.Receiving;

/// <summary>An EHR's subscription pointed at us: R4 rest-hook, and the notification Bundles of the Subscriptions R5 Backport.</summary>
public class NotificationTest
{
    private static string Notify(string type, params string[] entries) =>
        $$"""
            {"resourceType":"Bundle","type":"history","entry":[
              {"resource":{"resourceType":"Parameters","parameter":[{"name":"subscription","valueReference":{"reference":"Subscription/1"} },{"name":"type","valueCode":"{{type}}"}]},
               "request":{"method":"GET","url":"Subscription/1/$status"},"response":{"status":"200"} }{{string.Concat(
                entries.Select(entry => ", " + entry)
            )}}]}
            """;

    private static string IdOnly(string url) =>
        $$"""{"fullUrl":"{{url}}","request":{"method":"PUT","url":"{{url}}"},"response":{"status":"200"} }""";

    [Fact]
    public async Task Full_resources_of_a_notification_are_taken_in_at_once_and_their_origin_is_the_EHR()
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync(every: 0);

        var (status, text) = await server.AskAsync(
            "POST",
            "$ccm-notify",
            Notify(
                "event-notification",
                $$"""{"fullUrl":"{{scene.Ehr.BaseUrl}}/Task/t1","resource":{{ReceivingScene.Task("t1", "p1")}},"request":{"method":"PUT","url":"Task/t1"} }"""
            )
        );

        status.ShouldBe(200, text);
        (await server.AskAsync("GET", "Task/t1")).Status.ShouldBe(200);
        scene.Ehr.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_notification_with_ids_only_is_answered_while_the_EHR_is_silent_and_fetched_after_it()
    {
        await using var scene = new ReceivingScene();
        scene.Ehr.Hold(ReceivingScene.Task("t1", "p1"));
        scene.Ehr.Hold(ReceivingScene.Task("t2", "p1"));
        scene.Ehr.Open.Reset();
        await using var server = await scene.ServeAsync();

        var (status, text) = await server.AskAsync(
            "POST",
            "$ccm-notify",
            Notify("event-notification", IdOnly($"{scene.Ehr.BaseUrl}/Task/t1"), IdOnly("Task/t2"))
        );

        status.ShouldBe(200, text);
        (await server.AskAsync("GET", "Task/t1")).Status.ShouldBe(404);
        scene.Ehr.Open.Set();
        await server.UntilAsync(200, "Task/t1");
        await server.UntilAsync(200, "Task/t2");
        (await server.AskAsync("GET", "Provenance?target=Task/t1")).Text.ShouldContain(scene.Ehr.BaseUrl);
    }

    [Fact]
    public async Task What_was_promised_is_fetched_by_the_next_process()
    {
        await using var scene = new ReceivingScene();
        scene.Ehr.Hold(ReceivingScene.Task("t1", "p1"));
        await using (var first = await scene.ServeAsync(every: 0))
        {
            (
                await first.AskAsync("POST", "$ccm-notify", Notify("event-notification", IdOnly("Task/t1")))
            ).Status.ShouldBe(200);
        }
        scene.Ehr.Requests.ShouldBeEmpty();

        await using var second = await scene.ServeAsync();

        await second.UntilAsync(200, "Task/t1");
        scene.Ehr.Count("Task/t1").ShouldBe(1);
    }

    [Theory]
    [InlineData(503, "")]
    [InlineData(500, "oops")]
    [InlineData(429, "")]
    [InlineData(401, "")]
    public async Task What_the_EHR_does_not_give_just_now_is_asked_for_again(int status, string body)
    {
        await using var scene = new ReceivingScene();
        scene.Ehr.Hold(ReceivingScene.Task("t1", "p1"));
        var left = 2;
        scene.Ehr.Behave = _ => Interlocked.Decrement(ref left) >= 0 ? (status, body) : null;
        await using var server = await scene.ServeAsync();

        await server.AskAsync("POST", "$ccm-notify", Notify("event-notification", IdOnly("Task/t1")));

        await server.UntilAsync(200, "Task/t1");
    }

    [Fact]
    public async Task What_the_EHR_has_deleted_is_deleted_here()
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync();
        await server.AskAsync("PUT", "Task/t1", ReceivingScene.Task("t1", "p1"));
        await server.AskAsync("PUT", "Task/t2", ReceivingScene.Task("t2", "p1"));
        scene.Ehr.Held["Task/t1"] = null;

        await server.AskAsync(
            "POST",
            "$ccm-notify",
            Notify(
                "event-notification",
                IdOnly("Task/t1"),
                """{"fullUrl":"Task/t2","request":{"method":"DELETE","url":"Task/t2"},"response":{"status":"204"} }"""
            )
        );

        await server.UntilAsync(410, "Task/t1");
        await server.UntilAsync(410, "Task/t2");
    }

    [Fact]
    public async Task An_R4_rest_hook_brings_a_resource_by_PUT_or_POST_and_without_one_a_round_begins()
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync();
        (await server.AskAsync("PUT", "$ccm-notify/Patient/p1", ReceivingScene.Patient("p1"))).Status.ShouldBe(200);
        (await server.AskAsync("POST", "$ccm-notify", ReceivingScene.Task("t1", "p1"))).Status.ShouldBe(200);
        (await server.AskAsync("GET", "Task/t1")).Status.ShouldBe(200);
        scene.Ehr.Hold(ReceivingScene.Task("t2", "p1"));

        (await server.AskAsync("POST", "$ccm-notify")).Status.ShouldBe(200);

        await server.UntilAsync(200, "Task/t2");
    }

    [Theory]
    [InlineData("handshake")]
    [InlineData("heartbeat")]
    public async Task A_notification_of_nothing_leads_to_nothing(string type)
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync(every: 0);

        (await server.AskAsync("POST", "$ccm-notify", Notify(type))).Status.ShouldBe(200);

        (await scene.PullAsync()).Output.ShouldStartWith("0 patients read; 0 resources");
        scene.Ehr.Count("Task").ShouldBe(0);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/Task/1")]
    [InlineData("https://elsewhere.example.org/fhir/Task/1")]
    [InlineData("file:///etc/passwd")]
    [InlineData("Task/../../admin")]
    [InlineData("//elsewhere.example.org/Task/1")]
    public async Task Nothing_is_fetched_that_is_not_the_EHRs(string url)
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync();

        var (status, text) = await server.AskAsync(
            "POST",
            "$ccm-notify",
            Notify("event-notification", IdOnly("Task/t1"), IdOnly(url))
        );

        status.ShouldBe(422, text);
        text.ShouldContain("notification-host");
        scene.Ehr.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_EHR_comes_in_by_its_secret_and_nobody_else_does()
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync(every: 0, mode: "smart");
        var body = ReceivingScene.Task("t1", "p1");

        (await server.AskAsync("POST", "$ccm-notify", body)).Status.ShouldBe(401);
        (await server.AskAsync("POST", "$ccm-notify", body, ReceivingScene.Secret + "x")).Status.ShouldBe(401);
        (await server.AskAsync("POST", "$ccm-notify", body, ReceivingScene.Secret)).Status.ShouldBe(200);
        (await server.AskAsync("GET", "Task/t1", bearer: ReceivingScene.Secret)).Status.ShouldBe(
            401,
            "the secret is good for notifications alone"
        );
    }

    [Fact]
    public async Task What_breaks_a_rule_is_told_in_the_answer_and_the_rest_is_taken()
    {
        await using var scene = new ReceivingScene();
        await using var server = await scene.ServeAsync(every: 0);

        var (status, text) = await server.AskAsync(
            "POST",
            "$ccm-notify",
            Notify(
                "event-notification",
                $$"""{"fullUrl":"Task/t1","resource":{{ReceivingScene.Task("t1", "p1", "no-such-status")}},"request":{"method":"PUT","url":"Task/t1"} }""",
                $$"""{"fullUrl":"Task/t2","resource":{{ReceivingScene.Task("t2", "p1")}},"request":{"method":"PUT","url":"Task/t2"} }"""
            )
        );

        status.ShouldBe(200);
        text.ShouldContain("no-such-status");
        (await server.AskAsync("GET", "Task/t1")).Status.ShouldBe(404);
        (await server.AskAsync("GET", "Task/t2")).Status.ShouldBe(200);
        (await server.AskAsync("GET", "AuditEvent?entity=Task/t1&outcome=4")).Text.ShouldContain("HTTP 422");
    }
}
