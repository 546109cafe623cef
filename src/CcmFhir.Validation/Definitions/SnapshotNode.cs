using System.Text.Json.Nodes;

namespace CcmFhir.Validation.Definitions;

/// <summary>One element of a snapshot while it is being built: its facts, and its place in a tree, so that ids and paths
/// are known only at the end and nothing has to be renamed when a part is copied elsewhere.</summary>
internal sealed class SnapshotNode(string name, string? slice, JsonObject facts)
{
    /// <summary>Last part of the path: <c>value[x]</c>; of the root: the type.</summary>
    public string Name => name;

    /// <summary>Slice name; null for the element itself.</summary>
    public string? Slice => slice;

    /// <summary>The ElementDefinition, id and path apart.</summary>
    public JsonObject Facts => facts;

    /// <summary>The node that this one was copied from: what the base says, whatever is laid over it here.</summary>
    public SnapshotNode? Source { get; private init; }

    /// <summary>Children in order; slices stand right behind the element they slice.</summary>
    public List<SnapshotNode> Children { get; } = [];

    /// <summary>The tree of a snapshot.</summary>
    /// <param name="elements">Its elements in order; the first is the root.</param>
    public static SnapshotNode Read(IEnumerable<JsonObject> elements)
    {
        SnapshotNode? root = null;
        // The nodes from the root down to the last one read.
        var open = new List<(string Path, SnapshotNode Node)>();
        foreach (var element in elements)
        {
            var path = (string)element["path"]!;
            while (open.Count > 0 && !IsBelow(path, open[^1].Path))
            {
                open.RemoveAt(open.Count - 1);
            }
            var node = new SnapshotNode(
                open.Count == 0 ? path : path[(open[^1].Path.Length + 1)..],
                (string?)element["sliceName"],
                element.DeepClone().AsObject()
            );
            if (open.Count > 0)
            {
                open[^1].Node.Children.Add(node);
            }
            else
            {
                root ??= node;
            }
            open.Add((path, node));
        }
        return root ?? throw new ArgumentException("A snapshot has at least its root.", nameof(elements));

        static bool IsBelow(string path, string above) =>
            path.Length > above.Length && path[above.Length] == '.' && path.StartsWith(above, StringComparison.Ordinal);
    }

    /// <summary>A copy with everything below it.</summary>
    public SnapshotNode Copy() => Copy(name, slice);

    /// <summary>A copy with everything below it, as another slice.</summary>
    public SnapshotNode Copy(string asName, string? asSlice)
    {
        var copy = new SnapshotNode(asName, asSlice, facts.DeepClone().AsObject()) { Source = this };
        copy.Children.AddRange(Children.Select(child => child.Copy()));
        return copy;
    }

    /// <summary>The elements in order, each with its id, path and slice name.</summary>
    public IEnumerable<JsonObject> Flatten() => Flatten(name, name);

    private IEnumerable<JsonObject> Flatten(string id, string path)
    {
        var element = new JsonObject { ["id"] = id, ["path"] = path };
        if (slice is not null)
        {
            element["sliceName"] = slice;
        }
        foreach (var (key, value) in facts)
        {
            if (key is not ("id" or "path" or "sliceName"))
            {
                element[key] = value?.DeepClone();
            }
        }
        yield return element;
        foreach (var child in Children)
        {
            var childId = child.Slice is null ? $"{id}.{child.Name}" : $"{id}.{child.Name}:{child.Slice}";
            foreach (var below in child.Flatten(childId, $"{path}.{child.Name}"))
            {
                yield return below;
            }
        }
    }
}
