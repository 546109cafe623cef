using System.Globalization;
using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>Turns entries into the versions that they make: conditions on the version that stands, rights, bytes, index.</summary>
/// <param name="door">For what a patch makes.</param>
internal sealed class ApplyWrites(Door door)
{
    /// <summary>Applies the writes in order; what cannot be done is refused at the entry.</summary>
    public async ValueTask RunAsync(Attempt attempt, CancellationToken cancel)
    {
        foreach (var entry in attempt.Entries)
        {
            if (entry.Refused || entry.Verb == Verb.Get)
            {
                continue;
            }
            if (entry.TargetId is null)
            {
                // A conditional delete that found nothing.
                entry.Status = 204;
                continue;
            }
            await OneAsync(attempt, entry, cancel);
        }
    }

    private async ValueTask OneAsync(Attempt attempt, Entry entry, CancellationToken cancel)
    {
        var stream = await attempt.StreamAsync(entry.Stream!, cancel);
        var current = attempt.Writes.Current(stream, entry.Type, entry.TargetId!);
        if (entry.Matched)
        {
            entry.Answer = current ?? entry.Answer;
            entry.Status = 200;
            return;
        }
        switch (entry.Verb)
        {
            case Verb.Post:
                if (current is not null)
                {
                    entry.IdTries++;
                    attempt.StartOver = true;
                    return;
                }
                Create(attempt, entry, stream);
                return;
            case Verb.Put:
                Update(attempt, entry, stream, current);
                return;
            case Verb.Patch:
                Patch(attempt, entry, stream, current);
                return;
            default:
                Delete(attempt, entry, stream, current);
                return;
        }
    }

    private static void Create(Attempt attempt, Entry entry, StreamRecord stream)
    {
        if (!Allowed(attempt, entry, Interactions.Create, entry.Resource))
        {
            return;
        }
        Write(attempt, entry, stream, entry.Resource, attempt.Map.Rewrite(entry), null);
        entry.Status = 201;
        if (entry.IfNoneExist is { } criteria)
        {
            attempt.Writes.Add(Reservation.For(attempt, entry, criteria));
        }
    }

    private static void Update(Attempt attempt, Entry entry, StreamRecord stream, StoredResource? current)
    {
        if (
            !Allowed(attempt, entry, Interactions.Update, entry.Resource)
            || (
                current is { Deleted: false }
                && !Allowed(attempt, entry, Interactions.Update, PracticeRecords.Parse(current))
            )
            || !Met(entry, current)
        )
        {
            return;
        }
        if (entry.IfNoneMatch is not null && current is { Deleted: false } && entry.IfNoneMatch == "*")
        {
            entry.Refuse(
                412,
                "conflict",
                "if-none-match",
                $"{entry.Type}/{entry.TargetId} is there already, and If-None-Match: * asks for a new one."
            );
            return;
        }
        Write(attempt, entry, stream, entry.Resource, attempt.Map.Rewrite(entry), current);
        entry.Status = current is { Deleted: false } ? 200 : 201;
        if (current is null && entry.Criteria is { } criteria)
        {
            attempt.Writes.Add(Reservation.For(attempt, entry, criteria));
        }
    }

    private void Patch(Attempt attempt, Entry entry, StreamRecord stream, StoredResource? current)
    {
        // What may not be seen is answered as if it were not there.
        var seen = current is { Deleted: false } && !Sees(attempt, entry, current) ? null : current;
        if (!Standing(entry, seen) || !Met(entry, seen))
        {
            return;
        }
        var before = PracticeRecords.Parse(current!);
        if (!Allowed(attempt, entry, Interactions.Update, before))
        {
            return;
        }
        if (Patching.Apply(entry, before) is not { } patched)
        {
            return;
        }
        door.Check(entry, patched, entry.Type, attempt.Arrival);
        if (entry.Refused || !Allowed(attempt, entry, Interactions.Update, patched))
        {
            return;
        }
        if (PatientMoved(entry, patched))
        {
            return;
        }
        Write(attempt, entry, stream, patched, [], current);
        entry.Status = 200;
    }

    private static void Delete(Attempt attempt, Entry entry, StreamRecord stream, StoredResource? current)
    {
        if (!Met(entry, current))
        {
            return;
        }
        entry.Status = 204;
        // Deleting what is not there has been done already [http.html#delete]; what may not be seen is not there.
        if (
            current is null or { Deleted: true }
            || !Sees(attempt, entry, current)
            || !Allowed(attempt, entry, Interactions.Delete, PracticeRecords.Parse(current))
        )
        {
            return;
        }
        var deletion = new StoredResource(
            entry.Type,
            entry.TargetId!,
            Next(current).ToString(CultureInfo.InvariantCulture),
            StoredResource.Made(attempt.Arrival.Now, current),
            default
        );
        attempt.Writes.Add(stream, deletion);
        (entry.Answer, entry.Wrote) = (deletion, true);
    }

    private static void Write(
        Attempt attempt,
        Entry entry,
        StreamRecord stream,
        FhirElement resource,
        List<Splice> references,
        StoredResource? current
    )
    {
        var id = entry.TargetId!;
        if (
            current is { Deleted: false }
            && ResourceBytes
                .Build(
                    resource,
                    references,
                    id,
                    long.Parse(current.VersionId, CultureInfo.InvariantCulture),
                    current.LastUpdated
                )
                .AsSpan()
                .SequenceEqual(current.Json.Span)
        )
        {
            // Sent again unchanged: the version stands.
            entry.Answer = current;
            return;
        }
        var version = Next(current);
        var made = StoredResource.Made(attempt.Arrival.Now, current);
        var stored = new StoredResource(
            entry.Type,
            id,
            version.ToString(CultureInfo.InvariantCulture),
            made,
            ResourceBytes.Build(resource, references, id, version, made)
        );
        attempt.Writes.Add(stream, stored);
        attempt.Writes.AddIndex(entry.Type, id, resource, stream.Stream, isNew: current is null);
        (entry.Answer, entry.Wrote) = (stored, true);
    }

    private static long Next(StoredResource? current) =>
        current is null ? 1 : long.Parse(current.VersionId, CultureInfo.InvariantCulture) + 1;

    private static bool Standing(Entry entry, StoredResource? current)
    {
        switch (current)
        {
            case null:
                entry.Refuse(
                    404,
                    "not-found",
                    "not-found",
                    $"{entry.Type}/{entry.TargetId} is not there, so it cannot be patched. Create it first."
                );
                return false;
            case { Deleted: true }:
                entry.Refuse(
                    410,
                    "deleted",
                    "deleted",
                    $"{entry.Type}/{entry.TargetId} was deleted. Bring it back by an update (PUT) with its whole content."
                );
                return false;
            default:
                return true;
        }
    }

    private static bool Met(Entry entry, StoredResource? current)
    {
        if (Preconditions.IfMatch(entry.IfMatch, current, $"{entry.Type}/{entry.TargetId}") is not { } refusal)
        {
            return true;
        }
        entry.Refuse(
            refusal.Status,
            refusal.Issues[0] with
            {
                Expression = entry.Index is null ? "" : entry.Path + ".request.ifMatch",
            }
        );
        return false;
    }

    private static bool PatientMoved(Entry entry, FhirElement patched)
    {
        var found = new List<FhirElement>();
        PatientCompartment.Collect(entry.Type, patched, found);
        foreach (var reference in found)
        {
            if (Route.PatientId(reference.Text!) is not { } patient)
            {
                continue;
            }
            if (patient == entry.Patient)
            {
                return false;
            }
            entry.Refuse(422, Moved(entry));
            return true;
        }
        return false;
    }

    /// <summary>Why a resource cannot change its patient.</summary>
    public static Issue Moved(Entry entry) =>
        Refusal.Because(
            "business-rule",
            "patient-changed",
            $"{entry.Type}/{entry.TargetId} belongs to another patient, or to the practice's directory, and stays there. Mark it entered-in-error (or delete it), and send a new {entry.Type} with an id of its own.",
            entry.ResourcePath
        );

    private static bool Sees(Attempt attempt, Entry entry, StoredResource current) =>
        Permits(attempt, entry, Interactions.Read, PracticeRecords.Parse(current))
        || Permits(attempt, entry, Interactions.Update, PracticeRecords.Parse(current))
        || Permits(attempt, entry, Interactions.Delete, PracticeRecords.Parse(current));

    private static bool Permits(Attempt attempt, Entry entry, Interactions interaction, FhirElement resource) =>
        attempt.Arrival.Access.Allows(
            entry.Type,
            interaction,
            entry.Patient,
            pairs =>
                Fhir.Search.SearchQuery.Parse(entry.Type, pairs, strict: true, attempt.Arrival.Practice.Zone, out _)
                    is { } query
                && query.Matches(resource)
        );

    private static bool Allowed(Attempt attempt, Entry entry, Interactions interaction, FhirElement resource)
    {
        if (Permits(attempt, entry, interaction, resource))
        {
            return true;
        }
        entry.Refuse(
            403,
            "forbidden",
            "scope-resource",
            $"The token's scopes do not let {interaction.ToString().ToLowerInvariant()} this {entry.Type}: it is of another patient, or outside of what the scope's query names."
        );
        return false;
    }
}
