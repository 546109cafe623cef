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

    internal ProfileCompiler Compiler => compiler;

    /// <summary>The same set with a clock, for the rules of profiles that say now() or today(); without one they are not checked.</summary>
    public ProfileSet WithClock(TimeProvider time) => new(Definitions, compiler, time);

    /// <summary>Base R4, the profiles of this product, and definitions from files.</summary>
    /// <param name="extraDefinitionPaths">FHIR packages (packed or unpacked), folders, or single files; what comes first wins where the
    /// same version of a definition comes twice.</param>
    /// <exception cref="UnreadableDefinitionException">A path cannot be read, or holds a profile that cannot be compiled; names file,
    /// element and reason.</exception>
    public static ProfileSet Load(IEnumerable<string> extraDefinitionPaths)
    {
        ArgumentNullException.ThrowIfNull(extraDefinitionPaths);
        return new ProfileSet(CcmPackage.OnR4.With(extraDefinitionPaths.SelectMany(PackageLoader.Load)));
    }

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
