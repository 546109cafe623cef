using System.Collections.Concurrent;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Fhir;

/// <summary>What an element of R4 looks like: what is needed to write it, or to put one into a resource.</summary>
/// <param name="Name">Name without <c>[x]</c>.</param>
/// <param name="IsChoice">Its JSON name ends in its type.</param>
/// <param name="Repeats">It is an array in JSON.</param>
/// <param name="IsAttribute">It is an attribute in XML.</param>
/// <param name="Types">Its types.</param>
/// <param name="IsSummary">It is part of the summary view.</param>
/// <param name="IsRequired">Every instance has it.</param>
/// <param name="Content">Where its own elements are found: a type (<c>Period</c>) or a path (<c>Task.input</c>).</param>
internal sealed record ElementShape(
    string Name,
    bool IsChoice,
    bool Repeats,
    bool IsAttribute,
    bool IsSummary,
    bool IsRequired,
    IReadOnlyList<string> Types,
    string Content
)
{
    private static readonly ConcurrentDictionary<string, IReadOnlyList<ElementShape>> Known = new(
        StringComparer.Ordinal
    );

    /// <summary>The elements below a type or path, in the order of the definition; empty for a primitive and for what R4 does not know.</summary>
    public static IReadOnlyList<ElementShape> Below(string content) => Known.GetOrAdd(content, Read);

    /// <summary>The element that a JSON property of that name (without underscore) is; null when there is none.</summary>
    public static ElementShape? Find(string content, string name)
    {
        foreach (var shape in Below(content))
        {
            if (shape.TypeOf(name) is not null)
            {
                return shape;
            }
        }
        return null;
    }

    /// <summary>The JSON names that it may have.</summary>
    public IEnumerable<string> JsonNames() => IsChoice ? Types.Select(NameOf) : [Name];

    /// <summary>The JSON name of a choice with that type.</summary>
    public string NameOf(string type) => Name + char.ToUpperInvariant(type[0]) + type[1..];

    /// <summary>The type of a JSON property, when it is this element; else null.</summary>
    public string? TypeOf(string name)
    {
        if (!IsChoice)
        {
            return name == Name ? Content : null;
        }
        if (!name.StartsWith(Name, StringComparison.Ordinal))
        {
            return null;
        }
        var suffix = name.AsSpan(Name.Length);
        foreach (var type in Types)
        {
            if (
                suffix.Length == type.Length
                && suffix[0] == char.ToUpperInvariant(type[0])
                && suffix[1..].SequenceEqual(type.AsSpan(1))
            )
            {
                return type;
            }
        }
        return null;
    }

    /// <summary>The type is a primitive, with a value and an underscore twin.</summary>
    public static bool IsPrimitive(string type) => Primitives.IsName(type);

    private static IReadOnlyList<ElementShape> Read(string content)
    {
        var dot = content.IndexOf('.', StringComparison.Ordinal);
        var structure = BaseDefinitions.R4.StructureOfType(dot < 0 ? content : content[..dot]);
        if (structure is null)
        {
            return [];
        }
        var shapes = new List<ElementShape>();
        foreach (var element in structure.Elements)
        {
            if (
                element.Path.Length <= content.Length + 1
                || !element.Path.StartsWith(content, StringComparison.Ordinal)
                || element.Path[content.Length] != '.'
                || element.Path.IndexOf('.', content.Length + 1) >= 0
            )
            {
                continue;
            }
            var name = element.IsChoice ? element.Name[..^3] : element.Name;
            var types = element.Types.Select(type => Plain(type.Code)).ToList();
            shapes.Add(
                new ElementShape(
                    name,
                    element.IsChoice,
                    (element.BaseMax ?? element.Max ?? 1) > 1,
                    element.IsXmlAttribute,
                    element.IsSummary,
                    (element.Min ?? 0) > 0,
                    types,
                    element.ContentReference is { } reference
                            ? reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..]
                        : types is ["BackboneElement" or "Element"] ? element.Path
                        : types.Count > 0 ? types[0]
                        : element.Path
                )
            );
        }
        return shapes;
    }

    // Ids and values of primitives have FHIRPath's own types.
    private static string Plain(string code) =>
        code.StartsWith("http://hl7.org/fhirpath/System.", StringComparison.Ordinal) ? "string" : code;
}
