using System.Text;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Definitions;

public sealed class DefinitionSetTest
{
    private const string Url = "http://example.org/StructureDefinition/p";

    [Fact]
    public void Of_several_versions_the_highest_is_found_and_a_named_one_when_it_is_there()
    {
        var set = new DefinitionSet([Profile("1.9.0"), Profile("1.10.0"), Profile("2.0.0-ballot"), Profile("2.0.0")]);
        set.Structure(Url)!.Version.ShouldBe("2.0.0");
        set.Structure(Url + "|1.9.0")!.Version.ShouldBe("1.9.0");
        set.Structure(Url + "|1.10")!.Version.ShouldBe("1.10.0");
        set.Structure(Url + "|7.0.0")!.Version.ShouldBe("2.0.0");
        set.Structure("http://example.org/other").ShouldBeNull();
    }

    [Fact]
    public void The_same_version_loaded_again_changes_nothing_and_the_set_below_stays_as_it_was()
    {
        var set = new DefinitionSet([Profile("1.0.0")]);
        var more = set.With([Profile("1.0.0", name: "Impostor"), Profile("3.0.0")]);
        more.Structure(Url + "|1.0.0")!.Name.ShouldBe("P");
        more.Structure(Url)!.Version.ShouldBe("3.0.0");
        set.Structure(Url)!.Version.ShouldBe("1.0.0");
    }

    [Fact]
    public void An_element_is_read_with_all_its_facts()
    {
        var element = Read(
            """
            {"resourceType":"StructureDefinition","url":"http://example.org/p","name":"P","kind":"resource","type":"Patient",
             "derivation":"constraint","snapshot":{"element":[{"id":"Patient.x:s","path":"Patient.x","sliceName":"s",
             "min":1,"max":"*","base":{"path":"Patient.x","min":0,"max":"2"},"isModifier":true,"mustSupport":true,
             "slicing":{"discriminator":[{"type":"pattern","path":"code"}],"rules":"openAtEnd","ordered":true},
             "type":[{"code":"Reference","targetProfile":["http://example.org/t"],"aggregation":["bundled"],"versioning":"either"}],
             "patternCodeableConcept":{"text":"t"},"fixedCode":"c","minValueDate":"2020-01-01","maxLength":7,
             "binding":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet",
             "valueCanonical":"http://example.org/max"}],"strength":"extensible","valueSet":"http://example.org/vs|1"},
             "constraint":[{"key":"k-1","severity":"warning","human":"h","expression":"true","source":"s"}]}]}}
            """
        ).Root;
        element.Id.ShouldBe("Patient.x:s");
        (element.Min, element.Max, element.BaseMin, element.BaseMax).ShouldBe((1, int.MaxValue, 0, 2));
        (element.IsModifier, element.MustSupport, element.IsSummary).ShouldBe((true, true, false));
        element.Slicing!.Rules.ShouldBe(SlicingRules.OpenAtEnd);
        element.Slicing.Ordered.ShouldBeTrue();
        element.Slicing.Discriminators.ShouldBe([new SliceDiscriminator("pattern", "code")]);
        element.Types[0].TargetProfiles.ShouldBe(["http://example.org/t"]);
        element.Types[0].Aggregation.ShouldBe(["bundled"]);
        element.Pattern!.Type.ShouldBe("CodeableConcept");
        element.Fixed!.Type.ShouldBe("code");
        element.Fixed.Value.Text.ShouldBe("c");
        element.MinValue!.Type.ShouldBe("date");
        element.MaxLength.ShouldBe(7);
        element.Binding.ShouldBe(
            new ElementBinding(BindingStrength.Extensible, "http://example.org/vs|1", "http://example.org/max")
        );
        element.Constraints.ShouldBe([new ElementConstraint("k-1", false, "h", "true", "s", false)]);
    }

    [Theory]
    [InlineData("""{"url":"u","kind":"resource"}""", "StructureDefinition.type")]
    [InlineData("""{"url":"u","kind":"thing","type":"Patient"}""", "StructureDefinition.kind")]
    [InlineData(
        """{"url":"u","kind":"resource","type":"T","snapshot":{"element":[{"path":"T.a","min":-1}]}}""",
        "T.a.min"
    )]
    [InlineData(
        """{"url":"u","kind":"resource","type":"T","snapshot":{"element":[{"path":"T.a","max":"many"}]}}""",
        "T.a.max"
    )]
    [InlineData(
        """{"url":"u","kind":"resource","type":"T","snapshot":{"element":[{"path":"T.a","slicing":{"rules":"x"}}]}}""",
        "T.a.slicing.rules"
    )]
    public void An_unreadable_definition_names_file_and_element(string json, string element)
    {
        var failure = Should.Throw<UnreadableDefinitionException>(() => Read(json));
        failure.Origin.ShouldBe("p.json");
        failure.Element.ShouldBe(element);
        failure.Message.ShouldStartWith($"p.json: {element}: ");
    }

    private static Structure Read(string json) =>
        StructureReader.Read(FhirJson.Parse(Encoding.UTF8.GetBytes(json), out _)!.Root, "p.json");

    private static Definition Profile(string version, string name = "P") =>
        new(
            DefinitionKind.Structure,
            Url,
            version,
            "p.json",
            () =>
                FhirJson
                    .Parse(
                        Encoding.UTF8.GetBytes(
                            $$"""{"url":"{{Url}}","version":"{{version}}","name":"{{name}}","kind":"resource","type":"Patient"}"""
                        ),
                        out _
                    )!
                    .Root
        );
}
