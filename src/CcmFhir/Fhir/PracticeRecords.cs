using System.Runtime.CompilerServices;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>What one practice's journal says, for one request: streams are read once, and what the request is about to write can be laid
/// over them, so that a transaction sees its own work.</summary>
/// <param name="records">Streams, cached.</param>
/// <param name="practice">Slug.</param>
internal sealed class PracticeRecords(StreamRecords records, string practice)
{
    private static readonly ConditionalWeakTable<StoredResource, FhirJson> Parsed = [];
    private readonly Dictionary<string, StreamRecord> read = new(StringComparer.Ordinal);
    private readonly HashSet<string> laidOver = new(StringComparer.Ordinal);
    private StreamRecord? unread;

    /// <summary>Slug of the practice.</summary>
    public string Practice => practice;

    /// <summary>The journal.</summary>
    public IJournalStore Store => records.Store;

    /// <summary>Streams, cached across requests.</summary>
    public StreamRecords Records => records;

    /// <summary>The stream by its newest entry, or as it was laid over.</summary>
    public async ValueTask<StreamRecord> StreamAsync(string stream, CancellationToken cancel)
    {
        if (read.TryGetValue(stream, out var known))
        {
            return known;
        }
        if (stream == OwnDefinitions.Stream)
        {
            return OwnDefinitions.Record;
        }
        var fresh = await records.ReadAsync(stream, cancel);
        read[stream] = fresh;
        return fresh;
    }

    /// <summary>The stream as this process last saw it, without asking the store where it is held already. Where a patient's is not, and everything
    /// that is to be appended may be new to it, it is not read either: a log more costs the same however many there are, and the append itself
    /// tells what is not new.</summary>
    /// <param name="stream">Its name.</param>
    /// <param name="makes">Says of a stream what will be appended to it, when all of it may be new; else null.</param>
    /// <param name="cancel">Gives up.</param>
    public async ValueTask<StreamRecord> StreamToAppendAsync(
        string stream,
        Func<string, IReadOnlyList<(string Type, string Id)>?> makes,
        CancellationToken cancel
    )
    {
        if (read.TryGetValue(stream, out var known))
        {
            return known;
        }
        if (unread?.Stream == stream)
        {
            return unread;
        }
        if (records.Known(stream) is { } held)
        {
            return read[stream] = held;
        }
        if (
            Store.AppendsAtEnd
            && unread is null
            && JournalNames.PatientOf(stream) is not null
            && makes(stream) is { } made
        )
        {
            return unread = StreamRecord.Unread(stream, [.. made.Select(one => $"{one.Type}/{one.Id}")]);
        }
        return read[stream] = await records.ReadAsync(stream, cancel);
    }

    /// <summary>Lays a state over a stream for the rest of this request.</summary>
    public void Overlay(StreamRecord record)
    {
        read[record.Stream] = record;
        laidOver.Add(record.Stream);
    }

    /// <summary>The stream is seen as the request would leave it, and the index does not know that state yet.</summary>
    public bool IsLaidOver(string stream) => laidOver.Contains(stream);

    /// <summary>Forgets what was read, so that it is read again.</summary>
    public void Forget()
    {
        read.Clear();
        unread = null;
        laidOver.Clear();
    }

    /// <summary>The stream that a resource lives in; null when the practice has no such resource.</summary>
    public async ValueTask<string?> StreamOfAsync(string type, string id, CancellationToken cancel)
    {
        if (type == "Patient")
        {
            return JournalNames.PatientStream(practice, id);
        }
        if (OwnDefinitions.Holds(type, id))
        {
            return OwnDefinitions.Stream;
        }
        foreach (var (stream, record) in read)
        {
            if (record.Find(type, id) is not null)
            {
                return stream;
            }
        }
        return await Store.FindAsync(JournalNames.Id(practice, type, id), cancel);
    }

    /// <summary>A resource with its versions; null when it was never there.</summary>
    public async ValueTask<ResourceVersions?> FindAsync(string type, string id, CancellationToken cancel) =>
        await StreamOfAsync(type, id, cancel) is { } stream ? (await StreamAsync(stream, cancel)).Find(type, id) : null;

    /// <summary>The tree of a stored version, read once while it is in use.</summary>
    public static FhirElement Parse(StoredResource resource) =>
        Parsed
            .GetValue(
                resource,
                static stored =>
                    FhirJson.Parse(stored.Json.ToArray(), out var fault)
                    ?? throw new InvalidDataException($"A stored resource cannot be read: {fault!.Rule}.")
            )
            .Root;
}
