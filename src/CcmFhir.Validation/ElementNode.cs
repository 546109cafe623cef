using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation;

/// <summary>The elements of one snapshot as a tree: children below their parent, slices beside the element that they slice.</summary>
internal sealed class ElementNode(StructureElement element, Structure structure, ElementNode? parent)
{
    private readonly Dictionary<string, ElementNode> children = new(StringComparer.Ordinal);

    public StructureElement Element => element;

    /// <summary>The structure whose snapshot it stands in.</summary>
    public Structure Structure => structure;

    /// <summary>The element above; for a slice, the one above the sliced element. Null for the root.</summary>
    public ElementNode? Parent => parent;

    public IReadOnlyCollection<ElementNode> Children => children.Values;

    /// <summary>Slices of this element in the order of definition; re-slices hang below their slice.</summary>
    public List<ElementNode> Slices { get; } = [];

    public ElementNode? Child(string name) => children.GetValueOrDefault(name);

    /// <summary>Builds the tree of a snapshot.</summary>
    /// <exception cref="UnreadableDefinitionException">An element stands below one that is not there.</exception>
    public static ElementNode Build(Structure structure)
    {
        if (structure.Elements.Count == 0)
        {
            throw new UnreadableDefinitionException(
                structure.Origin,
                structure.Url,
                "it has no snapshot, and none could be made from its differential."
            );
        }
        var root = new ElementNode(structure.Elements[0], structure, null);
        // The element at each depth that was read last: a snapshot lists children directly below their parent.
        var open = new List<ElementNode> { root };
        foreach (var element in structure.Elements.Skip(1))
        {
            var depth = element.Path.AsSpan().Count('.');
            if (depth == 0 || depth > open.Count)
            {
                throw new UnreadableDefinitionException(
                    structure.Origin,
                    element.Id,
                    "the snapshot has no element directly above it; a snapshot lists children below their parent."
                );
            }
            open.RemoveRange(depth, open.Count - depth);
            open.Add(Place(element, structure, open[depth - 1]));
        }
        return root;
    }

    private static ElementNode Place(StructureElement element, Structure structure, ElementNode parent)
    {
        var node = new ElementNode(element, structure, parent);
        if (element.SliceName is not { } slice)
        {
            parent.children[element.Name] = node;
            return node;
        }
        var name = element.Name;
        if (!parent.children.TryGetValue(name, out var sliced))
        {
            // A slice whose element is not listed first: by type shorthand (valueQuantity) or in a careless snapshot.
            parent.children[name] = node;
            return node;
        }
        for (var slash = slice.IndexOf('/', StringComparison.Ordinal); slash > 0; )
        {
            var outer = slice[..slash];
            if (sliced.Slices.Find(other => other.Element.SliceName == outer) is { } found)
            {
                sliced = found;
            }
            slash = slice.IndexOf('/', slash + 1);
        }
        sliced.Slices.Add(node);
        return node;
    }

    /// <inheritdoc/>
    public override string ToString() => element.Id;
}
