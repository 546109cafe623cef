namespace CcmFhir.Validation.Rules;

/// <summary>The JSON form of FHIR (http://hl7.org/fhir/R4/json.html): properties known and said once, arrays where R4 repeats,
/// <c>_name</c> beside primitives, null only to keep the two in step, nothing empty.</summary>
internal static class PropertiesRule
{
    /// <summary>A property that the type does not have.</summary>
    public static void Unknown(Walk walk, Shape shape, FhirElement property)
    {
        var name = property.Name;
        if (shape.ResourceType is not null && name == "resourceType")
        {
            if (property != property.Parent["resourceType"u8])
            {
                Twice(walk, property);
            }
            return;
        }
        if (!walk.Wants(Severity.Error))
        {
            return;
        }
        var near = walk.Hint(shape, name, () => Nearest.To(name, shape.Slots.SelectMany(slot => slot.PropertyNames)));
        walk.Add(
            Severity.Error,
            "structure",
            "property-unknown",
            property,
            $"'{Nearest.Shown(name)}' is not a property of {ElementPaths.TypeAt(walk.Compiler, property.Parent)}"
                + (near is null ? "." : $"; did you mean '{near}'?")
        );
    }

    /// <summary>A property that stands twice, or a second type of a choice.</summary>
    public static void Repeated(Walk walk, Slot slot, bool sameType, FhirElement property)
    {
        if (sameType)
        {
            Twice(walk, property);
        }
        else
        {
            walk.Add(
                Severity.Error,
                "structure",
                "choice-many",
                property,
                $"'{slot.Name}' may have one type only; '{property.Name}' is a second one."
            );
        }
    }

    private static void Twice(Walk walk, FhirElement property) =>
        walk.Add(
            Severity.Error,
            "structure",
            "property-duplicate",
            property,
            $"'{Nearest.Shown(property.Name)}' stands here twice; a JSON object holds each property once."
        );

    /// <summary>Array or single value, lengths of value and sibling, nulls.</summary>
    public static void Form(Walk walk, in Occurrences all, int valueIndex, int siblingIndex)
    {
        var value = valueIndex == 0 ? default : new FhirElement(walk.Document, valueIndex);
        var sibling = siblingIndex == 0 ? default : new FhirElement(walk.Document, siblingIndex);
        if (all.Slot.IsArray)
        {
            Arrays(walk, value, sibling);
        }
        else
        {
            Single(walk, value, sibling.Kind is not (JsonKind.None or JsonKind.Null));
            Single(walk, sibling, value.Kind is not (JsonKind.None or JsonKind.Null));
        }
        foreach (var one in sibling.Items)
        {
            if (one.Kind is not (JsonKind.Object or JsonKind.Null or JsonKind.Array))
            {
                walk.Add(
                    Severity.Error,
                    "structure",
                    "json-type",
                    one,
                    $"'{sibling.Name}' holds the id and extensions of '{sibling.Name.TrimStart('_')}': an object is expected."
                );
            }
        }
    }

    private static void Single(Walk walk, FhirElement value, bool hasOther)
    {
        if (value.Kind == JsonKind.Array)
        {
            walk.Add(
                Severity.Error,
                "structure",
                "array-unexpected",
                value,
                $"'{value.Name}' occurs once; write the value itself, without [ ]."
            );
        }
        else if (value.Kind == JsonKind.Null && !hasOther)
        {
            Null(walk, value);
        }
    }

    private static void Arrays(Walk walk, FhirElement value, FhirElement sibling)
    {
        var (values, valueNulls) = Count(walk, value);
        var (siblings, _) = Count(walk, sibling);
        if (values >= 0 && siblings >= 0 && values != siblings)
        {
            walk.Add(
                Severity.Error,
                "structure",
                "array-siblings",
                sibling,
                $"'{sibling.Name}' has {siblings} items and '{value.Name}' {values}; they must be equal, filled up with null."
            );
        }
        if (valueNulls == 0)
        {
            return;
        }
        var others = sibling.Items.GetEnumerator();
        foreach (var one in value.Items)
        {
            var hasOther = others.MoveNext() && others.Current.Kind == JsonKind.Object;
            if (one.Kind == JsonKind.Null && !hasOther)
            {
                Null(walk, one);
            }
        }
    }

    private static (int Items, int Nulls) Count(Walk walk, FhirElement array)
    {
        if (!array.Exists)
        {
            return (-1, 0);
        }
        if (array.Kind != JsonKind.Array)
        {
            walk.Add(
                Severity.Error,
                "structure",
                "array-expected",
                array,
                $"'{array.Name}' may repeat, so it is written as an array: \"{array.Name}\": [ ... ]."
            );
            return (-1, 0);
        }
        int items = 0,
            nulls = 0;
        foreach (var one in array.Children)
        {
            items++;
            nulls += one.Kind == JsonKind.Null ? 1 : 0;
        }
        if (items == 0)
        {
            walk.Add(
                Severity.Error,
                "structure",
                "array-empty",
                array,
                $"The array '{array.Name}' is empty; leave the property out when there is nothing to say."
            );
        }
        return (items, nulls);
    }

    private static void Null(Walk walk, FhirElement value) =>
        walk.Add(
            Severity.Error,
            "structure",
            "null-unexpected",
            value,
            "null stands only in an array of primitives, where the array beside it has the extensions of that value; leave it out."
        );
}
