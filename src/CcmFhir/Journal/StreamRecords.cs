using System.Collections.Concurrent;

namespace CcmFhir.Journal;

/// <summary>Streams read and folded, kept by position so that only what is new is read again. Bounded by the bytes it holds; what is
/// dropped is read again, since the journal is the only truth.</summary>
/// <param name="store">The journal.</param>
/// <param name="maxBytes">Payload bytes held at most, roughly.</param>
internal sealed class StreamRecords(IJournalStore store, long maxBytes = 128L * 1024 * 1024)
{
    private readonly ConcurrentDictionary<string, Held> held = new(StringComparer.Ordinal);
    private readonly Lock sweep = new();
    private long bytes;
    private long tick;

    /// <summary>The journal behind it.</summary>
    public IJournalStore Store => store;

    /// <summary>The stream by its newest entry.</summary>
    public ValueTask<StreamRecord> ReadAsync(string stream, CancellationToken cancel) =>
        ReadAsync(stream, drops: true, cancel);

    /// <summary>The same for a pass over many streams, each of which it asks for once: it is kept where it is held already or there is room, and no
    /// other is dropped for it.</summary>
    public ValueTask<StreamRecord> ReadInPassingAsync(string stream, CancellationToken cancel) =>
        ReadAsync(stream, drops: false, cancel);

    /// <summary>The stream as last seen by this process, without asking the store; null when it is not held. Good enough to prepare an
    /// append, since the append names the position it expects.</summary>
    public StreamRecord? Known(string stream)
    {
        if (!held.TryGetValue(stream, out var found))
        {
            return null;
        }
        found.LastUsed = Interlocked.Increment(ref tick);
        return found.Record;
    }

    /// <summary>Keeps a state that the caller made by appending; an older one never replaces a newer one.</summary>
    public StreamRecord Keep(StreamRecord record)
    {
        var mine = new Held(record) { LastUsed = Interlocked.Increment(ref tick) };
        var kept = held.AddOrUpdate(
            record.Stream,
            static (_, mine) => mine,
            static (_, there, mine) =>
            {
                if (there.Record.Position >= mine.Record.Position)
                {
                    return there;
                }
                mine.Replaced = there.Record.Bytes;
                return mine;
            },
            mine
        );
        if (ReferenceEquals(kept, mine) && Interlocked.Add(ref bytes, record.Bytes - mine.Replaced) > maxBytes)
        {
            Sweep();
        }
        return kept.Record;
    }

    private async ValueTask<StreamRecord> ReadAsync(string stream, bool drops, CancellationToken cancel)
    {
        var known = Known(stream);
        var entries = await store.ReadAsync(stream, known?.Position ?? 0, cancel);
        if (entries.Count == 0)
        {
            return known ?? StreamRecord.Empty(stream);
        }
        var record = (known ?? StreamRecord.Empty(stream)).After(entries);
        return drops || known is not null || Interlocked.Read(ref bytes) + record.Bytes <= maxBytes
            ? Keep(record)
            : record;
    }

    private void Sweep()
    {
        if (!sweep.TryEnter())
        {
            return;
        }
        try
        {
            // States that replaced each other at the same moment may have been counted wrongly, so the sum is taken anew; then the least recently used
            // go, down to three quarters.
            var all = held.ToArray();
            Array.Sort(all, static (left, right) => right.Value.LastUsed.CompareTo(left.Value.LastUsed));
            var sum = 0L;
            foreach (var (stream, state) in all)
            {
                if (sum + state.Record.Bytes > maxBytes / 4 * 3)
                {
                    held.TryRemove(new KeyValuePair<string, Held>(stream, state));
                }
                else
                {
                    sum += state.Record.Bytes;
                }
            }
            Interlocked.Exchange(ref bytes, sum);
            // What was dropped has long been in the oldest generation, which the runtime leaves alone until it has about doubled: a pass over a
            // hundred thousand patients would hold twice what it needs. Beside the work, not in its way.
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: false);
        }
        finally
        {
            sweep.Exit();
        }
    }

    private sealed class Held(StreamRecord record)
    {
        public StreamRecord Record { get; } = record;

        public long LastUsed { get; set; }

        /// <summary>Bytes of the state that it took the place of.</summary>
        public long Replaced { get; set; }
    }
}
