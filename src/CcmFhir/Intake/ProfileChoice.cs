using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>Which profile of ours a resource must meet at the door, by its type and what it says it is. Everything else is held against
/// base R4 and the known profiles that it claims itself.</summary>
internal static class ProfileChoice
{
    /// <summary>Profile of a time log.</summary>
    public const string TimeLog = Root + "ccm-time-log";

    private const string Root = "http://ccmfhir.org/fhir/StructureDefinition/";

    /// <summary>Canonical of our profile, or null.</summary>
    public static string? Of(string type, FhirElement resource) =>
        type switch
        {
            "Patient" => Root + "ccm-patient",
            "Condition" => Coded(resource["category"u8], null, "problem-list-item"u8) ? Root + "ccm-condition" : null,
            "Consent" => IsProgramConsent(resource) ? Root + "ccm-consent" : null,
            "CarePlan" => Coded(resource["category"u8], null, "assess-plan"u8) ? Root + "ccm-care-plan" : null,
            "Task" => IsTimeLog(resource) ? TimeLog : null,
            "Encounter" => IsBillable(resource["type"u8])
            || HasSystem(resource["type"u8], "http://ccmfhir.org/fhir/CodeSystem/ccm-stay"u8)
                ? Root + "ccm-visit"
                : null,
            "ChargeItem" => IsBillable(resource["code"u8]) ? Root + "ccm-billed-service" : null,
            "Observation" => Coded(
                resource["code"u8],
                "http://ccmfhir.org/fhir/CodeSystem/ccm-observation",
                "mdm-level"u8
            )
                ? Root + "ccm-mdm-attestation"
                : null,
            "Coverage" => Root + "ccm-coverage",
            "Practitioner" => HasNpi(resource) ? Root + "ccm-practitioner" : null,
            "Organization" => HasNpi(resource) ? Root + "ccm-organization" : null,
            _ => null,
        };

    /// <summary>Our profile on a type, whatever a resource of it says; null when we have none.</summary>
    public static string? Supported(string type) =>
        type switch
        {
            "Patient" => Root + "ccm-patient",
            "Condition" => Root + "ccm-condition",
            "Consent" => Root + "ccm-consent",
            "CarePlan" => Root + "ccm-care-plan",
            "Task" => TimeLog,
            "Encounter" => Root + "ccm-visit",
            "ChargeItem" => Root + "ccm-billed-service",
            "Observation" => Root + "ccm-mdm-attestation",
            "Coverage" => Root + "ccm-coverage",
            "Practitioner" => Root + "ccm-practitioner",
            "Organization" => Root + "ccm-organization",
            "Claim" => Root + "ccm-claim",
            _ => null,
        };

    /// <summary>Our profiles on what a patient's month is made of, those that nearly every bundle needs.</summary>
    public static IReadOnlyList<string> Ours { get; } =
    [
        .. ((string[])["Patient", "Condition", "Consent", "CarePlan", "Task", "Encounter", "Coverage"]).Select(type =>
            Supported(type)!
        ),
    ];

    /// <summary>A Task that records care-management time.</summary>
    public static bool IsTimeLog(FhirElement task) =>
        HasSystem(task["code"u8], "http://ccmfhir.org/fhir/CodeSystem/ccm-activity"u8);

    /// <summary>A Consent to one of the care-management programs.</summary>
    public static bool IsProgramConsent(FhirElement consent) =>
        HasSystem(consent["category"u8], "http://ccmfhir.org/fhir/CodeSystem/ccm-program"u8);

    private static bool IsBillable(FhirElement concepts) =>
        HasSystem(concepts, "http://www.ama-assn.org/go/cpt"u8)
        || HasSystem(concepts, "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets"u8);

    // What has not an NPI's length is none: sample data and old systems put other numbers under the system, and their bearer bills nothing here.
    // Ten digits, as every NPI has. EHRs number staff without one under the same system; their entries in the directory are taken as base R4
    // has them, so that no patient's record is refused for them. Who bills stands in the practice file with a checked NPI.
    private static bool HasNpi(FhirElement resource)
    {
        foreach (var identifier in resource["identifier"u8].Items)
        {
            if (
                identifier["system"u8].Is("http://hl7.org/fhir/sid/us-npi"u8)
                && identifier["value"u8].Text is { Length: 10 } value
                && value.AsSpan().IndexOfAnyExceptInRange('0', '9') < 0
            )
            {
                return true;
            }
        }
        return false;
    }

    private static bool HasSystem(FhirElement concepts, ReadOnlySpan<byte> system)
    {
        foreach (var concept in concepts.Items)
        {
            foreach (var coding in concept["coding"u8].Items)
            {
                if (coding["system"u8].Is(system))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private static bool Coded(FhirElement concepts, string? system, ReadOnlySpan<byte> code)
    {
        foreach (var concept in concepts.Items)
        {
            foreach (var coding in concept["coding"u8].Items)
            {
                if (coding["code"u8].Is(code) && (system is null || coding["system"u8].Text == system))
                {
                    return true;
                }
            }
        }
        return false;
    }
}
