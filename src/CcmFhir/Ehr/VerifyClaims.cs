using System.Globalization;
using CcmFhir.Journal;

namespace CcmFhir.Ehr;

/// <summary>Looks at a delivered claim at the EHR: is it still there, and in which status. One that the EHR accepted and forgot goes out again,
/// twice by itself; after that a person is asked.</summary>
/// <param name="journal">The journal.</param>
internal sealed class VerifyClaims(ClaimJournal journal)
{
    private const int ResentByItself = 2;

    /// <summary>When a delivered claim is looked at for the first time; null when it has been, or cannot be.</summary>
    public static DateTimeOffset? DueAt(ClaimJourney claim, Delivery delivery, EhrConnection connection) =>
        connection.Verify
        && delivery.AcceptedAt is { } accepted
        && Readable(delivery.Accepted)
        && !claim.Events.Exists(step => step.Kind == RecordKind.ClaimSeen && step.At >= accepted)
            ? accepted + connection.Settle
            : null;

    /// <summary>Looks at a delivered claim.</summary>
    /// <returns>What the stream says afterwards; null when the EHR's answers decide nothing.</returns>
    public async Task<StreamRecord?> LookAsync(
        EhrSession ehr,
        StreamRecord record,
        ClaimJourney claim,
        Delivery delivery,
        CancellationToken cancel
    )
    {
        if (
            delivery.Accepted is not { } accepted
            || !Readable(accepted)
            || ClaimDraft.Read(claim.Json) is not { } draft
        )
        {
            return null;
        }
        var (type, system, value) = Identity(accepted.EhrReference!.Split('/')[0], draft);
        var answer = await ehr.SendAsync(
            HttpMethod.Get,
            accepted.EhrReference!,
            null,
            [("Cache-Control", "no-cache")],
            cancel
        );
        if (answer.Problem is not null)
        {
            return null;
        }
        if (answer.Status == 200 && answer.ResourceType == type && EhrSearch.Carries(answer.Json!.Root, system, value))
        {
            var body = answer.Json!.Root;
            return await SeenAsync(
                record,
                claim,
                new DeliveryNote
                {
                    EhrReference = accepted.EhrReference,
                    EhrVersion = body["meta"u8]["versionId"u8].Text ?? answer.Version,
                    EhrStatus = body["status"u8].Text,
                },
                cancel
            );
        }
        if (answer.Status is not (200 or 404 or 410))
        {
            return null;
        }
        var finding = await EhrSearch.FindAsync(ehr, type, system, value, cancel);
        if (!finding.Known)
        {
            return null;
        }
        if (finding.Matches is [var first, ..])
        {
            var several = finding.Matches.Count > 1;
            return await SeenAsync(
                record,
                claim,
                new DeliveryNote
                {
                    EhrReference = first.Reference,
                    EhrVersion = first.Version,
                    EhrStatus = first.Status,
                    Problem = several ? DeliveryProblem.Duplicates : null,
                    Text = several
                        ? $"The EHR holds several: {string.Join(", ", finding.Matches.Select(match => match.Reference))}. Mark all but one entered-in-error there."
                        : null,
                },
                cancel
            );
        }
        if (journal.Clock.GetUtcNow() < delivery.AcceptedAt + ehr.Connection.Settle)
        {
            // What was taken a moment ago may not be found yet.
            return null;
        }
        var times = claim.Events.Count(step => step.Kind == RecordKind.ClaimForgotten) + 1;
        return await AppendAsync(
            record,
            claim,
            RecordKind.ClaimForgotten,
            new DeliveryNote
            {
                Problem = DeliveryProblem.Forgotten,
                Status = answer.Status,
                NeedsPerson = times > ResentByItself,
                Text =
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The EHR accepted it as {accepted.EhrReference} and does not have it any more ({answer.StatusText}, and a search finds nothing; {times}. time). "
                    )
                    + (
                        times > ResentByItself
                            ? "It is not sent again by itself: ask the EHR's vendor, then resend."
                            : "It is sent again."
                    ),
            },
            cancel
        );
    }

    private static bool Readable(DeliveryNote? accepted) =>
        accepted?.EhrReference?.Split('/')[0] is "Claim" or "ChargeItem" or "DocumentReference";

    private static (string Type, string System, string Value) Identity(string type, ClaimDraft draft) =>
        type switch
        {
            "ChargeItem" => (type, DeliverChargeItems.IdentifierSystem, draft.Identifier + "-1"),
            "DocumentReference" => (type, DeliverDocument.IdentifierSystem, draft.Identifier),
            _ => ("Claim", ClaimDraft.IdentifierSystem, draft.Identifier),
        };

    private async Task<StreamRecord?> SeenAsync(
        StreamRecord record,
        ClaimJourney claim,
        DeliveryNote note,
        CancellationToken cancel
    )
    {
        var last = claim.Events.FindLast(step => step.Kind is RecordKind.ClaimSeen or RecordKind.ClaimAccepted);
        if (last?.Kind == RecordKind.ClaimSeen)
        {
            var before = DeliveryNote.FromBytes(last.Body);
            if (
                before.EhrStatus == note.EhrStatus
                && before.EhrReference == note.EhrReference
                && before.EhrVersion == note.EhrVersion
                && before.Problem == note.Problem
            )
            {
                return record;
            }
        }
        return await AppendAsync(record, claim, RecordKind.ClaimSeen, note, cancel);
    }

    private async Task<StreamRecord?> AppendAsync(
        StreamRecord record,
        ClaimJourney claim,
        RecordKind kind,
        DeliveryNote note,
        CancellationToken cancel
    )
    {
        // What was seen belongs to the acceptance that was looked at: where the stream has moved on, the next look decides.
        return await journal.TryAppendAsync(record, claim.Id, kind, note, cancel)
            ? await journal.Streams.ReadAsync(record.Stream, cancel)
            : null;
    }
}
