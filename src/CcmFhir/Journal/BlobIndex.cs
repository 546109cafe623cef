using System.Runtime.CompilerServices;
using System.Text;
using Azure;

namespace CcmFhir.Journal;

/// <summary>The index: one small blob a key. It is written before the commit that it belongs to, names the place where that commit is decided,
/// and says nothing until it is.</summary>
internal sealed class BlobIndex(BlobStorage storage, BlobNames names, BlobStreams streams, BlobJournalOptions options)
{
    private const int DecidedAtOnce = 16;

    private readonly Lock gate = new();
    private readonly RecentMap<string> known = new(options.RememberedStreams);

    /// <summary>Writes an entry for a commit.</summary>
    /// <returns>Whether something was written, and the entry that stands in the way, if one does.</returns>
    public async Task<(bool Written, IndexEntry? Taken)> ClaimAsync(
        IndexEntry entry,
        BlobDecision decision,
        CancellationToken cancel
    )
    {
        lock (gate)
        {
            if (entry.Replaces is null && known.TryGet(entry.Key, out var value) && value == entry.Value)
            {
                return (false, null);
            }
        }
        var name = names.Key(entry.Key);
        var facts = Facts(entry.Key, entry.Value, decision);
        // A key that replaces is most likely there: it is read first, any other is written first.
        for (var write = entry.Replaces is null; ; write = true)
        {
            if (write && await storage.PutAsync(name, default, facts, null, cancel))
            {
                return (true, null);
            }
            if (await storage.GetAsync(name, cancel) is not { } blob)
            {
                continue;
            }
            var there = Read(name, blob.Facts);
            if (there.Decision == decision && there.Value == entry.Value)
            {
                return (true, null);
            }
            var current =
                there.Decision is null || await streams.DecideAsync(there.Decision, fence: true, cancel) == true
                    ? there.Value
                    : Previous(blob);
            if (current == entry.Value)
            {
                Remember(entry.Key, entry.Value);
                return (false, null);
            }
            if (current is not null && current != entry.Replaces)
            {
                return (false, new IndexEntry(entry.Key, current));
            }
            if (await storage.PutAsync(name, Encoding.UTF8.GetBytes(current ?? ""), facts, blob.Tag, cancel))
            {
                return (true, null);
            }
        }
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
    public async Task<string?> FindAsync(string key, CancellationToken cancel)
    {
        var name = names.Key(key);
        if (await storage.GetAsync(name, cancel) is not { } blob)
        {
            return null;
        }
        var there = Read(name, blob.Facts);
        return there.Decision is null || await streams.DecideAsync(there.Decision, fence: false, cancel) == true
            ? there.Value
            : Previous(blob);
    }

    /// <summary>Entries by prefix, in the order of the keys' UTF-8 bytes. Names are hashes, so all are read before the first is answered.</summary>
    public async Task<List<IndexEntry>> ListAsync(string prefix, string? after, CancellationToken cancel)
    {
        var found = new List<(string Key, string Value, string Name, ETag Tag, BlobDecision? Decision)>();
        await foreach (var blob in storage.ListAsync(names.Folder(prefix), cancel))
        {
            var (key, value, decision) = Read(blob.Name, blob.Facts);
            if (
                key.StartsWith(prefix, StringComparison.Ordinal)
                && (after is null || Utf8Order.Instance.Compare(key, after) > 0)
            )
            {
                found.Add((key, value, blob.Name, blob.Tag, decision));
            }
        }
        var entries = new IndexEntry?[found.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, found.Count),
            new ParallelOptions { MaxDegreeOfParallelism = DecidedAtOnce, CancellationToken = cancel },
            async (i, inner) =>
            {
                var (key, value, name, tag, decision) = found[i];
                if (decision is null)
                {
                    entries[i] = new IndexEntry(key, value);
                }
                else if (await streams.DecideAsync(decision, fence: false, inner) == true)
                {
                    entries[i] = new IndexEntry(key, value);
                    // Said once and for all, so that the next list need not ask again.
                    await storage.MarkAsync(name, Facts(key, value, null), tag, inner);
                }
                else if (await storage.GetAsync(name, inner) is { } blob && Previous(blob) is { } previous)
                {
                    entries[i] = new IndexEntry(key, previous);
                }
            }
        );
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

    private async Task<bool> RewriteAsync(IndexEntry entry, CancellationToken cancel)
    {
        var name = names.Key(entry.Key);
        var facts = Facts(entry.Key, entry.Value, null);
        while (true)
        {
            var blob = await storage.GetAsync(name, cancel);
            if (blob is not null && Parse(blob.Facts) is var (_, value, decision))
            {
                // What is not decided yet is decided now: a commit must not come true over an entry that was overwritten.
                var current =
                    decision is null || await streams.DecideAsync(decision, fence: true, cancel) == true
                        ? value
                        : Previous(blob);
                if (current == entry.Value)
                {
                    return false;
                }
            }
            if (await storage.PutAsync(name, default, facts, blob?.Tag, cancel))
            {
                return true;
            }
        }
    }

    /// <summary>What is wrong with the index's blobs.</summary>
    public async IAsyncEnumerable<string> CheckAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        await foreach (var blob in storage.ListAsync("", cancel))
        {
            string? fault = null;
            try
            {
                if (names.Key(Read(blob.Name, blob.Facts).Key) != blob.Name)
                {
                    fault = $"Blob '{blob.Name}' holds the index entry of another name.";
                }
            }
            catch (JournalUnreadableException unreadable)
            {
                fault = unreadable.Message;
            }
            if (fault is not null)
            {
                yield return fault;
            }
        }
    }

    private static string? Previous(SmallBlob blob) =>
        blob.Content.IsEmpty ? null : Encoding.UTF8.GetString(blob.Content.Span);

    private static Dictionary<string, string> Facts(string key, string value, BlobDecision? decision)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["k"] = BlobText.Write(key),
            ["v"] = BlobText.Write(value),
        };
        if (decision is not null)
        {
            facts["d"] = decision.ToString();
        }
        return facts;
    }

    private (string Key, string Value, BlobDecision? Decision) Read(string name, IDictionary<string, string> facts) =>
        Parse(facts)
        ?? throw new JournalUnreadableException(
            $"The journal's container '{storage.Name}' is damaged: blob '{name}' is no index entry of ours. Restore it from its versions, or delete it, and run 'ccmfhir rebuild'."
        );

    private static (string Key, string Value, BlobDecision? Decision)? Parse(IDictionary<string, string> facts)
    {
        if (
            facts.TryGetValue("k", out var key)
            && facts.TryGetValue("v", out var value)
            && BlobText.Read(key) is { } keyText
            && BlobText.Read(value) is { } valueText
        )
        {
            var decision = facts.TryGetValue("d", out var place) ? BlobDecision.Parse(place) : null;
            if (place is null || decision is not null)
            {
                return (keyText, valueText, decision);
            }
        }
        return null;
    }
}

/// <summary>Any text as the ASCII that may be written on a blob.</summary>
internal static class BlobText
{
    public static string Write(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public static string? Read(string written)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(written));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

/// <summary>The order of texts' UTF-8 bytes, which is that of their code points.</summary>
internal sealed class Utf8Order : IComparer<string>
{
    public static readonly Utf8Order Instance = new();

    public int Compare(string? x, string? y)
    {
        var (left, right) = (x ?? "", y ?? "");
        var same = left.AsSpan().CommonPrefixLength(right);
        return same == left.Length || same == right.Length
            ? left.Length.CompareTo(right.Length)
            : Weight(left[same]).CompareTo(Weight(right[same]));
    }

    // Surrogates stand for the code points above all others.
    private static int Weight(char unit) => char.IsSurrogate(unit) ? unit + 0x10000 : unit;
}
