namespace CcmFhir.Domain;

/// <summary>What a rule set must meet before it is used.</summary>
internal static class RuleSetCheck
{
    /// <summary>Finds the first fault.</summary>
    /// <exception cref="RuleSetException">A row overlaps another, leaves a gap, or names what is not known; the message names it.</exception>
    public static void Run(RuleData data)
    {
        if (data.Last < data.First)
        {
            throw new RuleSetException("first and last: the rule set ends before it begins.");
        }
        Cover(
            "conversionFactors",
            "",
            data.First,
            data.Last,
            [.. data.ConversionFactors.Select(row => (row.From, row.To))]
        );
        Cover("facilities", "", data.First, data.Last, [.. data.Facilities.Select(row => (row.From, row.To))]);
        foreach (var group in data.Policies.GroupBy(row => row.Policy, StringComparer.Ordinal))
        {
            Cover("policies", group.Key, data.First, data.Last, [.. group.Select(row => (row.From, row.To))]);
        }
        foreach (var group in data.Codes.GroupBy(row => row.Code, StringComparer.Ordinal))
        {
            Cover("codes", group.Key, null, null, [.. group.Select(row => (row.From, row.To))]);
        }
        foreach (var group in data.Families.GroupBy(row => row.Family, StringComparer.Ordinal))
        {
            Cover("families", group.Key, null, data.Last, [.. group.Select(row => (row.From, row.To))]);
        }
        foreach (var group in data.Conflicts.GroupBy(row => row.Id, StringComparer.Ordinal))
        {
            Cover("conflicts", group.Key, null, null, [.. group.Select(row => (row.From, row.To))]);
        }
        Amounts(data);
        Families(data);
        Conflicts(data);
        Codes("initiatingVisitCodes", data.InitiatingVisitCodes);
        Codes("evaluationCodes", data.EvaluationCodes);
        Codes("tcmCodes", data.TcmCodes);
        Categories(data);
    }

    private static void Families(RuleData data)
    {
        foreach (var row in data.Families)
        {
            foreach (var code in (string?[])[row.Base, row.AddOn])
            {
                if (code is not null && (!Known(data, code, row.From) || !Known(data, code, row.To)))
                {
                    throw new RuleSetException(
                        $"families '{row.Family}' from {row.From:yyyy-MM-dd}: code {code} has no row in codes for all of that time."
                    );
                }
            }
            if (row.Seconds <= 0 || (row.AddOn is not null && row.Step <= 0) || row.Cap < 0)
            {
                throw new RuleSetException(
                    $"families '{row.Family}' from {row.From:yyyy-MM-dd}: seconds and step must be positive, cap not negative."
                );
            }
        }
    }

    private static bool Known(RuleData data, string code, DateOnly day) =>
        data.Codes.Exists(row => row.Code == code && row.From <= day && day <= row.To);

    private static void Conflicts(RuleData data)
    {
        string[] programs = ["ccm", "complex", "pcm", "apcm"];
        foreach (var row in data.Conflicts)
        {
            var where = $"conflicts '{row.Id}' from {row.From:yyyy-MM-dd}";
            Codes(where, row.Codes);
            if (Unknown(row.Same) || Unknown(row.Other))
            {
                throw new RuleSetException(
                    $"{where}: the words for same and other are wrong (deny, warn, info, not-complex, none)."
                );
            }
            if (row.Programs.Count == 0 || row.Programs.Except(programs, StringComparer.Ordinal).Any())
            {
                throw new RuleSetException($"{where}: programs must be some of {string.Join(", ", programs)}.");
            }
            if (row.Setting is not (null or "tcm" or "g0181" or "rpm"))
            {
                throw new RuleSetException($"{where}: setting '{row.Setting}' is not known (tcm, g0181, rpm).");
            }
            if (!row.Reason.StartsWith("CCM-K", StringComparison.Ordinal))
            {
                throw new RuleSetException($"{where}: reason '{row.Reason}' is none of conflicts (CCM-K01 ...).");
            }
        }

        static bool Unknown(string word) => word is not ("deny" or "warn" or "info" or "not-complex" or "none");
    }

    private static void Amounts(RuleData data)
    {
        foreach (var row in data.ConversionFactors)
        {
            if (row.Factor <= 0 || row.QualifyingFactor <= 0)
            {
                throw new RuleSetException($"conversionFactors from {row.From:yyyy-MM-dd}: a factor must be positive.");
            }
        }
        foreach (var row in data.Codes)
        {
            var where = $"codes {row.Code} from {row.From:yyyy-MM-dd}";
            Codes(where, [row.Code]);
            if (row.Units <= 0 || row.FacilityUnits <= 0 || row.Rate <= 0)
            {
                throw new RuleSetException($"{where}: units and rate must be positive.");
            }
            if (row.Units is not null && row.Rate is not null)
            {
                throw new RuleSetException($"{where}: has units and a rate; it can have one of them.");
            }
        }
    }

    private static void Codes(string where, IReadOnlyList<string> texts)
    {
        if (texts.Count == 0)
        {
            throw new RuleSetException($"{where}: names no code.");
        }
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var text in texts)
        {
            if (!CodeSpan.TryExpand(text, out var codes))
            {
                throw new RuleSetException($"{where}: '{text}' is neither a CPT or HCPCS code nor a range of them.");
            }
            foreach (var code in codes)
            {
                if (!seen.Add(code))
                {
                    throw new RuleSetException($"{where}: code {code} stands twice.");
                }
            }
        }
    }

    private static void Categories(RuleData data)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in data.Categories)
        {
            foreach (var prefix in row.Prefixes)
            {
                if (prefix.Length < 3 || !char.IsAsciiLetterUpper(prefix[0]) || !char.IsAsciiDigit(prefix[1]))
                {
                    throw new RuleSetException(
                        $"categories '{row.Category}': '{prefix}' is no ICD-10-CM prefix of three characters or more."
                    );
                }
                if (!seen.Add(prefix))
                {
                    throw new RuleSetException($"categories '{row.Category}': prefix {prefix} stands twice.");
                }
            }
        }
    }

    private static void Cover(
        string table,
        string key,
        DateOnly? first,
        DateOnly? last,
        List<(DateOnly From, DateOnly To)> rows
    )
    {
        rows.Sort();
        var name = key.Length == 0 ? table : $"{table} '{key}'";
        if (
            rows.Count == 0
            || (first is not null && rows[0].From != first)
            || (last is not null && rows[^1].To != last)
        )
        {
            throw new RuleSetException($"{name}: the rows must cover {first:yyyy-MM-dd} to {last:yyyy-MM-dd}.");
        }
        for (var at = 0; at < rows.Count; at++)
        {
            if (rows[at].From > rows[at].To)
            {
                throw new RuleSetException($"{name} from {rows[at].From:yyyy-MM-dd}: it ends before it begins.");
            }
            if (at > 0 && rows[at].From != rows[at - 1].To.AddDays(1))
            {
                var what =
                    rows[at].From <= rows[at - 1].To ? "overlaps the row before" : "leaves a gap to the row before";
                throw new RuleSetException(
                    $"{name} from {rows[at].From:yyyy-MM-dd}: it {what}, which ends on {rows[at - 1].To:yyyy-MM-dd}."
                );
            }
        }
    }
}
