using System.Text;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests;

/// <summary>A profile that a test makes from the elements of its differential.</summary>
internal static class TestProfile
{
    public const string Url = "http://example.org/test";

    /// <summary>Base R4, our own profiles and this one.</summary>
    /// <param name="elements">Elements of the differential, with commas between.</param>
    /// <param name="type">Type that it constrains.</param>
    public static ProfileSet Of(string elements, string type = "Patient") =>
        new(
            CcmPackage.OnR4.With(
                PackageLoader.Read(
                    Encoding.UTF8.GetBytes(
                        $$$"""
                        {"resourceType":"StructureDefinition","url":"{{{Url}}}","kind":"resource","type":"{{{type}}}","derivation":"constraint",
                         "baseDefinition":"http://hl7.org/fhir/StructureDefinition/{{{type}}}","differential":{"element":[{{{elements}}}]}}
                        """
                    ),
                    "test.json"
                )
            )
        );

    /// <summary>Rule and place of every error of a resource against the profile.</summary>
    public static string[] Errors(ProfileSet profiles, string resource) =>
        [
            .. profiles
                .Validate(Encoding.UTF8.GetBytes(resource), [Url])
                .Issues.Where(issue => issue.Severity <= Severity.Error)
                .Select(issue => $"{issue.Rule} at {issue.Expression}"),
        ];
}
