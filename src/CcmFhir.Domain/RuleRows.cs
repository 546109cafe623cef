namespace CcmFhir.Domain;

/// <summary>A family of codes of which one may be billed a month.</summary>
/// <param name="Family">staff, complex, practitioner, pcm-staff, pcm-practitioner.</param>
/// <param name="From">First day of service, inclusive.</param>
/// <param name="To">Last day of service, inclusive.</param>
/// <param name="Base">Base code.</param>
/// <param name="Seconds">Seconds at which the base code is earned, in full (rule T1).</param>
/// <param name="Source">Where the row comes from.</param>
/// <param name="AddOn">Add-on code; null where there is none.</param>
/// <param name="Step">Seconds for each unit of it, in full.</param>
/// <param name="Cap">Most units of it; 0 for no cap.</param>
public sealed record FamilyRow(
    string Family,
    DateOnly From,
    DateOnly To,
    string Base,
    long Seconds,
    string Source,
    string? AddOn = null,
    long Step = 0,
    int Cap = 0
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
    bool BillBeforeMonthEnd,
    string Source
)
{
    /// <summary>Remote monitoring in the same month denies; no published policy says so, so only a practice's own setting does.</summary>
    public bool RpmDenies { get; init; }
}

/// <summary>What a RHC or FQHC bills for care management.</summary>
public enum FacilityBilling
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>The base code of staff time alone.</summary>
    BaseOnly,

    /// <summary>The bundled code G0511.</summary>
    Bundle,

    /// <summary>The bundled code, or the codes themselves.</summary>
    Either,

    /// <summary>The codes themselves.</summary>
    Codes,
}

/// <summary>What RHC and FQHC bill in a stretch of time.</summary>
public sealed record FacilityRow(DateOnly From, DateOnly To, FacilityBilling Bills, string Source);

/// <summary>An amount for one unit of a code.</summary>
/// <param name="Amount">USD, rounded half away from zero to cents; null where none is known.</param>
/// <param name="Doubt">Why a person should look at it before it is relied on; null where nothing stands against it.</param>
public readonly record struct Price(decimal? Amount, string? Doubt);

/// <summary>Codes that may not, or may only with care, share a month with care management.</summary>
/// <param name="Id">Id; rows of one id follow each other in time without a gap.</param>
/// <param name="Programs">Programs that they matter to: ccm, complex (that family of ccm only), pcm, apcm.</param>
/// <param name="From">First day of service, inclusive.</param>
/// <param name="To">Last day of service, inclusive.</param>
/// <param name="Same">What follows when the same practitioner billed it: deny, warn, info, not-complex or none.</param>
/// <param name="Other">What follows when another did.</param>
/// <param name="Reason">Reason code.</param>
/// <param name="Text">For people.</param>
/// <param name="Codes">The codes; ranges are written out.</param>
/// <param name="Source">Where the row comes from.</param>
/// <param name="Setting">The policy's setting that decides over it: tcm, g0181, rpm; null for none.</param>
public sealed record ConflictRow(
    string Id,
    IReadOnlyList<string> Programs,
    DateOnly From,
    DateOnly To,
    string Same,
    string Other,
    string Reason,
    string Text,
    IReadOnlyList<string> Codes,
    string Source,
    string? Setting = null
);

// How sure a figure is: seen in a primary text, reported by a secondary one, derived by arithmetic, general knowledge.
internal enum Confidence
{
    Seen,
    Reported,
    Derived,
    General,
}

internal sealed record FactorRow(
    DateOnly From,
    DateOnly To,
    decimal Factor,
    string Source,
    Confidence Confidence,
    decimal? QualifyingFactor = null
);

internal sealed record CodeRow(
    string Code,
    DateOnly From,
    DateOnly To,
    string Source,
    Confidence Confidence,
    decimal? Units = null,
    decimal? FacilityUnits = null,
    decimal? Rate = null
);

internal sealed record CategoryRow(string Category, IReadOnlyList<string> Prefixes, bool Weak = false);

internal sealed record RuleData(
    string Comment,
    DateOnly First,
    DateOnly Last,
    List<FactorRow> ConversionFactors,
    List<CodeRow> Codes,
    List<FamilyRow> Families,
    List<PolicyRow> Policies,
    List<FacilityRow> Facilities,
    DateOnly FacilityTcmFrom,
    List<ConflictRow> Conflicts,
    List<string> InitiatingVisitCodes,
    List<string> EvaluationCodes,
    List<string> TcmCodes,
    List<string> FacilityPlacesOfService,
    List<CategoryRow> Categories
);
