using System.Collections.Frozen;
using System.Text;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>The resource types of R4 4.0.1.</summary>
internal static class ResourceTypes
{
    private const string Names = """
        Account ActivityDefinition AdverseEvent AllergyIntolerance Appointment AppointmentResponse AuditEvent
        Basic Binary BiologicallyDerivedProduct BodyStructure Bundle CapabilityStatement CarePlan CareTeam
        CatalogEntry ChargeItem ChargeItemDefinition Claim ClaimResponse ClinicalImpression CodeSystem
        Communication CommunicationRequest CompartmentDefinition Composition ConceptMap Condition Consent
        Contract Coverage CoverageEligibilityRequest CoverageEligibilityResponse DetectedIssue Device
        DeviceDefinition DeviceMetric DeviceRequest DeviceUseStatement DiagnosticReport DocumentManifest
        DocumentReference EffectEvidenceSynthesis Encounter Endpoint EnrollmentRequest EnrollmentResponse
        EpisodeOfCare EventDefinition Evidence EvidenceVariable ExampleScenario ExplanationOfBenefit
        FamilyMemberHistory Flag Goal GraphDefinition Group GuidanceResponse HealthcareService ImagingStudy
        Immunization ImmunizationEvaluation ImmunizationRecommendation ImplementationGuide InsurancePlan
        Invoice Library Linkage List Location Measure MeasureReport Media Medication MedicationAdministration
        MedicationDispense MedicationKnowledge MedicationRequest MedicationStatement MedicinalProduct
        MedicinalProductAuthorization MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient
        MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged MedicinalProductPharmaceutical
        MedicinalProductUndesirableEffect MessageDefinition MessageHeader MolecularSequence NamingSystem
        NutritionOrder Observation ObservationDefinition OperationDefinition OperationOutcome Organization
        OrganizationAffiliation Parameters Patient PaymentNotice PaymentReconciliation Person PlanDefinition
        Practitioner PractitionerRole Procedure Provenance Questionnaire QuestionnaireResponse RelatedPerson
        RequestGroup ResearchDefinition ResearchElementDefinition ResearchStudy ResearchSubject RiskAssessment
        RiskEvidenceSynthesis Schedule SearchParameter ServiceRequest Slot Specimen SpecimenDefinition
        StructureDefinition StructureMap Subscription Substance SubstanceNucleicAcid SubstancePolymer
        SubstanceProtein SubstanceReferenceInformation SubstanceSourceMaterial SubstanceSpecification
        SupplyDelivery SupplyRequest Task TerminologyCapabilities TestReport TestScript ValueSet VerificationResult
        VisionPrescription
        """;

    private static readonly FrozenDictionary<string, string> Known = Names
        .Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)
        .ToFrozenDictionary(name => name, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string>.AlternateLookup<ReadOnlySpan<char>> BySpan =
        Known.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>All names, in alphabetical order.</summary>
    public static IReadOnlyList<string> All { get; } = Known.Keys.Order(StringComparer.Ordinal).ToArray();

    /// <summary>Place of a known type in <see cref="All"/>.</summary>
    public static int IndexOf(string type) => Array.BinarySearch((string[])All, type, StringComparer.Ordinal);

    /// <summary>The one string object for a type name; null when R4 has no such type.</summary>
    public static string? Find(ReadOnlySpan<char> name) => BySpan.TryGetValue(name, out var known) ? known : null;

    /// <summary>The one string object for a type name; null when R4 has no such type.</summary>
    public static string? Find(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length > 64)
        {
            return null;
        }
        Span<char> name = stackalloc char[64];
        return Find(name[..Encoding.UTF8.GetChars(utf8, name)]);
    }

    /// <summary>The known type whose name is nearest, for error texts; null when none is near.</summary>
    public static string? NearestTo(string name) => Nearest.To(name, All);
}
