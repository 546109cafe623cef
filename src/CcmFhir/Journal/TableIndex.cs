using System.Runtime.CompilerServices;
using Azure.Data.Tables;

namespace CcmFhir.Journal;

/// <summary>The index: one small entity a key, the keys of a practice in one partition, so that all that a commit writes is one transaction. It is
/// written before the commit that it belongs to, names the place where that commit is decided, and says nothing until it is.</summary>
internal sealed class TableIndex(TableStorage table, BlobNames names, BlobStreams streams, BlobJournalOptions options)
{
    private const int DecidedAtOnce = 16;

    private readonly Lock gate = new();
    private readonly RecentMap<string> known = new(options.RememberedStreams);

    /// <summary>Writes a commit's entries.</summary>
    /// <returns>Whether something was written, and the entry that stands in the way, if one does.</returns>
    public async Task<(bool Written, IndexEntry? Taken)> ClaimAsync(
        IReadOnlyList<IndexEntry> entries,
        BlobDecision decision,
        CancellationToken cancel
    )
    {
        var written = false;
        foreach (var partition in entries.Where(entry => !IsKnown(entry)).GroupBy(entry => names.Partition(entry.Key)))
        {
            foreach (var chunk in partition.Chunk(TableStorage.LargestTransaction))
            {
                var (done, taken) = await ClaimChunkAsync(chunk, decision, cancel);
                written |= done;
                if (taken is not null)
                {
                    return (written, taken);
                }
            }
        }
        return (written, null);
    }

    /// <summary>The entry is there for good.</summary>
    public void Remember(string key, string value)
    {
        lock (gate)
        {
            known.Set(key, value);
        }
    }

    /// <summary>The value of a key.</summary>
    public async Task<string?> FindAsync(string key, CancellationToken cancel) =>
        await table.GetAsync(names.Partition(key), names.Row(key), cancel) is { } entity
            ? await CurrentAsync(Read(entity), fence: false, cancel)
            : null;

    /// <summary>Entries by prefix, in the order of the keys' UTF-8 bytes. Rows are hashes, so all are read before the first is answered.</summary>
    public async Task<List<IndexEntry>> ListAsync(string prefix, string? after, CancellationToken cancel)
    {
        var found = new List<(TableEntity Entity, IndexedValue There)>();
        var (from, below) = names.Rows(prefix);
        await foreach (var entity in table.ListAsync(names.PartitionOf(prefix), from, below, cancel))
        {
            if (entity.RowKey == BlobNames.MovedRow)
            {
                continue;
            }
            var there = Read(entity);
            if (
                there.Key.StartsWith(prefix, StringComparison.Ordinal)
                && (after is null || Utf8Order.Instance.Compare(there.Key, after) > 0)
            )
            {
                found.Add((entity, there));
            }
        }
        var entries = new IndexEntry?[found.Count];
        var settled = new bool[found.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, found.Count),
            new ParallelOptions { MaxDegreeOfParallelism = DecidedAtOnce, CancellationToken = cancel },
            async (i, inner) =>
            {
                var there = found[i].There;
                if (await CurrentAsync(there, fence: false, inner) is { } value)
                {
                    entries[i] = new IndexEntry(there.Key, value);
                }
                settled[i] = there.Decision is not null && streams.IsCommitted(there.Decision);
            }
        );
        await SettleAsync([.. found.Where((_, i) => settled[i])], cancel);
        return [.. entries.OfType<IndexEntry>().OrderBy(entry => entry.Key, Utf8Order.Instance)];
    }

    /// <summary>Writes entries whatever stands there; answers how many were missing or different.</summary>
    public async Task<int> RewriteAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancel)
    {
        var written = 0;
        await Parallel.ForEachAsync(
            entries,
            new ParallelOptions { MaxDegreeOfParallelism = DecidedAtOnce, CancellationToken = cancel },
            async (entry, inner) =>
            {
                if (await RewriteAsync(entry, inner))
                {
                    Interlocked.Increment(ref written);
                }
            }
        );
        return written;
    }

    /// <summary>What is wrong with the table's entities.</summary>
    public async IAsyncEnumerable<string> CheckAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var entity in table.ListAsync(null, null, null, cancel))
        {
            if (entity.RowKey == BlobNames.MovedRow)
            {
                continue;
            }
            if (IndexedValue.Of(entity) is not { } there)
            {
                yield return NoEntry(entity);
            }
            else if (names.Row(there.Key) != entity.RowKey || names.Partition(there.Key) != entity.PartitionKey)
            {
                yield return $"Row '{entity.RowKey}' of index table '{table.Name}' holds the entry of another name.";
            }
        }
    }

    private bool IsKnown(IndexEntry entry)
    {
        lock (gate)
        {
            return entry.Replaces is null && known.TryGet(entry.Key, out var value) && value == entry.Value;
        }
    }

    private async Task<(bool Written, IndexEntry? Taken)> ClaimChunkAsync(
        IReadOnlyList<IndexEntry> entries,
        BlobDecision decision,
        CancellationToken cancel
    )
    {
        // A key that replaces is most likely there: it is read first, any other is written first.
        var look = entries.Where(entry => entry.Replaces is not null).ToList();
        var written = false;
        while (true)
        {
            var actions = new List<TableTransactionAction>();
            var there = await Task.WhenAll(look.Select(entry => GetAsync(entry.Key, cancel)));
            var seen = look.Zip(there)
                .ToDictionary(pair => pair.First.Key, pair => pair.Second, StringComparer.Ordinal);
            foreach (var entry in entries)
            {
                if (seen.GetValueOrDefault(entry.Key) is not { } found)
                {
                    actions.Add(new(TableTransactionActionType.Add, Entity(entry, decision, previous: null)));
                    continue;
                }
                if (found.There.Decision == decision && found.There.Value == entry.Value)
                {
                    // By an earlier try of this commit.
                    written = true;
                    continue;
                }
                var current = await CurrentAsync(found.There, fence: true, cancel);
                if (current == entry.Value)
                {
                    Remember(entry.Key, entry.Value);
                }
                else if (current is not null && current != entry.Replaces)
                {
                    return (written, new IndexEntry(entry.Key, current));
                }
                else
                {
                    actions.Add(
                        new(
                            TableTransactionActionType.UpdateReplace,
                            Entity(entry, decision, current),
                            found.Entity.ETag
                        )
                    );
                }
            }
            if (actions.Count == 0)
            {
                return (written, null);
            }
            if (await table.WriteAsync(actions, cancel))
            {
                return (true, null);
            }
            look = [.. entries];
        }
    }

    private async Task<bool> RewriteAsync(IndexEntry entry, CancellationToken cancel)
    {
        while (true)
        {
            var entity = await table.GetAsync(names.Partition(entry.Key), names.Row(entry.Key), cancel);
            // What is not decided yet is decided now: a commit must not come true over an entry that was overwritten.
            if (
                entity is not null
                && IndexedValue.Of(entity) is { } there
                && await CurrentAsync(there, fence: true, cancel) == entry.Value
            )
            {
                return false;
            }
            var instead = Entity(entry, decision: null, previous: null);
            var action = entity is null
                ? new TableTransactionAction(TableTransactionActionType.Add, instead)
                : new TableTransactionAction(TableTransactionActionType.UpdateReplace, instead, entity.ETag);
            if (await table.WriteAsync([action], cancel))
            {
                return true;
            }
        }
    }

    // Said once and for all, so that the next list need not ask again. One that has changed meanwhile spoils its hundred; the next list has them.
    private async Task SettleAsync(List<(TableEntity Entity, IndexedValue There)> found, CancellationToken cancel)
    {
        foreach (var partition in found.GroupBy(one => one.Entity.PartitionKey))
        {
            foreach (var chunk in partition.Chunk(TableStorage.LargestTransaction))
            {
                await table.WriteAsync(
                    [
                        .. chunk.Select(one => new TableTransactionAction(
                            TableTransactionActionType.UpdateReplace,
                            Entity(new IndexEntry(one.There.Key, one.There.Value), decision: null, previous: null),
                            one.Entity.ETag
                        )),
                    ],
                    cancel
                );
            }
        }
    }

    // What the key holds now; null for nothing. With `fence`, what is not decided is.
    private async ValueTask<string?> CurrentAsync(IndexedValue there, bool fence, CancellationToken cancel) =>
        there.Decision is null || await streams.DecideAsync(there.Decision, fence, cancel) == true
            ? there.Value
            : there.Previous;

    private async Task<(TableEntity Entity, IndexedValue There)?> GetAsync(string key, CancellationToken cancel) =>
        await table.GetAsync(names.Partition(key), names.Row(key), cancel) is { } entity
            ? (entity, Read(entity))
            : null;

    private TableEntity Entity(IndexEntry entry, BlobDecision? decision, string? previous)
    {
        var entity = new TableEntity(names.Partition(entry.Key), names.Row(entry.Key))
        {
            [IndexedValue.KeyName] = entry.Key,
            [IndexedValue.ValueName] = entry.Value,
        };
        if (decision is not null)
        {
            entity[IndexedValue.DecisionName] = decision.ToString();
            if (previous is not null)
            {
                entity[IndexedValue.PreviousName] = previous;
            }
        }
        return entity;
    }

    private IndexedValue Read(TableEntity entity) =>
        IndexedValue.Of(entity) ?? throw new JournalUnreadableException(NoEntry(entity));

    private string NoEntry(TableEntity entity) =>
        $"The journal's index table '{table.Name}' is damaged: row '{entity.RowKey}' is no entry of ours. Delete it, and run 'ccmfhir rebuild'.";
}

/// <summary>What an entity of the index says.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">Its value, if the decision fell for it.</param>
/// <param name="Decision">Where the commit is decided that wrote it; null when that is known to have fallen for it.</param>
/// <param name="Previous">The value before; null for none.</param>
internal sealed record IndexedValue(string Key, string Value, BlobDecision? Decision, string? Previous)
{
    public const string KeyName = "K";
    public const string ValueName = "V";
    public const string DecisionName = "D";
    public const string PreviousName = "P";

    /// <summary>Reads an entity; null when it is none of ours.</summary>
    public static IndexedValue? Of(TableEntity entity)
    {
        if (
            entity.TryGetValue(KeyName, out var key)
            && key is string keyText
            && entity.TryGetValue(ValueName, out var value)
            && value is string valueText
        )
        {
            var place = entity.TryGetValue(DecisionName, out var written) ? written as string : null;
            var decision = place is null ? null : BlobDecision.Parse(place);
            if (place is null || decision is not null)
            {
                return new IndexedValue(
                    keyText,
                    valueText,
                    decision,
                    entity.TryGetValue(PreviousName, out var previous) ? previous as string : null
                );
            }
        }
        return null;
    }
}
