using System.Text;

namespace CcmFhir.Validation;

/// <summary>Finds a property name by its UTF-8 bytes without making a string. Immutable.</summary>
internal sealed class NameTable
{
    private readonly byte[][] names;
    private readonly int[] buckets;

    /// <param name="names">Distinct names; the result of a search is the index in this list.</param>
    public NameTable(IReadOnlyList<string> names)
    {
        this.names = [.. names.Select(Encoding.UTF8.GetBytes)];
        var size = 4;
        while (size < names.Count * 2)
        {
            size *= 2;
        }
        buckets = new int[size];
        for (var index = 0; index < this.names.Length; index++)
        {
            var at = Hash(this.names[index]) & (size - 1);
            while (buckets[at] != 0)
            {
                at = (at + 1) & (size - 1);
            }
            buckets[at] = index + 1;
        }
    }

    /// <summary>Index of a name; -1 when it is not in the table.</summary>
    public int Find(ReadOnlySpan<byte> name)
    {
        for (var at = Hash(name) & (buckets.Length - 1); buckets[at] != 0; at = (at + 1) & (buckets.Length - 1))
        {
            if (name.SequenceEqual(names[buckets[at] - 1]))
            {
                return buckets[at] - 1;
            }
        }
        return -1;
    }

    /// <summary>Index of the name of a property; -1 when it is not in the table.</summary>
    public int Find(FhirElement property) =>
        property.IsNameEscaped ? Find(Encoding.UTF8.GetBytes(property.Name)) : Find(property.NameUtf8);

    private static int Hash(ReadOnlySpan<byte> name)
    {
        var hash = (uint)name.Length;
        foreach (var one in name)
        {
            hash = (hash ^ one) * 0x01000193;
        }
        return (int)(hash ^ (hash >> 15)) & int.MaxValue;
    }
}
