using CcmFhir.Access;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Search;

/// <summary>A resource that was found.</summary>
/// <param name="Resource">Its version.</param>
/// <param name="Stream">Stream it lives in.</param>
internal readonly record struct Found(StoredResource Resource, string Stream);

/// <summary>Looks for resources. What is looked through is bounded: one patient's stream, what the index names, or a directory type;
/// a query that would need more is refused with what to give.</summary>
/// <param name="view">The practice.</param>
/// <param name="access">Who asks.</param>
/// <param name="bases">Bases that mean the same as relative references.</param>
/// <param name="zone">Zone of dates without an offset.</param>
internal sealed class SearchResources(PracticeRecords view, AccessContext access, LocalBases bases, TimeZoneInfo zone)
{
    /// <summary>All matches, in the order asked for; null, with a refusal, when the query would look through too much.</summary>
    /// <param name="query">The query.</param>
    /// <param name="asOf">State to look at; null for the newest.</param>
    /// <param name="cancel">Stops it.</param>
    public async ValueTask<(List<Found>? Matches, Refusal? Refusal)> FindAsync(
        SearchQuery query,
        DateTimeOffset? asOf,
        CancellationToken cancel
    )
    {
        var local = Localized(query);
        var (streams, refusal) = await new SearchReach(view, access).FindAsync(local, cancel);
        if (streams is null)
        {
            return (null, refusal);
        }
        var matches = new List<Found>();
        foreach (var (stream, ids) in streams)
        {
            var record = await view.StreamAsync(stream, cancel);
            if (query.Type == "Provenance")
            {
                AddReceived(record, Targets(local), local, asOf, matches);
            }
            // A patient's tenth year is not looked through for one log of it.
            var candidates = ids is null
                ? record.Resources
                : ids.Select(id => record.Find(query.Type, id)).OfType<ResourceVersions>();
            foreach (var versions in candidates)
            {
                if (
                    versions.Current.Type == query.Type
                    && At(versions, asOf) is { Deleted: false } current
                    && local.Matches(PracticeRecords.Parse(current))
                    && Allowed(current, stream, Interactions.Search)
                )
                {
                    matches.Add(new Found(current, stream));
                }
            }
        }
        Sort(matches, query.Sort);
        return (matches, null);
    }

    /// <summary>What a page of matches takes along by <c>_include</c> and <c>_revinclude</c>, without the matches themselves.</summary>
    public async ValueTask<List<Found>> IncludedAsync(
        SearchQuery query,
        IReadOnlyList<Found> matches,
        CancellationToken cancel
    )
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var match in matches)
        {
            seen.Add(match.Resource.Reference);
        }
        var included = new List<Found>();
        IReadOnlyList<Found> from = matches;
        // Iterated inclusions go on from what was included, a bounded number of times.
        for (var round = 0; round < 8 && from.Count > 0; round++)
        {
            var next = new List<Found>();
            foreach (var inclusion in query.Includes)
            {
                if (round == 0 || inclusion.Iterate)
                {
                    await (
                        inclusion.Reverse
                            ? PointingAtAsync(inclusion, from, seen, next, cancel)
                            : PointedAtAsync(inclusion, from, seen, next, cancel)
                    );
                }
            }
            included.AddRange(next);
            from = next;
        }
        return included;
    }

    /// <summary>The client may see it.</summary>
    public bool Allowed(StoredResource resource, string stream, Interactions interaction) =>
        access.Allows(
            resource.Type,
            interaction,
            JournalNames.PatientOf(stream),
            pairs =>
                SearchQuery.Parse(resource.Type, pairs, strict: true, zone, out _) is { } scope
                && scope.Matches(PracticeRecords.Parse(resource))
        );

    /// <summary>The version that was newest at an instant; null when there was none.</summary>
    public static StoredResource? At(ResourceVersions versions, DateTimeOffset? asOf)
    {
        for (var version = versions; version is not null; version = version.Previous)
        {
            if (asOf is null || version.Current.LastUpdated <= asOf)
            {
                return version.Current;
            }
        }
        return null;
    }

    private SearchQuery Localized(SearchQuery query) =>
        query with
        {
            Criteria =
            [
                .. query.Criteria.Select(criterion =>
                    criterion is ReferenceCriterion reference
                        ? reference.Localized(text => bases.Relative(text) ?? text)
                        : criterion
                ),
            ],
        };

    // Where versions came from is not stored: the journal's own word is made into Provenances.
    private void AddReceived(
        StreamRecord record,
        IReadOnlySet<string>? targets,
        SearchQuery query,
        DateTimeOffset? asOf,
        List<Found> matches
    )
    {
        foreach (var provenance in ReceivedProvenance.Of(record, targets))
        {
            if (
                !(provenance.LastUpdated > asOf)
                && query.Matches(PracticeRecords.Parse(provenance))
                && Allowed(provenance, record.Stream, Interactions.Search)
            )
            {
                matches.Add(new Found(provenance, record.Stream));
            }
        }
    }

    // The resources whose Provenance is asked for; null where the query does not name them whole.
    private static HashSet<string>? Targets(SearchQuery query) =>
        query
            .Criteria.OfType<ReferenceCriterion>()
            .Where(criterion => criterion.Parameter.Code is "target" && SearchReach.NamesTargets(criterion))
            .Select(criterion => criterion.Wanted.ToHashSet(StringComparer.Ordinal))
            .FirstOrDefault();

    private async Task PointedAtAsync(
        Inclusion inclusion,
        IReadOnlyList<Found> from,
        HashSet<string> seen,
        List<Found> next,
        CancellationToken cancel
    )
    {
        var values = new List<FhirElement>();
        foreach (var found in from)
        {
            if (inclusion.Source != "*" && inclusion.Source != found.Resource.Type)
            {
                continue;
            }
            values.Clear();
            var root = PracticeRecords.Parse(found.Resource);
            if (inclusion.Parameter is { } parameter)
            {
                foreach (var path in parameter.Paths)
                {
                    path.Collect(root, values);
                }
            }
            else
            {
                foreach (var each in SearchParameter.For(found.Resource.Type))
                {
                    if (each.Kind == SearchKind.Reference)
                    {
                        foreach (var path in each.Paths)
                        {
                            path.Collect(root, values);
                        }
                    }
                }
            }
            foreach (var value in values)
            {
                await IncludeAsync(
                    value.Kind == JsonKind.Object ? value["reference"u8].Text : value.Text,
                    inclusion.Target,
                    seen,
                    next,
                    cancel
                );
            }
        }
    }

    private async ValueTask IncludeAsync(
        string? reference,
        string? target,
        HashSet<string> seen,
        List<Found> next,
        CancellationToken cancel
    )
    {
        if (reference is null)
        {
            return;
        }
        var parts = (bases.Relative(reference) ?? reference).Split('/');
        if (
            parts.Length < 2
            || ResourceTypes.Find(parts[0]) is not { } type
            || (target is not null && target != type)
            || !LogicalId.IsValid(parts[1])
            || !seen.Add($"{type}/{parts[1]}")
            || await view.StreamOfAsync(type, parts[1], cancel) is not { } stream
        )
        {
            return;
        }
        var resource = (await view.StreamAsync(stream, cancel)).Find(type, parts[1])?.Current;
        if (resource is { Deleted: false } && Allowed(resource, stream, Interactions.Read))
        {
            next.Add(new Found(resource, stream));
        }
    }

    private async Task PointingAtAsync(
        Inclusion inclusion,
        IReadOnlyList<Found> from,
        HashSet<string> seen,
        List<Found> next,
        CancellationToken cancel
    )
    {
        var wanted = new HashSet<string>(StringComparer.Ordinal);
        var streams = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var found in from)
        {
            if (inclusion.Target is null || inclusion.Target == found.Resource.Type)
            {
                wanted.Add(found.Resource.Reference);
                streams.Add(found.Stream);
            }
        }
        var values = new List<FhirElement>();
        foreach (var stream in streams)
        {
            if (inclusion is { Source: "Provenance", Parameter.Code: "target" })
            {
                foreach (var received in ReceivedProvenance.Of(await view.StreamAsync(stream, cancel), wanted))
                {
                    if (Allowed(received, stream, Interactions.Read) && seen.Add(received.Reference))
                    {
                        next.Add(new Found(received, stream));
                    }
                }
            }
            foreach (var versions in (await view.StreamAsync(stream, cancel)).Resources)
            {
                var resource = versions.Current;
                if (resource.Type != inclusion.Source || resource.Deleted)
                {
                    continue;
                }
                values.Clear();
                foreach (var path in inclusion.Parameter?.Paths ?? [])
                {
                    path.Collect(PracticeRecords.Parse(resource), values);
                }
                if (
                    values.Exists(value => value["reference"u8].Text is { } text && wanted.Contains(text))
                    && Allowed(resource, stream, Interactions.Read)
                    && seen.Add(resource.Reference)
                )
                {
                    next.Add(new Found(resource, stream));
                }
            }
        }
    }

    /// <summary>Orders matches; without keys newest first.</summary>
    public void Sort(List<Found> matches, IReadOnlyList<SortKey> keys)
    {
        var cache = new Dictionary<StoredResource, SortValue[]>(ReferenceEqualityComparer.Instance);
        foreach (var match in matches)
        {
            if (keys.Count > 0)
            {
                cache[match.Resource] = [.. keys.Select(key => SortValue.Of(key, match.Resource, zone))];
            }
        }
        matches.Sort(
            (left, right) =>
            {
                for (var key = 0; key < keys.Count; key++)
                {
                    var order = SortValue.Compare(
                        cache[left.Resource][key],
                        cache[right.Resource][key],
                        keys[key].Descending
                    );
                    if (order != 0)
                    {
                        return order;
                    }
                }
                var newest = right.Resource.LastUpdated.CompareTo(left.Resource.LastUpdated);
                return newest != 0 ? newest : string.CompareOrdinal(left.Resource.Id, right.Resource.Id);
            }
        );
    }
}
