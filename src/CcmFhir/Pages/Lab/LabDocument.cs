using System.Text;
using CcmFhir.Commands;
using CcmFhir.Intake;
using CcmFhir.Validation;

namespace CcmFhir.Pages;

/// <summary>One document on the bench, and what was found in it.</summary>
/// <param name="Name">Name of the file; <c>pasted</c> for what was pasted.</param>
/// <param name="Text">The document.</param>
/// <param name="Resource"><c>Type/id</c>; null when it could not be read.</param>
/// <param name="Profile">Id of the profile of the package that it was held against; null for none.</param>
/// <param name="Report">What was found.</param>
public sealed record LabDocument(string Name, string Text, string? Resource, string? Profile, Report Report)
{
    /// <summary>Lines around a marked one that are shown, where not all are.</summary>
    private const int Around = 3;
    private const int MostLines = 1500;
    private const int LongestLine = 400;

    /// <summary>Where its elements differ from the sample's: those that only the sample has, and those that only it has.</summary>
    public (IReadOnlyList<string> OnlySample, IReadOnlyList<string> OnlyHere) Against(string sample)
    {
        var (here, there) = (Elements(Text), Elements(sample));
        return ([.. there.Except(here, StringComparer.Ordinal)], [.. here.Except(there, StringComparer.Ordinal)]);
    }

    /// <summary>The lines to show, each with its number and what was found on it; a gap has number 0. A large document shows what lies around its issues.</summary>
    public IEnumerable<(int Number, string Text, IReadOnlyList<Issue> Issues)> Lines()
    {
        var lines = Text.Split('\n');
        var issues = Report
            .Issues.Where(issue => issue.Line > 0 && issue.Severity <= Severity.Warning)
            .ToLookup(issue => issue.Line);
        var all = lines.Length <= MostLines;
        var (shown, last) = (0, 0);
        for (var number = 1; number <= lines.Length && shown < MostLines; number++)
        {
            if (!all && !Enumerable.Range(number - Around, (2 * Around) + 1).Any(issues.Contains))
            {
                continue;
            }
            if (number > last + 1)
            {
                yield return (0, "...", []);
            }
            (shown, last) = (shown + 1, number);
            var text = lines[number - 1].TrimEnd('\r');
            yield return (
                number,
                text.Length <= LongestLine ? text : text[..LongestLine] + " ...",
                [.. issues[number]]
            );
        }
        if (last < lines.Length)
        {
            yield return (0, "...", []);
        }
    }

    /// <summary>Holds a document against what it claims, and a profile.</summary>
    /// <param name="name">Name of the file.</param>
    /// <param name="source">The document.</param>
    /// <param name="canonical">A profile; null for the door's own choice by type and content.</param>
    internal static LabDocument Check(string name, string source, string? canonical)
    {
        var text = source.TrimStart('\uFEFF');
        var bytes = Encoding.UTF8.GetBytes(text);
        var document = FhirXml.Looks(bytes) ? FhirXml.Parse(bytes, out var fault) : FhirJson.Parse(bytes, out fault);
        if (document is null)
        {
            var input = new ValidationInput(name, [], 1, false, fault);
            return new LabDocument(name, text, null, null, ValidationResult.Unreadable(input, fault!).Report!);
        }
        var type = document.Root["resourceType"u8].Text;
        var chosen = canonical ?? (type is null ? null : ProfileChoice.Of(type, document.Root));
        var report = ProfileSet.Default.Validate(document, chosen is null ? null : [chosen]);
        return new LabDocument(
            name,
            text,
            type is null ? null
                : document.Root["id"u8].Text is { } id ? $"{type}/{id}"
                : type,
            chosen?[(chosen.LastIndexOf('/') + 1)..],
            report
        );
    }

    /// <summary>As the SARIF of the command line takes it.</summary>
    internal ValidationResult ToResult() => new(new ValidationInput(Name, [], 1, false, null), null, Report);

    // Every element by its path without indices, each once, in the order of the document.
    private static List<string> Elements(string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var document = FhirXml.Looks(bytes) ? FhirXml.Parse(bytes, out _) : FhirJson.Parse(bytes, out _);
        var paths = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        if (document is not null)
        {
            Walk(document.Root, "", paths, seen);
        }
        return paths;
    }

    private static void Walk(FhirElement element, string path, List<string> paths, HashSet<string> seen)
    {
        foreach (var child in element.Children)
        {
            var name = path.Length == 0 ? child.Name : $"{path}.{child.Name}";
            foreach (var item in child.Items)
            {
                // Extensions are told apart by what they say, not by where they stand.
                var place =
                    item["url"u8].Text is { } url && child.Name.EndsWith("xtension", StringComparison.Ordinal)
                        ? $"{name}({url[(url.LastIndexOf('/') + 1)..]})"
                        : name;
                if (seen.Add(place))
                {
                    paths.Add(place);
                }
                Walk(item, place, paths, seen);
            }
        }
    }
}
