namespace CcmFhir.Validation.Rules;

/// <summary>Ids of elements are unique within their resource (Element.id); those of resources in it are their own matter.
/// In a StructureDefinition snapshot and differential say the same ids.</summary>
internal sealed class ElementIds : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (
            scope.IsRoot
            && scope.Base is null
            && scope.Node.Structure is { Kind: Definitions.StructureKind.Resource, Type: not "StructureDefinition" }
        )
        {
            into.OfValue.Add(new Unique());
        }
    }

    private sealed class Unique : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var resource = spot.Value;
            var document = resource.Document;
            var end = document.EndOf(resource);
            HashSet<string>? seen = null;
            for (var index = resource.Index + 1; index < end; )
            {
                var element = new FhirElement(document, index++);
                if (element.Kind != JsonKind.String || element.Parent == resource)
                {
                    continue;
                }
                if (element.NameUtf8.SequenceEqual("resourceType"u8))
                {
                    index = document.EndOf(element.Parent);
                }
                else if (
                    element.NameUtf8.SequenceEqual("id"u8)
                    && element.Text is { Length: > 0 } id
                    && !(seen ??= new HashSet<string>(StringComparer.Ordinal)).Add(id)
                )
                {
                    walk.Add(
                        Severity.Error,
                        "invariant",
                        "element-id",
                        element,
                        $"The element id '{Nearest.Shown(id)}' stands here for the second time; each element has its own within the resource."
                    );
                }
            }
        }
    }
}
