using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace CcmFhir.Validation.Definitions;

/// <summary>One definition on its way into a pack.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Url">Canonical, without version.</param>
/// <param name="Version">Business version; null when it states none.</param>
/// <param name="Json">Its reduced JSON, UTF-8.</param>
public sealed record PackItem(DefinitionKind Kind, string Url, string? Version, byte[] Json);

/// <summary>Many definitions in one file, made for a quick start: an index is read at once, the definitions lie in blocks of
/// about 64 KB that are unpacked when the first of their definitions is asked for.
/// Layout, integers little-endian: magic; packed and plain length of the index; the index (Brotli); the blocks (Brotli each).
/// The index: number of blocks, then of each its packed and plain length; number of definitions, then of each its kind,
/// url, version, block, offset in the block and length.</summary>
public static class DefinitionPack
{
    private const int BlockSize = 64 * 1024;
    private static ReadOnlySpan<byte> Magic => "ccmfhir1"u8;

    /// <summary>Writes a pack; the same items in the same order give the same bytes.</summary>
    public static byte[] Write(IReadOnlyList<PackItem> items)
    {
        ArgumentNullException.ThrowIfNull(items);
        var blocks = new List<(byte[] Packed, int Plain)>();
        var block = new MemoryStream();
        using var rows = new MemoryStream();
        using (var writer = new BinaryWriter(rows, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write7BitEncodedInt(items.Count);
            foreach (var item in items)
            {
                if (block.Length > 0 && block.Length + item.Json.Length > BlockSize)
                {
                    Close();
                }
                writer.Write((byte)item.Kind);
                writer.Write(item.Url);
                writer.Write(item.Version ?? "");
                writer.Write7BitEncodedInt(blocks.Count);
                writer.Write7BitEncodedInt((int)block.Length);
                writer.Write7BitEncodedInt(item.Json.Length);
                block.Write(item.Json);
            }
            Close();
        }
        using var index = new MemoryStream();
        using (var writer = new BinaryWriter(index, Encoding.UTF8, leaveOpen: true))
        {
            writer.Write7BitEncodedInt(blocks.Count);
            foreach (var (packed, plain) in blocks)
            {
                writer.Write7BitEncodedInt(packed.Length);
                writer.Write7BitEncodedInt(plain);
            }
            writer.Write(rows.ToArray());
        }
        var packedIndex = Compress(index.ToArray());
        using var whole = new MemoryStream();
        whole.Write(Magic);
        Span<byte> lengths = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(lengths, packedIndex.Length);
        BinaryPrimitives.WriteInt32LittleEndian(lengths[4..], (int)index.Length);
        whole.Write(lengths);
        whole.Write(packedIndex);
        foreach (var (packed, _) in blocks)
        {
            whole.Write(packed);
        }
        return whole.ToArray();

        void Close()
        {
            blocks.Add((Compress(block.ToArray()), (int)block.Length));
            block = new MemoryStream();
        }
    }

    /// <summary>Reads the index of a pack; the definitions are unpacked when they are asked for.</summary>
    /// <param name="open">Opens the pack's stream (seekable); called again for every block.</param>
    /// <param name="origin">Name for messages.</param>
    public static IReadOnlyList<Definition> Read(Func<Stream> open, string origin)
    {
        ArgumentNullException.ThrowIfNull(open);
        using var stream = open();
        var head = Bytes(stream, 0, 16);
        if (!head.AsSpan(0, 8).SequenceEqual(Magic))
        {
            throw new UnreadableDefinitionException(origin, "", "it is not a pack of definitions.");
        }
        var packedIndex = BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(8));
        var index = Decompress(Bytes(stream, 16, packedIndex), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(12)));
        using var reader = new BinaryReader(new MemoryStream(index), Encoding.UTF8);
        var blocks = new Block[reader.Read7BitEncodedInt()];
        var at = 16 + packedIndex;
        for (var number = 0; number < blocks.Length; number++)
        {
            var packed = reader.Read7BitEncodedInt();
            blocks[number] = new Block(open, at, packed, reader.Read7BitEncodedInt());
            at += packed;
        }
        var definitions = new Definition[reader.Read7BitEncodedInt()];
        for (var number = 0; number < definitions.Length; number++)
        {
            var kind = (DefinitionKind)reader.ReadByte();
            var url = reader.ReadString();
            var version = reader.ReadString();
            var block = blocks[reader.Read7BitEncodedInt()];
            var offset = reader.Read7BitEncodedInt();
            var length = reader.Read7BitEncodedInt();
            definitions[number] = new Definition(
                kind,
                url,
                version.Length == 0 ? null : version,
                origin,
                () =>
                    FhirJson.Parse(block.Plain().AsSpan(offset, length).ToArray(), out var fault)?.Root
                    ?? throw new UnreadableDefinitionException(origin, url, fault!.Text)
            );
        }
        return definitions;
    }

    private static byte[] Compress(byte[] plain)
    {
        var packed = new byte[BrotliEncoder.GetMaxCompressedLength(plain.Length)];
        return BrotliEncoder.TryCompress(plain, packed, out var length, quality: 11, window: 22)
            ? packed[..length]
            : throw new InvalidOperationException("Brotli found the room it asked for too small.");
    }

    private static byte[] Decompress(byte[] packed, int length)
    {
        var plain = new byte[length];
        return BrotliDecoder.TryDecompress(packed, plain, out var written) && written == length
            ? plain
            : throw new InvalidDataException("The pack of definitions is damaged.");
    }

    private static byte[] Bytes(Stream stream, int at, int length)
    {
        var bytes = new byte[length];
        stream.Position = at;
        stream.ReadExactly(bytes);
        return bytes;
    }

    private sealed class Block(Func<Stream> open, int at, int packed, int plain)
    {
        // Neighbours are often asked for together; later the memory is better used otherwise.
        private readonly WeakReference<byte[]> unpacked = new([]);

        public byte[] Plain()
        {
            if (!unpacked.TryGetTarget(out var bytes) || bytes.Length != plain)
            {
                using var stream = open();
                bytes = Decompress(Bytes(stream, at, packed), plain);
                unpacked.SetTarget(bytes);
            }
            return bytes;
        }
    }
}
