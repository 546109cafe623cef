using System.Text;

namespace CcmFhir.Validation.Tests.Mutations;

/// <summary>A sample with one thing broken.</summary>
/// <param name="Json">The broken resource.</param>
/// <param name="Names">FHIRPath of the element that the validator must name.</param>
internal sealed record Fault(byte[] Json, string Names)
{
    /// <summary>Puts other text in the place of a value.</summary>
    public static Fault Replace(Spot spot, string json, string? names = null) =>
        new(Splice(spot.Value, spot.Value.Offset, spot.Value.Length, json), names ?? spot.Path);

    /// <summary>Takes a property out, with the extensions of a primitive.</summary>
    public static Fault Remove(FhirElement property, string names)
    {
        var document = property.Document;
        var sibling = property.Parent["_" + property.Name];
        var json = Without(document.Source.Span.ToArray(), property);
        return sibling.Exists ? Remove(Reparsed(json, sibling), names) : new Fault(json, names);
    }

    /// <summary>Puts a property into an object, in front.</summary>
    public static Fault Insert(Spot spot, string property, string names) =>
        new(Splice(spot.Value, spot.Value.Offset + 1, 0, HasChildren(spot.Value) ? property + "," : property), names);

    /// <summary>Puts an item into an array, in front.</summary>
    public static Fault InsertItem(Spot spot, string item, string names) =>
        new(Splice(spot.Property, spot.Property.Offset + 1, 0, item + ","), names);

    /// <summary>Puts other text in the place of a whole property's value, the array of a repeating element too.</summary>
    public static Fault ReplaceProperty(Spot spot, string json, string? names = null) =>
        new(Splice(spot.Property, spot.Property.Offset, spot.Property.Length, json), names ?? WithoutIndex(spot.Path));

    public static string Text(FhirElement element) => Encoding.UTF8.GetString(element.Raw);

    public static string WithoutIndex(string path) => path.EndsWith(']') ? path[..path.LastIndexOf('[')] : path;

    private static bool HasChildren(FhirElement element)
    {
        foreach (var _ in element.Children)
        {
            return true;
        }
        return false;
    }

    private static FhirElement Reparsed(byte[] json, FhirElement property)
    {
        // The same property in the changed text: found by the path of names and places that leads to it.
        var steps = new Stack<FhirElement>();
        for (var step = property; step.Parent.Exists; step = step.Parent)
        {
            steps.Push(step);
        }
        var reached = FhirJson.Parse(json, out _)!.Root;
        foreach (var step in steps)
        {
            if (reached.Kind == JsonKind.Object)
            {
                reached = reached[step.NameUtf8];
                continue;
            }
            var others = reached.Children.GetEnumerator();
            foreach (var item in step.Parent.Children)
            {
                others.MoveNext();
                if (item == step)
                {
                    break;
                }
            }
            reached = others.Current;
        }
        return reached;
    }

    private static byte[] Without(byte[] source, FhirElement property)
    {
        var start = property.Document.Nodes[property.Index].NameStart - 1;
        var end = property.Offset + property.Length;
        var after = end;
        while (source[after] is (byte)' ' or (byte)'\r' or (byte)'\n' or (byte)'\t')
        {
            after++;
        }
        if (source[after] == (byte)',')
        {
            end = after + 1;
        }
        else
        {
            while (source[start - 1] is (byte)' ' or (byte)'\r' or (byte)'\n' or (byte)'\t')
            {
                start--;
            }
            start -= source[start - 1] == (byte)',' ? 1 : 0;
        }
        return [.. source[..start], .. source[end..]];
    }

    private static byte[] Splice(FhirElement element, int at, int length, string text)
    {
        var source = element.Document.Source.Span;
        return [.. source[..at], .. Encoding.UTF8.GetBytes(text), .. source[(at + length)..]];
    }
}
