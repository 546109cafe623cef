using System.Net;
using System.Text;

namespace CcmFhir.Audit;

/// <summary>A packet as a page that stands alone, and each section as XHTML for the document's narrative.</summary>
internal static class AuditHtml
{
    private const string Style =
        "body{font:14px/1.4 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}table{border-collapse:collapse;width:100%}th,td{border:1px solid #999;padding:.25rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}section{break-inside:auto}tr{break-inside:avoid}";

    /// <summary>The page.</summary>
    /// <param name="packet">The packet.</param>
    public static string Page(AuditPacket packet)
    {
        var page = new StringBuilder("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\" />");
        page.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" /><title>")
            .Append(Safe(packet.Title))
            .Append($"</title><style>{Style}</style>")
            .Append("</head><body><main id=\"main\"><h1>")
            .Append(Safe(packet.Title))
            .Append("</h1>\n");
        foreach (var section in packet.Sections)
        {
            page.Append("<section><h2>").Append(Safe(section.Title)).Append("</h2>\n");
            Content(page, section);
            page.Append("</section>\n");
        }
        return page.Append("</main></body></html>\n").ToString();
    }

    /// <summary>A section as the <c>div</c> of a narrative.</summary>
    public static string Narrative(AuditSection section)
    {
        var div = new StringBuilder("<div xmlns=\"http://www.w3.org/1999/xhtml\">");
        Content(div, section);
        return div.Append("</div>").ToString();
    }

    private static void Content(StringBuilder html, AuditSection section)
    {
        foreach (var paragraph in section.Paragraphs)
        {
            html.Append("<p>").Append(Safe(paragraph)).Append("</p>\n");
        }
        if (section.Table is not { Rows.Count: > 0 } table)
        {
            return;
        }
        html.Append("<table><thead><tr>");
        foreach (var head in table.Head)
        {
            html.Append("<th scope=\"col\">").Append(Safe(head)).Append("</th>");
        }
        html.Append("</tr></thead><tbody>\n");
        foreach (var row in table.Rows)
        {
            html.Append("<tr>");
            foreach (var cell in row)
            {
                html.Append("<td>").Append(Safe(cell)).Append("</td>");
            }
            html.Append("</tr>\n");
        }
        html.Append("</tbody></table>\n");
    }

    private static string Safe(string text) => WebUtility.HtmlEncode(text);
}
