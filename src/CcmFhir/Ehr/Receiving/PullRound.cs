using CcmFhir.Options;

namespace CcmFhir.Ehr.Receiving;

/// <summary>Fetches what notifications named and pulls what is due, each practice on its own, so that a slow EHR holds up nobody else.</summary>
internal sealed partial class PullRound(
    EhrSessions sessions,
    FetchQueue queue,
    FetchNotified fetch,
    PullChanges pull,
    Journal.IJournalStore store,
    TimeProvider clock,
    ILogger<PullRound> log
)
{
    private readonly PullCursor cursor = new(store);

    /// <summary>One round over all practices. A practice's trouble is logged and stops nobody else; what was not read is read by the next round.</summary>
    public Task RunAsync(CancellationToken cancel) =>
        Task.WhenAll(sessions.Practices.All.Select(file => ReadAsync(file, cancel)));

    private async Task ReadAsync(PracticeFile file, CancellationToken cancel)
    {
        var practice = file.Practice.Slug;
        try
        {
            if (sessions.Find(practice) is not { } ehr)
            {
                return;
            }
            var (taken, problem, everything) = await fetch.RunAsync(ehr, file, cancel);
            Tell(practice, taken, problem);
            if (everything || await DueAsync(ehr, cancel))
            {
                var report = await pull.RunAsync(ehr, file, full: false, cancel);
                Tell(practice, report.Taken, report.Problem);
                if (everything && report.Problem is null)
                {
                    await queue.DoneAsync(practice, [FetchQueue.Everything], clock.GetUtcNow(), cancel);
                }
            }
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            Failed(fault, practice);
        }
    }

    private async Task<bool> DueAsync(EhrSession ehr, CancellationToken cancel) =>
        ehr.Connection.Pull is { } settings
        && settings.Every > TimeSpan.Zero
        && (await cursor.LastAsync(ehr.Practice, cancel) is not { } last || last + settings.Every <= clock.GetUtcNow());

    private void Tell(string practice, TakenReport taken, string? problem)
    {
        foreach (var refused in taken.Refused)
        {
            Refused(practice, refused.Reference, refused.Rule);
        }
        if (problem is not null)
        {
            Stopped(practice, problem);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "{Practice}: {Resource} from the EHR was refused by rule {Rule}"
    )]
    private partial void Refused(string practice, string resource, string rule);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Practice}: reading from the EHR stopped: {Problem}")]
    private partial void Stopped(string practice, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Practice}: reading from the EHR failed")]
    private partial void Failed(Exception fault, string practice);
}
