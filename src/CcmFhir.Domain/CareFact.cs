namespace CcmFhir.Domain;

/// <summary>Something known of one patient, free of FHIR. A closed union: the cases below are all there are.</summary>
/// <param name="Reference">Where it comes from: <c>Type/id</c>.</param>
public abstract record CareFact(string Reference);

/// <summary>The patient.</summary>
/// <param name="Reference">Patient/id.</param>
/// <param name="Deceased">Known to be dead.</param>
/// <param name="DeathUnix">First second that is no longer counted (the instant of death; where only the day is known, its local start: what
/// cannot be proven is not billed); null where the time is not known.</param>
/// <param name="MemberId">Medicare Beneficiary Identifier, where the Patient carries it.</param>
public sealed record PatientFact(string Reference, bool Deceased, long? DeathUnix, string? MemberId)
    : CareFact(Reference);

/// <summary>Who did the work, in the sense of CMS's incident-to rules.</summary>
public enum PerformerRole
{
    /// <summary>A practitioner who bills (physician, NP, PA, CNS, CNM), acting personally.</summary>
    BillingPractitioner,

    /// <summary>Clinical staff in the CPT sense.</summary>
    ClinicalStaff,

    /// <summary>Medical assistant: counts as clinical staff only where the practice's policy says so.</summary>
    MedicalAssistant,

    /// <summary>Anybody else.</summary>
    NonClinicalStaff,
}

/// <summary>One stretch of care-management work: a Task.</summary>
/// <param name="Reference">Task/id.</param>
/// <param name="Status">Task.status.</param>
/// <param name="Activity">Code of <c>ccm-activity</c>.</param>
/// <param name="Role">Who did it.</param>
/// <param name="Owner">Reference to the person; empty when unknown.</param>
/// <param name="Period">Execution period; where time spent is given, that long from its start.</param>
/// <param name="PatientsServed">How many patients the stretch served at once; 1 or more.</param>
/// <param name="CountedToward">Other program (code of <c>ccm-other-program</c>) that the minutes belong to; null for care management.</param>
public sealed record TimeLogFact(
    string Reference,
    string Status,
    string Activity,
    PerformerRole Role,
    string Owner,
    Stretch Period,
    int PatientsServed,
    string? CountedToward
) : CareFact(Reference);

/// <summary>A condition.</summary>
/// <param name="Reference">Condition/id.</param>
/// <param name="ClinicalStatus">Code, or empty.</param>
/// <param name="VerificationStatus">Code, or empty.</param>
/// <param name="IcdCode">ICD-10-CM code with its dot; null where there is none.</param>
/// <param name="ExpectedDuration">Code of <c>expected-duration</c>; null where it is not said.</param>
/// <param name="SignificantRisk">Whether it puts the patient at significant risk; null where it is not said.</param>
/// <param name="OnsetUnix">When it began; null where unknown.</param>
/// <param name="AbatementUnix">When it ended (exclusive); null where it did not, or unknown.</param>
public sealed record ConditionFact(
    string Reference,
    string ClinicalStatus,
    string VerificationStatus,
    string? IcdCode,
    string? ExpectedDuration,
    bool? SignificantRisk,
    long? OnsetUnix,
    long? AbatementUnix
) : CareFact(Reference);

/// <summary>A consent to a care-management program.</summary>
/// <param name="Reference">Consent/id.</param>
/// <param name="Version">Version of the resource.</param>
/// <param name="Programs">Codes of <c>ccm-program</c>.</param>
/// <param name="Window">From when it was given (where only the day is known: from the next local midnight) to its end (exclusive).</param>
/// <param name="Ends">It has an end.</param>
/// <param name="Organizations">References of the practices it names.</param>
/// <param name="OrganizationNpis">NPIs of the practices it names, where given by identifier.</param>
/// <param name="Mode">verbal, written, or null where it is not said.</param>
/// <param name="Disclosures">What the patient was told.</param>
public sealed record ConsentFact(
    string Reference,
    string Version,
    IReadOnlyList<string> Programs,
    Stretch Window,
    bool Ends,
    IReadOnlyList<string> Organizations,
    IReadOnlyList<string> OrganizationNpis,
    string? Mode,
    IReadOnlyList<string> Disclosures
) : CareFact(Reference);

/// <summary>A care plan.</summary>
/// <param name="Reference">CarePlan/id.</param>
/// <param name="Version">Version of the resource.</param>
/// <param name="InForce">When it was active; empty when it never was (draft, entered in error).</param>
/// <param name="Addresses">Names at least one condition.</param>
/// <param name="HasGoal">Names at least one goal.</param>
/// <param name="GoalMeasurable">A goal has a target; null where the goals were not received.</param>
/// <param name="HasActivity">Names at least one activity.</param>
/// <param name="HasAuthor">Names an author or contributor.</param>
/// <param name="CopyGiven">A copy was given to the patient or caregiver.</param>
/// <param name="ReviewBy">Day by which it is to be reviewed.</param>
/// <param name="RevisedUnix">When it was last established or revised, where known.</param>
public sealed record CarePlanFact(
    string Reference,
    string Version,
    Stretch InForce,
    bool Addresses,
    bool HasGoal,
    bool? GoalMeasurable,
    bool HasActivity,
    bool HasAuthor,
    bool CopyGiven,
    DateOnly? ReviewBy,
    long? RevisedUnix
) : CareFact(Reference);

/// <summary>A visit: an Encounter that is not a facility stay.</summary>
/// <param name="Reference">Encounter/id.</param>
/// <param name="Status">Encounter.status.</param>
/// <param name="Codes">CPT and HCPCS codes.</param>
/// <param name="Period">When; its end equals its start where it is not known.</param>
/// <param name="Practitioners">References of the participants.</param>
/// <param name="Organization">Reference of the service provider; null where it is not said.</param>
/// <param name="Discussed">Care management was discussed; null where it is not said.</param>
/// <param name="ExtensivePlanning">G0506 is asked for.</param>
public sealed record VisitFact(
    string Reference,
    string Status,
    IReadOnlyList<string> Codes,
    Stretch Period,
    IReadOnlyList<string> Practitioners,
    string? Organization,
    bool? Discussed,
    bool ExtensivePlanning
) : CareFact(Reference);

/// <summary>Kinds of facility stay.</summary>
public enum StayKind
{
    /// <summary>Hospital inpatient: the facility is paid for managing the care.</summary>
    Inpatient,

    /// <summary>Skilled nursing facility under Part A: likewise.</summary>
    SnfPartA,

    /// <summary>Hospice election: care management for what is unrelated to the terminal illness stays possible.</summary>
    Hospice,
}

/// <summary>A facility stay.</summary>
/// <param name="Reference">Encounter/id.</param>
/// <param name="Kind">Which.</param>
/// <param name="Period">From admission to discharge (exclusive); open to the end of time while it lasts.</param>
public sealed record StayFact(string Reference, StayKind Kind, Stretch Period) : CareFact(Reference);

/// <summary>A service that somebody billed: from a ChargeItem, Claim, ExplanationOfBenefit or Procedure.</summary>
/// <param name="Reference">Resource it comes from.</param>
/// <param name="Code">CPT or HCPCS code.</param>
/// <param name="Day">Local day of service.</param>
/// <param name="LastDay">Last local day, for services of a period.</param>
/// <param name="Practitioners">References of who rendered it; empty when unknown.</param>
/// <param name="PractitionerNpis">Their NPIs where given by identifier.</param>
/// <param name="Organizations">References of who billed it; empty when unknown.</param>
/// <param name="OrganizationNpis">Their NPIs where given by identifier.</param>
/// <param name="Period">When, where its times are known; empty where they are not.</param>
/// <param name="Planned">It is planned only, not furnished yet.</param>
public sealed record BilledServiceFact(
    string Reference,
    string Code,
    DateOnly Day,
    DateOnly LastDay,
    IReadOnlyList<string> Practitioners,
    IReadOnlyList<string> PractitionerNpis,
    IReadOnlyList<string> Organizations,
    IReadOnlyList<string> OrganizationNpis,
    Stretch Period = default,
    bool Planned = false
) : CareFact(Reference);

/// <summary>The practitioner's word on the complexity of medical decision making.</summary>
/// <param name="Reference">Observation/id.</param>
/// <param name="Level">Code of <c>ccm-mdm-level</c>.</param>
/// <param name="AtUnix">When.</param>
/// <param name="Performers">References of who says so.</param>
public sealed record MdmFact(string Reference, string Level, long AtUnix, IReadOnlyList<string> Performers)
    : CareFact(Reference);

/// <summary>Insurance.</summary>
/// <param name="Reference">Coverage/id.</param>
/// <param name="Active">Status active.</param>
/// <param name="MemberId">Subscriber or member id; null where it is not said.</param>
/// <param name="From">First day; null for always.</param>
/// <param name="To">Last day; null for open.</param>
/// <param name="QualifiedMedicareBeneficiary">It says that the patient is a Qualified Medicare Beneficiary.</param>
public sealed record CoverageFact(
    string Reference,
    bool Active,
    string? MemberId,
    DateOnly? From,
    DateOnly? To,
    bool QualifiedMedicareBeneficiary
) : CareFact(Reference);

/// <summary>The patient is aligned to a participant of CMS's ACCESS model: an EpisodeOfCare of that type.</summary>
/// <param name="Reference">EpisodeOfCare/id.</param>
/// <param name="Period">The care period.</param>
/// <param name="Organization">Reference of the participant; null where it is not said.</param>
public sealed record AccessAlignmentFact(string Reference, Stretch Period, string? Organization) : CareFact(Reference);
