using System.Buffers;
using System.Globalization;
using System.Text.Json;

namespace CcmFhir.Journal;

/// <summary>What one record of a journal entry says. The words stand in the journal and are never reused for something else.</summary>
internal enum RecordKind
{
    /// <summary>A version of a resource as received.</summary>
    Put,

    /// <summary>A version that deletes the resource.</summary>
    Delete,

    /// <summary>A Claim that we issued: also a version of that Claim resource.</summary>
    ClaimIssued,

    /// <summary>A try to deliver the Claim began (written before the request leaves).</summary>
    ClaimSent,

    /// <summary>The EHR has the Claim; the body holds its answer.</summary>
    ClaimAccepted,

    /// <summary>The EHR refused it for good; the body holds its answer.</summary>
    ClaimRefused,

    /// <summary>The try ended without an answer that decides; the body says how.</summary>
    ClaimUnanswered,

    /// <summary>One part of a Claim that goes out in several resources is at the EHR; the body names the part.</summary>
    ClaimPartAccepted,

    /// <summary>The EHR had accepted the Claim and does not have it any more; the body says how that was seen.</summary>
    ClaimForgotten,

    /// <summary>A person asked for the Claim to be sent again after a mend; the body says who and why.</summary>
    ClaimResent,

    /// <summary>A later look at the EHR showed the Claim in another status than before; the body holds it.</summary>
    ClaimSeen,
}

/// <summary>One record of a journal entry.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Type">Resource type.</param>
/// <param name="Id">Logical id of the resource (for claim events: of the Claim).</param>
/// <param name="Version">Version of the resource from 1; 0 for claim events that make no version.</param>
/// <param name="Body">FHIR JSON of the version, or the JSON of a claim event; empty for a deletion.</param>
internal sealed record JournalRecord(RecordKind Kind, string Type, string Id, long Version, ReadOnlyMemory<byte> Body);

/// <summary>The payload of one journal entry: who brought what, when. One line of JSON, then the bodies end to end.</summary>
/// <remarks>
/// The header is <c>{"v":1,"at":instant,"by":client,"correlation":id,"records":[{"k":kind,"t":type,"i":id,"n":version,"s":bytes}]}</c>.
/// Bodies are kept byte for byte; readers of every later release understand v 1.
/// </remarks>
/// <param name="At">When we took it, UTC.</param>
/// <param name="By">Client id, or <c>ccmfhir</c> for what we wrote ourselves.</param>
/// <param name="Correlation">Id that follows a request through logs, traces and the claim it led to; may be empty.</param>
/// <param name="Records">At least one.</param>
internal sealed record EntryPayload(
    DateTimeOffset At,
    string By,
    string Correlation,
    IReadOnlyList<JournalRecord> Records
)
{
    // One string object a type, however many records name it.
    private static string TypeOf(string name) => Fhir.ResourceTypes.Find(name) ?? name;

    private const int FormatVersion = 1;

    private static readonly string[] Words =
    [
        "put",
        "delete",
        "claim-issued",
        "claim-sent",
        "claim-accepted",
        "claim-refused",
        "claim-unanswered",
        "claim-part-accepted",
        "claim-forgotten",
        "claim-resent",
        "claim-seen",
    ];

    /// <summary>The word that stands for a kind in the journal.</summary>
    public static string Word(RecordKind kind) => Words[(int)kind];

    /// <summary>The bytes that are journalled.</summary>
    public byte[] ToBytes()
    {
        var bodies = 0;
        foreach (var record in Records)
        {
            bodies += record.Body.Length;
        }
        var header = new ArrayBufferWriter<byte>(256 + (Records.Count * 96));
        using (var json = new Utf8JsonWriter(header))
        {
            json.WriteStartObject();
            json.WriteNumber("v", FormatVersion);
            json.WriteString("at", At.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));
            json.WriteString("by", By);
            json.WriteString("correlation", Correlation);
            json.WriteStartArray("records");
            foreach (var record in Records)
            {
                json.WriteStartObject();
                json.WriteString("k", Words[(int)record.Kind]);
                json.WriteString("t", record.Type);
                json.WriteString("i", record.Id);
                json.WriteNumber("n", record.Version);
                json.WriteNumber("s", record.Body.Length);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        var bytes = new byte[header.WrittenCount + 1 + bodies];
        header.WrittenSpan.CopyTo(bytes);
        bytes[header.WrittenCount] = (byte)'\n';
        var at = header.WrittenCount + 1;
        foreach (var record in Records)
        {
            record.Body.Span.CopyTo(bytes.AsSpan(at));
            at += record.Body.Length;
        }
        return bytes;
    }

    /// <summary>Reads a payload; the bodies are slices of it.</summary>
    /// <exception cref="InvalidDataException">Not a payload of ours, or of a later format.</exception>
    public static EntryPayload FromBytes(ReadOnlyMemory<byte> payload)
    {
        var end = payload.Span.IndexOf((byte)'\n');
        if (end < 0)
        {
            throw new InvalidDataException("A journal entry has no header line.");
        }
        try
        {
            using var header = JsonDocument.Parse(payload[..end]);
            var root = header.RootElement;
            var version = root.GetProperty("v").GetInt32();
            if (version != FormatVersion)
            {
                throw new InvalidDataException(
                    $"A journal entry has format {version}; this release reads format {FormatVersion}. Use the release that wrote it, or a later one."
                );
            }
            var records = new List<JournalRecord>();
            var at = end + 1;
            foreach (var record in root.GetProperty("records").EnumerateArray())
            {
                var size = record.GetProperty("s").GetInt32();
                var kind = Array.IndexOf(Words, record.GetProperty("k").GetString());
                if (kind < 0)
                {
                    throw new InvalidDataException(
                        $"A journal entry holds a record of unknown kind '{record.GetProperty("k").GetString()}'."
                    );
                }
                records.Add(
                    new JournalRecord(
                        (RecordKind)kind,
                        TypeOf(record.GetProperty("t").GetString()!),
                        record.GetProperty("i").GetString()!,
                        record.GetProperty("n").GetInt64(),
                        payload.Slice(at, size)
                    )
                );
                at += size;
            }
            if (at != payload.Length)
            {
                throw new InvalidDataException("A journal entry is shorter or longer than its header says.");
            }
            return new EntryPayload(
                DateTimeOffset.Parse(
                    root.GetProperty("at").GetString()!,
                    CultureInfo.InvariantCulture,
                    DateTimeStyles.AssumeUniversal
                ),
                root.GetProperty("by").GetString()!,
                root.GetProperty("correlation").GetString()!,
                records
            );
        }
        catch (Exception fault)
            when (fault is JsonException or KeyNotFoundException or ArgumentOutOfRangeException or FormatException)
        {
            throw new InvalidDataException("A journal entry's header cannot be read.", fault);
        }
    }
}
