using System.Security.Cryptography;

namespace CcmFhir.Journal;

/// <summary>How entries of a stream prove their order: each hash covers the one before it.</summary>
internal static class HashChain
{
    /// <summary>Bytes of a hash.</summary>
    public const int Size = SHA256.HashSizeInBytes;

    /// <summary>What stands before the first entry.</summary>
    public static readonly ReadOnlyMemory<byte> Start = new byte[Size];

    /// <summary>The payload's own hash: also the id by which a writer knows its entry again.</summary>
    public static byte[] Content(ReadOnlySpan<byte> payload) => SHA256.HashData(payload);

    /// <summary>The hash of an entry from the one before it and its content.</summary>
    public static byte[] Next(ReadOnlySpan<byte> previous, ReadOnlySpan<byte> content)
    {
        Span<byte> both = stackalloc byte[Size * 2];
        previous.CopyTo(both);
        content.CopyTo(both[Size..]);
        return SHA256.HashData(both);
    }
}
