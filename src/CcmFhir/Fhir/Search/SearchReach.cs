using CcmFhir.Access;
using CcmFhir.Intake;

namespace CcmFhir.Fhir.Search;

/// <summary>A stream that a search looks through.</summary>
/// <param name="Stream">Its name.</param>
/// <param name="Ids">Logical ids of the only resources of the type that can match; null where all can.</param>
internal readonly record struct Reached(string Stream, IReadOnlySet<string>? Ids);

/// <summary>What a query must look through: one patient's stream, what the index names, or a directory type. A query that would need more is
/// refused with what to give.</summary>
/// <param name="view">The practice.</param>
/// <param name="access">Who asks.</param>
internal sealed class SearchReach(PracticeRecords view, AccessContext access)
{
    // As many streams as one search reads at most.
    private const int MaxStreams = 2_000;

    private readonly SortedDictionary<string, HashSet<string>?> streams = new(StringComparer.Ordinal);

    /// <summary>The streams, in the order of their names; null, with a refusal, when there would be too many.</summary>
    /// <param name="query">The query, its references made local.</param>
    /// <param name="cancel">Stops it.</param>
    public async ValueTask<(IReadOnlyList<Reached>? Streams, Refusal? Refusal)> FindAsync(
        SearchQuery query,
        CancellationToken cancel
    )
    {
        streams.Clear();
        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case TokenCriterion { Parameter.Code: "_id", Modifier: "" } ids:
                    await AddIdsAsync(query.Type, ids, cancel);
                    return (All(), null);
                case ReferenceCriterion { Parameter.Code: "target" } named
                    when query.Type == "Provenance" && NamesTargets(named):
                    await AddTargetsAsync(named, cancel);
                    return (All(), null);
                case ReferenceCriterion reference when NamesPatient(query.Type, reference):
                    foreach (var patient in reference.PatientIds().Where(id => LogicalId.IsValid(id)))
                    {
                        Add(JournalNames.PatientStream(view.Practice, patient), id: null);
                    }
                    return (All(), null);
                case TokenCriterion { Parameter.Code: "identifier", Modifier: "" } identifiers
                    when identifiers.Tokens.All(token => token.Code is { Length: > 0 }):
                    foreach (var token in identifiers.Tokens)
                    {
                        // The key ends with the id of a resource that has, or had, such an identifier.
                        await AddAsync(
                            JournalNames.Identifiers(view.Practice, query.Type, token.Code!),
                            namesIds: true,
                            cancel
                        );
                    }
                    return Bounded(query);
                default:
                    break;
            }
        }
        if (query.Type == "Patient" && await AddPatientsAsync(query, cancel))
        {
            return Bounded(query);
        }
        if (!PatientCompartment.Holds(query.Type))
        {
            await AddAsync(JournalNames.Ids(view.Practice, query.Type), namesIds: false, cancel);
            if (OwnDefinitions.Types.Contains(query.Type))
            {
                Add(OwnDefinitions.Stream, id: null);
            }
            return Bounded(query);
        }
        if (access.Patient is { } launched && access.Scopes.All(scope => scope.Context == ScopeContext.Patient))
        {
            Add(JournalNames.PatientStream(view.Practice, launched), id: null);
            return (All(), null);
        }
        return (null, TooCostly(query.Type));
    }

    /// <summary>The criterion names whole references, so that they can be looked up.</summary>
    public static bool NamesTargets(ReferenceCriterion criterion) =>
        criterion.Modifier != "identifier"
        && criterion.Wanted.All(value => value.Split('/') is [var type, _] && ResourceTypes.Find(type) is not null);

    private List<Reached> All() =>
        // What a request has laid over a stream is not in the index yet, so that such a stream is looked through whole.
        [.. streams.Select(stream => new Reached(stream.Key, view.IsLaidOver(stream.Key) ? null : stream.Value))];

    private (IReadOnlyList<Reached>?, Refusal?) Bounded(SearchQuery query) =>
        streams.Count > MaxStreams ? (null, TooCostly(query.Type)) : (All(), null);

    // Without an id the whole stream; a stream that is wanted whole stays so.
    private void Add(string stream, string? id)
    {
        if (!streams.TryGetValue(stream, out var ids))
        {
            streams[stream] = id is null ? null : new HashSet<string>(StringComparer.Ordinal) { id };
        }
        else if (id is null)
        {
            streams[stream] = null;
        }
        else
        {
            ids?.Add(id);
        }
    }

    private async ValueTask AddAsync(string prefix, bool namesIds, CancellationToken cancel)
    {
        await foreach (var entry in view.Store.ListAsync(prefix, null, cancel))
        {
            Add(entry.Value, namesIds ? entry.Key[(entry.Key.LastIndexOf('/') + 1)..] : null);
            if (streams.Count > MaxStreams)
            {
                return;
            }
        }
    }

    private async ValueTask AddIdsAsync(string type, TokenCriterion ids, CancellationToken cancel)
    {
        foreach (var token in ids.Tokens)
        {
            if (token.Code is not { } id || !LogicalId.IsValid(id))
            {
                continue;
            }
            var received = type == "Provenance" ? ReceivedProvenance.Target(id) : null;
            var stream = received is { } about
                ? await view.StreamOfAsync(about.Type, about.Id, cancel)
                : await view.StreamOfAsync(type, id, cancel);
            if (stream is not null)
            {
                Add(stream, id);
            }
        }
    }

    private async ValueTask AddTargetsAsync(ReferenceCriterion named, CancellationToken cancel)
    {
        foreach (var value in named.Wanted)
        {
            if (
                value.Split('/') is [var type, var id]
                && LogicalId.IsValid(id)
                && await view.StreamOfAsync(type, id, cancel) is { } holder
            )
            {
                Add(holder, id: null);
            }
        }
    }

    private async ValueTask<bool> AddPatientsAsync(SearchQuery query, CancellationToken cancel)
    {
        foreach (var criterion in query.Criteria)
        {
            switch (criterion)
            {
                case StringCriterion { Parameter.Code: "name" or "family" or "given", Modifier: "" or "exact" } names:
                    foreach (var name in names.Values)
                    {
                        await AddAsync(
                            JournalNames.Names(view.Practice, FoldedText.Fold(SearchQuery.Unescape(name))),
                            namesIds: false,
                            cancel
                        );
                    }
                    return true;
                case DateCriterion { Parameter.Code: "birthdate" } dates
                    when dates.Asked.All(asked => asked.Prefix == Prefix.Eq):
                    foreach (var date in dates.Values)
                    {
                        await AddAsync(
                            JournalNames.BirthDates(
                                view.Practice,
                                date.StartsWith("eq", StringComparison.Ordinal) ? date[2..] : date
                            ),
                            namesIds: false,
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
}
