using System.Collections.Concurrent;
using System.Text;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.FhirPath;

/// <summary>The types that expressions are evaluated over, read from the definitions as they are needed. Thread-safe.</summary>
public sealed class TypeModel
{
    private readonly DefinitionSet? definitions;
    private readonly ConcurrentDictionary<string, TypeShape?> shapes = new(StringComparer.Ordinal);

    /// <summary>A model of these definitions.</summary>
    /// <param name="definitions">Where types are found; null when none are known, so that choices are told by their names alone.</param>
    public TypeModel(DefinitionSet? definitions) => this.definitions = definitions;

    /// <summary>A model that knows no type.</summary>
    public static TypeModel Structural { get; } = new(null);

    /// <summary>The shape of a type (<c>Patient</c>, <c>code</c>) or of an element with content of its own (<c>Patient.contact</c>).</summary>
    /// <returns>Null when it is not known.</returns>
    public TypeShape? Find(string typeOrPath)
    {
        ArgumentNullException.ThrowIfNull(typeOrPath);
        return shapes.TryGetValue(typeOrPath, out var known) ? known : shapes.GetOrAdd(typeOrPath, Read(typeOrPath));
    }

    /// <summary>The shape of a resource, by its <c>resourceType</c>; null when that is missing or not known.</summary>
    public TypeShape? OfResource(FhirElement resource)
    {
        var type = resource["resourceType"u8];
        if (type.Kind != JsonKind.String || type.Length > 66)
        {
            return null;
        }
        Span<char> name = stackalloc char[64];
        var raw = type.Raw[1..^1];
        if (!Ascii.IsValid(raw))
        {
            return null;
        }
        var length = Encoding.ASCII.GetChars(raw, name);
        return shapes.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name[..length], out var known)
            ? known
            : Known(name[..length].ToString());
    }

    // A name that comes from an instance is remembered only when it is a type, so that no instance can fill the memory.
    private TypeShape? Known(string name) => definitions?.StructureOfType(name) is null ? null : Find(name);

    private TypeShape? Read(string typeOrPath)
    {
        var dot = typeOrPath.IndexOf('.', StringComparison.Ordinal);
        var type = dot < 0 ? typeOrPath : typeOrPath[..dot];
        if (definitions?.StructureOfType(type) is not { } structure)
        {
            return null;
        }
        if (dot < 0)
        {
            var parent = structure.BaseDefinition is { } canonical
                ? Find(canonical[(canonical.LastIndexOf('/') + 1)..])
                : null;
            return new TypeShape(this, structure, type, type, parent, SystemOf(type, structure, parent));
        }
        var element = structure.Elements.FirstOrDefault(element =>
            string.Equals(element.Path, typeOrPath, StringComparison.Ordinal)
        );
        if (element is null)
        {
            return null;
        }
        return element.Types is [{ Code: "Element" or "BackboneElement" } inline, ..]
            ? new TypeShape(this, structure, inline.Code, typeOrPath, Find(inline.Code), FhirPathKind.None)
            : null;
    }

    private static FhirPathKind SystemOf(string type, Structure structure, TypeShape? parent) =>
        type switch
        {
            "boolean" => FhirPathKind.Boolean,
            "integer" => FhirPathKind.Integer,
            "decimal" => FhirPathKind.Decimal,
            "date" => FhirPathKind.Date,
            "dateTime" or "instant" => FhirPathKind.DateTime,
            "time" => FhirPathKind.Time,
            "Quantity" => FhirPathKind.Quantity,
            _ when parent is { System: not FhirPathKind.None } => parent.System,
            _ when structure.Kind == StructureKind.PrimitiveType => FhirPathKind.String,
            _ => FhirPathKind.None,
        };
}
