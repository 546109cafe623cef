using System.Globalization;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>What one request to an EHR came to. There is always one: a broken connection is an answer too.</summary>
internal sealed record EhrAnswer
{
    /// <summary>Most bytes of an answer that are journalled.</summary>
    private const int KeptBytes = 32 * 1024;

    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

    private FhirJson? json;
    private bool parsed;

    /// <summary>HTTP status; 0 when none came.</summary>
    public int Status { get; init; }

    /// <summary>One of <see cref="DeliveryProblem"/> when no whole answer came; null when one did.</summary>
    public string? Problem { get; init; }

    /// <summary>What happened on the way, for a person; null when a whole answer came.</summary>
    public string? Text { get; init; }

    /// <summary>False where the request surely did not reach the EHR.</summary>
    public bool Left { get; init; } = true;

    /// <summary>Location, as sent.</summary>
    public string? Location { get; init; }

    /// <summary>ETag without W/ and quotes.</summary>
    public string? Version { get; init; }

    /// <summary>The instant before which the EHR wants no further request; null when it said nothing.</summary>
    public DateTimeOffset? RetryAfter { get; init; }

    /// <summary>The body.</summary>
    public byte[] Body { get; init; } = [];

    /// <summary>2xx.</summary>
    public bool Success => Status is >= 200 and < 300;

    /// <summary>The body as FHIR JSON; null when it is none.</summary>
    public FhirJson? Json
    {
        get
        {
            if (!parsed)
            {
                parsed = true;
                json = Body.Length == 0 ? null : FhirJson.Parse(Body, out _);
            }
            return json;
        }
    }

    /// <summary>Type of the resource in the body; null when there is none.</summary>
    public string? ResourceType => Json?.Root["resourceType"u8].Text;

    /// <summary>What is kept of the body in the journal: JSON as it is, else the beginning of the text.</summary>
    public JsonElement? Kept
    {
        get
        {
            if (Body.Length == 0)
            {
                return null;
            }
            if (Body.Length <= KeptBytes && Json is not null)
            {
                using var document = JsonDocument.Parse(Body);
                return document.RootElement.Clone();
            }
            return JsonSerializer.SerializeToElement(Encoding.UTF8.GetString(Body, 0, Math.Min(Body.Length, 500)));
        }
    }

    /// <summary>Retry-After as an instant, at most a day away: nobody switches us off for longer by a header.</summary>
    public static DateTimeOffset? RetryAt(RetryConditionHeaderValue? header, DateTimeOffset now) =>
        header switch
        {
            { Delta: { } delta } => now + (delta < LongestWait ? delta : LongestWait),
            { Date: { } date } => date < now + LongestWait ? date : now + LongestWait,
            _ => null,
        };

    /// <summary>The first diagnostics or details of an OperationOutcome in the body, shortened; empty when there are none.</summary>
    public string OutcomeText()
    {
        if (ResourceType != "OperationOutcome")
        {
            return "";
        }
        var said = new List<string>();
        foreach (var issue in Json!.Root["issue"u8].Items)
        {
            var text = issue["diagnostics"u8].Text ?? issue["details"u8]["text"u8].Text ?? issue["code"u8].Text;
            if (text is not null && said.Count < 5)
            {
                said.Add(text.Length > 300 ? text[..300] : text);
            }
        }
        return string.Join("; ", said);
    }

    /// <summary>Words for the status: <c>HTTP 422</c>.</summary>
    public string StatusText => string.Create(CultureInfo.InvariantCulture, $"HTTP {Status}");
}
