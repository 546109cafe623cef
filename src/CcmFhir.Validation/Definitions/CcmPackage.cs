using System.Collections.Frozen;

namespace CcmFhir.Validation.Definitions;

/// <summary>The FHIR package <c>org.ccmfhir.ccm</c> (folder <c>profiles/</c>), inside this assembly: what the product itself asks of care management.</summary>
public static class CcmPackage
{
    /// <summary>What all its canonicals begin with.</summary>
    public const string Canonical = "http://ccmfhir.org/fhir";

    private static readonly FrozenDictionary<string, DefinitionKind> Kinds = new Dictionary<string, DefinitionKind>
    {
        ["StructureDefinition"] = DefinitionKind.Structure,
        ["ValueSet"] = DefinitionKind.ValueSet,
        ["CodeSystem"] = DefinitionKind.CodeSystem,
        ["SearchParameter"] = DefinitionKind.SearchParameter,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly Lazy<IReadOnlyList<string>> Names = new(() => [.. Index().Select(file => file.Name)]);
    private static readonly Lazy<IReadOnlyList<Definition>> Loaded = new(Load);
    private static readonly Lazy<DefinitionSet> Together = new(() =>
        BaseDefinitions.R4.With(
            DefinitionPack.Read(
                () =>
                    typeof(CcmPackage).Assembly.GetManifestResourceStream("ccm.pack")
                    ?? throw new InvalidOperationException("The assembly was built without its pack of definitions."),
                "org.ccmfhir.ccm"
            )
        )
    );

    /// <summary>Its definitions, by file name; each is read when it is first needed. Structures hold differentials.</summary>
    public static IReadOnlyList<Definition> Definitions => Loaded.Value;

    /// <summary>Base R4 and this package, from a pack made ahead of its definitions with their snapshots (the tool PackDefinitions
    /// makes it, a test holds it against the sources): the start builds nothing.</summary>
    public static DefinitionSet OnR4 => Together.Value;

    /// <summary>Names of its files, in ordinal order: <c>StructureDefinition-ccm-time-log.json</c>.</summary>
    public static IReadOnlyList<string> Files => Names.Value;

    /// <summary>The resource of one of its files.</summary>
    /// <exception cref="UnreadableDefinitionException">The package has no such file.</exception>
    public static FhirElement Read(string file)
    {
        ArgumentNullException.ThrowIfNull(file);
        using var stream =
            typeof(CcmPackage).Assembly.GetManifestResourceStream("ccm/" + file)
            ?? throw new UnreadableDefinitionException(file, "", "package org.ccmfhir.ccm has no such file.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return FhirJson.Parse(bytes, out var fault)?.Root
            ?? throw new UnreadableDefinitionException(file, "", fault!.Text);
    }

    private static IEnumerable<IndexEntry> Index()
    {
        foreach (var file in Read(".index.json")["files"u8].Items)
        {
            yield return new IndexEntry(
                file["filename"u8].Text!,
                file["resourceType"u8].Text!,
                file["url"u8].Text!,
                file["version"u8].Text
            );
        }
    }

    private static IReadOnlyList<Definition> Load() =>
        [
            .. from file in Index()
            where Kinds.ContainsKey(file.Type)
            select new Definition(
                Kinds[file.Type],
                file.Url,
                file.Version,
                $"org.ccmfhir.ccm/{file.Name}",
                () => Read(file.Name)
            ),
        ];

    private sealed record IndexEntry(string Name, string Type, string Url, string? Version);
}
