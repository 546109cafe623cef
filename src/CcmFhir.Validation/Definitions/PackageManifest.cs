namespace CcmFhir.Validation.Definitions;

/// <summary>What the <c>package.json</c> of a FHIR package says about it.</summary>
/// <param name="Name">Its name; empty when it says none.</param>
/// <param name="Version">Its version; empty when it says none.</param>
/// <param name="Dependencies">The packages that it builds on, name and version.</param>
internal sealed record PackageManifest(
    string Name,
    string Version,
    IReadOnlyList<(string Name, string Version)> Dependencies
)
{
    // The base, its terminology and its examples are known without being loaded.
    private static readonly string[] Known = ["hl7.fhir.r4.", "hl7.fhir.core", "hl7.terminology"];

    public static PackageManifest Read(FhirElement json)
    {
        var dependencies = new List<(string, string)>();
        foreach (var dependency in json["dependencies"u8].Children)
        {
            dependencies.Add((dependency.Name, dependency.Text ?? ""));
        }
        return new PackageManifest(json["name"u8].Text ?? "", json["version"u8].Text ?? "", dependencies);
    }

    /// <summary>What packages build on and nobody loaded, one sentence each.</summary>
    public static IEnumerable<string> Missing(IReadOnlyList<PackageManifest> packages) =>
        from package in packages
        from dependency in package.Dependencies
        where
            !packages.Any(other => other.Name == dependency.Name)
            && !Known.Any(known => dependency.Name.StartsWith(known, StringComparison.Ordinal))
        group $"{package.Name} {package.Version}" by dependency into needed
        orderby needed.Key.Name
        select $"Package {needed.Key.Name} {needed.Key.Version}, which {string.Join(" and ", needed.Distinct())} builds on, is not loaded: what only it defines is not checked.";
}
