namespace CcmFhir.Validation.Tests;

/// <summary>Slicing as FHIR R4 has it (http://hl7.org/fhir/R4/profiling.html#slicing): which slice a value belongs to by each kind of
/// discriminator, and what each rule allows beside and between slices.</summary>
public sealed class SlicingTest
{
    private const string Slices = """
        {"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","min":1,"max":"1"},
        {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"},
        {"id":"Patient.identifier:b","path":"Patient.identifier","sliceName":"b","max":"1"},
        {"id":"Patient.identifier:b.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:b"}
        """;

    // One letter an identifier: a and b are slices, x is none.
    [Theory]
    [InlineData("open", false, "a", "")]
    [InlineData("open", false, "axb", "")]
    [InlineData("open", false, "xba", "")]
    [InlineData("open", false, "", "slice-min at Patient.identifier")]
    [InlineData("open", false, "bx", "slice-min at Patient.identifier")]
    [InlineData("open", false, "aa", "slice-max at Patient.identifier[1]")]
    [InlineData("open", false, "abxb", "slice-max at Patient.identifier[3]")]
    [InlineData("open", true, "ab", "")]
    [InlineData("open", true, "axb", "")]
    [InlineData("open", true, "ba", "slicing-order at Patient.identifier[1]")]
    [InlineData("closed", false, "ba", "")]
    [InlineData("closed", false, "ax", "slicing-closed at Patient.identifier[1]")]
    [InlineData(
        "closed",
        false,
        "xax",
        "slicing-closed at Patient.identifier[0], slicing-closed at Patient.identifier[2]"
    )]
    [InlineData("closed", true, "ba", "slicing-order at Patient.identifier[1]")]
    [InlineData("openAtEnd", false, "bax", "")]
    [InlineData("openAtEnd", false, "axb", "slicing-at-end at Patient.identifier[2]")]
    [InlineData("openAtEnd", false, "xa", "slicing-at-end at Patient.identifier[1]")]
    [InlineData("openAtEnd", true, "abx", "")]
    [InlineData("openAtEnd", true, "bax", "slicing-order at Patient.identifier[1]")]
    public void Rules_and_order(string rules, bool ordered, string identifiers, string errors) =>
        Check(
            "Patient",
            $$"""{"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"{{rules}}","ordered":{{(ordered ? "true" : "false")}} } },{{Slices}}""",
            Identifiers(identifiers),
            errors
        );

    [Theory]
    [InlineData("a", "")]
    [InlineData("ax", "")]
    [InlineData("axx", "slice-max at Patient.identifier[2]")]
    public void What_fits_no_slice_belongs_to_the_default_slice(string identifiers, string errors) =>
        Check(
            "Patient",
            $$"""
            {"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"closed"} },{{Slices}},
            {"id":"Patient.identifier:@default","path":"Patient.identifier","sliceName":"@default","max":"1"}
            """,
            Identifiers(identifiers),
            errors
        );

    // Two identifiers of slice a, told apart once more by their use.
    [Theory]
    [InlineData("official usual", "")]
    [InlineData("official", "")]
    [InlineData("usual", "slice-min at Patient.identifier")]
    [InlineData("official official", "slice-max at Patient.identifier[1]")]
    [InlineData("official temp", "slicing-closed at Patient.identifier[1]")]
    public void A_slice_is_sliced_again(string uses, string errors) =>
        Check(
            "Patient",
            """
            {"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],"rules":"open"}},
            {"id":"Patient.identifier:a","path":"Patient.identifier","sliceName":"a","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"closed"}},
            {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"urn:a"},
            {"id":"Patient.identifier:a/official","path":"Patient.identifier","sliceName":"a/official","min":1,"max":"1"},
            {"id":"Patient.identifier:a/official.use","path":"Patient.identifier.use","min":1,"fixedCode":"official"},
            {"id":"Patient.identifier:a/usual","path":"Patient.identifier","sliceName":"a/usual"},
            {"id":"Patient.identifier:a/usual.use","path":"Patient.identifier.use","min":1,"fixedCode":"usual"}
            """,
            $$"""{"resourceType":"Patient","identifier":[{{string.Join(',', uses.Split(' ').Select(use => $$"""{"system":"urn:a","use":"{{use}}","value":"1"}"""))}}]}""",
            errors
        );

    public static TheoryData<string, string, string, string, string> Discriminators =>
        new()
        {
            {
                "pattern: what the pattern names counts, whatever else is there",
                "Observation",
                """
                    {"id":"Observation.category","path":"Observation.category","slicing":{"discriminator":[{"type":"pattern","path":"$this"}],"rules":"open"}},
                    {"id":"Observation.category:lab","path":"Observation.category","sliceName":"lab","min":1,"patternCodeableConcept":{"coding":[{"system":"urn:c","code":"lab"}]}}
                    """,
                """{"category":[{"coding":[{"system":"urn:x","code":"x"},{"system":"urn:c","code":"lab","display":"Lab"}],"text":"a"}]""",
                ""
            },
            {
                "pattern: another system is another code",
                "Observation",
                """
                    {"id":"Observation.category","path":"Observation.category","slicing":{"discriminator":[{"type":"pattern","path":"$this"}],"rules":"open"}},
                    {"id":"Observation.category:lab","path":"Observation.category","sliceName":"lab","min":1,"patternCodeableConcept":{"coding":[{"system":"urn:c","code":"lab"}]}}
                    """,
                """{"category":[{"coding":[{"system":"urn:d","code":"lab"}]}]""",
                "slice-min at Observation.category"
            },
            {
                "value by a binding: the codes of a set make the slice",
                "Patient",
                """
                    {"id":"Patient.telecom","path":"Patient.telecom","slicing":{"discriminator":[{"type":"value","path":"use"}],"rules":"open"}},
                    {"id":"Patient.telecom:home","path":"Patient.telecom","sliceName":"home","max":"1"},
                    {"id":"Patient.telecom:home.use","path":"Patient.telecom.use","min":1,"fixedCode":"home"},
                    {"id":"Patient.telecom:home.value","path":"Patient.telecom.value","min":1}
                    """,
                """{"telecom":[{"use":"work","system":"phone"},{"use":"home","system":"phone"}]""",
                "cardinality-min at Patient.telecom[1].value"
            },
            {
                "value: two discriminators must both fit",
                "Patient",
                """
                    {"id":"Patient.telecom","path":"Patient.telecom","slicing":{"discriminator":[{"type":"value","path":"use"},{"type":"value","path":"system"}],"rules":"closed"}},
                    {"id":"Patient.telecom:homephone","path":"Patient.telecom","sliceName":"homephone"},
                    {"id":"Patient.telecom:homephone.use","path":"Patient.telecom.use","min":1,"fixedCode":"home"},
                    {"id":"Patient.telecom:homephone.system","path":"Patient.telecom.system","min":1,"fixedCode":"phone"}
                    """,
                """{"telecom":[{"use":"home","system":"phone","value":"1"},{"use":"home","system":"fax","value":"1"}]""",
                "slicing-closed at Patient.telecom[1]"
            },
            {
                "exists: who has a name and who has none",
                "Patient",
                """
                    {"id":"Patient.contact","path":"Patient.contact","slicing":{"discriminator":[{"type":"exists","path":"name"}],"rules":"closed"}},
                    {"id":"Patient.contact:named","path":"Patient.contact","sliceName":"named"},
                    {"id":"Patient.contact:named.name","path":"Patient.contact.name","min":1},
                    {"id":"Patient.contact:named.telecom","path":"Patient.contact.telecom","min":1},
                    {"id":"Patient.contact:unnamed","path":"Patient.contact","sliceName":"unnamed"},
                    {"id":"Patient.contact:unnamed.name","path":"Patient.contact.name","max":"0"},
                    {"id":"Patient.contact:unnamed.organization","path":"Patient.contact.organization","min":1}
                    """,
                """{"contact":[{"name":{"text":"A"}},{"organization":{"display":"B"}},{"telecom":[{"system":"phone","value":"1"}]}]""",
                "cardinality-min at Patient.contact[0].telecom, cardinality-min at Patient.contact[2].organization"
            },
            {
                "type: each type of a choice has rules of its own",
                "Observation",
                """
                    {"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"closed"}},
                    {"id":"Observation.value[x]:valueQuantity","path":"Observation.value[x]","sliceName":"valueQuantity","type":[{"code":"Quantity"}]},
                    {"id":"Observation.value[x]:valueQuantity.unit","path":"Observation.value[x].unit","min":1},
                    {"id":"Observation.value[x]:valueString","path":"Observation.value[x]","sliceName":"valueString","type":[{"code":"string"}]}
                    """,
                """{"valueQuantity":{"value":1}""",
                "cardinality-min at Observation.value.unit"
            },
            {
                "type: a type that no slice names is closed out",
                "Observation",
                """
                    {"id":"Observation.value[x]","path":"Observation.value[x]","slicing":{"discriminator":[{"type":"type","path":"$this"}],"rules":"closed"}},
                    {"id":"Observation.value[x]:valueString","path":"Observation.value[x]","sliceName":"valueString","type":[{"code":"string"}]}
                    """,
                """{"valueInteger":1""",
                "slicing-closed at Observation.value"
            },
            {
                "type: the short form stands for a slice by type",
                "Observation",
                """{"id":"Observation.valueQuantity","path":"Observation.valueQuantity","min":1}""",
                """{"valueString":"a" """,
                "type-not-allowed at Observation.value"
            },
            {
                "type of what a reference leads to, told by its name",
                "Patient",
                """
                    {"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner","slicing":{"discriminator":[{"type":"type","path":"resolve()"}],"rules":"open"}},
                    {"id":"Patient.generalPractitioner:practice","path":"Patient.generalPractitioner","sliceName":"practice","max":"1","type":[{"code":"Reference","targetProfile":["http://hl7.org/fhir/StructureDefinition/Organization"]}]}
                    """,
                """{"generalPractitioner":[{"reference":"Organization/1"},{"reference":"Practitioner/1"},{"reference":"Organization/2"}]""",
                "slice-max at Patient.generalPractitioner[2]"
            },
            {
                "value in what a reference leads to, within the resource",
                "Patient",
                """
                    {"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner","slicing":{"discriminator":[{"type":"profile","path":"resolve()"}],"rules":"closed"}},
                    {"id":"Patient.generalPractitioner:practice","path":"Patient.generalPractitioner","sliceName":"practice","type":[{"code":"Reference","targetProfile":["http://ccmfhir.org/fhir/StructureDefinition/ccm-organization"]}]}
                    """,
                """{"contained":[{"resourceType":"Organization","id":"a","name":"A"}],"generalPractitioner":[{"reference":"#a"}]""",
                "slicing-closed at Patient.generalPractitioner[0]"
            },
            {
                "profile of a target that is not here: its type is taken for it",
                "Patient",
                """
                    {"id":"Patient.generalPractitioner","path":"Patient.generalPractitioner","slicing":{"discriminator":[{"type":"profile","path":"resolve()"}],"rules":"closed"}},
                    {"id":"Patient.generalPractitioner:practice","path":"Patient.generalPractitioner","sliceName":"practice","type":[{"code":"Reference","targetProfile":["http://ccmfhir.org/fhir/StructureDefinition/ccm-organization"]}]}
                    """,
                """{"generalPractitioner":[{"reference":"Organization/1"}]""",
                ""
            },
            {
                "extensions are sliced by url without being told so",
                "Patient",
                """
                    {"id":"Patient.extension:place","path":"Patient.extension","sliceName":"place","min":1,"type":[{"code":"Extension","profile":["http://hl7.org/fhir/StructureDefinition/patient-birthPlace"]}]}
                    """,
                """{"extension":[{"url":"http://example.org/x","valueString":"a"}]""",
                "slice-min at Patient.extension"
            },
            {
                "type of what a Bundle holds",
                "Bundle",
                """
                    {"id":"Bundle.entry","path":"Bundle.entry","slicing":{"discriminator":[{"type":"type","path":"resource"}],"rules":"closed"}},
                    {"id":"Bundle.entry:patient","path":"Bundle.entry","sliceName":"patient","min":1,"max":"1"},
                    {"id":"Bundle.entry:patient.resource","path":"Bundle.entry.resource","min":1,"type":[{"code":"Patient"}]}
                    """,
                """{"type":"collection","entry":[{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239520","resource":{"resourceType":"Patient"}},{"fullUrl":"urn:uuid:c757873d-ec9a-4326-a141-556f43239521","resource":{"resourceType":"Basic","code":{"text":"a"}}}]""",
                "slicing-closed at Bundle.entry[1]"
            },
        };

    [Theory]
    [MemberData(nameof(Discriminators))]
    public void A_value_belongs_to_the_slice_that_its_discriminator_says(
        string what,
        string type,
        string elements,
        string content,
        string errors
    )
    {
        what.ShouldNotBeEmpty();
        var needed = type == "Observation" ? "\"status\":\"final\",\"code\":{\"text\":\"a\"}," : "";
        Check(type, elements, $"{{\"resourceType\":\"{type}\",{needed}{content[1..]}}}", errors);
    }

    private static void Check(string type, string elements, string resource, string errors) =>
        string.Join(", ", TestProfile.Errors(TestProfile.Of(elements, type), resource)).ShouldBe(errors);

    private static string Identifiers(string letters) =>
        letters.Length == 0
            ? """{"resourceType":"Patient"}"""
            : $$"""{"resourceType":"Patient","identifier":[{{string.Join(',', letters.Select(letter => $$"""{"system":"urn:{{letter}}","value":"1"}"""))}}]}""";
}
