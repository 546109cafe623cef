using System.Globalization;

namespace CcmFhir.Domain;

/// <summary>What one decision is about, and what has been found so far. Lives as long as the call that decides.</summary>
internal sealed class Matter
{
    public Matter(
        PatientLedger ledger,
        IReadOnlyList<EarlierClaim> earlier,
        Practice practice,
        ServiceMonth month,
        RuleSet rules,
        DateTimeOffset asOf
    )
    {
        (Ledger, Earlier, Practice, Month, Rules, AsOf) = (ledger, earlier, practice, month, rules, asOf);
        Own = practice.Policy;
        Bounds = month.Bounds(practice.TimeZone);
        var policy = rules.Policy(Own.Name, month.LastDay);
        // RHC and FQHC came later to transitional care beside care management than others.
        var tcm =
            Own.Facility != FacilityKind.None && policy.Tcm == TcmPolicy.Allow && month.LastDay < rules.FacilityTcmFrom
                ? TcmPolicy.DenyUnlessEnded
                : policy.Tcm;
        Policy = policy with
        {
            EmDay = Own.EmDay ?? policy.EmDay,
            Tcm = Own.TcmSameMonth ?? tcm,
            G0181 = Own.G0181SameMonth ?? policy.G0181,
            ComplexNeedsPlanRevision = Own.ComplexNeedsPlanRevision ?? policy.ComplexNeedsPlanRevision,
            Cap99437 = Own.Cap99437 ?? policy.Cap99437,
            Cap99489 = Own.Cap99489 ?? policy.Cap99489,
            BillBeforeMonthEnd = Own.BillBeforeMonthEnd ?? policy.BillBeforeMonthEnd,
            RpmDenies = Own.RpmDenies,
        };
    }

    public PatientLedger Ledger { get; }

    public IReadOnlyList<EarlierClaim> Earlier { get; }

    public Practice Practice { get; }

    public ServiceMonth Month { get; }

    public RuleSet Rules { get; }

    public DateTimeOffset AsOf { get; }

    /// <summary>The practice's choices.</summary>
    public PracticePolicy Own { get; }

    /// <summary>What the policy says at the month's end, with the practice's choices over it.</summary>
    public PolicyRow Policy { get; }

    /// <summary>The month.</summary>
    public Stretch Bounds { get; }

    public List<Reason> Reasons { get; } = [];

    public List<TraceStep> Trace { get; } = [];

    /// <summary>The month is over at the instant asked for.</summary>
    public bool IsOver => AsOf.ToUnixTimeSeconds() >= Bounds.End;

    public void Deny(string code, string text, params IEnumerable<string> references) =>
        Reasons.Add(Reason.Of(code, ReasonSeverity.Deny, text, references));

    public void Hold(string code, string text, params IEnumerable<string> references) =>
        Reasons.Add(Reason.Of(code, ReasonSeverity.Hold, text, references));

    public void Warn(string code, string text, params IEnumerable<string> references) =>
        Reasons.Add(Reason.Of(code, ReasonSeverity.Warn, text, references));

    public void Inform(string code, string text, params IEnumerable<string> references) =>
        Reasons.Add(Reason.Of(code, ReasonSeverity.Info, text, references));

    public void Asked(string rule, string source, RuleAnswer answer, string finding) =>
        Trace.Add(new TraceStep(rule, source, answer, finding));

    public FamilyRow? Family(string family) => Rules.Family(family, Month.LastDay);

    /// <summary>Most units of a family's add-on; 0 for no cap.</summary>
    public int Cap(FamilyRow family) =>
        family.AddOn switch
        {
            "99437" => Policy.Cap99437,
            "99489" => Policy.Cap99489,
            _ => family.Cap,
        };

    /// <summary>What a unit costs: the practice's charge, else the national amount.</summary>
    public Price Price(string code, DateOnly day) =>
        Practice.Charges.TryGetValue(code, out var charge)
            ? new Price(charge, null)
            : Rules.Price(
                code,
                day,
                Own.Gpci,
                Own.QualifyingApmParticipant,
                // RHC and FQHC are paid the amounts outside a facility (rules section 11).
                Own.Facility == FacilityKind.None
                    ? Practice.PlaceOfService
                    : "11"
            );

    /// <summary>Local day of an instant.</summary>
    public DateOnly Day(long unix) =>
        ServiceMonth.LocalDay(DateTimeOffset.FromUnixTimeSeconds(unix), Practice.TimeZone);

    /// <summary>An instant in the practice's zone, for people.</summary>
    public string Local(long unix) =>
        TimeZoneInfo
            .ConvertTime(DateTimeOffset.FromUnixTimeSeconds(unix), Practice.TimeZone)
            .ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    /// <summary>A length of time, for people.</summary>
    public static string Duration(long seconds) =>
        (seconds / 60, seconds % 60) switch
        {
            (var minutes, 0) => string.Create(CultureInfo.InvariantCulture, $"{minutes} min"),
            (0, var rest) => string.Create(CultureInfo.InvariantCulture, $"{rest} s"),
            var (minutes, rest) => string.Create(CultureInfo.InvariantCulture, $"{minutes} min {rest} s"),
        };
}
