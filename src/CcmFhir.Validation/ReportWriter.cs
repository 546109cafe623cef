using System.Text;

namespace CcmFhir.Validation;

/// <summary>Turns findings into the report: paths, lines and columns, the client's own entry, document order.</summary>
internal static class ReportWriter
{
    public static Report Write(FhirJson document, ProfileCompiler compiler, Findings all)
    {
        var findings = all.List;
        if (findings.Count == 0)
        {
            return new Report([], [.. all.NotChecked]);
        }
        var isBundle = document.Root["resourceType"u8].Is("Bundle"u8);
        var places = new Places(document);
        var indexes = new ItemIndexes();
        var issues = new List<Issue>(findings.Count);
        Consequences(findings);
        foreach (var finding in findings.OrderBy(one => one.At.Exists ? one.At.Offset : -1).ThenBy(one => one.Severity))
        {
            issues.Add(finding.Fault is { } fault ? OfFault(fault, finding) : OfElement(finding));
        }
        if (all.LeftOut is { } severity)
        {
            issues.Add(
                new Issue
                {
                    Severity = severity,
                    Type = "too-long",
                    Rule = "too-many-issues",
                    Expression = compiler.ResourceType(document.Root)?.Code ?? "Resource",
                    Text =
                        $"There are more than {Findings.Most} {(severity == Severity.Error ? "errors" : "warnings")}; the rest was left out.",
                    Line = 1,
                    Column = 1,
                }
            );
        }
        return new Report(issues, [.. all.NotChecked]);

        Issue OfElement(Finding finding)
        {
            var (line, column) = places.Of(finding.At.Offset);
            var (index, fullUrl) = isBundle ? Entry(finding.At, indexes) : (null, null);
            return new Issue
            {
                Severity = finding.Severity,
                Type = finding.Type,
                Rule = finding.Rule,
                Expression = ElementPaths.Of(compiler, finding.At, finding.Below, indexes),
                Text = finding.Text,
                Line = line,
                Column = column,
                Profile = finding.Profile,
                EntryIndex = index,
                FullUrl = fullUrl,
            };
        }
    }

    /// <summary>One defect, one error: what only follows from another finding becomes information.</summary>
    private static void Consequences(List<Finding> findings)
    {
        var errors = findings.Where(finding => finding.Severity == Severity.Error && finding.At.Exists).ToArray();
        if (errors.Length < 2)
        {
            return;
        }
        var misread = errors
            .Where(finding => Misread.Contains(finding.Rule))
            .OrderBy(finding => finding.At.Index)
            .ToArray();
        var misreadIndexes = Array.ConvertAll(misread, finding => finding.At.Index);
        // So many at most as anybody reads: each is asked of each missing slice.
        var wrongTypes = errors.Where(finding => finding.Rule == "type-not-allowed").Take(100).ToArray();
        var byPlace = errors.ToLookup(finding => (finding.At.Index, finding.Below));
        for (var at = 0; at < findings.Count; at++)
        {
            var finding = findings[at];
            if (finding.Severity == Severity.Error && finding.At.Exists && Follows(finding))
            {
                findings[at] = finding with
                {
                    Severity = Severity.Information,
                    Text = finding.Text + " (Probably a consequence of another issue here.)",
                };
            }
        }

        bool Follows(Finding finding)
        {
            // The first finding at or below this element.
            var first = Array.BinarySearch(misreadIndexes, finding.At.Index);
            first = first < 0 ? ~first : first;
            while (first > 0 && misreadIndexes[first - 1] == finding.At.Index)
            {
                first--;
            }
            var end = finding.At.Document.EndOf(finding.At);
            return finding switch
            {
                // A rule over an element that holds something misread says little about the element.
                { IsExpression: true } => first < misread.Length && misreadIndexes[first] < end,
                // What is missing stands there, misspelt.
                { Rule: "cardinality-min" } => misread
                    .Skip(first)
                    .TakeWhile(other => other.At.Index < end)
                    .Any(other =>
                        other.Rule == "property-unknown"
                        && other.At.Parent == finding.At
                        && Nearest.To(other.At.Name, [finding.Below!]) is not null
                    ),
                // Where nothing stands at all, or another type, no slice of it stands either.
                { Rule: "slice-min" } => byPlace[(finding.At.Index, finding.Below)]
                    .Any(other => other.Rule == "cardinality-min")
                    || wrongTypes.Any(other =>
                        other.At.Parent == finding.At
                        && other.At.Name.StartsWith(finding.Below!, StringComparison.Ordinal)
                    ),
                { Rule: "slicing-closed" } => byPlace[(finding.At.Index, null)]
                    .Any(other => other.Rule == "type-not-allowed"),
                // The element asks for a code of its own set; that it is none of the system adds nothing.
                { Rule: "code-unknown" } => byPlace[(finding.At.Index, null)]
                    .Any(other => other is { IsExpression: false, Rule: not "code-unknown" }),
                _ => false,
            };
        }
    }

    private static readonly HashSet<string> Misread =
    [
        "property-unknown",
        "property-duplicate",
        "choice-many",
        "array-expected",
        "array-unexpected",
        "json-type",
        "primitive-format",
        "value-empty",
        "ele-1",
        "resource-type",
        "code-unknown",
    ];

    /// <summary>The issue of a document that could not be read.</summary>
    public static Report Unreadable(JsonFault fault) =>
        new([OfFault(fault, Finding.OfFault(fault) with { Severity = Severity.Fatal })], []);

    private static Issue OfFault(JsonFault fault, Finding finding) =>
        new()
        {
            Severity = finding.Severity,
            Type = finding.Type,
            Rule = fault.Rule,
            Expression = "",
            Text = fault.Text,
            Line = fault.Line,
            Column = fault.Column,
        };

    private static (int? Index, string? FullUrl) Entry(FhirElement at, ItemIndexes indexes)
    {
        var entry = at;
        while (entry.Parent.Exists && entry.Parent.Parent.Exists && entry.Parent.Parent.Parent.Exists)
        {
            entry = entry.Parent;
        }
        // Now root > property > item, or less deep.
        var list = entry.Parent;
        if (!list.Exists || list.Kind != JsonKind.Array || !list.NameUtf8.SequenceEqual("entry"u8))
        {
            return (null, null);
        }
        return (indexes.Of(entry), entry["fullUrl"u8].Text);
    }

    /// <summary>Lines and columns for ascending offsets, each character counted once: a whole Bundle may be one line.</summary>
    private sealed class Places(FhirJson document)
    {
        private int lastOffset = -1;
        private (int Line, int Column) last;

        public (int Line, int Column) Of(int offset)
        {
            var between = lastOffset >= 0 ? document.Source.Span[lastOffset..offset] : default;
            last =
                lastOffset < 0 || document.HasOrigin || between.Contains((byte)'\n')
                    ? document.Position(offset)
                    : (last.Line, last.Column + Encoding.UTF8.GetCharCount(between));
            lastOffset = offset;
            return last;
        }
    }
}
