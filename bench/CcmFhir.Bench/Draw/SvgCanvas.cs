using System.Globalization;
using System.Security;
using System.Text;

namespace CcmFhir.Bench.Draw;

/// <summary>A picture as SVG, legible on light and on dark ground: colours are classes, and the reader's own choice of ground picks them.</summary>
internal sealed class SvgCanvas
{
    public const int Width = 760;
    public const int Height = 320;

    private const string Style = """
        <style>
        svg { font: 13px system-ui, sans-serif; background: #fff }
        text { fill: #1f2328 } .quiet { fill: #59636e } .ground { fill: #fff } .axis { stroke: #8c959f } .grid { stroke: #d8dee4 }
        .mark { stroke: #9a3412; stroke-dasharray: 6 4 } .marked { fill: #9a3412 }
        .s0 { fill: #0b5cad; stroke: #0b5cad } .s1 { fill: #1a7f5a; stroke: #1a7f5a } .s2 { fill: #8250df; stroke: #8250df } .s3 { fill: #bf5b04; stroke: #bf5b04 } .s4 { fill: #6e7781; stroke: #6e7781 }
        polyline { fill: none !important; stroke-width: 2 }
        @media (prefers-color-scheme: dark) {
        svg { background: #0d1117 } text { fill: #e6edf3 } .quiet { fill: #9198a1 } .ground { fill: #0d1117 } .axis { stroke: #656c76 } .grid { stroke: #2a313c }
        .mark { stroke: #f0a070 } .marked { fill: #f0a070 }
        .s0 { fill: #58a6ff; stroke: #58a6ff } .s1 { fill: #3fb98a; stroke: #3fb98a } .s2 { fill: #b794f6; stroke: #b794f6 } .s3 { fill: #e0823d; stroke: #e0823d } .s4 { fill: #9198a1; stroke: #9198a1 } }
        </style>
        """;

    private readonly StringBuilder svg = new();

    /// <param name="title">What the picture shows: its heading, and what is read out in its place.</param>
    public SvgCanvas(string title)
    {
        Add(
            $"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" width="{Width}" height="{Height}" role="img" aria-label="{SecurityElement.Escape(title)}">"""
        );
        svg.Append(Style).Append('\n');
        Add($"""<rect class="ground" width="{Width}" height="{Height}"/>""");
        Text(16, 26, title, "", "start", bold: true);
    }

    public void Line(double x1, double y1, double x2, double y2, string kind) =>
        Add($"""<line class="{kind}" x1="{x1:0.#}" y1="{y1:0.#}" x2="{x2:0.#}" y2="{y2:0.#}"/>""");

    public void Box(double x, double y, double width, double height, string kind) =>
        Add(
            $"""<rect class="{kind}" x="{x:0.#}" y="{y:0.#}" width="{width:0.#}" height="{Math.Max(0, height):0.#}"/>"""
        );

    public void Path(IEnumerable<(double X, double Y)> points, string kind) =>
        Add(
            $"""<polyline class="{kind}" points="{string.Join(' ', points.Select(point => string.Create(CultureInfo.InvariantCulture, $"{point.X:0.#},{point.Y:0.#}")))}"/>"""
        );

    public void Dot(double x, double y, string kind) =>
        Add($"""<circle class="{kind}" cx="{x:0.#}" cy="{y:0.#}" r="4"/>""");

    public void Text(double x, double y, string text, string kind, string anchor, bool bold = false) =>
        Add(
            $"""<text class="{kind}" x="{x:0.#}" y="{y:0.#}" text-anchor="{anchor}"{(bold ? " font-weight=\"600\" font-size=\"15\"" : "")}>{SecurityElement.Escape(text)}</text>"""
        );

    public override string ToString() => svg + "</svg>\n";

    private void Add(FormattableString markup) =>
        svg.Append(markup.ToString(CultureInfo.InvariantCulture)).Append('\n');
}
