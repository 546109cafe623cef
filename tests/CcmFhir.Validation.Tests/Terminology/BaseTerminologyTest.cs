using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation.Tests.Terminology;

public sealed class BaseTerminologyTest
{
    private static readonly TerminologySet R4 = new(BaseDefinitions.R4);

    /// <summary>ValueSets that the base requires or extends and that rest on content nobody may or can ship here.</summary>
    private static readonly string[] Lacking =
    [
        "http://dicom.nema.org/medical/dicom/current/output/chtml/part04/sect_B.5.html#table_B.5-1",
        "http://hl7.org/fhir/ValueSet/body-site", // SNOMED CT
        "http://hl7.org/fhir/ValueSet/consent-content-class", // IHE's format codes
        "http://hl7.org/fhir/ValueSet/jurisdiction", // regions of UN M49
        "http://hl7.org/fhir/ValueSet/timezones|4.0.1", // IANA's time zones
        "http://hl7.org/fhir/ValueSet/use-context", // SNOMED CT among others
        "http://loinc.org/vs/LL379-9|4.0.1",
        "http://www.rsna.org/RadLex_Playbook.aspx",
    ];

    [Fact]
    public void Every_ValueSet_that_the_base_requires_or_extends_has_an_answer_but_for_those_on_foreign_content()
    {
        var lacking = new SortedDictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var definition in BaseDefinitions.R4.All(DefinitionKind.Structure))
        {
            foreach (var element in BaseDefinitions.R4.Structure(definition.Url)!.Elements)
            {
                if (
                    element.Binding is { Strength: <= BindingStrength.Extensible, ValueSet: { } canonical }
                    && R4.ValueSet(canonical) is { NotKnown.Count: > 0 } set
                )
                {
                    lacking[canonical] = set.NotKnown;
                }
            }
        }
        lacking.Keys.ShouldBe(Lacking);
    }

    [Fact]
    public void Codes_of_both_generations_of_a_terminology_are_known()
    {
        const string Category = "http://terminology.hl7.org/CodeSystem/adverse-event-category";
        // The first was dropped after R4, the second came later.
        R4.CodeSystem(Category).Find("product-problem"u8).ShouldBe(Membership.In);
        R4.CodeSystem("http://terminology.hl7.org/CodeSystem/study-type").Find("mixed"u8).ShouldBe(Membership.In);
        R4.Display("http://terminology.hl7.org/CodeSystem/condition-clinical", "active").ShouldBe("Active");
    }
}
