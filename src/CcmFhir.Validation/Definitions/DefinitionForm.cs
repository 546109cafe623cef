using System.Text;
using CcmFhir.Validation.Rules;

namespace CcmFhir.Validation.Definitions;

/// <summary>Whether the elements of a StructureDefinition have the JSON form of ElementDefinition, so that whoever lays a differential over
/// its base may rely on it. Values of a type of choice (fixed, pattern, example) are left to those who read them.</summary>
internal static class DefinitionForm
{
    private static readonly string[] Words = ["url", "type", "kind", "derivation", "baseDefinition"];

    /// <exception cref="UnreadableDefinitionException">Something has another form; names the element and what would be right.</exception>
    public static void Check(FhirElement structure, string origin)
    {
        Unique(structure, "StructureDefinition", origin);
        foreach (var property in structure.Children)
        {
            if (property.Kind != JsonKind.String && Words.Contains(property.Name, StringComparer.Ordinal))
            {
                throw Fault(origin, "StructureDefinition." + property.Name, "a string");
            }
        }
        var type = BaseDefinitions.R4.StructureOfType("ElementDefinition")!;
        foreach (var name in new[] { "differential", "snapshot" })
        {
            var view = structure[name];
            if (view.Exists && view.Kind != JsonKind.Object)
            {
                throw Fault(origin, "StructureDefinition." + name, "an object");
            }
            var elements = view["element"u8];
            if (elements.Exists && elements.Kind != JsonKind.Array)
            {
                throw Fault(origin, $"StructureDefinition.{name}.element", "an array");
            }
            foreach (var element in elements.Children)
            {
                if (element.Kind != JsonKind.Object)
                {
                    throw Fault(origin, $"StructureDefinition.{name}.element", "an array of objects");
                }
                var shown = (element["id"u8].Text ?? element["path"u8].Text) is { Length: > 0 } id
                    ? Nearest.Shown(id)
                    : name;
                Object(element, type, "ElementDefinition", shown, origin);
            }
        }
    }

    private static void Object(FhirElement value, Structure type, string path, string shown, string origin)
    {
        Unique(value, shown, origin);
        foreach (var property in value.Children)
        {
            var name = property.Name;
            var below = $"{path}.{name}";
            if (type.Elements.FirstOrDefault(element => element.Path == below) is not { } known)
            {
                if (property.Kind == JsonKind.Null)
                {
                    throw Fault(origin, $"{shown}.{name}", "a value; leave the property out when there is none");
                }
                continue;
            }
            var at = $"{shown}.{name}";
            if (known.Max is > 1 != (property.Kind == JsonKind.Array))
            {
                throw Fault(origin, at, known.Max is > 1 ? "an array" : "one value, not an array or null");
            }
            foreach (var item in property.Items)
            {
                Value(item, type, known, at, origin);
            }
        }
    }

    private static void Value(FhirElement value, Structure type, StructureElement element, string at, string origin)
    {
        var code = element.Types is [var only, ..] ? only.Code : "";
        if (code.StartsWith("http://hl7.org/fhirpath/System.", StringComparison.Ordinal))
        {
            code = "string";
        }
        if (!Enum.TryParse<Primitive>(code, ignoreCase: true, out var primitive))
        {
            if (value.Kind != JsonKind.Object)
            {
                throw Fault(origin, at, "an object");
            }
            if (code is "Element" or "BackboneElement")
            {
                Object(value, type, element.Path, at, origin);
            }
            else if (code == "Extension")
            {
                Object(value, BaseDefinitions.R4.StructureOfType(code)!, code, at, origin);
            }
            return;
        }
        if (!PrimitiveFormat.HasKind(primitive, value.Kind))
        {
            throw Fault(origin, at, "of type " + code);
        }
        if (
            primitive is Primitive.Integer or Primitive.UnsignedInt or Primitive.PositiveInt
            && PrimitiveFormat.Problem(primitive, value.Raw) is not null
        )
        {
            throw new UnreadableDefinitionException(
                origin,
                at,
                $"'{Nearest.Shown(Encoding.UTF8.GetString(value.Raw))}' is not a whole number from 0 to {int.MaxValue}."
            );
        }
    }

    private static void Unique(FhirElement owner, string at, string origin)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in owner.Children)
        {
            if (!names.Add(property.Name))
            {
                throw new UnreadableDefinitionException(
                    origin,
                    $"{at}.{Nearest.Shown(property.Name)}",
                    "the property stands twice; it may stand once."
                );
            }
        }
    }

    private static UnreadableDefinitionException Fault(string origin, string at, string expected) =>
        new(origin, at, $"in JSON it must be {expected}.");
}
