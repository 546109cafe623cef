using System.Globalization;
using System.Text;
using CcmFhir.Domain;
using CcmFhir.Pages;

namespace CcmFhir.MonthEnd;

/// <summary>Decisions for people at a terminal: one block a patient.</summary>
internal static class DecisionText
{
    /// <summary>The whole answer of a close.</summary>
    public static string Write(
        ServiceMonth month,
        string ruleSet,
        DateTimeOffset asOf,
        IReadOnlyList<MonthDecision> decisions,
        IReadOnlyList<RefusedResource> refused
    )
    {
        var text = new StringBuilder();
        text.Append(
            CultureInfo.InvariantCulture,
            $"{month} under {ruleSet}, as of {asOf.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss'Z'}\n\n"
        );
        foreach (var decision in decisions)
        {
            var lines =
                decision.Lines.Count == 0
                    ? "no claim"
                    : string.Join(", ", decision.Lines.Select(Line)) + " = " + Shown.Money(decision.Total);
            text.Append(
                CultureInfo.InvariantCulture,
                $"{decision.Patient}: {lines}; {Shown.Duration(decision.Time.Counted)} of {Shown.Duration(decision.Time.Logged)} counted\n"
            );
            foreach (var reason in decision.Reasons)
            {
                text.Append(
                    CultureInfo.InvariantCulture,
                    $"  {reason.Code} {reason.Severity.ToString().ToLowerInvariant(), -4} {reason.Text}\n"
                );
            }
        }
        foreach (var one in refused)
        {
            text.Append(CultureInfo.InvariantCulture, $"refused: {one.Resource}\n");
            foreach (var issue in one.Issues)
            {
                text.Append(CultureInfo.InvariantCulture, $"  {issue.Rule} at {issue.Expression}: {issue.Text}\n");
            }
        }
        var claims = decisions.Count(decision => decision.IsClaim);
        text.Append(
            CultureInfo.InvariantCulture,
            $"\n{decisions.Count} patients: {claims} claims, {Shown.Money(decisions.Sum(decision => decision.Total))}; {decisions.Count(decision => decision.IsHeld)} held; {refused.Count} resources refused"
        );
        return text.ToString();
    }

    /// <summary><c>99490</c>, <c>99439 x2</c>.</summary>
    public static string Line(ClaimLine line) =>
        line.Units == 1 ? line.Code : string.Create(CultureInfo.InvariantCulture, $"{line.Code} x{line.Units}");
}
