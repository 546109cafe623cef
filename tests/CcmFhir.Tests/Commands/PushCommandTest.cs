using System.CommandLine;
using System.Text.Json.Nodes;
using CcmFhir.Commands;
using CcmFhir.Tests.Ehr;

namespace CcmFhir.Tests.Commands;

/// <summary><c>ccmfhir push</c>, <c>claims</c> and <c>ehr</c> as a biller uses them.</summary>
public class PushCommandTest
{
    [Fact]
    public async Task A_refused_claim_is_listed_shown_resent_and_delivered()
    {
        await using var scene = new PushScene();
        var claim = await scene.IssueAsync("p1");
        scene.Ehr.Behave = (method, _) => method == "POST" ? Misdeed.Refuses : Misdeed.None;

        var push = await RunAsync(scene, "push", "--month", "2026-10");
        push.Exit.ShouldBe(1);
        push.Output.ShouldContain("1 refused");
        push.Output.ShouldContain("no rendering provider that we know");

        var list = await RunAsync(
            scene,
            "claims",
            "list",
            "--month",
            "2026-10",
            "--state",
            "refused",
            "--format",
            "json"
        );
        JsonNode.Parse(list.Output)![0]!["advice"]!.GetValue<string>().ShouldContain($"claims resend {claim}");
        (await RunAsync(scene, "claims", "show", claim)).Output.ShouldContain("claim-refused  try 1  HTTP 422");

        (await RunAsync(scene, "claims", "resend", claim, "--by", "ann")).Exit.ShouldBe(0);
        scene.Ehr.Behave = (_, _) => Misdeed.None;
        (await RunAsync(scene, "push", "--month", "2026-10")).Exit.ShouldBe(0);
        (await RunAsync(scene, "claims", "list", "--month", "2026-10")).Output.ShouldContain("Claim/e1");
        (await RunAsync(scene, "claims", "report", "--month", "2026-10")).Output.ShouldContain("delivered       1");
        (await RunAsync(scene, "claims", "fetch", "--month", "2026-10")).Output.ShouldContain("Asked about 1 claims");
        scene.Ehr.Claims.Count().ShouldBe(1);
    }

    [Fact]
    public async Task Push_waits_until_nothing_more_comes_by_itself()
    {
        await using var scene = new PushScene();
        await scene.IssueAsync("p1");
        var left = 2;
        scene.Ehr.Behave = (method, _) =>
            method == "POST" && Interlocked.Decrement(ref left) >= 0 ? Misdeed.FaultAfterTaking : Misdeed.None;

        var push = await RunAsync(scene, "push", "--month", "2026-10", "--wait", "--format", "json");

        push.Exit.ShouldBe(0);
        JsonNode.Parse(push.Output)!["claims"]![0]!["standing"]!.GetValue<string>().ShouldBe("delivered");
        scene.Ehr.Claims.Count().ShouldBe(1);
    }

    [Fact]
    public async Task The_connection_is_checked_and_its_keys_rotated()
    {
        await using var scene = new PushScene();

        (await RunAsync(scene, "ehr", "check")).Output.ShouldContain("Claims are delivered as: claim");
    }

    [Theory]
    [InlineData("push", "--month", "2026-13")]
    [InlineData("push", "--month", "october")]
    [InlineData("claims", "list", "--month", "2026-1")]
    public async Task A_month_that_is_none_is_refused(params string[] arguments)
    {
        await using var scene = new PushScene();
        (await RunAsync(scene, arguments)).Exit.ShouldNotBe(0);
        scene.Ehr.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_misspelt_setting_is_named()
    {
        await using var scene = new PushScene();

        var run = await RunWithAsync(scene, "\"baseURL\": \"https://ehr.example/fhir\"", "push", "--month", "2026-10");

        run.Exit.ShouldBe(2);
        run.Error.ShouldContain("'ehr.baseURL' is not known");
    }

    private static Task<(int Exit, string Output, string Error)> RunAsync(PushScene scene, params string[] arguments) =>
        RunWithAsync(scene, "\"settleSeconds\": 0", arguments);

    private static async Task<(int Exit, string Output, string Error)> RunWithAsync(
        PushScene scene,
        string setting,
        params string[] arguments
    )
    {
        var file = Path.Combine(scene.Folder, "practice.json");
        await File.WriteAllTextAsync(
            file,
            $$"""
            { "slug": "northside", "name": "Northside", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
              "practitioners": [ { "ref": "Practitioner/dr1", "npi": "1245319599", "name": "Ada Alvarez" } ],
              "ehr": { "baseUrl": "{{scene.Ehr.BaseUrl}}", "references": "same-ids", "retryMinSeconds": 0, {{setting}} } }
            """
        );
        var root = new RootCommand
        {
            PushCommand.Build(scene.Clock),
            ClaimsCommand.Build(scene.Clock),
            EhrCommand.Build(scene.Clock),
        };
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = await root.Parse([
                .. arguments,
                "--practice",
                file,
                "--store",
                $"sqlite:{Path.Combine(scene.Folder, "journal.db")}",
            ])
            .InvokeAsync(
                new InvocationConfiguration { Output = output, Error = error },
                TestContext.Current.CancellationToken
            );
        return (exit, output.ToString(), error.ToString());
    }
}
