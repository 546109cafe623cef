using System.Globalization;
using CcmFhir.Intake;
using CcmFhir.Journal;

namespace CcmFhir.Ehr;

/// <summary>A claim as billing staff look at it.</summary>
/// <param name="Id">Logical id with us.</param>
/// <param name="Patient">Logical id of the patient with us.</param>
/// <param name="Identifier">Value of the claim's identifier.</param>
/// <param name="Total">Total charged.</param>
/// <param name="IssuedAt">When it was issued, UTC.</param>
/// <param name="Delivery">Its way into the EHR.</param>
/// <param name="Answers">What was answered, oldest first.</param>
/// <param name="Events">What happened, oldest first.</param>
/// <param name="EhrStatus">Its status at the EHR by the last look; null when it was not looked at.</param>
/// <param name="Advice">What to do; null when there is nothing to do.</param>
internal sealed record ClaimView(
    string Id,
    string Patient,
    string Identifier,
    decimal? Total,
    DateTimeOffset IssuedAt,
    Delivery Delivery,
    IReadOnlyList<ClaimAnswer> Answers,
    IReadOnlyList<ClaimEvent> Events,
    string? EhrStatus,
    string? Advice
)
{
    /// <summary>The last answer that decides something, else the last; null when there is none.</summary>
    public ClaimAnswer? Answer =>
        Answers.LastOrDefault(answer => answer.Kind != AnswerKind.Pending) ?? (Answers.Count > 0 ? Answers[^1] : null);

    /// <summary>One word for where it stands: <c>waiting</c>, <c>sending</c>, <c>needs-person</c>, <c>refused</c>, <c>delivered</c>, <c>pending</c>,
    /// <c>rejected</c>, <c>denied</c>, <c>paid</c>.</summary>
    public string State =>
        Answer is { } answer
            ? answer.Kind switch
            {
                AnswerKind.Pending => "pending",
                AnswerKind.Rejected => "rejected",
                AnswerKind.Denied => "denied",
                _ => "paid",
            }
            : Delivery.Standing switch
            {
                Standing.Delivered => "delivered",
                Standing.Refused => "refused",
                Standing.NeedsPerson => "needs-person",
                Standing.Sending => "sending",
                _ => "waiting",
            };
}

/// <summary>What an operation on a claim came to.</summary>
/// <param name="Done">It was done.</param>
/// <param name="Text">What was done, or why not.</param>
internal sealed record DeskAnswer(bool Done, string Text);

/// <summary>What billing staff do with claims, the same for the command line, the server's operations and the pages: look, send again after a mend,
/// say what the EHR could not.</summary>
/// <param name="streams">The journal.</param>
/// <param name="clock">The clock.</param>
internal sealed class ClaimDesk(StreamRecords streams, TimeProvider clock)
{
    private readonly ClaimJournal journal = new(streams, clock);

    /// <summary>The claims of a month, in order of patient and claim.</summary>
    public async Task<IReadOnlyList<ClaimView>> ListAsync(
        string practice,
        EhrConnection connection,
        string month,
        CancellationToken cancel
    )
    {
        var views = new List<ClaimView>();
        var prefix = ClaimJournal.MonthKey(practice, month);
        await foreach (var entry in streams.Store.ListAsync(prefix, null, cancel))
        {
            var record = await streams.ReadAsync(entry.Value, cancel);
            if (record.Claim(entry.Key[prefix.Length..]) is { } claim)
            {
                views.Add(View(record, claim, connection));
            }
        }
        return
        [
            .. views
                .OrderBy(view => view.Patient, StringComparer.Ordinal)
                .ThenBy(view => view.IssuedAt)
                .ThenBy(view => view.Id, StringComparer.Ordinal),
        ];
    }

    /// <summary>One claim; null when we issued none of that id.</summary>
    public async Task<ClaimView?> ShowAsync(
        string practice,
        EhrConnection connection,
        string claimId,
        CancellationToken cancel
    ) =>
        await StreamAsync(practice, claimId, cancel) is { } record
            ? View(record, record.Claim(claimId)!, connection)
            : null;

    /// <summary>Puts a claim that is not delivered by itself (refused, or waiting for a person) into the outbox again.</summary>
    /// <param name="practice">Slug.</param>
    /// <param name="connection">Its connection.</param>
    /// <param name="claimId">Logical id of the claim.</param>
    /// <param name="notThere">The person has looked: it is not at the EHR. Without that it is looked for before it is sent.</param>
    /// <param name="by">The person.</param>
    /// <param name="why">Reason; may be empty.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<DeskAnswer> ResendAsync(
        string practice,
        EhrConnection connection,
        string claimId,
        bool notThere,
        string by,
        string why,
        CancellationToken cancel
    )
    {
        while (true)
        {
            if (await StreamAsync(practice, claimId, cancel) is not { } record)
            {
                return new DeskAnswer(false, $"There is no claim {claimId}.");
            }
            var delivery = Outbox.Of(record.Claim(claimId)!, connection, clock.GetUtcNow());
            switch (delivery.Standing)
            {
                case Standing.Delivered:
                    return new DeskAnswer(
                        false,
                        $"The EHR has claim {claimId} as {delivery.Accepted!.EhrReference ?? delivery.Accepted.File ?? "delivered"}; it is not sent twice. A change to it is a correction."
                    );
                case Standing.Sending:
                    return new DeskAnswer(
                        false,
                        string.Create(
                            CultureInfo.InvariantCulture,
                            $"A try with claim {claimId} is under way, until {delivery.DueAt:u} at the latest."
                        )
                    );
                case Standing.NeedsPerson when !notThere && delivery.Last?.Problem == DeliveryProblem.InDoubt:
                    return new DeskAnswer(
                        false,
                        $"Claim {claimId} may be at the EHR, and the EHR cannot be asked. Look there first; then say --not-there, or confirm it."
                    );
                default:
                    break;
            }
            var note = new DeliveryNote
            {
                By = by,
                Text = why.Length == 0 ? null : why,
                MayHaveArrived = !notThere && (delivery.MayHaveArrived || delivery.Last?.Status is 409 or 412),
            };
            if (await journal.TryAppendAsync(record, claimId, RecordKind.ClaimResent, note, cancel))
            {
                return new DeskAnswer(true, $"Claim {claimId} goes out with the next push.");
            }
        }
    }

    /// <summary>A person has seen a claim at the EHR that the EHR could not be asked for.</summary>
    public async Task<DeskAnswer> ConfirmAsync(
        string practice,
        EhrConnection connection,
        string claimId,
        string? ehrReference,
        string by,
        CancellationToken cancel
    )
    {
        while (true)
        {
            if (await StreamAsync(practice, claimId, cancel) is not { } record)
            {
                return new DeskAnswer(false, $"There is no claim {claimId}.");
            }
            var delivery = Outbox.Of(record.Claim(claimId)!, connection, clock.GetUtcNow());
            if (delivery.Standing is Standing.Delivered or Standing.Sending)
            {
                return new DeskAnswer(
                    false,
                    $"Claim {claimId} is {(delivery.Standing == Standing.Sending ? "under way" : "delivered")}; there is nothing to confirm."
                );
            }
            var note = new DeliveryNote
            {
                By = by,
                EhrReference = ehrReference,
                Text = "Seen at the EHR by a person.",
            };
            if (await journal.TryAppendAsync(record, claimId, RecordKind.ClaimAccepted, note, cancel))
            {
                return new DeskAnswer(true, $"Claim {claimId} counts as delivered.");
            }
        }
    }

    /// <summary>A claim of a stream as staff look at it.</summary>
    public ClaimView View(StreamRecord record, ClaimJourney claim, EhrConnection? connection)
    {
        var draft = ClaimDraft.Read(claim.Json);
        var delivery = Outbox.Of(claim, connection ?? EhrConnection.None, clock.GetUtcNow());
        var seen = claim.Events.FindLast(step => step.Kind == RecordKind.ClaimSeen);
        return new ClaimView(
            claim.Id,
            record.Stream[(record.Stream.LastIndexOf('/') + 1)..],
            draft?.Identifier ?? "",
            decimal.TryParse(
                draft?.Claim["total"u8]["value"u8].Text,
                NumberStyles.Float,
                CultureInfo.InvariantCulture,
                out var total
            )
                ? total
                : null,
            claim.Events[0].At,
            delivery,
            ClaimAnswer.Of(record, claim, connection?.BaseUrl),
            claim.Events,
            seen is null ? null : DeliveryNote.FromBytes(seen.Body).EhrStatus,
            Advice(claim.Id, delivery, seen)
        );
    }

    private static string? Advice(string id, Delivery delivery, ClaimEvent? seen) =>
        delivery.Standing switch
        {
            Standing.Refused => $"Mend what the EHR names, then: ccmfhir claims resend {id}",
            Standing.NeedsPerson when delivery.Last?.Problem == DeliveryProblem.InDoubt =>
                $"Look in the EHR. It is there: ccmfhir claims confirm {id} --as Claim/ID. It is not: ccmfhir claims resend {id} --not-there",
            Standing.NeedsPerson => $"Ask the EHR's vendor, then: ccmfhir claims resend {id}",
            Standing.Delivered
                when seen is not null
                    && DeliveryNote.FromBytes(seen.Body) is { Problem: DeliveryProblem.Duplicates } note => note.Text,
            _ => null,
        };

    private async Task<StreamRecord?> StreamAsync(string practice, string claimId, CancellationToken cancel)
    {
        // A claim is a resource of its patient; where intake's index does not know it, its month's index does.
        if (await streams.Store.FindAsync(JournalNames.Id(practice, "Claim", claimId), cancel) is { } stream)
        {
            var record = await streams.ReadAsync(stream, cancel);
            return record.Claim(claimId) is null ? null : record;
        }
        await foreach (var entry in streams.Store.ListAsync($"claim/{practice}/", null, cancel))
        {
            if (entry.Key.EndsWith("/" + claimId, StringComparison.Ordinal))
            {
                var record = await streams.ReadAsync(entry.Value, cancel);
                return record.Claim(claimId) is null ? null : record;
            }
        }
        return null;
    }
}
