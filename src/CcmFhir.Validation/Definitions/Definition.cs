namespace CcmFhir.Validation.Definitions;

/// <summary>Kinds of definition that validation and search need.</summary>
public enum DefinitionKind
{
    /// <summary>A StructureDefinition.</summary>
    Structure,

    /// <summary>A ValueSet.</summary>
    ValueSet,

    /// <summary>A CodeSystem.</summary>
    CodeSystem,

    /// <summary>A SearchParameter.</summary>
    SearchParameter,

    /// <summary>A CompartmentDefinition.</summary>
    Compartment,
}

/// <summary>One definition, read only when it is first needed. Safe to use from many threads.</summary>
/// <param name="kind">Kind.</param>
/// <param name="url">Canonical, without version.</param>
/// <param name="version">Business version; null when it states none.</param>
/// <param name="origin">File it comes from, for messages.</param>
/// <param name="read">Reads its JSON; called again only if two threads ask at once.</param>
public sealed class Definition(DefinitionKind kind, string url, string? version, string origin, Func<FhirElement> read)
{
    private FhirJson? document;
    private Structure? structure;

    /// <summary>Kind.</summary>
    public DefinitionKind Kind => kind;

    /// <summary>Canonical, without version.</summary>
    public string Url => url;

    /// <summary>Business version; null when it states none.</summary>
    public string? Version => version;

    /// <summary>File it comes from, for messages.</summary>
    public string Origin => origin;

    /// <summary>For a CodeSystem that is a supplement: canonical of the system that it adds to; null otherwise.</summary>
    public string? Supplements { get; init; }

    /// <summary>Its JSON; definitions of the base pack hold computable facts only.</summary>
    public FhirElement Json =>
        (document ?? Interlocked.CompareExchange(ref document, read().Document, null) ?? document).Root;

    /// <summary>The StructureDefinition read.</summary>
    internal Structure Structure =>
        structure ?? Interlocked.CompareExchange(ref structure, StructureReader.Read(Json, origin), null) ?? structure;

    /// <inheritdoc/>
    public override string ToString() => version is null ? url : $"{url}|{version}";
}
