using System.Globalization;
using CcmFhir.Access;
using CcmFhir.Fhir.Search;
using CcmFhir.Intake;
using CcmFhir.Journal;

namespace CcmFhir.Fhir;

/// <summary>One page of a history [http.html#history]: of an instance, of a type, or of everything that the practice holds.</summary>
internal static class HistoryPage
{
    // As many resources as one history of a type or of everything looks through at most.
    private const int MaxStreams = 2_000;

    /// <summary>Answers a history.</summary>
    /// <param name="request">The request; its segments are <c>Type/id/_history</c>, <c>Type/_history</c> or <c>_history</c>.</param>
    /// <param name="view">The practice.</param>
    public static async ValueTask<FhirAnswer> AnswerAsync(FhirRequest request, PracticeRecords view)
    {
        var arrival = request.Arrival;
        if (Read(request, out var refusal) is not { } window)
        {
            return FhirAnswer.Of(refusal!);
        }
        if (ResourceShape.Parse(request.Query, out refusal) is not { } shape)
        {
            return FhirAnswer.Of(refusal!);
        }
        var found = new List<ResourceVersions>();
        if (request.Segments is [var type, var id, _])
        {
            var stream = await view.StreamOfAsync(type, id, request.Cancel);
            var versions = stream is null ? null : (await view.StreamAsync(stream, request.Cancel)).Find(type, id);
            if (versions is null || !ReadEntry.Sees(versions, stream!, view, arrival))
            {
                return FhirAnswer.Of(Refusal.Of(404, "not-found", "not-found", $"There is no {type}/{id}."));
            }
            found.AddRange(versions.NewestFirst());
            arrival.Touched.Saw(JournalNames.PatientOf(stream!));
        }
        else if (await CollectAsync(request, view, found) is { } tooMuch)
        {
            return FhirAnswer.Of(tooMuch);
        }
        if (window.From == 0 && found.Count > 0)
        {
            // The first page shows all there is, what the clock says was made later too: the clock may have been set back.
            window = window with
            {
                AsOf = SearchPage.AsOf(window.AsOf, found.Max(version => version.Current.LastUpdated)),
            };
        }
        found.RemoveAll(version =>
            version.Current.LastUpdated < window.Since || version.Current.LastUpdated > window.AsOf
        );
        found.Sort(
            static (left, right) =>
            {
                var newest = right.Current.LastUpdated.CompareTo(left.Current.LastUpdated);
                return newest != 0 ? newest
                    : left.Current.Reference == right.Current.Reference
                        ? long.Parse(right.Current.VersionId, CultureInfo.InvariantCulture)
                            .CompareTo(long.Parse(left.Current.VersionId, CultureInfo.InvariantCulture))
                    : string.CompareOrdinal(left.Current.Reference, right.Current.Reference);
            }
        );
        var page = found.GetRange(
            Math.Min(window.From, found.Count),
            Math.Clamp(found.Count - window.From, 0, window.Count)
        );
        return new FhirAnswer(
            200,
            BundleWriter.History(arrival.OwnBase ?? "", Links(request, window, found.Count), found.Count, page, shape)
        );
    }

    private static async ValueTask<Refusal?> CollectAsync(
        FhirRequest request,
        PracticeRecords view,
        List<ResourceVersions> found
    )
    {
        var arrival = request.Arrival;
        var type = request.Segments.Length == 2 ? request.Segments[0] : null;
        var streams = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var each in type is null ? ResourceTypes.All : [type])
        {
            await foreach (
                var entry in view.Store.ListAsync(JournalNames.Ids(view.Practice, each), null, request.Cancel)
            )
            {
                streams.Add(entry.Value);
                if (streams.Count > MaxStreams)
                {
                    return Refusal.Of(
                        400,
                        "too-costly",
                        "history-scope",
                        "The history of so many resources is not given at once. Ask for one resource's history (Type/id/_history), or search by patient and _lastUpdated."
                    );
                }
            }
        }
        if (type is not null && OwnDefinitions.Types.Contains(type))
        {
            streams.Add(OwnDefinitions.Stream);
        }
        foreach (var stream in streams)
        {
            foreach (var versions in (await view.StreamAsync(stream, request.Cancel)).Resources)
            {
                if (
                    (type is null || versions.Current.Type == type)
                    && arrival.Access.Missing(versions.Current.Type, Interactions.Search) is null
                    && ReadEntry.Sees(versions, stream, view, arrival, Interactions.Search)
                )
                {
                    found.AddRange(versions.NewestFirst());
                    arrival.Touched.Saw(JournalNames.PatientOf(stream));
                }
            }
        }
        return null;
    }

    private static Window? Read(FhirRequest request, out Refusal? refusal)
    {
        var window = new Window(DateTimeOffset.MinValue, request.Arrival.Now, 0, SearchQuery.DefaultCount);
        refusal = null;
        foreach (var (name, value) in request.Query)
        {
            switch (name)
            {
                case "_since" when FhirDate.Range(value.Replace(' ', '+'), request.Arrival.Practice.Zone) is { } since:
                    window = window with { Since = since.Low };
                    break;
                case "_count" when int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var count):
                    window = window with { Count = Math.Min(count, SearchQuery.MaxCount) };
                    break;
                case "_page" when SearchPage.TryRead(value, request.Arrival.Now, out var asOf, out var from):
                    window = window with { AsOf = asOf, From = from };
                    break;
                default:
                    if (SearchQuery.IsShape(name) && name != "_page")
                    {
                        break;
                    }
                    refusal = Refusal.Of(
                        400,
                        "value",
                        "history-parameter",
                        name is "_since" or "_count" or "_page"
                            ? $"{name} cannot be read: _since is an instant, _count a whole number, _page comes from our links."
                            : $"A history knows _since and _count, not '{(name.Length > 64 ? name[..64] : name)}'."
                    );
                    return null;
            }
        }
        return window;
    }

    private static List<KeyValuePair<string, string>> Links(FhirRequest request, Window window, int total)
    {
        var url = $"{request.Arrival.OwnBase}/{string.Join('/', request.Segments)}";
        var kept = request.Query.Where(pair => pair.Key is not ("_page" or "_format" or "_pretty")).ToList();
        var links = new List<KeyValuePair<string, string>>
        {
            new("self", SearchPage.Link(url, kept, window.From == 0 ? null : (window.AsOf, window.From))),
        };
        if (window.Count > 0 && window.From + window.Count < total)
        {
            links.Add(new("next", SearchPage.Link(url, kept, (window.AsOf, window.From + window.Count))));
        }
        return links;
    }

    private sealed record Window(DateTimeOffset Since, DateTimeOffset AsOf, int From, int Count);
}
