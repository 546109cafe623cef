using System.Globalization;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>FHIRPath of a value, with indices.</summary>
internal static class ElementPath
{
    /// <summary>The path of a value below a resource.</summary>
    /// <param name="value">The value.</param>
    /// <param name="root">The resource.</param>
    /// <param name="rootPath">What the resource is called: <c>Task</c>, or <c>Bundle.entry[3].resource</c>.</param>
    public static string Of(FhirElement value, FhirElement root, string rootPath)
    {
        var parts = new List<string>();
        for (var at = value; at.Exists && at != root; at = at.Parent)
        {
            var parent = at.Parent;
            if (parent.Kind == JsonKind.Array)
            {
                var index = 0;
                foreach (var item in parent.Children)
                {
                    if (item == at)
                    {
                        break;
                    }
                    index++;
                }
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"[{index}]"));
            }
            else
            {
                parts.Add("." + at.Name.TrimStart('_'));
            }
        }
        parts.Reverse();
        return rootPath + string.Concat(parts);
    }
}
