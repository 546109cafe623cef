using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;

namespace CcmFhir.Validation.Tests.Mutations;

/// <summary>One element of a valid sample: where a fault can be put.</summary>
/// <param name="Value">Its value; not there for a primitive that has only extensions.</param>
/// <param name="Property">The JSON property that holds it: the value itself, or its array.</param>
/// <param name="Path">FHIRPath with indices.</param>
/// <param name="Element">What the base says of it.</param>
/// <param name="Type">Its type.</param>
/// <param name="Owner">The element that holds it; null for the resource.</param>
internal sealed record Spot(
    FhirElement Value,
    FhirElement Property,
    string Path,
    StructureElement Element,
    TypeShape Type,
    Spot? Owner
)
{
    /// <summary>The spot of the resource that it stands in.</summary>
    public Spot Resource => Owner is null || Type.Is("Resource") ? this : Owner.Resource;

    /// <summary>It is or repeats in an array.</summary>
    public bool IsInArray => Property.Kind == JsonKind.Array;

    /// <summary>The type as FHIR names it, of a primitive that has a value here; null otherwise.</summary>
    public string? Primitive => Type.IsPrimitive && Value.Exists && Value.Kind != JsonKind.Null ? Type.Name : null;

    public bool IsObject => Value.Kind == JsonKind.Object;
}

/// <summary>A valid resource, all its elements, and what the faults put into it must contradict.</summary>
internal sealed class Sample
{
    private static readonly TypeModel Types = new(BaseDefinitions.R4);

    public Sample(string file, string? profile = null)
    {
        Name = Path.GetRelativePath(NpmPackage.Repository, file);
        Profile = profile is null ? null : CcmPackage.OnR4.Structure(profile).ShouldNotBeNull(profile);
        Document = FhirJson.Parse(File.ReadAllBytes(file), out _).ShouldNotBeNull(file);
        var spots = new List<Spot>();
        AddResource(Document.Root, Document.Root, null, null, spots);
        Spots = spots;
    }

    public string Name { get; }

    public FhirJson Document { get; }

    /// <summary>The profile that the sample is an example of; null for the base.</summary>
    public Structure? Profile { get; }

    /// <summary>All elements, the resource first.</summary>
    public IReadOnlyList<Spot> Spots { get; }

    /// <summary>The resource itself.</summary>
    public Spot Root => Spots[0];

    private static void AddResource(
        FhirElement resource,
        FhirElement property,
        string? path,
        Spot? owner,
        List<Spot> spots
    )
    {
        var type = Types.OfResource(resource).ShouldNotBeNull();
        var structure = BaseDefinitions.R4.StructureOfType(type.Name)!;
        var spot = new Spot(resource, property, path ?? type.Name, structure.Root, type, owner);
        spots.Add(spot);
        AddChildren(spot, structure, type.Name, spots);
    }

    private static void AddChildren(Spot owner, Structure structure, string path, List<Spot> spots)
    {
        var type = owner.Type;
        if (!owner.IsObject)
        {
            return;
        }
        foreach (var property in owner.Value.Children)
        {
            if (!type.TryProperty(property.NameUtf8, out var shape) || shape.Type is null)
            {
                continue;
            }
            var name = type
                .Elements.First(element => Array.Exists(element.Properties, other => other.Name == shape.Name))
                .Name;
            var element = structure.Elements.First(element =>
                element.Path == $"{path}.{name}" || element.Path == $"{path}.{name}[x]"
            );
            var place = 0;
            foreach (var item in property.Items)
            {
                var index = property.Kind == JsonKind.Array ? $"[{place++}]" : "";
                var below = $"{owner.Path}.{name}{index}";
                if (shape.Type.IsAnyResource)
                {
                    AddResource(item, property, below, owner, spots);
                    continue;
                }
                var spot = new Spot(item, property, below, element, shape.Type, owner);
                spots.Add(spot);
                if (element.ContentReference is { } reference)
                {
                    AddChildren(
                        spot,
                        structure,
                        reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..],
                        spots
                    );
                }
                else if (shape.Type.Name is "BackboneElement" or "Element")
                {
                    AddChildren(spot, structure, element.Path, spots);
                }
                else
                {
                    AddChildren(spot, BaseDefinitions.R4.StructureOfType(shape.Type.Name)!, shape.Type.Name, spots);
                }
            }
        }
    }
}
