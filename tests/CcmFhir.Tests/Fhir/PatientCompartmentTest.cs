using CcmFhir.Fhir;
using CcmFhir.Fhir.Search;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Tests.Fhir;

public class PatientCompartmentTest
{
    [Fact]
    public void Everything_that_R4_puts_into_a_patients_compartment_is_with_the_patient_here()
    {
        foreach (var (type, parameters) in BaseDefinitions.R4.Compartment("Patient")!.Parameters)
        {
            if (type == "Patient")
            {
                continue;
            }
            foreach (var code in parameters)
            {
                var paths = SearchParameter.Find(type, code)?.Paths.Select(path => path.Text).ToList();
                paths.ShouldNotBeNull($"{type}.{code}");
                paths.ShouldBeSubsetOf(PatientCompartment.Elements(type), $"{type}.{code}");
            }
        }
    }

    [Fact]
    public void A_time_log_is_with_its_patient() => PatientCompartment.Elements("Task").ShouldBe(["for"]);
}
