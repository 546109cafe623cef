using System.Globalization;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Azure.Data.Tables;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Specialized;

namespace CcmFhir.Journal;

/// <summary>How a blob journal runs; the defaults are those of the service's limits.</summary>
internal sealed record BlobJournalOptions
{
    /// <summary>Blocks of a segment before the stream goes on in the next one. The service takes 50,000; fences may come on top.</summary>
    public int MostBlocks { get; init; } = 49_000;

    /// <summary>Payloads up to this size lie in their block, larger ones in a blob of their own. Every service version takes 4 MiB.</summary>
    public int LargestInBlock { get; init; } = 4 * 1024 * 1024 - BlobFrame.LongestHead;

    /// <summary>Waits for another writer's commit to be decided, before it is decided for it.</summary>
    public IReadOnlyList<TimeSpan> Patience { get; init; } =
    [.. new[] { 10, 20, 40, 80, 160, 320 }.Select(milliseconds => TimeSpan.FromMilliseconds(milliseconds))];

    /// <summary>Streams, commits and index keys remembered, each.</summary>
    public int RememberedStreams { get; init; } = 100_000;
}

/// <summary>The journal in a container of Azure Blob Storage, for any number of instances at once. How it works, and why nothing is lost
/// or doubled: <c>BlobJournal.md</c> beside this file.</summary>
internal sealed class BlobJournalStore : IJournalStore
{
    private const int MostAttempts = 50;

    private readonly BlobStorage storage;
    private readonly BlobNames names;
    private readonly BlobStreams streams;
    private readonly TableIndex index;
    private readonly BlobJournalOptions options;
    private readonly StreamGates gates = new();
    private volatile bool closed;

    private BlobJournalStore(
        BlobStorage storage,
        TableStorage table,
        BlobNames names,
        TimeProvider clock,
        BlobJournalOptions options
    )
    {
        this.storage = storage;
        this.names = names;
        this.options = options;
        streams = new BlobStreams(storage, names, clock, options);
        index = new TableIndex(table, names, streams, options);
    }

    /// <summary>Opens the container's journal, or begins one in an empty container; a container that is not there is made.</summary>
    /// <param name="container">The container of the streams.</param>
    /// <param name="index">The table of the index: it is rewritten, so it stands outside what a retention policy keeps from being changed.</param>
    /// <param name="clock">Waits are taken from it.</param>
    /// <param name="options">How it runs.</param>
    /// <param name="make">Make what is not there; otherwise that is a <see cref="JournalUnavailableException"/>.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="JournalUnreadableException">The container holds something else, or a later format.</exception>
    /// <exception cref="JournalUnavailableException">It cannot be reached now.</exception>
    public static async Task<BlobJournalStore> OpenAsync(
        BlobContainerClient container,
        TableClient index,
        TimeProvider clock,
        BlobJournalOptions? options,
        bool make,
        CancellationToken cancel
    )
    {
        var blobs = new BlobStorage(container);
        var table = new TableStorage(index);
        if (make)
        {
            await blobs.MakeAsync(cancel);
        }
        else if (await blobs.GetAsync(BlobNames.Marker, cancel) is null)
        {
            throw new JournalUnavailableException($"There is no journal in container '{container.Name}'.");
        }
        var key = await BlobJournalMarker.OpenAsync(blobs, cancel);
        await table.MakeAsync(cancel);
        var store = new BlobJournalStore(blobs, table, new BlobNames(key), clock, options ?? new BlobJournalOptions());
        await IndexMove.RunAsync(new BlobStorage(FirstIndexOf(container)), table, store.index, store.streams, cancel);
        return store;
    }

    /// <summary>The container that held the index in the first release.</summary>
    public static BlobContainerClient FirstIndexOf(BlobContainerClient container) =>
        container.GetParentBlobServiceClient().GetBlobContainerClient($"{container.Name}-index");

    /// <inheritdoc/>
    public async ValueTask<AppendResult> AppendAsync(JournalCommit commit, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        if (commit.Fault() is { } why)
        {
            throw new ArgumentException(why, nameof(commit));
        }
        if (commit.Appends.Any(append => append.Expected == StreamAppend.End))
        {
            throw new ArgumentException("This store must be told where a stream stands.", nameof(commit));
        }
        cancel.ThrowIfCancellationRequested();
        var work = new BlobCommit(commit, names);
        // Writers of one process take turns; those of other processes meet at the blobs.
        using var turn = await gates.EnterAsync(commit.Appends.Select(append => append.Stream), cancel);
        for (var attempt = 0; attempt < MostAttempts; attempt++)
        {
            if (await TryAsync(work, fresh: attempt > 0, cancel) is { } answer)
            {
                return answer;
            }
        }
        throw new JournalUnavailableException(
            $"Too many writers want the same stream of the journal's container '{storage.Name}' at once: try again."
        );
    }

    /// <inheritdoc/>
    /// <remarks>The append itself names the place in the blob, and that is the stream's position here.</remarks>
    public bool AppendsAtEnd => false;

    /// <inheritdoc/>
    public async ValueTask<IReadOnlyList<JournalEntry>> ReadAsync(string stream, long after, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        var known = streams.Known(stream);
        var from = known.Position <= after ? known : BlobStream.Unknown(known.Blob);
        var (_, frames) = await streams.ReadAsync(stream, from, cancel);
        var entries = new List<JournalEntry>(frames.Count);
        foreach (var frame in frames)
        {
            if (frame.Position > after)
            {
                entries.Add(await streams.EntryAsync(known.Blob, frame, cancel));
            }
        }
        return entries;
    }

    /// <inheritdoc/>
    public async ValueTask<string?> FindAsync(string key, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        return await index.FindAsync(key, cancel);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<IndexEntry> ListAsync(
        string prefix,
        string? after,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        ObjectDisposedException.ThrowIf(closed, this);
        foreach (var entry in await index.ListAsync(prefix, after, cancel))
        {
            yield return entry;
        }
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> StreamsAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        await foreach (var blob in storage.ListAsync(BlobNames.Streams, cancel))
        {
            // A short one may hold nothing but fences, of commits that never were.
            if (
                blob.Name.EndsWith("/00000", StringComparison.Ordinal)
                && blob.Length > 0
                && NameOf(blob) is { } name
                && (
                    blob.Length > 64 * BlobFrame.LongestHead
                    || (await streams.ReadAsync(name, streams.Known(name), cancel)).State.Position > 0
                )
            )
            {
                yield return name;
            }
        }
    }

    /// <inheritdoc/>
    public async ValueTask<int> RewriteIndexAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        return await index.RewriteAsync(entries, cancel);
    }

    /// <inheritdoc/>
    public async IAsyncEnumerable<string> CheckAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        ObjectDisposedException.ThrowIf(closed, this);
        string? before = null;
        await foreach (var blob in storage.ListAsync("", cancel))
        {
            if (blob.Name.StartsWith(BlobNames.Streams, StringComparison.Ordinal))
            {
                var segment = int.TryParse(
                    blob.Name[(blob.Name.LastIndexOf('/') + 1)..],
                    NumberStyles.None,
                    CultureInfo.InvariantCulture,
                    out var number
                )
                    ? number
                    : -1;
                if (NameOf(blob) is not { } name || blob.Name != BlobNames.Segment(names.Stream(name), segment))
                {
                    yield return $"Blob '{blob.Name}' is no stream of this journal.";
                }
                else if (segment > 0 && before != BlobNames.Segment(names.Stream(name), segment - 1))
                {
                    yield return $"The segment before blob '{blob.Name}' is missing.";
                }
                before = blob.Name;
            }
            else if (
                blob.Name != BlobNames.Marker
                && !blob.Name.StartsWith(BlobNames.Payloads, StringComparison.Ordinal)
            )
            {
                yield return $"Blob '{blob.Name}' does not belong to this journal.";
            }
        }
        await foreach (var fault in index.CheckAsync(cancel))
        {
            yield return fault;
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        closed = true;
        return ValueTask.CompletedTask;
    }

    private static string? NameOf(ListedBlob blob) =>
        blob.Facts.TryGetValue("n", out var name) ? BlobText.Read(name) : null;

    // One try from the start; null: the ground has moved, look again. `fresh` reads the main stream first, and no refusal is answered
    // without that: what is remembered may be older than our own commit.
    private async Task<AppendResult?> TryAsync(BlobCommit work, bool fresh, CancellationToken cancel)
    {
        var main = await StandAsync(work.Main, fresh, cancel);
        if (main.Position > work.Main.Expected)
        {
            return await IsThereAsync(work, cancel)
                ? BlobCommit.Appended
                : new AppendResult(AppendOutcome.LostRace, work.Main.Stream, main.Position);
        }
        if (main.Position < work.Main.Expected)
        {
            return new AppendResult(AppendOutcome.LostRace, work.Main.Stream, main.Position);
        }
        var riders = new BlobStream[work.Riders.Count];
        for (var i = 0; i < riders.Length; i++)
        {
            riders[i] = await StandAsync(work.Riders[i], fresh, cancel);
            if (riders[i].Position != work.Riders[i].Expected)
            {
                return fresh
                    ? new AppendResult(AppendOutcome.LostRace, work.Riders[i].Stream, riders[i].Position)
                    : null;
            }
        }
        if (await ReadyAsync(work.Main, main, cancel) is not { } ready)
        {
            return null;
        }
        main = ready;
        for (var i = 0; i < riders.Length; i++)
        {
            if (await ReadyAsync(work.Riders[i], riders[i], cancel) is not { } readyRider)
            {
                return null;
            }
            riders[i] = readyRider;
        }

        var decision = new BlobDecision(main.Blob, main.Segment, main.Length, work.Id);
        var (written, taken) = await index.ClaimAsync(work.Index, decision, cancel);
        if (taken is not null)
        {
            if (!fresh)
            {
                return null;
            }
            return await GiveUpAsync(decision, written, cancel)
                ? BlobCommit.Appended
                : new AppendResult(AppendOutcome.IndexTaken, Taken: taken);
        }
        for (var i = 0; i < riders.Length; i++)
        {
            var frame = await FrameAsync(BlobFrameKind.Rider, work.Riders[i], riders[i], work.Id, decision, cancel);
            if (await RideAsync(work.Riders[i], riders[i], frame, cancel) is not { } ridden)
            {
                return await GiveUpAsync(decision, true, cancel) ? BlobCommit.Appended : null;
            }
            riders[i] = ridden;
        }

        var entry = await FrameAsync(BlobFrameKind.Entry, work.Main, main, work.Id, null, cancel);
        var block = entry.ToBytes();
        switch (await storage.AppendAsync(main.Name, block, main.Length, cancel))
        {
            case BlobAppend.Done:
                break;
            case BlobAppend.Elsewhere:
                return null;
            default:
                throw Gone(main.Name);
        }
        streams.Decided(decision.ToString(), true);
        streams.Remember(work.Main.Stream, main.After(entry, block));
        for (var i = 0; i < riders.Length; i++)
        {
            streams.Remember(work.Riders[i].Stream, riders[i].Decided(true));
        }
        foreach (var indexed in work.Index)
        {
            index.Remember(indexed.Key, indexed.Value);
        }
        return BlobCommit.Appended;
    }

    // How far the stream stands; asked when nothing is known, or when what is known does not fit.
    private async Task<BlobStream> StandAsync(BlobAppendWork append, bool fresh, CancellationToken cancel)
    {
        var known = streams.Known(append.Stream);
        return !fresh && known.Exists && known.Position == append.Expected && known.Rider is null
            ? known
            : (await streams.ReadAsync(append.Stream, known, cancel)).State;
    }

    private async Task<bool> IsThereAsync(BlobCommit work, CancellationToken cancel)
    {
        var (_, entries) = await streams.ReadAsync(work.Main.Stream, BlobStream.Unknown(work.Main.Blob), cancel);
        return entries.Exists(entry => entry.Position == work.Main.Expected + 1 && entry.Commit == work.Id);
    }

    // The end of the stream decided, its segment there and with room; null when it moved meanwhile.
    private async Task<BlobStream?> ReadyAsync(BlobAppendWork append, BlobStream state, CancellationToken cancel)
    {
        if (state.Rider is { } rider)
        {
            state = state.Decided(await streams.DecideAsync(rider.Decision!, fence: true, cancel) == true);
            streams.Remember(append.Stream, state);
        }
        if (state.Blocks >= options.MostBlocks)
        {
            var roll = BlobFrame.Mark(BlobFrameKind.Roll, state.Position);
            var block = roll.ToBytes();
            if (await storage.AppendAsync(state.Name, block, state.Length, cancel) != BlobAppend.Done)
            {
                return null;
            }
            state = state.After(roll, block);
            streams.Remember(append.Stream, state);
        }
        if (!state.Exists)
        {
            var facts = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["n"] = BlobText.Write(append.Stream),
            };
            if (!await storage.CreateAsync(state.Name, facts, cancel))
            {
                // Somebody else made it, or we did in a try whose answer was lost; it may hold something by now.
                (state, _) = await streams.ReadAsync(append.Stream, state, cancel);
            }
            state = state with { Exists = true };
            streams.Remember(append.Stream, state);
        }
        return state.Position == append.Expected && state.Rider is null ? state : null;
    }

    // The riding entry placed; null when its stream moved.
    private async Task<BlobStream?> RideAsync(
        BlobAppendWork append,
        BlobStream state,
        BlobFrame frame,
        CancellationToken cancel
    )
    {
        var block = frame.ToBytes();
        switch (await storage.AppendAsync(state.Name, block, state.Length, cancel))
        {
            case BlobAppend.Done:
                var placed = state.After(frame, block);
                streams.Remember(append.Stream, placed);
                return placed;
            case BlobAppend.Elsewhere:
                var (now, _) = await streams.ReadAsync(append.Stream, state, cancel);
                return now.Rider is { } rider && rider.Decision == frame.Decision ? now : null;
            default:
                throw Gone(state.Name);
        }
    }

    // Sees to it that this commit never will be; true when it is there after all, by a twin's hand.
    private async Task<bool> GiveUpAsync(BlobDecision decision, bool written, CancellationToken cancel) =>
        written && await streams.DecideAsync(decision, fence: true, cancel) == true;

    private async Task<BlobFrame> FrameAsync(
        BlobFrameKind kind,
        BlobAppendWork append,
        BlobStream state,
        string commit,
        BlobDecision? decision,
        CancellationToken cancel
    )
    {
        var aside = append.Payload.Length > options.LargestInBlock;
        if (aside)
        {
            // Its name is its content, so one that is there already is the same one.
            await storage.PutAsync(
                names.Payload(append.Blob, append.Content),
                append.Payload,
                new Dictionary<string, string>(StringComparer.Ordinal),
                null,
                cancel
            );
        }
        return new BlobFrame(
            kind,
            state.Position + 1,
            append.Content,
            HashChain.Next(state.Hash.Span, append.Content),
            commit,
            decision,
            aside,
            append.Payload.Length,
            aside ? default : append.Payload
        );
    }

    private JournalUnavailableException Gone(string blob) =>
        new($"Blob '{blob}' of the journal's container '{storage.Name}' was deleted: restore it from its versions.");
}

/// <summary>One entry of a commit, prepared.</summary>
internal sealed record BlobAppendWork(
    string Stream,
    string Blob,
    long Expected,
    ReadOnlyMemory<byte> Payload,
    byte[] Content
);

/// <summary>A commit, prepared. Its id is made of streams, positions and contents, so that the same commit has the same id wherever it is
/// tried again.</summary>
internal sealed class BlobCommit
{
    public static readonly AppendResult Appended = new(AppendOutcome.Appended);

    public BlobCommit(JournalCommit commit, BlobNames names)
    {
        var all = commit
            .Appends.Select(append => new BlobAppendWork(
                append.Stream,
                names.Stream(append.Stream),
                append.Expected,
                append.Payload,
                HashChain.Content(append.Payload.Span)
            ))
            .ToList();
        Main = all[0];
        // In one order for everybody, so that two commits with the same riders meet at the first of them.
        Riders = [.. all.Skip(1).OrderBy(append => append.Stream, StringComparer.Ordinal)];
        Index = commit.Index;
        var id = new StringBuilder();
        foreach (var append in (IEnumerable<BlobAppendWork>)[Main, .. Riders])
        {
            id.Append(
                CultureInfo.InvariantCulture,
                $"{append.Blob} {append.Expected} {Convert.ToHexStringLower(append.Content)}\n"
            );
        }
        Id = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(id.ToString())));
    }

    public BlobAppendWork Main { get; }

    public IReadOnlyList<BlobAppendWork> Riders { get; }

    public IReadOnlyList<IndexEntry> Index { get; }

    public string Id { get; }
}

/// <summary>The blob that says that a container is a journal of ours, of which format, and the key of its names.</summary>
internal static class BlobJournalMarker
{
    private const string Program = "ccmfhir journal";
    private const int Format = 1;

    /// <summary>The key of the journal there; an empty container becomes one.</summary>
    public static async Task<byte[]> OpenAsync(BlobStorage storage, CancellationToken cancel)
    {
        var marker = await storage.GetAsync(BlobNames.Marker, cancel);
        if (marker is null)
        {
            await foreach (var other in storage.ListAsync("", cancel))
            {
                if (other.Name != BlobNames.Marker)
                {
                    throw new JournalUnreadableException(
                        $"The container '{storage.Name}' is not a journal of this program: it holds other blobs. Nothing was changed. Name an empty container in Ccm:Store."
                    );
                }
            }
            var fresh = JsonSerializer.SerializeToUtf8Bytes(
                new MarkerContent(Program, Format, RandomNumberGenerator.GetBytes(32))
            );
            // Who comes second takes the key of who came first.
            await storage.PutAsync(
                BlobNames.Marker,
                fresh,
                new Dictionary<string, string>(StringComparer.Ordinal),
                null,
                cancel
            );
            marker = await storage.GetAsync(BlobNames.Marker, cancel);
        }
        MarkerContent? content = null;
        try
        {
            content = JsonSerializer.Deserialize<MarkerContent>(marker!.Content.Span);
        }
        catch (JsonException)
        {
            // Said below.
        }
        if (content is null || content.Program != Program || content.Key.Length != 32)
        {
            throw new JournalUnreadableException(
                $"The container '{storage.Name}' is not a journal of this program: its blob '{BlobNames.Marker}' is another's or damaged. Nothing was changed. Name another container in Ccm:Store, or restore the blob from its versions."
            );
        }
        return content.Format == Format
            ? content.Key
            : throw new JournalUnreadableException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"The journal in container '{storage.Name}' has format {content.Format}; this release reads format {Format}. Run the release that wrote it, or a later one."
                )
            );
    }

    private sealed record MarkerContent(string Program, int Format, byte[] Key);
}
