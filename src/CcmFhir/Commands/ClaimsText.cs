using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Ehr;
using CcmFhir.Journal;

namespace CcmFhir.Commands;

/// <summary>How claims are printed.</summary>
internal static class ClaimsText
{
    /// <summary>How JSON is printed.</summary>
    public static JsonSerializerOptions Indented { get; } =
        new(JsonSerializerDefaults.Web)
        {
            WriteIndented = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        };

    /// <summary>The word for a standing.</summary>
    public static string Word(Standing standing) =>
        standing switch
        {
            Standing.NeedsPerson => "needs-person",
            Standing.Due => "waiting",
            _ => JsonNamingPolicy.KebabCaseLower.ConvertName(standing.ToString()),
        };

    /// <summary>Dollars with cents; nothing for none.</summary>
    public static string Money(decimal? amount) => amount?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";

    /// <summary>What stands in the way of a claim that has not arrived, with a space before it.</summary>
    public static string Trouble(ClaimView claim) =>
        claim.Delivery.Accepted is null && claim.Delivery.Last?.Text is { Length: > 0 } text ? $"  {text}" : "";

    /// <summary>A claim as JSON.</summary>
    public static object Row(ClaimView claim) =>
        new
        {
            claim = claim.Id,
            patient = $"Patient/{claim.Patient}",
            identifier = claim.Identifier,
            state = claim.State,
            total = claim.Total,
            issuedAt = claim.IssuedAt,
            deliveredAt = claim.Delivery.AcceptedAt,
            ehrReference = claim.Delivery.Accepted?.EhrReference,
            ehrStatus = claim.EhrStatus,
            attempts = claim.Delivery.Attempts,
            nextTry = claim.Delivery.Standing == Standing.Waiting ? claim.Delivery.DueAt : null,
            problem = claim.Delivery.Accepted is null ? claim.Delivery.Last?.Problem : null,
            text = claim.Delivery.Accepted is null ? claim.Delivery.Last?.Text : null,
            paid = claim.Answer?.Amount,
            reasons = claim.Answer?.Reasons,
            advice = claim.Advice,
        };

    /// <summary>One thing that happened to a claim, as JSON.</summary>
    public static object Step(ClaimEvent step) =>
        new
        {
            at = step.At,
            what = JsonNamingPolicy.KebabCaseLower.ConvertName(step.Kind.ToString()),
            note = step.Kind == RecordKind.ClaimIssued ? null : DeliveryNote.FromBytes(step.Body),
        };

    /// <summary>A claim and everything that happened to it.</summary>
    public static string Text(ClaimView claim)
    {
        var lines = new List<string>
        {
            $"Claim/{claim.Id}  {claim.State}  {Money(claim.Total)}  Patient/{claim.Patient}",
            $"identifier  {claim.Identifier}",
        };
        foreach (var step in claim.Events)
        {
            var note = step.Kind == RecordKind.ClaimIssued ? new DeliveryNote() : DeliveryNote.FromBytes(step.Body);
            string?[] parts =
            [
                string.Create(CultureInfo.InvariantCulture, $"{step.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"),
                JsonNamingPolicy.KebabCaseLower.ConvertName(step.Kind.ToString()),
                note.Attempt > 0 ? string.Create(CultureInfo.InvariantCulture, $"try {note.Attempt}") : null,
                note.Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"HTTP {status}") : null,
                note.EhrReference,
                note.EhrStatus,
                note.By is { } by && step.Kind is RecordKind.ClaimResent ? $"by {by}" : null,
                note.Text,
            ];
            lines.Add("  " + string.Join("  ", parts.Where(part => !string.IsNullOrEmpty(part))));
        }
        foreach (var answer in claim.Answers)
        {
            lines.Add(
                $"  {answer.Reference}  {answer.Kind.ToString().ToLowerInvariant()}  {Money(answer.Amount)}  {string.Join("; ", answer.Reasons)}".TrimEnd()
            );
        }
        if (claim.Advice is { } advice)
        {
            lines.Add(advice);
        }
        return string.Join('\n', lines);
    }

    /// <summary>The month from issue to money.</summary>
    public static string Text(Reconciliation report)
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"{report.Month} at {report.At.UtcDateTime:yyyy-MM-dd HH:mm}Z"),
        };
        lines.AddRange(
            report.Stages.Select(stage =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {stage.Name, -10} {stage.Count, 6}  {stage.Amount, 12:0.00}"
                ) + Open(stage)
            )
        );
        if (report.Trouble.Count > 0)
        {
            lines.Add("Needs a person:");
            lines.AddRange(
                report.Trouble.Select(claim =>
                    $"  {claim.Id}  {claim.State}{Trouble(claim)}  {string.Join("; ", claim.Answer?.Reasons ?? [])}  {claim.Advice}".TrimEnd()
                )
            );
        }
        return string.Join('\n', lines);
    }

    private static string Open(ReconciliationStage stage) =>
        stage.OldestOpen is { } oldest
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"  {stage.Open} wait, the oldest for {oldest.TotalDays:0.0} days"
            )
            : "";
}
