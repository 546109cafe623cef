using CcmFhir.Access;
using CcmFhir.Fhir.Search;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Trail;

namespace CcmFhir.Fhir;

/// <summary>Answers reads: those of requests of their own, and the GET entries of Bundles, alike.</summary>
internal static class ReadEntry
{
    /// <summary>What a GET asks for: an instance, or a search.</summary>
    public static Interactions InteractionOf(Entry entry) =>
        entry.Criteria is { } url
        && url.Split('?')[0].Split('/') is [_, { Length: > 0 } second, ..]
        && second != "_history"
            ? Interactions.Read
            : Interactions.Search;

    /// <summary>Answers a GET entry; its <see cref="Entry.Criteria"/> is the relative URL.</summary>
    public static async ValueTask AnswerAsync(
        Entry entry,
        PracticeRecords view,
        Arrival arrival,
        CancellationToken cancel
    )
    {
        var url = entry.Criteria!;
        var question = url.IndexOf('?', StringComparison.Ordinal);
        var query = question < 0 ? [] : QueryText.Parse(url[(question + 1)..]);
        var segments = (question < 0 ? url : url[..question]).Split('/', StringSplitOptions.RemoveEmptyEntries);
        switch (segments)
        {
            case [_]:
                var (body, refusal) = await SearchPage.AnswerAsync(
                    entry.Type,
                    query,
                    strict: false,
                    view,
                    arrival,
                    cancel
                );
                if (refusal is not null)
                {
                    RefuseAll(entry, refusal);
                    return;
                }
                (entry.AnswerBody, entry.Status) = (body, 200);
                return;
            case [_, var id] when LogicalId.IsValid(id):
                await VersionAsync(entry, id, null, view, arrival, cancel);
                break;
            case [_, var id, "_history", var version] when LogicalId.IsValid(id) && LogicalId.IsValid(version):
                await VersionAsync(entry, id, version, view, arrival, cancel);
                break;
            default:
                entry.Refuse(
                    400,
                    "not-supported",
                    "bundle-url",
                    $"A GET in a Bundle is {entry.Type}/id, {entry.Type}/id/_history/version or {entry.Type}?criteria."
                );
                return;
        }
        if (
            entry is { Refused: false, Answer: { } answer }
            && Preconditions.NotModified(entry.IfNoneMatch, entry.IfModifiedSince, answer)
        )
        {
            entry.Status = 304;
        }
        else if (entry is { Refused: false, Answer: { } whole })
        {
            if (ResourceShape.Parse(query, out var bad) is not { } shape)
            {
                RefuseAll(entry, bad!);
            }
            else if (!shape.IsWhole)
            {
                entry.AnswerBody = shape.Apply(whole.Json, PracticeRecords.Parse(whole));
            }
        }
    }

    private static async ValueTask VersionAsync(
        Entry entry,
        string id,
        string? version,
        PracticeRecords view,
        Arrival arrival,
        CancellationToken cancel
    )
    {
        if (entry.Type == "AuditEvent")
        {
            if (
                version is null or "1"
                && await new TrailReader(view.Store, view.Practice).ReadAsync(id, arrival, cancel) is { } recorded
            )
            {
                arrival.Touched.Saw(JournalNames.PatientOf(recorded.Stream));
                (entry.Answer, entry.Status) = (recorded.Resource, 200);
                return;
            }
            entry.Refuse(404, "not-found", "not-found", $"There is no AuditEvent/{id}.");
            return;
        }
        var stream = await view.StreamOfAsync(entry.Type, id, cancel);
        var versions = stream is null ? null : (await view.StreamAsync(stream, cancel)).Find(entry.Type, id);
        if (versions is null && version is null or "1" && await ReceivedAsync(entry, id, view, arrival, cancel))
        {
            return;
        }
        if (versions is null || !Sees(versions, stream!, view, arrival))
        {
            entry.Refuse(404, "not-found", "not-found", $"There is no {entry.Type}/{id}.");
            return;
        }
        var found = version is null ? versions.Current : At(versions, version);
        if (found is null)
        {
            entry.Refuse(
                404,
                "not-found",
                "version-not-found",
                $"{entry.Type}/{id} has no version '{version}'. Its newest is {versions.Current.VersionId}."
            );
            return;
        }
        if (found.Deleted)
        {
            entry.Answer = found;
            entry.Refuse(
                410,
                "deleted",
                "deleted",
                $"{entry.Type}/{id} was deleted in version {found.VersionId}. Older versions are in its history."
            );
            return;
        }
        arrival.Touched.Saw(JournalNames.PatientOf(stream!));
        (entry.Answer, entry.Status) = (found, 200);
    }

    // A Provenance that tells where another resource came from.
    private static async ValueTask<bool> ReceivedAsync(
        Entry entry,
        string id,
        PracticeRecords view,
        Arrival arrival,
        CancellationToken cancel
    )
    {
        if (
            entry.Type != "Provenance"
            || ReceivedProvenance.Target(id) is not { } about
            || await view.StreamOfAsync(about.Type, about.Id, cancel) is not { } stream
        )
        {
            return false;
        }
        var search = new SearchResources(view, arrival.Access, arrival.Bases, arrival.Practice.Zone);
        var wanted = new HashSet<string>(StringComparer.Ordinal) { $"{about.Type}/{about.Id}" };
        foreach (var received in ReceivedProvenance.Of(await view.StreamAsync(stream, cancel), wanted))
        {
            if (received.Id == id && search.Allowed(received, stream, Interactions.Read))
            {
                arrival.Touched.Saw(JournalNames.PatientOf(stream));
                (entry.Answer, entry.Status) = (received, 200);
                return true;
            }
        }
        return false;
    }

    /// <summary>The client may see a resource, judged by its newest content.</summary>
    public static bool Sees(
        ResourceVersions versions,
        string stream,
        PracticeRecords view,
        Arrival arrival,
        Interactions interaction = Interactions.Read
    )
    {
        var search = new SearchResources(view, arrival.Access, arrival.Bases, arrival.Practice.Zone);
        foreach (var version in versions.NewestFirst())
        {
            if (!version.Current.Deleted)
            {
                return search.Allowed(version.Current, stream, interaction);
            }
        }
        return search.Allowed(versions.Current, stream, interaction);
    }

    private static StoredResource? At(ResourceVersions versions, string version)
    {
        foreach (var candidate in versions.NewestFirst())
        {
            if (candidate.Current.VersionId == version)
            {
                return candidate.Current;
            }
        }
        return null;
    }

    private static void RefuseAll(Entry entry, Refusal refusal)
    {
        foreach (var issue in refusal.Issues)
        {
            entry.Refuse(refusal.Status, issue with { Expression = entry.Path });
        }
    }
}
