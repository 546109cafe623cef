using System.Text.Json.Nodes;

namespace CcmFhir.Bench.Draw;

/// <summary>Figures as they were printed, read back from <c>bench/results</c>. Of two with one name the later holds.</summary>
internal sealed class Results
{
    private readonly List<JsonNode> lines;

    private Results(List<JsonNode> lines) => this.lines = lines;

    /// <summary>Reads a file.</summary>
    public static Results Read(string path) =>
        new([.. File.ReadLines(path).Where(line => line.StartsWith('{')).Select(line => JsonNode.Parse(line)!)]);

    /// <summary>The file has the figure.</summary>
    public bool Has(string figure) => lines.Exists(line => (string?)line["figure"] == figure);

    /// <summary>A figure's value.</summary>
    /// <exception cref="InvalidOperationException">Not in the file.</exception>
    public double Value(string figure) => (double)Find(figure)["value"]!;

    /// <summary>What was measured beside a figure.</summary>
    /// <exception cref="InvalidOperationException">Not in the file.</exception>
    public double Beside(string figure, string name) => (double)Find(figure)["beside"]![name]!;

    /// <summary>All lines of a figure that is printed again and again: its value, and one measured beside it.</summary>
    public (double Value, double Beside)[] All(string figure, string name) =>
        [
            .. lines
                .Where(line => (string?)line["figure"] == figure)
                .Select(line => ((double)line["value"]!, (double)line["beside"]![name]!)),
        ];

    private JsonNode Find(string figure) =>
        lines.LastOrDefault(line => (string?)line["figure"] == figure)
        ?? throw new InvalidOperationException($"There is no figure '{figure}' among the results.");
}
