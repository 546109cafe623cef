using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Telemetry;

namespace CcmFhir.Ehr;

/// <summary>Appends claim events, and finds what claims refer to.</summary>
/// <param name="streams">The journal.</param>
/// <param name="clock">The clock.</param>
internal sealed class ClaimJournal(StreamRecords streams, TimeProvider clock)
{
    /// <summary>The journal.</summary>
    public StreamRecords Streams => streams;

    /// <summary>The clock.</summary>
    public TimeProvider Clock => clock;

    /// <summary>Prefix of the index entries of a month's claims; the rest of the key is the claim's id, the value its stream.</summary>
    public static string MonthKey(string practice, string month) => $"claim/{practice}/{month}/";

    /// <summary>Appends an event where the stream still stands as the caller saw it; false when it does not.</summary>
    public async Task<bool> TryAppendAsync(
        StreamRecord record,
        string claimId,
        RecordKind kind,
        DeliveryNote note,
        CancellationToken cancel
    )
    {
        var payload = new EntryPayload(
            clock.GetUtcNow(),
            "ccmfhir",
            Signals.Correlation(),
            [new JournalRecord(kind, "Claim", claimId, 0, note.ToBytes())]
        );
        var answer = await streams.Store.AppendAsync(
            new JournalCommit([new StreamAppend(record.Stream, record.Position, payload.ToBytes())], []),
            cancel
        );
        if (answer.Outcome != AppendOutcome.Appended)
        {
            return false;
        }
        Signals.Claim(DerivedIndex.Practice(record.Stream) ?? "", kind);
        return true;
    }

    /// <summary>Appends an event wherever the stream stands: what happened has happened.</summary>
    public async Task<StreamRecord> AppendAsync(
        string stream,
        string claimId,
        RecordKind kind,
        DeliveryNote note,
        CancellationToken cancel
    )
    {
        while (true)
        {
            var record = await streams.ReadAsync(stream, cancel);
            if (await TryAppendAsync(record, claimId, kind, note, cancel))
            {
                return await streams.ReadAsync(stream, cancel);
            }
        }
    }

    /// <summary>A resource of ours: of the stream, or of the practice's directory.</summary>
    public async ValueTask<StoredResource?> FindAsync(
        string practice,
        StreamRecord record,
        string type,
        string id,
        CancellationToken cancel
    )
    {
        if (record.Find(type, id) is { } here)
        {
            return here.Current;
        }
        return await streams.Store.FindAsync(JournalNames.Id(practice, type, id), cancel) is { } stream
            ? (await streams.ReadAsync(stream, cancel)).Find(type, id)?.Current
            : null;
    }
}
