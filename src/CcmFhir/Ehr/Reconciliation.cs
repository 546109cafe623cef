using System.Globalization;
using System.Text;
using CcmFhir.Export;

namespace CcmFhir.Ehr;

/// <summary>One stage of the month's claims.</summary>
/// <param name="Name"><c>issued</c>, <c>delivered</c>, <c>answered</c>, <c>paid</c>; each claim of a stage also counts in those before it.</param>
/// <param name="Count">Claims that have come so far.</param>
/// <param name="Amount">What was charged for them; for <c>paid</c> what was paid.</param>
/// <param name="Open">Claims that stand at the stage before and wait for this one.</param>
/// <param name="OldestOpen">How long the oldest of them has waited; null when there is none.</param>
internal sealed record ReconciliationStage(string Name, int Count, decimal Amount, int Open, TimeSpan? OldestOpen);

/// <summary>The claims of a month from issue to money.</summary>
/// <param name="Month">Service month, <c>yyyy-MM</c>.</param>
/// <param name="At">When the report was made, UTC.</param>
/// <param name="Stages">Issued, delivered, answered, paid.</param>
/// <param name="Trouble">Claims that nobody will move but a person.</param>
/// <param name="Claims">All claims.</param>
internal sealed record Reconciliation(
    string Month,
    DateTimeOffset At,
    IReadOnlyList<ReconciliationStage> Stages,
    IReadOnlyList<ClaimView> Trouble,
    IReadOnlyList<ClaimView> Claims
)
{
    /// <summary>Makes the report.</summary>
    public static Reconciliation Of(string month, IReadOnlyList<ClaimView> claims, DateTimeOffset now)
    {
        var delivered = claims
            .Where(claim => claim.Delivery.AcceptedAt is not null || claim.Answers.Count > 0)
            .ToList();
        var answered = claims.Where(claim => Decided(claim) is not null).ToList();
        var paid = answered.Where(claim => Decided(claim)!.Kind == AnswerKind.Paid).ToList();
        return new Reconciliation(
            month,
            now,
            [
                Stage("issued", claims, [], claim => claim.IssuedAt),
                Stage("delivered", delivered, claims.Except(delivered), claim => claim.IssuedAt),
                Stage(
                    "answered",
                    answered,
                    delivered.Except(answered),
                    claim => claim.Delivery.AcceptedAt ?? claim.IssuedAt
                ),
                Stage("paid", paid, answered.Except(paid), claim => Decided(claim)!.At) with
                {
                    Amount = paid.Sum(claim => Decided(claim)!.Amount ?? 0),
                },
            ],
            [
                .. claims.Where(claim =>
                    claim.State is "refused" or "needs-person" or "rejected" or "denied" || claim.Advice is not null
                ),
            ],
            claims
        );

        ReconciliationStage Stage(
            string name,
            IReadOnlyCollection<ClaimView> there,
            IEnumerable<ClaimView> open,
            Func<ClaimView, DateTimeOffset> since
        )
        {
            var waiting = open.Select(claim => now - since(claim)).ToList();
            return new ReconciliationStage(
                name,
                there.Count,
                there.Sum(claim => claim.Total ?? 0),
                waiting.Count,
                waiting.Count == 0 ? null : waiting.Max()
            );
        }
    }

    /// <summary>The claims as CSV: one line each, ages in whole days.</summary>
    public string ToCsv()
    {
        var csv = new StringBuilder(
            "claim,patient,state,total,issued,delivered,ehr,answered,paid,daysOpen,problem\r\n"
        );
        foreach (var claim in Claims)
        {
            var decided = Decided(claim);
            string?[] cells =
            [
                claim.Id,
                claim.Patient,
                claim.State,
                claim.Total?.ToString("0.00", CultureInfo.InvariantCulture),
                Day(claim.IssuedAt),
                Day(claim.Delivery.AcceptedAt),
                claim.Delivery.Accepted?.EhrReference,
                Day(decided?.At),
                decided?.Amount?.ToString("0.00", CultureInfo.InvariantCulture),
                decided?.Kind == AnswerKind.Paid
                    ? ""
                    : ((int)(At - claim.IssuedAt).TotalDays).ToString(CultureInfo.InvariantCulture),
                decided?.Kind is AnswerKind.Denied or AnswerKind.Rejected ? string.Join("; ", decided.Reasons)
                : claim.Delivery.Accepted is null ? claim.Delivery.Last?.Text
                : null,
            ];
            csv.Append(CsvText.Line(cells));
        }
        return csv.ToString();
    }

    private static ClaimAnswer? Decided(ClaimView claim) =>
        claim.Answers.LastOrDefault(answer => answer.Kind != AnswerKind.Pending);

    private static string? Day(DateTimeOffset? at) =>
        at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
