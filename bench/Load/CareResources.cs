namespace CcmFhir.Load;

/// <summary>The resources of a made-up patient, as a certified EHR writes them: narratives, US Core extensions, business identifiers and all.</summary>
/// <param name="seed">Changes names, times and lengths.</param>
internal sealed class CareResources(int seed)
{
    private const string Base = "http://ccmfhir.org/fhir";
    private const string UsCore = "http://hl7.org/fhir/us/core/StructureDefinition";

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

    /// <summary>A patient with the extensions and identifiers that US Core and Medicare ask for.</summary>
    public string Patient(int p)
    {
        var (given, family) = (Givens[Mix(p, 1, Givens.Length)], Families[Mix(p, 2, Families.Length)]);
        var born = new DateOnly(1935 + Mix(p, 3, 25), 1 + Mix(p, 4, 12), 1 + Mix(p, 5, 28));
        var female = Mix(p, 7, 2) == 0;
        return $$"""
            {"resourceType":"Patient","id":"p{{p}}",
            "meta":{"versionId":"4","lastUpdated":"2026-09-15T13:12:44.218Z","profile":["{{UsCore}}/us-core-patient"]},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{{given}} {{family}}, born {{born:yyyy-MM-dd}}</div>"},
            "extension":[{"url":"{{UsCore}}/us-core-race","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2106-3","display":"White"} },{"url":"text","valueString":"White"}]},
            {"url":"{{UsCore}}/us-core-ethnicity","extension":[{"url":"ombCategory","valueCoding":{"system":"urn:oid:2.16.840.1.113883.6.238","code":"2186-5","display":"Not Hispanic or Latino"} },{"url":"text","valueString":"Not Hispanic or Latino"}]},
            {"url":"{{UsCore}}/us-core-birthsex","valueCode":"{{(female ? "F" : "M")}}"}],
            "identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MR","display":"Medical record number"}]},"system":"https://ehr.example.org/mrn","value":"MRN-{{p:D7}}"},
            {"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MC","display":"Patient's Medicare number"}]},"system":"http://hl7.org/fhir/sid/us-mbi","value":"{{Mbi(
                p
            )}}"}],
            "active":true,"name":[{"use":"official","family":"{{family}}","given":["{{given}}"]}],
            "telecom":[{"system":"phone","value":"555-{{Mix(p, 6, 10000):D4}}","use":"home"}],
            "gender":"{{(female ? "female" : "male")}}","birthDate":"{{born:yyyy-MM-dd}}",
            "address":[{"use":"home","line":["{{1
                + Mix(p, 8, 900)}} Elm Street"],"city":"Albany","state":"NY","postalCode":"12207","country":"US"}],
            "generalPractitioner":[{"reference":"Practitioner/dr-a","display":"Ada Alvarez, MD"}]}
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

    /// <summary>A chronic condition on the problem list.</summary>
    public static string Condition(int p, int n, string icd, string snomed, string name) =>
        $$"""
            {"resourceType":"Condition","id":"p{{p}}-c{{n}}",
            "meta":{"versionId":"2","lastUpdated":"2026-09-15T14:02:10.501Z","profile":["{{UsCore}}/us-core-condition-problems-health-concerns"]},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">{{name}} ({{icd}}), active, since March 2019; expected to last at least twelve months</div>"},
            "extension":[{"url":"{{Base}}/StructureDefinition/expected-duration","valueCode":"12-months-or-longer"},{"url":"{{Base}}/StructureDefinition/significant-risk","valueBoolean":true}],
            "identifier":[{"system":"https://ehr.example.org/problem","value":"{{p}}-{{n}}"}],
            "clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active","display":"Active"}]},
            "verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed","display":"Confirmed"}]},
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-category","code":"problem-list-item","display":"Problem List Item"}],"text":"Problem List Item"}],
            "code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"{{icd}}"},{"system":"http://snomed.info/sct","code":"{{snomed}}","display":"{{name}}"}],"text":"{{name}}"},
            "subject":{"reference":"Patient/p{{p}}"},"onsetDateTime":"2019-03-0{{n}}","recordedDate":"2019-03-0{{n}}","recorder":{"reference":"Practitioner/dr-a"} }
            """;

    /// <summary>The consent, given in words at the visit.</summary>
    public static string Consent(int p) =>
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

    /// <summary>The comprehensive care plan, of which the patient has a copy.</summary>
    public static string CarePlan(int p) =>
        $$"""
            {"resourceType":"CarePlan","id":"p{{p}}-plan",
            "meta":{"versionId":"1","lastUpdated":"2026-09-16T19:30:05.077Z","profile":["{{UsCore}}/us-core-careplan"]},
            "text":{"status":"additional","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>Comprehensive care plan: diabetes and hypertension. Goal: HbA1c below 7.5 % and blood pressure below 135/85 by the next review. Monthly call, medication review, foot check.</p></div>"},
            "extension":[{"url":"{{Base}}/StructureDefinition/copy-given","valueDateTime":"2026-09-16T15:30:00-04:00"},{"url":"{{Base}}/StructureDefinition/review-by","valueDate":"2027-03-16"}],
            "status":"active","intent":"plan","category":[{"coding":[{"system":"http://hl7.org/fhir/us/core/CodeSystem/careplan-category","code":"assess-plan"}]}],
            "subject":{"reference":"Patient/p{{p}}"},"period":{"start":"2026-09-16"},"created":"2026-09-16",
            "author":{"reference":"Practitioner/dr-a"},
            "addresses":[{"reference":"Condition/p{{p}}-c1"},{"reference":"Condition/p{{p}}-c2"}],
            "goal":[{"reference":"Goal/p{{p}}-goal","display":"HbA1c below 7.5 %"}],
            "activity":[{"reference":{"reference":"ServiceRequest/p{{p}}-labs","display":"HbA1c every three months"} }] }
            """;

    /// <summary>The visit at which Chronic Care Management was discussed.</summary>
    public static string Visit(int p) =>
        $$"""
            {"resourceType":"Encounter","id":"p{{p}}-visit",
            "meta":{"versionId":"3","lastUpdated":"2026-09-15T14:05:31.940Z","profile":["{{UsCore}}/us-core-encounter"]},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Office visit on September 15, 2026, 30 minutes, with Ada Alvarez, MD; Chronic Care Management explained and agreed to</div>"},
            "extension":[{"url":"{{Base}}/StructureDefinition/ccm-discussed","valueBoolean":true}],
            "identifier":[{"use":"usual","system":"https://ehr.example.org/visit","value":"V-{{p:D7}}"}],
            "status":"finished","class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB","display":"ambulatory"},
            "type":[{"coding":[{"system":"http://www.ama-assn.org/go/cpt","code":"99214"}],"text":"Office visit, established patient"}],
            "subject":{"reference":"Patient/p{{p}}"},
            "participant":[{"type":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"PPRF","display":"primary performer"}]}],"individual":{"reference":"Practitioner/dr-a","display":"Ada Alvarez, MD"} }],
            "period":{"start":"2026-09-15T09:30:00-04:00","end":"2026-09-15T10:00:00-04:00"},
            "location":[{"location":{"reference":"Location/load","display":"Load Street, room 3"},"status":"completed"}],
            "serviceProvider":{"reference":"Organization/load"} }
            """;

    /// <summary>Medicare Part B.</summary>
    public static string Coverage(int p) =>
        $$"""
            {"resourceType":"Coverage","id":"p{{p}}-coverage",
            "meta":{"versionId":"1","lastUpdated":"2026-01-05T09:00:12.333Z","profile":["{{UsCore}}/us-core-coverage"]},
            "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">Medicare Part B, member {{Mbi(
                p
            )}}, since January 1, 2020</div>"},
            "identifier":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"MB","display":"Member Number"}]},"system":"http://hl7.org/fhir/sid/us-mbi","value":"{{Mbi(
                p
            )}}"}],
            "status":"active","type":{"coding":[{"system":"https://nahdo.org/sopt","code":"121","display":"Medicare Fee For Service"}],"text":"Medicare Part B"},
            "subscriberId":"{{Mbi(p)}}","beneficiary":{"reference":"Patient/p{{p}}"},
            "relationship":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/subscriber-relationship","code":"self"}]},
            "period":{"start":"2020-01-01"},"payor":[{"display":"Medicare Part B"}],
            "class":[{"type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/coverage-class","code":"plan","display":"Plan"}]},"value":"medicare-b","name":"Medicare Part B"}],"order":1}
            """;

    /// <summary>A time log of 7 to 17 minutes; logs of one patient and month do not overlap.</summary>
    public string TimeLog(int p, int log, int monthsAgo = 0)
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
