using System.Collections.Concurrent;
using System.Text;
using Azure.Storage.Queues;
using CcmFhir.Load;
using CcmFhir.Tests.Journal;

namespace CcmFhir.Tests.Functions;

/// <summary>Messages that fail, and what an operator sees and does of them.</summary>
public sealed class PutAsideTest(Azurite azurite, PublishedProgram published) : DeploymentTest(azurite, published)
{
    [Fact]
    public async Task A_message_that_fails_comes_again_is_put_aside_is_listed_and_can_be_replayed()
    {
        var host = await Deployment.InstanceAsync(Cancel);
        var deliveries = new ConcurrentQueue<long>();
        host.Delivering = (_, count) => deliveries.Enqueue(count);
        var queue = new QueueClient(
            Deployment.Connection,
            "close-shards",
            new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 }
        );
        var run = $$"""{"practice":"load","month":"{{CareMonths.Month}}","run":1,"shard":0,"patients":["p0"]}""";
        await queue.SendMessageAsync(run, Cancel);

        await Eventually.SeeAsync(() => Deployment.ListAsync(Cancel), listed => listed.Exit != 0);
        // The host puts the copy aside before it deletes the message.
        await Deployment.QuietAsync(Cancel);
        var listed = await Deployment.ListAsync(Cancel);

        deliveries.ShouldBe([1, 2, 3, 4, 5]);
        listed.Text.ShouldContain("close-shards: 0 waiting, 1 put aside");
        listed.Text.ShouldContain("practice load month 2026-10 run 1 shard 0");
        host.Output.ShouldContain("never started");

        // What was wrong is mended: the run is there.
        using var http = await Deployment.ClientAsync(host, Cancel);
        await AzureDeployment.EnrolAsync(http, 1, Cancel);
        await AzureDeployment.EndAsync(http, await AzureDeployment.CloseAsync(http, Cancel));
        (await Deployment.QueueAsync(Cancel, "replay")).Text.ShouldContain("close-shards: 1 sent out again");
        await Deployment.QuietAsync(Cancel);
        (await Deployment.ListAsync(Cancel)).Exit.ShouldBe(0);
        deliveries.ShouldBe([1, 2, 3, 4, 5, 1, 1, 1], ignoreOrder: true);
        (await Deployment.ClaimsAsync(1, Cancel)).ShouldBe([1]);
    }

    [Fact]
    public async Task Messages_that_are_not_ours_are_listed_are_not_replayed_and_can_be_dropped()
    {
        var host = await Deployment.InstanceAsync(Cancel);
        string[] foreign =
        [
            "not base64!",
            Base64("no JSON"),
            Base64("null"),
            Base64("7"),
            Base64("[]"),
            Base64("{}"),
            Base64("""{"practice":"load","month":"2026-10","run":1,"shard":0}"""),
            Base64("""{"practice":"load","month":"2026-10","run":"1","shard":0,"patients":null}"""),
            Base64(new string('x', 48_000)),
        ];
        var queue = new QueueClient(Deployment.Connection, "close-shards");
        foreach (var message in foreign)
        {
            await queue.SendMessageAsync(message, Cancel);
        }

        var aside = $"close-shards: 0 waiting, {foreign.Length} put aside";
        var listed = await Eventually.SeeAsync(
            () => Deployment.ListAsync(Cancel),
            seen => seen.Text.Contains(aside, StringComparison.Ordinal)
        );
        host.Starts.ShouldBe(1);
        listed.Exit.ShouldBe(1);
        listed.Text.ShouldContain("is no message of ours");

        var replayed = await Deployment.QueueAsync(Cancel, "replay");
        replayed.Exit.ShouldBe(1);
        replayed.Text.ShouldContain($"close-shards: 0 sent out again, {foreign.Length} no message of ours");

        var ids = (await Deployment.ListAsync(Cancel))
            .Text.Split('\n')
            .Where(line => line.StartsWith("  ", StringComparison.Ordinal))
            .Select(line => line.Trim().Split(' ')[0])
            .ToList();
        ids.Count.ShouldBe(foreign.Length);
        foreach (var id in ids)
        {
            (await Deployment.QueueAsync(Cancel, "drop", id)).Exit.ShouldBe(0);
        }
        (await Deployment.ListAsync(Cancel)).Exit.ShouldBe(0);
        (await Deployment.QueueAsync(Cancel, "drop", ids[0])).Exit.ShouldBe(1);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
