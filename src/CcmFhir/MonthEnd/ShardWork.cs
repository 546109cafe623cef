using System.Text.Json.Serialization;

namespace CcmFhir.MonthEnd;

/// <summary>One shard of a run: some patients of a practice whose month is to be closed. It may be delivered more than once, and to several
/// instances at once.</summary>
/// <param name="Practice">Slug.</param>
/// <param name="Month">Service month, <c>yyyy-MM</c>.</param>
/// <param name="Run">Number of the run in its month.</param>
/// <param name="Shard">Number of the shard, from 0.</param>
/// <param name="Patients">Logical ids.</param>
internal sealed record ShardWork(
    [property: JsonPropertyName("practice")] string Practice,
    [property: JsonPropertyName("month")] string Month,
    [property: JsonPropertyName("run")] int Run,
    [property: JsonPropertyName("shard")] int Shard,
    [property: JsonPropertyName("patients")] IReadOnlyList<string> Patients
)
{
    /// <summary>Trace context (W3C <c>traceparent</c>) of what started the run; null when nobody traces.</summary>
    [JsonPropertyName("traceparent")]
    public string? TraceParent { get; init; }
}

/// <summary>Where shards wait for whoever closes them. What was sent is delivered at least once.</summary>
internal interface IShardQueue
{
    /// <summary>Sends one out.</summary>
    ValueTask SendAsync(ShardWork work, CancellationToken cancel);
}
