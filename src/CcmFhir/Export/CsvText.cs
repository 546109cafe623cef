namespace CcmFhir.Export;

/// <summary>Comma-separated values (RFC 4180) that people open in spreadsheets.</summary>
internal static class CsvText
{
    /// <summary>One record with its line end. A cell that a spreadsheet would take for a formula gets an apostrophe in front; null is empty.</summary>
    public static string Line(params IEnumerable<string?> cells) => string.Join(',', cells.Select(Cell)) + "\r\n";

    private static string Cell(string? text)
    {
        var value = text ?? "";
        if (value is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n', ..])
        {
            value = "'" + value;
        }
        return value.AsSpan().ContainsAny(",\"\r\n")
            ? $"\"{value.Replace("\"", "\"\"", StringComparison.Ordinal)}\""
            : value;
    }
}
