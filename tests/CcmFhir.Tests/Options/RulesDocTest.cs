using System.Text.RegularExpressions;

namespace CcmFhir.Tests.Options;

/// <summary>A rule that code, trace or audit packet names is one that a reader finds in <c>docs/rules.md</c>.</summary>
public sealed partial class RulesDocTest
{
    private static readonly string Document = File.ReadAllText(Repository.At("docs", "rules.md"));

    [Fact]
    public void Every_rule_and_section_that_the_code_names_is_in_the_document()
    {
        var files = Directory
            .EnumerateFiles(Repository.At("src"), "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}"))
            .ToList();
        var named = files
            .SelectMany(file => Named().Matches(File.ReadAllText(file)))
            .SelectMany(match => match.Groups["name"].Captures)
            .Select(capture => capture.Value)
            .Distinct(StringComparer.Ordinal)
            .ToList();

        named.Count.ShouldBeGreaterThan(30);
        named.Where(name => !IsThere(name)).ShouldBeEmpty();
    }

    private static bool IsThere(string name) =>
        char.IsAsciiLetter(name[0])
            ? Document.Contains($"| {name} |", StringComparison.Ordinal)
            : Document.Contains($"## {name} ", StringComparison.Ordinal);

    // rule T4; rules T9, T10; rules C1 to C8; rules section 7; rules section 2.1, 8, 11; rules 2.1
    [GeneratedRegex(
        @"\brules? (?:section )?(?<name>[TWECIXB]\d+|\d+(?:\.\d+)?)(?:(?:, | to )(?<name>[TWECIXB]\d+|\d+(?:\.\d+)?))*\b",
        RegexOptions.ExplicitCapture,
        matchTimeoutMilliseconds: 1000
    )]
    private static partial Regex Named();
}
