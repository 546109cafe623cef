using System.Globalization;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>What a search by identifier showed.</summary>
/// <param name="Known">False where the answer does not decide anything.</param>
/// <param name="Matches">Resources that carry the identifier; empty with <paramref name="Known"/> means that there is none.</param>
/// <param name="Answer">The EHR's answer.</param>
/// <param name="Text">Why the answer decides nothing.</param>
/// <param name="Hopeless">The EHR does not offer this search: asking again will not help.</param>
internal sealed record EhrFinding(
    bool Known,
    IReadOnlyList<EhrMatch> Matches,
    EhrAnswer Answer,
    string? Text,
    bool Hopeless = false
);

/// <summary>A resource at the EHR.</summary>
/// <param name="Reference"><c>Type/id</c>.</param>
/// <param name="Version">Version, where it told.</param>
/// <param name="Status">Its status element, where it has one.</param>
/// <param name="Resource">The resource.</param>
internal sealed record EhrMatch(string Reference, string? Version, string? Status, FhirElement Resource);

/// <summary>Search by identifier that believes only what it sees: each entry must carry the identifier itself, since servers that do not
/// know a parameter pass over it and answer with everything.</summary>
internal static class EhrSearch
{
    /// <summary>Searches a type by identifier.</summary>
    public static async Task<EhrFinding> FindAsync(
        EhrSession ehr,
        string type,
        string system,
        string value,
        CancellationToken cancel
    )
    {
        var path = $"{type}?identifier={Uri.EscapeDataString(system)}%7C{Uri.EscapeDataString(value)}";
        var answer = await ehr.SendAsync(HttpMethod.Get, path, null, [("Cache-Control", "no-cache")], cancel);
        return Read(answer, type, resource => Carries(resource, system, value), othersAllowed: false);
    }

    /// <summary>Reads the answer to a search.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="type">Type searched.</param>
    /// <param name="matches">Whether a resource is one that was searched for.</param>
    /// <param name="othersAllowed">The search is wider than <paramref name="matches"/>, so others beside it are right; all must be on the page.</param>
    public static EhrFinding Read(EhrAnswer answer, string type, Func<FhirElement, bool> matches, bool othersAllowed)
    {
        EhrFinding Unknown(string text, bool hopeless = false) => new(false, [], answer, text, hopeless);
        if (answer.Problem is not null)
        {
            return Unknown(answer.Text ?? answer.Problem);
        }
        if (!answer.Success)
        {
            return Unknown(
                $"The search for the identifier was answered {answer.StatusText}. {answer.OutcomeText()}".Trim(),
                answer.Status is 400 or 403 or 404 or 405 or 422 or 501
            );
        }
        if (answer.ResourceType != "Bundle" || !answer.Json!.Root["type"u8].Is("searchset"u8))
        {
            return Unknown("The search for the identifier was answered with something that is no search result.");
        }
        var bundle = answer.Json!.Root;
        var found = new List<EhrMatch>();
        var others = 0;
        foreach (var entry in bundle["entry"u8].Items)
        {
            var resource = entry["resource"u8];
            if (resource["resourceType"u8].Text is not { } kind || kind == "OperationOutcome")
            {
                continue;
            }
            if (kind == type && matches(resource) && resource["id"u8].Text is { } id)
            {
                found.Add(
                    new EhrMatch(
                        $"{type}/{id}",
                        resource["meta"u8]["versionId"u8].Text,
                        resource["status"u8].Text,
                        resource
                    )
                );
            }
            else
            {
                others++;
            }
        }
        if (found.Count > 0)
        {
            return new EhrFinding(true, [.. found.DistinctBy(match => match.Reference)], answer, null);
        }
        if (othersAllowed)
        {
            return bundle["link"u8].Items is var links && HasNext(links)
                ? Unknown(
                    $"The EHR's answer has several pages of {type}; a search by identifier is needed.",
                    hopeless: true
                )
                : new EhrFinding(true, [], answer, null);
        }
        // Others beside it mean that the parameter was passed over; a total without entries means that we were shown nothing.
        var total = bundle["total"u8].Text;
        return others > 0 || (total is not null && total != "0")
            ? Unknown(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The EHR passes over the search parameter 'identifier' of {type}: it answered with {others} resources that do not carry it (total {total ?? "not told"})."
                ),
                hopeless: others > 0
            )
            : new EhrFinding(true, [], answer, null);
    }

    private static bool HasNext(FhirElement.ChildSequence links)
    {
        foreach (var link in links)
        {
            if (link["relation"u8].Is("next"u8))
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>The resource carries the identifier.</summary>
    public static bool Carries(FhirElement resource, string system, string value)
    {
        foreach (var identifier in resource["identifier"u8].Items)
        {
            if (identifier["system"u8].Text == system && identifier["value"u8].Text == value)
            {
                return true;
            }
        }
        return false;
    }
}
