using CcmFhir.Export;

namespace CcmFhir.Ehr;

/// <summary>One try to deliver one claim: what it needs to know.</summary>
/// <param name="Ehr">The EHR.</param>
/// <param name="Known">What it declares; null when it does not tell.</param>
/// <param name="Claim">The claim.</param>
/// <param name="Before">Where its delivery stood.</param>
/// <param name="Mapped">Its references at the EHR.</param>
/// <param name="SendBefore">Nothing is sent after this instant.</param>
/// <param name="PartAccepted">Journals that a part has arrived.</param>
internal sealed record DeliveryTry(
    EhrSession Ehr,
    EhrCapabilities? Known,
    ClaimDraft Claim,
    Delivery Before,
    MappedReferences Mapped,
    DateTimeOffset SendBefore,
    Func<DeliveryNote, Task> PartAccepted
)
{
    /// <summary>Makes the 837 file of the claim; null where the practice file has no <c>claimFiles</c>.</summary>
    public Func<CancellationToken, Task<ClaimFile>>? ClaimFile { get; init; }

    /// <summary>Journals a part if this try is still the one that looks after the claim and no part is there; false when it is not.</summary>
    public Func<DeliveryNote, Task<bool>>? TryPart { get; init; }
}

/// <summary>The index of delivery shapes: which one an EHR gets, and what each does.</summary>
internal static class Deliver
{
    /// <summary>The shape for an EHR: the configured one, else the first that its CapabilityStatement allows; null when there is none.</summary>
    public static DeliveryShape? Choose(EhrConnection connection, EhrCapabilities? known)
    {
        if (connection.Shape != DeliveryShape.Auto)
        {
            return connection.Shape;
        }
        return known switch
        {
            null => DeliveryShape.Claim,
            _ when known["Claim"].Create => DeliveryShape.Claim,
            _ when known["Claim"].Operations.Contains("submit") => DeliveryShape.Submit,
            _ when known["ChargeItem"].Create || DeliverChargeItems.ByOperation(known) => DeliveryShape.ChargeItem,
            _ when known["DocumentReference"].Create => DeliveryShape.Document,
            _ => null,
        };
    }

    /// <summary>The word that stands for a shape in settings and journal.</summary>
    public static string Word(DeliveryShape shape) =>
        shape switch
        {
            DeliveryShape.Claim => "claim",
            DeliveryShape.Submit => "submit",
            DeliveryShape.Transaction => "transaction",
            DeliveryShape.ChargeItem => "charge-item",
            DeliveryShape.Document => "document",
            DeliveryShape.File => "file",
            _ => "auto",
        };

    /// <summary>Requests that a try sends at most, not counting those that only read.</summary>
    public static int Requests(DeliveryShape shape, ClaimDraft claim) =>
        shape == DeliveryShape.ChargeItem ? Math.Max(1, DeliverChargeItems.Lines(claim).Count) : 1;

    /// <summary>A try that cannot be sent as things stand; what an earlier try may have brought there is looked for all the same.</summary>
    public static async Task<TryResult> StopAsync(
        DeliveryTry attempt,
        NewResource item,
        TryResult problem,
        CancellationToken cancel
    )
    {
        if (!attempt.Before.MayHaveArrived)
        {
            return problem;
        }
        var finding = await CreateOnce.FindAsync(attempt.Ehr, item, cancel);
        return CreateOnce.Decide(finding, item)
            ?? (finding.Known ? problem : TryResult.Unanswered(problem.Note with { MayHaveArrived = true }));
    }

    /// <summary>One try.</summary>
    public static Task<TryResult> TryAsync(DeliveryShape shape, DeliveryTry attempt, CancellationToken cancel) =>
        shape switch
        {
            DeliveryShape.Claim => DeliverClaim.TryAsync(attempt, cancel),
            DeliveryShape.Submit => DeliverSubmit.TryAsync(attempt, cancel),
            DeliveryShape.Transaction => DeliverTransaction.TryAsync(attempt, cancel),
            DeliveryShape.ChargeItem => DeliverChargeItems.TryAsync(attempt, cancel),
            DeliveryShape.Document => DeliverDocument.TryAsync(attempt, cancel),
            DeliveryShape.File => DeliverFile.TryAsync(attempt, cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "Not a shape that can be delivered."),
        };
}
