using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>How much of a resource is wanted: <c>_summary</c> and <c>_elements</c> [search.html#summary]. What is left out is said by the tag
/// SUBSETTED.</summary>
/// <param name="Summary"><c>true</c>, <c>text</c>, <c>data</c>, <c>count</c>, or empty for all.</param>
/// <param name="Elements">Names of <c>_elements</c>; empty for all.</param>
internal sealed record ResourceShape(string Summary, IReadOnlyList<string> Elements)
{
    /// <summary>The whole resource.</summary>
    public static ResourceShape Whole { get; } = new("", []);

    /// <summary>Nothing is left out.</summary>
    public bool IsWhole => Summary is "" or "false" or "count" && Elements.Count == 0;

    /// <summary>Only the number of matches is asked for.</summary>
    public bool CountOnly => Summary == "count";

    /// <summary>Reads the two parameters of a query; null, with a refusal, when one makes no sense.</summary>
    public static ResourceShape? Parse(IReadOnlyList<KeyValuePair<string, string>> query, out Refusal? refusal)
    {
        var (summary, elements) = ("", new List<string>());
        refusal = null;
        foreach (var (name, value) in query)
        {
            if (name == "_summary")
            {
                if (value is not ("true" or "text" or "data" or "count" or "false"))
                {
                    refusal = Refusal.Of(400, "value", "summary", "_summary is true, text, data, count or false.");
                    return null;
                }
                summary = value;
            }
            else if (name == "_elements")
            {
                foreach (var element in value.Split(',', StringSplitOptions.RemoveEmptyEntries))
                {
                    // Type.element is allowed; only the first level is chosen by.
                    var parts = element.Split('.');
                    var at = ResourceTypes.Find(parts[0]) is not null && parts.Length > 1 ? 1 : 0;
                    if (!parts[at].All(char.IsAsciiLetterOrDigit))
                    {
                        refusal = Refusal.Of(
                            400,
                            "value",
                            "elements",
                            "_elements is a list of element names with commas, such as _elements=status,code."
                        );
                        return null;
                    }
                    elements.Add(parts[at]);
                }
            }
        }
        return new ResourceShape(summary, elements);
    }

    /// <summary>The resource as it is wanted.</summary>
    public ReadOnlyMemory<byte> Apply(ReadOnlyMemory<byte> json, FhirElement resource)
    {
        if (IsWhole)
        {
            return json;
        }
        var type = resource["resourceType"u8].Text!;
        var buffer = new ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(buffer, Relaxed))
        {
            writer.WriteStartObject();
            writer.WriteString("resourceType"u8, type);
            if (!resource["meta"u8].Exists)
            {
                writer.WriteStartObject("meta"u8);
                Tag(writer, default);
                writer.WriteEndObject();
            }
            foreach (var child in resource.Children)
            {
                var name = child.Name;
                if (name == "resourceType" || !Wanted(type, name.TrimStart('_')))
                {
                    continue;
                }
                writer.WritePropertyName(child.NameUtf8);
                if (name == "meta" && child.Kind == JsonKind.Object)
                {
                    Meta(writer, child);
                }
                else
                {
                    writer.WriteRawValue(child.Raw, skipInputValidation: true);
                }
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private bool Wanted(string type, string name)
    {
        if (name is "id" or "meta" or "implicitRules")
        {
            return true;
        }
        var known = ElementShape.Find(type, name);
        var required = known is { IsRequired: true };
        if (Elements.Count > 0)
        {
            return required || Elements.Contains(name) || Elements.Any(element => IsChoice(element, name));
        }
        return Summary switch
        {
            "text" => required || name == "text",
            "data" => name != "text",
            _ => required || known is { IsSummary: true },
        };
    }

    // value asks for valueQuantity and the like.
    private static bool IsChoice(string element, string name) =>
        name.Length > element.Length
        && name.StartsWith(element, StringComparison.Ordinal)
        && char.IsAsciiLetterUpper(name[element.Length]);

    private static void Meta(Utf8JsonWriter writer, FhirElement meta)
    {
        writer.WriteStartObject();
        foreach (var child in meta.Children)
        {
            if (!child.NameUtf8.SequenceEqual("tag"u8))
            {
                writer.WritePropertyName(child.NameUtf8);
                writer.WriteRawValue(child.Raw, skipInputValidation: true);
            }
        }
        Tag(writer, meta["tag"u8]);
        writer.WriteEndObject();
    }

    private static void Tag(Utf8JsonWriter writer, FhirElement tags)
    {
        writer.WriteStartArray("tag"u8);
        foreach (var tag in tags.Children)
        {
            writer.WriteRawValue(tag.Raw, skipInputValidation: true);
        }
        writer.WriteStartObject();
        writer.WriteString("system"u8, "http://terminology.hl7.org/CodeSystem/v3-ObservationValue"u8);
        writer.WriteString("code"u8, "SUBSETTED"u8);
        writer.WriteEndObject();
        writer.WriteEndArray();
    }

    private static readonly JsonWriterOptions Relaxed = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };
}
