using System.Globalization;
using System.Text.Json.Nodes;
using CcmFhir.Fhir;

namespace CcmFhir.Intake;

/// <summary>A place in a resource that a patch speaks of.</summary>
/// <param name="Node">What stands there.</param>
/// <param name="Content">Its type, or its path where it is a backbone element.</param>
/// <param name="Owner">The object that holds it; null for the resource itself.</param>
/// <param name="Property">Its JSON name in the owner.</param>
/// <param name="Shape">Its element; null for the resource itself.</param>
internal sealed record PatchPlace(
    JsonNode Node,
    string Content,
    JsonObject? Owner,
    string Property,
    ElementShape? Shape
)
{
    /// <summary>Takes it out; a list that is empty then goes too.</summary>
    public void Remove()
    {
        if (Node.Parent is JsonArray list)
        {
            list.Remove(Node);
            if (list.Count > 0)
            {
                return;
            }
        }
        Owner?.Remove(Property);
        Owner?.Remove("_" + Property);
    }

    /// <summary>Puts another value in its place; a choice of another type changes its name.</summary>
    public void Set(JsonNode value, string? type)
    {
        if (Node.Parent is JsonArray list)
        {
            list[list.IndexOf(Node)] = value;
            return;
        }
        var name = Shape is { IsChoice: true } && type is not null ? Shape.Name + type : Property;
        if (name != Property)
        {
            Owner!.Remove(Property);
        }
        Owner!.Remove("_" + Property);
        Owner[name] = value;
    }
}

/// <summary>The paths of FHIRPath Patch: element names with <c>[index]</c>, <c>where(name = 'value')</c>, <c>first()</c>, <c>last()</c>.</summary>
internal static class PatchPath
{
    /// <summary>The places that a path names, in order; null, with the reason, for a path that cannot be read.</summary>
    public static List<PatchPlace>? Find(JsonObject resource, string path, out string? fault)
    {
        fault = null;
        var type = (string?)resource["resourceType"] ?? "";
        var places = new List<PatchPlace> { new(resource, type, null, "", null) };
        var first = true;
        foreach (var step in Steps(path))
        {
            if (first && step == type)
            {
                first = false;
                continue;
            }
            first = false;
            var next = Step(places, step);
            if (next is null)
            {
                fault =
                    $"'{path}' cannot be read at '{step}'. A path is made of element names with [index], where(name = 'value'), first() and last().";
                return null;
            }
            places = next;
        }
        return places;
    }

    private static List<PatchPlace>? Step(List<PatchPlace> places, string step)
    {
        if (step == "first()")
        {
            return [.. places.Take(1)];
        }
        if (step == "last()")
        {
            return [.. places.TakeLast(1)];
        }
        if (step.StartsWith("where(", StringComparison.Ordinal) && step.EndsWith(')'))
        {
            var parts = step["where(".Length..^1].Split('=', 2, StringSplitOptions.TrimEntries);
            if (parts.Length != 2 || parts[1].Length < 2 || parts[1][0] != '\'' || parts[1][^1] != '\'')
            {
                return parts.Length == 2 && parts[1] is "true" or "false" ? Where(places, parts[0], parts[1]) : null;
            }
            return Where(places, parts[0], parts[1][1..^1].Replace("\\'", "'", StringComparison.Ordinal));
        }
        var open = step.IndexOf('[', StringComparison.Ordinal);
        var name = open < 0 ? step : step[..open];
        if (name.Length == 0 || !name.All(char.IsAsciiLetterOrDigit))
        {
            return null;
        }
        var found = new List<PatchPlace>();
        foreach (var place in places)
        {
            Children(place, name, found);
        }
        if (open < 0)
        {
            return found;
        }
        if (
            !step.EndsWith(']')
            || !int.TryParse(step[(open + 1)..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        )
        {
            return null;
        }
        return index < found.Count ? [found[index]] : [];
    }

    private static List<PatchPlace> Where(List<PatchPlace> places, string name, string value)
    {
        var kept = new List<PatchPlace>();
        foreach (var place in places)
        {
            var inner = new List<PatchPlace>();
            Children(place, name, inner);
            if (inner.Exists(each => each.Node is JsonValue && each.Node.ToString() == value))
            {
                kept.Add(place);
            }
        }
        return kept;
    }

    private static void Children(PatchPlace place, string name, List<PatchPlace> found)
    {
        if (place.Node is not JsonObject owner)
        {
            return;
        }
        foreach (var shape in ElementShape.Below(place.Content))
        {
            if (shape.Name != name)
            {
                continue;
            }
            foreach (var (property, value) in owner)
            {
                if (value is null || shape.TypeOf(property) is not { } type)
                {
                    continue;
                }
                if (value is not JsonArray list)
                {
                    found.Add(new PatchPlace(value, type, owner, property, shape));
                    continue;
                }
                foreach (var item in list)
                {
                    if (item is not null)
                    {
                        found.Add(new PatchPlace(item, type, owner, property, shape));
                    }
                }
            }
        }
    }

    // Splits at dots outside of brackets and quotes.
    private static List<string> Steps(string path)
    {
        var steps = new List<string>();
        var (from, depth, quoted) = (0, 0, false);
        for (var at = 0; at < path.Length; at++)
        {
            switch (path[at])
            {
                case '\'' when at == 0 || path[at - 1] != '\\':
                    quoted = !quoted;
                    break;
                case '(' when !quoted:
                    depth++;
                    break;
                case ')' when !quoted:
                    depth--;
                    break;
                case '.' when !quoted && depth == 0:
                    steps.Add(path[from..at].Trim());
                    from = at + 1;
                    break;
                default:
                    break;
            }
        }
        steps.Add(path[from..].Trim());
        return steps;
    }
}
