using System.Text;

namespace CcmFhir.Validation.Tests;

/// <summary>The whole report of a document with many faults, issue by issue: severity, rule, line, column and element, in document order;
/// each fault once, and what only follows from it as information.</summary>
public sealed class GoldenReportTest
{
    public static TheoryData<string, string, string, string> Reports =>
        new()
        {
            {
                "Patient",
                "",
                """
                    {
                      "resourceType": "Patient",
                      "id": "p_1",
                      "nmae": [{ "family": "A" }],
                      "gender": "femal",
                      "birthDate": "1970-02-30",
                      "contact": [
                        { "gender": "male" },
                        { "nmae": { "text": "B" } }
                      ],
                      "managingOrganization": { "reference": "#none" },
                      "link": [{ "type": "refer", "other": { "reference": "Group/1" } }, {}]
                    }
                    """,
                """
                    Error primitive-format 3:9 Patient.id
                    Error property-unknown 4:11 Patient.nmae
                    Error binding-required 5:13 Patient.gender
                    Error primitive-format 6:16 Patient.birthDate
                    Error pat-1 8:5 Patient.contact[0]
                    Information pat-1 9:5 Patient.contact[1]
                    Error property-unknown 9:15 Patient.contact[1].nmae
                    Error ref-1 11:42 Patient.managingOrganization.reference
                    Error reference-target 12:55 Patient.link[0].other.reference
                    Error ele-1 12:70 Patient.link[1]
                    """
            },
            {
                "Observation",
                "",
                """
                    {
                      "resourceType": "Observation",
                      "staus": "final",
                      "code": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "labaratory" }] },
                      "valueQuantity": { "value": "5", "unit": "mg" },
                      "effectivePeriod": { "start": "2026-02-01", "end": "2026-01-01" }
                    }
                    """,
                """
                    Information cardinality-min 1:1 Observation.status
                    Error property-unknown 3:12 Observation.staus
                    Error code-unknown 4:106 Observation.code.coding[0].code
                    Error json-type 5:31 Observation.value.value
                    Error per-1 6:22 Observation.effective
                    """
            },
            {
                "Condition",
                "",
                """
                    {
                      "resourceType": "Condition",
                      "clinicalStatus": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "activ" }] },
                      "subject": { "reference": "Patient/1" },
                      "abatementDateTime": "2026"
                    }
                    """,
                """
                    Information con-4 1:1 Condition
                    Error binding-required 3:114 Condition.clinicalStatus.coding[0].code
                    Information code-unknown 3:114 Condition.clinicalStatus.coding[0].code
                    """
            },
            {
                "Patient",
                """
                    {"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"},"min":1},
                    {"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","min":1},
                    {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"}
                    """,
                """
                    { "resourceType": "Patient" }
                    """,
                """
                    Error cardinality-min 1:1 Patient.identifier
                    Information slice-min 1:1 Patient.identifier
                    """
            },
            {
                "Bundle",
                "",
                """
                    {
                      "resourceType": "Bundle", "type": "collection",
                      "entry": [
                        { "fullUrl": "https://a.org/Patient/1", "resource": { "resourceType": "Patient", "id": "1" } },
                        { "fullUrl": "https://a.org/Patient/1", "resource": {
                            "resourceType": "Patient", "id": "1",
                            "name": [{ "period": { "start": "2026-13" } }]
                          } }
                      ]
                    }
                    """,
                """
                    Error bdl-7 5:18 Bundle.entry[1].fullUrl
                    Error primitive-format 7:41 Bundle.entry[1].resource.name[0].period.start
                    """
            },
        };

    [Theory]
    [MemberData(nameof(Reports))]
    public void Every_issue_has_its_place_and_weight(string type, string elements, string document, string expected)
    {
        var profiles = elements.Length == 0 ? ProfileSet.Default : TestProfile.Of(elements, type);

        var report = profiles.Validate(
            Encoding.UTF8.GetBytes(document.ReplaceLineEndings("\n")),
            elements.Length == 0 ? null : [TestProfile.Url]
        );

        string.Join(
                '\n',
                report
                    .Issues.Where(issue => issue.Rule is not "dom-6")
                    .Select(issue => $"{issue.Severity} {issue.Rule} {issue.Line}:{issue.Column} {issue.Expression}")
            )
            .ShouldBe(expected.ReplaceLineEndings("\n"));
    }
}
