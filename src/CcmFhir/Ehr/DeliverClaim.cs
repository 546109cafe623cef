namespace CcmFhir.Ehr;

/// <summary><c>POST Claim</c>: the claim as a claim.</summary>
internal static class DeliverClaim
{
    /// <summary>One try.</summary>
    public static Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        var item = Item(attempt);
        var problem =
            attempt.Mapped.Problem
            ?? (attempt.Mapped.Missing.Count > 0 ? EhrReferences.NotThere(attempt.Mapped.Missing) : null);
        return problem is null
            ? CreateOnce.TryAsync(attempt.Ehr, attempt.Known, item, cancel)
            : Deliver.StopAsync(attempt, item, problem, cancel);
    }

    /// <summary>The Claim that is to be at the EHR once.</summary>
    public static NewResource Item(DeliveryTry attempt) =>
        new(
            "Claim",
            ClaimDraft.IdentifierSystem,
            attempt.Claim.Identifier,
            attempt.Claim.Write(attempt.Mapped.Replacements),
            attempt.Before.MayHaveArrived,
            attempt.SendBefore
        );
}
