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
);

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
        if (known is null || known["Claim"].Create)
        {
            return DeliveryShape.Claim;
        }
        return null;
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

    /// <summary>One try.</summary>
    public static Task<TryResult> TryAsync(DeliveryShape shape, DeliveryTry attempt, CancellationToken cancel) =>
        shape switch
        {
            DeliveryShape.Claim => DeliverClaim.TryAsync(attempt, cancel),
            _ => throw new ArgumentOutOfRangeException(nameof(shape), shape, "Not a shape that can be delivered."),
        };
}
