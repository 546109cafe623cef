using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CcmFhir.Journal;

namespace CcmFhir.Ehr;

/// <summary>Where a claim stands on its way into the EHR.</summary>
internal enum Standing
{
    /// <summary>A try is due.</summary>
    Due,

    /// <summary>A try is under way, here or in another instance.</summary>
    Sending,

    /// <summary>The next try is due later.</summary>
    Waiting,

    /// <summary>No further try before a person has looked: it may be at the EHR, and that cannot be found out by search.</summary>
    NeedsPerson,

    /// <summary>The EHR refused it; it goes out again only when a person asks for it.</summary>
    Refused,

    /// <summary>The EHR has it.</summary>
    Delivered,
}

/// <summary>A claim's delivery, worked out from its events.</summary>
/// <param name="Standing">Where it stands.</param>
/// <param name="Attempts">Tries so far, since its issue or the last resend by hand.</param>
/// <param name="MayHaveArrived">A search must come before the next try.</param>
/// <param name="DueAt">When the next try is due, or a try under way is over; now for one that is due; null when nothing comes by itself.</param>
/// <param name="Last">What the last try told; null before the first.</param>
/// <param name="Accepted">The EHR's acceptance that holds; null when there is none.</param>
/// <param name="AcceptedAt">When it was journalled.</param>
/// <param name="Parts">What the EHR calls the parts that have arrived, by number.</param>
internal sealed record Delivery(
    Standing Standing,
    int Attempts,
    bool MayHaveArrived,
    DateTimeOffset? DueAt,
    DeliveryNote? Last,
    DeliveryNote? Accepted,
    DateTimeOffset? AcceptedAt,
    IReadOnlyDictionary<int, DeliveryNote> Parts
);

/// <summary>The outbox is no place of its own: what is due follows from the journal, the connection's settings and the time.</summary>
internal static class Outbox
{
    /// <summary>A claim's delivery at an instant.</summary>
    public static Delivery Of(ClaimJourney claim, EhrConnection connection, DateTimeOffset now)
    {
        var attempts = 0;
        var mayHaveArrived = false;
        DeliveryNote? last = null,
            accepted = null;
        DateTimeOffset? acceptedAt = null,
            dueAt = null,
            lease = null;
        DeliveryNote? sent = null;
        var refused = false;
        var parts = new Dictionary<int, DeliveryNote>();
        foreach (var step in claim.Events)
        {
            var note = step.Kind == RecordKind.ClaimIssued ? new DeliveryNote() : DeliveryNote.FromBytes(step.Body);
            switch (step.Kind)
            {
                case RecordKind.ClaimSent:
                    (attempts, sent) = (note.Attempt, note);
                    lease = note.Until ?? step.At + connection.Timeout + connection.Settle;
                    break;
                case RecordKind.ClaimPartAccepted:
                    parts[note.Part ?? 0] = note;
                    break;
                case RecordKind.ClaimUnanswered:
                    if (Late(note, sent, lease))
                    {
                        mayHaveArrived |= note.MayHaveArrived;
                        break;
                    }
                    lease = null;
                    last = note;
                    mayHaveArrived = note.MayHaveArrived;
                    dueAt = NextTry(claim.Id, note, step.At, connection);
                    break;
                case RecordKind.ClaimAccepted:
                    (lease, last, accepted, acceptedAt, refused) = (null, note, note, step.At, false);
                    break;
                case RecordKind.ClaimRefused when !Late(note, sent, lease):
                    (lease, last, refused) = (null, note, true);
                    break;
                case RecordKind.ClaimForgotten:
                    (accepted, acceptedAt, last, attempts, mayHaveArrived) = (null, null, note, 0, true);
                    dueAt = note.NotBefore;
                    parts.Clear();
                    break;
                case RecordKind.ClaimResent:
                    (accepted, acceptedAt, refused, attempts, last, dueAt) = (null, null, false, 0, note, null);
                    mayHaveArrived = note.MayHaveArrived;
                    break;
                default:
                    break;
            }
        }
        var standing =
            accepted is not null ? Standing.Delivered
            : refused ? Standing.Refused
            : lease > now ? Standing.Sending
            : lease is not null ? Standing.Due
            : last is { NeedsPerson: true } ? Standing.NeedsPerson
            : dueAt > now ? Standing.Waiting
            : Standing.Due;
        return new Delivery(
            standing,
            attempts,
            // A try that ended with the process that made it: nobody knows whether it arrived.
            mayHaveArrived || (lease is not null && accepted is null),
            standing switch
            {
                Standing.Sending => lease,
                Standing.Waiting => dueAt,
                Standing.Due => now,
                _ => null,
            },
            last,
            accepted,
            acceptedAt,
            parts
        );
    }

    /// <summary>A word from an instance that was given up while another one tries: the try under way stays under way.</summary>
    private static bool Late(DeliveryNote note, DeliveryNote? sent, DateTimeOffset? lease) =>
        lease is not null && sent is not null && (note.By != sent.By || note.Attempt != sent.Attempt);

    /// <summary>When a claim is tried again: the pause doubles from try to try, half of it spread by a hash of claim and try (so that a
    /// restart keeps the appointment and a thousand claims do not come at once), never before the EHR's own Retry-After, nor before
    /// a lost request has settled.</summary>
    public static DateTimeOffset NextTry(string claimId, DeliveryNote note, DateTimeOffset at, EhrConnection connection)
    {
        var doublings = Math.Clamp(note.Attempt - 1, 0, 30);
        var pause = Math.Min(
            connection.RetryMin.TotalSeconds * Math.Pow(2, doublings),
            connection.RetryMax.TotalSeconds
        );
        var spread = string.Create(CultureInfo.InvariantCulture, $"{claimId}|{note.Attempt}");
        var hash = BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(spread)));
        pause *= 0.5 + (hash / (double)uint.MaxValue / 2);
        if (note.MayHaveArrived)
        {
            pause = Math.Max(pause, connection.Settle.TotalSeconds);
        }
        var due = at + TimeSpan.FromSeconds(pause);
        return note.NotBefore > due ? note.NotBefore.Value : due;
    }
}
