namespace CcmFhir.Tests.Ehr.Receiving;

/// <summary>ccmfhir pull: what changed is read from an EHR that does not push, once or as often as one likes.</summary>
public class PullTest
{
    private const string Search = ", \"pull\": { \"patients\": \"Patient?organization=Organization/1\" }";
    private const string Bulk = ", \"pull\": { \"group\": \"g1\" }";

    [Fact]
    public async Task A_search_reads_every_page_and_the_next_one_only_what_changed()
    {
        await using var scene = new ReceivingScene(Search);
        Fill(scene.Ehr);

        (await scene.PullAsync()).ShouldBe(
            (0, "2 patients read; 8 resources new or changed, 2 as before, 0 refused.\n")
        );
        scene.Ehr.Count("Task?patient=p1").ShouldBe(3, "five tasks on pages of two");
        scene.Ehr.Count("_lastUpdated").ShouldBe(0);

        scene.Ehr.Requests.Clear();
        scene.Ehr.Hold(ReceivingScene.Task("t1", "p1", "in-progress"), "2026-11-30T00:00:00Z");
        var (code, output) = await scene.PullAsync();
        (code, output).ShouldBe((0, output));
        output.ShouldStartWith("2 patients read; 1 resources new or changed");
        scene.Ehr.Count("Task?patient=p1&_lastUpdated=ge2026-11-20T14:5").ShouldBe(1);

        (await scene.PullAsync("--full")).Output.ShouldStartWith(
            "2 patients read; 0 resources new or changed, 10 as before"
        );
        await using var server = await scene.ServeAsync(every: 0);
        (await server.AskAsync("GET", "Task/t1")).Text.ShouldContain("in-progress");
        (await server.AskAsync("GET", "Task/t5")).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData(500, "")]
    [InlineData(200, "<html>portal</html>")]
    [InlineData(429, "")]
    [InlineData(403, "")]
    public async Task A_round_that_breaks_off_is_read_again_whole(int status, string body)
    {
        await using var scene = new ReceivingScene(Search);
        Fill(scene.Ehr);
        scene.Ehr.Behave = path =>
            path.Contains("page=1", StringComparison.Ordinal) && path.StartsWith("Task", StringComparison.Ordinal)
                ? (status, body)
                : null;

        var (code, output) = await scene.PullAsync();
        code.ShouldBe(1);
        output.ShouldContain("Task cannot be searched");

        scene.Ehr.Behave = _ => null;
        scene.Ehr.Requests.Clear();
        (await scene.PullAsync()).Code.ShouldBe(0);
        scene.Ehr.Count("Task?patient=p1&_lastUpdated").ShouldBe(0, "p1 was not read whole");
        await using var server = await scene.ServeAsync(every: 0);
        (await server.AskAsync("GET", "Task/t5")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task A_next_page_at_another_host_is_not_fetched()
    {
        await using var scene = new ReceivingScene(Search);
        Fill(scene.Ehr);
        using var elsewhere = new SourceEhr();
        scene.Ehr.Address = address => address.Replace(scene.Ehr.Root, elsewhere.Root, StringComparison.Ordinal);

        var (code, output) = await scene.PullAsync();

        code.ShouldBe(1);
        output.ShouldContain("at another address than the EHR");
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Our_own_claims_do_not_come_back_as_somebody_elses()
    {
        await using var scene = new ReceivingScene(Search);
        scene.Ehr.Hold(ReceivingScene.Patient("p1"));
        scene.Ehr.Hold(
            """{"resourceType":"Claim","id":"e1","identifier":[{"system":"http://ccmfhir.org/fhir/claim","value":"oak-1"}],"status":"active","patient":{"reference":"Patient/p1"}}"""
        );

        (await scene.PullAsync()).Code.ShouldBe(0);

        await using var server = await scene.ServeAsync(every: 0);
        (await server.AskAsync("GET", "Claim/e1")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task What_is_refused_is_named_and_the_rest_is_taken()
    {
        await using var scene = new ReceivingScene(Search);
        Fill(scene.Ehr);
        scene.Ehr.Hold(ReceivingScene.Task("t0", "p1", "no-such-status"));

        var (code, output) = await scene.PullAsync("--format", "json");

        code.ShouldBe(1);
        output.ShouldContain("\"changed\":8");
        output.ShouldContain("\"resource\":\"Task/t0\"");
    }

    [Fact]
    public async Task A_bulk_export_is_read_file_by_file_and_the_next_one_since_then()
    {
        await using var scene = new ReceivingScene(Bulk);
        Fill(scene.Ehr);
        scene.Ehr.MoreLines = "\n  \n";
        var polls = 2;
        scene.Ehr.Behave = path => path == "/jobs/1" && Interlocked.Decrement(ref polls) >= 0 ? (503, "") : null;
        (await scene.PullAsync()).ShouldBe(
            (0, "0 patients read; 8 resources new or changed, 0 as before, 0 refused.\n")
        );
        scene.Ehr.Count("Group/g1/$export?_type=Patient,Condition").ShouldBe(1);
        scene.Ehr.Requests.ShouldContain("DELETE /jobs/1");

        (await scene.PullAsync()).Output.ShouldStartWith("0 patients read; 0 resources new or changed, 8 as before");
        scene.Ehr.Count("_since=2026-11-10T00:00:00.000Z").ShouldBe(1);
    }

    [Fact]
    public async Task A_line_that_cannot_be_read_is_named_and_costs_only_itself()
    {
        await using var scene = new ReceivingScene(Bulk);
        Fill(scene.Ehr);
        scene.Ehr.MoreLines = "{\"resourceType\":\"Task\",";

        var (code, output) = await scene.PullAsync();

        code.ShouldBe(1);
        output.ShouldStartWith("0 patients read; 8 resources new or changed, 0 as before, 2 refused.");
        output.ShouldContain("a line");
    }

    [Fact]
    public async Task A_file_that_cannot_be_had_leaves_the_cursor_where_it_was()
    {
        await using var scene = new ReceivingScene(Bulk);
        Fill(scene.Ehr);
        scene.Ehr.Behave = path => path == "/files/Task.ndjson" ? (404, "") : null;
        var (code, output) = await scene.PullAsync();
        (code, output.Contains("could not be read whole", StringComparison.Ordinal)).ShouldBe((1, true), output);

        scene.Ehr.Behave = _ => null;
        (await scene.PullAsync()).Output.ShouldStartWith("0 patients read; 6 resources new or changed, 2 as before");
        scene.Ehr.Count("_since").ShouldBe(0);
    }

    [Theory]
    [InlineData("/files/", "at another host than the EHR")]
    [InlineData("/jobs/", "points at another host")]
    public async Task Files_and_addresses_of_another_host_are_not_fetched(string which, string saying)
    {
        await using var scene = new ReceivingScene(Bulk);
        Fill(scene.Ehr);
        using var elsewhere = new SourceEhr();
        scene.Ehr.Address = address =>
            address.Contains(which, StringComparison.Ordinal)
                ? address.Replace(scene.Ehr.Root, elsewhere.Root, StringComparison.Ordinal)
                : address;

        var (code, output) = await scene.PullAsync();

        code.ShouldBe(1);
        output.ShouldContain(saying);
        elsewhere.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_the_EHRs_own_ids_nothing_is_pulled()
    {
        await using var scene = new ReceivingScene(Search + ", \"deliver\": \"claim\"", references: "by-identifier");
        (await scene.PullAsync()).ShouldBe(
            (
                1,
                "0 patients read; 0 resources new or changed, 0 as before, 0 refused.\nPulling needs 'ehr.references': 'same-ids': what is read is kept under the EHR's own ids.\n"
            )
        );
    }

    [Fact]
    public async Task The_server_pulls_by_its_timer()
    {
        await using var scene = new ReceivingScene(
            ", \"pull\": { \"patients\": \"Patient?organization=Organization/1\", \"everyMinutes\": 60 }"
        );
        Fill(scene.Ehr);

        await using var server = await scene.ServeAsync();

        await server.UntilAsync(200, "Task/t5");
    }

    private static void Fill(SourceEhr ehr)
    {
        ehr.Hold(ReceivingScene.Patient("p1"));
        ehr.Hold(ReceivingScene.Patient("p2"));
        for (var at = 1; at <= 5; at++)
        {
            ehr.Hold(ReceivingScene.Task(FormattableString.Invariant($"t{at}"), "p1"));
        }
        ehr.Hold(ReceivingScene.Task("t6", "p2"));
    }
}
