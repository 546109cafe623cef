using CcmFhir.Ehr;
using CcmFhir.Journal;

namespace CcmFhir.Export;

/// <summary>A claim that was issued, with its patient's stream.</summary>
/// <param name="Record">The stream.</param>
/// <param name="Journey">The claim and what became of it.</param>
/// <param name="Draft">The claim, read.</param>
internal sealed record MonthClaim(StreamRecord Record, ClaimJourney Journey, ClaimDraft Draft)
{
    /// <summary>When it was issued, UTC.</summary>
    public DateTimeOffset IssuedAt => Journey.Events[0].At;

    /// <summary>The claims of a month: every revision, by patient and then in the order they were issued.</summary>
    /// <param name="streams">The journal.</param>
    /// <param name="practice">Slug.</param>
    /// <param name="month">Service month, <c>yyyy-MM</c>.</param>
    /// <param name="since">Only those issued at or after this instant; null for all.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<IReadOnlyList<MonthClaim>> ReadAsync(
        StreamRecords streams,
        string practice,
        string month,
        DateTimeOffset? since,
        CancellationToken cancel
    )
    {
        var prefix = ClaimJournal.MonthKey(practice, month);
        var claims = new List<MonthClaim>();
        await foreach (var entry in streams.Store.ListAsync(prefix, null, cancel))
        {
            var record = await streams.ReadAsync(entry.Value, cancel);
            // An index entry stands before its claim, and without it where the claim was never journalled.
            if (
                record.Claim(entry.Key[prefix.Length..]) is { } journey
                && ClaimDraft.Read(journey.Json) is { } draft
                && !(journey.Events[0].At < since)
            )
            {
                claims.Add(new MonthClaim(record, journey, draft));
            }
        }
        return
        [
            .. claims
                .OrderBy(claim => claim.Record.Stream, StringComparer.Ordinal)
                .ThenBy(claim => claim.Journey.Events[0].Position),
        ];
    }
}
