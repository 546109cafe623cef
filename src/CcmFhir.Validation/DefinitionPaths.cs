namespace CcmFhir.Validation;

/// <summary>All the ways in which definitions name the place of an element: <c>Patient.name.given</c>, <c>HumanName.given</c>, <c>string</c>, <c>Element</c>.</summary>
internal static class DefinitionPaths
{
    public static HashSet<string> Of(ProfileCompiler compiler, FhirElement at)
    {
        var steps = new Stack<FhirElement>();
        for (var step = at; step.Exists; step = step.Parent)
        {
            steps.Push(step);
        }
        var paths = new List<string>();
        Shape? shape = null;
        var type = "Resource";
        var isFirst = true;
        while (steps.TryPop(out var step))
        {
            if (step.Kind == JsonKind.Array || step.Parent is not { Exists: true, Kind: JsonKind.Array })
            {
                if (!isFirst)
                {
                    Property(step);
                }
                isFirst = false;
            }
            if (type == "Resource" && step.Kind == JsonKind.Object && compiler.ResourceType(step) is { } resource)
            {
                (shape, type) = (resource.Shape, resource.Code);
                paths.Add(type);
            }
        }
        var all = paths.ToHashSet(StringComparer.Ordinal);
        for (var name = type; name is not null; name = compiler.BaseType(name))
        {
            all.Add(name);
        }
        all.Add("Element");
        return all;

        void Property(FhirElement step)
        {
            var index = shape is null ? -1 : shape.Names.Find(step);
            if (index < 0)
            {
                (shape, type) = (null, "Element");
                paths.Clear();
                return;
            }
            var entry = shape!.Entries[index];
            var slot = shape.Slots[entry.Slot];
            var link = slot.Types[entry.Type];
            for (var path = 0; path < paths.Count; path++)
            {
                paths[path] += "." + slot.Name;
            }
            if (slot.Inner is { IsType: true } inner)
            {
                (shape, type) = (inner, "BackboneElement");
                // Items within items are defined once, as Questionnaire.item.
                paths.Add(inner.Path!);
            }
            else if (link.IsAnyResource)
            {
                (shape, type) = (null, "Resource");
            }
            else
            {
                shape = link.IsPrimitive ? compiler.PrimitiveChildren : link.Shape;
                type = link.Code;
                paths.Add(type);
            }
        }
    }
}
