namespace CcmFhir.Validation.Tests;

/// <summary>The official examples of FHIR R4 (CC0): every resource of the package <c>hl7.fhir.r4.examples</c>.</summary>
public static class OfficialExamples
{
    // Thousands of these are alike; in the short form some of them speak for the rest.
    private static readonly string[] Bulk = ["SearchParameter", "ValueSet", "CodeSystem", "StructureDefinition"];

    /// <summary>Files of the short form (a fixed sample of the bulk of definitions, everything else) or, when it is asked for, of the long one.</summary>
    public static IReadOnlyList<string> Files { get; } =
    [
        .. Directory
            .EnumerateFiles(NpmPackage.R4Examples, "*-*.json")
            .Order(StringComparer.Ordinal)
            .Where((file, place) => LongRun.IsAsked || !IsBulk(file) || place % 40 == 0),
    ];

    /// <summary>Files of resources of these types.</summary>
    public static IEnumerable<string> OfTypes(params string[] types) =>
        Directory
            .EnumerateFiles(NpmPackage.R4Examples, "*-*.json")
            .Order(StringComparer.Ordinal)
            .Where(file => types.Contains(TypeOf(file)));

    private static bool IsBulk(string file) => Bulk.Contains(TypeOf(file)) || new FileInfo(file).Length > 500_000;

    private static string TypeOf(string file) => Path.GetFileName(file).Split('-')[0];
}
