using CcmFhir.Ehr;
using CcmFhir.Journal;
using Microsoft.AspNetCore.Http;

namespace CcmFhir.Tests.Ehr;

/// <summary>Two instances that push the same month at once.</summary>
public class TwoInstancesTest
{
    [Fact]
    public async Task Two_instances_bring_each_claim_once_to_an_EHR_whose_If_None_Exist_lets_duplicates_through()
    {
        const int Concurrency = 8;
        await using var scene = new PushScene(connection =>
            connection with
            {
                Concurrency = Concurrency,
                Timeout = TimeSpan.FromMinutes(5),
            }
        );
        (scene.Ehr.KeepsConditional, scene.Ehr.Slowness) = (false, TimeSpan.FromMilliseconds(5));
        for (var patient = 1; patient <= 100; patient++)
        {
            await scene.IssueAsync($"p{patient}");
        }
        // More creates at once than one run sends: that more than one works is waited for.
        using var held = new HeldCalls(request => HttpMethods.IsPost(request.Method), pass: 0, wait: Concurrency + 1);
        scene.Ehr.Passing = held.PassAsync;
        // Another process: its own view of the journal, its own connections.
        using var other = new EhrSession(PushScene.Practice, scene.Connection, scene.Keys, scene.Clock);
        var second = new PushClaims(new StreamRecords(scene.Streams.Store), scene.Clock, "test-2");
        var cancel = TestContext.Current.CancellationToken;

        var running = Task.WhenAll(
            scene.PushAsync(),
            second.RunAsync(other, PushScene.Month, null, cancel),
            second.RunAsync(other, PushScene.Month, null, cancel)
        );
        await held.HeldAsync(running);
        held.LetGo();
        var reports = await running;

        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(100);
        scene.Ehr.Claims.Count().ShouldBe(100);
        scene.Ehr.Count("POST", "Claim").ShouldBe(100);
        reports.Count(report => report.Claims.Any(claim => claim.Tried)).ShouldBeGreaterThan(1, "more than one worked");
    }
}
