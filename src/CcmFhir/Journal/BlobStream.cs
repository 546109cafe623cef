namespace CcmFhir.Journal;

/// <summary>How far a stream's blob is known. Immutable.</summary>
/// <param name="Blob">What stands for its name.</param>
/// <param name="Exists">The segment that is written to now is there.</param>
/// <param name="Segment">Segment that is written to now.</param>
/// <param name="Length">Bytes of that segment.</param>
/// <param name="Blocks">Blocks of that segment.</param>
/// <param name="Position">Entries of the stream.</param>
/// <param name="Hash">Chain hash of the last entry.</param>
/// <param name="Tail">Last bytes of the segment, by which it is known again; empty at its start.</param>
/// <param name="Rider">A riding entry at the end whose commit was not decided when it was last looked at.</param>
internal sealed record BlobStream(
    string Blob,
    bool Exists,
    int Segment,
    long Length,
    int Blocks,
    long Position,
    ReadOnlyMemory<byte> Hash,
    ReadOnlyMemory<byte> Tail,
    BlobFrame? Rider
)
{
    private const int TailSize = 8;

    /// <summary>Nothing known yet.</summary>
    public static BlobStream Unknown(string blob) => new(blob, false, 0, 0, 0, 0, HashChain.Start, default, null);

    /// <summary>Name of the segment that is written to now.</summary>
    public string Name => BlobNames.Segment(Blob, Segment);

    /// <summary>Bytes before <see cref="Length"/> that a read takes along, to know the blob again.</summary>
    public int Overlap => Tail.Length;

    /// <summary>After one more block, as read or as written by us.</summary>
    /// <exception cref="InvalidDataException">The block does not follow.</exception>
    public BlobStream After(BlobFrame frame, ReadOnlySpan<byte> block)
    {
        var stream = this;
        if (frame.Kind is BlobFrameKind.Entry or BlobFrameKind.Rider && stream.Rider is { } rider)
        {
            // What was undecided is decided by what follows it: whoever wrote it had to know.
            stream = frame.Position > rider.Position ? stream.Decided(true) : stream.Decided(false);
        }
        stream = stream with
        {
            Length = stream.Length + block.Length,
            Blocks = stream.Blocks + 1,
            Tail = block[^Math.Min(TailSize, block.Length)..].ToArray(),
        };
        switch (frame.Kind)
        {
            case BlobFrameKind.Entry:
                stream.Follows(frame);
                return stream with { Position = frame.Position, Hash = frame.Chain };
            case BlobFrameKind.Rider:
                stream.Follows(frame);
                return stream with { Rider = frame };
            case BlobFrameKind.Roll:
                return stream with
                {
                    Exists = false,
                    Segment = stream.Segment + 1,
                    Length = 0,
                    Blocks = 0,
                    Tail = default,
                };
            case BlobFrameKind.Fence:
                return stream;
            default:
                throw new InvalidDataException("a block is of a kind that this release does not know");
        }
    }

    /// <summary>The riding entry at the end counts, or not.</summary>
    public BlobStream Decided(bool committed) =>
        committed && Rider is { } rider
            ? this with
            {
                Position = rider.Position,
                Hash = rider.Chain,
                Rider = null,
            }
            : this with
            {
                Rider = null,
            };

    private void Follows(BlobFrame frame)
    {
        if (frame.Position != Position + 1)
        {
            throw new InvalidDataException("an entry is missing or stands twice");
        }
        if (!HashChain.Next(Hash.Span, frame.Content.Span).AsSpan().SequenceEqual(frame.Chain.Span))
        {
            throw new InvalidDataException("an entry's hash does not follow from the one before it");
        }
    }
}
