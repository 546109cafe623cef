using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Fhir.Search;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Writes the Bundles that we answer with: searchset, history, transaction-response and batch-response.</summary>
internal static class BundleWriter
{
    private static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    /// <summary>A page of matches.</summary>
    /// <param name="baseUrl">Our base URL for the practice; fullUrls stand below it.</param>
    /// <param name="links">Relation and URL of each link.</param>
    /// <param name="total">All matches, not only this page's.</param>
    /// <param name="matches">This page's.</param>
    /// <param name="included">What it takes along.</param>
    /// <param name="notes">What the client must know of its query; empty for nothing.</param>
    /// <param name="shape">How much of each resource.</param>
    public static byte[] Searchset(
        string baseUrl,
        IReadOnlyList<KeyValuePair<string, string>> links,
        int total,
        IReadOnlyList<Found> matches,
        IReadOnlyList<Found> included,
        IReadOnlyList<Issue> notes,
        ResourceShape shape
    )
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            Start(json, "searchset", links);
            json.WriteNumber("total"u8, total);
            if (matches.Count + included.Count + notes.Count > 0)
            {
                json.WriteStartArray("entry"u8);
                foreach (var match in matches)
                {
                    SearchEntry(json, baseUrl, match.Resource, "match", shape);
                }
                foreach (var found in included)
                {
                    SearchEntry(json, baseUrl, found.Resource, "include", shape);
                }
                if (notes.Count > 0)
                {
                    json.WriteStartObject();
                    json.WritePropertyName("resource"u8);
                    OutcomeWriter.Write(json, notes);
                    json.WriteStartObject("search"u8);
                    json.WriteString("mode"u8, "outcome"u8);
                    json.WriteEndObject();
                    json.WriteEndObject();
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>A page of versions, newest first.</summary>
    public static byte[] History(
        string baseUrl,
        IReadOnlyList<KeyValuePair<string, string>> links,
        int total,
        IReadOnlyList<ResourceVersions> versions,
        ResourceShape shape
    )
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            Start(json, "history", links);
            json.WriteNumber("total"u8, total);
            if (versions.Count > 0)
            {
                json.WriteStartArray("entry"u8);
                foreach (var version in versions)
                {
                    HistoryEntry(json, baseUrl, version, shape);
                }
                json.WriteEndArray();
            }
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The answers to the entries of a transaction or batch, in the client's order.</summary>
    /// <param name="type"><c>transaction-response</c> or <c>batch-response</c>.</param>
    /// <param name="entries">The entries with their answers.</param>
    /// <param name="baseUrl">Our base URL for the practice.</param>
    /// <param name="prefer"><c>minimal</c>, <c>representation</c> or <c>OperationOutcome</c>.</param>
    public static byte[] Response(string type, IReadOnlyList<Entry> entries, string baseUrl, string prefer)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + (entries.Count * 256));
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("resourceType"u8, "Bundle"u8);
            json.WriteString("type"u8, type);
            json.WriteStartArray("entry"u8);
            foreach (var entry in entries)
            {
                ResponseEntry(json, entry, baseUrl, prefer);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Status with its name, as in <c>response.status</c>.</summary>
    public static string StatusLine(int status) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{status} {Microsoft.AspNetCore.WebUtilities.ReasonPhrases.GetReasonPhrase(status)}"
        );

    private static void Start(Utf8JsonWriter json, string type, IReadOnlyList<KeyValuePair<string, string>> links)
    {
        json.WriteStartObject();
        json.WriteString("resourceType"u8, "Bundle"u8);
        json.WriteString("type"u8, type);
        json.WriteStartArray("link"u8);
        foreach (var (relation, url) in links)
        {
            json.WriteStartObject();
            json.WriteString("relation"u8, relation);
            json.WriteString("url"u8, url);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void SearchEntry(
        Utf8JsonWriter json,
        string baseUrl,
        StoredResource resource,
        string mode,
        ResourceShape shape
    )
    {
        json.WriteStartObject();
        json.WriteString("fullUrl"u8, $"{baseUrl}/{resource.Reference}");
        json.WritePropertyName("resource"u8);
        Resource(json, resource, shape);
        json.WriteStartObject("search"u8);
        json.WriteString("mode"u8, mode);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void HistoryEntry(Utf8JsonWriter json, string baseUrl, ResourceVersions version, ResourceShape shape)
    {
        var resource = version.Current;
        json.WriteStartObject();
        json.WriteString("fullUrl"u8, $"{baseUrl}/{resource.Reference}");
        if (!resource.Deleted)
        {
            json.WritePropertyName("resource"u8);
            Resource(json, resource, shape);
        }
        json.WriteStartObject("request"u8);
        json.WriteString(
            "method"u8,
            resource.Deleted ? "DELETE"u8
                : version.Previous is null ? "POST"u8
                : "PUT"u8
        );
        json.WriteString("url"u8, version.Previous is null ? resource.Type : resource.Reference);
        json.WriteEndObject();
        json.WriteStartObject("response"u8);
        json.WriteString(
            "status"u8,
            StatusLine(
                resource.Deleted ? 204
                : version.Previous is null ? 201
                : 200
            )
        );
        json.WriteString("etag"u8, Preconditions.ETag(resource.VersionId));
        json.WriteString("lastModified"u8, Instant(resource.LastUpdated));
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void ResponseEntry(Utf8JsonWriter json, Entry entry, string baseUrl, string prefer)
    {
        json.WriteStartObject();
        if (!entry.Refused)
        {
            if (!entry.AnswerBody.IsEmpty)
            {
                json.WritePropertyName("resource"u8);
                json.WriteRawValue(entry.AnswerBody.Span, skipInputValidation: true);
            }
            else if (
                entry.Answer is { Deleted: false } answer
                && entry.Status != 304
                && (entry.Verb == Verb.Get || prefer == "representation")
            )
            {
                json.WriteString("fullUrl"u8, $"{baseUrl}/{answer.Reference}");
                json.WritePropertyName("resource"u8);
                json.WriteRawValue(answer.Json.Span, skipInputValidation: true);
            }
        }
        json.WriteStartObject("response"u8);
        json.WriteString("status"u8, StatusLine(entry.Refused ? entry.RefusedWith : entry.Status));
        if (entry is { Refused: false, Answer: { } version })
        {
            if (entry.Verb is Verb.Post or Verb.Put or Verb.Patch)
            {
                json.WriteString("location"u8, $"{baseUrl}/{version.Reference}/_history/{version.VersionId}");
            }
            json.WriteString("etag"u8, Preconditions.ETag(version.VersionId));
            json.WriteString("lastModified"u8, Instant(version.LastUpdated));
        }
        if (entry.Refused)
        {
            json.WritePropertyName("outcome"u8);
            OutcomeWriter.Write(json, entry.Issues);
        }
        else if (prefer == "OperationOutcome" && entry.Verb != Verb.Get)
        {
            json.WritePropertyName("outcome"u8);
            OutcomeWriter.Write(json, entry.Warnings);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    private static void Resource(Utf8JsonWriter json, StoredResource resource, ResourceShape shape) =>
        json.WriteRawValue(
            (shape.IsWhole ? resource.Json : shape.Apply(resource.Json, PracticeRecords.Parse(resource))).Span,
            skipInputValidation: true
        );

    private static string Instant(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
