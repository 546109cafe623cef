using System.Text;
using System.Xml;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Writes resources as XML [xml.html]: elements in the order of their definitions, ids and extension urls as attributes, narrative as
/// XHTML.</summary>
internal static class XmlBody
{
    private const string Fhir = "http://hl7.org/fhir";

    /// <summary>The resource as XML.</summary>
    /// <param name="resource">A resource, as stored or as we wrote it.</param>
    /// <param name="indent">For people.</param>
    public static byte[] ToBytes(FhirElement resource, bool indent)
    {
        using var stream = new MemoryStream(resource.Length * 2);
        using (
            var xml = XmlWriter.Create(
                stream,
                new XmlWriterSettings
                {
                    Encoding = new UTF8Encoding(false),
                    Indent = indent,
                    CheckCharacters = false,
                }
            )
        )
        {
            xml.WriteStartDocument();
            Resource(xml, resource);
        }
        return stream.ToArray();
    }

    private static void Resource(XmlWriter xml, FhirElement resource)
    {
        var type = resource["resourceType"u8].Text!;
        xml.WriteStartElement(type, Fhir);
        Children(xml, resource, type, isResource: true);
        xml.WriteEndElement();
    }

    private static void Children(XmlWriter xml, FhirElement value, string content, bool isResource)
    {
        var shapes = ElementShape.Below(content);
        foreach (var shape in shapes)
        {
            // A resource's own id is an element; all other ids are attributes.
            if ((shape.IsAttribute || (shape.Name == "id" && !isResource)) && value[shape.Name].Text is { } attribute)
            {
                xml.WriteAttributeString(shape.Name, Clean(attribute));
            }
        }
        foreach (var shape in shapes)
        {
            if (shape.IsAttribute || (shape.Name == "id" && !isResource))
            {
                continue;
            }
            if (!shape.IsChoice)
            {
                Property(xml, value, shape.Name, shape.Content);
                continue;
            }
            foreach (var type in shape.Types)
            {
                Property(xml, value, shape.NameOf(type), type);
            }
        }
    }

    private static void Property(XmlWriter xml, FhirElement parent, string name, string type)
    {
        var (value, twin) = (parent[name], parent["_" + name]);
        if (!value.Exists && !twin.Exists)
        {
            return;
        }
        if (value.Kind != JsonKind.Array && twin.Kind != JsonKind.Array)
        {
            Element(xml, name, type, value, twin);
            return;
        }
        var (values, twins) = (Items(value), Items(twin));
        for (var at = 0; at < Math.Max(values.Count, twins.Count); at++)
        {
            Element(xml, name, type, at < values.Count ? values[at] : default, at < twins.Count ? twins[at] : default);
        }
    }

    private static void Element(XmlWriter xml, string name, string type, FhirElement value, FhirElement twin)
    {
        if (type == "xhtml")
        {
            xml.WriteRaw(Narrative(value.Text ?? ""));
            return;
        }
        xml.WriteStartElement(name, Fhir);
        if (value.Kind == JsonKind.Object)
        {
            if (value["resourceType"u8].Exists)
            {
                Resource(xml, value);
            }
            else
            {
                Children(xml, value, type, isResource: false);
            }
        }
        else
        {
            if (twin["id"u8].Text is { } id)
            {
                xml.WriteAttributeString("id", Clean(id));
            }
            if (value.Text is { } text)
            {
                xml.WriteAttributeString("value", Clean(text));
            }
            if (twin.Kind == JsonKind.Object)
            {
                Property(xml, twin, "extension", "Extension");
            }
        }
        xml.WriteEndElement();
    }

    // Narrative goes in as it is, if it is XML; what is not well-formed is written as text, so that the document stays one.
    private static string Narrative(string div)
    {
        try
        {
            using var reader = XmlReader.Create(
                new StringReader(div),
                new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, CheckCharacters = false }
            );
            while (reader.Read()) { }
            return div;
        }
        catch (XmlException)
        {
            return $"<div xmlns=\"http://www.w3.org/1999/xhtml\">{System.Security.SecurityElement.Escape(Clean(div))}</div>";
        }
    }

    private static List<FhirElement> Items(FhirElement list)
    {
        var items = new List<FhirElement>();
        if (list.Exists)
        {
            foreach (var item in list.Items)
            {
                items.Add(item.Kind == JsonKind.Null ? default : item);
            }
        }
        return items;
    }

    // XML 1.0 has no place for these characters, not even escaped.
    private static string Clean(string text)
    {
        foreach (var letter in text)
        {
            if (!XmlConvert.IsXmlChar(letter) && !char.IsSurrogate(letter))
            {
                return new string([.. text.Where(each => XmlConvert.IsXmlChar(each) || char.IsSurrogate(each))]);
            }
        }
        return text;
    }
}
