using CcmFhir.Fhir.Readers;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>The door of the house: base R4, our profiles, and the rules of time logs. The server and the command line have the same.</summary>
internal static class HouseDoor
{
    private static readonly string[] ClaimProfile = [ProfileChoice.Supported("Claim")!];

    /// <summary>Opens it.</summary>
    public static Door Open() =>
        new(
            ProfileSet.Default.Validate,
            ProfileSet.Default.Knows,
            static (task, arrival) => TimeLogDoor.Check(task, arrival.Now, arrival.Practice.MaxTaskHours)
        );

    /// <summary>Holds a claim of our own against our own profile.</summary>
    public static Report CheckClaim(FhirElement claim) => ProfileSet.Default.Validate(claim, ClaimProfile);
}
