using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace CcmFhir.Domain;

/// <summary>A rule set cannot be used: a row overlaps another, leaves a gap, or names what is not there. The message names the row.</summary>
public sealed class RuleSetException : Exception
{
    /// <inheritdoc/>
    public RuleSetException() { }

    /// <inheritdoc/>
    public RuleSetException(string message)
        : base(message) { }

    /// <inheritdoc/>
    public RuleSetException(string message, Exception innerException)
        : base(message, innerException) { }
}

/// <summary>A family of codes of which one may be billed a month.</summary>
/// <param name="Family">staff, complex, practitioner, pcm-staff, pcm-practitioner.</param>
/// <param name="From">First day of service, inclusive.</param>
/// <param name="To">Last day of service, inclusive.</param>
/// <param name="Base">Base code.</param>
/// <param name="Seconds">Seconds at which the base code is earned, in full (rule T1).</param>
/// <param name="AddOn">Add-on code; null where there is none.</param>
/// <param name="Step">Seconds for each unit of it, in full.</param>
/// <param name="Cap">Most units of it; 0 for no cap.</param>
/// <param name="Source">Where the row comes from.</param>
public sealed record FamilyRow(
    string Family,
    DateOnly From,
    DateOnly To,
    string Base,
    long Seconds,
    string? AddOn,
    long Step,
    int Cap,
    string Source
);

/// <summary>What a policy says in a stretch of time.</summary>
public sealed record PolicyRow(
    string Policy,
    DateOnly From,
    DateOnly To,
    EmDayPolicy EmDay,
    TcmPolicy Tcm,
    HomeHealthPolicy G0181,
    bool ComplexNeedsPlanRevision,
    int Cap99437,
    int Cap99489,
    string Source
);

/// <summary>Codes that may not, or may only with care, share a month with chronic care management.</summary>
/// <param name="Codes">The codes.</param>
/// <param name="From">First day of service, inclusive.</param>
/// <param name="To">Last day of service, inclusive.</param>
/// <param name="Same">What follows when the same practitioner billed it: deny, warn, not-complex or none.</param>
/// <param name="Other">What follows when another did.</param>
/// <param name="Reason">Reason code.</param>
/// <param name="Text">For people.</param>
/// <param name="Source">Where the row comes from.</param>
public sealed record ConflictRow(
    IReadOnlyList<string> Codes,
    DateOnly From,
    DateOnly To,
    string Same,
    string Other,
    string Reason,
    string Text,
    string Source
);

/// <summary>Rules as dated data: thresholds, caps, exclusions, amounts. A new year is a change of data, not of code. Immutable.</summary>
public sealed class RuleSet
{
    private static readonly JsonSerializerOptions Reading = new()
    {
        PropertyNameCaseInsensitive = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly Lazy<RuleSet> BuiltIn = new(() =>
    {
        using var stream = typeof(RuleSet).Assembly.GetManifestResourceStream("CcmFhir.Domain.rules.json")!;
        return Read(stream);
    });

    private readonly RuleData data;
    private readonly HashSet<string> initiating;
    private readonly HashSet<string> evaluation;
    private readonly HashSet<string> tcm;
    private readonly Dictionary<string, CategoryRow> categories = new(StringComparer.Ordinal);

    private RuleSet(RuleData data)
    {
        this.data = data;
        initiating = [.. data.InitiatingVisitCodes];
        evaluation = [.. data.EvaluationCodes];
        tcm = [.. data.TcmCodes];
        foreach (var category in data.Categories)
        {
            foreach (var prefix in category.Prefixes)
            {
                categories[prefix] = category;
            }
        }
    }

    /// <summary>Medicare from 2015 to the latest year known.</summary>
    public static RuleSet Medicare => BuiltIn.Value;

    /// <summary>First day of service that the rules cover.</summary>
    public DateOnly First => data.First;

    /// <summary>Last day of service that the rules cover.</summary>
    public DateOnly Last => data.Last;

    /// <summary>Reads and checks a rule set.</summary>
    /// <exception cref="RuleSetException">It is not well formed, overlaps, has gaps, or names unknown codes.</exception>
    public static RuleSet Read(Stream json)
    {
        RuleData? data;
        try
        {
            data = JsonSerializer.Deserialize<RuleData>(json, Reading);
        }
        catch (JsonException fault)
        {
            throw new RuleSetException($"The rule set cannot be read: {fault.Message}", fault);
        }
        if (data is null)
        {
            throw new RuleSetException("The rule set is empty.");
        }
        Check(data);
        return new RuleSet(data);
    }

    /// <summary>Name of the rules for a month, as it stands on claims and in answers; null where there are none for it.</summary>
    public string? NameFor(ServiceMonth month) =>
        month.FirstDay >= First && month.LastDay <= Last
            ? string.Create(CultureInfo.InvariantCulture, $"cms-{month.Year}.1")
            : null;

    /// <summary>The family as it stands on a day; null where it does not exist yet.</summary>
    public FamilyRow? Family(string family, DateOnly day) =>
        data.Families.FirstOrDefault(row => row.Family == family && row.From <= day && day <= row.To);

    /// <summary>What a policy says on a day.</summary>
    /// <exception cref="RuleSetException">There is no such policy on that day.</exception>
    public PolicyRow Policy(string policy, DateOnly day) =>
        data.Policies.FirstOrDefault(row => row.Policy == policy && row.From <= day && day <= row.To)
        ?? throw new RuleSetException(
            $"There is no policy '{policy}' on {day:yyyy-MM-dd}; known are {string.Join(", ", Policies)}."
        );

    /// <summary>Names of the policies.</summary>
    public IReadOnlyList<string> Policies =>
        [.. data.Policies.Select(row => row.Policy).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];

    /// <summary>The conflict rows that hold for a code on a day.</summary>
    public IEnumerable<ConflictRow> Conflicts(string code, DateOnly day) =>
        data.Conflicts.Where(row =>
            row.From <= day && day <= row.To && row.Codes.Contains(code, StringComparer.Ordinal)
        );

    /// <summary>The code can be an initiating visit (rule I2).</summary>
    public bool IsInitiatingVisit(string code) => initiating.Contains(code);

    /// <summary>The code is an evaluation and management visit (rule T14).</summary>
    public bool IsEvaluation(string code) => evaluation.Contains(code);

    /// <summary>The code is transitional care management.</summary>
    public bool IsTcm(string code) => tcm.Contains(code);

    /// <summary>National amount of one unit on a day, USD, rounded half away from zero to cents; null where none is known.</summary>
    /// <param name="code">CPT or HCPCS code.</param>
    /// <param name="day">Day of service.</param>
    /// <param name="gpci">Geographic adjustment; 1 is national.</param>
    /// <param name="qualifying">Participant in a qualifying alternative payment model.</param>
    public decimal? Amount(string code, DateOnly day, decimal gpci = 1m, bool qualifying = false)
    {
        var row = data.Codes.FirstOrDefault(one => one.Code == code && one.From <= day && day <= one.To);
        var factor = data.ConversionFactors.FirstOrDefault(one => one.From <= day && day <= one.To);
        return row?.Units is { } units && factor is not null
            ? Math.Round(
                units * (qualifying ? factor.QualifyingFactor ?? factor.Factor : factor.Factor) * gpci,
                2,
                MidpointRounding.AwayFromZero
            )
            : null;
    }

    /// <summary>The code may be billed on that day at all.</summary>
    public bool Exists(string code, DateOnly day) =>
        data.Codes.Any(one => one.Code == code && one.From <= day && day <= one.To);

    /// <summary>The chronic-condition category of an ICD-10-CM code: that of the shortest prefix that fits, so that complications stay with their
    /// disease; the code's three characters where the list has none.</summary>
    /// <param name="icd">Code with its dot.</param>
    /// <param name="listed">Whether the list names it as chronic without doubt.</param>
    public string Category(string icd, out bool listed)
    {
        ArgumentNullException.ThrowIfNull(icd);
        for (var length = Math.Min(3, icd.Length); length <= icd.Length; length++)
        {
            if (categories.TryGetValue(icd[..length], out var row))
            {
                listed = !row.Weak;
                return row.Category;
            }
        }
        listed = false;
        return icd[..Math.Min(3, icd.Length)];
    }

    private static void Check(RuleData data)
    {
        Cover(
            "conversionFactors",
            "",
            data.First,
            data.Last,
            [.. data.ConversionFactors.Select(row => (row.From, row.To))]
        );
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
        foreach (var row in data.Families)
        {
            foreach (var code in (string?[])[row.Base, row.AddOn])
            {
                if (code is not null && (!Priced(data, code, row.From) || !Priced(data, code, row.To)))
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
        foreach (var row in data.Conflicts)
        {
            if (row.Codes.Count == 0 || row.From > row.To || Unknown(row.Same) || Unknown(row.Other))
            {
                throw new RuleSetException(
                    $"conflicts '{row.Text}': codes, dates or the words for same and other are wrong (deny, warn, not-complex, none)."
                );
            }
        }
        foreach (var row in data.Codes)
        {
            if (row.Units is <= 0)
            {
                throw new RuleSetException($"codes {row.Code} from {row.From:yyyy-MM-dd}: units must be positive.");
            }
        }

        static bool Unknown(string word) => word is not ("deny" or "warn" or "not-complex" or "none");
        static bool Priced(RuleData data, string code, DateOnly day) =>
            data.Codes.Exists(row => row.Code == code && row.From <= day && day <= row.To);
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
        if (rows.Count == 0 || (first is { } from && rows[0].From != from) || (last is { } to && rows[^1].To != to))
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

    private sealed record FactorRow(
        DateOnly From,
        DateOnly To,
        decimal Factor,
        decimal? QualifyingFactor,
        string Source,
        string Confidence
    );

    private sealed record CodeRow(
        string Code,
        DateOnly From,
        DateOnly To,
        decimal? Units,
        string Source,
        string Confidence
    );

    private sealed record CategoryRow(string Category, IReadOnlyList<string> Prefixes, bool Weak);

    private sealed record RuleData(
        string Comment,
        DateOnly First,
        DateOnly Last,
        List<FactorRow> ConversionFactors,
        List<CodeRow> Codes,
        List<FamilyRow> Families,
        List<PolicyRow> Policies,
        List<ConflictRow> Conflicts,
        List<string> InitiatingVisitCodes,
        List<string> EvaluationCodes,
        List<string> TcmCodes,
        List<CategoryRow> Categories
    );
}
