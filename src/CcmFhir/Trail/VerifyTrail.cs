using System.Runtime.CompilerServices;
using CcmFhir.Journal;

namespace CcmFhir.Trail;

/// <summary>Walks a practice's audit trail and names every entry that was changed, removed or put elsewhere. Changes nothing.</summary>
/// <param name="store">The journal.</param>
/// <param name="practice">Slug.</param>
internal sealed class VerifyTrail(IJournalStore store, string practice)
{
    private readonly Dictionary<string, long> written = new(StringComparer.Ordinal);

    /// <summary>Days walked.</summary>
    public long Days { get; private set; }

    /// <summary>Entries walked.</summary>
    public long Entries { get; private set; }

    /// <summary>Accesses recorded in them.</summary>
    public long Records { get; private set; }

    /// <summary>Where the trail stands: noted elsewhere, it proves later that nothing before it was changed. Null for an empty trail.</summary>
    public TrailHead? Head { get; private set; }

    /// <summary>Faults as they are found, one sentence each.</summary>
    /// <param name="noted">A head that was noted earlier, <c>POSITION:HASH</c> of a day's stream with the day before it
    /// (<c>2026-11-20:12:9f...</c>); null for none.</param>
    /// <param name="cancel">Stops it.</param>
    public async IAsyncEnumerable<string> RunAsync(string? noted, [EnumeratorCancellation] CancellationToken cancel)
    {
        var streams = new List<string>();
        await foreach (var day in store.ListAsync(TrailNames.Days(practice), null, cancel))
        {
            streams.Add(day.Value);
        }
        var found = noted is null;
        foreach (var stream in streams)
        {
            Days++;
            var (entries, fault) = await EntriesAsync(stream, cancel);
            if (entries is null || entries.Count == 0)
            {
                yield return fault ?? $"{stream}: all its entries were removed.";
                Head = null;
                continue;
            }
            foreach (var entry in entries)
            {
                Entries++;
                var (content, unreadable) = Read(stream, entry);
                if (content is null)
                {
                    yield return unreadable!;
                    continue;
                }
                if (entry.Position == 1 && content.After != Head?.ToString() && (Head is not null || Days == 1))
                {
                    yield return Head is null
                        ? $"{stream}: it follows on '{Shown(content.After)}', which was removed."
                        : $"{stream}: it follows on '{Shown(content.After)}', but the day before ends at '{Shown(Head.ToString())}'.";
                }
                Records += content.Records.Count;
                foreach (var pointer in content.Records.SelectMany(record => record.Wrote ?? []))
                {
                    written[pointer.Stream] = Math.Max(written.GetValueOrDefault(pointer.Stream), pointer.Position);
                }
                Head = new TrailHead(stream, entry.Position, Convert.ToHexStringLower(entry.Hash.Span));
                found |= noted == Note(Head);
            }
        }
        var says = TrailHead.Parse(await store.FindAsync(TrailNames.Head(practice), cancel));
        if (Head != says && (Head is not null || says is not null))
        {
            yield return $"The trail ends at '{Shown(Head?.ToString())}', but '{Shown(says?.ToString())}' was written last: what stood between was removed, or changed with all that follows.";
        }
        if (!found)
        {
            yield return $"No entry is '{noted}': what was noted then was changed or removed.";
        }
        foreach (var (stream, position) in written)
        {
            if (!await HoldsAsync(stream, position, cancel))
            {
                yield return $"Stream '{stream}': entry {position}, which the trail says was written, is not in the journal.";
            }
        }
    }

    /// <summary>A head as it is noted: day, position, hash.</summary>
    public static string Note(TrailHead head) =>
        FormattableString.Invariant($"{head.Stream[^"yyyy-MM-dd".Length..]}:{head.Position}:{head.Hash}");

    private static string Shown(string? head) => TrailHead.Parse(head) is { } known ? Note(known) : "nothing";

    private async ValueTask<(IReadOnlyList<JournalEntry>? Entries, string? Fault)> EntriesAsync(
        string stream,
        CancellationToken cancel
    )
    {
        try
        {
            return (await store.ReadAsync(stream, 0, cancel), null);
        }
        catch (JournalUnreadableException fault)
        {
            return (null, $"{stream}: {fault.Message}");
        }
    }

    private async ValueTask<bool> HoldsAsync(string stream, long position, CancellationToken cancel)
    {
        try
        {
            return (await store.ReadAsync(stream, position - 1, cancel)).Count > 0;
        }
        catch (JournalUnreadableException)
        {
            return false;
        }
    }

    private static (TrailEntry? Content, string? Fault) Read(string stream, JournalEntry entry)
    {
        try
        {
            return (TrailEntry.FromBytes(entry.Payload), null);
        }
        catch (InvalidDataException fault)
        {
            return (null, FormattableString.Invariant($"{stream}: entry {entry.Position}: {fault.Message}"));
        }
    }
}
