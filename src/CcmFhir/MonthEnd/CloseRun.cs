using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Domain;
using CcmFhir.Journal;

namespace CcmFhir.MonthEnd;

/// <summary>A word about a run, as it stands in the journal.</summary>
/// <param name="Kind">What it says.</param>
/// <param name="Run">Number of the run in its month, from 1.</param>
/// <param name="At">When it was said.</param>
internal sealed record CloseWord(CloseWordKind Kind, int Run, DateTimeOffset At)
{
    /// <summary>Who started or cancelled it: a client's id, or <c>timer</c>.</summary>
    public string? By { get; init; }

    /// <summary>Correlation of the request that started it.</summary>
    public string? Correlation { get; init; }

    /// <summary>Shards of the run, for a start.</summary>
    public int Shards { get; init; }

    /// <summary>Patients of the run (start) or of the shard.</summary>
    public int Patients { get; init; }

    /// <summary>The shard, from 0.</summary>
    public int? Shard { get; init; }

    /// <summary>Patients of the shard with a claim.</summary>
    public int Claims { get; init; }

    /// <summary>Patients of the shard who are held back.</summary>
    public int Held { get; init; }

    /// <summary>Claims that the try issued which closed the shard; a try that died before it may have issued others.</summary>
    public int Issued { get; init; }

    /// <summary>Claims of the shard that were decided and not issued.</summary>
    public IReadOnlyList<CloseFault> Faults { get; init; } = [];

    /// <summary>Why a shard was given up.</summary>
    public string? Why { get; init; }
}

/// <summary>Kinds of words about a run.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<CloseWordKind>))]
internal enum CloseWordKind
{
    /// <summary>The run was started; its shards are sent out after this.</summary>
    Started,

    /// <summary>A shard is closed.</summary>
    ShardClosed,

    /// <summary>A shard was given up after its last try. It may still be closed by hand.</summary>
    ShardGivenUp,

    /// <summary>Nobody wants the run any more: shards that are not closed yet are left alone.</summary>
    Cancelled,
}

/// <summary>Where a run stands.</summary>
internal enum CloseState
{
    /// <summary>Shards are still to be closed.</summary>
    Running,

    /// <summary>Every shard is closed.</summary>
    Closed,

    /// <summary>Nothing is under way, and some shards were given up.</summary>
    Stuck,

    /// <summary>It was cancelled.</summary>
    Cancelled,
}

/// <summary>One run of closing a practice's month, shard by shard.</summary>
/// <param name="practice">Slug.</param>
/// <param name="month">The month.</param>
/// <param name="start">The word that started it.</param>
internal sealed class CloseRun(string practice, ServiceMonth month, CloseWord start)
{
    private readonly Dictionary<int, CloseWord> shards = [];
    private bool cancelled;

    /// <summary>Slug.</summary>
    public string Practice => practice;

    /// <summary>The month.</summary>
    public ServiceMonth Month => month;

    /// <summary>The word that started it.</summary>
    public CloseWord Start => start;

    /// <summary>Number of the run in its month, from 1.</summary>
    public int Number => Start.Run;

    /// <summary>When something was last heard of it.</summary>
    public DateTimeOffset LastHeard { get; private set; } = start.At;

    /// <summary>Where it stands.</summary>
    public CloseState State =>
        Closed.Count() == Start.Shards ? CloseState.Closed
        : cancelled ? CloseState.Cancelled
        : shards.Count == Start.Shards ? CloseState.Stuck
        : CloseState.Running;

    /// <summary>Shards that are closed.</summary>
    public IEnumerable<CloseWord> Closed => shards.Values.Where(word => word.Kind == CloseWordKind.ShardClosed);

    /// <summary>Shards that were given up and not closed since.</summary>
    public IEnumerable<CloseWord> GivenUp => shards.Values.Where(word => word.Kind == CloseWordKind.ShardGivenUp);

    /// <summary>Shards of which nothing has been heard, in order.</summary>
    public IEnumerable<int> Open => Enumerable.Range(0, Start.Shards).Where(shard => !shards.ContainsKey(shard));

    /// <summary>The shard is closed, or nobody wants it closed any more.</summary>
    public bool IsSettled(int shard) =>
        cancelled || (shards.TryGetValue(shard, out var word) && word.Kind == CloseWordKind.ShardClosed);

    /// <summary>The runs of a month, by number, as its stream tells them.</summary>
    public static IReadOnlyList<CloseRun> Fold(string practice, ServiceMonth month, IEnumerable<JournalEntry> entries)
    {
        var runs = new List<CloseRun>();
        foreach (var entry in entries)
        {
            var word = JsonSerializer.Deserialize<CloseWord>(entry.Payload.Span)!;
            if (word.Kind == CloseWordKind.Started)
            {
                runs.Add(new CloseRun(practice, month, word));
            }
            else
            {
                runs[word.Run - 1].Take(word);
            }
        }
        return runs;
    }

    private void Take(CloseWord word)
    {
        LastHeard = word.At;
        if (word.Kind == CloseWordKind.Cancelled)
        {
            cancelled = true;
        }
        else if (!IsSettled(word.Shard!.Value))
        {
            shards[word.Shard.Value] = word;
        }
    }
}
