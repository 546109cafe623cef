using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>Turns decided months into lines of the worklist and what the month's figures need beside them.</summary>
internal static class WorklistRows
{
    // At most five minutes are missing to the next unit.
    private const long Near = 300;

    /// <summary>One patient's.</summary>
    /// <param name="month">The decided month.</param>
    /// <param name="record">The stream that it was decided from.</param>
    /// <param name="name">The patient's name.</param>
    /// <param name="file">The practice.</param>
    public static BoardRow Of(PatientMonth month, StreamRecord record, string name, PracticeFile file)
    {
        var decision = month.Decision;
        var claim = month.Claims.Count == 0 ? null : month.Claims[^1];
        var correction = Correction.Of(decision, claim?.Standing, file.Practice.TimeZone);
        var lines = claim?.Lines ?? decision.Potential;
        var line = new WorklistRow
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
        return new BoardRow(line, Activities(decision), claim?.Lines ?? [], Refusals(month, record, file), correction)
        {
            NeedsPerson =
                claim is not null
                && file.Ehr is { } ehr
                && Outbox.Of(claim.Journey, ehr, decision.AsOf).Standing == Standing.NeedsPerson,
        };
    }

    private static MonthState State(MonthDecision decision, IssuedClaim? claim) =>
        claim switch
        {
            { Lines.Count: > 0, Journey.State: ClaimState.Refused } => MonthState.Refused,
            { Lines.Count: > 0 } => MonthState.Billed,
            _ when decision.IsClaim => MonthState.Ready,
            _ when decision.IsHeld => MonthState.Held,
            _ when decision.Next is { } next
                    && next.Missing <= Near
                    && decision.Reasons.All(reason =>
                        reason.Severity > ReasonSeverity.Hold || reason.Code == "CCM-T01"
                    ) => MonthState.Near,
            _ => MonthState.None,
        };

    private static Dictionary<string, long> Activities(MonthDecision decision)
    {
        var seconds = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var entry in decision.Time.Entries)
        {
            if (entry.Counted.Seconds is > 0 and var counted)
            {
                seconds[entry.Log.Activity] = seconds.GetValueOrDefault(entry.Log.Activity) + counted;
            }
        }
        return seconds;
    }

    // Time was spent and nobody pays for it: why. One word a patient and reason.
    private static List<string> Refusals(PatientMonth month, StreamRecord record, PracticeFile file)
    {
        var decision = month.Decision;
        var said = new List<string>();
        if (month.Claims is [.., { Lines.Count: > 0 } claim])
        {
            if (claim.Journey.State == ClaimState.Refused)
            {
                said.Add("EHR refused");
            }
            said.AddRange(
                ClaimAnswer.Of(record, claim.Journey, file.Ehr?.BaseUrl) is [.., var answer]
                    ? answer.Kind switch
                    {
                        AnswerKind.Denied => ["payer denied"],
                        AnswerKind.Rejected => ["payer rejected"],
                        _ => [],
                    }
                    : []
            );
        }
        else if (decision.Time.Logged > 0 && !decision.IsClaim)
        {
            said.AddRange(
                decision
                    .Reasons.Where(reason => reason.Severity is ReasonSeverity.Deny or ReasonSeverity.Hold)
                    .Select(reason => ReasonNames.Of(reason.Code))
                    .Distinct(StringComparer.Ordinal)
            );
        }
        return said;
    }
}
