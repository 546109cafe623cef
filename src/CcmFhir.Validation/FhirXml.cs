using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Xml;

namespace CcmFhir.Validation;

/// <summary>FHIR XML (http://hl7.org/fhir/R4/xml.html) turned into FHIR JSON at the door, so that everything behind it reads one form.
/// Positions stay those of the XML. Document types and entities are refused.</summary>
public static class FhirXml
{
    internal const string Namespace = "http://hl7.org/fhir";

    /// <summary>True when a document begins like XML: after white space and a byte order mark comes <c>&lt;</c>.</summary>
    public static bool Looks(ReadOnlySpan<byte> document)
    {
        document = document is [0xEF, 0xBB, 0xBF, .. var rest] ? rest : document;
        // UTF-16 with its mark: XML may be written so.
        return document is [0xFF, 0xFE, (byte)'<', 0, ..] or [0xFE, 0xFF, 0, (byte)'<', ..]
            || document.TrimStart(" \t\r\n"u8) is [(byte)'<', ..];
    }

    /// <summary>The same resource as FHIR JSON in UTF-8; null when the XML could not be read.</summary>
    /// <param name="xml">The document.</param>
    /// <param name="fault">Why it could not be read; null when it could.</param>
    /// <param name="limits">Bounds; null for <see cref="FhirJsonLimits.Default"/>.</param>
    public static byte[]? ToJson(ReadOnlyMemory<byte> xml, out JsonFault? fault, FhirJsonLimits? limits = null) =>
        Parse(xml, out fault, limits)?.Source.ToArray();

    /// <summary>Reads a document into the tree of its JSON form; lines and columns are those of the XML.</summary>
    /// <param name="xml">The document.</param>
    /// <param name="fault">Why it could not be read; null when it could.</param>
    /// <param name="limits">Bounds; null for <see cref="FhirJsonLimits.Default"/>.</param>
    public static FhirJson? Parse(ReadOnlyMemory<byte> xml, out JsonFault? fault, FhirJsonLimits? limits = null)
    {
        limits ??= FhirJsonLimits.Default;
        if (xml.Length > limits.MaxBytes)
        {
            fault = new JsonFault(
                "xml-size",
                $"The document has {xml.Length} bytes; at most {limits.MaxBytes} are read.",
                0,
                1,
                1
            );
            return null;
        }
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        using var reader = XmlReader.Create(new MemoryStream(xml.ToArray(), writable: false), settings);
        var faults = new XmlFaults();
        var tree = new FhirXmlReader((IXmlLineInfo)reader, faults);
        try
        {
            reader.MoveToContent();
            if (reader.NamespaceURI != Namespace)
            {
                fault = tree.Fault(
                    "xml-namespace",
                    $"The outermost element is not in the namespace {Namespace}; write xmlns=\"{Namespace}\"."
                );
                return null;
            }
            var root = tree.Read(reader, limits, out fault);
            if (root is null)
            {
                return null;
            }
            while (reader.Read())
            {
                // What stands behind the end must be well-formed, too.
            }
            return new Conversion(ProfileSet.Default.Compiler, faults).Write(root, limits, out fault);
        }
        catch (XmlException fail)
        {
            fault = new JsonFault(
                reader.NodeType == XmlNodeType.DocumentType || fail.Message.Contains("DTD", StringComparison.Ordinal)
                    ? "xml-dtd"
                    : "xml-syntax",
                "This is not XML that is read here: " + fail.Message,
                0,
                Math.Max(1, fail.LineNumber),
                Math.Max(1, fail.LinePosition)
            );
            return null;
        }
    }

    private sealed class Conversion(ProfileCompiler compiler, XmlFaults faults)
    {
        private readonly List<(int Offset, int Line, int Column)> map = [];
        private readonly ArrayBufferWriter<byte> buffer = new();

        public FhirJson? Write(XmlNode root, FhirJsonLimits limits, out JsonFault? fault)
        {
            using (
                var writer = new Utf8JsonWriter(
                    buffer,
                    new JsonWriterOptions
                    {
                        SkipValidation = true,
                        MaxDepth = 1000,
                        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
                    }
                )
            )
            {
                Mark(writer, root);
                Resource(writer, root);
            }
            // One element of XML may become two levels of JSON: an array and its item.
            var json = FhirJson.Parse(
                buffer.WrittenSpan.ToArray(),
                out fault,
                limits with
                {
                    MaxDepth = limits.MaxDepth * 2,
                    MaxBytes = int.MaxValue,
                }
            );
            return json?.WithOrigin([.. map], faults.All);
        }

        private void Mark(Utf8JsonWriter writer, XmlNode node) =>
            map.Add(((int)(writer.BytesCommitted + writer.BytesPending), node.Line, node.Column));

        private void Resource(Utf8JsonWriter writer, XmlNode node)
        {
            writer.WriteStartObject();
            writer.WriteString("resourceType", node.Name);
            Properties(writer, node, compiler.ResourceTypeByName(node.Name)?.Shape);
            writer.WriteEndObject();
        }

        private void Properties(Utf8JsonWriter writer, XmlNode node, Shape? shape)
        {
            if (node.Id is not null)
            {
                writer.WriteString("id", node.Id);
            }
            if (node.Url is not null)
            {
                writer.WriteString("url", node.Url);
            }
            Order(node, shape);
            foreach (var group in node.Children.GroupBy(child => child.Name, StringComparer.Ordinal))
            {
                var items = group.ToArray();
                var index = shape?.Names.Find(Encoding.UTF8.GetBytes(group.Key)) ?? -1;
                if (index < 0)
                {
                    Unknown(writer, group.Key, items);
                    continue;
                }
                var entry = shape!.Entries[index];
                var slot = shape.Slots[entry.Slot];
                var isArray = slot.IsArray || items.Length > 1;
                var type = slot.Types[entry.Type];
                if (type.IsPrimitive)
                {
                    Primitives(writer, group.Key, items, type, isArray);
                    continue;
                }
                Mark(writer, items[0]);
                writer.WritePropertyName(group.Key);
                if (isArray)
                {
                    writer.WriteStartArray();
                }
                foreach (var item in items)
                {
                    Mark(writer, item);
                    if (type.IsAnyResource)
                    {
                        Held(writer, item);
                        continue;
                    }
                    writer.WriteStartObject();
                    Properties(writer, item, slot.Inner is { IsType: true } inner ? inner : type.Shape);
                    if (item.Value is not null)
                    {
                        writer.WriteString("value", item.Value);
                    }
                    writer.WriteEndObject();
                }
                if (isArray)
                {
                    writer.WriteEndArray();
                }
            }
        }

        private void Held(Utf8JsonWriter writer, XmlNode holder)
        {
            if (holder.Children is not [var resource])
            {
                faults.Add(
                    new JsonFault(
                        "xml-resource",
                        $"<{holder.Name}> holds exactly one resource; here it holds {holder.Children.Count}.",
                        0,
                        holder.Line,
                        holder.Column
                    )
                );
            }
            if (holder.Children.Count == 0)
            {
                writer.WriteStartObject();
                writer.WriteEndObject();
                return;
            }
            Mark(writer, holder.Children[0]);
            Resource(writer, holder.Children[0]);
        }

        private void Primitives(Utf8JsonWriter writer, string name, XmlNode[] items, TypeLink type, bool isArray)
        {
            var hasValues = items.Any(item => item.Value is not null || item.Xhtml is not null);
            var hasSiblings = items.Any(HasSibling);
            if (hasValues || !hasSiblings)
            {
                Mark(writer, items[0]);
                writer.WritePropertyName(name);
                if (isArray)
                {
                    writer.WriteStartArray();
                }
                foreach (var item in items)
                {
                    Mark(writer, item);
                    Primitive(writer, item, type);
                }
                if (isArray)
                {
                    writer.WriteEndArray();
                }
            }
            if (!hasSiblings)
            {
                return;
            }
            Mark(writer, items[0]);
            writer.WritePropertyName("_" + name);
            if (isArray)
            {
                writer.WriteStartArray();
            }
            foreach (var item in items)
            {
                Mark(writer, item);
                if (!HasSibling(item))
                {
                    writer.WriteNullValue();
                    continue;
                }
                writer.WriteStartObject();
                Properties(writer, item, compiler.PrimitiveChildren);
                writer.WriteEndObject();
            }
            if (isArray)
            {
                writer.WriteEndArray();
            }
        }

        private static bool HasSibling(XmlNode item) =>
            item.Xhtml is null && (item.Id is not null || item.Children.Count > 0);

        private static void Primitive(Utf8JsonWriter writer, XmlNode item, TypeLink type)
        {
            var text = item.Xhtml ?? item.Value;
            if (text is null)
            {
                writer.WriteNullValue();
            }
            else if (IsRaw(type.Primitive, text))
            {
                writer.WriteRawValue(text, skipInputValidation: true);
            }
            else
            {
                writer.WriteStringValue(text);
            }
        }

        /// <summary>True for what JSON writes without quotes. Anything else stays a string, which the check of the type then names.</summary>
        private static bool IsRaw(Rules.Primitive type, string text)
        {
            if (type == Rules.Primitive.Boolean)
            {
                return text is "true" or "false";
            }
            if (!Rules.PrimitiveFormat.HasKind(type, JsonKind.Number))
            {
                return false;
            }
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            try
            {
                return reader.Read()
                    && reader.TokenType == JsonTokenType.Number
                    && !reader.Read()
                    && text.Trim() == text;
            }
            catch (JsonException)
            {
                return false;
            }
        }

        private void Unknown(Utf8JsonWriter writer, string name, XmlNode[] items)
        {
            Mark(writer, items[0]);
            writer.WritePropertyName(name);
            writer.WriteStartObject();
            writer.WriteEndObject();
        }

        /// <summary>XML elements come in the order of the definition, repeats side by side.</summary>
        private void Order(XmlNode node, Shape? shape)
        {
            if (shape is null)
            {
                return;
            }
            var last = -1;
            foreach (var child in node.Children)
            {
                var index = shape.Names.Find(Encoding.UTF8.GetBytes(child.Name));
                if (index < 0)
                {
                    continue;
                }
                var slot = shape.Entries[index].Slot;
                if (slot < last)
                {
                    faults.Add(
                        new JsonFault(
                            "xml-order",
                            $"<{child.Name}> stands too late: in <{node.Name}> it comes before <{shape.Slots[last].Name}>.",
                            0,
                            child.Line,
                            child.Column
                        )
                    );
                }
                last = Math.Max(last, slot);
            }
        }
    }
}
