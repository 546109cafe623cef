using System.Globalization;
using System.Text;

namespace CcmFhir.Load;

/// <summary>Makes bundles as an EHR would send them, the same ones for the same numbers: a practice's patients with what a month of
/// Chronic Care Management needs. All persons are made up from the numbers.</summary>
/// <param name="seed">Changes names, times and lengths; the same seed gives the same bytes.</param>
public sealed class CareMonths(int seed = 1)
{
    /// <summary>Slug of the practice that the bundles belong to.</summary>
    public const string Practice = "load";

    /// <summary>The month that the time logs lie in.</summary>
    public const string Month = "2026-10";

    private readonly CareResources resources = new(seed);

    /// <summary>The practice file that goes with the bundles.</summary>
    public static string PracticeFile { get; } =
        """
            {
              "slug": "load",
              "name": "Load Street Family Medicine",
              "npi": "1234567893",
              "tin": "12-3456789",
              "timeZone": "America/New_York",
              "placeOfService": "11",
              "policy": "medicare-current",
              "practitioners": [ { "ref": "Practitioner/dr-a", "npi": "1245319599", "name": "Ada Alvarez", "credential": "MD" } ],
              "organization": "Organization/load"
            }
            """;

    /// <summary>The transaction that brings one patient whole: ten resources, three of them time logs that together last 20 to 50 minutes.</summary>
    /// <param name="patient">Number of the patient, from 0.</param>
    public byte[] Enrolment(int patient)
    {
        var bundle = new StringBuilder(16 * 1024).Append("""{"resourceType":"Bundle","type":"transaction","entry":[""");
        Add(bundle, $"Patient/p{patient}", resources.Patient(patient));
        Add(
            bundle,
            $"Condition/p{patient}-c1",
            CareResources.Condition(patient, 1, "E11.9", "44054006", "Type 2 diabetes mellitus")
        );
        Add(
            bundle,
            $"Condition/p{patient}-c2",
            CareResources.Condition(patient, 2, "I10", "59621000", "Essential hypertension")
        );
        Add(bundle, $"Consent/p{patient}-consent", CareResources.Consent(patient));
        Add(bundle, $"CarePlan/p{patient}-plan", CareResources.CarePlan(patient));
        Add(bundle, $"Encounter/p{patient}-visit", CareResources.Visit(patient));
        Add(bundle, $"Coverage/p{patient}-coverage", CareResources.Coverage(patient));
        for (var log = 0; log < 3; log++)
        {
            Add(bundle, $"Task/p{patient}-t{log}", resources.TimeLog(patient, log));
        }
        bundle.Length--;
        return Encoding.UTF8.GetBytes(bundle.Append("]}").ToString());
    }

    /// <summary>A transaction with further time logs of a patient, and nothing else.</summary>
    /// <param name="patient">Number of the patient, from 0.</param>
    /// <param name="first">Number of the first log; 0 to 2 are those of the enrolment.</param>
    /// <param name="count">How many.</param>
    public byte[] MoreTime(int patient, int first, int count)
    {
        var bundle = new StringBuilder(2048 * count).Append(
            """{"resourceType":"Bundle","type":"transaction","entry":["""
        );
        for (var log = first; log < first + count; log++)
        {
            Add(bundle, $"Task/p{patient}-t{log}", resources.TimeLog(patient, log));
        }
        bundle.Length--;
        return Encoding.UTF8.GetBytes(bundle.Append("]}").ToString());
    }

    /// <summary>One time log by itself, as for <c>PUT Task/{id}</c>; its id is <c>p{patient}-t{log}</c>.</summary>
    /// <param name="patient">Number of the patient, from 0.</param>
    /// <param name="log">Number of the log.</param>
    /// <param name="monthsAgo">Months before <see cref="Month"/>.</param>
    public byte[] Time(int patient, int log, int monthsAgo = 0) =>
        Encoding.UTF8.GetBytes(resources.TimeLog(patient, log, monthsAgo));

    /// <summary>A transaction with ten time logs of an earlier month; their numbers count on from 1000.</summary>
    /// <param name="patient">Number of the patient, from 0.</param>
    /// <param name="monthsAgo">Months before <see cref="Month"/>, from 1.</param>
    public byte[] EarlierMonth(int patient, int monthsAgo)
    {
        var bundle = new StringBuilder(16 * 1024).Append("""{"resourceType":"Bundle","type":"transaction","entry":[""");
        for (var log = 990 + (monthsAgo * 10); log < 1000 + (monthsAgo * 10); log++)
        {
            Add(bundle, $"Task/p{patient}-t{log}", resources.TimeLog(patient, log, monthsAgo));
        }
        bundle.Length--;
        return Encoding.UTF8.GetBytes(bundle.Append("]}").ToString());
    }

    private static void Add(StringBuilder bundle, string reference, string resource)
    {
        bundle
            .Append(
                CultureInfo.InvariantCulture,
                $$"""{"fullUrl":"https://ehr.example.org/r4/{{reference}}","resource":"""
            )
            .Append(resource)
            .Append(CultureInfo.InvariantCulture, $$""","request":{"method":"PUT","url":"{{reference}}"} },""");
    }
}
