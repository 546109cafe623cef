using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Journal;
using CcmFhir.Telemetry;

namespace CcmFhir.Intake;

/// <summary>Everything that is written to a practice comes through here: Bundles, and single requests as Bundles of one. The page reads
/// down: check, identify, route, apply, read, commit; every step returns here, and a lost race begins again.</summary>
/// <param name="records">The journal's streams.</param>
/// <param name="door">What a resource must meet.</param>
/// <param name="clock">For the short wait between tries.</param>
internal sealed class ReceiveBundle(StreamRecords records, Door door, TimeProvider clock)
{
    private const int MaxTries = 200;

    private readonly ApplyWrites apply = new(door);
    private readonly StreamQueue queue = new();

    /// <summary>Does what the entries ask for. Afterwards each entry holds its answer, or why it is refused; for a transaction that is not
    /// done, the refusal says why with the reasons of all entries.</summary>
    public async Task<Refusal?> RunAsync(Arrival arrival, BundleRequest request, CancellationToken cancel)
    {
        var refusal = await TakeAsync(arrival, request, cancel);
        Signals.Received(arrival.Practice.Slug, request.Entries);
        return refusal;
    }

    private async Task<Refusal?> TakeAsync(Arrival arrival, BundleRequest request, CancellationToken cancel)
    {
        foreach (var entry in request.Entries)
        {
            Check(entry, arrival);
        }
        if (request.Kind == BundleKind.Transaction)
        {
            if (RefusalOf(request.Entries) is { } refusal)
            {
                return refusal;
            }
            await TryAsync(arrival, InOrder(request.Entries), new ReferenceMap(arrival.Bases), atomic: true, cancel);
            return RefusalOf(request.Entries);
        }
        var map = new ReferenceMap(arrival.Bases);
        if (request.Kind == BundleKind.Collection)
        {
            NameCollected(request.Entries, map);
        }
        foreach (var group in Groups(request.Entries, map))
        {
            await TryAsync(arrival, InOrder(group), map, atomic: false, cancel);
        }
        return null;
    }

    // Everything that can be said of an entry by itself.
    private void Check(Entry entry, Arrival arrival)
    {
        if (entry.Type.Length == 0)
        {
            return;
        }
        var interaction = entry.Verb switch
        {
            Verb.Post => Interactions.Create,
            Verb.Delete => Interactions.Delete,
            Verb.Get => ReadEntry.InteractionOf(entry),
            _ => Interactions.Update,
        };
        if (entry is { Type: "AuditEvent", Verb: not Verb.Get })
        {
            entry.Refuse(
                405,
                "not-supported",
                "audit-trail",
                "AuditEvents are the server's own audit trail: they are read and searched, and nobody writes or changes them."
            );
            return;
        }
        if (arrival.Access.Missing(entry.Type, interaction) is { } scope)
        {
            entry.Refuse(403, "forbidden", "scope", Refusal.LacksScope(scope));
            return;
        }
        if (entry.Type == "Parameters" && entry.Verb is Verb.Post or Verb.Put)
        {
            entry.Refuse(
                405,
                "not-supported",
                "not-stored",
                "Parameters are what operations take and give; they are not stored [parameters.html]."
            );
            return;
        }
        if (entry.Verb is not (Verb.Post or Verb.Put) || !entry.Resource.Exists || entry.Refused)
        {
            return;
        }
        door.Check(entry, entry.Resource, entry.ResourcePath, arrival);
        ReferenceSite.Collect(entry.Resource, entry.Sites);
    }

    private async ValueTask TryAsync(
        Arrival arrival,
        List<Entry> entries,
        ReferenceMap known,
        bool atomic,
        CancellationToken cancel
    )
    {
        var before = entries.ConvertAll(entry => (entry.Issues.Count, entry.RefusedWith));
        var fresh = false;
        IDisposable? turn = null;
        try
        {
            for (var tries = 0; tries < MaxTries; tries++)
            {
                for (var at = 0; at < entries.Count; at++)
                {
                    entries[at].Rewind(before[at].Count, before[at].RefusedWith);
                }
                var attempt = new Attempt(records, arrival, entries, new ReferenceMap(known), atomic, fresh);
                await Identify.RunAsync(attempt, cancel);
                await Route.RunAsync(attempt, cancel);
                if (atomic)
                {
                    OnePatient(entries);
                }
                await apply.RunAsync(attempt, cancel);
                if (attempt.StartOver)
                {
                    continue;
                }
                if (entries.Exists(entry => entry.RefusedWith is 404 or 409 or 410 or 412) && !fresh)
                {
                    // What this process saw last may be old; a refusal is given on what the store says now.
                    fresh = true;
                    continue;
                }
                if (atomic && entries.Exists(entry => entry.Refused))
                {
                    return;
                }
                var after = attempt.Writes.After(arrival);
                if (entries.Exists(entry => entry.Verb == Verb.Get))
                {
                    foreach (var state in after)
                    {
                        attempt.View.Overlay(state);
                    }
                    await ReadAsync(attempt, cancel);
                }
                if (atomic && entries.Exists(entry => entry.Refused))
                {
                    return;
                }
                if (attempt.Writes.IsEmpty)
                {
                    return;
                }
                var commit = attempt.Writes.Commit();
                var result = await records.Store.AppendAsync(commit, cancel);
                switch (result.Outcome)
                {
                    case AppendOutcome.Appended:
                        foreach (var state in after)
                        {
                            records.Keep(state);
                        }
                        foreach (var append in commit.Appends)
                        {
                            arrival.Touched.Wrote(
                                append.Stream,
                                append.Expected == StreamAppend.End ? result.Position : append.Expected + 1
                            );
                        }
                        if (entries.Exists(entry => entry.Verb == Verb.Get))
                        {
                            // Searches go by the index, which knows what was written only now.
                            attempt.View.Forget();
                            await ReadAsync(attempt, cancel);
                        }
                        return;
                    case AppendOutcome.LostRace:
                        fresh = true;
                        // Who lost once waits for his turn, so that many writers of one patient do not undo each other's work for long.
                        turn ??= await queue.EnterAsync(result.Stream!, cancel);
                        break;
                    default:
                        fresh = true;
                        // What was taken to be new to a stream that was not read is there: the next try reads it.
                        if (
                            !commit.Appends.Any(append => append.Expected == StreamAppend.End)
                            && !await ResolveTakenAsync(attempt, result.Taken!, cancel)
                        )
                        {
                            return;
                        }
                        break;
                }
            }
            foreach (var entry in entries)
            {
                entry.Refuse(
                    409,
                    "conflict",
                    "lost-race",
                    "Others changed the same patient's record all the time. Nothing was changed; send it again."
                );
            }
        }
        finally
        {
            turn?.Dispose();
        }
    }

    private static async ValueTask ReadAsync(Attempt attempt, CancellationToken cancel)
    {
        foreach (var entry in attempt.Entries)
        {
            if (entry is { Verb: Verb.Get, Refused: false })
            {
                await ReadEntry.AnswerAsync(entry, attempt.View, attempt.Arrival, cancel);
            }
        }
    }

    // An index key is held by another resource. True: try again; false: the entry is refused.
    private async ValueTask<bool> ResolveTakenAsync(Attempt attempt, IndexEntry taken, CancellationToken cancel)
    {
        foreach (var entry in attempt.Entries)
        {
            if (entry.Refused || entry.TargetId is null || entry.Matched)
            {
                continue;
            }
            if (taken.Key == JournalNames.Id(attempt.Arrival.Practice.Slug, entry.Type, entry.TargetId))
            {
                if (entry.Verb == Verb.Post)
                {
                    entry.IdTries++;
                    return true;
                }
                entry.Refuse(422, ApplyWrites.Moved(entry));
                return false;
            }
            var criteria = entry.Verb == Verb.Post ? entry.IfNoneExist : entry.Criteria;
            if (
                criteria is not null
                && taken.Key == JournalNames.Unique(attempt.Arrival.Practice.Slug, entry.Type, criteria)
            )
            {
                if (await Reservation.IsGoneAsync(records, taken.Value, attempt.Arrival.Now, cancel))
                {
                    entry.ReservationReplaces = taken.Value;
                }
                else
                {
                    await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancel);
                }
                return true;
            }
        }
        throw new InvalidOperationException("An index key that no entry asked for is said to be taken.");
    }

    // One transaction is one append to one patient's stream; several patients cannot be all or nothing.
    private static void OnePatient(List<Entry> entries)
    {
        Entry? first = null;
        foreach (var entry in entries)
        {
            if (entry.Patient is null || entry.Refused || entry.Verb == Verb.Get || entry.Matched)
            {
                continue;
            }
            first ??= entry;
            if (entry.Patient != first.Patient)
            {
                entry.Refuse(
                    422,
                    "business-rule",
                    "one-patient",
                    $"{entry.Path} is about another patient than {first.Path}. A transaction holds one patient's resources (and directory resources); send one for each patient, or a batch."
                );
            }
        }
    }

    // Entries of one patient whose fate does not hang on others are committed together; all others each by itself.
    private static IEnumerable<List<Entry>> Groups(IReadOnlyList<Entry> entries, ReferenceMap map)
    {
        var byPatient = new Dictionary<string, List<Entry>>(StringComparer.Ordinal);
        var groups = new List<List<Entry>>();
        var reads = new List<List<Entry>>();
        var found = new List<Validation.FhirElement>();
        foreach (var entry in entries)
        {
            if (entry.Refused)
            {
                continue;
            }
            if (entry.Verb == Verb.Get)
            {
                reads.Add([entry]);
                continue;
            }
            var patient = PlainPatient(entry, map, found);
            if (patient is not null && byPatient.TryGetValue(patient, out var group))
            {
                group.Add(entry);
                continue;
            }
            group = [entry];
            groups.Add(group);
            if (patient is not null)
            {
                byPatient.Add(patient, group);
            }
        }
        groups.AddRange(reads);
        return groups;
    }

    private static string? PlainPatient(Entry entry, ReferenceMap map, List<Validation.FhirElement> found)
    {
        if (entry.Verb is not (Verb.Post or Verb.Put) || entry.IfNoneExist is not null || entry.Criteria is not null)
        {
            return null;
        }
        if (entry.Type == "Patient")
        {
            return entry.Id;
        }
        found.Clear();
        PatientCompartment.Collect(entry.Type, entry.Resource, found);
        return found.Count == 0 ? null : Route.PatientId(map.Target(found[0].Text!, entry.FullUrl) ?? found[0].Text!);
    }

    // In a collection a resource keeps its id; one without is known by the uuid of its fullUrl. So a collection can be sent again.
    private static void NameCollected(IReadOnlyList<Entry> entries, ReferenceMap map)
    {
        foreach (var entry in entries)
        {
            if (entry.Refused)
            {
                continue;
            }
            if (
                entry.Id is null
                && entry.FullUrl is { } url
                && url.StartsWith("urn:uuid:", StringComparison.Ordinal)
                && Guid.TryParseExact(url.AsSpan("urn:uuid:".Length), "D", out _)
            )
            {
                entry.Id = url["urn:uuid:".Length..].ToLowerInvariant();
                entry.Verb = Verb.Put;
            }
            if (entry is { Id: { } id, FullUrl: { } fullUrl } && !map.Add(fullUrl, $"{entry.Type}/{id}"))
            {
                entry.Refuse(
                    400,
                    "duplicate",
                    "bdl-7",
                    $"Another entry has the fullUrl '{fullUrl}' too. A fullUrl names one resource of the Bundle.",
                    entry.Path + ".fullUrl"
                );
            }
        }
    }

    private static List<Entry> InOrder(IReadOnlyList<Entry> entries)
    {
        var ordered = new List<Entry>(entries.Count);
        Add(static verb => verb == Verb.Delete);
        Add(static verb => verb == Verb.Post);
        Add(static verb => verb is Verb.Put or Verb.Patch);
        Add(static verb => verb == Verb.Get);
        return ordered;

        void Add(Func<Verb, bool> now)
        {
            foreach (var entry in entries)
            {
                if (now(entry.Verb))
                {
                    ordered.Add(entry);
                }
            }
        }
    }

    private static Refusal? RefusalOf(IReadOnlyList<Entry> entries)
    {
        var issues = new List<Validation.Issue>();
        var status = 0;
        foreach (var entry in entries)
        {
            if (!entry.Refused)
            {
                continue;
            }
            issues.AddRange(entry.Issues);
            // What cannot be read at all outweighs a broken rule; beyond that, the first entry's status stands.
            status =
                status == 0 ? entry.RefusedWith
                : entry.RefusedWith == 400 ? 400
                : status;
        }
        return status == 0 ? null : new Refusal(status, issues);
    }
}
