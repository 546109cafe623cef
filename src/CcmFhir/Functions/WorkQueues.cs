using System.Text.Json;
using System.Text.Json.Serialization;
using Azure.Identity;
using Azure.Storage.Queues;
using Azure.Storage.Queues.Models;
using CcmFhir.MonthEnd;

namespace CcmFhir.Functions;

/// <summary>A practice whose claims are to be pushed.</summary>
/// <param name="Practice">Slug.</param>
internal sealed record PushWork([property: JsonPropertyName("practice")] string Practice)
{
    /// <summary>Trace context (W3C <c>traceparent</c>) of what issued the claims; null when nobody traces.</summary>
    [JsonPropertyName("traceparent")]
    public string? TraceParent { get; init; }
}

/// <summary>The Storage Queues whose messages the Functions host brings to us. A message that failed too often is put aside by the host, in a
/// queue of the same name with <c>-poison</c> behind it.</summary>
/// <param name="service">The account's queues.</param>
internal sealed class WorkQueues(QueueServiceClient service) : IShardQueue
{
    /// <summary>The setting that names the account.</summary>
    public const string Setting = "Ccm:Queues";

    /// <summary>Shards of month ends.</summary>
    public const string Shards = "close-shards";

    /// <summary>Practices whose claims are to be pushed.</summary>
    public const string Pushes = "push-claims";

    /// <summary>What the host puts behind a queue's name.</summary>
    public const string Poison = "-poison";

    private const int LongestPeek = 32;
    private static readonly TimeSpan Never = TimeSpan.FromSeconds(-1);
    private static readonly TimeSpan WhileReplayed = TimeSpan.FromMinutes(1);

    /// <summary>All queues that hold work.</summary>
    public static IReadOnlyList<string> All { get; } = [Shards, Pushes];

    /// <summary>The queues that a setting names: the address of a queue service, or a connection string.</summary>
    /// <exception cref="InvalidDataException">It names none; the message does not repeat it, since it may hold a key.</exception>
    public static WorkQueues Open(string? setting)
    {
        var options = new QueueClientOptions { MessageEncoding = QueueMessageEncoding.Base64 };
        try
        {
            return new WorkQueues(
                Uri.TryCreate(setting, UriKind.Absolute, out var address) && address.Scheme is "https" or "http"
                    ? new QueueServiceClient(address, new DefaultAzureCredential(), options)
                    : new QueueServiceClient(setting, options)
            );
        }
        catch (Exception fault) when (fault is ArgumentException or FormatException or InvalidOperationException)
        {
            throw new InvalidDataException(
                $"{Setting} names no queues: it is the address of an account's queue service (https://NAME.queue.core.windows.net) or a connection string.",
                fault
            );
        }
    }

    /// <inheritdoc/>
    public async ValueTask SendAsync(ShardWork work, CancellationToken cancel) => await SendAsync(Shards, work, cancel);

    /// <summary>Sends out that a practice's claims are to be pushed.</summary>
    public async ValueTask SendAsync(PushWork work, CancellationToken cancel) => await SendAsync(Pushes, work, cancel);

    /// <summary>About how many messages wait; 0 where there is no such queue.</summary>
    public async Task<int> CountAsync(string queue, CancellationToken cancel)
    {
        var client = service.GetQueueClient(queue);
        return (await client.ExistsAsync(cancel)).Value
            ? (await client.GetPropertiesAsync(cancel)).Value.ApproximateMessagesCount
            : 0;
    }

    /// <summary>The first messages that were put aside, at most 32.</summary>
    public async Task<IReadOnlyList<PeekedMessage>> PutAsideAsync(string queue, CancellationToken cancel)
    {
        var client = service.GetQueueClient(queue + Poison);
        return (await client.ExistsAsync(cancel)).Value
            ? (await client.PeekMessagesAsync(LongestPeek, cancel)).Value
            : [];
    }

    /// <summary>Sends out again what was put aside. A message is deleted after it was sent, so that none is lost when this is cut off.</summary>
    /// <returns>How many.</returns>
    public async Task<int> ReplayAsync(string queue, CancellationToken cancel)
    {
        var from = service.GetQueueClient(queue + Poison);
        if (!(await from.ExistsAsync(cancel)).Value)
        {
            return 0;
        }
        var sent = 0;
        // Counted before it begins: what fails again meanwhile waits for the next replay.
        for (var left = await CountAsync(queue + Poison, cancel); left > 0; )
        {
            var messages = (await from.ReceiveMessagesAsync(Math.Min(left, LongestPeek), WhileReplayed, cancel)).Value;
            if (messages.Length == 0)
            {
                break;
            }
            foreach (var message in messages)
            {
                await SendAsync(queue, message.Body, cancel);
                await from.DeleteMessageAsync(message.MessageId, message.PopReceipt, cancel);
                sent++;
            }
            left -= messages.Length;
        }
        return sent;
    }

    private Task SendAsync<T>(string queue, T work, CancellationToken cancel) =>
        SendAsync(queue, new BinaryData(JsonSerializer.SerializeToUtf8Bytes(work)), cancel);

    private async Task SendAsync(string queue, BinaryData body, CancellationToken cancel)
    {
        var client = service.GetQueueClient(queue);
        // The deployment makes the queues; elsewhere the first message does.
        await client.CreateIfNotExistsAsync(cancellationToken: cancel);
        await client.SendMessageAsync(body, timeToLive: Never, cancellationToken: cancel);
    }
}
