using System.Text;

namespace CcmFhir.Validation.Tests;

/// <summary>One defect, one issue: each row breaks one thing and names the rule and the element that must be named.</summary>
public sealed class BaseRulesTest
{
    public static TheoryData<string, string, string> Faults =>
        new()
        {
            // JSON form
            { "property-unknown", "Patient.nmae", """{"resourceType":"Patient","nmae":[{"family":"A"}]}""" },
            {
                "property-unknown",
                "Patient.name[0].famly",
                """{"resourceType":"Patient","name":[{"famly":"A","given":["B"]}]}"""
            },
            {
                "property-duplicate",
                "Patient.gender",
                """{"resourceType":"Patient","gender":"male","gender":"female"}"""
            },
            {
                "choice-many",
                "Patient.deceased",
                """{"resourceType":"Patient","deceasedBoolean":true,"deceasedDateTime":"2020"}"""
            },
            { "array-expected", "Patient.name", """{"resourceType":"Patient","name":{"family":"A"}}""" },
            { "array-unexpected", "Patient.gender", """{"resourceType":"Patient","gender":["male"]}""" },
            { "array-empty", "Patient.name", """{"resourceType":"Patient","name":[]}""" },
            {
                "array-siblings",
                "Patient.name[0].given",
                """{"resourceType":"Patient","name":[{"given":["A","B"],"_given":[{"id":"a"}]}]}"""
            },
            {
                "null-unexpected",
                "Patient.name[0].given[0]",
                """{"resourceType":"Patient","name":[{"given":[null,"B"]}]}"""
            },
            { "null-unexpected", "Patient.gender", """{"resourceType":"Patient","gender":null}""" },
            { "json-type", "Patient.active", """{"resourceType":"Patient","active":"true"}""" },
            { "json-type", "Patient.name[0]", """{"resourceType":"Patient","name":["A"]}""" },
            { "json-type", "Patient.birthDate", """{"resourceType":"Patient","birthDate":1970}""" },
            { "json-type", "Patient.gender", """{"resourceType":"Patient","gender":"male","_gender":"x"}""" },
            { "value-empty", "Patient.gender", """{"resourceType":"Patient","gender":""}""" },
            { "ele-1", "Patient.maritalStatus", """{"resourceType":"Patient","maritalStatus":{}}""" },
            { "ele-1", "Patient.contact[0]", """{"resourceType":"Patient","contact":[{"id":"a"}]}""" },
            { "ele-1", "Patient.gender", """{"resourceType":"Patient","_gender":{"id":"a"}}""" },
            { "resource-type", "Resource", """{"id":"a"}""" },
            { "resource-type", "Resource.resourceType", """{"resourceType":"Pateint"}""" },
            {
                "resource-type",
                "Patient.contained[0].resourceType",
                """{"resourceType":"Patient","managingOrganization":{"reference":"#a"},"contained":[{"resourceType":"Nobody","id":"a"}]}"""
            },
            // Cardinality
            { "cardinality-min", "Observation.status", """{"resourceType":"Observation","code":{"text":"a"}}""" },
            { "cardinality-min", "Observation.code", """{"resourceType":"Observation","status":"final"}""" },
            { "cardinality-min", "Patient.link[0].other", """{"resourceType":"Patient","link":[{"type":"refer"}]}""" },
            {
                "cardinality-min",
                "Patient.extension[0].url",
                """{"resourceType":"Patient","extension":[{"valueString":"a"}]}"""
            },
            // Primitive formats
            { "primitive-format", "Patient.birthDate", """{"resourceType":"Patient","birthDate":"1970-02-30"}""" },
            {
                "primitive-format",
                "Patient.birthDate",
                """{"resourceType":"Patient","birthDate":"1970-01-01T00:00:00Z"}"""
            },
            {
                "primitive-format",
                "Patient.deceased",
                """{"resourceType":"Patient","deceasedDateTime":"1970-01-01T00:00:00"}"""
            },
            {
                "primitive-format",
                "Patient.deceased",
                """{"resourceType":"Patient","deceasedDateTime":"1970-01-01T24:00:00Z"}"""
            },
            { "primitive-format", "Patient.id", """{"resourceType":"Patient","id":"a_b"}""" },
            {
                "primitive-format",
                "Patient.multipleBirth",
                """{"resourceType":"Patient","multipleBirthInteger":1.5}"""
            },
            {
                "primitive-format",
                "Patient.photo[0].data",
                """{"resourceType":"Patient","photo":[{"contentType":"image/png","data":"a?b="}]}"""
            },
            { "primitive-format", "Patient.photo[0].size", """{"resourceType":"Patient","photo":[{"size":-1}]}""" },
            {
                "primitive-format",
                "Patient.implicitRules",
                """{"resourceType":"Patient","implicitRules":"http://a b"}"""
            },
            {
                "primitive-format",
                "Patient.identifier[0].system",
                """{"resourceType":"Patient","identifier":[{"system":"urn:oid:1.02"}]}"""
            },
            {
                "primitive-format",
                "Patient.name[0].text",
                """{"resourceType":"Patient","name":[{"text":"a\u0001b"}]}"""
            },
            {
                "primitive-format",
                "Patient.maritalStatus.coding[0].code",
                """{"resourceType":"Patient","maritalStatus":{"coding":[{"system":"urn:a","code":"a  b"}]}}"""
            },
            // Bindings
            { "binding-required", "Patient.gender", """{"resourceType":"Patient","gender":"mal"}""" },
            {
                "binding-required",
                "Patient.name[0].use",
                """{"resourceType":"Patient","name":[{"use":"x","family":"A"}]}"""
            },
            {
                "binding-required",
                "Condition.clinicalStatus.coding[0].code",
                """{"resourceType":"Condition","subject":{"reference":"Patient/1"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"activ"}]}}"""
            },
            // References
            {
                "reference-target",
                "Condition.subject.reference",
                """{"resourceType":"Condition","subject":{"reference":"Practitioner/1"}}"""
            },
            {
                "reference-target",
                "Condition.subject",
                """{"resourceType":"Condition","subject":{"type":"Practitioner","display":"x"}}"""
            },
            {
                "reference-format",
                "Condition.subject.reference",
                """{"resourceType":"Condition","subject":{"reference":"Pateint/1"}}"""
            },
            {
                "reference-format",
                "Condition.subject.reference",
                """{"resourceType":"Condition","subject":{"reference":"Patient/a_b"}}"""
            },
            {
                "reference-format",
                "Condition.subject.reference",
                """{"resourceType":"Condition","subject":{"reference":"12"}}"""
            },
            {
                "reference-type",
                "Condition.subject.type",
                """{"resourceType":"Condition","subject":{"reference":"Patient/1","type":"Group"}}"""
            },
            { "ref-1", "Condition.subject.reference", """{"resourceType":"Condition","subject":{"reference":"#p"}}""" },
            // Contained
            {
                "dom-3",
                "Patient.contained[0]",
                """{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"A"}]}"""
            },
            {
                "dom-2",
                "Patient.contained[0].contained",
                """{"resourceType":"Patient","managingOrganization":{"reference":"#o"},"contained":[{"resourceType":"Organization","id":"o","name":"A","contained":[{"resourceType":"Patient","id":"x","link":[{"type":"refer","other":{"reference":"#"}}]}]}]}"""
            },
            {
                "dom-4",
                "Patient.contained[0].meta",
                """{"resourceType":"Patient","managingOrganization":{"reference":"#o"},"contained":[{"resourceType":"Organization","id":"o","name":"A","meta":{"versionId":"1"}}]}"""
            },
            {
                "contained-id",
                "Patient.contained[0].id",
                """{"resourceType":"Patient","contained":[{"resourceType":"Organization","name":"A"}]}"""
            },
            {
                "element-id",
                "Patient.name[1].id",
                """{"resourceType":"Patient","id":"a","name":[{"id":"a","family":"A"},{"id":"a","family":"B"}]}"""
            },
            {
                "attachment-size",
                "Patient.photo[0].size",
                """{"resourceType":"Patient","photo":[{"contentType":"text/plain","data":"YWJj","size":4}]}"""
            },
            {
                "attachment-hash",
                "Patient.photo[0].hash",
                """{"resourceType":"Patient","photo":[{"contentType":"text/plain","data":"YWJj","hash":"YWJj"}]}"""
            },
            {
                "binding-required",
                "AllergyIntolerance.category[0]",
                """{"resourceType":"AllergyIntolerance","patient":{"reference":"Patient/1"},"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},"_category":[{"extension":[{"url":"http://a.org/x","valueString":"a"}]}]}"""
            },
            // Extensions
            {
                "ext-1",
                "Patient.extension[0]",
                """{"resourceType":"Patient","extension":[{"url":"http://a.org/x"}]}"""
            },
            {
                "ext-1",
                "Patient.extension[0]",
                """{"resourceType":"Patient","extension":[{"url":"http://a.org/x","valueString":"a","extension":[{"url":"b","valueString":"c"}]}]}"""
            },
            {
                "extension-url",
                "Patient.extension[0].url",
                """{"resourceType":"Patient","extension":[{"url":"x","valueString":"a"}]}"""
            },
            {
                "type-not-allowed",
                "Patient.extension[0].value",
                """{"resourceType":"Patient","extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace","valueString":"a"}]}"""
            },
            // Narrative
            {
                "txt-1",
                "Patient.text.div",
                """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><script>x</script></div>"}}"""
            },
            {
                "txt-1",
                "Patient.text.div",
                """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p onclick=\"x\">a</p></div>"}}"""
            },
            {
                "txt-1",
                "Patient.text.div",
                """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>a</div>"}}"""
            },
            {
                "txt-1",
                "Patient.text.div",
                """{"resourceType":"Patient","text":{"status":"generated","div":"<div>a</div>"}}"""
            },
            {
                "txt-1",
                "Patient.text.div",
                """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><a href=\" java\tscript:x\">a</a></div>"}}""".Replace(
                    "\t",
                    "\\t",
                    StringComparison.Ordinal
                )
            },
            {
                "txt-2",
                "Patient.text.div",
                """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"}}"""
            },
            // Invariants in FHIRPath
            { "pat-1", "Patient.contact[0]", """{"resourceType":"Patient","contact":[{"gender":"male"}]}""" },
            {
                "per-1",
                "Patient.name[0].period",
                """{"resourceType":"Patient","name":[{"family":"A","period":{"start":"2021-01-01","end":"2020-01-01"}}]}"""
            },
            // Bundles
            {
                "bdl-7",
                "Bundle.entry[1].fullUrl",
                """{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient"}},{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient"}}]}"""
            },
            {
                "bundle-fullurl",
                "Bundle.entry[0].fullUrl",
                """{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"https://a.org/Group/1","resource":{"resourceType":"Patient","id":"1"}}]}"""
            },
            {
                "reference-target",
                "Bundle.entry[0].resource.subject.reference",
                """{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"https://a.org/Condition/1","resource":{"resourceType":"Condition","id":"1","subject":{"reference":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"}}},{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Practitioner"}}]}"""
            },
        };

    [Theory]
    [MemberData(nameof(Faults))]
    public void A_fault_is_named_once_where_it_stands(string rule, string expression, string json)
    {
        var report = Validate(json);

        var errors = report.Issues.Where(issue => issue.Severity <= Severity.Error).ToArray();
        errors.Select(issue => $"{issue.Rule} at {issue.Expression}").ShouldBe([$"{rule} at {expression}"]);
        errors[0].Text.ShouldNotBeEmpty();
        errors[0].Line.ShouldBe(1);
        errors[0].Column.ShouldBeGreaterThan(0);
    }

    public static TheoryData<string> Sound =>
        [
            """{"resourceType":"Patient"}""",
            """{"id":"a","resourceType":"Patient"}""",
            """{"resourceType":"Patient","name":[{"given":[null,"B"],"_given":[{"extension":[{"url":"http://a.org/x","valueString":"a"}]},null]}]}""",
            """{"resourceType":"Patient","_birthDate":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}}""",
            """{"resourceType":"Patient","deceasedDateTime":"1970-01-01T23:59:60.123+14:00"}""",
            """{"resourceType":"Patient","managingOrganization":{"reference":"#o"},"contained":[{"resourceType":"Organization","id":"o","name":"A"}]}""",
            """{"resourceType":"Patient","contained":[{"resourceType":"Provenance","id":"o","target":[{"reference":"#"}],"recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}]}""",
            """{"resourceType":"Patient","gen\u0064er":"m\u0061le"}""",
            // White space alone is told, and allowed.
            """{"resourceType":"Patient","name":[{"text":" "}]}""",
            """{"resourceType":"Patient","id":"a","name":[{"id":"a","family":"A"}],"contained":[{"resourceType":"Organization","id":"b","name":"B","alias":["C"],"_alias":[{"id":"a"}]}],"managingOrganization":{"id":"b","reference":"#b"}}""",
            """{"resourceType":"Patient","photo":[{"contentType":"text/plain","data":"YW\nJj","size":3,"hash":"qZk+NkcGgWq6PiVxeFDCbJzQ2J0="}]}""",
            // Preferred codes with a largest set (all languages): words alone are allowed.
            """{"resourceType":"Practitioner","communication":[{"text":"Arabic"}]}""",
            """{"resourceType":"Condition","subject":{"reference":"Patient?identifier=a|b"}}""",
            """{"resourceType":"Patient","text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"><p class='a'>a &amp; b<br/></p><!-- c --></div>"}}""",
        ];

    [Theory]
    [MemberData(nameof(Sound))]
    public void What_R4_allows_is_allowed(string json) =>
        Validate(json).Issues.Where(issue => issue.Severity <= Severity.Error).ShouldBeEmpty();

    [Fact]
    public void An_unknown_profile_is_a_warning_and_stands_among_what_was_not_checked()
    {
        var report = Validate("""{"resourceType":"Patient","meta":{"profile":["http://a.org/p"]}}""");

        report.IsValid.ShouldBeTrue();
        report.Issues.First(issue => issue.Rule == "profile-unknown").Severity.ShouldBe(Severity.Warning);
        report.NotChecked.ShouldHaveSingleItem().ShouldContain("http://a.org/p");
    }

    [Fact]
    public void A_near_code_is_offered() =>
        Validate("""{"resourceType":"Patient","gender":"femal"}""")
            .Issues.First(issue => issue.Rule == "binding-required")
            .Text.ShouldContain("did you mean 'female'?");

    [Fact]
    public void Lines_and_columns_count_from_one_and_in_characters()
    {
        var report = Validate(
            "{\n  \"resourceType\": \"Patient\",\n  \"name\": [{ \"family\": \"Ä😀\", \"use\": \"x\" }]\n}"
        );

        var issue = report.Issues.First(one => one.Rule == "binding-required");
        // Ä counts once, the emoji twice: UTF-16 units, as editors count.
        (issue.Line, issue.Column).ShouldBe((3, 38));
    }

    [Fact]
    public void In_a_bundle_the_clients_own_entry_is_named()
    {
        var report = Validate(
            """{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient"}},{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521","resource":{"resourceType":"Patient","gender":"x"}}]}"""
        );

        var issue = report.Issues.First(one => one.Rule == "binding-required");
        issue.EntryIndex.ShouldBe(1);
        issue.FullUrl.ShouldBe("urn:uuid:c757873d-ec9a-4326-a141-556f43239521");
    }

    private static Report Validate(string json) => ProfileSet.Default.Validate(Encoding.UTF8.GetBytes(json));
}
