namespace CcmFhir.Domain;

/// <summary>What a reason does to the month.</summary>
public enum ReasonSeverity
{
    /// <summary>No claim, or not that line.</summary>
    Deny,

    /// <summary>No claim for now: something that can still be mended.</summary>
    Hold,

    /// <summary>A claim, and something that a person should look at.</summary>
    Warn,

    /// <summary>Says what was done and why.</summary>
    Info,
}

/// <summary>Why something was or was not counted or billed. The codes are the outer contract's: a code is never reused for something else.</summary>
/// <param name="Code">CCM-T01 ...</param>
/// <param name="Severity">What it does.</param>
/// <param name="Text">For people: what is the case, and what would mend it.</param>
/// <param name="References">Resources it rests on, in ordinal order, each once.</param>
public sealed record Reason(string Code, ReasonSeverity Severity, string Text, IReadOnlyList<string> References)
{
    /// <summary>A reason that rests on these resources.</summary>
    public static Reason Of(string code, ReasonSeverity severity, string text, params IEnumerable<string> references) =>
        new(code, severity, text, [.. references.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)]);
}

/// <summary>What a rule that was asked answered.</summary>
public enum RuleAnswer
{
    /// <summary>Holds.</summary>
    Yes,

    /// <summary>Does not hold.</summary>
    No,

    /// <summary>Cannot be told from what was received.</summary>
    NotKnown,
}

/// <summary>One rule that was asked on the way to a decision.</summary>
/// <param name="Rule">Short name: two chronic conditions, consent, care plan ...</param>
/// <param name="Source">Where the rule comes from.</param>
/// <param name="Answer">What it answered.</param>
/// <param name="Finding">What was found.</param>
public sealed record TraceStep(string Rule, string Source, RuleAnswer Answer, string Finding);
