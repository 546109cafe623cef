using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Journal;

namespace CcmFhir.Ehr.Receiving;

/// <summary>What an EHR told us to fetch and we have not fetched yet. It stands in the journal, so that what was promised with a 200 is kept after a
/// crash, by whichever instance comes next.</summary>
/// <param name="store">The journal.</param>
internal sealed class FetchQueue(IJournalStore store)
{
    /// <summary>Stands for "something changed": a whole round is due.</summary>
    public const string Everything = "*";

    private readonly ConcurrentDictionary<string, State> known = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim asked = new(0);

    /// <summary>Keeps references to be fetched, durably.</summary>
    public async Task AskAsync(
        string practice,
        IReadOnlyCollection<string> references,
        DateTimeOffset at,
        CancellationToken cancel
    )
    {
        await AppendAsync(practice, new Line(at, Ask: [.. references]), cancel);
        asked.Release();
    }

    /// <summary>They need not be fetched any more.</summary>
    public Task DoneAsync(
        string practice,
        IReadOnlyCollection<string> references,
        DateTimeOffset at,
        CancellationToken cancel
    ) => AppendAsync(practice, new Line(at, Done: [.. references]), cancel);

    /// <summary>What is to be fetched, in the order of asking.</summary>
    public async ValueTask<IReadOnlyList<string>> PendingAsync(string practice, CancellationToken cancel) =>
        [.. (await ReadAsync(practice, cancel)).Waiting.Keys];

    /// <summary>Waits until something is asked for in this process, or the time is over.</summary>
    public async Task WaitAsync(Task over, CancellationToken cancel)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var turn = asked.WaitAsync(stop.Token);
        await Task.WhenAny(turn, over);
        await stop.CancelAsync();
        cancel.ThrowIfCancellationRequested();
    }

    private static string Stream(string practice) => $"fetch/{practice}";

    private async Task AppendAsync(string practice, Line line, CancellationToken cancel)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(line);
        while (true)
        {
            var state = await ReadAsync(practice, cancel);
            var appended = await store.AppendAsync(
                new JournalCommit([new StreamAppend(Stream(practice), state.Position, payload)], []),
                cancel
            );
            if (appended.Outcome == AppendOutcome.Appended)
            {
                return;
            }
        }
    }

    private async ValueTask<State> ReadAsync(string practice, CancellationToken cancel)
    {
        var state = known.GetValueOrDefault(practice) ?? new State(0, new());
        var entries = await store.ReadAsync(Stream(practice), state.Position, cancel);
        if (entries.Count == 0)
        {
            return state;
        }
        var waiting = new OrderedDictionary<string, bool>(state.Waiting, StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            var line = JsonSerializer.Deserialize<Line>(entry.Payload.Span)!;
            foreach (var reference in line.Ask ?? [])
            {
                waiting.TryAdd(reference, true);
            }
            foreach (var reference in line.Done ?? [])
            {
                waiting.Remove(reference);
            }
        }
        state = new State(entries[^1].Position, waiting);
        known[practice] = state;
        return state;
    }

    private sealed record Line(
        [property: JsonPropertyName("at")] DateTimeOffset At,
        [property: JsonPropertyName("ask"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
            IReadOnlyList<string>? Ask = null,
        [property: JsonPropertyName("done"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
            IReadOnlyList<string>? Done = null
    )
    {
        /// <summary>Tells two lines of one content apart.</summary>
        [JsonPropertyName("nonce")]
        public Guid Nonce { get; init; } = Guid.NewGuid();
    }

    private sealed record State(long Position, OrderedDictionary<string, bool> Waiting);
}
