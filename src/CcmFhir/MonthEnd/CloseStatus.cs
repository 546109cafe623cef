using System.Globalization;
using System.Text;
using CcmFhir.Fhir;

namespace CcmFhir.MonthEnd;

/// <summary>What a client hears of a run, by the FHIR asynchronous request pattern [async.html].</summary>
internal static class CloseStatus
{
    private const string AskAgainSeconds = "5";

    /// <summary>The run was started: 202, with the address to ask at.</summary>
    public static FhirAnswer Accepted(CloseRun run, string ownBase) =>
        new(202, default)
        {
            Headers = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["Content-Location"] = string.Create(
                    CultureInfo.InvariantCulture,
                    $"{ownBase}/$ccm-close-status?month={run.Month}&run={run.Number}"
                ),
            },
        };

    /// <summary>202 while it runs; 200 with what it came to; 500 where shards were given up.</summary>
    public static FhirAnswer Of(CloseRun run) =>
        run.State switch
        {
            CloseState.Running => new FhirAnswer(202, default)
            {
                Headers = new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["X-Progress"] = string.Create(
                        CultureInfo.InvariantCulture,
                        $"{run.Closed.Count()} of {run.Start.Shards} shards, {run.Closed.Sum(word => word.Patients)} of {run.Start.Patients} patients"
                    ),
                    ["Retry-After"] = AskAgainSeconds,
                },
            },
            CloseState.Closed => new FhirAnswer(200, MonthParameters.Closed(run)),
            CloseState.Cancelled => FhirAnswer.Of(
                Refusal.Of(
                    404,
                    "not-found",
                    "run-cancelled",
                    "The run was cancelled. What it had issued stays issued; close the month again for the rest."
                )
            ),
            _ => FhirAnswer.Of(Refusal.Of(500, "exception", "close-incomplete", Why(run))),
        };

    private static string Why(CloseRun run)
    {
        var why = new StringBuilder();
        why.Append(
            CultureInfo.InvariantCulture,
            $"{run.Closed.Count()} of {run.Start.Shards} shards are closed, the others were given up:"
        );
        foreach (var word in run.GivenUp.OrderBy(word => word.Shard).Take(5))
        {
            why.Append(CultureInfo.InvariantCulture, $" shard {word.Shard}: {word.Why}");
        }
        return why.Append(" Close the month again when that is mended, or replay the shards: ccmfhir queue replay.")
            .ToString();
    }
}
