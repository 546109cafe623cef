using System.Diagnostics.CodeAnalysis;

namespace CcmFhir.Journal;

/// <summary>A map that keeps what was used last: two generations, the older one dropped whole when the younger is full. Not
/// thread-safe.</summary>
/// <param name="capacity">Entries held at most.</param>
internal sealed class RecentMap<TValue>(int capacity)
{
    private Dictionary<string, TValue> young = new(StringComparer.Ordinal);
    private Dictionary<string, TValue> old = new(StringComparer.Ordinal);

    /// <summary>Finds, and counts as use.</summary>
    public bool TryGet(string key, [MaybeNullWhen(false)] out TValue value)
    {
        if (young.TryGetValue(key, out value))
        {
            return true;
        }
        if (!old.Remove(key, out value))
        {
            return false;
        }
        Set(key, value);
        return true;
    }

    /// <summary>Adds or replaces.</summary>
    public void Set(string key, TValue value)
    {
        if (young.Count >= capacity / 2 && !young.ContainsKey(key))
        {
            (old, young) = (young, new Dictionary<string, TValue>(StringComparer.Ordinal));
        }
        young[key] = value;
    }

    /// <summary>Forgets one.</summary>
    public void Remove(string key)
    {
        young.Remove(key);
        old.Remove(key);
    }

    /// <summary>Forgets all.</summary>
    public void Clear()
    {
        young.Clear();
        old.Clear();
    }
}
