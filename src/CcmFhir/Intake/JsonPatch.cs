using System.Globalization;
using System.Text.Json.Nodes;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>JSON Patch (RFC 6902) on a resource.</summary>
internal static class JsonPatch
{
    /// <summary>Applies the operations in order. Null when one cannot be applied; <paramref name="fault"/> says which and why.</summary>
    /// <param name="resource">The resource; it is changed.</param>
    /// <param name="operations">The patch.</param>
    /// <param name="fault">Why not.</param>
    public static JsonNode? Apply(JsonNode resource, FhirElement operations, out string? fault)
    {
        fault = null;
        if (operations.Kind != JsonKind.Array)
        {
            fault = "A JSON Patch is an array of operations.";
            return null;
        }
        JsonNode? root = resource;
        var index = 0;
        foreach (var operation in operations.Children)
        {
            if (One(ref root, operation) is { } why)
            {
                fault = string.Create(CultureInfo.InvariantCulture, $"Operation [{index}]: {why}");
                return null;
            }
            index++;
        }
        return root;
    }

    private static string? One(ref JsonNode? root, FhirElement operation)
    {
        var (op, path, from) = (operation["op"u8].Text, operation["path"u8].Text, operation["from"u8].Text);
        if (path is null || Pointer(path) is not { } pointer)
        {
            return "it needs a path, a JSON Pointer such as /status.";
        }
        var value = operation["value"u8];
        if (op is "add" or "replace" or "test" && !value.Exists)
        {
            return $"'{op}' needs a value.";
        }
        string[]? source = null;
        if (op is "move" or "copy" && (from is null || (source = Pointer(from)) is null))
        {
            return $"'{op}' needs from, a JSON Pointer.";
        }
        switch (op)
        {
            case "add":
                return Add(ref root, pointer, Node(value));
            case "remove":
                return Remove(ref root, pointer, out _);
            case "replace":
                return Find(root, pointer, out _) is { } missing ? missing : Replace(ref root, pointer, Node(value));
            case "move":
                if (pointer.Length > source!.Length && pointer.AsSpan(0, source.Length).SequenceEqual(source))
                {
                    return "a value cannot move into itself.";
                }
                return Remove(ref root, source, out var moved) ?? Add(ref root, pointer, moved);
            case "copy":
                return Find(root, source!, out var copied) ?? Add(ref root, pointer, copied?.DeepClone());
            case "test":
                return Find(root, pointer, out var found) is { } nothing ? nothing
                    : JsonNode.DeepEquals(found, Node(value)) ? null
                    : $"the value at {path} is not the one tested for.";
            default:
                return "op is add, remove, replace, move, copy or test.";
        }
    }

    private static string? Find(JsonNode? root, ReadOnlySpan<string> pointer, out JsonNode? found)
    {
        found = root;
        foreach (var token in pointer)
        {
            switch (found)
            {
                case JsonObject node when node.TryGetPropertyValue(token, out var child):
                    found = child;
                    break;
                case JsonArray list when Index(token, list.Count - 1) is { } index:
                    found = list[index];
                    break;
                default:
                    return $"there is nothing at '{token}' on the path.";
            }
        }
        return null;
    }

    private static string? Add(ref JsonNode? root, string[] pointer, JsonNode? value)
    {
        if (pointer.Length == 0)
        {
            root = value;
            return null;
        }
        if (Find(root, pointer.AsSpan(0, pointer.Length - 1), out var parent) is { } missing)
        {
            return missing;
        }
        var last = pointer[^1];
        switch (parent)
        {
            case JsonObject node:
                node[last] = value;
                return null;
            case JsonArray list when last == "-":
                list.Add(value);
                return null;
            case JsonArray list when Index(last, list.Count) is { } index:
                list.Insert(index, value);
                return null;
            default:
                return $"nothing can be added at '{last}'.";
        }
    }

    private static string? Replace(ref JsonNode? root, string[] pointer, JsonNode? value)
    {
        if (pointer.Length == 0)
        {
            root = value;
            return null;
        }
        _ = Find(root, pointer.AsSpan(0, pointer.Length - 1), out var parent);
        if (parent is JsonArray list)
        {
            list[Index(pointer[^1], list.Count - 1)!.Value] = value;
        }
        else
        {
            parent![pointer[^1]] = value;
        }
        return null;
    }

    private static string? Remove(ref JsonNode? root, string[] pointer, out JsonNode? removed)
    {
        removed = null;
        if (pointer.Length == 0)
        {
            return "the whole resource cannot be removed by a patch; delete it.";
        }
        if (Find(root, pointer, out removed) is { } missing)
        {
            return missing;
        }
        _ = Find(root, pointer.AsSpan(0, pointer.Length - 1), out var parent);
        if (parent is JsonArray list)
        {
            list.RemoveAt(Index(pointer[^1], list.Count - 1)!.Value);
        }
        else
        {
            ((JsonObject)parent!).Remove(pointer[^1]);
        }
        return null;
    }

    private static int? Index(string token, int last) =>
        (token is "0" || (token.Length is > 0 and < 8 && token[0] is >= '1' and <= '9'))
        && int.TryParse(token, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
        && index <= last
            ? index
            : null;

    private static string[]? Pointer(string text)
    {
        if (text.Length == 0)
        {
            return [];
        }
        if (text[0] != '/')
        {
            return null;
        }
        var tokens = text[1..].Split('/');
        for (var at = 0; at < tokens.Length; at++)
        {
            tokens[at] = tokens[at]
                .Replace("~1", "/", StringComparison.Ordinal)
                .Replace("~0", "~", StringComparison.Ordinal);
        }
        return tokens;
    }

    private static JsonNode? Node(FhirElement value) => JsonNode.Parse(value.Raw);
}
