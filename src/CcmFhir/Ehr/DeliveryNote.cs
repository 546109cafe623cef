using System.Text.Json;
using System.Text.Json.Serialization;

namespace CcmFhir.Ehr;

/// <summary>The body of a claim event in the journal: one step of a delivery. Absent members are not written.</summary>
internal sealed record DeliveryNote
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    };

    /// <summary>Number of the try, from 1; it starts again after a resend by hand.</summary>
    public int Attempt { get; init; }

    /// <summary>Shape of the delivery: <c>claim</c>, <c>submit</c>, <c>transaction</c>, <c>charge-item</c>, <c>document</c>, <c>file</c>.</summary>
    public string? Shape { get; init; }

    /// <summary>The instance that tries, or the person who acted.</summary>
    public string? By { get; init; }

    /// <summary>For a try that begins: when it is over at the latest, so that another instance may look after the claim.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>What went wrong, one of <see cref="DeliveryProblem"/>; null when nothing did.</summary>
    public string? Problem { get; init; }

    /// <summary>What happened and what to do, for a person.</summary>
    public string? Text { get; init; }

    /// <summary>HTTP status of the EHR's answer; null when there was none.</summary>
    public int? Status { get; init; }

    /// <summary>The claim may be at the EHR by this or an earlier try: nothing is sent before a search says that it is not.</summary>
    public bool MayHaveArrived { get; init; }

    /// <summary>No further try by itself: a person must look at the EHR.</summary>
    public bool NeedsPerson { get; init; }

    /// <summary>The next try is not before this instant.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>What the EHR calls it: <c>Claim/123</c>.</summary>
    public string? EhrReference { get; init; }

    /// <summary>Version at the EHR, where it told.</summary>
    public string? EhrVersion { get; init; }

    /// <summary>Status of the claim at the EHR, where a look showed it.</summary>
    public string? EhrStatus { get; init; }

    /// <summary>Number of the part, from 1, where a claim goes out in several resources.</summary>
    public int? Part { get; init; }

    /// <summary>Name of the file, where the claim goes out as one.</summary>
    public string? File { get; init; }

    /// <summary>The EHR's OperationOutcome or other answer, bounded.</summary>
    public JsonElement? Answer { get; init; }

    /// <summary>The bytes that are journalled.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, Options);

    /// <summary>Reads a journalled note; members that this release does not know are passed over.</summary>
    /// <exception cref="InvalidDataException">Not a note.</exception>
    public static DeliveryNote FromBytes(ReadOnlyMemory<byte> body)
    {
        try
        {
            return JsonSerializer.Deserialize<DeliveryNote>(body.Span, Options) ?? new DeliveryNote();
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException("The body of a claim event in the journal cannot be read.", fault);
        }
    }
}

/// <summary>The words for what can go wrong with a delivery. They stand in the journal.</summary>
internal static class DeliveryProblem
{
    /// <summary>No connection could be made (name, network, port).</summary>
    public const string Unreachable = "unreachable";

    /// <summary>The EHR's certificate is not one that we trust, or TLS failed.</summary>
    public const string Certificate = "certificate";

    /// <summary>The connection broke, or the time was up, after the request may have left.</summary>
    public const string NoAnswer = "no-answer";

    /// <summary>An answer that says success and cannot be understood, or does not say which resource it speaks of.</summary>
    public const string UnclearAnswer = "unclear-answer";

    /// <summary>The answer is larger than we read.</summary>
    public const string AnswerTooLarge = "answer-too-large";

    /// <summary>The EHR sends us to another address.</summary>
    public const string Redirect = "redirect";

    /// <summary>The EHR does not let us in.</summary>
    public const string NotAuthorized = "not-authorized";

    /// <summary>The EHR asks for fewer requests.</summary>
    public const string Busy = "busy";

    /// <summary>The EHR failed inside (5xx).</summary>
    public const string ServerFault = "server-fault";

    /// <summary>The EHR refuses the claim.</summary>
    public const string Refused = "refused";

    /// <summary>The EHR holds more than one resource with the claim's identifier.</summary>
    public const string Duplicates = "duplicates";

    /// <summary>The EHR says that something matches and a search finds nothing.</summary>
    public const string Contradiction = "contradiction";

    /// <summary>Whether it arrived cannot be found out by search.</summary>
    public const string InDoubt = "in-doubt";

    /// <summary>A reference of the claim has no counterpart, or several, at the EHR.</summary>
    public const string Reference = "reference";

    /// <summary>The EHR offers no way in which the claim could be delivered.</summary>
    public const string NoWay = "no-way";

    /// <summary>The claim itself cannot be read or turned into what the EHR takes.</summary>
    public const string BadClaim = "bad-claim";

    /// <summary>The EHR accepted it and does not have it any more.</summary>
    public const string Forgotten = "forgotten";

    /// <summary>This instance stopped in the middle of a try.</summary>
    public const string Stopped = "stopped";
}
