using System.Xml;

namespace CcmFhir.Validation.FhirPath;

/// <summary>What <c>htmlChecks()</c> asks: one well-formed div of XHTML, with something in it.</summary>
internal static class Xhtml
{
    /// <summary>The first fault; null when there is none.</summary>
    public static string? FaultOf(string text)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersFromEntities = 1,
        };
        var hasContent = false;
        try
        {
            using var reader = XmlReader.Create(new StringReader(text), settings);
            if (
                reader.MoveToContent() != XmlNodeType.Element
                || reader is not { LocalName: "div", NamespaceURI: "http://www.w3.org/1999/xhtml" }
            )
            {
                return "The narrative is one <div> element of XHTML.";
            }
            while (reader.Read())
            {
                hasContent |=
                    reader.NodeType is XmlNodeType.Text or XmlNodeType.CDATA
                    || reader is { NodeType: XmlNodeType.Element, LocalName: "img" };
                if (reader.Depth > 200)
                {
                    return "Elements are nested deeper than 200 levels.";
                }
            }
        }
        catch (XmlException fault)
        {
            return fault.Message;
        }
        return hasContent ? null : "The narrative says nothing.";
    }
}
