namespace CcmFhir.Validation;

/// <summary>What one validation has found so far, in bounded memory whatever the document is. One a call; not thread-safe.</summary>
internal sealed class Findings
{
    /// <summary>Most errors in one report, and most of all else; whoever needs more has a different problem.</summary>
    public const int Most = 5_000;

    private const int MostNotChecked = 1_000;

    // To find what somebody probably meant may take a look at thousands of codes: nobody reads more of these.
    private const int MostHints = 250;

    private readonly List<Finding> list = [];
    private readonly HashSet<(int At, string? Below, string Rule, string Text)> seen = [];
    private readonly SortedSet<string> notChecked = new(StringComparer.Ordinal);
    private Dictionary<(object Candidates, string Text), string?>? hints;
    private int errors;
    private bool isCut;

    /// <summary>In the order in which they were found.</summary>
    public List<Finding> List => list;

    /// <summary>The worst severity of which something was left out; null when nothing was.</summary>
    public Severity? LeftOut { get; private set; }

    /// <summary>What could not be checked, each once, sorted.</summary>
    public IEnumerable<string> NotChecked =>
        isCut ? notChecked.Append($"More than {MostNotChecked} other things.") : notChecked;

    /// <summary>Whether one more of that severity is told. When not, that it was left out is noted. Errors have room of their own, so that
    /// no flood of warnings hides one.</summary>
    public bool HasRoom(Severity severity)
    {
        var isError = severity <= Severity.Error;
        if ((isError ? errors : list.Count - errors) < Most)
        {
            return true;
        }
        LeftOut = isError ? Severity.Error : LeftOut ?? Severity.Warning;
        return false;
    }

    /// <summary>Notes a finding once.</summary>
    public void Add(Finding finding)
    {
        if (
            HasRoom(finding.Severity)
            && (finding.Fault is not null || seen.Add((finding.At.Index, finding.Below, finding.Rule, finding.Text)))
        )
        {
            errors += finding.Severity <= Severity.Error ? 1 : 0;
            list.Add(finding);
        }
    }

    /// <summary>Whether one more thing that could not be checked is told.</summary>
    public bool HasRoomForNotChecked => !(isCut |= notChecked.Count >= MostNotChecked);

    /// <summary>Something could not be checked.</summary>
    public void AddNotChecked(string what)
    {
        if (notChecked.Count < MostNotChecked)
        {
            notChecked.Add(what);
        }
        else
        {
            isCut |= !notChecked.Contains(what);
        }
    }

    /// <summary>What somebody probably meant, looked up once for each text; null when nothing is near, or too much was asked already.</summary>
    /// <param name="candidates">What is searched, as an object.</param>
    /// <param name="text">What was written.</param>
    /// <param name="find">Finds it.</param>
    public string? Hint(object candidates, string text, Func<string?> find)
    {
        hints ??= [];
        if (!hints.TryGetValue((candidates, text), out var known) && hints.Count < MostHints)
        {
            hints[(candidates, text)] = known = find();
        }
        return known;
    }
}

/// <summary>A finding before its path and place are worked out.</summary>
internal sealed record Finding(
    Severity Severity,
    string Type,
    string Rule,
    FhirElement At,
    string? Below,
    string Text,
    string? Profile,
    JsonFault? Fault,
    bool IsExpression
)
{
    public static Finding OfFault(JsonFault fault) =>
        new(Severity.Error, "structure", fault.Rule, default, null, fault.Text, null, fault, false);
}
