namespace CcmFhir.Journal;

/// <summary>Reads streams' blobs, remembers how far they are known, and finds out what became of commits.</summary>
internal sealed class BlobStreams(BlobStorage storage, BlobNames names, TimeProvider clock, BlobJournalOptions options)
{
    private const int Overlap = 8;

    private readonly Lock gate = new();
    private readonly RecentMap<BlobStream> known = new(options.RememberedStreams);
    private readonly RecentMap<bool> decided = new(options.RememberedStreams);

    /// <summary>What is known of a stream without asking.</summary>
    public BlobStream Known(string stream)
    {
        lock (gate)
        {
            return known.TryGet(stream, out var found) ? found : BlobStream.Unknown(names.Stream(stream));
        }
    }

    /// <summary>Remembers; a shorter one never replaces a longer one.</summary>
    public void Remember(string stream, BlobStream state)
    {
        lock (gate)
        {
            if (
                !known.TryGet(stream, out var there)
                || (there.Segment, there.Length, there.Position).CompareTo(
                    (state.Segment, state.Length, state.Position)
                ) <= 0
            )
            {
                known.Set(stream, state);
            }
        }
    }

    /// <summary>Reads on from where the stream is known; what was read is remembered.</summary>
    /// <returns>How far it is known now, and the entries that came, in order.</returns>
    public async Task<(BlobStream State, List<BlobFrame> Entries)> ReadAsync(
        string stream,
        BlobStream from,
        CancellationToken cancel
    )
    {
        var state = from;
        var entries = new List<BlobFrame>();
        while (await storage.ReadAsync(state.Name, state.Length - state.Overlap, null, cancel) is { } bytes)
        {
            if (bytes.Length < state.Overlap || !bytes.Span[..state.Overlap].SequenceEqual(state.Tail.Span))
            {
                throw Damaged(state.Name, "it was cut short or replaced");
            }
            bytes = bytes[state.Overlap..];
            var segment = state.Segment;
            state = state with { Exists = true };
            while (!bytes.IsEmpty)
            {
                var frame =
                    BlobFrame.Read(bytes, headOnly: false, out var length, out var fault)
                    ?? throw Damaged(state.Name, fault);
                if (state.Segment != segment)
                {
                    throw Damaged(BlobNames.Segment(state.Blob, segment), "something follows its end mark");
                }
                if (
                    frame.Kind is BlobFrameKind.Entry or BlobFrameKind.Rider
                    && state.Rider is { } rider
                    && frame.Position > rider.Position
                )
                {
                    entries.Add(rider);
                }
                try
                {
                    state = state.After(frame, bytes.Span[..(int)length]);
                }
                catch (InvalidDataException wrong)
                {
                    throw Damaged(state.Name, wrong.Message);
                }
                if (frame.Kind == BlobFrameKind.Entry)
                {
                    entries.Add(frame);
                }
                bytes = bytes[(int)length..];
            }
            if (state.Segment == segment)
            {
                break;
            }
        }
        if (state is { Exists: false, Length: > 0 } || (from.Exists && !state.Exists && state.Segment == from.Segment))
        {
            throw Damaged(state.Name, "it is gone");
        }
        if (state.Rider is { } last && await DecideAsync(last.Decision!, fence: false, cancel) is { } committed)
        {
            if (committed)
            {
                entries.Add(last);
            }
            state = state.Decided(committed);
        }
        if (state.Exists || state.Segment > 0)
        {
            Remember(stream, state);
        }
        return (state, entries);
    }

    /// <summary>An entry as the journal answers it; a payload of its own blob is fetched.</summary>
    public async ValueTask<JournalEntry> EntryAsync(string blob, BlobFrame frame, CancellationToken cancel)
    {
        if (!frame.Aside)
        {
            return new JournalEntry(frame.Position, frame.Chain, frame.Payload);
        }
        var name = names.Payload(blob, frame.Content.Span);
        var payload = (await storage.GetAsync(name, cancel))?.Content ?? throw Damaged(name, "it is gone");
        return HashChain.Content(payload.Span).AsSpan().SequenceEqual(frame.Content.Span)
            ? new JournalEntry(frame.Position, frame.Chain, payload)
            : throw Damaged(name, "its content does not match its hash");
    }

    /// <summary>What became of a commit: what stands at the place of its decision says so once and for all.</summary>
    /// <param name="decision">The place.</param>
    /// <param name="fence">When nothing stands there yet: wait a moment, then take the place, so that the commit never will be.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Committed or not; null (only without <paramref name="fence"/>): not yet.</returns>
    public async Task<bool?> DecideAsync(BlobDecision decision, bool fence, CancellationToken cancel)
    {
        var place = decision.ToString();
        lock (gate)
        {
            if (decided.TryGet(place, out var known))
            {
                return known;
            }
        }
        var name = BlobNames.Segment(decision.Stream, decision.Segment);
        var overlap = (int)Math.Min(Overlap, decision.Offset);
        for (var look = 0; ; look++)
        {
            var read = await storage.ReadAsync(
                name,
                decision.Offset - overlap,
                overlap + BlobFrame.LongestHead,
                cancel
            );
            if (read is { } bytes && bytes.Length > overlap)
            {
                var frame =
                    BlobFrame.Read(bytes[overlap..], headOnly: true, out _, out var fault)
                    ?? throw Damaged(name, fault);
                return Decided(place, frame.Kind == BlobFrameKind.Entry && frame.Commit == decision.Commit);
            }
            if (!fence)
            {
                return null;
            }
            if (look < options.Patience.Count)
            {
                await Task.Delay(options.Patience[look], clock, cancel);
                continue;
            }
            // Its writer is gone or slow. If it still lives, it finds the place taken and starts again.
            var answer = await storage.AppendAsync(
                name,
                BlobFrame.Mark(BlobFrameKind.Fence, 0).ToBytes(),
                decision.Offset,
                cancel
            );
            if (answer != BlobAppend.Elsewhere)
            {
                return Decided(place, false);
            }
        }
    }

    /// <summary>The commit is known to have come about; asks nobody.</summary>
    public bool IsCommitted(BlobDecision decision)
    {
        lock (gate)
        {
            return decided.TryGet(decision.ToString(), out var committed) && committed;
        }
    }

    /// <summary>Remembers what became of a commit of our own.</summary>
    public bool Decided(string place, bool committed)
    {
        lock (gate)
        {
            decided.Set(place, committed);
        }
        return committed;
    }

    private JournalUnreadableException Damaged(string blob, string why) =>
        new(
            $"The journal's container '{storage.Name}' is damaged: blob '{blob}' cannot be trusted, {why}. Keep the container as it is, restore the blob from its versions or the last backup, and run 'ccmfhir verify'."
        );
}
