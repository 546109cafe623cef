using System.Collections.Frozen;
using System.Text;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>Which elements put a resource with a patient: R4's CompartmentDefinition for Patient, and Task.for, Contract.subject,
/// Device.patient and GuidanceResponse.subject beside it (R4 leaves these out, yet they name the patient they speak of).</summary>
internal static class PatientCompartment
{
    // The element that names whom the resource is about stands first; who else may be a patient (an author, a payee) follows.
    private const string Table = """
        Account subject
        AdverseEvent subject
        AllergyIntolerance patient recorder asserter
        Appointment participant.actor
        AppointmentResponse actor
        AuditEvent agent.who entity.what
        Basic subject author
        BodyStructure patient
        CarePlan subject activity.detail.performer
        CareTeam subject participant.member
        ChargeItem subject
        Claim patient payee.party
        ClaimResponse patient
        ClinicalImpression subject
        Communication subject sender recipient
        CommunicationRequest subject sender recipient requester
        Composition subject author attester.party
        Condition subject asserter
        Consent patient
        Contract subject
        Coverage beneficiary subscriber policyHolder payor
        CoverageEligibilityRequest patient
        CoverageEligibilityResponse patient
        DetectedIssue patient
        Device patient
        DeviceRequest subject performer
        DeviceUseStatement subject
        DiagnosticReport subject
        DocumentManifest subject author recipient
        DocumentReference subject author
        Encounter subject
        EnrollmentRequest candidate
        EpisodeOfCare patient
        ExplanationOfBenefit patient payee.party
        FamilyMemberHistory patient
        Flag subject
        Goal subject
        Group member.entity
        GuidanceResponse subject
        ImagingStudy subject
        Immunization patient
        ImmunizationEvaluation patient
        ImmunizationRecommendation patient
        Invoice subject recipient
        List subject source
        MeasureReport subject
        Media subject
        MedicationAdministration subject performer.actor
        MedicationDispense subject receiver
        MedicationRequest subject
        MedicationStatement subject
        MolecularSequence patient
        NutritionOrder patient
        Observation subject performer
        Person link.target
        Procedure subject performer.actor
        Provenance target
        QuestionnaireResponse subject author
        RelatedPerson patient
        RequestGroup subject action.participant
        ResearchSubject individual
        RiskAssessment subject
        Schedule actor
        ServiceRequest subject performer
        Specimen subject
        SupplyDelivery patient
        SupplyRequest deliverTo
        Task for
        VisionPrescription patient
        """;

    private static readonly FrozenDictionary<string, byte[][][]> Paths = Table
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split(' '))
        .ToFrozenDictionary(
            words => words[0],
            words => words.Skip(1).Select(path => path.Split('.').Select(Encoding.UTF8.GetBytes).ToArray()).ToArray(),
            StringComparer.Ordinal
        );

    /// <summary>Types that can belong to a patient, Patient itself included.</summary>
    public static bool Holds(string type) => type == "Patient" || Paths.ContainsKey(type);

    /// <summary>The elements that may name the patient, most telling first, such as <c>subject</c> or <c>participant.actor</c>.</summary>
    public static IEnumerable<string> Elements(string type) =>
        Paths.TryGetValue(type, out var paths)
            ? paths.Select(path => string.Join('.', path.Select(Encoding.UTF8.GetString)))
            : [];

    /// <summary>The element that names whom resources of the type are about; null when none does.</summary>
    public static string? FirstPath(string type) => Elements(type).FirstOrDefault();

    /// <summary>The references of a resource that may name its patient, most telling first.</summary>
    /// <param name="type">Resource type.</param>
    /// <param name="resource">The resource.</param>
    /// <param name="found">Filled with <c>reference</c> values.</param>
    public static void Collect(string type, FhirElement resource, List<FhirElement> found)
    {
        if (!Paths.TryGetValue(type, out var paths))
        {
            return;
        }
        foreach (var path in paths)
        {
            Walk(resource, path, found);
        }
    }

    private static void Walk(FhirElement element, ReadOnlySpan<byte[]> path, List<FhirElement> found)
    {
        if (path.IsEmpty)
        {
            var reference = element["reference"u8];
            if (reference.Kind == JsonKind.String)
            {
                found.Add(reference);
            }
            return;
        }
        foreach (var item in element[path[0]].Items)
        {
            Walk(item, path[1..], found);
        }
    }
}
