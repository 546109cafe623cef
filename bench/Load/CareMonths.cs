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

    private const string Base = "http://ccmfhir.org/fhir";

    private static readonly string[] Families =
    [
        "Abara",
        "Brandt",
        "Castell",
        "Duval",
        "Ekdahl",
        "Farrow",
        "Galvez",
        "Hoshino",
    ];
    private static readonly string[] Givens = ["Ada", "Ben", "Cora", "Dmitri", "Elena", "Farid", "Greta", "Hugo"];

    private static readonly string[] Activities =
    [
        "care-coordination",
        "medication-management",
        "symptom-management",
        "patient-communication",
        "patient-education",
        "results-review",
    ];

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
        Add(bundle, $"Patient/p{patient}", Patient(patient));
        Add(bundle, $"Condition/p{patient}-c1", Condition(patient, 1, "E11.9", "44054006", "Type 2 diabetes mellitus"));
        Add(bundle, $"Condition/p{patient}-c2", Condition(patient, 2, "I10", "59621000", "Essential hypertension"));
        Add(bundle, $"Consent/p{patient}-consent", Consent(patient));
        Add(bundle, $"CarePlan/p{patient}-plan", CarePlan(patient));
        Add(bundle, $"Encounter/p{patient}-visit", Visit(patient));
        Add(bundle, $"Coverage/p{patient}-coverage", Coverage(patient));
        for (var log = 0; log < 3; log++)
        {
            Add(bundle, $"Task/p{patient}-t{log}", TimeLog(patient, log));
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
            Add(bundle, $"Task/p{patient}-t{log}", TimeLog(patient, log));
        }
        bundle.Length--;
        return Encoding.UTF8.GetBytes(bundle.Append("]}").ToString());
    }

    /// <summary>One time log by itself, as for <c>PUT Task/{id}</c>; its id is <c>p{patient}-t{log}</c>.</summary>
    /// <param name="patient">Number of the patient, from 0.</param>
    /// <param name="log">Number of the log.</param>
    /// <param name="monthsAgo">Months before <see cref="Month"/>.</param>
    public byte[] Time(int patient, int log, int monthsAgo = 0) =>
        Encoding.UTF8.GetBytes(TimeLog(patient, log, monthsAgo));

    /// <summary>A transaction with ten time logs of an earlier month; their numbers count on from 1000.</summary>
    /// <param name="patient">Number of the patient, from 0.</param>
    /// <param name="monthsAgo">Months before <see cref="Month"/>, from 1.</param>
    public byte[] EarlierMonth(int patient, int monthsAgo)
    {
        var bundle = new StringBuilder(16 * 1024).Append("""{"resourceType":"Bundle","type":"transaction","entry":[""");
        for (var log = 990 + (monthsAgo * 10); log < 1000 + (monthsAgo * 10); log++)
        {
            Add(bundle, $"Task/p{patient}-t{log}", TimeLog(patient, log, monthsAgo));
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

    private int Mix(int a, int b, int below)
    {
        unchecked
        {
            var x = ((uint)seed * 2654435761u) ^ ((uint)a * 2246822519u) ^ ((uint)b * 3266489917u);
            x ^= x >> 15;
            x *= 2246822519u;
            x ^= x >> 13;
            return (int)(x % (uint)below);
        }
    }

    private string Patient(int p)
    {
        var (given, family) = (Givens[Mix(p, 1, Givens.Length)], Families[Mix(p, 2, Families.Length)]);
        var born = new DateOnly(1935 + Mix(p, 3, 25), 1 + Mix(p, 4, 12), 1 + Mix(p, 5, 28));
        return $$"""
            {"resourceType":"Patient","id":"p{{p}}",
            "meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient"]},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{{given}} {{family}}, born {{born:yyyy-MM-dd}}</div>"},
            "identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Medical record number"}]},"system":"https://ehr.example.org/mrn","value":"MRN-{{p:D7}}"},
            {"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MC","display":"Patient's Medicare number"}]},"system":"http://hl7.org/fhir/sid/us-mbi","value":"{{Mbi(
                p
            )}}"}],
            "active":true,"name":[{"use":"official","family":"{{family}}","given":["{{given}}"]}],
            "telecom":[{"system":"phone","value":"555-{{Mix(p, 6, 10000):D4}}","use":"home"}],
            "gender":"{{(Mix(p, 7, 2) == 0 ? "female" : "male")}}","birthDate":"{{born:yyyy-MM-dd}}",
            "address":[{"use":"home","line":["{{1
                + Mix(p, 8, 900)}} Elm Street"],"city":"Albany","state":"NY","postalCode":"12207","country":"US"}]}
            """;
    }

    // The Medicare Beneficiary Identifier: 11 characters, positions typed C A AN N A AN N A A N N, without S L O I B Z.
    private static string Mbi(int p)
    {
        const string letters = "ACDEFGHJKMNPQRTUVWXY";
        var n = p;
        char Letter() => letters[Take(20)];
        char Digit() => (char)('0' + Take(10));
        int Take(int below)
        {
            var taken = n % below;
            n /= below;
            return taken;
        }
        Span<char> mbi =
        [
            (char)('1' + (p % 9)),
            Letter(),
            Letter(),
            Digit(),
            Letter(),
            Letter(),
            Digit(),
            Letter(),
            Letter(),
            Digit(),
            Digit(),
        ];
        return new string(mbi);
    }

    private static string Condition(int p, int n, string icd, string snomed, string name) =>
        $$"""
            {"resourceType":"Condition","id":"p{{p}}-c{{n}}",
            "meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-condition-problems-health-concerns"]},
            "extension":[{"url":"{{Base}}/StructureDefinition/expected-duration","valueCode":"12-months-or-longer"},{"url":"{{Base}}/StructureDefinition/significant-risk","valueBoolean":true}],
            "clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active","display":"Active"}]},
            "verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed","display":"Confirmed"}]},
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"problem-list-item","display":"Problem List Item"}],"text":"Problem List Item"}],
            "code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{{icd}}"},{"system":"http://snomed.info/sct","code":"{{snomed}}","display":"{{name}}"}],"text":"{{name}}"},
            "subject":{"reference":"Patient/p{{p}}"},"onsetDateTime":"2019-03-0{{n}}","recordedDate":"2019-03-0{{n}}"}
            """;

    private static string Consent(int p) =>
        $$"""
            {"resourceType":"Consent","id":"p{{p}}-consent",
            "extension":[{"url":"{{Base}}/StructureDefinition/consent-mode","valueCode":"verbal"},{"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"service-availability"},{"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"cost-sharing"},{"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"single-practitioner"},{"url":"{{Base}}/StructureDefinition/disclosure","valueCode":"right-to-stop"}],
            "status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"treatment"}]},
            "category":[{"coding":[{"system":"{{Base}}/CodeSystem/ccm-program","code":"ccm"}]}],
            "patient":{"reference":"Patient/p{{p}}"},"dateTime":"2026-09-15T10:00:00-04:00",
            "organization":[{"reference":"Organization/load"}],
            "policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTIN"}]},
            "provision":{"type":"permit","period":{"start":"2026-09-15T10:00:00-04:00"} } }
            """;

    private static string CarePlan(int p) =>
        $$"""
            {"resourceType":"CarePlan","id":"p{{p}}-plan",
            "meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-careplan"]},
            "text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Comprehensive care plan: diabetes and hypertension. Goal: HbA1c below 7.5 % and blood pressure below 135/85 by the next review. Monthly call, medication review, foot check.</p></div>"},
            "extension":[{"url":"{{Base}}/StructureDefinition/copy-given","valueDateTime":"2026-09-16T15:30:00-04:00"},{"url":"{{Base}}/StructureDefinition/review-by","valueDate":"2027-03-16"}],
            "status":"active","intent":"plan","category":[{"coding":[{"system":"http://hl7.org/fhir/us/core/CodeSystem/careplan-category","code":"assess-plan"}]}],
            "subject":{"reference":"Patient/p{{p}}"},"period":{"start":"2026-09-16"},"created":"2026-09-16",
            "author":{"reference":"Practitioner/dr-a"},
            "addresses":[{"reference":"Condition/p{{p}}-c1"},{"reference":"Condition/p{{p}}-c2"}],
            "goal":[{"reference":"Goal/p{{p}}-goal","display":"HbA1c below 7.5 %"}],
            "activity":[{"reference":{"reference":"ServiceRequest/p{{p}}-labs","display":"HbA1c every three months"} }] }
            """;

    private static string Visit(int p) =>
        $$"""
            {"resourceType":"Encounter","id":"p{{p}}-visit",
            "meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-encounter"]},
            "extension":[{"url":"{{Base}}/StructureDefinition/ccm-discussed","valueBoolean":true}],
            "status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},
            "type":[{"coding":[{"system":"http://www.ama-assn.org/go/cpt","code":"99214"}]}],
            "subject":{"reference":"Patient/p{{p}}"},
            "participant":[{"individual":{"reference":"Practitioner/dr-a"} }],
            "period":{"start":"2026-09-15T09:30:00-04:00","end":"2026-09-15T10:00:00-04:00"},
            "serviceProvider":{"reference":"Organization/load"} }
            """;

    private static string Coverage(int p) =>
        $$"""
            {"resourceType":"Coverage","id":"p{{p}}-coverage",
            "meta":{"profile":["http://hl7.org/fhir/us/core/StructureDefinition/us-core-coverage"]},
            "status":"active","type":{"coding":[{"system":"https://nahdo.org/sopt","code":"121","display":"Medicare Fee For Service"}],"text":"Medicare Part B"},
            "subscriberId":"{{Mbi(p)}}","beneficiary":{"reference":"Patient/p{{p}}"},
            "relationship":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/subscriber-relationship","code":"self"}]},
            "period":{"start":"2020-01-01"},"payor":[{"display":"Medicare Part B"}]}
            """;

    private string TimeLog(int p, int log, int monthsAgo = 0)
    {
        // Logs of one patient lie in different hours of working days, so that they never overlap: 22 days of eight hours.
        var slot = log % 176;
        var day = 1 + (slot / 8 * 31 / 22);
        var start = new DateTimeOffset(
            2026,
            10,
            day,
            9 + (slot % 8),
            Mix(p, log, 40),
            Mix(log, p, 60),
            TimeSpan.FromHours(-4)
        ).AddMonths(-monthsAgo);
        var end = start.AddSeconds((7 * 60) + Mix(p, log + 1000, 600));
        return $$"""
            {"resourceType":"Task","id":"p{{p}}-t{{log}}",
            "identifier":[{"system":"https://ehr.example.org/time-log","value":"p{{p}}-t{{log}}"}],
            "basedOn":[{"reference":"CarePlan/p{{p}}-plan"}],
            "status":"completed","intent":"order","priority":"routine",
            "code":{"coding":[{"system":"{{Base}}/CodeSystem/ccm-activity","code":"{{Activities[Mix(
                p,
                log + 2000,
                Activities.Length
            )]}}"}]},
            "description":"Care management between visits","for":{"reference":"Patient/p{{p}}"},
            "executionPeriod":{"start":"{{start:yyyy-MM-dd'T'HH:mm:sszzz}}","end":"{{end:yyyy-MM-dd'T'HH:mm:sszzz}}"},
            "authoredOn":"{{end:yyyy-MM-dd'T'HH:mm:sszzz}}","lastModified":"{{end:yyyy-MM-dd'T'HH:mm:sszzz}}",
            "requester":{"reference":"Practitioner/dr-a"},
            "performerType":[{"coding":[{"system":"{{Base}}/CodeSystem/ccm-performer-role","code":"clinical-staff"}]}],
            "owner":{"reference":"Practitioner/rn-{{Mix(p, log + 3000, 9)}}"},
            "note":[{"text":"Reviewed readings and medication with the patient by phone; next call agreed."}]}
            """;
    }
}
