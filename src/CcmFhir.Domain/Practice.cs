namespace CcmFhir.Domain;

/// <summary>The billing entity. Its settings are those of the practice file; each has the default that docs/practice-file.md gives.</summary>
public sealed record Practice
{
    /// <summary>Name in addresses: lower-case letters, digits and hyphens.</summary>
    public required string Slug { get; init; }

    /// <summary>Name for people and on the claim.</summary>
    public required string Name { get; init; }

    /// <summary>National Provider Identifier: ten digits with a valid check digit.</summary>
    public required string Npi { get; init; }

    /// <summary>Tax identification number.</summary>
    public required string Tin { get; init; }

    /// <summary>The zone whose midnight bounds the month (rule T4).</summary>
    public required TimeZoneInfo TimeZone { get; init; }

    /// <summary>Place of service code on the claim: where the practitioner would see the patient face to face (rule B3).</summary>
    public string PlaceOfService { get; init; } = "11";

    /// <summary>The Organization that is the practice, as <c>Organization/id</c>.</summary>
    public required string Organization { get; init; }

    /// <summary>Billing practitioners; the first is on the claim unless a visit or attestation names another of them.</summary>
    public required IReadOnlyList<BillingPractitioner> Practitioners { get; init; }

    /// <summary>Charge by code, USD; where a code is absent, the national rate of the rule set is charged.</summary>
    public IReadOnlyDictionary<string, decimal> Charges { get; init; } = new Dictionary<string, decimal>();

    /// <summary>Rules of the house.</summary>
    public PracticePolicy Policy { get; init; } = PracticePolicy.MedicareCurrent;

    /// <summary>The practice is the billing entity that is meant.</summary>
    public bool IsOrganization(string? reference) => reference == Organization;

    /// <summary>The reference is one of its billing practitioners.</summary>
    public bool IsPractitioner(string reference)
    {
        foreach (var practitioner in Practitioners)
        {
            if (practitioner.Reference == reference)
            {
                return true;
            }
        }
        return false;
    }
}

/// <summary>A practitioner who bills.</summary>
/// <param name="Reference"><c>Practitioner/id</c>.</param>
/// <param name="Npi">National Provider Identifier.</param>
/// <param name="Name">Name for people and on the claim.</param>
/// <param name="Credential">MD, DO, NP, PA, CNS, CNM.</param>
public sealed record BillingPractitioner(string Reference, string Npi, string Name, string Credential);

/// <summary>Facilities that bill on institutional claims.</summary>
public enum FacilityKind
{
    /// <summary>A physician practice: professional claims.</summary>
    None,

    /// <summary>Rural health clinic.</summary>
    Rhc,

    /// <summary>Federally qualified health center.</summary>
    Fqhc,
}

/// <summary>What an E/M visit of the practice does to staff time of its day (rule T14).</summary>
public enum EmDayPolicy
{
    /// <summary>Only time within the visit is left out.</summary>
    ExcludeOverlap,

    /// <summary>The whole local day is left out.</summary>
    ExcludeDay,
}

/// <summary>Transitional care management in the same month (rules section 9).</summary>
public enum TcmPolicy
{
    /// <summary>Allowed, without counting a minute twice (Medicare since 2020).</summary>
    Allow,

    /// <summary>Denied, unless its 30 days ended in the month and 20 further minutes follow (Medicare to 2019).</summary>
    DenyUnlessEnded,

    /// <summary>Denied.</summary>
    Deny,
}

/// <summary>Home health supervision (G0181) in the same month.</summary>
public enum HomeHealthPolicy
{
    /// <summary>Denied for the same practitioner, a warning for another's.</summary>
    DenySame,

    /// <summary>Denied whoever billed it.</summary>
    DenyAny,
}

/// <summary>Which family of codes is chosen where more than one is earned.</summary>
public enum FamilyOrder
{
    /// <summary>The service that was documented: complex, else practitioner-only, else staff.</summary>
    DocumentedService,

    /// <summary>The one that pays most: a compliance choice, never the default.</summary>
    HighestAllowed,
}

/// <summary>Which day the lines carry (rule B2).</summary>
public enum DateOfServicePolicy
{
    /// <summary>The last day of the month.</summary>
    LastDay,

    /// <summary>The day on which the line's threshold was met.</summary>
    ThresholdDate,

    /// <summary>The last Monday to Friday of the month; holidays are not known.</summary>
    LastBusinessDay,

    /// <summary>From the first to the last day of the month.</summary>
    PeriodRange,
}

/// <summary>Rules that are a practice's choice. Null where the rule set of the month decides.</summary>
public sealed record PracticePolicy
{
    /// <summary>Medicare as it stands in the month of service.</summary>
    public static PracticePolicy MedicareCurrent { get; } = new();

    /// <summary>Name of the base policy: medicare-current, medicare-2017-2019, conservative.</summary>
    public string Name { get; init; } = "medicare-current";

    /// <summary>Medical assistants count as clinical staff (state law and the practice allow it).</summary>
    public bool CountMedicalAssistants { get; init; }

    /// <summary>Prior-authorization work counts (rule T16: contested, not by default).</summary>
    public bool CountPriorAuthorization { get; init; }

    /// <summary>Time between a revocation and the end of its month counts (rule C7: not by default).</summary>
    public bool CountAfterRevocation { get; init; }

    /// <summary>Only time after the plan came into force counts, and a missing plan element holds the month.</summary>
    public bool CarePlanStrict { get; init; }

    /// <summary>Two codes of one chronic-condition category count as two conditions (rule E5: not by default).</summary>
    public bool DistinctByCode { get; init; }

    /// <summary>Where a practitioner and staff worked at the same moment, the second is staff time (the default is practitioner time).</summary>
    public bool OverlapToStaff { get; init; }

    /// <summary>Order of families.</summary>
    public FamilyOrder FamilyOrder { get; init; } = FamilyOrder.DocumentedService;

    /// <summary>Day on the lines.</summary>
    public DateOfServicePolicy DateOfService { get; init; } = DateOfServicePolicy.LastDay;

    /// <summary>Override of the E/M day rule.</summary>
    public EmDayPolicy? EmDay { get; init; }

    /// <summary>Override of the TCM rule.</summary>
    public TcmPolicy? TcmSameMonth { get; init; }

    /// <summary>Override of the home health rule.</summary>
    public HomeHealthPolicy? G0181SameMonth { get; init; }

    /// <summary>Override: complex care management needs a plan established or revised in the month.</summary>
    public bool? ComplexNeedsPlanRevision { get; init; }

    /// <summary>Override of the cap on 99437 units; 0 for none.</summary>
    public int? Cap99437 { get; init; }

    /// <summary>Override of the cap on 99489 units; 0 for none.</summary>
    public int? Cap99489 { get; init; }

    /// <summary>Override: a month may be billed before it is over (rule B1).</summary>
    public bool? BillBeforeMonthEnd { get; init; }

    /// <summary>Override: remote monitoring in the same month denies; no published policy does.</summary>
    public bool RpmDenies { get; init; }

    /// <summary>Longest time log taken, hours (rule T7 at the door).</summary>
    public int MaxTaskHours { get; init; } = 24;

    /// <summary>Days before the first service within which the initiating visit must lie (rule I7).</summary>
    public int InitiatingVisitDays { get; init; } = 365;

    /// <summary>Geographic adjustment of the national amounts; 1 is national.</summary>
    public decimal Gpci { get; init; } = 1m;

    /// <summary>Participant in a qualifying alternative payment model: the higher conversion factor from 2026.</summary>
    public bool QualifyingApmParticipant { get; init; }

    /// <summary>Rural health clinic or federally qualified health center.</summary>
    public FacilityKind Facility { get; init; }

    /// <summary>From January to September 2025 a facility could bill either way: G0511 rather than the codes.</summary>
    public bool FacilityBillsG0511In2025 { get; init; }
}
