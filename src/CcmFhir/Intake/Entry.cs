using System.Globalization;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>HTTP verbs of FHIR interactions, in R4's order of processing a transaction [http.html 3.1.0.11.2].</summary>
internal enum Verb
{
    /// <summary>DELETE.</summary>
    Delete,

    /// <summary>POST.</summary>
    Post,

    /// <summary>PUT.</summary>
    Put,

    /// <summary>PATCH; with PUT in the order.</summary>
    Patch,

    /// <summary>GET and HEAD.</summary>
    Get,
}

/// <summary>One thing that a client asks for: an entry of a Bundle, or a request of its own. What is found on the way is kept beside
/// the question, so that the answer stands in the client's order and names the client's own entry.</summary>
internal sealed class Entry
{
    /// <summary>Place in the client's Bundle, from 0; null for a request of its own.</summary>
    public int? Index { get; init; }

    /// <summary>What to do.</summary>
    public Verb Verb { get; set; }

    /// <summary>Resource type, from the URL; empty when the URL could not be read.</summary>
    public string Type { get; set; } = "";

    /// <summary>Logical id from the URL (PUT, PATCH, DELETE), or given in a collection.</summary>
    public string? Id { get; set; }

    /// <summary>Query of a conditional update, patch or delete; for a GET the whole relative URL.</summary>
    public string? Criteria { get; set; }

    /// <summary>As sent.</summary>
    public string? IfMatch { get; set; }

    /// <summary>As sent.</summary>
    public string? IfNoneMatch { get; set; }

    /// <summary>As sent.</summary>
    public string? IfModifiedSince { get; set; }

    /// <summary>Query of a conditional create; what stands before a question mark is left out.</summary>
    public string? IfNoneExist
    {
        get;
        set => field = value?[(value.IndexOf('?', StringComparison.Ordinal) + 1)..];
    }

    /// <summary>The resource (for PATCH: the patch); not there for DELETE and GET.</summary>
    public FhirElement Resource { get; set; }

    /// <summary>fullUrl, as sent.</summary>
    public string? FullUrl { get; init; }

    /// <summary>An update of a resource that the client names but may be new: entries of a collection.</summary>
    public bool FromCollection { get; init; }

    /// <summary>FHIRPath of the resource in what the client sent.</summary>
    public string ResourcePath =>
        Index is { } index ? string.Create(CultureInfo.InvariantCulture, $"Bundle.entry[{index}].resource") : Type;

    /// <summary>FHIRPath of the entry; empty for a request of its own.</summary>
    public string Path =>
        Index is { } index ? string.Create(CultureInfo.InvariantCulture, $"Bundle.entry[{index}]") : "";

    /// <summary>Where references stand in the resource.</summary>
    public List<ReferenceSite> Sites { get; } = [];

    /// <summary>What is wrong with it.</summary>
    public List<Issue> Issues { get; } = [];

    /// <summary>Status of the refusal, when there is one.</summary>
    public int RefusedWith { get; private set; }

    /// <summary>It is refused.</summary>
    public bool Refused => RefusedWith != 0;

    /// <summary>Status of the answer; 0 until there is one.</summary>
    public int Status { get; set; }

    /// <summary>The version that the answer speaks of.</summary>
    public StoredResource? Answer { get; set; }

    /// <summary>The answer's version is one that this entry wrote; what was sent again unchanged writes none.</summary>
    public bool Wrote { get; set; }

    /// <summary>Body of the answer to a GET that is no single resource (a search), FHIR JSON.</summary>
    public ReadOnlyMemory<byte> AnswerBody { get; set; }

    /// <summary>Logical id of the resource that is written, once it is known.</summary>
    public string? TargetId { get; set; }

    /// <summary>Stream that the resource lives in, once it is known.</summary>
    public string? Stream { get; set; }

    /// <summary>Logical id of the patient whose stream it is; null for the directory.</summary>
    public string? Patient { get; set; }

    /// <summary>How many derived ids were found taken.</summary>
    public int IdTries { get; set; }

    /// <summary>A reservation of the same condition whose resource is gone.</summary>
    public string? ReservationReplaces { get; set; }

    /// <summary>The conditional create found what it asks for, so nothing is written.</summary>
    public bool Matched { get; set; }

    /// <summary>The entry of the same Bundle whose resource this conditional create means.</summary>
    public Entry? SameAs { get; set; }

    /// <summary>Warnings that go with a success, for <c>Prefer: return=OperationOutcome</c>.</summary>
    public List<Issue> Warnings { get; } = [];

    /// <summary>Refuses it. The status of the first reason stands.</summary>
    public void Refuse(int status, Issue issue)
    {
        if (RefusedWith == 0)
        {
            RefusedWith = status;
        }
        Issues.Add(issue with { EntryIndex = Index, FullUrl = FullUrl });
    }

    /// <summary>Refuses it with one reason.</summary>
    public void Refuse(
        int status,
        string type,
        string rule,
        string text,
        string? expression = null,
        FhirElement at = default
    ) => Refuse(status, Fhir.Refusal.Because(type, rule, text, expression ?? Path, at));

    /// <summary>Forgets what a try found, before the next try.</summary>
    public void Rewind(int issues, int refusedWith)
    {
        Issues.RemoveRange(issues, Issues.Count - issues);
        RefusedWith = refusedWith;
        Status = 0;
        Answer = null;
        Wrote = false;
        AnswerBody = default;
        TargetId = null;
        Stream = null;
        Patient = null;
        Matched = false;
        SameAs = null;
    }
}
