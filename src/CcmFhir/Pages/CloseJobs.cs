using System.Collections.Concurrent;
using CcmFhir.Domain;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>Closes that were begun on a page: they go on when the page is left, and tell how far they are. One at a time for a month.</summary>
/// <param name="close">Closes.</param>
/// <param name="clock">The clock.</param>
/// <param name="lifetime">The server's end stops them between two patients; what was issued stays issued.</param>
internal sealed class CloseJobs(CloseMonth close, TimeProvider clock, IHostApplicationLifetime lifetime)
{
    private const int Kept = 50;
    private readonly ConcurrentDictionary<string, CloseJob> jobs = new(StringComparer.Ordinal);
    private readonly Lock turn = new();

    /// <summary>Begins one, or gives the one that is running.</summary>
    public CloseJob Begin(PracticeFile file, ServiceMonth month)
    {
        lock (turn)
        {
            if (
                jobs.Values.FirstOrDefault(job =>
                    job.Practice == file.Practice.Slug && job.Month == month && job.Work?.IsCompleted != true
                ) is
                { } running
            )
            {
                return running;
            }
            foreach (var old in jobs.Values.OrderByDescending(job => job.BeganAt).Skip(Kept - 1))
            {
                jobs.TryRemove(old.Id, out _);
            }
            var now = clock.GetUtcNow();
            var begun = new CloseJob(Guid.NewGuid().ToString("n"), file.Practice.Slug, month, now);
            jobs[begun.Id] = begun;
            begun.Work = Task.Run(() => close.RunAsync(file, month, now, begun, lifetime.ApplicationStopping));
            return begun;
        }
    }

    /// <summary>One that was begun; null where this process knows of none.</summary>
    public CloseJob? Find(string practice, ServiceMonth month, string id) =>
        jobs.GetValueOrDefault(id) is { } job && job.Practice == practice && job.Month == month ? job : null;
}

/// <summary>A close under way, or done.</summary>
internal sealed class CloseJob(string id, string practice, ServiceMonth month, DateTimeOffset beganAt)
    : IProgress<CloseProgress>
{
    private CloseProgress progress = new(0, 0);

    /// <summary>Its name in addresses.</summary>
    public string Id => id;

    /// <summary>Slug of the practice.</summary>
    public string Practice => practice;

    /// <summary>The month.</summary>
    public ServiceMonth Month => month;

    /// <summary>When it began, UTC.</summary>
    public DateTimeOffset BeganAt => beganAt;

    /// <summary>The work.</summary>
    public Task<CloseResult>? Work { get; set; }

    /// <summary>How far it has come.</summary>
    public CloseProgress Progress => Volatile.Read(ref progress);

    /// <inheritdoc/>
    public void Report(CloseProgress value) => Volatile.Write(ref progress, value);
}
