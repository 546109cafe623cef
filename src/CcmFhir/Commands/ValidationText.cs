using System.Globalization;
using System.Text;
using CcmFhir.Validation;

namespace CcmFhir.Commands;

/// <summary>Output for people: where, what and what would be right, with the line of the source and a caret under the place.</summary>
/// <param name="output">Where to write.</param>
/// <param name="withInformation">Information as well.</param>
internal sealed class ValidationText(TextWriter output, bool withInformation) : IValidationWriter
{
    // Room beside the caret where a whole document is one line.
    private const int Before = 50;
    private const int After = 50;

    private readonly SortedSet<string> notChecked = new(StringComparer.Ordinal);
    private readonly List<string> passedOver = [];
    private int documents;
    private int errors;
    private int warnings;

    public PreparedResult Prepare(ValidationResult result)
    {
        var text = new StringBuilder();
        var source = new SourceLines(result.Input.Bytes);
        foreach (var issue in result.Report?.Issues ?? [])
        {
            if (issue.Severity < Severity.Information || withInformation)
            {
                Append(text, result, issue, source);
            }
        }
        return PreparedResult.Of(result, text.ToString());
    }

    public Task WriteAsync(PreparedResult result)
    {
        if (result.IsPassedOver)
        {
            passedOver.Add(result.File);
            return Task.CompletedTask;
        }
        documents++;
        errors += result.Errors;
        warnings += result.Warnings;
        notChecked.UnionWith(result.NotChecked);
        return output.WriteAsync(result.Text);
    }

    public async Task EndAsync()
    {
        var text = new StringBuilder();
        if (notChecked.Count > 0)
        {
            text.Append("Not checked here:\n");
            foreach (var one in notChecked)
            {
                text.Append("  ").Append(one).Append('\n');
            }
        }
        if (passedOver.Count > 0)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"Passed over, since it is no FHIR resource: {string.Join(", ", passedOver.Take(10))}"
            );
            text.Append(passedOver.Count > 10 ? $" and {passedOver.Count - 10} more\n" : "\n");
        }
        text.Append(
            CultureInfo.InvariantCulture,
            $"{Counted(documents, "resource")}: {Counted(errors, "error")}, {Counted(warnings, "warning")}.\n"
        );
        await output.WriteAsync(text.ToString());
    }

    private static string Counted(int count, string what) =>
        string.Create(CultureInfo.InvariantCulture, $"{count} {what}{(count == 1 ? "" : "s")}");

    private static void Append(StringBuilder text, ValidationResult result, Issue issue, SourceLines source)
    {
        var severity = issue.Severity switch
        {
            Severity.Fatal or Severity.Error => "error",
            Severity.Warning => "warning",
            _ => "information",
        };
        text.Append(
            CultureInfo.InvariantCulture,
            $"{result.Input.File}:{result.LineOf(issue)}:{Math.Max(issue.Column, 1)}: {severity} {issue.Rule}"
        );
        if (issue.Expression.Length > 0)
        {
            text.Append(" at ").Append(issue.Expression);
        }
        if (issue.FullUrl is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $" (entry {issue.EntryIndex}, {issue.FullUrl})");
        }
        text.Append("\n  ").Append(issue.Text).Append('\n');
        if (issue.Profile is not null)
        {
            text.Append("  Profile: ").Append(issue.Profile).Append('\n');
        }
        if (source.Line(issue.Line) is { Length: > 0 } line)
        {
            Excerpt(text, result.LineOf(issue), line, Math.Clamp(issue.Column - 1, 0, line.Length));
        }
        text.Append('\n');
    }

    private static void Excerpt(StringBuilder text, int number, string line, int column)
    {
        var start = column > Before ? column - Before : 0;
        // Never between the halves of a character.
        start -= start > 0 && char.IsLowSurrogate(line[start]) ? 1 : 0;
        var end = Math.Min(line.Length, column + After);
        end -= end < line.Length && char.IsLowSurrogate(line[end]) ? 1 : 0;
        var margin = number.ToString(CultureInfo.InvariantCulture);
        var cut = start > 0 ? "..." : "";
        var shown = Printable(line[start..end]);
        text.Append(CultureInfo.InvariantCulture, $"  {margin} | {cut}{shown}{(end < line.Length ? "..." : "")}\n")
            .Append(' ', margin.Length + 2)
            .Append(" | ")
            .Append(' ', cut.Length + column - start)
            .Append("^\n");
    }

    /// <summary>What would move the caret, or the terminal's cursor, becomes a blank.</summary>
    private static string Printable(string text) =>
        string.Create(
            text.Length,
            text,
            static (span, from) =>
            {
                for (var at = 0; at < span.Length; at++)
                {
                    span[at] = char.IsControl(from[at]) ? ' ' : from[at];
                }
            }
        );

    /// <summary>Lines of a source, found once.</summary>
    private sealed class SourceLines(byte[] source)
    {
        private List<int>? starts;

        public string Line(int number)
        {
            if (source.Length == 0 || number < 1)
            {
                return "";
            }
            starts ??= Starts(source);
            if (number > starts.Count)
            {
                return "";
            }
            var rest = source.AsSpan(starts[number - 1]);
            var end = rest.IndexOf((byte)'\n');
            return Encoding.UTF8.GetString(end < 0 ? rest : rest[..end]).TrimEnd('\r');
        }

        private static List<int> Starts(byte[] source)
        {
            var first = source is [0xEF, 0xBB, 0xBF, ..] ? 3 : 0;
            var starts = new List<int> { first };
            for (var at = first; at < source.Length; at++)
            {
                if (source[at] == '\n')
                {
                    starts.Add(at + 1);
                }
            }
            return starts;
        }
    }
}
