using System.Text.Json.Nodes;

namespace CcmFhir.Validation.Definitions;

/// <summary>One element of a differential in its place: what stands between it and the root is there even where the author left it out.</summary>
internal sealed class DifferentialNode(string name, string? slice)
{
    /// <summary>Last part of the path.</summary>
    public string Name => name;

    /// <summary>Slice name; null for the element itself.</summary>
    public string? Slice => slice;

    /// <summary>What the author says; null where only something below is mentioned.</summary>
    public JsonObject? Facts { get; private set; }

    /// <summary>Children in the author's order.</summary>
    public List<DifferentialNode> Children { get; } = [];

    /// <summary>The tree of a differential.</summary>
    /// <param name="elements">Its elements in order.</param>
    /// <param name="type">The type that is constrained: first part of every path.</param>
    /// <param name="origin">For messages.</param>
    public static DifferentialNode Read(IEnumerable<JsonObject> elements, string type, string origin)
    {
        var root = new DifferentialNode(type, null);
        // Where a path was last seen: without ids, that is whom its children belong to.
        var last = new Dictionary<string, DifferentialNode>(StringComparer.Ordinal) { [type] = root };
        foreach (var element in elements)
        {
            var path =
                (string?)element["path"]
                ?? throw new UnreadableDefinitionException(origin, "differential", "an element needs a path.");
            var parts = path.Split('.');
            if (parts[0] != type)
            {
                throw new UnreadableDefinitionException(
                    origin,
                    path,
                    $"the path does not begin with the type that is constrained, '{type}'."
                );
            }
            var slices = Slices(element, parts);
            var node = root;
            for (var depth = 1; depth < parts.Length; depth++)
            {
                var isLast = depth == parts.Length - 1;
                var prefix = string.Join('.', parts[..(depth + 1)]);
                if (isLast)
                {
                    var own = (string?)element["sliceName"] ?? slices?[depth];
                    node = node.Child(parts[depth], own);
                }
                else if (slices is not null)
                {
                    node = node.Child(parts[depth], slices[depth]);
                }
                else
                {
                    node =
                        last.TryGetValue(prefix, out var seen) && node.Children.Contains(seen)
                            ? seen
                            : node.Child(parts[depth], null);
                }
                last[prefix] = node;
            }
            node.Facts = node.Facts is null ? element : Both(node.Facts, element);
        }
        return root;
    }

    private DifferentialNode Child(string childName, string? childSlice)
    {
        var child = Children.Find(other => other.Name == childName && other.Slice == childSlice);
        if (child is null)
        {
            child = new DifferentialNode(childName, childSlice);
            Children.Add(child);
        }
        return child;
    }

    /// <summary>Slice names along the id, one for each part of the path; null where the id does not fit the path.</summary>
    private static string?[]? Slices(JsonObject element, string[] path)
    {
        if ((string?)element["id"] is not { } id)
        {
            return null;
        }
        var parts = id.Split('.');
        if (parts.Length != path.Length)
        {
            return null;
        }
        var slices = new string?[parts.Length];
        for (var depth = 0; depth < parts.Length; depth++)
        {
            var colon = parts[depth].IndexOf(':', StringComparison.Ordinal);
            if ((colon < 0 ? parts[depth] : parts[depth][..colon]) != path[depth])
            {
                return null;
            }
            slices[depth] = colon < 0 ? null : parts[depth][(colon + 1)..];
        }
        return slices;
    }

    /// <summary>The same element said twice (some tools write slicing and constraint apart): the later word wins.</summary>
    private static JsonObject Both(JsonObject first, JsonObject second)
    {
        var both = first.DeepClone().AsObject();
        foreach (var (key, value) in second)
        {
            both[key] = value?.DeepClone();
        }
        return both;
    }
}
