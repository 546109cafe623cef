using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation;

/// <summary>The definitions that resources are validated against: base R4 and what is loaded on top. Immutable and thread-safe;
/// a profile is compiled when it is first needed.</summary>
public sealed class ProfileSet
{
    private static readonly Lazy<ProfileSet> OfBase = new(() => new ProfileSet(CcmPackage.OnR4));

    private readonly ProfileCompiler compiler;
    private readonly TimeProvider? clock;

    /// <summary>A set of these definitions, which include base R4.</summary>
    public ProfileSet(DefinitionSet definitions)
        : this(definitions, new ProfileCompiler(definitions), null) { }

    private ProfileSet(DefinitionSet definitions, ProfileCompiler compiler, TimeProvider? clock)
    {
        Definitions = definitions;
        this.compiler = compiler;
        this.clock = clock;
    }

    /// <summary>Base R4 and the profiles of this product.</summary>
    public static ProfileSet Default => OfBase.Value;

    /// <summary>What is known.</summary>
    public DefinitionSet Definitions { get; }

    /// <summary>Packages that loaded ones build on and that were not loaded, one sentence each: what only they define is not checked.</summary>
    public IReadOnlyList<string> Missing { get; private init; } = [];

    internal ProfileCompiler Compiler => compiler;

    /// <summary>The same set with a clock, for the rules of profiles that say now() or today(); without one they are not checked.</summary>
    public ProfileSet WithClock(TimeProvider time) => new(Definitions, compiler, time) { Missing = Missing };

    /// <summary>Base R4, the profiles of this product, and definitions from files.</summary>
    /// <param name="extraDefinitionPaths">FHIR packages (packed or unpacked), folders, or single files; what comes first wins where the
    /// same version of a definition comes twice.</param>
    /// <exception cref="UnreadableDefinitionException">A path cannot be read, or holds a profile that cannot be compiled; names file,
    /// element and reason.</exception>
    public static ProfileSet Load(IEnumerable<string> extraDefinitionPaths)
    {
        ArgumentNullException.ThrowIfNull(extraDefinitionPaths);
        var all = new List<Definition>();
        var packages = new List<PackageManifest>();
        var loose = new List<Definition>();
        foreach (var path in extraDefinitionPaths)
        {
            var loaded = PackageLoader.Load(path, packages);
            all.AddRange(loaded);
            if (!IsPackage(path))
            {
                loose.AddRange(loaded);
            }
        }
        var set = new ProfileSet(CcmPackage.OnR4.With(all)) { Missing = [.. PackageManifest.Missing(packages)] };
        // What somebody is writing is checked at once. Published packages hold much that is never used, some of it for other versions:
        // there a profile is compiled when it is first claimed, and what is wrong with it stands in the report.
        foreach (var definition in loose.Where(one => one.Kind == DefinitionKind.Structure && IsUsable(one.Structure)))
        {
            _ = set.Require(definition.Version is null ? definition.Url : $"{definition.Url}|{definition.Version}");
        }
        return set;
    }

    private static bool IsPackage(string path) =>
        !Directory.Exists(path)
            ? path.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase)
            : File.Exists(Path.Combine(path, "package.json"))
                || File.Exists(Path.Combine(path, "package", "package.json"));

    private static bool IsUsable(Structure structure) =>
        structure.Kind is StructureKind.Resource or StructureKind.ComplexType
        && structure.FhirVersion is null or { Length: >= 3 } and ['4', '.', '0', ..];

    /// <summary>True when a structure of that canonical (optional |version) is known.</summary>
    public bool Knows(string canonical) => Definitions.Find(DefinitionKind.Structure, canonical) is not null;

    /// <summary>Validates the resource that a document is.</summary>
    /// <param name="document">The document.</param>
    /// <param name="profiles">Profiles it must meet, beside base R4 and every known profile in <c>meta.profile</c>; null for none.</param>
    public Report Validate(FhirJson document, IReadOnlyList<string>? profiles = null)
    {
        ArgumentNullException.ThrowIfNull(document);
        return new Walk(compiler, document.Root, clock).Run(profiles);
    }

    /// <summary>Validates the resource that a document is, and for each resource in it (contained ones left out) a profile of the caller's choice.</summary>
    /// <param name="document">The document.</param>
    /// <param name="choose">From type and resource to the canonical of a profile that it must meet; null for none.</param>
    /// <param name="profiles">Profiles that the outermost resource must meet; null for none.</param>
    public Report Validate(
        FhirJson document,
        Func<string, FhirElement, string?> choose,
        IReadOnlyList<string>? profiles = null
    )
    {
        ArgumentNullException.ThrowIfNull(document);
        return new Walk(compiler, document.Root, clock, choose).Run(profiles);
    }

    /// <summary>Type of the resources that a profile is for.</summary>
    /// <exception cref="UnreadableDefinitionException">It is not known, or cannot be compiled; names file, element and reason.</exception>
    public string Require(string canonical)
    {
        var profile = compiler.Profile(canonical, out var problem);
        return profile?.Structure.Type
            ?? throw new UnreadableDefinitionException(
                Definitions.Find(DefinitionKind.Structure, canonical)?.Origin ?? canonical,
                "",
                problem ?? "no profile of that canonical is known here; is the package that defines it loaded?"
            );
    }

    /// <summary>Validates one resource inside a document, such as that of a Bundle entry: issues carry the path in the
    /// whole document and the entry; references find what the whole document holds.</summary>
    /// <param name="resource">The resource.</param>
    /// <param name="profiles">Profiles it must meet, beside base R4 and every known profile in <c>meta.profile</c>; null for none.</param>
    public Report Validate(FhirElement resource, IReadOnlyList<string>? profiles = null) =>
        new Walk(compiler, resource, clock).Run(profiles);

    /// <summary>Reads and validates a document; one that cannot be read has a fatal issue that says why and where.</summary>
    /// <param name="json">FHIR JSON in UTF-8; the array is kept, so it must not change afterwards.</param>
    /// <param name="profiles">Profiles it must meet, beside base R4 and every known profile in <c>meta.profile</c>; null for none.</param>
    /// <param name="limits">Bounds; null for <see cref="FhirJsonLimits.Default"/>.</param>
    public Report Validate(byte[] json, IReadOnlyList<string>? profiles = null, FhirJsonLimits? limits = null) =>
        FhirJson.Parse(json, out var fault, limits) is { } document
            ? Validate(document, profiles)
            : ReportWriter.Unreadable(fault!);
}
