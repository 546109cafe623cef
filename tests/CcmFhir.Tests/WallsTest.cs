using System.Reflection;

namespace CcmFhir.Tests;

/// <summary>The walls between the three projects, as the compiler left them.</summary>
public class WallsTest
{
    [Fact]
    public void Domain_refers_to_nothing_but_the_runtime() =>
        References("CcmFhir.Domain").ShouldAllBe(name => name.StartsWith("System.") || name == "netstandard");

    [Fact]
    public void Validation_refers_to_the_Firely_SDK_and_the_runtime_only() =>
        References("CcmFhir.Validation")
            .ShouldAllBe(name =>
                name.StartsWith("System.")
                || name == "netstandard"
                || name.StartsWith("Hl7.Fhir")
                || name.StartsWith("Microsoft.Win32")
            );

    [Fact]
    public void The_program_stands_on_those_two_and_on_no_other_project_of_ours() =>
        References("ccmfhir")
            .Where(name => name.StartsWith("CcmFhir", StringComparison.OrdinalIgnoreCase))
            .ShouldBeSubsetOf(["CcmFhir.Domain", "CcmFhir.Validation"]);

    private static List<string> References(string assembly) =>
        [.. Assembly.Load(assembly).GetReferencedAssemblies().Select(name => name.Name!)];
}
