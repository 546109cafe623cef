using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Commands;

/// <summary>SARIF 2.1.0, which code hosts and editors show beside the source. Results are written as they come; rules are named by their id.</summary>
/// <param name="output">Where to write.</param>
internal sealed class ValidationSarif(TextWriter output) : IValidationWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private bool isBegun;

    public PreparedResult Prepare(ValidationResult result) =>
        PreparedResult.Of(
            result,
            string.Join(",\n", (result.Report?.Issues ?? []).Select(issue => Result(result, issue)))
        );

    public async Task WriteAsync(PreparedResult result)
    {
        if (result.Text.Length == 0)
        {
            return;
        }
        await output.WriteAsync(isBegun ? ",\n" : Head());
        isBegun = true;
        await output.WriteAsync(result.Text);
    }

    public async Task EndAsync()
    {
        await output.WriteAsync(isBegun ? "" : Head());
        await output.WriteAsync("\n]}]}\n");
    }

    private static string Head() =>
        """{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"""
        + """ "tool":{"driver":{"name":"ccmfhir","version":"""
        + JsonSerializer.Serialize(typeof(ValidationSarif).Assembly.GetName().Version!.ToString(3))
        + "}},\"columnKind\":\"utf16CodeUnits\",\"results\":[\n";

    private static string Result(ValidationResult result, Issue issue)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("ruleId", issue.Rule);
            json.WriteString(
                "level",
                issue.Severity switch
                {
                    Severity.Fatal or Severity.Error => "error",
                    Severity.Warning => "warning",
                    _ => "note",
                }
            );
            json.WriteStartObject("message");
            json.WriteString("text", issue.Expression.Length == 0 ? issue.Text : $"{issue.Expression}: {issue.Text}");
            json.WriteEndObject();
            json.WriteStartArray("locations");
            json.WriteStartObject();
            json.WriteStartObject("physicalLocation");
            json.WriteStartObject("artifactLocation");
            json.WriteString("uri", Address(result.Input.File));
            json.WriteEndObject();
            json.WriteStartObject("region");
            json.WriteNumber("startLine", result.LineOf(issue));
            json.WriteNumber("startColumn", Math.Max(issue.Column, 1));
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartArray("logicalLocations");
            json.WriteStartObject();
            json.WriteString("fullyQualifiedName", issue.Expression);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            if (issue.Profile is not null)
            {
                json.WriteStartObject("properties");
                json.WriteString("profile", issue.Profile);
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>A path as a relative reference, an absolute one as file: URI.</summary>
    private static string Address(string file) =>
        Path.IsPathRooted(file)
            ? new Uri(file).AbsoluteUri
            : string.Join('/', file.Split('/').Select(Uri.EscapeDataString));
}
