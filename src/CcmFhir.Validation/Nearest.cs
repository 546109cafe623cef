namespace CcmFhir.Validation;

/// <summary>Finds what somebody probably meant.</summary>
public static class Nearest
{
    /// <summary>The candidate with the fewest changed letters; null when none is near (a third of the letters at most).</summary>
    public static string? To(string text, IEnumerable<string> candidates)
    {
        if (text.Length is 0 or > 64)
        {
            return null;
        }
        string? best = null;
        var bestDistance = Math.Max(1, text.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            if (Math.Abs(candidate.Length - text.Length) < bestDistance)
            {
                var distance = Distance(text, candidate);
                if (
                    distance < bestDistance
                    || (distance == bestDistance && best is not null && string.CompareOrdinal(candidate, best) < 0)
                )
                {
                    (best, bestDistance) = (candidate, distance);
                }
            }
        }
        return best;
    }

    /// <summary>Text for a message, cut where it is long.</summary>
    public static string Shown(string text) => text.Length > 80 ? text[..80] + "..." : text;

    private static int Distance(string left, string right)
    {
        Span<int> row = stackalloc int[Math.Min(right.Length, 128) + 1];
        if (right.Length > 128)
        {
            return int.MaxValue;
        }
        for (var at = 0; at <= right.Length; at++)
        {
            row[at] = at;
        }
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                var same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]);
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (same ? 0 : 1));
                diagonal = above;
            }
        }
        return row[right.Length];
    }
}
