using System.Collections.Concurrent;
using CcmFhir.Export;
using CcmFhir.Journal;
using CcmFhir.Telemetry;

namespace CcmFhir.Ehr;

/// <summary>What a push did with one claim.</summary>
/// <param name="ClaimId">Logical id of the Claim.</param>
/// <param name="Stream">Stream of its patient.</param>
/// <param name="Standing">Where it stands after the push.</param>
/// <param name="Tried">A try was made in this push.</param>
/// <param name="DueAt">When the next try is due; null when none comes by itself.</param>
/// <param name="Text">What there is to say about it; null when nothing.</param>
/// <param name="Held">It was due, and the EHR is left alone for now.</param>
internal sealed record PushedClaim(
    string ClaimId,
    string Stream,
    Standing Standing,
    bool Tried,
    DateTimeOffset? DueAt,
    string? Text,
    bool Held = false
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
    private const string NoWay =
        "The EHR's CapabilityStatement offers no way to deliver a claim; set 'ehr.deliver' to the way agreed with the EHR's vendor.";

    private static readonly DeliveryNote Unreadable = new()
    {
        Problem = DeliveryProblem.BadClaim,
        Text = "The claim in the journal is no Claim with an identifier of ours. Nothing was sent.",
    };

    private static readonly TimeSpan SettledFor = TimeSpan.FromHours(1);

    private readonly ClaimJournal journal = new(streams, clock);
    private readonly VerifyClaims verify = new(new ClaimJournal(streams, clock));

    /// <summary>Tries each claim that is due, once.</summary>
    /// <param name="ehr">The practice's EHR.</param>
    /// <param name="month">Service month, <c>yyyy-MM</c>.</param>
    /// <param name="progress">Told after each claim; null for nobody.</param>
    /// <param name="cancel">Stops; tries under way are journalled as stopped.</param>
    /// <param name="settled">Claims that need nothing more, by index key, with the instant until which they are passed over unread; null to read all.
    /// Passed-over claims are not in the report.</param>
    public async Task<PushReport> RunAsync(
        EhrSession ehr,
        string month,
        IProgress<PushedClaim>? progress,
        CancellationToken cancel,
        ConcurrentDictionary<string, DateTimeOffset>? settled = null
    )
    {
        var done = new ConcurrentBag<PushedClaim>();
        var prefix = ClaimJournal.MonthKey(ehr.Practice, month);
        var entries = new List<IndexEntry>();
        await foreach (var entry in streams.Store.ListAsync(prefix, null, cancel))
        {
            if (settled is null || !settled.TryGetValue(entry.Key, out var until) || until <= clock.GetUtcNow())
            {
                entries.Add(entry);
            }
        }
        while (entries.Count > 0)
        {
            var held = new ConcurrentDictionary<IndexEntry, PushedClaim>();
            await Parallel.ForEachAsync(
                entries,
                new ParallelOptions { MaxDegreeOfParallelism = ehr.Connection.Concurrency, CancellationToken = cancel },
                async (entry, stop) =>
                {
                    var claim = await PushAsync(ehr, entry.Value, entry.Key[prefix.Length..], stop);
                    if (claim is { Held: true })
                    {
                        held[entry] = claim;
                    }
                    else if (claim is not null)
                    {
                        if (settled is not null && claim is { Standing: Standing.Delivered, DueAt: null })
                        {
                            settled[entry.Key] = clock.GetUtcNow() + SettledFor;
                        }
                        done.Add(claim);
                        progress?.Report(claim);
                    }
                }
            );
            entries.Clear();
            // Where the one that was let through has shown that the EHR works again, the others need not wait for another round.
            if (ehr.Circuit.Reason is null)
            {
                entries.AddRange(held.Keys.OrderBy(entry => entry.Key, StringComparer.Ordinal));
            }
            else
            {
                foreach (var claim in held.Values)
                {
                    done.Add(claim with { DueAt = ehr.Circuit.OpenUntil });
                    progress?.Report(claim);
                }
            }
        }
        return new PushReport([.. done.OrderBy(claim => claim.ClaimId, StringComparer.Ordinal)], ehr.Circuit.Reason);
    }

    /// <summary>Tries one claim, if it is due, or looks after one that was delivered; null when there is no such claim.</summary>
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
            if (before.Standing == Standing.Delivered)
            {
                return await LookAsync(ehr, record, journey, before, cancel);
            }
            if (before.Standing != Standing.Due)
            {
                return Report(stream, claimId, before, tried: false);
            }
            if (ClaimDraft.Read(journey.Json) is not { } draft)
            {
                await journal.AppendAsync(stream, claimId, RecordKind.ClaimRefused, Unreadable, CancellationToken.None);
                continue;
            }
            if (WaitsFor(draft, record, ehr.Connection, now, out var originals) is { } waits)
            {
                return new PushedClaim(claimId, stream, Standing.Waiting, Tried: false, null, waits);
            }
            if (!ehr.Circuit.MayPass(now, out var until))
            {
                return Hold(ehr, stream, claimId, until);
            }
            var asFile = ehr.Connection.Shape == DeliveryShape.File;
            var (known, answer) = asFile ? (null, null) : await ehr.Capabilities.GetAsync(ehr, cancel);
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
                return new PushedClaim(claimId, stream, Standing.Waiting, Tried: false, null, NoWay);
            }
            var mapped = asFile
                ? MappedReferences.None
                : await EhrReferences.MapAsync(
                    ehr,
                    draft,
                    (type, id, stop) => journal.FindAsync(ehr.Practice, record, type, id, stop),
                    originals,
                    cancel
                );
            // The EHR may have asked for peace since; a try that sends nothing is none.
            if (ehr.Circuit.AskedUntil(clock.GetUtcNow()) is { } asked)
            {
                return Hold(ehr, stream, claimId, asked);
            }
            using var pushing = Signals.Begin("push claim", [record.Find("Claim", claimId)?.Correlation ?? ""]);
            // Shorter than the lease by a request's time and the time a lost request may still be at work.
            var sendBefore = clock.GetUtcNow() + (2 * Deliver.Requests(shape, draft) * ehr.Connection.Timeout);
            var lease = new DeliveryNote
            {
                Attempt = before.Attempts + 1,
                Shape = Deliver.Word(shape),
                By = instance,
                Until = sendBefore + ehr.Connection.Timeout + ehr.Connection.Settle,
            };
            if (!await journal.TryAppendAsync(record, claimId, RecordKind.ClaimSent, lease, cancel))
            {
                continue;
            }
            var attempt = new DeliveryTry(
                ehr,
                known,
                draft,
                before,
                mapped,
                sendBefore,
                part => journal.AppendAsync(stream, claimId, RecordKind.ClaimPartAccepted, part, CancellationToken.None)
            )
            {
                ClaimFile = ehr.File is { ClaimFiles: not null } file
                    ? stop => new ClaimFiles(journal, file).WriteAsync([new MonthClaim(record, journey, draft)], stop)
                    : null,
                TryPart = part => TryPartAsync(ehr.Connection, stream, claimId, lease, part),
            };
            var result = await TryAsync(shape, lease, attempt, cancel);
            var after = await journal.AppendAsync(stream, claimId, result.Kind, result.Note, CancellationToken.None);
            var then = Outbox.Of(after.Claim(claimId)!, ehr.Connection, clock.GetUtcNow());
            return Report(stream, claimId, then, tried: true) with
            {
                DueAt = then.DueAt ?? VerifyClaims.DueAt(after.Claim(claimId)!, then, ehr.Connection),
            };
        }
    }

    /// <summary>Journals a part where no part is there yet and no other try has begun since.</summary>
    private async Task<bool> TryPartAsync(
        EhrConnection connection,
        string stream,
        string claimId,
        DeliveryNote lease,
        DeliveryNote part
    )
    {
        while (true)
        {
            var record = await streams.ReadAsync(stream, CancellationToken.None);
            var claim = record.Claim(claimId)!;
            var last = DeliveryNote.FromBytes(claim.Events.FindLast(step => step.Kind == RecordKind.ClaimSent)!.Body);
            if (
                (last.By, last.Attempt, last.Until) != (lease.By, lease.Attempt, lease.Until)
                || Outbox.Of(claim, connection, clock.GetUtcNow()).Parts.ContainsKey(part.Part ?? 0)
            )
            {
                return false;
            }
            if (
                await journal.TryAppendAsync(
                    record,
                    claimId,
                    RecordKind.ClaimPartAccepted,
                    part,
                    CancellationToken.None
                )
            )
            {
                return true;
            }
        }
    }

    private static PushedClaim Hold(EhrSession ehr, string stream, string claimId, DateTimeOffset until) =>
        new(claimId, stream, Standing.Waiting, Tried: false, until, ehr.Circuit.Reason, Held: true);

    private static PushedClaim Report(string stream, string claimId, Delivery delivery, bool tried) =>
        new(claimId, stream, delivery.Standing, tried, delivery.DueAt, delivery.Last?.Text);

    /// <summary>The first look at a delivered claim, once it is due.</summary>
    private async Task<PushedClaim> LookAsync(
        EhrSession ehr,
        StreamRecord record,
        ClaimJourney claim,
        Delivery delivery,
        CancellationToken cancel
    )
    {
        var now = clock.GetUtcNow();
        var due = VerifyClaims.DueAt(claim, delivery, ehr.Connection);
        if (due <= now && !ehr.Circuit.MayPass(now, out var until))
        {
            return Report(record.Stream, claim.Id, delivery, tried: false) with { DueAt = until, Held = true };
        }
        if (due is null || due > now)
        {
            return Report(record.Stream, claim.Id, delivery, tried: false) with { DueAt = due };
        }
        var after = await verify.LookAsync(ehr, record, claim, delivery, cancel);
        return after is null
            ? Report(record.Stream, claim.Id, delivery, tried: false) with
            {
                DueAt = now + ehr.Connection.RetryMin,
            }
            : Report(
                record.Stream,
                claim.Id,
                Outbox.Of(after.Claim(claim.Id)!, ehr.Connection, clock.GetUtcNow()),
                tried: false
            );
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
}
