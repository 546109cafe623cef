using CcmFhir.Intake;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>One FHIR request as it was understood.</summary>
internal sealed class FhirRequest
{
    private readonly HttpContext http;

    /// <summary>Reads what stands in URL and headers; the body is read when it is asked for.</summary>
    /// <param name="http">The request.</param>
    /// <param name="path">The path below the practice's base.</param>
    public FhirRequest(HttpContext http, string path)
    {
        this.http = http;
        Segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        RawQuery = http.Request.QueryString.HasValue ? http.Request.QueryString.Value![1..] : "";
        Query = QueryText.Parse(RawQuery);
        Method = http.Request.Method;
        foreach (var header in http.Request.Headers["Prefer"])
        {
            foreach (var preference in header?.Split([',', ';'], StringSplitOptions.TrimEntries) ?? [])
            {
                Prefer(preference);
            }
        }
    }

    /// <summary>Segments of the path below the base, in order.</summary>
    public string[] Segments { get; }

    /// <summary>HTTP method.</summary>
    public string Method { get; }

    /// <summary>The query, without the question mark.</summary>
    public string RawQuery { get; }

    /// <summary>The query in order; a form's fields are added by a posted search.</summary>
    public List<KeyValuePair<string, string>> Query { get; }

    /// <summary><c>Prefer: return=</c>: <c>minimal</c>, <c>representation</c>, <c>OperationOutcome</c>; null when nothing is preferred.</summary>
    public string? Return { get; private set; }

    /// <summary><c>Prefer: handling=strict</c>.</summary>
    public bool Strict { get; private set; }

    /// <summary><c>Prefer: respond-async</c> [async.html].</summary>
    public bool RespondAsync { get; private set; }

    /// <summary>Format of the answer.</summary>
    public FhirFormat Format { get; set; }

    /// <summary>Write the answer for people.</summary>
    public bool Pretty { get; set; }

    /// <summary>Who asks, where and when; known once the practice and the client are.</summary>
    public Arrival Arrival { get; set; } = null!;

    /// <summary>What the request asks for, entry by entry, once it is known: of a Bundle, or of a request of its own.</summary>
    public IReadOnlyList<Entry> Entries { get; set; } = [];

    /// <summary>The Bundle is a transaction.</summary>
    public bool IsTransaction { get; set; }

    /// <summary>Aborted when the client goes away.</summary>
    public CancellationToken Cancel => http.RequestAborted;

    /// <summary>The HTTP side of it.</summary>
    public HttpContext Http => http;

    /// <summary>A header's value; null when it is not there.</summary>
    public string? Header(string name) => http.Request.Headers[name] is [{ } value, ..] ? value : null;

    /// <summary>The first value of a parameter; null when it is not there.</summary>
    public string? Parameter(string name)
    {
        foreach (var (key, value) in Query)
        {
            if (key == name)
            {
                return value;
            }
        }
        return null;
    }

    /// <summary>The query without the parameters that only shape the answer: the condition of a conditional interaction.</summary>
    public string? Condition()
    {
        var pairs = Query.Where(pair => pair.Key is not ("_format" or "_pretty")).ToList();
        return pairs.Count == 0 ? null : QueryText.Format(pairs);
    }

    /// <summary>Reads the body as a tree; null, with a refusal, when it cannot be read.</summary>
    public async ValueTask<(FhirElement Root, Refusal? Refusal)> BodyAsync(RequestBody reader)
    {
        var mediaType = http.Request.ContentType;
        var format = mediaType is null ? null : FhirFormats.OfType(mediaType);
        if (format is null)
        {
            return (
                default,
                Refusal.Of(
                    415,
                    "not-supported",
                    "content-type",
                    mediaType is null
                        ? "The request has no Content-Type. Send application/fhir+json or application/fhir+xml, in UTF-8."
                        : "Content-Type is application/fhir+json or application/fhir+xml, FHIR version 4.0, in UTF-8."
                )
            );
        }
        var (bytes, tooMuch) = await reader.ReadAsync(http);
        return bytes is null ? (default, tooMuch) : RequestBody.Parse(bytes, format.Value);
    }

    private void Prefer(string preference)
    {
        var equals = preference.IndexOf('=', StringComparison.Ordinal);
        if (equals < 0)
        {
            RespondAsync |= preference.Equals("respond-async", StringComparison.OrdinalIgnoreCase);
            return;
        }
        var (name, value) = (preference[..equals].Trim(), preference[(equals + 1)..].Trim().Trim('"'));
        if (name.Equals("return", StringComparison.OrdinalIgnoreCase))
        {
            Return = value;
        }
        else if (name.Equals("handling", StringComparison.OrdinalIgnoreCase))
        {
            Strict = value.Equals("strict", StringComparison.OrdinalIgnoreCase);
        }
    }
}
