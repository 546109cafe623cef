using System.Text;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.FhirPath;

/// <summary>What FHIRPath needs to know of a FHIR type (or of a backbone element): its name, what it derives from, its elements. Immutable.</summary>
public sealed class TypeShape
{
    private readonly TypeModel model;
    private readonly Structure? structure;
    private readonly string path;
    private ElementShape[]? elements;

    internal TypeShape(
        TypeModel model,
        Structure? structure,
        string name,
        string path,
        TypeShape? parent,
        FhirPathKind system
    )
    {
        this.model = model;
        this.structure = structure;
        this.path = path;
        Name = name;
        Base = parent;
        System = system;
    }

    /// <summary>Name of the type: <c>Patient</c>, <c>HumanName</c>, <c>code</c>; <c>BackboneElement</c> for an element with content of its own.</summary>
    public string Name { get; }

    /// <summary>The type it derives from; null for Element and Resource.</summary>
    public TypeShape? Base { get; }

    /// <summary>The system type that a primitive (or a Quantity) counts as; None for everything else.</summary>
    internal FhirPathKind System { get; }

    internal bool IsPrimitive => System is not (FhirPathKind.None or FhirPathKind.Quantity);

    /// <summary>Some resource: which one is read from the instance.</summary>
    internal bool IsAnyResource => Name is "Resource" or "DomainResource";

    internal ElementShape[] Elements => elements ??= ReadElements();

    /// <summary>The type is this one or derives from it.</summary>
    public bool Is(string name)
    {
        for (var type = this; type is not null; type = type.Base)
        {
            if (string.Equals(type.Name, name, StringComparison.Ordinal))
            {
                return true;
            }
        }
        return false;
    }

    /// <inheritdoc/>
    public override string ToString() => path;

    internal ElementShape? Child(string name) =>
        Array.Find(Elements, element => string.Equals(element.Name, name, StringComparison.Ordinal));

    /// <summary>Which element a JSON property is, and of which type.</summary>
    internal bool TryProperty(ReadOnlySpan<byte> property, out PropertyShape found)
    {
        foreach (var element in Elements)
        {
            foreach (var candidate in element.Properties)
            {
                if (property.SequenceEqual(candidate.Name))
                {
                    found = candidate;
                    return true;
                }
            }
        }
        found = default;
        return false;
    }

    private ElementShape[] ReadElements()
    {
        if (structure is null)
        {
            return [];
        }
        var shapes = new List<ElementShape>();
        foreach (var element in structure.Elements)
        {
            if (
                element.Path.Length <= path.Length + 1
                || element.Path[path.Length] != '.'
                || !element.Path.StartsWith(path, StringComparison.Ordinal)
                || element.Path.IndexOf('.', path.Length + 1) >= 0
                || element.SliceName is not null
                || (IsPrimitive && element.Name is "value")
            )
            {
                continue;
            }
            if (element.IsChoice)
            {
                var name = element.Name[..^3];
                shapes.Add(
                    new ElementShape(
                        name,
                        isChoice: true,
                        [
                            .. element
                                .Types.DistinctBy(type => type.Code)
                                .Select(type => new PropertyShape(
                                    Encoding.UTF8.GetBytes(name + char.ToUpperInvariant(type.Code[0]) + type.Code[1..]),
                                    model.Find(type.Code)
                                )),
                        ]
                    )
                );
                continue;
            }
            var shape = element.ContentReference is { } reference
                ? model.Find(reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..])
                : TypeOf(element);
            shapes.Add(
                new ElementShape(
                    element.Name,
                    isChoice: false,
                    [new PropertyShape(Encoding.UTF8.GetBytes(element.Name), shape)]
                )
            );
        }
        return [.. shapes];
    }

    private TypeShape? TypeOf(StructureElement element)
    {
        if (element.Types.Count == 0)
        {
            return null;
        }
        var code = element.Types[0].Code;
        if (code.StartsWith("http://hl7.org/fhirpath/", StringComparison.Ordinal))
        {
            // The base says System.String here; what FHIR means stands in an extension of the definition.
            return model.Find(
                element switch
                {
                    { Path: "Extension.url" } => "uri",
                    { BasePath: "Resource.id" } => "id",
                    _ => "string",
                }
            );
        }
        return code is "BackboneElement" or "Element" ? model.Find(element.Path) : model.Find(code);
    }
}

/// <summary>One element of a type, and the JSON properties it may come as.</summary>
/// <param name="name">Name in FHIRPath: <c>value</c> for <c>value[x]</c>.</param>
/// <param name="isChoice">It is a choice of types.</param>
/// <param name="properties">JSON properties: one, or one for each type of a choice.</param>
internal sealed class ElementShape(string name, bool isChoice, PropertyShape[] properties)
{
    public string Name => name;

    public bool IsChoice => isChoice;

    public PropertyShape[] Properties => properties;
}

/// <summary>A JSON property and the type of its value where it is known.</summary>
internal readonly record struct PropertyShape(byte[] Name, TypeShape? Type);
