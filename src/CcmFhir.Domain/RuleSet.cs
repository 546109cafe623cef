using System.Collections.Frozen;
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

/// <summary>Rules as dated data: thresholds, caps, exclusions, amounts. A new year is a change of data, not of code. Immutable.</summary>
public sealed class RuleSet
{
    private static readonly JsonSerializerOptions Reading = new()
    {
        PropertyNameCaseInsensitive = true,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter() },
    };

    private static readonly Lazy<RuleSet> BuiltIn = new(() =>
    {
        using var stream = typeof(RuleSet).Assembly.GetManifestResourceStream("CcmFhir.Domain.rules.json")!;
        return Read(stream);
    });

    private readonly RuleData data;
    private readonly FrozenSet<string> initiating;
    private readonly FrozenSet<string> evaluation;
    private readonly FrozenSet<string> tcm;
    private readonly FrozenSet<string> facilityPlaces;
    private readonly FrozenDictionary<string, CodeRow[]> codes;
    private readonly FrozenDictionary<string, ConflictRow[]> conflicts;
    private readonly FrozenDictionary<string, CategoryRow> categories;

    private RuleSet(RuleData data)
    {
        this.data = data;
        initiating = CodeSpan.Expand(data.InitiatingVisitCodes).ToFrozenSet(StringComparer.Ordinal);
        evaluation = CodeSpan.Expand(data.EvaluationCodes).ToFrozenSet(StringComparer.Ordinal);
        tcm = CodeSpan.Expand(data.TcmCodes).ToFrozenSet(StringComparer.Ordinal);
        facilityPlaces = data.FacilityPlacesOfService.ToFrozenSet(StringComparer.Ordinal);
        codes = data
            .Codes.GroupBy(row => row.Code, StringComparer.Ordinal)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        conflicts = data
            .Conflicts.Select(row => row with { Codes = CodeSpan.Expand(row.Codes) })
            .SelectMany(row => row.Codes.Select(code => (code, row)))
            .GroupBy(pair => pair.code, pair => pair.row, StringComparer.Ordinal)
            .ToFrozenDictionary(group => group.Key, group => group.ToArray(), StringComparer.Ordinal);
        categories = data
            .Categories.SelectMany(category => category.Prefixes.Select(prefix => (prefix, category)))
            .ToFrozenDictionary(pair => pair.prefix, pair => pair.category, StringComparer.Ordinal);
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
        RuleSetCheck.Run(data);
        return new RuleSet(data);
    }

    /// <summary>Name of the rules for a month, as it stands on claims and in answers; null where there are none for it.</summary>
    public string? NameFor(ServiceMonth month) =>
        month.FirstDay >= First && month.LastDay <= Last
            ? string.Create(CultureInfo.InvariantCulture, $"cms-{month.Year}.1")
            : null;

    /// <summary>Why there is no answer for a month, and what is known instead; null where there is one.</summary>
    public string? Unknown(ServiceMonth month) =>
        NameFor(month) is not null ? null
        : month.FirstDay < First
            ? string.Create(CultureInfo.InvariantCulture, $"{month.Year}: no rule set; earliest {First.Year}")
        : string.Create(CultureInfo.InvariantCulture, $"{month.Year}: no rule set; latest {Last.Year}");

    /// <summary>The family as it stands on a day; null where it does not exist yet.</summary>
    public FamilyRow? Family(string family, DateOnly day) =>
        data.Families.Find(row => row.Family == family && row.From <= day && day <= row.To);

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

    /// <summary>The conflict rows that hold for a code on a day and matter to a program.</summary>
    public IEnumerable<ConflictRow> Conflicts(string code, DateOnly day, string program)
    {
        if (!conflicts.TryGetValue(code, out var rows))
        {
            yield break;
        }
        foreach (var row in rows)
        {
            if (
                row.From <= day
                && day <= row.To
                && (row.Programs.Contains(program) || (program == "ccm" && row.Programs.Contains("complex")))
            )
            {
                yield return row;
            }
        }
    }

    /// <summary>What a RHC or FQHC bills on a day.</summary>
    public FacilityRow Facility(DateOnly day) => data.Facilities.First(row => row.From <= day && day <= row.To);

    /// <summary>From this day on RHC and FQHC bill transitional care beside care management as others do.</summary>
    public DateOnly FacilityTcmFrom => data.FacilityTcmFrom;

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
    /// <param name="placeOfService">CMS place of service; in a facility the amount is lower.</param>
    public decimal? Amount(
        string code,
        DateOnly day,
        decimal gpci = 1m,
        bool qualifying = false,
        string placeOfService = "11"
    ) => Price(code, day, gpci, qualifying, placeOfService).Amount;

    /// <summary>The amount of <see cref="Amount"/>, and what there is to doubt about it.</summary>
    public Price Price(string code, DateOnly day, decimal gpci, bool qualifying, string placeOfService)
    {
        var row = Code(code, day);
        var factor = data.ConversionFactors.FirstOrDefault(one => one.From <= day && day <= one.To);
        if (row is null || factor is null)
        {
            return default;
        }
        var doubt =
            row.Confidence == Confidence.General || (row.Rate is null && factor.Confidence == Confidence.General)
                ? $"the figures behind {code} for {day.Year} are not verified"
                : null;
        if (row.Rate is { } rate)
        {
            return new Price(rate, doubt);
        }
        if (row.Units is not { } units)
        {
            return default;
        }
        if (facilityPlaces.Contains(placeOfService))
        {
            doubt = row.FacilityUnits is null
                ? $"the relative value units of {code} in a facility are not known: those outside one stand in"
                : doubt;
            units = row.FacilityUnits ?? units;
        }
        var perUnit = qualifying ? factor.QualifyingFactor ?? factor.Factor : factor.Factor;
        return new Price(Math.Round(units * perUnit * gpci, 2, MidpointRounding.AwayFromZero), doubt);
    }

    /// <summary>The code may be billed on that day at all.</summary>
    public bool Exists(string code, DateOnly day) => Code(code, day) is not null;

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

    private CodeRow? Code(string code, DateOnly day)
    {
        if (codes.TryGetValue(code, out var rows))
        {
            foreach (var row in rows)
            {
                if (row.From <= day && day <= row.To)
                {
                    return row;
                }
            }
        }
        return null;
    }
}
