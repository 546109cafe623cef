using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CcmFhir.Journal;

/// <summary>What a block of a stream's blob is.</summary>
internal enum BlobFrameKind : byte
{
    /// <summary>An entry of this stream. It decides the commit that it belongs to: with it the commit is, without it the commit is not.</summary>
    Entry = 1,

    /// <summary>An entry that rides along: it counts when the commit's deciding entry is there, and is nothing otherwise.</summary>
    Rider = 2,

    /// <summary>Takes the place where a deciding entry was to stand, so that it never will. It is no entry.</summary>
    Fence = 3,

    /// <summary>The stream goes on in the next segment.</summary>
    Roll = 4,
}

/// <summary>Where a commit is decided: the place in a stream's blob at which its deciding entry must start.</summary>
/// <param name="Stream">What stands for the stream (<see cref="BlobNames.Stream"/>).</param>
/// <param name="Segment">Segment of the stream.</param>
/// <param name="Offset">Byte in the segment.</param>
/// <param name="Commit">Id of the commit, hexadecimal.</param>
internal sealed record BlobDecision(string Stream, int Segment, long Offset, string Commit)
{
    /// <summary>One line of text.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Stream}/{Segment}/{Offset}/{Commit}");

    /// <summary>Reads the line; null when it is none.</summary>
    public static BlobDecision? Parse(string text) =>
        text.Split('/') is [var stream, var segment, var offset, var commit]
        && int.TryParse(segment, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var at)
            ? new BlobDecision(stream, number, at, commit)
            : null;
}

/// <summary>One block of a stream's blob. The head carries its own checksum; the payload is proven by its hash in the head.</summary>
/// <remarks>
/// Head, little-endian: "CCMJ", version 1, kind, flags (1: the payload lies in a blob of its own), 0, length of the reference (u16), 0 (u16),
/// length of the payload (u64, wherever it lies), position (u64), payload's hash (32), chain hash (32), commit (32), reference
/// (ASCII, the decision of a rider), first 8 bytes of the head's SHA-256. Then the payload.
/// </remarks>
internal sealed record BlobFrame(
    BlobFrameKind Kind,
    long Position,
    ReadOnlyMemory<byte> Content,
    ReadOnlyMemory<byte> Chain,
    string Commit,
    BlobDecision? Decision,
    bool Aside,
    long PayloadLength,
    ReadOnlyMemory<byte> Payload
)
{
    /// <summary>Bytes of the longest head.</summary>
    public const int LongestHead = Fixed + 256 + ChecksumSize;

    private const int Fixed = 124;
    private const int ChecksumSize = 8;
    private const byte Version = 1;
    private static readonly byte[] Nothing = new byte[HashChain.Size];

    /// <summary>A block that is no entry.</summary>
    public static BlobFrame Mark(BlobFrameKind kind, long position) =>
        new(kind, position, Nothing, Nothing, Convert.ToHexStringLower(Nothing), null, false, 0, default);

    /// <summary>The block.</summary>
    public byte[] ToBytes()
    {
        var reference = Encoding.ASCII.GetBytes(Decision?.ToString() ?? "");
        var head = Fixed + reference.Length + ChecksumSize;
        var bytes = new byte[head + Payload.Length];
        "CCMJ"u8.CopyTo(bytes);
        bytes[4] = Version;
        bytes[5] = (byte)Kind;
        bytes[6] = Aside ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), (ushort)reference.Length);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(12), PayloadLength);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(20), Position);
        Content.Span.CopyTo(bytes.AsSpan(28));
        Chain.Span.CopyTo(bytes.AsSpan(60));
        Convert.FromHexString(Commit).CopyTo(bytes.AsSpan(92));
        reference.CopyTo(bytes.AsSpan(Fixed));
        SHA256
            .HashData(bytes.AsSpan(0, head - ChecksumSize))
            .AsSpan(0, ChecksumSize)
            .CopyTo(bytes.AsSpan(head - ChecksumSize));
        Payload.Span.CopyTo(bytes.AsSpan(head));
        return bytes;
    }

    /// <summary>Reads the block at the start of the bytes.</summary>
    /// <param name="bytes">From the block's start; more may follow.</param>
    /// <param name="headOnly">The payload may be cut off and is not looked at.</param>
    /// <param name="length">Bytes of the block.</param>
    /// <param name="fault">Why it is none.</param>
    public static BlobFrame? Read(ReadOnlyMemory<byte> bytes, bool headOnly, out long length, out string fault)
    {
        length = 0;
        fault = "it is cut short";
        var span = bytes.Span;
        if (span.Length < Fixed + ChecksumSize)
        {
            return null;
        }
        if (!span.StartsWith("CCMJ"u8))
        {
            fault = "a block does not start as ours do";
            return null;
        }
        if (span[4] != Version)
        {
            fault = string.Create(
                CultureInfo.InvariantCulture,
                $"a block has format {span[4]}, this release reads format {Version}: run the release that wrote it, or a later one"
            );
            return null;
        }
        var referenceLength = BinaryPrimitives.ReadUInt16LittleEndian(span[8..]);
        var head = Fixed + referenceLength + ChecksumSize;
        if (span.Length < head)
        {
            return null;
        }
        if (
            !SHA256
                .HashData(span[..(head - ChecksumSize)])
                .AsSpan(0, ChecksumSize)
                .SequenceEqual(span[(head - ChecksumSize)..head])
        )
        {
            fault = "a block's head does not match its checksum";
            return null;
        }
        var aside = (span[6] & 1) != 0;
        var payloadLength = BinaryPrimitives.ReadInt64LittleEndian(span[12..]);
        length = head + (aside ? 0 : payloadLength);
        if (!headOnly && bytes.Length < length)
        {
            return null;
        }
        var content = bytes.Slice(28, HashChain.Size);
        ReadOnlyMemory<byte> payload = headOnly || aside ? default : bytes.Slice(head, (int)payloadLength);
        if (
            !headOnly
            && !aside
            && payloadLength > 0
            && !HashChain.Content(payload.Span).AsSpan().SequenceEqual(content.Span)
        )
        {
            fault = "an entry's content does not match its hash";
            return null;
        }
        return new BlobFrame(
            (BlobFrameKind)span[5],
            BinaryPrimitives.ReadInt64LittleEndian(span[20..]),
            content.ToArray(),
            bytes.Slice(60, HashChain.Size).ToArray(),
            Convert.ToHexStringLower(span.Slice(92, HashChain.Size)),
            referenceLength == 0
                ? null
                : BlobDecision.Parse(Encoding.ASCII.GetString(span.Slice(Fixed, referenceLength))),
            aside,
            payloadLength,
            payload
        );
    }
}
