using System.Globalization;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>A claim and its journey in words.</summary>
/// <param name="Reference"><c>Claim/id</c>.</param>
/// <param name="Lines">Codes, units and sum.</param>
/// <param name="State">One word for where it stands.</param>
/// <param name="Advice">What to do; null for nothing.</param>
/// <param name="Steps">What happened, oldest first: when and what.</param>
/// <param name="Answers">What the payer answered, oldest first.</param>
public sealed record ClaimStory(
    string Reference,
    string Lines,
    string State,
    string? Advice,
    IReadOnlyList<(string When, string What)> Steps,
    IReadOnlyList<string> Answers
)
{
    /// <summary>Tells it.</summary>
    internal static ClaimStory Of(IssuedClaim claim, ClaimView view, PracticeFile file) =>
        new(
            $"Claim/{claim.Id}",
            string.Create(CultureInfo.InvariantCulture, $"revision {claim.Revision}: ")
                + (
                    claim.Lines.Count == 0
                        ? "takes the claim back"
                        : $"{string.Join(", ", claim.Lines.Select(DecisionText.Line))}, {Shown.Money(claim.Lines.Sum(line => line.Net))}"
                ),
            view.State,
            view.Advice,
            [.. claim.Journey.Events.Select(step => (Shown.Instant(step.At, file.Practice.TimeZone), Words(step)))],
            [
                .. view.Answers.Select(answer =>
                    $"{Shown.Instant(answer.At, file.Practice.TimeZone)}: {answer.Kind.ToString().ToLowerInvariant()}"
                    + (answer.Amount is { } amount ? $", {Shown.Money(amount)}" : "")
                    + (answer.Reasons.Count > 0 ? ": " + string.Join("; ", answer.Reasons) : "")
                    + $" ({answer.Reference})"
                ),
            ]
        );

    private static string Words(ClaimEvent step)
    {
        if (step.Kind == RecordKind.ClaimIssued)
        {
            return "issued";
        }
        var note = DeliveryNote.FromBytes(step.Body);
        var what = step.Kind switch
        {
            RecordKind.ClaimSent => "sent to the EHR",
            RecordKind.ClaimAccepted => "the EHR has it",
            RecordKind.ClaimRefused => "refused by the EHR",
            RecordKind.ClaimUnanswered => note.NeedsPerson
                ? "not answered; a person must look"
                : "not answered; it will be tried again",
            RecordKind.ClaimPartAccepted => string.Create(
                CultureInfo.InvariantCulture,
                $"the EHR has part {note.Part}"
            ),
            RecordKind.ClaimForgotten => "the EHR does not have it any more",
            RecordKind.ClaimResent => "to be sent again",
            RecordKind.ClaimSeen => "looked up at the EHR",
            _ => step.Kind.ToString(),
        };
        var more = string.Join(
            ", ",
            new[]
            {
                note.Attempt > 1 ? string.Create(CultureInfo.InvariantCulture, $"try {note.Attempt}") : null,
                note.EhrReference,
                note.EhrStatus,
                note.Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"HTTP {status}") : null,
            }.OfType<string>()
        );
        return what + (more.Length > 0 ? $" ({more})" : "") + (note.Text is { } text ? $": {text}" : "");
    }
}
