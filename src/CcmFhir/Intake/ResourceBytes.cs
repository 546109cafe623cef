using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>One replacement in a resource's bytes.</summary>
/// <param name="Offset">Byte offset in the document.</param>
/// <param name="Length">Bytes taken out; 0 inserts.</param>
/// <param name="Bytes">Bytes put in.</param>
internal readonly record struct Splice(int Offset, int Length, byte[] Bytes);

/// <summary>Resources written by splicing what we assign into what was received, so that everything else stays byte for byte as sent.</summary>
internal static class ResourceBytes
{
    /// <summary>The resource with its id, its version, and its references rewritten.</summary>
    /// <param name="resource">As received.</param>
    /// <param name="references">Replacements of references, in any order.</param>
    /// <param name="id">Logical id.</param>
    /// <param name="version">Version.</param>
    /// <param name="at">When we took it.</param>
    public static byte[] Build(
        FhirElement resource,
        List<Splice> references,
        string id,
        long version,
        DateTimeOffset at
    )
    {
        var splices = new List<Splice>(references.Count + 4);
        splices.AddRange(references);
        var type = resource["resourceType"u8];
        var afterType = type.Offset + type.Length;
        var (versionId, updated) = (
            version.ToString(CultureInfo.InvariantCulture),
            at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
        );
        var head = new StringBuilder();
        var idElement = resource["id"u8];
        if (idElement.Exists)
        {
            splices.Add(new Splice(idElement.Offset, idElement.Length, Utf8($"\"{id}\"")));
        }
        else
        {
            head.Append(",\"id\":\"").Append(id).Append('"');
        }
        var meta = resource["meta"u8];
        if (meta.Kind != JsonKind.Object)
        {
            var text = $"{{\"versionId\":\"{versionId}\",\"lastUpdated\":\"{updated}\"}}";
            if (meta.Exists)
            {
                splices.Add(new Splice(meta.Offset, meta.Length, Utf8(text)));
            }
            else
            {
                head.Append(",\"meta\":").Append(text);
            }
        }
        else
        {
            var (versionElement, updatedElement) = (meta["versionId"u8], meta["lastUpdated"u8]);
            var missing = new StringBuilder();
            if (versionElement.Exists)
            {
                splices.Add(new Splice(versionElement.Offset, versionElement.Length, Utf8($"\"{versionId}\"")));
            }
            else
            {
                missing.Append("\"versionId\":\"").Append(versionId).Append('"');
            }
            if (updatedElement.Exists)
            {
                splices.Add(new Splice(updatedElement.Offset, updatedElement.Length, Utf8($"\"{updated}\"")));
            }
            else
            {
                missing.Append(missing.Length > 0 ? "," : "").Append("\"lastUpdated\":\"").Append(updated).Append('"');
            }
            if (missing.Length > 0)
            {
                var empty = !meta.Children.GetEnumerator().MoveNext();
                splices.Add(new Splice(meta.Offset + 1, 0, Utf8(empty ? missing.ToString() : missing + ",")));
            }
        }
        if (head.Length > 0)
        {
            splices.Add(new Splice(afterType, 0, Utf8(head.ToString())));
        }
        return Apply(resource, splices);
    }

    /// <summary>The element's bytes with the replacements made.</summary>
    public static byte[] Apply(FhirElement element, List<Splice> splices)
    {
        splices.Sort(static (left, right) => left.Offset.CompareTo(right.Offset));
        var length = element.Length;
        foreach (var splice in splices)
        {
            length += splice.Bytes.Length - splice.Length;
        }
        var source = element.Document.Source.Span;
        var result = new byte[length];
        var (from, to) = (element.Offset, 0);
        foreach (var splice in splices)
        {
            var kept = source[from..splice.Offset];
            kept.CopyTo(result.AsSpan(to));
            to += kept.Length;
            splice.Bytes.CopyTo(result, to);
            to += splice.Bytes.Length;
            from = splice.Offset + splice.Length;
        }
        source[from..(element.Offset + element.Length)].CopyTo(result.AsSpan(to));
        return result;
    }

    /// <summary>A JSON string with its quotes.</summary>
    public static byte[] Quoted(string text) => JsonSerializer.SerializeToUtf8Bytes(text, Relaxed);

    // Resources are no HTML: what need not be escaped in JSON is left as it is.
    private static readonly JsonSerializerOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text);
}
