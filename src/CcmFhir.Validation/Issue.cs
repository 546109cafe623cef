namespace CcmFhir.Validation;

/// <summary>Severity of an issue, as in FHIR <c>issue-severity</c> (fatal: the document could not be read).</summary>
public enum Severity
{
    /// <summary>The document could not be read.</summary>
    Fatal,

    /// <summary>A rule is broken.</summary>
    Error,

    /// <summary>Suspicious, or not decidable here.</summary>
    Warning,

    /// <summary>Says something; nothing to mend (also: a consequence of another issue).</summary>
    Information,
}

/// <summary>One finding: what is wrong, where, and what would be right.</summary>
public sealed record Issue
{
    /// <summary>How bad.</summary>
    public required Severity Severity { get; init; }

    /// <summary>FHIR issue-type code: structure, required, value, invariant, code-invalid, business-rule ...</summary>
    public required string Type { get; init; }

    /// <summary>Stable rule id: <c>cardinality-min</c>, <c>binding-required</c>, an invariant's key such as <c>dom-2</c>, or a <c>CCM-T04</c>.</summary>
    public required string Rule { get; init; }

    /// <summary>FHIRPath of the element, with indices: <c>Task.executionPeriod</c>, <c>Bundle.entry[3].resource.code.coding[0]</c>.</summary>
    public required string Expression { get; init; }

    /// <summary>One sentence or two: what was found and what would be right. Holds no patient data beyond codes and references.</summary>
    public required string Text { get; init; }

    /// <summary>Line in the source, from 1; 0 when there is none.</summary>
    public int Line { get; init; }

    /// <summary>Column in the source in characters, from 1; 0 when there is none.</summary>
    public int Column { get; init; }

    /// <summary>Canonical of the profile whose rule it is; null for syntax and base rules without one.</summary>
    public string? Profile { get; init; }

    /// <summary>Index of the entry in the client's own Bundle, from 0; null outside a Bundle.</summary>
    public int? EntryIndex { get; init; }

    /// <summary>fullUrl of that entry, where it has one.</summary>
    public string? FullUrl { get; init; }
}

/// <summary>What one validation found.</summary>
/// <param name="Issues">In document order; root causes before their consequences.</param>
/// <param name="NotChecked">What could not be checked here (code systems or ValueSets without content, unknown profiles), each once.</param>
public sealed record Report(IReadOnlyList<Issue> Issues, IReadOnlyList<string> NotChecked)
{
    /// <summary>No error and nothing fatal.</summary>
    public bool IsValid => Issues.All(issue => issue.Severity > Severity.Error);
}
