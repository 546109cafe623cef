using System.Globalization;
using CcmFhir.Fhir.Search;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>What one try would write: records for each stream, and the index entries that find them.</summary>
/// <param name="practice">The practice.</param>
internal sealed class PendingWrites(Receiver practice)
{
    private readonly Dictionary<string, PendingStream> streams = new(StringComparer.Ordinal);
    private readonly Dictionary<string, IndexEntry> index = new(StringComparer.Ordinal);
    private readonly Dictionary<string, byte[]> payloads = new(StringComparer.Ordinal);
    private List<StreamRecord>? after;

    /// <summary>There is nothing to write.</summary>
    public bool IsEmpty => streams.Count == 0;

    /// <summary>The newest version as it would be; null when there is none.</summary>
    public StoredResource? Current(StreamRecord stream, string type, string id)
    {
        if (
            streams.TryGetValue(stream.Stream, out var pending)
            && pending.Newest.TryGetValue($"{type}/{id}", out var newest)
        )
        {
            return newest;
        }
        return stream.Find(type, id)?.Current;
    }

    /// <summary>Adds a version. An empty one deletes.</summary>
    public void Add(StreamRecord stream, StoredResource resource)
    {
        if (!streams.TryGetValue(stream.Stream, out var pending))
        {
            streams.Add(stream.Stream, pending = new PendingStream(stream, [], new(StringComparer.Ordinal)));
        }
        pending.Records.Add(
            new JournalRecord(
                resource.Deleted ? RecordKind.Delete : RecordKind.Put,
                resource.Type,
                resource.Id,
                long.Parse(resource.VersionId, CultureInfo.InvariantCulture),
                resource.Json
            )
        );
        pending.Newest[resource.Reference] = resource;
    }

    /// <summary>Adds an index entry.</summary>
    public void Add(IndexEntry entry) => index[entry.Key] = entry;

    /// <summary>Adds the index entries of a resource: its id, its identifiers, and what its content says.</summary>
    public void AddIndex(string type, string id, FhirElement resource, string stream, bool isNew)
    {
        if (isNew)
        {
            Add(new IndexEntry(JournalNames.Id(practice.Slug, type, id), stream));
        }
        foreach (var identifier in resource["identifier"u8].Items)
        {
            if (identifier["value"u8].Text is { Length: > 0 } value)
            {
                Add(new IndexEntry(JournalNames.Identifier(practice.Slug, type, value, id), stream));
            }
        }
        switch (type)
        {
            case "Patient":
                AddPatient(id, resource, stream);
                break;
            case "Task" when JournalNames.PatientOf(stream) is { } patient && ProfileChoice.IsTimeLog(resource):
                AddMonths(resource["executionPeriod"u8], patient, stream);
                break;
            case "Consent"
                when JournalNames.PatientOf(stream) is { } patient && ProfileChoice.IsProgramConsent(resource):
                Add(new IndexEntry(JournalNames.Enrolled(practice.Slug, patient), stream));
                break;
            default:
                break;
        }
    }

    /// <summary>The streams as they would be after the commit, to be laid over a view, and kept when it is done; those that were read.</summary>
    public IReadOnlyList<StreamRecord> After(Arrival arrival)
    {
        if (after is not null)
        {
            return after;
        }
        after = new List<StreamRecord>(streams.Count);
        foreach (var (stream, pending) in streams)
        {
            var payload = new EntryPayload(arrival.Now, arrival.Access.Client, arrival.Correlation, pending.Records);
            var bytes = payload.ToBytes();
            payloads.Add(stream, bytes);
            if (pending.Base.IsWhole)
            {
                after.Add(pending.Base.After(payload, bytes.Length));
            }
        }
        return after;
    }

    /// <summary>The commit; the patient's stream stands first.</summary>
    public JournalCommit Commit()
    {
        var appends = new List<StreamAppend>(streams.Count);
        foreach (var (stream, pending) in streams)
        {
            var append = pending.Base.IsWhole
                ? new StreamAppend(stream, pending.Base.Position, payloads[stream])
                : StreamAppend.AtEnd(
                    stream,
                    pending.Records.ConvertAll(record => JournalNames.Id(practice.Slug, record.Type, record.Id)),
                    payloads[stream]
                );
            if (JournalNames.PatientOf(stream) is not null)
            {
                appends.Insert(0, append);
            }
            else
            {
                appends.Add(append);
            }
        }
        return new JournalCommit(appends, [.. index.Values]);
    }

    private void AddPatient(string id, FhirElement patient, string stream)
    {
        foreach (var name in patient["name"u8].Items)
        {
            AddName(name["family"u8], id, stream);
            AddName(name["text"u8], id, stream);
            foreach (var given in name["given"u8].Items)
            {
                AddName(given, id, stream);
            }
        }
        if (patient["birthDate"u8].Text is { Length: > 0 } date)
        {
            Add(new IndexEntry(JournalNames.BirthDate(practice.Slug, date, id), stream));
        }
    }

    private void AddName(FhirElement name, string id, string stream)
    {
        if (name.Text is { Length: > 0 } text && FoldedText.Fold(text) is { Length: > 0 } folded)
        {
            Add(new IndexEntry(JournalNames.Name(practice.Slug, folded, id), stream));
        }
    }

    // Every month of the practice's zone that the stretch touches; its end is not in it.
    private void AddMonths(FhirElement period, string patient, string stream)
    {
        var start = period["start"u8].Text is { } from ? FhirDate.Range(from, practice.Zone)?.Low : null;
        var end = period["end"u8].Text is { } to ? FhirDate.Range(to, practice.Zone)?.Low : null;
        if ((start ?? end) is not { } first)
        {
            return;
        }
        var last = end is { } stop && stop > first ? stop.AddTicks(-1) : first;
        var month = MonthOf(first);
        var lastMonth = MonthOf(last);
        // A period of years is refused at the door; here it must only not run away.
        for (var count = 0; month <= lastMonth && count < 24; count++, month = month.AddMonths(1))
        {
            Add(new IndexEntry(JournalNames.Month(practice.Slug, month.Year, month.Month, patient), stream));
        }
    }

    private DateOnly MonthOf(DateTimeOffset instant)
    {
        var local = TimeZoneInfo.ConvertTime(instant, practice.Zone);
        return new DateOnly(local.Year, local.Month, 1);
    }

    private sealed record PendingStream(
        StreamRecord Base,
        List<JournalRecord> Records,
        Dictionary<string, StoredResource> Newest
    );
}
