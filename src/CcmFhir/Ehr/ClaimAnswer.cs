using System.Globalization;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>What a payer, or the EHR for it, says about a claim.</summary>
internal enum AnswerKind
{
    /// <summary>Taken in, not decided.</summary>
    Pending,

    /// <summary>Cannot be worked on as it is: errors.</summary>
    Rejected,

    /// <summary>Decided, and nothing is paid.</summary>
    Denied,

    /// <summary>Decided, and something is paid.</summary>
    Paid,
}

/// <summary>A ClaimResponse or ExplanationOfBenefit that answers a claim of ours.</summary>
/// <param name="Reference"><c>Type/id</c> with us.</param>
/// <param name="At">When we took it, UTC.</param>
/// <param name="Kind">What it says.</param>
/// <param name="Amount">What is paid, in its currency; null where it says nothing.</param>
/// <param name="Reasons">Codes and texts of errors, adjudication reasons and notes.</param>
/// <param name="Number">The payer's number of the claim: the answer's identifier, of type <c>uc</c> where there are several; null where it has none.</param>
internal sealed record ClaimAnswer(
    string Reference,
    DateTimeOffset At,
    AnswerKind Kind,
    decimal? Amount,
    IReadOnlyList<string> Reasons,
    string? Number = null
)
{
    /// <summary>The answers to a claim that its patient's stream holds, oldest first. A link is what the answer itself says: by our reference,
    /// by the EHR's name for the claim, or by its identifier.</summary>
    /// <param name="record">The stream.</param>
    /// <param name="claim">The claim.</param>
    /// <param name="baseUrl">The EHR's base URL; null when there is none.</param>
    public static IReadOnlyList<ClaimAnswer> Of(StreamRecord record, ClaimJourney claim, Uri? baseUrl)
    {
        var names = Names(claim, baseUrl);
        var identifier = ClaimDraft.Read(claim.Json)?.Identifier;
        var answers = new List<ClaimAnswer>();
        foreach (var versions in record.Resources)
        {
            var stored = versions.Current;
            if (stored.Type is not ("ClaimResponse" or "ExplanationOfBenefit") || stored.Deleted)
            {
                continue;
            }
            if (FhirJson.Parse(stored.Json.ToArray(), out _)?.Root is { } answer && Answers(answer, names, identifier))
            {
                answers.Add(Read(answer, stored.Reference, stored.LastUpdated));
            }
        }
        foreach (var step in claim.Events)
        {
            // A ClaimResponse that came back at once, from Claim/$submit.
            if (
                step.Kind == RecordKind.ClaimAccepted
                && DeliveryNote.FromBytes(step.Body).Answer is { ValueKind: System.Text.Json.JsonValueKind.Object } kept
                && FhirJson.Parse(System.Text.Encoding.UTF8.GetBytes(kept.GetRawText()), out _)?.Root is { } body
                && body["resourceType"u8].Is("ClaimResponse"u8)
            )
            {
                answers.Add(Read(body, $"ClaimResponse/{body["id"u8].Text}", step.At));
            }
        }
        return [.. answers.OrderBy(answer => answer.At).ThenBy(answer => answer.Reference, StringComparer.Ordinal)];
    }

    /// <summary>Reads an answer.</summary>
    public static ClaimAnswer Read(FhirElement answer, string reference, DateTimeOffset at)
    {
        var amount = AmountOf(answer);
        var outcome = answer["outcome"u8].Text;
        var dead = answer["status"u8].Text is "cancelled" or "entered-in-error";
        var kind =
            outcome == "error" ? AnswerKind.Rejected
            : dead || outcome is "queued" or null ? AnswerKind.Pending
            : amount > 0 ? AnswerKind.Paid
            : amount is null ? AnswerKind.Pending
            : AnswerKind.Denied;
        return new ClaimAnswer(reference, at, kind, amount, ReasonsOf(answer), NumberOf(answer));
    }

    /// <summary>Errors of a ClaimResponse, as one text.</summary>
    public static string Errors(FhirElement answer) => string.Join("; ", ReasonsOf(answer));

    private static HashSet<string> Names(ClaimJourney claim, Uri? baseUrl)
    {
        var names = new HashSet<string>(StringComparer.Ordinal) { $"Claim/{claim.Id}" };
        foreach (var step in claim.Events)
        {
            if (
                step.Kind is RecordKind.ClaimAccepted or RecordKind.ClaimSeen
                && DeliveryNote.FromBytes(step.Body).EhrReference is { } there
            )
            {
                names.Add(there);
            }
        }
        if (baseUrl is not null)
        {
            var root = baseUrl.AbsoluteUri.TrimEnd('/');
            names.UnionWith([.. names.Select(name => $"{root}/{name}")]);
        }
        return names;
    }

    private static bool Answers(FhirElement answer, HashSet<string> names, string? identifier)
    {
        var link = answer["resourceType"u8].Is("ClaimResponse"u8) ? answer["request"u8] : answer["claim"u8];
        if (link["reference"u8].Text is { } reference && names.Contains(reference.Split("/_history/")[0]))
        {
            return true;
        }
        return identifier is not null
            && link["identifier"u8]["value"u8].Text == identifier
            && link["identifier"u8]["system"u8].Text == ClaimDraft.IdentifierSystem;
    }

    private static string? NumberOf(FhirElement answer)
    {
        string? first = null;
        foreach (var identifier in answer["identifier"u8].Items)
        {
            foreach (var coding in identifier["type"u8]["coding"u8].Items)
            {
                if (coding["code"u8].Is("uc"u8))
                {
                    return identifier["value"u8].Text;
                }
            }
            first ??= identifier["value"u8].Text;
        }
        return first;
    }

    /// <summary>What is paid: the payment, else the total of category benefit.</summary>
    private static decimal? AmountOf(FhirElement answer)
    {
        if (Money(answer["payment"u8]["amount"u8]) is { } payment)
        {
            return payment;
        }
        foreach (var total in answer["total"u8].Items)
        {
            foreach (var coding in total["category"u8]["coding"u8].Items)
            {
                if (coding["code"u8].Text is "benefit" or "paidtoprovider")
                {
                    return Money(total["amount"u8]);
                }
            }
        }
        return null;
    }

    private static decimal? Money(FhirElement money) =>
        decimal.TryParse(money["value"u8].Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    private static List<string> ReasonsOf(FhirElement answer)
    {
        var reasons = new List<string>();
        foreach (var error in answer["error"u8].Items)
        {
            Add(error["code"u8]);
        }
        foreach (var item in answer["item"u8].Items)
        {
            foreach (var adjudication in item["adjudication"u8].Items)
            {
                Add(adjudication["reason"u8]);
            }
        }
        foreach (var note in answer["processNote"u8].Items)
        {
            if (note["text"u8].Text is { } text)
            {
                reasons.Add(text);
            }
        }
        if (answer["disposition"u8].Text is { } disposition)
        {
            reasons.Add(disposition);
        }
        return [.. reasons.Distinct(StringComparer.Ordinal)];

        void Add(FhirElement concept)
        {
            string? code = null;
            foreach (var coding in concept["coding"u8].Items)
            {
                code ??= coding["code"u8].Text;
            }
            var text = concept["text"u8].Text;
            if ((code ?? text) is not null)
            {
                reasons.Add(string.Join(' ', new[] { code, text }.Where(part => part is not null)));
            }
        }
    }
}
