namespace CcmFhir.Validation.FhirPath;

/// <summary>A collection of FHIRPath while it is worked on; taken from a pool and given back.</summary>
internal sealed class ValueList
{
    // 64 MB of one collection.
    private const int Most = 2 * 1024 * 1024;

    private FhirPathValue[] items = new FhirPathValue[8];

    public int Count { get; private set; }

    public ref readonly FhirPathValue this[int index] => ref items[index];

    public ReadOnlySpan<FhirPathValue> Span => items.AsSpan(0, Count);

    public void Add(in FhirPathValue value)
    {
        if (Count == items.Length)
        {
            if (Count >= Most)
            {
                throw new FhirPathException($"The expression makes a collection of more than {Most} items.")
                {
                    IsTooCostly = true,
                };
            }
            Array.Resize(ref items, Count * 2);
        }
        items[Count++] = value;
    }

    public void AddRange(ReadOnlySpan<FhirPathValue> values)
    {
        foreach (ref readonly var value in values)
        {
            Add(value);
        }
    }

    public void Clear()
    {
        Array.Clear(items, 0, Count);
        Count = 0;
        // A list that grew over one hostile document is not kept at that size.
        if (items.Length > 4096)
        {
            items = new FhirPathValue[8];
        }
    }
}
