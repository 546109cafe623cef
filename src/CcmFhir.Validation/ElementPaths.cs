using System.Globalization;

namespace CcmFhir.Validation;

/// <summary>FHIRPath of an element in its document, with indices: <c>Bundle.entry[3].resource.value</c>. Worked out only when something is reported.</summary>
internal static class ElementPaths
{
    /// <summary>The path of an element, or of a property of it that is not there.</summary>
    /// <param name="compiler">For types.</param>
    /// <param name="at">The element.</param>
    /// <param name="below">Name of the property; null for the element itself.</param>
    /// <param name="indexes">Where many paths are asked for, in document order: remembers where it was.</param>
    public static string Of(ProfileCompiler compiler, FhirElement at, string? below, ItemIndexes? indexes = null)
    {
        var path = Describe(compiler, at, indexes ?? new ItemIndexes(), out _);
        return below is null ? path : path + "." + below;
    }

    /// <summary>What an object is, for people: <c>Patient</c>, <c>Patient.contact</c>, <c>HumanName</c>.</summary>
    public static string TypeAt(ProfileCompiler compiler, FhirElement at)
    {
        _ = Describe(compiler, at, null, out var type);
        return type;
    }

    private static string Describe(ProfileCompiler compiler, FhirElement at, ItemIndexes? indexes, out string type)
    {
        var steps = new Stack<FhirElement>();
        for (var step = at; step.Exists; step = step.Parent)
        {
            steps.Push(step);
        }
        var root = steps.Pop();
        var link = compiler.ResourceType(root);
        var shape = link?.Shape;
        type = link?.Code ?? "Resource";
        var path = new System.Text.StringBuilder(type);
        var inArray = false;
        while (steps.TryPop(out var step))
        {
            if (inArray)
            {
                if (indexes is not null)
                {
                    path.Append(CultureInfo.InvariantCulture, $"[{indexes.Of(step)}]");
                }
                inArray = false;
            }
            else
            {
                (shape, type) = Property(compiler, shape, type, step, path);
                inArray = step.Kind == JsonKind.Array;
            }
            if (step.Kind == JsonKind.Object && compiler.ResourceType(step) is { } resource && type == "Resource")
            {
                (shape, type) = (resource.Shape, resource.Code);
            }
        }
        return path.ToString();
    }

    private static (Shape? Shape, string Type) Property(
        ProfileCompiler compiler,
        Shape? shape,
        string type,
        FhirElement step,
        System.Text.StringBuilder path
    )
    {
        var index = shape is null ? -1 : shape.Names.Find(step);
        if (index < 0)
        {
            path.Append('.').Append(Nearest.Shown(step.Name));
            return (null, "an element");
        }
        var entry = shape!.Entries[index];
        var slot = shape.Slots[entry.Slot];
        path.Append('.').Append(slot.Name);
        var link = slot.Types[entry.Type];
        if (entry.IsSibling)
        {
            return (compiler.PrimitiveChildren, link.Code);
        }
        if (slot.Inner is { IsType: true } inner)
        {
            return (inner, type + "." + slot.Name);
        }
        return link.IsAnyResource ? (null, "Resource")
            : link.IsPrimitive ? (null, link.Code)
            : (link.Shape, link.Code);
    }
}

/// <summary>Indexes of array items. Asked in document order each array is gone through once, however many items are asked for.</summary>
internal sealed class ItemIndexes
{
    private readonly Dictionary<int, (FhirElement Item, int Index)> last = [];

    /// <summary>Index of an item in its array, from 0.</summary>
    public int Of(FhirElement item)
    {
        var array = item.Parent;
        var (at, index) =
            last.TryGetValue(array.Index, out var known) && known.Item.Index <= item.Index
                ? known
                : (new FhirElement(array.Document, array.Index + 1), 0);
        while (at.Index < item.Index)
        {
            at = new FhirElement(at.Document, at.Document.EndOf(at));
            index++;
        }
        last[array.Index] = (item, index);
        return index;
    }
}
