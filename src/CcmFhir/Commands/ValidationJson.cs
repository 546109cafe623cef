using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Commands;

/// <summary>Output for programs: one line of JSON a resource, <c>{file, resource, errors, warnings, information, notChecked}</c>.</summary>
/// <param name="output">Where to write.</param>
internal sealed class ValidationJson(TextWriter output) : IValidationWriter
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public PreparedResult Prepare(ValidationResult result)
    {
        if (result.Report is not { } report)
        {
            return PreparedResult.Of(result, "");
        }
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Options))
        {
            json.WriteStartObject();
            json.WriteString("file", result.Input.File);
            json.WriteString("resource", result.Resource);
            Issues(json, "errors", result, issue => issue.Severity <= Severity.Error);
            Issues(json, "warnings", result, issue => issue.Severity == Severity.Warning);
            Issues(json, "information", result, issue => issue.Severity == Severity.Information);
            json.WriteStartArray("notChecked");
            foreach (var one in report.NotChecked)
            {
                json.WriteStringValue(one);
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return PreparedResult.Of(result, Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n");
    }

    public Task WriteAsync(PreparedResult result) => output.WriteAsync(result.Text);

    public Task EndAsync() => Task.CompletedTask;

    private static void Issues(Utf8JsonWriter json, string name, ValidationResult result, Func<Issue, bool> which)
    {
        json.WriteStartArray(name);
        foreach (var issue in result.Report!.Issues.Where(which))
        {
            json.WriteStartObject();
            json.WriteString("code", issue.Rule);
            json.WriteString("expression", issue.Expression);
            json.WriteNumber("line", result.LineOf(issue));
            json.WriteNumber("column", issue.Column);
            json.WriteString("text", issue.Text);
            if (issue.Profile is not null)
            {
                json.WriteString("profile", issue.Profile);
            }
            if (issue.EntryIndex is { } entry)
            {
                json.WriteNumber("entry", entry);
            }
            if (issue.FullUrl is not null)
            {
                json.WriteString("fullUrl", issue.FullUrl);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }
}
