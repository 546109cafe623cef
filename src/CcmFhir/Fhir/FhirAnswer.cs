using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>An answer before it is written: status, body as FHIR JSON, headers.</summary>
/// <param name="Status">HTTP status.</param>
/// <param name="Body">FHIR JSON; empty for none.</param>
internal sealed record FhirAnswer(int Status, ReadOnlyMemory<byte> Body)
{
    /// <summary>The version that the answer speaks of: ETag and Last-Modified.</summary>
    public StoredResource? Version { get; init; }

    /// <summary>Location of what was written; null for none.</summary>
    public string? Location { get; init; }

    /// <summary>Further headers, by name.</summary>
    public IReadOnlyDictionary<string, string>? Headers { get; init; }

    /// <summary>Media type of a body that is no FHIR resource; null for FHIR.</summary>
    public string? MediaType { get; init; }

    /// <summary>Methods that the address knows, for a 405.</summary>
    public string? Allow { get; init; }

    /// <summary>Why nothing was done; null when it was.</summary>
    public Refusal? Refused { get; init; }

    /// <summary>A refusal as an OperationOutcome.</summary>
    public static FhirAnswer Of(Refusal refusal) =>
        new(refusal.Status, OutcomeWriter.ToBytes(refusal.Issues)) { Refused = refusal };

    /// <summary>Writes it in the format that the client wants.</summary>
    public async Task WriteAsync(HttpContext http, FhirFormat format, bool pretty)
    {
        var response = http.Response;
        response.StatusCode = Status;
        if (Version is { } version)
        {
            response.Headers.ETag = Preconditions.ETag(version.VersionId);
            response.Headers.LastModified = version.LastUpdated.UtcDateTime.ToString("R", CultureInfo.InvariantCulture);
        }
        if (Location is not null)
        {
            response.Headers.Location = Location;
        }
        if (Allow is not null)
        {
            response.Headers.Allow = Allow;
        }
        foreach (var (name, value) in Headers ?? new Dictionary<string, string>(StringComparer.Ordinal))
        {
            response.Headers[name] = value;
        }
        response.Headers.CacheControl = "private, no-cache";
        response.Headers.Vary = "Accept, Accept-Encoding, Authorization";
        if (Body.IsEmpty || Status is 204 or 304)
        {
            if (Status is not (204 or 304))
            {
                response.ContentLength = 0;
            }
            return;
        }
        var bytes =
            format == FhirFormat.Xml ? AsXml(Body, pretty)
            : pretty ? Indented(Body)
            : Body;
        response.ContentType = MediaType ?? FhirFormats.MediaType(format);
        response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await response.Body.WriteAsync(bytes, http.RequestAborted);
        }
    }

    private static ReadOnlyMemory<byte> AsXml(ReadOnlyMemory<byte> json, bool pretty) =>
        XmlBody.ToBytes(FhirJson.Parse(json.ToArray(), out _, Ours)!.Root, pretty);

    // A Bundle nests its resources deeper than a client may.
    private static readonly FhirJsonLimits Ours = new(MaxBytes: int.MaxValue, MaxDepth: 128);

    private static ReadOnlyMemory<byte> Indented(ReadOnlyMemory<byte> json)
    {
        var buffer = new ArrayBufferWriter<byte>(json.Length * 2);
        using (var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 128 }))
        using (
            var writer = new Utf8JsonWriter(
                buffer,
                new JsonWriterOptions { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            document.RootElement.WriteTo(writer);
        }
        return buffer.WrittenMemory;
    }
}
