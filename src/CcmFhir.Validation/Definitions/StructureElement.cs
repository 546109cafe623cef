namespace CcmFhir.Validation.Definitions;

/// <summary>The computable facts of one ElementDefinition. Immutable.</summary>
public sealed record StructureElement
{
    /// <summary>Id with slice names: <c>Patient.extension:race.value[x]</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Path without slice names: <c>Patient.extension.value[x]</c>.</summary>
    public required string Path { get; init; }

    /// <summary>Name of the slice that this element opens; null otherwise. Re-slices have a slash: <c>a/b</c>.</summary>
    public string? SliceName { get; init; }

    /// <summary>Fewest occurrences; null only in a differential that says nothing.</summary>
    public int? Min { get; init; }

    /// <summary>Most occurrences; <see cref="int.MaxValue"/> for <c>*</c>; null only in a differential that says nothing.</summary>
    public int? Max { get; init; }

    /// <summary>Path in the type that first defined the element (<c>Resource.id</c> for <c>Patient.id</c>); null when not stated.</summary>
    public string? BasePath { get; init; }

    /// <summary>Fewest occurrences in the base type; null when not stated.</summary>
    public int? BaseMin { get; init; }

    /// <summary>Most occurrences in the base type (is it an array in JSON?); null when not stated.</summary>
    public int? BaseMax { get; init; }

    /// <summary>Allowed types; empty for a content reference and for the root of a snapshot.</summary>
    public IReadOnlyList<ElementType> Types { get; init; } = [];

    /// <summary>As written (<c>#Bundle.link</c>): the element has the content of that element; null otherwise.</summary>
    public string? ContentReference { get; init; }

    /// <summary>The value must be exactly this; null when free.</summary>
    public TypedValue? Fixed { get; init; }

    /// <summary>The value must contain at least this; null when free.</summary>
    public TypedValue? Pattern { get; init; }

    /// <summary>Smallest value, inclusive (a Duration-like Quantity for dates is relative to now); null when free.</summary>
    public TypedValue? MinValue { get; init; }

    /// <summary>Largest value, inclusive; null when free.</summary>
    public TypedValue? MaxValue { get; init; }

    /// <summary>Most characters of a string; null when free.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Fewest characters (extension <c>minLength</c>); null when free.</summary>
    public int? MinLength { get; init; }

    /// <summary>The ValueSet its codes come from; null when none is named.</summary>
    public ElementBinding? Binding { get; init; }

    /// <summary>Invariants of the element, inherited ones included in a snapshot.</summary>
    public IReadOnlyList<ElementConstraint> Constraints { get; init; } = [];

    /// <summary>How repetitions (or types) are told apart, where slices follow; null otherwise.</summary>
    public ElementSlicing? Slicing { get; init; }

    /// <summary>The slice constrains a slice of the base profile (<c>sliceIsConstraining</c>).</summary>
    public bool SliceIsConstraining { get; init; }

    /// <summary>Whoever does not know it cannot understand the resource.</summary>
    public bool IsModifier { get; init; }

    /// <summary>Part of the summary view.</summary>
    public bool IsSummary { get; init; }

    /// <summary>Senders and receivers must be able to handle it.</summary>
    public bool MustSupport { get; init; }

    /// <summary>An attribute in XML (<c>representation = xmlAttr</c>).</summary>
    public bool IsXmlAttribute { get; init; }

    /// <summary>One line of what it is; empty when not stated.</summary>
    public string Short { get; init; } = "";

    /// <summary>Last part of the path, <c>[x]</c> included: <c>value[x]</c>.</summary>
    public string Name => Path[(Path.LastIndexOf('.') + 1)..];

    /// <summary>True for <c>value[x]</c> and its like.</summary>
    public bool IsChoice => Path.EndsWith("[x]", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => Id;
}

/// <summary>One type that an element may have.</summary>
/// <param name="Code">Type name (<c>string</c>, <c>Reference</c>), or a FHIRPath system type
/// (<c>http://hl7.org/fhirpath/System.String</c>) on the value of a primitive and on <c>Element.id</c>.</param>
/// <param name="Profiles">Profiles of which the value must meet one; empty when any will do.</param>
/// <param name="TargetProfiles">For Reference and canonical: profiles of which the target must meet one.</param>
/// <param name="Aggregation">contained, referenced, bundled; empty when any will do.</param>
/// <param name="Versioning">either, independent, specific; null when not stated.</param>
/// <param name="Regex">Regular expression of a primitive's value (whole text); null when there is none.</param>
public sealed record ElementType(
    string Code,
    IReadOnlyList<string> Profiles,
    IReadOnlyList<string> TargetProfiles,
    IReadOnlyList<string> Aggregation,
    string? Versioning,
    string? Regex
);

/// <summary>A value with its type: <c>fixedCode</c> is ("code", "abc").</summary>
/// <param name="Type">FHIR type name: <c>code</c>, <c>CodeableConcept</c>.</param>
/// <param name="Value">The value in the JSON of its definition.</param>
public sealed record TypedValue(string Type, FhirElement Value);

/// <summary>FHIR <c>binding-strength</c>.</summary>
public enum BindingStrength
{
    /// <summary>Must be from the set.</summary>
    Required,

    /// <summary>From the set where it has a fitting concept.</summary>
    Extensible,

    /// <summary>Encouraged.</summary>
    Preferred,

    /// <summary>For illustration.</summary>
    Example,
}

/// <summary>A binding to a ValueSet.</summary>
/// <param name="Strength">How binding it is.</param>
/// <param name="ValueSet">Canonical, perhaps with |version; null when the set is only described.</param>
/// <param name="MaxValueSet">Canonical that codes must come from at least (extension <c>maxValueSet</c>); null when there is none.</param>
public sealed record ElementBinding(BindingStrength Strength, string? ValueSet, string? MaxValueSet);

/// <summary>An invariant.</summary>
/// <param name="Key">Its key: <c>dom-2</c>.</param>
/// <param name="IsError">Error, or only warning.</param>
/// <param name="Human">What it says, for people.</param>
/// <param name="Expression">FHIRPath; null when there is only prose.</param>
/// <param name="Source">Canonical of the structure it comes from; null when not stated.</param>
/// <param name="IsBestPractice">A warning that a policy may raise (extension <c>bestpractice</c>).</param>
public sealed record ElementConstraint(
    string Key,
    bool IsError,
    string Human,
    string? Expression,
    string? Source,
    bool IsBestPractice
);

/// <summary>FHIR <c>resource-slicing-rules</c>.</summary>
public enum SlicingRules
{
    /// <summary>Others may stand anywhere.</summary>
    Open,

    /// <summary>No others.</summary>
    Closed,

    /// <summary>Others only at the end.</summary>
    OpenAtEnd,
}

/// <summary>How the slices of an element are told apart.</summary>
/// <param name="Discriminators">In order; empty when slices are told apart by the types of a choice or not at all.</param>
/// <param name="Rules">What may stand beside the slices.</param>
/// <param name="Ordered">Slices come in the order of their definition.</param>
public sealed record ElementSlicing(IReadOnlyList<SliceDiscriminator> Discriminators, SlicingRules Rules, bool Ordered);

/// <summary>One discriminator.</summary>
/// <param name="Type">value, exists, pattern, type or profile.</param>
/// <param name="Path">Restricted FHIRPath from the sliced element: <c>$this</c>, <c>code.coding</c>, <c>value.ofType(Quantity)</c>, <c>resolve()</c>.</param>
public sealed record SliceDiscriminator(string Type, string Path);
