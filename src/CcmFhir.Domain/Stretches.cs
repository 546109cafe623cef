using System.Collections;

namespace CcmFhir.Domain;

/// <summary>A stretch of time in whole seconds since 1970-01-01T00:00:00Z: <see cref="Start"/> included, <see cref="End"/> excluded. Instants, not wall
/// clocks, so clock changes need no care (rule T4).</summary>
/// <param name="Start">First second.</param>
/// <param name="End">Second after the last; not before <paramref name="Start"/>.</param>
public readonly record struct Stretch(long Start, long End)
{
    /// <summary>Length in seconds; 0 for an empty one.</summary>
    public long Seconds => Math.Max(0, End - Start);

    /// <summary>All of time.</summary>
    public static Stretch Always { get; } = new(long.MinValue / 4, long.MaxValue / 4);

    /// <summary>The stretch between two instants; parts of a second are cut off (never rounded up).</summary>
    public static Stretch Between(DateTimeOffset start, DateTimeOffset end) =>
        new(start.ToUnixTimeSeconds(), end.ToUnixTimeSeconds());

    /// <summary>What both have.</summary>
    public Stretch Within(Stretch other) =>
        new(Math.Max(Start, other.Start), Math.Max(Math.Max(Start, other.Start), Math.Min(End, other.End)));

    /// <summary>Share at least one second.</summary>
    public bool Overlaps(Stretch other) => Start < other.End && other.Start < End && Seconds > 0 && other.Seconds > 0;
}

/// <summary>A set of seconds, as sorted stretches that neither touch nor overlap. Immutable.</summary>
public sealed class Stretches : IReadOnlyList<Stretch>
{
    private readonly Stretch[] parts;

    private Stretches(Stretch[] parts) => this.parts = parts;

    /// <summary>No second.</summary>
    public static Stretches None { get; } = new([]);

    /// <summary>Number of seconds.</summary>
    public long Seconds
    {
        get
        {
            var sum = 0L;
            foreach (var part in parts)
            {
                sum += part.Seconds;
            }
            return sum;
        }
    }

    /// <inheritdoc/>
    public int Count => parts.Length;

    /// <inheritdoc/>
    public Stretch this[int index] => parts[index];

    /// <summary>The seconds of any of these stretches, each once.</summary>
    public static Stretches Of(params ReadOnlySpan<Stretch> any)
    {
        var sorted = new List<Stretch>(any.Length);
        foreach (var one in any)
        {
            if (one.Seconds > 0)
            {
                sorted.Add(one);
            }
        }
        sorted.Sort(static (left, right) => left.Start.CompareTo(right.Start));
        var merged = new List<Stretch>(sorted.Count);
        foreach (var one in sorted)
        {
            if (merged.Count > 0 && merged[^1].End >= one.Start)
            {
                merged[^1] = new Stretch(merged[^1].Start, Math.Max(merged[^1].End, one.End));
            }
            else
            {
                merged.Add(one);
            }
        }
        return new Stretches([.. merged]);
    }

    /// <summary>Seconds of this or the other.</summary>
    public Stretches Or(Stretches other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return parts.Length == 0 ? other
            : other.parts.Length == 0 ? this
            : Of([.. parts, .. other.parts]);
    }

    /// <summary>Seconds of this and the other.</summary>
    public Stretches And(Stretches other)
    {
        ArgumentNullException.ThrowIfNull(other);
        var both = new List<Stretch>();
        var (left, right) = (0, 0);
        while (left < parts.Length && right < other.parts.Length)
        {
            var (mine, yours) = (parts[left], other.parts[right]);
            if (mine.Overlaps(yours))
            {
                both.Add(mine.Within(yours));
            }
            if (mine.End < yours.End)
            {
                left++;
            }
            else
            {
                right++;
            }
        }
        return new Stretches([.. both]);
    }

    /// <summary>Seconds of this and not of the other.</summary>
    public Stretches Without(Stretches other)
    {
        ArgumentNullException.ThrowIfNull(other);
        if (parts.Length == 0 || other.parts.Length == 0)
        {
            return this;
        }
        var rest = new List<Stretch>();
        var right = 0;
        foreach (var part in parts)
        {
            var start = part.Start;
            while (right < other.parts.Length && other.parts[right].End <= start)
            {
                right++;
            }
            for (var at = right; at < other.parts.Length && other.parts[at].Start < part.End; at++)
            {
                if (other.parts[at].Start > start)
                {
                    rest.Add(new Stretch(start, other.parts[at].Start));
                }
                start = Math.Max(start, other.parts[at].End);
            }
            if (start < part.End)
            {
                rest.Add(new Stretch(start, part.End));
            }
        }
        return new Stretches([.. rest]);
    }

    /// <summary>The first seconds of the set, at most so many.</summary>
    public Stretches First(long seconds)
    {
        var taken = new List<Stretch>();
        foreach (var part in parts)
        {
            if (seconds <= 0)
            {
                break;
            }
            taken.Add(new Stretch(part.Start, part.Start + Math.Min(part.Seconds, seconds)));
            seconds -= part.Seconds;
        }
        return new Stretches([.. taken]);
    }

    /// <inheritdoc/>
    public IEnumerator<Stretch> GetEnumerator() => ((IEnumerable<Stretch>)parts).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => parts.GetEnumerator();
}
