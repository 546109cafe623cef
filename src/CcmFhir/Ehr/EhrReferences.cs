using System.Collections.Concurrent;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>Finds a resource of ours by type and id; null when there is none (any more).</summary>
internal delegate ValueTask<StoredResource?> FindOurs(string type, string id, CancellationToken cancel);

/// <summary>What became of a claim's references at the EHR.</summary>
/// <param name="Replacements">New value for each Reference that changes.</param>
/// <param name="Missing">References that must be mapped and have no counterpart at the EHR, with our resource.</param>
/// <param name="Problem">Why the claim cannot go out; null when nothing stands against it.</param>
/// <param name="PatientReference">The patient at the EHR; null when not mapped.</param>
internal sealed record MappedReferences(
    IReadOnlyDictionary<FhirElement, byte[]> Replacements,
    IReadOnlyList<(ClaimReference Reference, StoredResource Ours)> Missing,
    TryResult? Problem,
    string? PatientReference
)
{
    /// <summary>Nothing is mapped.</summary>
    public static MappedReferences None { get; } = new(new Dictionary<FhirElement, byte[]>(), [], null, null);
}

/// <summary>References found at one EHR, kept while our version of the resource stays the same.</summary>
internal sealed class ReferenceCache
{
    private static readonly TimeSpan Kept = TimeSpan.FromHours(12);
    private readonly ConcurrentDictionary<string, (string Reference, DateTimeOffset Until)> known = new(
        StringComparer.Ordinal
    );

    /// <summary>The EHR's reference for a resource of ours; null when it is not known.</summary>
    public string? Find(StoredResource ours, DateTimeOffset now) =>
        known.TryGetValue(Key(ours), out var found) && found.Until > now ? found.Reference : null;

    /// <summary>Keeps what a search showed.</summary>
    public void Keep(StoredResource ours, string reference, DateTimeOffset now) =>
        known[Key(ours)] = (reference, now + Kept);

    /// <summary>Forgets what was found for a resource: the EHR refused a claim that names it.</summary>
    public void Forget(StoredResource ours) => known.TryRemove(Key(ours), out _);

    private static string Key(StoredResource ours) => $"{ours.Reference}@{ours.VersionId}";
}

/// <summary>Maps the references of a claim to the EHR's own by identifier search: exactly one match counts, none or several are refused,
/// never guessed. What the claim can do without (supporting information) becomes a reference by identifier.</summary>
internal static class EhrReferences
{
    private static readonly string[] Preferred =
    [
        "http://hl7.org/fhir/sid/us-npi",
        "http://hl7.org/fhir/sid/us-mbi",
        "http://terminology.hl7.org/NamingSystem/cmsMBI",
    ];

    private static readonly HashSet<string> Needed = new(StringComparer.Ordinal)
    {
        "Claim.patient",
        "Claim.provider",
        "Claim.careTeam.provider",
        "Claim.insurance.coverage",
    };

    /// <summary>Maps all references of a claim.</summary>
    /// <param name="ehr">The EHR.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="ours">Finds our resources.</param>
    /// <param name="originals">What the EHR calls the claims that this one replaces, by our id.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<MappedReferences> MapAsync(
        EhrSession ehr,
        ClaimDraft claim,
        FindOurs ours,
        IReadOnlyDictionary<string, string> originals,
        CancellationToken cancel
    )
    {
        var replacements = new Dictionary<FhirElement, byte[]>();
        var missing = new List<(ClaimReference, StoredResource)>();
        string? patient = null;
        // The patient first: a coverage without identifier is found through its patient.
        foreach (var reference in claim.References.OrderBy(reference => reference.Path == "Claim.patient" ? 0 : 1))
        {
            if (reference.Path == "Claim.related.claim")
            {
                replacements[reference.Element] = ClaimDraft.Reference(originals[reference.Id]);
                continue;
            }
            if (ehr.Connection.References == ReferenceMapping.SameIds)
            {
                patient ??= reference.Path == "Claim.patient" ? $"{reference.Type}/{reference.Id}" : null;
                continue;
            }
            if (!Needed.Contains(reference.Path))
            {
                replacements[reference.Element] = ClaimDraft.Logical(reference);
                continue;
            }
            if (await ours(reference.Type, reference.Id, cancel) is not { Deleted: false } resource)
            {
                return Stop(
                    TryResult.Refused(
                        Problem(
                            $"{reference.Path} refers to {reference.Type}/{reference.Id}, which we do not hold (any more)."
                        )
                    )
                );
            }
            var (found, fault) = await FindAsync(ehr, resource, patient, cancel);
            if (fault is not null)
            {
                return Stop(fault);
            }
            if (found is null)
            {
                missing.Add((reference, resource));
                continue;
            }
            replacements[reference.Element] = ClaimDraft.Reference(found);
            if (reference.Path == "Claim.patient")
            {
                patient = found;
            }
        }
        return new MappedReferences(replacements, missing, null, patient);

        MappedReferences Stop(TryResult problem) => new(replacements, missing, problem, patient);
    }

    /// <summary>The refusal for references without counterpart.</summary>
    public static TryResult NotThere(IEnumerable<(ClaimReference Reference, StoredResource Ours)> missing) =>
        TryResult.Refused(
            Problem(
                "The EHR has no counterpart for "
                    + string.Join(
                        ", ",
                        missing.Select(item => $"{item.Reference.Path} ({item.Ours.Reference})").Distinct()
                    )
                    + ": none of its identifiers is found there. Enter it at the EHR (or deliver as 'transaction', which brings it along), then resend."
            )
        );

    private static DeliveryNote Problem(string text) => new() { Problem = DeliveryProblem.Reference, Text = text };

    private static async Task<(string? Found, TryResult? Fault)> FindAsync(
        EhrSession ehr,
        StoredResource ours,
        string? patient,
        CancellationToken cancel
    )
    {
        var now = ehr.Clock.GetUtcNow();
        if (ehr.References.Find(ours, now) is { } known)
        {
            return (known, null);
        }
        var resource = FhirJson.Parse(ours.Json.ToArray(), out _)!.Root;
        foreach (var (system, value) in Identifiers(resource))
        {
            var finding = await EhrSearch.FindAsync(ehr, ours.Type, system, value, cancel);
            if (One(ehr, ours, finding, $"an identifier of system {system}") is { } decided)
            {
                return decided;
            }
        }
        if (ours.Type == "Coverage" && patient is not null && resource["subscriberId"u8].Text is { } subscriber)
        {
            var answer = await ehr.SendAsync(
                HttpMethod.Get,
                $"Coverage?patient={Uri.EscapeDataString(patient)}",
                null,
                [],
                cancel
            );
            var finding = EhrSearch.Read(
                answer,
                "Coverage",
                coverage =>
                    coverage["subscriberId"u8].Text == subscriber
                    && !coverage["status"u8].Is("cancelled"u8)
                    && !coverage["status"u8].Is("entered-in-error"u8),
                othersAllowed: true
            );
            if (One(ehr, ours, finding, "the patient's subscriber id") is { } decided)
            {
                return decided;
            }
        }
        return (null, null);
    }

    private static (string? Found, TryResult? Fault)? One(
        EhrSession ehr,
        StoredResource ours,
        EhrFinding finding,
        string by
    )
    {
        if (!finding.Known)
        {
            var note = CreateOnce.Note(
                finding.Answer,
                finding.Answer.Problem ?? DeliveryProblem.Reference,
                $"{ours.Type} cannot be looked up at the EHR by {by}: {finding.Text}"
            );
            return finding.Hopeless
                ? null
                : (null, TryResult.Unanswered(note with { NotBefore = finding.Answer.RetryAfter, Answer = null }));
        }
        switch (finding.Matches)
        {
            case []:
                return null;
            case [var match]:
                ehr.References.Keep(ours, match.Reference, ehr.Clock.GetUtcNow());
                return (match.Reference, null);
            default:
                return (
                    null,
                    TryResult.Refused(
                        Problem(
                            $"The EHR holds {finding.Matches.Count} {ours.Type} resources with {by} of {ours.Reference} ({string.Join(", ", finding.Matches.Select(match => match.Reference))}); which one is meant is not guessed. Merge them at the EHR, then resend."
                        )
                    )
                );
        }
    }

    /// <summary>Identifiers that a resource can be found by, those that mean the same everywhere first.</summary>
    public static IEnumerable<(string System, string Value)> Identifiers(FhirElement resource)
    {
        var all = new List<(string System, string Value)>();
        foreach (var identifier in resource["identifier"u8].Items)
        {
            if (
                identifier["system"u8].Text is { Length: > 0 } system
                && identifier["value"u8].Text is { Length: > 0 } value
                && !identifier["use"u8].Is("old"u8)
            )
            {
                all.Add((system, value));
            }
        }
        return all.OrderBy(item => Array.IndexOf(Preferred, item.System) is var at && at < 0 ? Preferred.Length : at);
    }
}
