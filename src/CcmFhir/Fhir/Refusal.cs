using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Why something is not done: the HTTP status and every reason. A refusal is an answer, not an exception.</summary>
/// <param name="Status">HTTP status, 400 or higher.</param>
/// <param name="Issues">At least one; each says where, and what would be right.</param>
internal sealed record Refusal(int Status, IReadOnlyList<Issue> Issues)
{
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
