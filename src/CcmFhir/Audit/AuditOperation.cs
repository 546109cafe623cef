using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Audit;

/// <summary><c>GET Patient/{id}/$ccm-audit?month=yyyy-MM</c>: the document Bundle.</summary>
internal sealed class AuditOperation(MakeAuditPacket make, Practices practices, RuleSet rules)
{
    // What a packet holds: who may read less gets none.
    private static readonly string[] Types =
    [
        "Patient",
        "Consent",
        "CarePlan",
        "Condition",
        "Encounter",
        "Task",
        "Claim",
        "ExplanationOfBenefit",
    ];

    /// <summary>Answers.</summary>
    public async ValueTask<FhirAnswer> AnswerAsync(FhirRequest request, string patient)
    {
        var access = request.Arrival.Access;
        // What the packet is made of must be open to the client as a whole.
        foreach (var type in Types)
        {
            if (
                access.Missing(type, Interactions.Read) is not null
                || !access.Allows(type, Interactions.Read, access.Patient ?? patient, _ => false)
            )
            {
                return MonthOperations.Forbidden(access.Missing(type, Interactions.Read) ?? $"system/{type}.r");
            }
        }
        if (MonthOperations.Month(request, rules, out var month) is { } refusal)
        {
            return FhirAnswer.Of(refusal);
        }
        var file = practices.Find(request.Arrival.Practice.Slug)!;
        var packet = access.Allows("Patient", Interactions.Read, patient, _ => false)
            ? await make.RunAsync(file, patient, month, request.Cancel)
            : null;
        if (packet is null)
        {
            return FhirAnswer.Of(Refusal.Of(404, "not-found", "patient", "There is no such Patient here."));
        }
        request.Arrival.Touched.Saw(patient);
        return new FhirAnswer(200, AuditDocument.Write(packet, request.Arrival.OwnBase!));
    }
}
