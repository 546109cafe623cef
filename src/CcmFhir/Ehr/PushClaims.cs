using System.Collections.Concurrent;
using CcmFhir.Journal;

namespace CcmFhir.Ehr;

/// <summary>What a push did with one claim.</summary>
/// <param name="ClaimId">Logical id of the Claim.</param>
/// <param name="Stream">Stream of its patient.</param>
/// <param name="Standing">Where it stands after the push.</param>
/// <param name="Tried">A try was made in this push.</param>
/// <param name="DueAt">When the next try is due; null when none comes by itself.</param>
/// <param name="Text">What there is to say about it; null when nothing.</param>
internal sealed record PushedClaim(
    string ClaimId,
    string Stream,
    Standing Standing,
    bool Tried,
    DateTimeOffset? DueAt,
    string? Text
);

/// <summary>What a push of one month did.</summary>
/// <param name="Claims">Each claim of the month, in order of claim ids.</param>
/// <param name="Paused">Why the EHR is left alone for now; null when it is not.</param>
internal sealed record PushReport(IReadOnlyList<PushedClaim> Claims, string? Paused)
{
    /// <summary>Claims that stand so.</summary>
    public int Count(Standing standing) => Claims.Count(claim => claim.Standing == standing);

    /// <summary>When something is due next; null when nothing comes by itself.</summary>
    public DateTimeOffset? NextDue => Claims.Min(claim => claim.DueAt);
}

/// <summary>Brings the issued claims of a practice's month into its EHR. May run in many instances at once and be killed at any moment:
/// a try begins with an append at the expected position of the patient's stream, which only one of them wins.</summary>
/// <param name="streams">The journal.</param>
/// <param name="clock">The clock.</param>
/// <param name="instance">Name of this instance, for the journal.</param>
internal sealed class PushClaims(StreamRecords streams, TimeProvider clock, string instance)
{
    /// <summary>Prefix of the index entries of a month's claims; the rest of the key is the claim's id, the value its stream.</summary>
    public static string MonthKey(string practice, string month) => $"claim/{practice}/{month}/";

    /// <summary>Tries each claim that is due, once.</summary>
    /// <param name="ehr">The practice's EHR.</param>
    /// <param name="month">Service month, <c>yyyy-MM</c>.</param>
    /// <param name="progress">Told after each claim; null for nobody.</param>
    /// <param name="cancel">Stops; tries under way are journalled as stopped.</param>
    public async Task<PushReport> RunAsync(
        EhrSession ehr,
        string month,
        IProgress<PushedClaim>? progress,
        CancellationToken cancel
    )
    {
        var done = new ConcurrentBag<PushedClaim>();
        var prefix = MonthKey(ehr.Practice, month);
        await Parallel.ForEachAsync(
            streams.Store.ListAsync(prefix, null, cancel),
            new ParallelOptions { MaxDegreeOfParallelism = ehr.Connection.Concurrency, CancellationToken = cancel },
            async (entry, stop) =>
            {
                var claim = await PushAsync(ehr, entry.Value, entry.Key[prefix.Length..], stop);
                if (claim is not null)
                {
                    done.Add(claim);
                    progress?.Report(claim);
                }
            }
        );
        return new PushReport([.. done.OrderBy(claim => claim.ClaimId, StringComparer.Ordinal)], ehr.Circuit.Reason);
    }

    /// <summary>Tries one claim, if it is due; null when there is no such claim.</summary>
    public async Task<PushedClaim?> PushAsync(EhrSession ehr, string stream, string claimId, CancellationToken cancel)
    {
        while (true)
        {
            var record = await streams.ReadAsync(stream, cancel);
            if (record.Claim(claimId) is not { } journey)
            {
                // An index entry stands before its claim, and without it where the claim was never journalled.
                return null;
            }
            var now = clock.GetUtcNow();
            var before = Outbox.Of(journey, ehr.Connection, now);
            if (before.Standing != Standing.Due)
            {
                return Report(before, tried: false);
            }
            if (ClaimDraft.Read(journey.Json) is not { } draft)
            {
                var unreadable = new DeliveryNote
                {
                    Problem = DeliveryProblem.BadClaim,
                    Text = "The claim in the journal is no Claim with an identifier of ours. Nothing was sent.",
                };
                await AppendAsync(stream, claimId, TryResult.Refused(unreadable), CancellationToken.None);
                continue;
            }
            if (WaitsFor(draft, record, ehr.Connection, now, out var originals) is { } waits)
            {
                return new PushedClaim(claimId, stream, Standing.Waiting, Tried: false, null, waits);
            }
            if (!ehr.Circuit.MayPass(now, out var until))
            {
                return new PushedClaim(claimId, stream, Standing.Waiting, Tried: false, until, ehr.Circuit.Reason);
            }
            var (known, answer) = await ehr.Capabilities.GetAsync(ehr, cancel);
            if (answer?.Problem is not null || answer?.Status is 429 or >= 500)
            {
                return new PushedClaim(
                    claimId,
                    stream,
                    Standing.Waiting,
                    Tried: false,
                    answer.RetryAfter ?? now + ehr.Connection.RetryMin,
                    $"The EHR's /metadata cannot be read. {answer.Text ?? answer.StatusText}"
                );
            }
            if (Deliver.Choose(ehr.Connection, known) is not { } shape)
            {
                return new PushedClaim(
                    claimId,
                    stream,
                    Standing.Waiting,
                    Tried: false,
                    null,
                    "The EHR's CapabilityStatement offers no way to deliver a claim; set 'ehr.deliver' to the way agreed with the EHR's vendor."
                );
            }
            var mapped = await EhrReferences.MapAsync(
                ehr,
                draft,
                (type, id, stop) => OursAsync(ehr.Practice, record, type, id, stop),
                originals,
                cancel
            );
            var sendBefore = clock.GetUtcNow() + ehr.Connection.Timeout + ehr.Connection.Timeout;
            var lease = new DeliveryNote
            {
                Attempt = before.Attempts + 1,
                Shape = Deliver.Word(shape),
                By = instance,
                Until = sendBefore + ehr.Connection.Timeout + ehr.Connection.Settle,
            };
            if (!await TryAppendAsync(record, claimId, RecordKind.ClaimSent, lease, cancel))
            {
                continue;
            }
            var result = await TryAsync(
                shape,
                lease,
                new DeliveryTry(
                    ehr,
                    known,
                    draft,
                    before,
                    mapped,
                    sendBefore,
                    part =>
                        AppendAsync(
                            stream,
                            claimId,
                            new TryResult(RecordKind.ClaimPartAccepted, part),
                            CancellationToken.None
                        )
                ),
                cancel
            );
            var after = await AppendAsync(stream, claimId, result, CancellationToken.None);
            return Report(Outbox.Of(after.Claim(claimId)!, ehr.Connection, clock.GetUtcNow()), tried: true);
        }

        PushedClaim Report(Delivery delivery, bool tried) =>
            new(claimId, stream, delivery.Standing, tried, delivery.DueAt, delivery.Last?.Text);
    }

    private static async Task<TryResult> TryAsync(
        DeliveryShape shape,
        DeliveryNote lease,
        DeliveryTry attempt,
        CancellationToken cancel
    )
    {
        TryResult result;
        try
        {
            result = await Deliver.TryAsync(shape, attempt, cancel);
        }
        catch (OperationCanceledException)
        {
            result = TryResult.Unanswered(
                new DeliveryNote
                {
                    Problem = DeliveryProblem.Stopped,
                    Text = "This instance was stopped in the middle of the try.",
                    MayHaveArrived = true,
                }
            );
        }
        // What an earlier try may have brought there stays possible until a search has said no, and only such a try ends with less.
        return result with { Note = result.Note with { Attempt = lease.Attempt, Shape = lease.Shape, By = lease.By } };
    }

    /// <summary>A correction waits until what it corrects is known to have arrived.</summary>
    private static string? WaitsFor(
        ClaimDraft draft,
        StreamRecord record,
        EhrConnection connection,
        DateTimeOffset now,
        out IReadOnlyDictionary<string, string> originals
    )
    {
        var found = new Dictionary<string, string>(StringComparer.Ordinal);
        originals = found;
        foreach (var id in draft.Originals)
        {
            var original = record.Claim(id) is { } journey ? Outbox.Of(journey, connection, now) : null;
            if (original?.Accepted is not { } accepted)
            {
                return $"It corrects Claim/{id}, which "
                    + (
                        original?.Standing == Standing.Refused
                            ? "the EHR refused: mend and resend that one first."
                            : "has not arrived yet."
                    );
            }
            found[id] = accepted.EhrReference ?? $"Claim/{id}";
        }
        return null;
    }

    private async ValueTask<StoredResource?> OursAsync(
        string practice,
        StreamRecord record,
        string type,
        string id,
        CancellationToken cancel
    )
    {
        if (record.Find(type, id) is { } here)
        {
            return here.Current;
        }
        return await streams.Store.FindAsync($"id/{practice}/{type}/{id}", cancel) is { } stream
            ? (await streams.ReadAsync(stream, cancel)).Find(type, id)?.Current
            : null;
    }

    private async Task<bool> TryAppendAsync(
        StreamRecord record,
        string claimId,
        RecordKind kind,
        DeliveryNote note,
        CancellationToken cancel
    )
    {
        var payload = new EntryPayload(
            clock.GetUtcNow(),
            "ccmfhir",
            "",
            [new JournalRecord(kind, "Claim", claimId, 0, note.ToBytes())]
        );
        var answer = await streams.Store.AppendAsync(
            new JournalCommit([new StreamAppend(record.Stream, record.Position, payload.ToBytes())], []),
            cancel
        );
        return answer.Outcome == AppendOutcome.Appended;
    }

    private async Task<StreamRecord> AppendAsync(
        string stream,
        string claimId,
        TryResult result,
        CancellationToken cancel
    )
    {
        while (true)
        {
            var record = await streams.ReadAsync(stream, cancel);
            if (await TryAppendAsync(record, claimId, result.Kind, result.Note, cancel))
            {
                return await streams.ReadAsync(stream, cancel);
            }
        }
    }
}
