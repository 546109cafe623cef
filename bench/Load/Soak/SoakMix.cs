namespace CcmFhir.Load.Soak;

/// <summary>What a deployment is asked for all day: charts sent again, time logs new and mended, reads and searches, months looked at, and now and
/// then a whole month decided. The same request for the same number.</summary>
/// <remarks>The population is fixed, and larger than what the server keeps in memory: from then on nothing but the journal's file
/// has a reason to grow.</remarks>
public sealed class SoakMix
{
    /// <summary>Practices of the deployment.</summary>
    public const int Practices = 12;

    /// <summary>Patients of each. All of them are more than the server's cache of streams holds.</summary>
    public const int PatientsEach = 1000;

    /// <summary>Patients of all practices.</summary>
    public const int Patients = Practices * PatientsEach;

    // One request in so many decides the month of a whole practice.
    private const int Cycle = 1000;

    private readonly CareMonths first = new(seed: 1);
    private readonly CareMonths later = new(seed: 2);

    /// <summary>The request that enrols a patient, before the soak begins.</summary>
    public byte[] Enrol(int patient) => Connection.Render("POST", Fhir(patient), first.Enrolment(patient));

    /// <summary>Request number <paramref name="number"/> of the soak.</summary>
    public byte[] Request(long number)
    {
        var patient = Spread(number);
        var log = (int)(number / Patients % 100);
        if (number % Cycle == Cycle / 2)
        {
            return Connection.Render("POST", $"{Fhir(patient)}/$ccm-close?month={CareMonths.Month}&dryRun=true", null);
        }
        // A kind further with each time that all patients have come: what is written is read later, and what was read is written to.
        return ((number + (number / Patients)) % 20) switch
        {
            0 => Connection.Render("POST", Fhir(patient), (log % 2 == 0 ? later : first).Enrolment(patient)),
            1 or 2 or 3 => Connection.Render("POST", $"{Fhir(patient)}/Task", first.Time(patient, 3 + log)),
            4 or 5 => Connection.Render(
                "PUT",
                $"{Fhir(patient)}/Task/p{patient}-t1",
                (log % 2 == 0 ? later : first).Time(patient, 1)
            ),
            6 => Connection.Render("GET", $"/{Slug(patient)}/months/{CareMonths.Month}", null),
            7 or 8 or 9 or 10 => Connection.Render(
                "GET",
                $"{Fhir(patient)}/Patient/p{patient}/$ccm-status?month={CareMonths.Month}",
                null
            ),
            11 or 12 or 13 or 14 => Connection.Render("GET", $"{Fhir(patient)}/Task?patient=p{patient}", null),
            15 or 16 => Connection.Render(
                "GET",
                $"{Fhir(patient)}/Task?identifier={Uri.EscapeDataString($"https://ehr.example.org/time-log|p{patient}-t2")}",
                null
            ),
            _ => Connection.Render("GET", $"{Fhir(patient)}/Patient/p{patient}", null),
        };
    }

    private static string Slug(int patient) => LoadFolder.Slug(patient / PatientsEach);

    private static string Fhir(int patient) => $"/{Slug(patient)}/fhir";

    // Every patient comes once before one comes twice, and neighbours in time are none in number.
    private static int Spread(long number) => (int)(number * 7919 % Patients);
}
