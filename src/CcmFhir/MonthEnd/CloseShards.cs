using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CcmFhir.Domain;
using CcmFhir.Options;
using CcmFhir.Telemetry;

namespace CcmFhir.MonthEnd;

/// <summary>Closes a month in shards, by as many instances as there are: a run is written down, its shards are sent out, each shard is closed
/// by whoever gets it, and what became of it is written down. Every step may be done twice or die half way: claims are issued by conditional
/// append, so that no patient gets two.</summary>
/// <param name="close">Closes patients.</param>
/// <param name="runs">The runs.</param>
/// <param name="queue">Where shards wait.</param>
/// <param name="practices">The practices.</param>
/// <param name="clock">The clock.</param>
/// <param name="log">Log; patients are named by id.</param>
internal sealed class CloseShards(
    CloseMonth close,
    CloseRuns runs,
    IShardQueue queue,
    Practices practices,
    TimeProvider clock,
    ILogger<CloseShards> log
)
{
    /// <summary>Patients of a shard, about: a few seconds' work, and small enough for a message.</summary>
    public const int PatientsAShard = 100;

    private const int SentAtOnce = 16;

    /// <summary>A run of which nothing was heard for so long has lost messages, or the process that started it: its open shards are sent out again.</summary>
    public static readonly TimeSpan Silence = TimeSpan.FromMinutes(15);

    /// <summary>Starts a run, or joins the one that is under way.</summary>
    /// <param name="file">The practice.</param>
    /// <param name="month">The month; over in the practice's time zone.</param>
    /// <param name="by">Who wants it.</param>
    /// <param name="correlation">Correlation of the request.</param>
    /// <param name="once">Do nothing where the month has a run already, whatever became of it.</param>
    /// <param name="cancel">Gives up; what was written down is taken up again by the next call.</param>
    public async Task<CloseRun> StartAsync(
        PracticeFile file,
        ServiceMonth month,
        string by,
        string correlation,
        bool once,
        CancellationToken cancel
    )
    {
        var practice = file.Practice.Slug;
        if (once && await runs.ReadAsync(practice, month, cancel) is [.., var last] && !HasGoneSilent(last))
        {
            return last;
        }
        var patients = await close.PatientsAsync(practice, month, cancel);
        var shards = (patients.Count + PatientsAShard - 1) / PatientsAShard;
        CloseWord? mine = null;
        var all = await runs.SayAsync(
            practice,
            month,
            there =>
                there.Count > 0 && (once || there[^1].State == CloseState.Running)
                    ? mine = null
                    : mine = new CloseWord(CloseWordKind.Started, there.Count + 1, clock.GetUtcNow())
                    {
                        By = by,
                        Correlation = correlation,
                        Shards = shards,
                        Patients = patients.Count,
                    },
            cancel
        );
        var run = all[^1];
        if (mine is not null || HasGoneSilent(run))
        {
            await SendAsync(run, patients, cancel);
        }
        return run;
    }

    /// <summary>Sends out the shards of unfinished runs again, of the last year's months: for a process that kept them in memory.</summary>
    public async Task ResumeAsync(CancellationToken cancel)
    {
        foreach (var file in practices.All)
        {
            var month = ServiceMonth.Of(clock.GetUtcNow(), file.Practice.TimeZone);
            for (var back = 0; back < 13; back++, month = month.Previous)
            {
                if (
                    await runs.ReadAsync(file.Practice.Slug, month, cancel) is [.., var run]
                    && run.State == CloseState.Running
                )
                {
                    await SendAsync(run, await close.PatientsAsync(file.Practice.Slug, month, cancel), cancel);
                }
            }
        }
    }

    /// <summary>A run; null when there is none of that number.</summary>
    public async Task<CloseRun?> FindAsync(string practice, ServiceMonth month, int number, CancellationToken cancel) =>
        (await runs.ReadAsync(practice, month, cancel)).ElementAtOrDefault(number - 1);

    /// <summary>Cancels a run; claims that were issued stay issued.</summary>
    public async Task CancelAsync(
        string practice,
        ServiceMonth month,
        int number,
        string by,
        CancellationToken cancel
    ) =>
        await runs.SayAsync(
            practice,
            month,
            there =>
                there[number - 1].State is CloseState.Running or CloseState.Stuck
                    ? new CloseWord(CloseWordKind.Cancelled, number, clock.GetUtcNow()) { By = by }
                    : null,
            cancel
        );

    /// <summary>Closes a shard.</summary>
    /// <returns>Claims issued now; 0 also where the shard was closed before.</returns>
    /// <exception cref="InvalidDataException">No such practice, month or run: trying again does not help.</exception>
    /// <exception cref="ShardIncompleteException">Some patients could not be closed; all others are.</exception>
    public async Task<int> CloseAsync(ShardWork work, CancellationToken cancel)
    {
        if (practices.Find(work.Practice) is not { } file || !ServiceMonth.TryParse(work.Month, out var month))
        {
            throw new InvalidDataException(
                $"A shard names practice '{work.Practice}' and month '{work.Month}', of which this deployment knows nothing."
            );
        }
        if (await FindAsync(work.Practice, month, work.Run, cancel) is not { } run)
        {
            throw new InvalidDataException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"A shard names run {work.Run} of {work.Practice} {month}, which was never started."
                )
            );
        }
        if (work.Shard < 0 || work.Shard >= run.Start.Shards)
        {
            throw new InvalidDataException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"A message names shard {work.Shard} of {work.Practice} {month}, run {work.Run}, which has {run.Start.Shards}."
                )
            );
        }
        if (run.IsSettled(work.Shard))
        {
            return 0;
        }
        using var closing = Signals.Continue("close shard", work.TraceParent);
        // As of now, not as of the start: a shard that comes late must not undo what was decided on newer facts. An instance whose clock lags
        // behind the one that started the run takes its word that the month is over.
        var now = clock.GetUtcNow();
        var failed = new ConcurrentDictionary<string, Exception>(StringComparer.Ordinal);
        var closed = await close.RunPatientsAsync(
            file,
            work.Patients,
            month,
            now < run.Start.At ? run.Start.At : now,
            progress: null,
            failed,
            cancel
        );
        if (!failed.IsEmpty)
        {
            throw new ShardIncompleteException(failed);
        }
        var all = await runs.SayAsync(
            work.Practice,
            month,
            there =>
                there[work.Run - 1].IsSettled(work.Shard)
                    ? null
                    : new CloseWord(CloseWordKind.ShardClosed, work.Run, clock.GetUtcNow())
                    {
                        Shard = work.Shard,
                        Patients = work.Patients.Count,
                        Claims = closed.Decisions.Count(decision => decision.IsClaim),
                        Held = closed.Decisions.Count(decision => decision.IsHeld),
                        Issued = closed.Issued.Count,
                        Faults = closed.Faults,
                    },
            cancel
        );
        Signals.ShardClosed(work.Practice, work.Month, work.Patients.Count);
        if (all[work.Run - 1].State == CloseState.Closed)
        {
            log.LogInformation("{Practice} {Month} is closed, run {Run}.", work.Practice, month, work.Run);
        }
        return closed.Issued.Count;
    }

    /// <summary>Writes down that a shard was given up after its last try.</summary>
    /// <param name="work">The shard.</param>
    /// <param name="fault">What was wrong.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task GiveUpAsync(ShardWork work, Exception fault, CancellationToken cancel)
    {
        log.LogError(
            fault,
            "Shard {Shard} of {Practice} {Month}, run {Run}, was given up.",
            work.Shard,
            work.Practice,
            work.Month,
            work.Run
        );
        Signals.ShardGivenUp(work.Practice, work.Month);
        if (
            !ServiceMonth.TryParse(work.Month, out var month)
            || await FindAsync(work.Practice, month, work.Run, cancel) is not { } run
            || work.Shard < 0
            || work.Shard >= run.Start.Shards
        )
        {
            return;
        }
        await runs.SayAsync(
            work.Practice,
            month,
            there =>
                there[work.Run - 1].IsSettled(work.Shard)
                    ? null
                    : new CloseWord(CloseWordKind.ShardGivenUp, work.Run, clock.GetUtcNow())
                    {
                        Shard = work.Shard,
                        Patients = work.Patients.Count,
                        Why = fault.Message,
                    },
            cancel
        );
    }

    private bool HasGoneSilent(CloseRun run) =>
        run.State == CloseState.Running && clock.GetUtcNow() - run.LastHeard >= Silence;

    // A patient's shard hangs on nothing but his id and the number of shards, so that a shard that is sent again has the same patients.
    private static int ShardOf(string patient, int shards) =>
        (int)(BinaryPrimitives.ReadUInt32LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(patient))) % (uint)shards);

    private async Task SendAsync(CloseRun run, IReadOnlyList<string> patients, CancellationToken cancel)
    {
        var byShard = patients.ToLookup(patient => ShardOf(patient, run.Start.Shards));
        var cause = Activity.Current?.Id;
        // A practice may have thousands of shards, and a client waits until they are sent.
        await Parallel.ForEachAsync(
            run.Open.ToList(),
            new ParallelOptions { MaxDegreeOfParallelism = SentAtOnce, CancellationToken = cancel },
            async (shard, stop) =>
            {
                await queue.SendAsync(
                    new ShardWork(run.Practice, run.Month.ToString(), run.Number, shard, [.. byShard[shard]])
                    {
                        TraceParent = cause,
                    },
                    stop
                );
                Signals.ShardSent(run.Practice, run.Month.ToString());
            }
        );
    }
}

/// <summary>Some patients of a shard could not be closed.</summary>
/// <param name="failed">Their ids, with what was wrong.</param>
internal sealed class ShardIncompleteException(IReadOnlyDictionary<string, Exception> failed)
    : Exception(
        string.Create(
            CultureInfo.InvariantCulture,
            $"{failed.Count} patients could not be closed, first Patient/{failed.First().Key}: {failed.First().Value.Message}"
        ),
        failed.First().Value
    );
