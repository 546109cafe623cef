using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Options;
using CcmFhir.Trail;
using CcmFhir.Validation;

namespace CcmFhir.Ehr.Receiving;

/// <summary>What became of fetched resources.</summary>
/// <param name="Changed">New, changed or deleted here.</param>
/// <param name="Unchanged">Known already as they are, or not for us.</param>
/// <param name="Refused">Refused: resource, rule and what is wrong.</param>
internal sealed record TakenReport(int Changed, int Unchanged, IReadOnlyList<RefusedFetch> Refused)
{
    /// <summary>Nothing.</summary>
    public static TakenReport None { get; } = new(0, 0, []);

    /// <summary>Both together.</summary>
    public static TakenReport operator +(TakenReport left, TakenReport right) =>
        new(left.Changed + right.Changed, left.Unchanged + right.Unchanged, [.. left.Refused, .. right.Refused]);
}

/// <summary>A fetched resource that intake refused.</summary>
/// <param name="Reference"><c>Type/id</c>.</param>
/// <param name="Rule">Rule id.</param>
/// <param name="Text">What is wrong and what would be right.</param>
internal sealed record RefusedFetch(string Reference, string Rule, string Text);

/// <summary>Takes in what was fetched from a practice's EHR, through the same door as what is posted. Fetching the same again changes nothing.</summary>
/// <param name="receive">The intake.</param>
/// <param name="trail">The audit trail; null where there is none (the command line).</param>
/// <param name="clock">The clock.</param>
internal sealed class TakeFetched(ReceiveBundle receive, AccessTrail? trail, TimeProvider clock)
{
    private static ReadOnlySpan<byte> OwnClaims => "http://ccmfhir.org/fhir/claim"u8;

    /// <summary>Takes resources in, as updates under the EHR's ids.</summary>
    /// <param name="file">The practice.</param>
    /// <param name="resources">As the EHR gave them.</param>
    /// <param name="deleted">Resources that the EHR has deleted, <c>Type/id</c>.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<TakenReport> RunAsync(
        PracticeFile file,
        IEnumerable<FhirElement> resources,
        IEnumerable<string> deleted,
        CancellationToken cancel
    )
    {
        var (entries, passed) = Entries(resources, deleted);
        if (entries.Count == 0)
        {
            return TakenReport.None with { Unchanged = passed };
        }
        var arrival = new Arrival(
            Receiver.Of(file),
            AccessContext.Unrestricted(file.Practice.Slug, Client(file)),
            Arrival.ToMillisecond(clock.GetUtcNow())
        );
        await receive.RunAsync(arrival, new BundleRequest(BundleKind.Batch, entries), cancel);
        Note(arrival);
        var refused = entries.Where(entry => entry.Refused).ToList();
        var changed = entries.Count(entry => !entry.Refused && entry.Wrote);
        return new TakenReport(
            changed,
            entries.Count - refused.Count - changed + passed,
            [
                .. refused.Select(entry => new RefusedFetch(
                    $"{entry.Type}/{entry.Id}",
                    entry.Issues[0].Rule,
                    entry.Issues[0].Text
                )),
            ]
        );
    }

    /// <summary>The entries that fetched resources make, and how many are not for us.</summary>
    public static (List<Entry> Entries, int Passed) Entries(
        IEnumerable<FhirElement> resources,
        IEnumerable<string> deleted
    )
    {
        var entries = new List<Entry>();
        var passed = 0;
        foreach (var resource in resources)
        {
            if (Put(resource, entries.Count) is { } entry)
            {
                entries.Add(entry);
            }
            else
            {
                passed++;
            }
        }
        foreach (var reference in deleted)
        {
            if (
                reference.Split('/') is [var name, var id]
                && ResourceTypes.Find(name) is { } type
                && LogicalId.IsValid(id)
            )
            {
                entries.Add(
                    new Entry
                    {
                        Index = entries.Count,
                        Verb = Verb.Delete,
                        Type = type,
                        Id = id,
                    }
                );
            }
        }
        return (entries, passed);
    }

    /// <summary>What journal and Provenance name as the one whom fetched data comes from.</summary>
    public static string Client(PracticeFile file) => file.Ehr!.BaseUrl.AbsoluteUri.TrimEnd('/');

    private static Entry? Put(FhirElement resource, int index)
    {
        if (
            ResourceTypes.Find(resource["resourceType"u8].Text ?? "") is not { } type
            || resource["id"u8].Text is not { } id
            || !LogicalId.IsValid(id)
            || type is "OperationOutcome" or "AuditEvent"
            // Our own claims come back from where they were delivered; as somebody else's they would stand against themselves.
            || IsOwnClaim(resource)
        )
        {
            return null;
        }
        return new Entry
        {
            Index = index,
            Verb = Verb.Put,
            Type = type,
            Id = id,
            Resource = resource,
        };
    }

    private static bool IsOwnClaim(FhirElement resource)
    {
        foreach (var identifier in resource["identifier"u8].Items)
        {
            if (identifier["system"u8].Is(OwnClaims))
            {
                return true;
            }
        }
        return false;
    }

    private void Note(Arrival arrival)
    {
        if (arrival.Touched.Entries is { } wrote)
        {
            trail?.Note(
                new TrailRecord
                {
                    Practice = arrival.Practice.Slug,
                    At = arrival.Now,
                    By = arrival.Access.Client,
                    Do = "operation",
                    Status = 200,
                    Wrote = wrote,
                }
            );
        }
    }
}
