using System.Globalization;
using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Intake;

namespace CcmFhir.Trail;

/// <summary>What the audit trail says of one request.</summary>
internal static class RequestTrail
{
    private const int LongestUrl = 2_000;
    private const int LongestReason = 500;

    /// <summary>The records of a FHIR request: one for the request, and one for each entry of a Bundle that was read, refused, or found nothing to
    /// change. Empty where there is no such practice.</summary>
    public static IEnumerable<TrailRecord> Of(FhirRequest request, FhirAnswer answer, FhirDoor gate, TimeProvider clock)
    {
        var http = request.Http;
        if (gate.Practice(http.Request.RouteValues["practice"] as string ?? "") is not { } practice)
        {
            yield break;
        }
        // Known only when the client was let in.
        var arrival = (Arrival?)request.Arrival;
        var query = request.Query.Where(pair => pair.Key is not ("_format" or "_pretty"));
        var whole = Base(http, practice.Slug, arrival?.Access, arrival?.Now ?? clock.GetUtcNow()) with
        {
            Do = Interaction(request),
            Url = Url(string.Join('/', request.Segments), query),
            Status = answer.Status,
            Why = Reason(answer.Refused?.Issues),
            Patients = arrival?.Touched.Patients,
        };
        var wrote = arrival?.Touched.Entries;
        if (request.Segments.Length > 0 || request.Entries.Count == 0)
        {
            yield return whole with
            {
                Wrote = wrote,
            };
            yield break;
        }
        yield return whole with
        {
            Wrote = wrote,
            Patients = null,
        };
        foreach (var entry in request.Entries)
        {
            if (answer.Refused is null && (entry.Refused || !entry.Wrote))
            {
                yield return whole with
                {
                    Do = Interaction(entry),
                    Url = Url(
                        entry.Verb == Verb.Get ? entry.Criteria ?? ""
                            : (entry.Id ?? entry.TargetId) is { } id ? $"{entry.Type}/{id}"
                            : entry.Criteria is { } criteria ? $"{entry.Type}?{criteria}"
                            : entry.Type,
                        []
                    ),
                    Status = entry.Refused ? entry.RefusedWith : entry.Status,
                    Why = entry.Refused ? Reason(entry.Issues) : null,
                    // Which entry gave out whose data is not told apart.
                    Patients = entry.Refused ? null : whole.Patients,
                };
            }
        }
    }

    /// <summary>A record of who asks, from where and when; what was asked and how it ended is filled in by the caller.</summary>
    /// <param name="http">The request.</param>
    /// <param name="practice">Slug.</param>
    /// <param name="access">Who was let in; null for nobody.</param>
    /// <param name="at">When, UTC.</param>
    public static TrailRecord Base(HttpContext http, string practice, AccessContext? access, DateTimeOffset at) =>
        new()
        {
            Practice = practice,
            At = Arrival.ToMillisecond(at),
            By = access?.Client is { Length: > 0 } client ? client : "anonymous",
            User = access?.User,
            From = Addresses.Client(http),
            Do = "operation",
            Status = http.Response.StatusCode,
            Request = http.TraceIdentifier,
        };

    private static string Url(string path, IEnumerable<KeyValuePair<string, string>> query)
    {
        var text = QueryText.Format(query);
        text = text.Length == 0 ? path : $"{path}?{text}";
        return text.Length > LongestUrl ? text[..LongestUrl] : text;
    }

    private static string? Reason(IReadOnlyList<Validation.Issue>? issues)
    {
        if (issues is not [var first, ..])
        {
            return null;
        }
        var more =
            issues.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" (and {issues.Count - 1} more)") : "";
        var text = $"{first.Rule}: {first.Text}";
        return (text.Length > LongestReason ? text[..LongestReason] : text) + more;
    }

    private static string Interaction(Entry entry) =>
        entry.Verb switch
        {
            Verb.Post => "create",
            Verb.Put => "update",
            Verb.Patch => "patch",
            Verb.Delete => "delete",
            _ when ReadEntry.InteractionOf(entry) == Interactions.Read => "read",
            _ => "search-type",
        };

    private static string Interaction(FhirRequest request)
    {
        var segments = request.Segments;
        if (Array.Exists(segments, segment => segment.StartsWith('$')))
        {
            return "operation";
        }
        var read = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        return segments switch
        {
            [] => request.IsTransaction ? "transaction" : "batch",
            ["_history"] => "history-system",
            [_, "_history"] => "history-type",
            [_, _, "_history"] => "history-instance",
            [_, _, "_history", _] => "vread",
            [_, "_search"] => "search-type",
            ["Patient", _, var type] when ResourceTypes.Find(type) is not null => "search-type",
            [_] when read => "search-type",
            [_, _] when read => "read",
            _ when HttpMethods.IsPost(request.Method) => "create",
            _ when HttpMethods.IsPut(request.Method) => "update",
            _ when HttpMethods.IsPatch(request.Method) => "patch",
            _ when HttpMethods.IsDelete(request.Method) => "delete",
            _ => "operation",
        };
    }
}
