using System.Globalization;
using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Fhir.Search;
using CcmFhir.Intake;
using CcmFhir.Journal;

namespace CcmFhir.Trail;

/// <summary>Reads a practice's audit trail as AuditEvents: one for each record, and one for each version that a request wrote.</summary>
/// <param name="store">The journal.</param>
/// <param name="practice">Slug.</param>
internal sealed class TrailReader(IJournalStore store, string practice)
{
    // As many days as one search looks through, and as many events as it holds at most.
    private const int MaxDays = 400;
    private const int MaxMatches = 20_000;

    private readonly Dictionary<string, IReadOnlyList<EntryPayload>> journal = new(StringComparer.Ordinal);

    /// <summary>All matches, newest first; null, with a refusal, when the query would look through too much.</summary>
    /// <param name="query">The query.</param>
    /// <param name="asOf">When the first page was asked for: events from that instant on, the asking itself among them, are left out.</param>
    /// <param name="arrival">Who asks.</param>
    /// <param name="cancel">Stops it.</param>
    public async ValueTask<(List<Found>? Matches, Refusal? Refusal)> FindAsync(
        SearchQuery query,
        DateTimeOffset asOf,
        Arrival arrival,
        CancellationToken cancel
    )
    {
        var days = new List<string>();
        await foreach (var day in store.ListAsync(TrailNames.Days(practice), null, cancel))
        {
            if (MayHold(query, DateOf(day.Value)))
            {
                days.Add(day.Value);
            }
        }
        if (days.Count > MaxDays)
        {
            return (
                null,
                Refusal.Of(
                    400,
                    "too-costly",
                    "search-scope",
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"That would look through {days.Count} days. Name the time by date=ge... and date=le..., at most {MaxDays} days."
                    )
                )
            );
        }
        var patients = query
            .Criteria.OfType<ReferenceCriterion>()
            .Where(criterion => criterion is { Parameter.Code: "patient", Modifier: "" or "Patient" })
            .Select(criterion => criterion.PatientIds().ToHashSet(StringComparer.Ordinal))
            .FirstOrDefault();
        var matches = new List<Found>();
        days.Reverse();
        foreach (var day in days)
        {
            var events = new List<(StoredResource Event, AuditMatter Matter)>();
            foreach (var entry in await store.ReadAsync(day, 0, cancel))
            {
                var records = TrailEntry.FromBytes(entry.Payload).Records;
                for (var at = 0; at < records.Count; at++)
                {
                    if (records[at].At < asOf && (patients is null || IsAbout(records[at], patients)))
                    {
                        events.AddRange(await ExpandAsync(records[at], DateOf(day), entry.Position, at, cancel));
                    }
                }
            }
            events.Reverse();
            foreach (var (found, matter) in events)
            {
                if (Matches(query, found, patients, matter) && Allowed(found, matter, Interactions.Search, arrival))
                {
                    matches.Add(new Found(found, StreamOf(matter)));
                }
            }
            if (matches.Count > MaxMatches)
            {
                return (
                    null,
                    Refusal.Of(
                        400,
                        "too-costly",
                        "search-scope",
                        $"More than {MaxMatches} events match. Name the time more closely by date, or a patient."
                    )
                );
            }
        }
        return (matches, null);
    }

    /// <summary>The event of that id; null when there is none that the client may see.</summary>
    public async ValueTask<Found?> ReadAsync(string id, Arrival arrival, CancellationToken cancel)
    {
        var parts = id.Split('-');
        var numbers = new long[parts.Length];
        for (var at = 0; at < parts.Length; at++)
        {
            if (!long.TryParse(parts[at], NumberStyles.None, CultureInfo.InvariantCulture, out numbers[at]))
            {
                return null;
            }
        }
        if (
            numbers.Length is not (3 or 5)
            || !DateOnly.TryParseExact(
                parts[0],
                "yyyyMMdd",
                CultureInfo.InvariantCulture,
                DateTimeStyles.None,
                out var day
            )
        )
        {
            return null;
        }
        var entries = await store.ReadAsync(TrailNames.Stream(practice, day), Math.Max(0, numbers[1] - 1), cancel);
        if (entries.Count == 0 || entries[0].Position != numbers[1])
        {
            return null;
        }
        var records = TrailEntry.FromBytes(entries[0].Payload).Records;
        if (numbers[2] >= records.Count)
        {
            return null;
        }
        var index = (int)numbers[2];
        foreach (var (found, matter) in await ExpandAsync(records[index], day, numbers[1], index, cancel))
        {
            if (found.Id == id && Allowed(found, matter, Interactions.Read, arrival))
            {
                return new Found(found, StreamOf(matter));
            }
        }
        return null;
    }

    private static DateOnly DateOf(string stream) =>
        DateOnly.ParseExact(stream[^"yyyy-MM-dd".Length..], "yyyy-MM-dd", CultureInfo.InvariantCulture);

    // A day's stream holds what came on that day of UTC, and what was written late from the day before.
    private static bool MayHold(SearchQuery query, DateOnly day)
    {
        var (from, to) = (
            new DateTimeOffset(day.AddDays(-1), TimeOnly.MinValue, TimeSpan.Zero),
            new DateTimeOffset(day.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero)
        );
        return query
            .Criteria.OfType<DateCriterion>()
            .Where(criterion => criterion is { Parameter.Code: "date" or "_lastUpdated", Modifier: "" })
            .All(criterion =>
                criterion.Asked.Any(asked =>
                    asked.Prefix switch
                    {
                        Prefix.Gt or Prefix.Ge or Prefix.Sa => to > asked.Range.Low,
                        Prefix.Lt or Prefix.Le or Prefix.Eb => from <= asked.Range.High,
                        Prefix.Eq => to > asked.Range.Low && from <= asked.Range.High,
                        _ => true,
                    }
                )
            );
    }

    private static bool IsAbout(TrailRecord record, HashSet<string> patients) =>
        record.Patients?.Any(patients.Contains) == true
        || record.Wrote?.Any(entry => JournalNames.PatientOf(entry.Stream) is { } patient && patients.Contains(patient))
            == true;

    private static bool Matches(
        SearchQuery query,
        StoredResource found,
        HashSet<string>? patients,
        AuditMatter matter
    ) => (patients is null || matter.Patients.Any(patients.Contains)) && query.Matches(PracticeRecords.Parse(found));

    private static bool Allowed(StoredResource found, AuditMatter matter, Interactions interaction, Arrival arrival) =>
        arrival.Access.Allows(
            "AuditEvent",
            interaction,
            // What is about nobody, or about several, is in no patient's reach.
            matter.Patients
                is [var one]
                ? one
                : "",
            pairs =>
                SearchQuery.Parse("AuditEvent", pairs, strict: true, arrival.Practice.Zone, out _) is { } scope
                && scope.Matches(PracticeRecords.Parse(found))
        );

    private string StreamOf(AuditMatter matter) =>
        matter.Patients is [var one] ? JournalNames.PatientStream(practice, one) : TrailNames.Days(practice);

    private async ValueTask<List<(StoredResource Event, AuditMatter Matter)>> ExpandAsync(
        TrailRecord record,
        DateOnly day,
        long position,
        int index,
        CancellationToken cancel
    )
    {
        var id = string.Create(CultureInfo.InvariantCulture, $"{day:yyyyMMdd}-{position}-{index}");
        if (record.Wrote is not { } wrote)
        {
            var matter = new AuditMatter(record, record.Do, Resource(record), record.Patients ?? []);
            return [(AuditEventJson.Write(id, practice, matter), matter)];
        }
        var events = new List<(StoredResource, AuditMatter)>();
        if (record.Do is "transaction" or "batch" or "operation")
        {
            // The request as a whole, before what came of it.
            var whole = new AuditMatter(record, record.Do, null, record.Patients ?? []);
            events.Add((AuditEventJson.Write(id, practice, whole), whole));
        }
        for (var entry = 0; entry < wrote.Count; entry++)
        {
            var entries = await JournalAsync(wrote[entry].Stream, cancel);
            if (wrote[entry].Position > entries.Count)
            {
                continue;
            }
            var patient = JournalNames.PatientOf(wrote[entry].Stream);
            var records = entries[(int)wrote[entry].Position - 1].Records;
            for (var at = 0; at < records.Count; at++)
            {
                var written = records[at];
                var matter = new AuditMatter(
                    record,
                    written.Kind switch
                    {
                        RecordKind.Delete => "delete",
                        _ when record.Do == "patch" => "patch",
                        _ when written.Version <= 1 => "create",
                        _ => "update",
                    },
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{written.Type}/{written.Id}/_history/{written.Version}"
                    ),
                    patient is null ? [] : [patient]
                );
                events.Add(
                    (
                        AuditEventJson.Write(
                            string.Create(CultureInfo.InvariantCulture, $"{id}-{entry}-{at}"),
                            practice,
                            matter
                        ),
                        matter
                    )
                );
            }
        }
        return events;
    }

    // The resource that the address names; null for searches, histories of a type, and the base.
    private static string? Resource(TrailRecord record)
    {
        var path = record.Url.Split('?')[0].Split('/');
        return path.Length >= 2 && ResourceTypes.Find(path[0]) is { } type && LogicalId.IsValid(path[1])
            ? path is [_, _, "_history", var version] && LogicalId.IsValid(version)
                ? $"{type}/{path[1]}/_history/{version}"
                : $"{type}/{path[1]}"
            : null;
    }

    private async ValueTask<IReadOnlyList<EntryPayload>> JournalAsync(string stream, CancellationToken cancel)
    {
        if (!journal.TryGetValue(stream, out var known))
        {
            known = [.. (await store.ReadAsync(stream, 0, cancel)).Select(WithoutBodies)];
            journal.Add(stream, known);
        }
        return known;
    }

    // Who wrote which version is enough; the bodies would fill the memory.
    private static EntryPayload WithoutBodies(JournalEntry entry)
    {
        var payload = EntryPayload.FromBytes(entry.Payload);
        return payload with { Records = [.. payload.Records.Select(record => record with { Body = default })] };
    }
}
