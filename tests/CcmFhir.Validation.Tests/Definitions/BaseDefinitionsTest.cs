using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Definitions;

public sealed class BaseDefinitionsTest
{
    private static readonly DefinitionSet R4 = BaseDefinitions.R4;

    [Fact]
    public void Every_type_of_R4_is_there_with_its_snapshot()
    {
        var types = R4.All(DefinitionKind.Structure)
            .Select(definition => R4.Structure(definition.Url)!)
            .Where(structure => !structure.IsConstraint)
            .ToLookup(structure => structure.Kind);
        types[StructureKind.PrimitiveType].Select(type => type.Type).All(Primitives.IsName).ShouldBeTrue();
        types[StructureKind.PrimitiveType].Count().ShouldBe(20);
        // 148 resources with the abstract Resource and DomainResource; 41 complex types with Element and BackboneElement.
        types[StructureKind.Resource].Count().ShouldBe(148);
        types[StructureKind.ComplexType].Count().ShouldBe(41);
        foreach (var structure in types.SelectMany(group => group).Where(type => type.Kind != StructureKind.Logical))
        {
            structure.Elements.ShouldNotBeEmpty(structure.Url);
            structure.Root.Path.ShouldBe(structure.Type);
            R4.StructureOfType(structure.Type).ShouldBeSameAs(structure);
        }
    }

    [Fact]
    public void Every_type_profile_and_content_reference_that_an_element_names_is_there()
    {
        var missing = new List<string>();
        foreach (var definition in R4.All(DefinitionKind.Structure))
        {
            var structure = R4.Structure(definition.Url)!;
            var ids = structure.Elements.Select(element => element.Id).ToHashSet();
            foreach (var element in structure.Elements)
            {
                missing.AddRange(
                    from type in element.Types
                    where
                        !type.Code.StartsWith("http://hl7.org/fhirpath/System.", StringComparison.Ordinal)
                        && structure.Kind != StructureKind.Logical
                        && R4.StructureOfType(type.Code) is null
                    select $"{element.Id}: {type.Code}"
                );
                missing.AddRange(
                    from type in element.Types
                    from profile in type.Profiles.Concat(type.TargetProfiles)
                    where R4.Structure(profile) is null
                    select $"{structure.Url} {element.Id}: {profile}"
                );
                if (element.ContentReference is { } reference)
                {
                    ids.ShouldContain(reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..]);
                }
            }
        }
        missing.ShouldBeEmpty();
    }

    [Fact]
    public void Search_parameters_and_the_patient_compartment_are_there()
    {
        var patient = R4.SearchParameters("Patient");
        patient.Single(parameter => parameter.Code == "birthdate").Expression.ShouldNotBeNull();
        patient.ShouldContain(parameter => parameter.Code == "_id");
        patient.ShouldContain(parameter => parameter.Code == "_lastUpdated");
        var compartment = R4.Compartment("Patient")!;
        compartment.Parameters["Condition"].ShouldBe(["patient", "asserter"]);
        compartment.Parameters.ShouldNotContainKey("Organization");
    }
}
