using System.IO.Compression;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Reads request bodies whole, within bounds: bytes as they come, and bytes unpacked, so that a small body cannot grow without end.</summary>
/// <param name="clock">The clock that slow bodies are measured by.</param>
/// <param name="maxBytes">Largest body in bytes, unpacked, inclusive.</param>
/// <param name="maxSeconds">How long a body may take to come.</param>
internal sealed class RequestBody(
    TimeProvider clock,
    int maxBytes = RequestBody.DefaultMax,
    int maxSeconds = RequestBody.DefaultSeconds
)
{
    /// <summary>How long a body may take when nothing is set: two minutes.</summary>
    public const int DefaultSeconds = 120;

    /// <summary>Largest body when nothing is set: 64 MiB.</summary>
    public const int DefaultMax = 64 * 1024 * 1024;

    /// <summary>The body's bytes; null, with a refusal, when it is too large or packed in a way that we do not know.</summary>
    public async ValueTask<(byte[]? Bytes, Refusal? Refusal)> ReadAsync(HttpContext http)
    {
        var encoding = http.Request.Headers.ContentEncoding is [{ Length: > 0 } named, ..]
            ? named.ToLowerInvariant()
            : "identity";
        var length = http.Request.ContentLength;
        if (length > maxBytes)
        {
            return (null, TooLarge());
        }
        var body = http.Request.Body;
        Stream? unpacked = encoding switch
        {
            "identity" => body,
            "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress, leaveOpen: true),
            "br" => new BrotliStream(body, CompressionMode.Decompress, leaveOpen: true),
            "deflate" => new ZLibStream(body, CompressionMode.Decompress, leaveOpen: true),
            _ => null,
        };
        if (unpacked is null)
        {
            return (
                null,
                Refusal.Of(
                    415,
                    "not-supported",
                    "content-encoding",
                    "Content-Encoding is gzip, br or deflate, or none."
                )
            );
        }
        using var time = new CancellationTokenSource(TimeSpan.FromSeconds(maxSeconds), clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(time.Token, http.RequestAborted);
        try
        {
            return await ReadAsync(unpacked, encoding == "identity" ? length : null, either.Token);
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            // Nobody waits for the rest.
            http.Response.Headers.Connection = "close";
            return (
                null,
                Refusal.Of(
                    408,
                    "timeout",
                    "body-time",
                    FormattableString.Invariant(
                        $"The body did not come within {maxSeconds} seconds. Nothing was changed; send it again, in smaller parts or over a faster line."
                    )
                )
            );
        }
        catch (InvalidDataException)
        {
            return (
                null,
                Refusal.Of(
                    400,
                    "structure",
                    "content-encoding",
                    $"The body is not what its Content-Encoding ({encoding}) says."
                )
            );
        }
        finally
        {
            if (!ReferenceEquals(unpacked, body))
            {
                await unpacked.DisposeAsync();
            }
        }
    }

    /// <summary>Reads a document; a fault says where.</summary>
    public static (FhirElement Root, Refusal? Refusal) Parse(byte[] bytes, FhirFormat format)
    {
        if (bytes.Length == 0)
        {
            return (default, Refusal.Of(400, "structure", "body-empty", "The request has no body. Send a resource."));
        }
        var document =
            format == FhirFormat.Xml ? FhirXml.Parse(bytes, out var fault) : FhirJson.Parse(bytes, out fault);
        if (document is null)
        {
            return (default, Unreadable(fault!));
        }
        if (document.Faults.Count > 0)
        {
            return (default, new Refusal(400, [.. document.Faults.Select(IssueOf)]));
        }
        return document.Root.Kind == JsonKind.Object
            ? (document.Root, null)
            : (
                default,
                Refusal.Of(
                    400,
                    "structure",
                    "json-object",
                    "A resource is a JSON object with resourceType.",
                    "",
                    document.Root
                )
            );
    }

    private static Refusal Unreadable(JsonFault fault) =>
        new(fault.Rule.EndsWith("-size", StringComparison.Ordinal) ? 413 : 400, [IssueOf(fault)]);

    private static Issue IssueOf(JsonFault fault) =>
        new()
        {
            Severity = Severity.Fatal,
            Type = fault.Rule.EndsWith("-size", StringComparison.Ordinal) ? "too-long" : "structure",
            Rule = fault.Rule,
            Expression = "",
            Text = fault.Text,
            Line = fault.Line,
            Column = fault.Column,
        };

    private async ValueTask<(byte[]?, Refusal?)> ReadAsync(Stream stream, long? length, CancellationToken cancel)
    {
        if (length is { } known)
        {
            var exact = new byte[known];
            var read = await stream.ReadAtLeastAsync(exact, exact.Length, throwOnEndOfStream: false, cancel);
            return (read == exact.Length ? exact : exact[..read], null);
        }
        var buffer = new byte[16 * 1024];
        var count = 0;
        while (true)
        {
            if (count == buffer.Length)
            {
                if (count > maxBytes)
                {
                    return (null, TooLarge());
                }
                Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, maxBytes + 1L));
            }
            var read = await stream.ReadAsync(buffer.AsMemory(count), cancel);
            if (read == 0)
            {
                return (buffer[..count], null);
            }
            count += read;
        }
    }

    private Refusal TooLarge() =>
        Refusal.Of(
            413,
            "too-long",
            "body-size",
            FormattableString.Invariant(
                $"The body is larger than {maxBytes} bytes (unpacked). Send it in parts: one Bundle a patient, for example."
            )
        );
}
