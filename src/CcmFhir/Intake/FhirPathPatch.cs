using System.Globalization;
using System.Text.Json.Nodes;
using CcmFhir.Fhir;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>FHIRPath Patch [fhirpatch.html]: Parameters with add, insert, delete, replace and move. Paths are element names with indices,
/// <c>where(name = 'value')</c> and <c>first()</c>/<c>last()</c>; that is what names one element, as the specification asks.</summary>
internal static class FhirPathPatch
{
    /// <summary>Applies the operations in order. False when one cannot be applied; <paramref name="fault"/> says which and why.</summary>
    public static bool Apply(JsonObject resource, FhirElement parameters, out string? fault)
    {
        fault = null;
        var index = 0;
        foreach (var parameter in parameters["parameter"u8].Items)
        {
            if (!parameter["name"u8].Is("operation"u8))
            {
                fault = $"Each parameter of a patch is named 'operation'.";
                return false;
            }
            if (One(resource, parameter) is { } why)
            {
                fault = string.Create(CultureInfo.InvariantCulture, $"Operation [{index}]: {why}");
                return false;
            }
            index++;
        }
        if (index == 0)
        {
            fault = "The patch holds no operation.";
        }
        return index > 0;
    }

    private static string? One(JsonObject resource, FhirElement operation)
    {
        string? type = null,
            path = null,
            name = null;
        int? index = null,
            source = null,
            destination = null;
        JsonNode? value = null;
        string? choice = null;
        foreach (var part in operation["part"u8].Items)
        {
            switch (part["name"u8].Text)
            {
                case "type":
                    type = part["valueCode"u8].Text;
                    break;
                case "path":
                    path = part["valueString"u8].Text;
                    break;
                case "name":
                    name = part["valueString"u8].Text;
                    break;
                case "index":
                    index = Number(part);
                    break;
                case "source":
                    source = Number(part);
                    break;
                case "destination":
                    destination = Number(part);
                    break;
                case "value":
                    (value, choice) = Value(part);
                    break;
                default:
                    return $"a part '{part["name"u8].Text}' is not known; parts are type, path, name, value, index, source and destination.";
            }
        }
        if (path is null || type is not ("add" or "insert" or "delete" or "replace" or "move"))
        {
            return "it needs type (add, insert, delete, replace or move) and path.";
        }
        if (type is "add" or "insert" or "replace" && value is null)
        {
            return $"'{type}' needs a value.";
        }
        var places = PatchPath.Find(resource, path, out var fault);
        if (places is null)
        {
            return fault;
        }
        return type switch
        {
            "add" => Add(places, path, name, value!, choice),
            "delete" => Delete(places, path),
            "replace" => Replace(places, path, value!, choice),
            "insert" => Insert(places, path, index, value!),
            _ => Move(places, path, source, destination),
        };
    }

    private static string? Add(List<PatchPlace> places, string path, string? name, JsonNode value, string? choice)
    {
        if (name is null)
        {
            return "'add' needs name, the element to add.";
        }
        if (places is not [{ Node: JsonObject parent, Content: var content }])
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"'{path}' must name one element that can hold others; it names {places.Count}."
            );
        }
        var shape = ElementShape
            .Below(content)
            .FirstOrDefault(each => each.Name == name || each.TypeOf(name) is not null);
        if (shape is null)
        {
            return $"{content} has no element '{name}'.";
        }
        var known = shape.IsChoice && shape.Name == name ? name + choice : name;
        if (parent[known] is JsonArray list)
        {
            list.Add(value);
            return null;
        }
        if (parent[known] is not null)
        {
            return $"'{name}' is there already and does not repeat; use replace.";
        }
        parent[known] = shape.Repeats ? new JsonArray(value) : value;
        return null;
    }

    private static string? Delete(List<PatchPlace> places, string path)
    {
        if (places.Count > 1)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"'{path}' names {places.Count} elements; a delete names one."
            );
        }
        // Deleting what is not there is no fault [fhirpatch.html].
        if (places is [var place])
        {
            place.Remove();
        }
        return null;
    }

    private static string? Replace(List<PatchPlace> places, string path, JsonNode value, string? choice)
    {
        if (places is not [var place])
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"'{path}' must name one element; it names {places.Count}."
            );
        }
        place.Set(value, choice);
        return null;
    }

    private static string? Insert(List<PatchPlace> places, string path, int? index, JsonNode value)
    {
        var list = List(places);
        if (list is null)
        {
            return $"'{path}' must name a list to insert into.";
        }
        if (index is not { } at || at > list.Count)
        {
            return string.Create(CultureInfo.InvariantCulture, $"'insert' needs index, from 0 to {list.Count}.");
        }
        list.Insert(at, value);
        return null;
    }

    private static string? Move(List<PatchPlace> places, string path, int? source, int? destination)
    {
        var list = List(places);
        if (list is null)
        {
            return $"'{path}' must name a list to move in.";
        }
        if (source is not { } from || destination is not { } to || from >= list.Count || to >= list.Count)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"'move' needs source and destination, from 0 to {list.Count - 1}."
            );
        }
        var moved = list[from];
        list.RemoveAt(from);
        list.Insert(to, moved);
        return null;
    }

    private static JsonArray? List(List<PatchPlace> places) =>
        places.Count > 0
        && places[0].Node.Parent is JsonArray list
        && places.TrueForAll(place => ReferenceEquals(place.Node.Parent, list))
            ? list
            : null;

    private static int? Number(FhirElement part) =>
        int.TryParse(part["valueInteger"u8].Text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;

    // A value[x], or parts that spell out a complex value.
    private static (JsonNode? Value, string? Choice) Value(FhirElement part)
    {
        foreach (var child in part.Children)
        {
            if (child.NameUtf8.StartsWith("value"u8) && child.NameUtf8.Length > 5)
            {
                return (JsonNode.Parse(child.Raw), child.Name["value".Length..]);
            }
            if (child.NameUtf8.SequenceEqual("resource"u8))
            {
                return (JsonNode.Parse(child.Raw), null);
            }
        }
        var built = new JsonObject();
        foreach (var inner in part["part"u8].Items)
        {
            if (inner["name"u8].Text is not { } name || Value(inner) is not ({ } value, _))
            {
                return (null, null);
            }
            if (built[name] is JsonArray list)
            {
                list.Add(value);
            }
            else if (built[name] is { } first)
            {
                built[name] = new JsonArray(first.DeepClone(), value);
            }
            else
            {
                built[name] = value;
            }
        }
        return built.Count > 0 ? (built, null) : (null, null);
    }
}
