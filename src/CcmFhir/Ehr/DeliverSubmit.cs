using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary><c>POST Claim/$submit</c> (R4): a Claim goes in, a ClaimResponse comes out.</summary>
internal static class DeliverSubmit
{
    /// <summary>One try.</summary>
    public static Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        var item = DeliverClaim.Item(attempt);
        var problem =
            attempt.Mapped.Problem
            ?? (attempt.Mapped.Missing.Count > 0 ? EhrReferences.NotThere(attempt.Mapped.Missing) : null);
        if (problem is not null)
        {
            return Deliver.StopAsync(attempt, item, problem, cancel);
        }
        return CreateOnce.TryAsync(
            attempt.Ehr,
            attempt.Known,
            item,
            repeatable: false,
            async () =>
            {
                var answer = await attempt.Ehr.SendAsync(HttpMethod.Post, "Claim/$submit", item.Json, [], cancel);
                return Read(answer) ?? await CreateOnce.JudgeAsync(attempt.Ehr, item, answer, cancel);
            },
            cancel
        );
    }

    private static TryResult? Read(EhrAnswer answer)
    {
        if (answer.Problem is not null || !answer.Success || answer.Json is not { } json)
        {
            return null;
        }
        var response = Response(json.Root);
        if (!response.Exists)
        {
            return null;
        }
        var note = new DeliveryNote
        {
            Status = answer.Status,
            EhrReference = response["id"u8].Text is { } id ? $"ClaimResponse/{id}" : null,
            Answer = answer.Kept,
            Text = response["disposition"u8].Text,
        };
        return response["outcome"u8].Is("error"u8)
            ? TryResult.Refused(
                note with
                {
                    Problem = DeliveryProblem.Refused,
                    Text =
                        $"The claim was submitted and answered with errors. {note.Text} {ClaimAnswer.Errors(response)}".TrimEnd(),
                }
            )
            : TryResult.Accepted(note);
    }

    private static FhirElement Response(FhirElement root)
    {
        if (root["resourceType"u8].Is("ClaimResponse"u8))
        {
            return root;
        }
        foreach (var entry in root["entry"u8].Items)
        {
            if (entry["resource"u8]["resourceType"u8].Is("ClaimResponse"u8))
            {
                return entry["resource"u8];
            }
        }
        return default;
    }
}
