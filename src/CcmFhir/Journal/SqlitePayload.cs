using System.Buffers;
using System.Buffers.Binary;
using System.IO.Compression;

namespace CcmFhir.Journal;

/// <summary>How a payload lies in the file: as it is (format 0), or its length in four bytes, little-endian, and the payload packed by Brotli
/// (format 1). FHIR repeats itself: packed, a transaction of ten resources takes a quarter of the pages, and it is the pages that a commit
/// waits for.</summary>
internal static class SqlitePayload
{
    /// <summary>As it is.</summary>
    public const int Plain = 0;

    /// <summary>Length, then Brotli.</summary>
    public const int Packed = 1;

    // Below this a payload shares its page with others anyway.
    private const int Smallest = 512;
    private const int LengthBytes = 4;
    private const int Quality = 1;
    private const int Window = 18;

    /// <summary>The payload as it is to lie there; what does not become smaller stays as it is.</summary>
    public static (int Format, ReadOnlyMemory<byte> Bytes) Pack(ReadOnlyMemory<byte> payload)
    {
        if (payload.Length < Smallest)
        {
            return (Plain, payload);
        }
        var room = ArrayPool<byte>.Shared.Rent(payload.Length);
        try
        {
            if (
                !BrotliEncoder.TryCompress(
                    payload.Span,
                    room.AsSpan(LengthBytes, payload.Length - LengthBytes),
                    out var written,
                    Quality,
                    Window
                )
            )
            {
                return (Plain, payload);
            }
            BinaryPrimitives.WriteInt32LittleEndian(room, payload.Length);
            return (Packed, room.AsSpan(0, LengthBytes + written).ToArray());
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(room);
        }
    }

    /// <summary>The payload as it was appended; null when the bytes are not what the format says.</summary>
    public static byte[]? Unpack(long format, ReadOnlySpan<byte> bytes)
    {
        if (format == Plain)
        {
            return bytes.ToArray();
        }
        if (format != Packed || bytes.Length < LengthBytes)
        {
            return null;
        }
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (length is < 1 or > JournalCommit.LargestPayload)
        {
            return null;
        }
        var payload = new byte[length];
        return BrotliDecoder.TryDecompress(bytes[LengthBytes..], payload, out var written) && written == length
            ? payload
            : null;
    }
}
