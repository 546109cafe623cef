using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Why something is not done: the HTTP status and every reason. A refusal is an answer, not an exception.</summary>
/// <param name="Status">HTTP status, 400 or higher.</param>
/// <param name="Issues">At least one; each says where, and what would be right.</param>
internal sealed record Refusal(int Status, IReadOnlyList<Issue> Issues)
{
    private const string Lacks = "The token lacks the scope ";

    /// <summary>The scope that a token lacks; null where that is not the reason.</summary>
    public string? MissingScope =>
        Status == 403 && Issues.FirstOrDefault(issue => issue.Rule == "scope")?.Text is { } text
            ? text[Lacks.Length..^1]
            : null;

    /// <summary>What is said where a token lacks a scope.</summary>
    public static string LacksScope(string scope) => $"{Lacks}{scope}.";

    /// <summary>A refusal with one reason.</summary>
    /// <param name="status">HTTP status.</param>
    /// <param name="type">FHIR issue-type code.</param>
    /// <param name="rule">Stable rule id.</param>
    /// <param name="text">What is wrong and what would be right.</param>
    /// <param name="expression">FHIRPath of the element at fault; empty where the fault is not in a body.</param>
    /// <param name="at">The value at fault, for line and column.</param>
    public static Refusal Of(
        int status,
        string type,
        string rule,
        string text,
        string expression = "",
        FhirElement at = default
    ) => new(status, [Because(type, rule, text, expression, at)]);

    /// <summary>One reason.</summary>
    public static Issue Because(string type, string rule, string text, string expression = "", FhirElement at = default)
    {
        var (line, column) = at.Exists ? at.Position : (0, 0);
        return new Issue
        {
            Severity = Severity.Error,
            Type = type,
            Rule = rule,
            Expression = expression,
            Text = text,
            Line = line,
            Column = column,
        };
    }
}
