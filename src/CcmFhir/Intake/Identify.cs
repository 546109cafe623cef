using System.Globalization;
using System.Security.Cryptography;
using CcmFhir.Fhir;
using CcmFhir.Fhir.Search;
using CcmFhir.Journal;

namespace CcmFhir.Intake;

/// <summary>Finds out which resource each entry means: the id it gets, the id it names, or the one that its condition finds.</summary>
internal static class Identify
{
    /// <summary>Gives every write its target; what cannot be decided is refused at the entry.</summary>
    public static async ValueTask RunAsync(Attempt attempt, CancellationToken cancel)
    {
        var deleted = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in attempt.Entries)
        {
            if (entry.Refused)
            {
                continue;
            }
            switch (entry.Verb)
            {
                case Verb.Post when entry.IfNoneExist is not null:
                    await CreateOnConditionAsync(attempt, entry, deleted, cancel);
                    break;
                case Verb.Post:
                    entry.TargetId = NewId(entry);
                    break;
                case Verb.Get:
                    break;
                default:
                    await FindTargetAsync(attempt, entry, deleted, cancel);
                    break;
            }
            if (entry.Verb == Verb.Delete && entry.TargetId is not null)
            {
                deleted.Add($"{entry.Type}/{entry.TargetId}");
            }
        }
        RefuseTwins(attempt);
        MapFullUrls(attempt);
        await ResolveConditionalReferencesAsync(attempt, deleted, cancel);
    }

    /// <summary>The id of a resource that the server names: the uuid of its <c>urn:uuid:</c> fullUrl, else the hash of its content, so
    /// that the same input makes the same ids; a number is hashed in where those are taken.</summary>
    public static string NewId(Entry entry)
    {
        var taken = entry.IdTries;
        if (
            entry.FullUrl is { } url
            && url.StartsWith("urn:uuid:", StringComparison.Ordinal)
            && Guid.TryParseExact(url.AsSpan("urn:uuid:".Length), "D", out var uuid)
        )
        {
            if (taken == 0)
            {
                return uuid.ToString("D", CultureInfo.InvariantCulture);
            }
            taken--;
        }
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(entry.Resource.Raw);
        if (taken > 0)
        {
            hash.AppendData(BitConverter.GetBytes(taken));
        }
        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        // Version 8 of RFC 9562: a uuid of one's own making.
        digest[6] = (byte)((digest[6] & 0x0F) | 0x80);
        digest[8] = (byte)((digest[8] & 0x3F) | 0x80);
        return new Guid(digest[..16], bigEndian: true).ToString("D", CultureInfo.InvariantCulture);
    }

    /// <summary>The resources that a condition finds, at most a few; null, with the reason at the entry, when it is no condition.</summary>
    public static async ValueTask<List<StoredResource>?> MatchesAsync(
        Attempt attempt,
        Entry entry,
        string type,
        string criteria,
        string expression,
        CancellationToken cancel
    )
    {
        if (Query(attempt, entry, type, criteria, expression) is not { } query)
        {
            return null;
        }
        var search = new SearchResources(
            attempt.View,
            attempt.Arrival.Access,
            attempt.Arrival.Bases,
            attempt.Arrival.Practice.Zone
        );
        var (found, refusal) = await search.FindAsync(query, null, cancel);
        if (found is null)
        {
            entry.Refuse(412, refusal!.Issues[0] with { Expression = expression });
            return null;
        }
        return found.ConvertAll(match => match.Resource);
    }

    private static SearchQuery? Query(Attempt attempt, Entry entry, string type, string criteria, string expression)
    {
        var query = SearchQuery.Parse(
            type,
            QueryText.Parse(criteria),
            strict: true,
            attempt.Arrival.Practice.Zone,
            out var refusal
        );
        if (query is null)
        {
            foreach (var issue in refusal!.Issues)
            {
                entry.Refuse(400, issue with { Expression = expression });
            }
            return null;
        }
        if (query.Criteria.Count > 0)
        {
            return query;
        }
        entry.Refuse(
            400,
            "required",
            "condition-empty",
            $"The condition is empty. Give search parameters of {type}, such as identifier=system|value.",
            expression
        );
        return null;
    }

    private static async ValueTask CreateOnConditionAsync(
        Attempt attempt,
        Entry entry,
        HashSet<string> deleted,
        CancellationToken cancel
    )
    {
        var expression = entry.Index is null ? "" : entry.Path + ".request.ifNoneExist";
        var criteria = entry.IfNoneExist!;
        foreach (var other in attempt.Entries)
        {
            if (ReferenceEquals(other, entry))
            {
                break;
            }
            if (
                other.Verb == Verb.Post
                && other.Type == entry.Type
                && other.IfNoneExist == criteria
                && other is { Refused: false, TargetId: not null }
            )
            {
                entry.SameAs = other;
                entry.TargetId = other.TargetId;
                entry.Matched = true;
                return;
            }
        }
        var matches = await MatchesAsync(attempt, entry, entry.Type, criteria, expression, cancel);
        matches?.RemoveAll(match => deleted.Contains(match.Reference));
        switch (matches)
        {
            case null:
                return;
            case []:
                entry.TargetId = NewId(entry);
                return;
            case [var one]:
                entry.TargetId = one.Id;
                entry.Matched = true;
                entry.Answer = one;
                return;
            default:
                entry.Refuse(412, TooMany(entry.Type, criteria, matches.Count, expression));
                return;
        }
    }

    private static async ValueTask FindTargetAsync(
        Attempt attempt,
        Entry entry,
        HashSet<string> deleted,
        CancellationToken cancel
    )
    {
        if (entry.Criteria is not { } criteria)
        {
            entry.TargetId = entry.Id;
            return;
        }
        var expression = entry.Index is null ? "" : entry.Path + ".request.url";
        var matches = await MatchesAsync(attempt, entry, entry.Type, criteria, expression, cancel);
        if (matches is null)
        {
            return;
        }
        matches.RemoveAll(match => deleted.Contains(match.Reference));
        if (matches.Count > 1)
        {
            entry.Refuse(412, TooMany(entry.Type, criteria, matches.Count, expression));
            return;
        }
        var given = entry.Verb == Verb.Put ? entry.Resource["id"u8].Text : null;
        if (matches is [var match])
        {
            if (given is not null && given != match.Id)
            {
                entry.Refuse(
                    400,
                    "invalid",
                    "id-mismatch",
                    $"The condition finds {match.Reference}, the resource's id is '{given}'. Leave the id out, or give the one found.",
                    entry.ResourcePath + ".id",
                    entry.Resource["id"u8]
                );
                return;
            }
            entry.TargetId = match.Id;
            return;
        }
        switch (entry.Verb)
        {
            case Verb.Put:
                entry.TargetId = given ?? NewId(entry);
                break;
            case Verb.Patch:
                entry.Refuse(
                    404,
                    "not-found",
                    "condition-no-match",
                    $"No {entry.Type} matches {criteria}, so there is nothing to patch.",
                    expression
                );
                break;
            default:
                // A conditional delete that finds nothing has nothing to do [http.html#3.1.0.7.1].
                break;
        }
    }

    // The same resource twice: the result would depend on the order of entries [http.html#3.1.0.11.2].
    private static void RefuseTwins(Attempt attempt)
    {
        var first = new Dictionary<string, Entry>(StringComparer.Ordinal);
        foreach (var entry in attempt.Entries)
        {
            if (entry.Refused || entry.TargetId is null || entry.Matched || entry.FromCollection || entry.Index is null)
            {
                continue;
            }
            if (!first.TryAdd($"{entry.Type}/{entry.TargetId}", entry))
            {
                var other = first[$"{entry.Type}/{entry.TargetId}"];
                if (entry.Verb == Verb.Post)
                {
                    // Two creates with the same content are two resources.
                    do
                    {
                        entry.IdTries++;
                        entry.TargetId = NewId(entry);
                    } while (!first.TryAdd($"{entry.Type}/{entry.TargetId}", entry));
                    continue;
                }
                if (!attempt.Atomic)
                {
                    continue;
                }
                entry.Refuse(
                    400,
                    "duplicate",
                    "same-resource-twice",
                    $"{entry.Path} and {other.Path} both write {entry.Type}/{entry.TargetId}. One transaction changes a resource once; send the second change in another.",
                    entry.Path
                );
            }
        }
    }

    private static void MapFullUrls(Attempt attempt)
    {
        foreach (var entry in attempt.Entries)
        {
            if (
                entry is { Refused: false, FullUrl: { } url, TargetId: { } id, Verb: Verb.Post or Verb.Put }
                && !attempt.Map.Add(url, $"{entry.Type}/{id}")
            )
            {
                entry.Refuse(
                    400,
                    "duplicate",
                    "bdl-7",
                    $"Another entry has the fullUrl '{url}' too. A fullUrl names one resource of the Bundle.",
                    entry.Path + ".fullUrl"
                );
            }
        }
    }

    private static async ValueTask ResolveConditionalReferencesAsync(
        Attempt attempt,
        HashSet<string> deleted,
        CancellationToken cancel
    )
    {
        foreach (var entry in attempt.Entries)
        {
            if (entry.Refused)
            {
                continue;
            }
            foreach (var site in entry.Sites)
            {
                if (
                    site.Kind == SiteKind.Reference
                    && site.Value.Raw.IndexOf((byte)'?') > 0
                    && attempt.Map.OpenQuery(site.Value.Text!) is { } query
                )
                {
                    await ResolveAsync(attempt, entry, site, query, deleted, cancel);
                }
            }
        }
    }

    private static async ValueTask ResolveAsync(
        Attempt attempt,
        Entry entry,
        ReferenceSite site,
        string text,
        HashSet<string> deleted,
        CancellationToken cancel
    )
    {
        var question = text.IndexOf('?', StringComparison.Ordinal);
        var (type, criteria) = (text[..question], text[(question + 1)..]);
        var expression = ElementPath.Of(site.Value, entry.Resource, entry.ResourcePath);
        if (Query(attempt, entry, type, criteria, expression) is not { } query)
        {
            return;
        }
        // What this Bundle writes counts as well, in place of what it writes over.
        var ids = new SortedSet<string>(StringComparer.Ordinal);
        var written = new HashSet<string>(deleted, StringComparer.Ordinal);
        foreach (var other in attempt.Entries)
        {
            if (
                other is { Refused: false, Matched: false, TargetId: { } id, Verb: Verb.Post or Verb.Put }
                && other.Type == type
            )
            {
                written.Add($"{type}/{id}");
                if (query.Matches(other.Resource))
                {
                    ids.Add(id);
                }
            }
        }
        if (await MatchesAsync(attempt, entry, type, criteria, expression, cancel) is not { } stored)
        {
            return;
        }
        foreach (var match in stored)
        {
            if (!written.Contains(match.Reference))
            {
                ids.Add(match.Id);
            }
        }
        if (ids.Count == 1)
        {
            attempt.Map.Resolve(text, $"{type}/{ids.Min}");
            return;
        }
        var (line, column) = site.Value.Position;
        entry.Refuse(
            412,
            (
                ids.Count == 0
                    ? Refusal.Because(
                        "not-found",
                        "reference-no-match",
                        $"No {type} matches the conditional reference '{text}'. Send the {type} before or in the same Bundle, or refer to it by id.",
                        expression
                    )
                    : TooMany(type, criteria, ids.Count, expression)
            ) with
            {
                Line = line,
                Column = column,
            }
        );
    }

    private static Validation.Issue TooMany(string type, string criteria, int count, string expression) =>
        Refusal.Because(
            "multiple-matches",
            "condition-many-matches",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{count} resources match {type}?{criteria}; it must be one at most. Give more criteria, such as an identifier with its system."
            ),
            expression
        );
}
