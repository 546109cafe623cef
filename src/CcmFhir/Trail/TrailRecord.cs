using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Journal;

namespace CcmFhir.Trail;

/// <summary>One access to a practice's data: who, what, when, from where, and how it ended. What was written is not told again but pointed at,
/// because the journal holds it.</summary>
internal sealed record TrailRecord
{
    /// <summary>Slug of the practice; it stands in the stream's name, not in the record.</summary>
    [JsonIgnore]
    public string Practice { get; init; } = "";

    /// <summary>When the request came, UTC.</summary>
    [JsonPropertyName("at")]
    public required DateTimeOffset At { get; init; }

    /// <summary>Client id; <c>anonymous</c> when nobody was let in. For a refused login the id that was claimed.</summary>
    [JsonPropertyName("by")]
    public required string By { get; init; }

    /// <summary>The user behind the client; null for Backend Services.</summary>
    [JsonPropertyName("user")]
    public string? User { get; init; }

    /// <summary>Network address that the request came from.</summary>
    [JsonPropertyName("from")]
    public string? From { get; init; }

    /// <summary>Code of the interaction (<c>read</c>, <c>search-type</c>, <c>operation</c> ...), or <c>login</c>, <c>page</c>.</summary>
    [JsonPropertyName("do")]
    public required string Do { get; init; }

    /// <summary>What was asked for, below the practice's base, with its query.</summary>
    [JsonPropertyName("url")]
    public string Url { get; init; } = "";

    /// <summary>Logical ids of the patients whose data was given out.</summary>
    [JsonPropertyName("patients")]
    public IReadOnlyList<string>? Patients { get; init; }

    /// <summary>HTTP status of the answer.</summary>
    [JsonPropertyName("status")]
    public required int Status { get; init; }

    /// <summary>Why it was refused: rule and text; null when it was not.</summary>
    [JsonPropertyName("why")]
    public string? Why { get; init; }

    /// <summary>Id of the request, as in logs and journal.</summary>
    [JsonPropertyName("request")]
    public string Request { get; init; } = "";

    /// <summary>Journal entries that the request wrote.</summary>
    [JsonPropertyName("wrote")]
    public IReadOnlyList<WrittenEntry>? Wrote { get; init; }
}

/// <summary>One entry of the journal.</summary>
/// <param name="Stream">Its stream.</param>
/// <param name="Position">Its position there.</param>
internal sealed record WrittenEntry(
    [property: JsonPropertyName("stream")] string Stream,
    [property: JsonPropertyName("position")] long Position
);

/// <summary>One entry of a trail stream: the records that were written together.</summary>
/// <param name="Nonce">Makes the payload one of its kind, so that a store never takes it for another one.</param>
/// <param name="After">Where the trail stood before, in the first entry of a day: <see cref="TrailHead.ToString"/>; null elsewhere and for the very
/// first.</param>
/// <param name="Records">At least one.</param>
internal sealed record TrailEntry(
    [property: JsonPropertyName("nonce")] string Nonce,
    [property: JsonPropertyName("after")] string? After,
    [property: JsonPropertyName("records")] IReadOnlyList<TrailRecord> Records
)
{
    private static readonly JsonSerializerOptions Options = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The bytes that are journalled.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    /// <summary>Reads them.</summary>
    /// <exception cref="InvalidDataException">They are no entry of a trail.</exception>
    public static TrailEntry FromBytes(ReadOnlyMemory<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize<TrailEntry>(payload.Span, Options) is { Records: not null } entry
                ? entry
                : throw new InvalidDataException("An entry of the audit trail holds no records.");
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException("An entry of the audit trail cannot be read.", fault);
        }
    }
}

/// <summary>Where a practice's trail stands: its newest entry and that entry's hash, which covers all before it.</summary>
/// <param name="Stream">Stream of the newest entry.</param>
/// <param name="Position">Its position.</param>
/// <param name="Hash">Its hash, lower-case hexadecimal.</param>
internal sealed record TrailHead(string Stream, long Position, string Hash)
{
    /// <summary>As it stands in index and entries: the stream last.</summary>
    public override string ToString() => FormattableString.Invariant($"{Position} {Hash} {Stream}");

    /// <summary>Reads it; null when it is none.</summary>
    public static TrailHead? Parse(string? text) =>
        text?.Split(' ', 3) is [var position, { Length: HashChain.Size * 2 } hash, var stream]
        && long.TryParse(
            position,
            System.Globalization.NumberStyles.None,
            System.Globalization.CultureInfo.InvariantCulture,
            out var at
        )
            ? new TrailHead(stream, at, hash)
            : null;
}

/// <summary>Names of the trail's streams and index keys: a stream for each practice and UTC day.</summary>
internal static class TrailNames
{
    /// <summary>Stream of a day.</summary>
    public static string Stream(string practice, DateOnly day) =>
        FormattableString.Invariant($"audit/{practice}/{day:yyyy-MM-dd}");

    /// <summary>Key that leads to the stream of a day.</summary>
    public static string Day(string practice, string stream) => $"{Days(practice)}{stream[^"yyyy-MM-dd".Length..]}";

    /// <summary>Prefix of all days.</summary>
    public static string Days(string practice) => $"audit-day/{practice}/";

    /// <summary>Key of the head.</summary>
    public static string Head(string practice) => $"audit-head/{practice}";
}
