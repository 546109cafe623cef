using System.Text.Json;
using System.Text.Json.Serialization;
using Azure;
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

/// <summary>A message that was put aside.</summary>
/// <param name="Id">The queue's id of it.</param>
/// <param name="At">When it was put aside.</param>
/// <param name="Body">What it holds, when that is JSON; else of kind <c>Undefined</c>.</param>
internal sealed record PutAside(string Id, DateTimeOffset? At, JsonElement Body);

/// <summary>The Storage Queues whose messages the Functions host brings to us. A message that failed too often is put aside by the host, in a
/// queue of the same name with <c>-poison</c> behind it; so is one that is not in base64, as it came.</summary>
/// <param name="service">The account's queues; their messages are text, encoded and decoded here.</param>
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
    private static readonly TimeSpan WhileHeld = TimeSpan.FromMinutes(5);

    // What lacks a member, or has null where there must be a value, is no message of ours.
    private static readonly JsonSerializerOptions Strict = new()
    {
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
    };

    /// <summary>All queues that hold work.</summary>
    public static IReadOnlyList<string> All { get; } = [Shards, Pushes];

    /// <summary>The queues that a setting names: the address of a queue service, or a connection string.</summary>
    /// <exception cref="InvalidDataException">It names none; the message does not repeat it, since it may hold a key.</exception>
    public static WorkQueues Open(string? setting)
    {
        try
        {
            return new WorkQueues(
                Uri.TryCreate(setting, UriKind.Absolute, out var address) && address.Scheme is "https" or "http"
                    ? new QueueServiceClient(address, new DefaultAzureCredential())
                    : new QueueServiceClient(setting)
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

    /// <summary>What a message says; null when it is no such message.</summary>
    public static T? Read<T>(JsonElement message)
        where T : class
    {
        try
        {
            return message.ValueKind == JsonValueKind.Object ? message.Deserialize<T>(Strict) : null;
        }
        catch (JsonException)
        {
            return null;
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
    public async Task<IReadOnlyList<PutAside>> PutAsideAsync(string queue, CancellationToken cancel)
    {
        var client = service.GetQueueClient(queue + Poison);
        return (await client.ExistsAsync(cancel)).Value
            ?
            [
                .. (await client.PeekMessagesAsync(LongestPeek, cancel)).Value.Select(message => new PutAside(
                    message.MessageId,
                    message.InsertedOn,
                    Json(Content(message.Body))
                )),
            ]
            : [];
    }

    /// <summary>Sends out again what was put aside; what is no message of ours stays. A message is deleted after it was sent, so that none is lost
    /// when this is cut off.</summary>
    /// <returns>How many were sent, and how many stay.</returns>
    public async Task<(int Sent, int Foreign)> ReplayAsync(string queue, CancellationToken cancel)
    {
        var sent = 0;
        var foreign = await TakeAsync(
            queue,
            async message =>
            {
                var content = Content(message.Body);
                if (!IsOurs(queue, Json(content)))
                {
                    return false;
                }
                await SendAsync(queue, content, cancel);
                sent++;
                return true;
            },
            cancel
        );
        return (sent, foreign);
    }

    /// <summary>Deletes a message that was put aside.</summary>
    /// <returns>False when no queue has put aside a message of that id.</returns>
    public async Task<bool> DropAsync(string id, CancellationToken cancel)
    {
        var dropped = false;
        foreach (var queue in All)
        {
            await TakeAsync(
                queue,
                message =>
                {
                    dropped |= message.MessageId == id;
                    return Task.FromResult(message.MessageId == id);
                },
                cancel
            );
        }
        return dropped;
    }

    // Goes over what was put aside when this began (what fails again meanwhile waits for the next time), and deletes what is done with. Answers how many stay.
    private async Task<int> TakeAsync(string queue, Func<QueueMessage, Task<bool>> isDone, CancellationToken cancel)
    {
        var client = service.GetQueueClient(queue + Poison);
        var stay = new List<QueueMessage>();
        for (var left = await CountAsync(queue + Poison, cancel); left > 0; )
        {
            var messages = (await client.ReceiveMessagesAsync(Math.Min(left, LongestPeek), WhileHeld, cancel)).Value;
            if (messages.Length == 0)
            {
                break;
            }
            left -= messages.Length;
            foreach (var message in messages)
            {
                if (await isDone(message))
                {
                    await client.DeleteMessageAsync(message.MessageId, message.PopReceipt, cancel);
                }
                else
                {
                    stay.Add(message);
                }
            }
        }
        foreach (var message in stay)
        {
            // Where this is cut off they come back by themselves.
            await client.UpdateMessageAsync(message.MessageId, message.PopReceipt, message.Body, TimeSpan.Zero, cancel);
        }
        return stay.Count;
    }

    private static bool IsOurs(string queue, JsonElement body) =>
        queue == Shards ? Read<ShardWork>(body) is not null : Read<PushWork>(body) is not null;

    private static byte[] Content(BinaryData body)
    {
        var text = body.ToString();
        var decoded = new byte[text.Length];
        return Convert.TryFromBase64String(text, decoded, out var length) ? decoded[..length] : body.ToArray();
    }

    private static JsonElement Json(byte[] content)
    {
        try
        {
            using var json = JsonDocument.Parse(content);
            return json.RootElement.Clone();
        }
        catch (JsonException)
        {
            return default;
        }
    }

    private Task SendAsync<T>(string queue, T work, CancellationToken cancel) =>
        SendAsync(queue, JsonSerializer.SerializeToUtf8Bytes(work), cancel);

    private async Task SendAsync(string queue, byte[] content, CancellationToken cancel)
    {
        var client = service.GetQueueClient(queue);
        var text = Convert.ToBase64String(content);
        try
        {
            await client.SendMessageAsync(text, timeToLive: Never, cancellationToken: cancel);
        }
        catch (RequestFailedException fault) when (fault.ErrorCode == QueueErrorCode.QueueNotFound)
        {
            // The deployment makes the queues; elsewhere the first message does.
            await client.CreateIfNotExistsAsync(cancellationToken: cancel);
            await client.SendMessageAsync(text, timeToLive: Never, cancellationToken: cancel);
        }
    }
}
