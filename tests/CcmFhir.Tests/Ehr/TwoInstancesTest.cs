using CcmFhir.Ehr;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Ehr;

/// <summary>Two instances that push the same month at once.</summary>
public class TwoInstancesTest
{
    [Fact]
    public async Task Two_instances_bring_each_claim_once_to_an_EHR_whose_If_None_Exist_lets_duplicates_through()
    {
        await using var scene = new PushScene(connection => connection with { Concurrency = 8 });
        (scene.Ehr.KeepsConditional, scene.Ehr.Slowness) = (false, TimeSpan.FromMilliseconds(5));
        for (var patient = 1; patient <= 100; patient++)
        {
            await scene.IssueAsync($"p{patient}");
        }
        // Another process: its own view of the journal, its own connections.
        using var other = new EhrSession(PushScene.Practice, scene.Connection, scene.Keys, scene.Clock);
        var second = new PushClaims(new StreamRecords(scene.Streams.Store), scene.Clock, "test-2");
        var cancel = TestContext.Current.CancellationToken;

        var reports = await Task.WhenAll(
            scene.PushAsync(),
            second.RunAsync(other, PushScene.Month, null, cancel),
            second.RunAsync(other, PushScene.Month, null, cancel)
        );

        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(100);
        scene.Ehr.Claims.Count().ShouldBe(100);
        scene.Ehr.Count("POST", "Claim").ShouldBe(100);
        reports.Count(report => report.Claims.Any(claim => claim.Tried)).ShouldBeGreaterThan(1, "more than one worked");
    }
}
