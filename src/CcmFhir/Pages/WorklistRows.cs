using CcmFhir.Domain;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;

namespace CcmFhir.Pages;

/// <summary>Turns decided months into lines of the worklist.</summary>
internal static class WorklistRows
{
    /// <summary>One line.</summary>
    /// <param name="month">The decided month.</param>
    /// <param name="name">The patient's name.</param>
    public static WorklistRow Of(PatientMonth month, string name)
    {
        var decision = month.Decision;
        var claim = month.Claims.Count == 0 ? null : month.Claims[^1];
        var lines = claim?.Lines ?? decision.Potential;
        return new WorklistRow
        {
            PatientId = decision.Patient[(decision.Patient.IndexOf('/', StringComparison.Ordinal) + 1)..],
            Name = name,
            State = State(decision, claim),
            Counted = decision.Time.Counted,
            Next = decision.Next?.At,
            NextCode = decision.Next?.Code,
            Codes = string.Join(", ", lines.Select(DecisionText.Line)),
            Amount = lines.Sum(line => line.Net),
            Reasons =
            [
                .. decision.Reasons.Select(reason => new ReasonLine(
                    reason.Code,
                    reason.Severity.ToString().ToLowerInvariant(),
                    reason.Text,
                    reason.References
                )),
            ],
        };
    }

    /// <summary>Where the month stands. Near: at most five minutes are missing to the next unit.</summary>
    private static MonthState State(MonthDecision decision, IssuedClaim? claim)
    {
        const long near = 300;
        return claim switch
        {
            { Lines.Count: > 0, Journey.State: ClaimState.Refused } => MonthState.Refused,
            { Lines.Count: > 0 } => MonthState.Billed,
            _ when decision.IsClaim => MonthState.Ready,
            _ when decision.IsHeld => MonthState.Held,
            _ when decision.Next is { } next
                    && next.Missing <= near
                    && decision.Reasons.All(reason =>
                        reason.Severity > ReasonSeverity.Hold || reason.Code == "CCM-T01"
                    ) => MonthState.Near,
            _ => MonthState.None,
        };
    }
}
