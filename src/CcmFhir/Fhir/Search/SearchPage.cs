using System.Buffers.Text;
using System.Globalization;
using System.Text;
using CcmFhir.Access;
using CcmFhir.Intake;
using CcmFhir.Trail;

namespace CcmFhir.Fhir.Search;

/// <summary>One page of a search, as a searchset Bundle.</summary>
internal static class SearchPage
{
    private static readonly long Latest = DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    /// <summary>Answers a search.</summary>
    /// <param name="type">Resource type.</param>
    /// <param name="pairs">The query in order.</param>
    /// <param name="strict">Refuse what is not understood.</param>
    /// <param name="view">The practice.</param>
    /// <param name="arrival">Who asks, and when.</param>
    /// <param name="cancel">Stops it.</param>
    public static async ValueTask<(byte[]? Body, Refusal? Refusal)> AnswerAsync(
        string type,
        IReadOnlyList<KeyValuePair<string, string>> pairs,
        bool strict,
        PracticeRecords view,
        Arrival arrival,
        CancellationToken cancel
    )
    {
        if (arrival.Access.Missing(type, Interactions.Search) is { } scope)
        {
            return (null, Refusal.Of(403, "forbidden", "scope", Refusal.LacksScope(scope)));
        }
        var query = SearchQuery.Parse(type, pairs, strict, arrival.Practice.Zone, out var refusal);
        if (query is null)
        {
            return (null, refusal);
        }
        if (ResourceShape.Parse(pairs, out refusal) is not { } shape)
        {
            return (null, refusal);
        }
        if (!TryPosition(pairs, arrival.Now, out var asOf, out var from))
        {
            return (
                null,
                Refusal.Of(
                    400,
                    "value",
                    "page",
                    "_page is not one that we gave. Follow the links of the first page, or search anew."
                )
            );
        }
        var search = new SearchResources(view, arrival.Access, arrival.Bases, arrival.Practice.Zone);
        DateTimeOffset? before = from == 0 ? null : asOf;
        var (matches, tooMuch) =
            type == "AuditEvent"
                ? await new TrailReader(view.Store, view.Practice).FindAsync(query, asOf, arrival, cancel)
                : await search.FindAsync(query, before, cancel);
        if (matches is null)
        {
            return (null, tooMuch);
        }
        if (type == "AuditEvent")
        {
            search.Sort(matches, query.Sort);
        }
        if (from == 0 && matches.Count > 0)
        {
            asOf = AsOf(asOf, matches.Max(match => match.Resource.LastUpdated));
        }
        var size = shape.CountOnly ? 0 : query.Count;
        var page = matches.GetRange(Math.Min(from, matches.Count), Math.Clamp(matches.Count - from, 0, size));
        var included = await search.IncludedAsync(query, page, cancel);
        foreach (var given in size == 0 ? [] : page.Concat(included))
        {
            arrival.Touched.Saw(JournalNames.PatientOf(given.Stream));
        }
        var url = $"{arrival.OwnBase}/{type}";
        var links = new List<KeyValuePair<string, string>>(4)
        {
            new("self", Link(url, query.Understood, from == 0 ? null : (asOf, from))),
        };
        if (size > 0)
        {
            if (from > 0)
            {
                links.Add(new("first", Link(url, query.Understood, null)));
                links.Add(new("previous", Link(url, query.Understood, from <= size ? null : (asOf, from - size))));
            }
            if (from + size < matches.Count)
            {
                links.Add(new("next", Link(url, query.Understood, (asOf, from + size))));
            }
        }
        return (
            BundleWriter.Searchset(
                arrival.OwnBase ?? "",
                links,
                matches.Count,
                page,
                included,
                [.. query.Ignored.Select(issue => issue with { Severity = Validation.Severity.Warning })],
                shape
            ),
            null
        );
    }

    // A page is a place in the result as it was when the first page was given, so that pages neither repeat nor skip.
    private static bool TryPosition(
        IReadOnlyList<KeyValuePair<string, string>> pairs,
        DateTimeOffset now,
        out DateTimeOffset asOf,
        out int from
    )
    {
        (asOf, from) = (now, 0);
        foreach (var (name, value) in pairs)
        {
            if (name != "_page")
            {
                continue;
            }
            if (!TryRead(value, now, out asOf, out from))
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>The instant that further pages go by: now, or that of the newest thing on the first page where the clock was set back since,
    /// to the millisecond, as the token carries it.</summary>
    public static DateTimeOffset AsOf(DateTimeOffset now, DateTimeOffset newest) =>
        newest > now ? newest.AddMilliseconds(1) : now;

    /// <summary>Reads a page's token; false for one that we did not give.</summary>
    public static bool TryRead(string token, DateTimeOffset now, out DateTimeOffset asOf, out int from)
    {
        (asOf, from) = (now, 0);
        var text = Base64Url.IsValid(token) ? Encoding.ASCII.GetString(Base64Url.DecodeFromChars(token)) : "";
        var parts = text.Split('.');
        if (
            parts.Length != 2
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out from)
            || at > Latest
        )
        {
            return false;
        }
        asOf = DateTimeOffset.FromUnixTimeMilliseconds(at);
        return true;
    }

    private static string Token(DateTimeOffset asOf, int from) =>
        Base64Url.EncodeToString(
            Encoding.ASCII.GetBytes(
                string.Create(CultureInfo.InvariantCulture, $"{asOf.ToUnixTimeMilliseconds()}.{from}")
            )
        );

    /// <summary>A link to a page.</summary>
    public static string Link(
        string url,
        IReadOnlyList<KeyValuePair<string, string>> understood,
        (DateTimeOffset AsOf, int From)? page
    )
    {
        var query = QueryText.Format(
            page is { } place
                ? [.. understood, new KeyValuePair<string, string>("_page", Token(place.AsOf, place.From))]
                : understood
        );
        return query.Length == 0 ? url : $"{url}?{query}";
    }
}
