using System.Globalization;
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
    // As many streams as one search reads at most.
    private const int MaxStreams = 2_000;

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
        var (streams, refusal) = await StreamsAsync(local, cancel);
        if (streams is null)
        {
            return (null, refusal);
        }
        var matches = new List<Found>();
        foreach (var stream in streams)
        {
            var record = await view.StreamAsync(stream, cancel);
            if (query.Type == "Provenance")
            {
                AddReceived(record, Targets(local), local, asOf, matches);
            }
            foreach (var versions in record.Resources)
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
            .Where(criterion => criterion.Parameter.Code is "target" && NamesTargets(criterion))
            .Select(criterion => criterion.Wanted.ToHashSet(StringComparer.Ordinal))
            .FirstOrDefault();

    private static bool NamesTargets(ReferenceCriterion criterion) =>
        criterion.Modifier != "identifier"
        && criterion.Wanted.All(value => value.Split('/') is [var type, _] && ResourceTypes.Find(type) is not null);

    private async ValueTask<(IReadOnlyCollection<string>? Streams, Refusal? Refusal)> StreamsAsync(
        SearchQuery query,
        CancellationToken cancel
    )
    {
        var practice = view.Practice;
        var streams = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case TokenCriterion { Parameter.Code: "_id", Modifier: "" } ids:
                    foreach (var id in ids.Tokens)
                    {
                        if (
                            id.Code is { } code
                            && LogicalId.IsValid(code)
                            && await StreamOfAsync(query.Type, code, cancel) is { } stream
                        )
                        {
                            streams.Add(stream);
                        }
                    }
                    return (streams, null);
                case ReferenceCriterion { Parameter.Code: "target" } named
                    when query.Type == "Provenance" && NamesTargets(named):
                    foreach (var value in named.Wanted)
                    {
                        if (
                            value.Split('/') is [var type, var id]
                            && LogicalId.IsValid(id)
                            && await view.StreamOfAsync(type, id, cancel) is { } holder
                        )
                        {
                            streams.Add(holder);
                        }
                    }
                    return (streams, null);
                case ReferenceCriterion reference when NamesPatient(query.Type, reference):
                    foreach (var patient in reference.PatientIds())
                    {
                        if (LogicalId.IsValid(patient))
                        {
                            streams.Add(JournalNames.PatientStream(practice, patient));
                        }
                    }
                    return (streams, null);
                case TokenCriterion { Parameter.Code: "identifier", Modifier: "" } identifiers
                    when identifiers.Tokens.All(token => token.Code is { Length: > 0 }):
                    foreach (var token in identifiers.Tokens)
                    {
                        await AddAsync(streams, JournalNames.Identifiers(practice, query.Type, token.Code!), cancel);
                    }
                    return Bounded(query, streams);
                default:
                    break;
            }
        }
        if (query.Type == "Patient" && await PatientsAsync(query, streams, cancel))
        {
            return Bounded(query, streams);
        }
        if (!PatientCompartment.Holds(query.Type))
        {
            await AddAsync(streams, JournalNames.Ids(practice, query.Type), cancel);
            if (OwnDefinitions.Types.Contains(query.Type))
            {
                streams.Add(OwnDefinitions.Stream);
            }
            return Bounded(query, streams);
        }
        if (access.Patient is { } launched && access.Scopes.All(scope => scope.Context == ScopeContext.Patient))
        {
            return ([JournalNames.PatientStream(practice, launched)], null);
        }
        return (null, TooCostly(query.Type));
    }

    // Resources laid over but not stored yet are in streams that the view has read; the index does not know them.
    private async ValueTask AddAsync(SortedSet<string> streams, string prefix, CancellationToken cancel)
    {
        await foreach (var entry in view.Store.ListAsync(prefix, null, cancel))
        {
            streams.Add(entry.Value);
            if (streams.Count > MaxStreams)
            {
                return;
            }
        }
    }

    private async ValueTask<bool> PatientsAsync(SearchQuery query, SortedSet<string> streams, CancellationToken cancel)
    {
        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case StringCriterion { Parameter.Code: "name" or "family" or "given", Modifier: "" or "exact" } names:
                    foreach (var name in names.Values)
                    {
                        await AddAsync(
                            streams,
                            JournalNames.Names(view.Practice, FoldedText.Fold(SearchQuery.Unescape(name))),
                            cancel
                        );
                    }
                    return true;
                case DateCriterion { Parameter.Code: "birthdate" } dates
                    when dates.Asked.All(asked => asked.Prefix == Prefix.Eq):
                    foreach (var date in dates.Values)
                    {
                        await AddAsync(
                            streams,
                            JournalNames.BirthDates(
                                view.Practice,
                                date.StartsWith("eq", StringComparison.Ordinal) ? date[2..] : date
                            ),
                            cancel
                        );
                    }
                    return true;
                default:
                    break;
            }
        }
        return false;
    }

    private ValueTask<string?> StreamOfAsync(string type, string id, CancellationToken cancel) =>
        type == "Provenance" && ReceivedProvenance.Target(id) is { } about
            ? view.StreamOfAsync(about.Type, about.Id, cancel)
            : view.StreamOfAsync(type, id, cancel);

    private static (IReadOnlyCollection<string>?, Refusal?) Bounded(SearchQuery query, SortedSet<string> streams) =>
        streams.Count > MaxStreams ? (null, TooCostly(query.Type)) : (streams, null);

    private static Refusal TooCostly(string type) =>
        Refusal.Of(
            400,
            "too-costly",
            "search-scope",
            type == "Patient"
                ? "A search for patients needs one of _id, identifier, name, family, given or birthdate."
                : $"A search for {type} needs the patient ({PatientParameter(type)}=Patient/id), an identifier, or _id."
        );

    private static string PatientParameter(string type)
    {
        foreach (var code in (string[])["patient", "subject"])
        {
            if (SearchParameter.Find(type, code) is not null)
            {
                return code;
            }
        }
        return SearchParameter
                .For(type)
                .FirstOrDefault(parameter => parameter.Kind == SearchKind.Reference && Routes(type, parameter))
                ?.Code
            ?? "_id";
    }

    private static bool NamesPatient(string type, ReferenceCriterion criterion) =>
        criterion.Modifier is "" or "Patient"
        && Routes(type, criterion.Parameter)
        // A bare id means a patient's: that is what the parameter is for here.
        && criterion.Wanted.All(value =>
            value.StartsWith("Patient/", StringComparison.Ordinal) || !value.Contains('/', StringComparison.Ordinal)
        );

    // A resource lives with the patient that its first compartment element names.
    private static bool Routes(string type, SearchParameter parameter) =>
        PatientCompartment.FirstPath(type) is { } path && parameter.Paths.Any(candidate => candidate.Text == path);

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

    /// <summary>What a resource is ordered by.</summary>
    private readonly record struct SortValue(string? Text, decimal? Number)
    {
        public static SortValue Of(SortKey key, StoredResource resource, TimeZoneInfo zone)
        {
            var values = new List<FhirElement>();
            foreach (var path in key.Parameter.Paths)
            {
                path.Collect(PracticeRecords.Parse(resource), values);
            }
            SortValue best = default;
            foreach (var value in values)
            {
                var candidate = From(key, value, zone);
                if (
                    (candidate.Text is not null || candidate.Number is not null)
                    && (best == default || Compare(candidate, best, key.Descending) < 0)
                )
                {
                    best = candidate;
                }
            }
            return best;
        }

        // What has no value stands last, whichever the direction.
        public static int Compare(SortValue left, SortValue right, bool descending)
        {
            var (leftEmpty, rightEmpty) = (left == default, right == default);
            if (leftEmpty || rightEmpty)
            {
                return leftEmpty.CompareTo(rightEmpty);
            }
            var order =
                left.Number is { } one && right.Number is { } two
                    ? one.CompareTo(two)
                    : string.CompareOrdinal(left.Text, right.Text);
            return descending ? -order : order;
        }

        private static SortValue From(SortKey key, FhirElement value, TimeZoneInfo zone)
        {
            switch (key.Parameter.Kind)
            {
                case SearchKind.Date:
                    return FhirDate.Range(value, zone) is { } range
                        ? new SortValue(null, key.Descending ? range.High.UtcTicks : range.Low.UtcTicks)
                        : default;
                case SearchKind.Number or SearchKind.Quantity:
                    var number = value.Kind == JsonKind.Object ? value["value"u8] : value;
                    return decimal.TryParse(
                        number.Text,
                        NumberStyles.Float,
                        CultureInfo.InvariantCulture,
                        out var parsed
                    )
                        ? new SortValue(null, parsed)
                        : default;
                default:
                    return new SortValue(Word(value), null);
            }
        }

        private static string? Word(FhirElement value)
        {
            if (value.Kind != JsonKind.Object)
            {
                return value.Text is { } text ? FoldedText.Fold(text) : null;
            }
            foreach (var coding in value["coding"u8].Items)
            {
                return coding["code"u8].Text;
            }
            var word =
                value["family"u8].Text
                ?? value["text"u8].Text
                ?? value["value"u8].Text
                ?? value["code"u8].Text
                ?? value["reference"u8].Text
                ?? value["city"u8].Text;
            return word is null ? null : FoldedText.Fold(word);
        }
    }
}
