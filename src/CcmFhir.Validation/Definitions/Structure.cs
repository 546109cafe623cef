namespace CcmFhir.Validation.Definitions;

/// <summary>FHIR <c>structure-definition-kind</c>.</summary>
public enum StructureKind
{
    /// <summary>A primitive such as <c>date</c>.</summary>
    PrimitiveType,

    /// <summary>A complex datatype such as <c>Period</c>; extensions too.</summary>
    ComplexType,

    /// <summary>A resource.</summary>
    Resource,

    /// <summary>A logical model: never an instance that is exchanged.</summary>
    Logical,
}

/// <summary>Where an extension may stand (<c>StructureDefinition.context</c>).</summary>
/// <param name="Type">element, extension or fhirpath.</param>
/// <param name="Expression">A path such as <c>Patient.contact</c>, an extension's canonical, or a FHIRPath.</param>
public sealed record ExtensionContext(string Type, string Expression);

/// <summary>The computable facts of one FHIR StructureDefinition: a type, a profile or an extension. Immutable.</summary>
public sealed record Structure
{
    /// <summary>Canonical, without version.</summary>
    public required string Url { get; init; }

    /// <summary>Business version; null when it states none.</summary>
    public string? Version { get; init; }

    /// <summary>Computer name (<c>CarePlan</c>, <c>USCorePatientProfile</c>).</summary>
    public required string Name { get; init; }

    /// <summary>Kind of thing that is defined.</summary>
    public required StructureKind Kind { get; init; }

    /// <summary>The type it defines or constrains: <c>Patient</c>, <c>Extension</c>; for a logical model often a URL.</summary>
    public required string Type { get; init; }

    /// <summary>Canonical of the structure it builds on (may carry |version); null for Element and Resource.</summary>
    public string? BaseDefinition { get; init; }

    /// <summary>True for a profile (derivation = constraint); false for a type of its own.</summary>
    public bool IsConstraint { get; init; }

    /// <summary>True when it constrains a type of R4; some authors call such a profile a specialization, its url gives it away.</summary>
    public bool IsProfile =>
        IsConstraint
        || (
            Kind != StructureKind.Logical
            && Url != "http://hl7.org/fhir/StructureDefinition/" + Type
            && BaseDefinition is not null
        );

    /// <summary>True for types that have no instances of their own (Resource, DomainResource, Element, BackboneElement).</summary>
    public bool IsAbstract { get; init; }

    /// <summary>FHIR version it is written for, e.g. <c>4.0.1</c>; null when it states none.</summary>
    public string? FhirVersion { get; init; }

    /// <summary>For an extension: where it may stand. Any one of them suffices.</summary>
    public IReadOnlyList<ExtensionContext> Contexts { get; init; } = [];

    /// <summary>For an extension: FHIRPath that must all be true on the element that holds it.</summary>
    public IReadOnlyList<string> ContextInvariants { get; init; } = [];

    /// <summary>The snapshot, in document order; the first is the root. Of a structure published with a differential only it is
    /// built from its base.</summary>
    public required IReadOnlyList<StructureElement> Elements { get; init; }

    /// <summary>File (or package and file) that it was read from, for messages.</summary>
    public string Origin { get; init; } = "";

    /// <summary>The snapshot's root element.</summary>
    public StructureElement Root => Elements[0];

    /// <inheritdoc/>
    public override string ToString() => Version is null ? Url : $"{Url}|{Version}";
}
