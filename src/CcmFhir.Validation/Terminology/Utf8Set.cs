using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace CcmFhir.Validation.Terminology;

/// <summary>A fixed set of texts, asked by their UTF-8 bytes without allocating. Texts have the order in which they were given.</summary>
internal sealed class Utf8Set
{
    private readonly byte[] bytes;
    private readonly int[] starts;
    private readonly int[] table;
    private readonly bool ignoreCase;

    /// <param name="texts">The texts; the first of equal ones counts.</param>
    /// <param name="ignoreCase">ASCII letters are equal in either case.</param>
    public Utf8Set(IEnumerable<string> texts, bool ignoreCase = false)
    {
        this.ignoreCase = ignoreCase;
        var buffer = new List<byte>();
        var offsets = new List<int> { 0 };
        foreach (var text in texts)
        {
            buffer.AddRange(Encoding.UTF8.GetBytes(text));
            offsets.Add(buffer.Count);
        }
        bytes = [.. buffer];
        starts = [.. offsets];
        table = new int[BitOperations.RoundUpToPowerOf2((uint)Math.Max(4, Count * 2))];
        for (var index = 0; index < Count; index++)
        {
            var at = Slot(this[index]);
            if (table[at] == 0)
            {
                table[at] = index + 1;
            }
        }
    }

    /// <summary>How many texts were given.</summary>
    public int Count => starts.Length - 1;

    /// <summary>The bytes of a text.</summary>
    public ReadOnlySpan<byte> this[int index] => bytes.AsSpan(starts[index], starts[index + 1] - starts[index]);

    /// <summary>Position of a text in the order given; -1 when it is not there.</summary>
    public int IndexOf(ReadOnlySpan<byte> text) => table[Slot(text)] - 1;

    /// <summary>True when the text is there.</summary>
    public bool Contains(ReadOnlySpan<byte> text) => table[Slot(text)] != 0;

    private int Slot(ReadOnlySpan<byte> text)
    {
        var mask = table.Length - 1;
        for (var at = (int)Hash(text) & mask; ; at = (at + 1) & mask)
        {
            if (table[at] == 0 || Equal(this[table[at] - 1], text))
            {
                return at;
            }
        }
    }

    private bool Equal(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right) =>
        ignoreCase ? Ascii.EqualsIgnoreCase(left, right) || left.SequenceEqual(right) : left.SequenceEqual(right);

    private uint Hash(ReadOnlySpan<byte> text)
    {
        // Bit 5 is what tells ASCII letters of either case apart; setting it everywhere costs a few collisions elsewhere.
        var fold = ignoreCase ? 0x2020202020202020ul : 0;
        var hash = (ulong)text.Length * 0x9E3779B97F4A7C15;
        while (text.Length >= 8)
        {
            hash = (hash ^ (MemoryMarshal.Read<ulong>(text) | fold)) * 0xff51afd7ed558ccd;
            hash ^= hash >> 32;
            text = text[8..];
        }
        foreach (var value in text)
        {
            hash = (hash ^ (value | (fold & 0xff))) * 0x100000001b3;
        }
        hash ^= hash >> 29;
        return (uint)(hash ^ (hash >> 32));
    }
}
