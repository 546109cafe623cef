using CcmFhir.Domain;
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
            static (resource, profiles) => ProfileSet.Default.Validate(resource, profiles),
            static canonical => ProfileSet.Default.Knows(canonical),
            static (task, arrival) => TimeLogDoor.Check(task, arrival.Now, arrival.Practice.MaxTaskHours)
        );

    /// <summary>Reads definitions, profiles and rules on the cores that putting the server together leaves free, so that the first request finds
    /// them ready. What is wrong with them is told by whoever needs them.</summary>
    public static void Warm()
    {
        _ = Task.Run(static () => RuleSet.Medicare);
        _ = Task.Run(static () =>
        {
            foreach (var profile in ProfileChoice.Ours)
            {
                _ = ProfileSet.Default.Require(profile);
            }
            _ = ProfileSet.Default.Validate(
                FhirJson.Parse("""{"resourceType":"Task"}"""u8.ToArray(), out _)!,
                [ProfileChoice.TimeLog]
            );
        });
    }

    /// <summary>Holds a claim of our own against our own profile.</summary>
    public static Report CheckClaim(FhirElement claim) => ProfileSet.Default.Validate(claim, ClaimProfile);
}
