using System.Buffers.Binary;

namespace CcmFhir.Journal;

/// <summary>Looks whether a write-ahead log that a crash left is whole. SQLite takes such a log up to the first frame whose checksum is wrong and
/// drops the rest without a word: right for the end of a commit that was being written, wrong for damage, behind which there are commits that were
/// acknowledged.</summary>
/// <remarks>A commit is synced before the next one is written. So a frame behind a whole commit, that is behind the first wrong frame, proves that what
/// is wrong had been on the disk. Damage within the last commit cannot be told from a crash. Format: https://sqlite.org/fileformat2.html#walformat.</remarks>
internal static class SqliteLog
{
    private const int HeaderBytes = 32;
    private const int FrameHeaderBytes = 24;
    private const int OwnPageBytes = 4096;
    private const int Tries = 3;
    private const uint Magic = 0x377f0682;

    /// <summary>The log holds commits behind damage.</summary>
    /// <param name="path">The log; it need not be there.</param>
    public static bool IsDamaged(string path)
    {
        // A process that writes meanwhile can show a frame by half, or two logs in one: what is damaged looks so every time.
        for (var tries = 0; tries < Tries; tries++)
        {
            if (!LooksDamaged(path))
            {
                return false;
            }
        }
        return true;
    }

    private static bool LooksDamaged(string path)
    {
        if (!File.Exists(path))
        {
            return false;
        }
        using var log = new FileStream(
            path,
            FileMode.Open,
            FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete,
            1024 * 1024
        );
        Span<byte> header = stackalloc byte[HeaderBytes];
        return log.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) == HeaderBytes
            && HoldsLostCommit(log, header);
    }

    private static bool HoldsLostCommit(FileStream log, ReadOnlySpan<byte> header)
    {
        var magic = Word(header, 0);
        var sums = new Sums(bigEndian: (magic & 1) == 1);
        sums.Add(header[..24]);
        var whole = (magic & ~1u) == Magic && sums.Are(header[24..]);
        ReadOnlySpan<byte> salts = whole ? header[16..24].ToArray() : default;
        var frame = new byte[FrameHeaderBytes + (whole ? (int)Word(header, 8) : OwnPageBytes)];
        var committed = false;
        while (log.ReadAtLeast(frame, frame.Length, throwOnEndOfStream: false) == frame.Length)
        {
            if (salts.IsEmpty)
            {
                salts = frame.AsSpan(8, 8).ToArray();
            }
            // Frames with other salts are left from before the log was begun anew.
            var ours = frame.AsSpan(8, 8).SequenceEqual(salts);
            if (whole)
            {
                sums.Add(frame.AsSpan(0, 8));
                sums.Add(frame.AsSpan(FrameHeaderBytes));
                whole = ours && sums.Are(frame.AsSpan(16));
            }
            if (whole || !ours)
            {
                continue;
            }
            if (committed)
            {
                return true;
            }
            committed = Word(frame, 4) != 0;
        }
        return false;
    }

    private static uint Word(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes[at..]);

    // The running checksum of header and frames.
    private struct Sums(bool bigEndian)
    {
        private uint first;
        private uint second;

        public void Add(ReadOnlySpan<byte> bytes)
        {
            for (; bytes.Length >= 8; bytes = bytes[8..])
            {
                var (one, two) = bigEndian
                    ? (BinaryPrimitives.ReadUInt32BigEndian(bytes), BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]))
                    : (
                        BinaryPrimitives.ReadUInt32LittleEndian(bytes),
                        BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..])
                    );
                first += one + second;
                second += two + first;
            }
        }

        public readonly bool Are(ReadOnlySpan<byte> stored) => Word(stored, 0) == first && Word(stored, 4) == second;
    }
}
