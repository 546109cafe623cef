using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>What a resource must meet to come in.</summary>
/// <param name="validate">Validates a resource against base R4, the known profiles that it claims itself, and the profiles given.</param>
/// <param name="knows">Whether a profile is known.</param>
/// <param name="timeLog">What a time log must meet beyond its profile: time that can be true.</param>
internal sealed class Door(
    Func<FhirElement, IReadOnlyList<string>?, Report> validate,
    Func<string, bool> knows,
    Func<FhirElement, Arrival, IEnumerable<Issue>> timeLog
)
{
    /// <summary>Holds an entry's resource against its profiles; what is wrong stands at the entry afterwards.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="path">What the client calls it, for expressions.</param>
    /// <param name="arrival">Who brings it, and when.</param>
    /// <param name="profile">A profile that it must meet as well; null for none.</param>
    public void Check(Entry entry, FhirElement resource, string path, Arrival arrival, string? profile = null)
    {
        foreach (var issue in Report(entry.Type, resource, arrival, profile))
        {
            var placed = issue with { Expression = Placed(issue.Expression, entry.Type, path) };
            if (issue.Severity <= Severity.Error && issue.Rule is not ("ccm-npi-1" or "ccm-npi-2"))
            {
                entry.Refuse(422, placed);
            }
            else
            {
                // A wrong NPI of somebody in a patient's bundle is told and not a reason to lose the patient: claims carry the NPIs of the
                // practice file.
                entry.Warnings.Add(
                    placed with
                    {
                        Severity = issue.Severity <= Severity.Error ? Severity.Warning : issue.Severity,
                        EntryIndex = entry.Index,
                        FullUrl = entry.FullUrl,
                    }
                );
            }
        }
    }

    private IReadOnlyList<Issue> Report(string type, FhirElement resource, Arrival arrival, string? profile)
    {
        var ours = ProfileChoice.Of(type, resource);
        var report = validate(resource, Profiles(ours, profile));
        if (ours != ProfileChoice.TimeLog)
        {
            return report.Issues;
        }
        // One fault, one issue: the rule of time logs says it better than the profile does at the same place.
        var times = timeLog(resource, arrival).ToList();
        return
        [
            .. report.Issues.Where(issue =>
                times.TrueForAll(time => time.Rule != issue.Rule && time.Expression != issue.Expression)
            ),
            .. times,
        ];
    }

    /// <summary>The profile is known.</summary>
    public bool Knows(string canonical) => knows(canonical);

    private static List<string>? Profiles(string? ours, string? asked)
    {
        if (ours is null)
        {
            return asked is null ? null : [asked];
        }
        return asked is null || asked == ours ? [ours] : [ours, asked];
    }

    // A rule that knows only the resource speaks of it by its type; the client knows it by its place in the Bundle.
    private static string Placed(string expression, string type, string path) =>
        path != type
        && expression.StartsWith(type, StringComparison.Ordinal)
        && (expression.Length == type.Length || expression[type.Length] is '.' or '[')
            ? path + expression[type.Length..]
            : expression;
}
