using System.Text;
using System.Xml;

namespace CcmFhir.Validation;

/// <summary>An element of FHIR XML before it is known what its type is.</summary>
internal sealed class XmlNode(string name, int line, int column)
{
    public string Name => name;

    public int Line => line;

    public int Column => column;

    public string? Value { get; set; }

    public string? Id { get; set; }

    public string? Url { get; set; }

    public string? Xhtml { get; set; }

    public List<XmlNode> Children { get; } = [];
}

/// <summary>What is wrong in the XML but leaves something to read; so many at most as a report tells.</summary>
internal sealed class XmlFaults
{
    private readonly List<JsonFault> all = [];

    public IReadOnlyList<JsonFault> All => all;

    public void Add(JsonFault fault)
    {
        if (all.Count < Findings.Most)
        {
            all.Add(fault);
        }
    }
}

/// <summary>Reads FHIR XML into a tree of elements, each with its place. Depth and number are bounded before anything is entered.</summary>
internal sealed class FhirXmlReader(IXmlLineInfo place, XmlFaults faults)
{
    private const string XhtmlNamespace = "http://www.w3.org/1999/xhtml";

    // An element of XML takes the memory of several values of JSON.
    private const int Weight = 4;

    public JsonFault Fault(string rule, string text) => new(rule, text, 0, place.LineNumber, place.LinePosition);

    /// <summary>Reads the element that the reader stands on, with a stack of its own: depth is bounded before it is entered.</summary>
    public XmlNode? Read(XmlReader reader, FhirJsonLimits limits, out JsonFault? fault)
    {
        var open = new Stack<XmlNode>();
        var count = 0;
        fault = null;
        while (true)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (open.Count >= limits.MaxDepth)
                    {
                        fault = Fault("xml-depth", $"Elements are nested deeper than {limits.MaxDepth} levels here.");
                        return null;
                    }
                    if (++count > limits.MaxNodes / Weight)
                    {
                        fault = Fault("xml-size", $"The document has more than {limits.MaxNodes / Weight} elements.");
                        return null;
                    }
                    var isEmpty = reader.IsEmptyElement;
                    var node = new XmlNode(reader.LocalName, place.LineNumber, Math.Max(1, place.LinePosition - 1));
                    if (open.TryPeek(out var parent))
                    {
                        parent.Children.Add(node);
                    }
                    if (reader.NamespaceURI == XhtmlNamespace)
                    {
                        node.Xhtml = Narrative(reader, out fault);
                        if (fault is not null)
                        {
                            return null;
                        }
                        continue;
                    }
                    if (reader.NamespaceURI != FhirXml.Namespace)
                    {
                        faults.Add(
                            Fault(
                                "xml-namespace",
                                $"<{Nearest.Shown(reader.Name)}> is not in the namespace {FhirXml.Namespace}."
                            )
                        );
                    }
                    Attributes(reader, node);
                    if (isEmpty)
                    {
                        if (open.Count == 0)
                        {
                            return node;
                        }
                    }
                    else
                    {
                        open.Push(node);
                    }
                    break;
                case XmlNodeType.EndElement:
                    var closed = open.Pop();
                    if (open.Count == 0)
                    {
                        return closed;
                    }
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA:
                    faults.Add(
                        Fault(
                            "xml-text",
                            $"There is text inside <{open.Peek().Name}>; FHIR writes values as attributes: value=\"...\"."
                        )
                    );
                    break;
                default:
                    break;
            }
            if (!reader.Read())
            {
                return null;
            }
        }
    }

    /// <summary>The element that the reader stands on as text; leaves the reader behind it. What is nested deeper than any narrative may
    /// be is not copied, as the cost of writing namespaces grows with the square of the depth.</summary>
    private string? Narrative(XmlReader reader, out JsonFault? fault)
    {
        fault = null;
        var text = new StringBuilder();
        using var writer = XmlWriter.Create(
            text,
            new XmlWriterSettings { OmitXmlDeclaration = true, ConformanceLevel = ConformanceLevel.Fragment }
        );
        var top = reader.Depth;
        var isOpen = true;
        while (isOpen)
        {
            switch (reader.NodeType)
            {
                case XmlNodeType.Element:
                    if (reader.Depth - top > Rules.Narrative.MaxDepth)
                    {
                        fault = Fault(
                            "xml-depth",
                            $"The narrative is nested deeper than {Rules.Narrative.MaxDepth} levels here."
                        );
                        return null;
                    }
                    writer.WriteStartElement(reader.Prefix, reader.LocalName, reader.NamespaceURI);
                    writer.WriteAttributes(reader, defattr: false);
                    if (reader.IsEmptyElement)
                    {
                        writer.WriteEndElement();
                    }
                    break;
                case XmlNodeType.EndElement:
                    writer.WriteFullEndElement();
                    break;
                case XmlNodeType.CDATA:
                    writer.WriteCData(reader.Value);
                    break;
                default:
                    writer.WriteString(reader.Value);
                    break;
            }
            isOpen = reader.Depth > top || reader is { NodeType: XmlNodeType.Element, IsEmptyElement: false };
            reader.Read();
        }
        writer.Flush();
        return text.ToString();
    }

    private void Attributes(XmlReader reader, XmlNode node)
    {
        while (reader.MoveToNextAttribute())
        {
            switch (reader.Name)
            {
                case "value":
                    node.Value = reader.Value;
                    break;
                case "id":
                    node.Id = reader.Value;
                    break;
                case "url" when node.Name is "extension" or "modifierExtension":
                    node.Url = reader.Value;
                    break;
                default:
                    if (
                        reader.Name != "xmlns"
                        && reader.Prefix is not ("xmlns" or "xml")
                        && !(reader.Prefix == "xsi" && reader.LocalName == "schemaLocation")
                    )
                    {
                        faults.Add(
                            Fault(
                                "xml-attribute",
                                $"FHIR has no attribute '{Nearest.Shown(reader.Name)}'; value, id and, on extensions, url are known."
                            )
                        );
                    }
                    break;
            }
        }
        reader.MoveToElement();
    }
}
