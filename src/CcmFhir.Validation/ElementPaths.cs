using System.Globalization;

namespace CcmFhir.Validation;

/// <summary>FHIRPath of an element in its document, with indices: <c>Bundle.entry[3].resource.value</c>. Worked out only when something is reported.</summary>
internal static class ElementPaths
{
    /// <summary>The path of an element, or of a property of it that is not there.</summary>
    public static string Of(ProfileCompiler compiler, FhirElement at, string? below)
    {
        var path = Describe(compiler, at, out _);
        return below is null ? path : path + "." + below;
    }

    /// <summary>What an object is, for people: <c>Patient</c>, <c>Patient.contact</c>, <c>HumanName</c>.</summary>
    public static string TypeAt(ProfileCompiler compiler, FhirElement at)
    {
        _ = Describe(compiler, at, out var type);
        return type;
    }

    private static string Describe(ProfileCompiler compiler, FhirElement at, out string type)
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
                path.Append(CultureInfo.InvariantCulture, $"[{IndexOf(step)}]");
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

    private static int IndexOf(FhirElement item)
    {
        var index = 0;
        foreach (var one in item.Parent.Children)
        {
            if (one == item)
            {
                break;
            }
            index++;
        }
        return index;
    }
}
