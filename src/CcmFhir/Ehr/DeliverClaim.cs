namespace CcmFhir.Ehr;

/// <summary><c>POST Claim</c>: the claim as a claim.</summary>
internal static class DeliverClaim
{
    /// <summary>One try.</summary>
    public static async Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        var item = new NewResource(
            "Claim",
            ClaimDraft.IdentifierSystem,
            attempt.Claim.Identifier,
            attempt.Claim.Write(attempt.Mapped.Replacements),
            attempt.Before.MayHaveArrived,
            attempt.SendBefore
        );
        var problem =
            attempt.Mapped.Problem
            ?? (attempt.Mapped.Missing.Count > 0 ? EhrReferences.NotThere(attempt.Mapped.Missing) : null);
        if (problem is null)
        {
            return await CreateOnce.TryAsync(attempt.Ehr, attempt.Known, item, cancel);
        }
        if (!attempt.Before.MayHaveArrived)
        {
            return problem;
        }
        // It cannot be sent now; but an earlier try may have brought it there.
        var finding = await CreateOnce.FindAsync(attempt.Ehr, item, cancel);
        return CreateOnce.Decide(finding, item)
            ?? (finding.Known ? problem : TryResult.Unanswered(problem.Note with { MayHaveArrived = true }));
    }
}
