namespace CcmFhir.Validation.Terminology;

/// <summary>Finds the code that somebody probably meant.</summary>
internal static class NearestCode
{
    private const int MostCandidates = 20_000;
    private const int LongestCode = 64;

    /// <summary>The same but for case, spaces, dashes or underscores; else at most a third of the letters away; null when none is near.</summary>
    public static string? To(string code, IEnumerable<string> candidates)
    {
        if (code.Length > LongestCode)
        {
            return null;
        }
        var bare = Bare(code);
        string? best = null;
        var bestDistance = Math.Max(1, code.Length / 3) + 1;
        foreach (var candidate in candidates.Take(MostCandidates))
        {
            if (bare.Length > 0 && string.Equals(Bare(candidate), bare, StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }
            if (Math.Abs(candidate.Length - code.Length) < bestDistance && candidate.Length <= LongestCode)
            {
                var distance = Distance(code, candidate, bestDistance);
                if (distance < bestDistance)
                {
                    (best, bestDistance) = (candidate, distance);
                }
            }
        }
        return best;
    }

    private static string Bare(string code) => string.Concat(code.Where(char.IsLetterOrDigit));

    /// <summary>Letters to insert, delete, change or swap with a neighbour, case apart; stops at <paramref name="limit"/>.</summary>
    private static int Distance(string left, string right, int limit)
    {
        Span<int> before = stackalloc int[right.Length + 1];
        Span<int> above = stackalloc int[right.Length + 1];
        Span<int> row = stackalloc int[right.Length + 1];
        for (var column = 0; column <= right.Length; column++)
        {
            above[column] = column;
        }
        for (var line = 1; line <= left.Length; line++)
        {
            row[0] = line;
            var least = line;
            var letter = char.ToLowerInvariant(left[line - 1]);
            for (var column = 1; column <= right.Length; column++)
            {
                var other = char.ToLowerInvariant(right[column - 1]);
                var cost = letter == other ? 0 : 1;
                row[column] = Math.Min(Math.Min(row[column - 1], above[column]) + 1, above[column - 1] + cost);
                if (
                    line > 1
                    && column > 1
                    && letter == char.ToLowerInvariant(right[column - 2])
                    && char.ToLowerInvariant(left[line - 2]) == other
                )
                {
                    row[column] = Math.Min(row[column], before[column - 2] + 1);
                }
                least = Math.Min(least, row[column]);
            }
            if (least >= limit)
            {
                return limit;
            }
            above.CopyTo(before);
            row.CopyTo(above);
        }
        return above[right.Length];
    }
}
