using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Ehr.Receiving;

/// <summary>Fetches what notifications named, after they were answered.</summary>
/// <param name="queue">What is to be fetched.</param>
/// <param name="take">The way in.</param>
/// <param name="clock">The clock.</param>
internal sealed class FetchNotified(FetchQueue queue, TakeFetched take, TimeProvider clock)
{
    private const int Together = 50;

    /// <summary>Fetches all that is pending. What cannot be had just now stays pending.</summary>
    /// <returns>What became of it; the problem that ended it early; whether a whole round was asked for.</returns>
    public async Task<(TakenReport Taken, string? Problem, bool Everything)> RunAsync(
        EhrSession ehr,
        PracticeFile file,
        CancellationToken cancel
    )
    {
        var pending = await queue.PendingAsync(ehr.Practice, cancel);
        var report = TakenReport.None;
        foreach (var chunk in pending.Where(one => one != FetchQueue.Everything).Chunk(Together))
        {
            var resources = new List<FhirElement>();
            var deleted = new List<string>();
            var done = new List<string>();
            string? problem = null;
            foreach (var reference in chunk)
            {
                if (!ehr.Circuit.MayPass(clock.GetUtcNow(), out _))
                {
                    problem = ehr.Circuit.Reason;
                    break;
                }
                var answer = await ehr.SendAsync(HttpMethod.Get, reference, null, [], cancel);
                var root = answer.Json?.Root ?? default;
                switch (answer)
                {
                    case { Problem: null, Status: 200 }
                        when root.Exists && $"{root["resourceType"u8].Text}/{root["id"u8].Text}" == reference:
                        resources.Add(root);
                        done.Add(reference);
                        break;
                    case { Problem: null, Status: 410 }:
                        deleted.Add(reference);
                        done.Add(reference);
                        break;
                    // It is not there, or not for us; asking again will not change that.
                    case { Problem: null, Status: 400 or 403 or 404 or 406 }:
                        done.Add(reference);
                        report += Refusal(reference, $"The EHR answers {answer.StatusText} to the read.");
                        break;
                    case { Problem: null, Status: 200 }:
                        done.Add(reference);
                        report += Refusal(reference, "The EHR answers the read with something else.");
                        break;
                    default:
                        problem ??= $"{reference} cannot be read: {answer.Text ?? answer.StatusText}";
                        break;
                }
            }
            report += await take.RunAsync(file, resources, deleted, cancel);
            if (done.Count > 0)
            {
                await queue.DoneAsync(ehr.Practice, done, clock.GetUtcNow(), cancel);
            }
            if (problem is not null)
            {
                return (report, problem, pending.Contains(FetchQueue.Everything));
            }
        }
        return (report, null, pending.Contains(FetchQueue.Everything));
    }

    private static TakenReport Refusal(string reference, string text) =>
        TakenReport.None with
        {
            Refused = [new RefusedFetch(reference, "not-fetched", text)],
        };
}
