using System.Text.Json.Nodes;

namespace CcmFhir.Validation.Definitions;

/// <summary>Lays what a differential says about an element over what the base says.</summary>
internal static class FactMerge
{
    public static void Into(JsonObject target, JsonObject difference)
    {
        foreach (var (key, value) in difference)
        {
            if (value is null)
            {
                continue;
            }
            switch (key)
            {
                case "id" or "path" or "sliceName" or "base":
                    break;
                case "constraint":
                    Add(target, key, value.AsArray(), "key");
                    break;
                case "mapping":
                    Add(target, key, value.AsArray(), "identity");
                    break;
                case "condition" or "alias":
                    Union(target, key, value.AsArray());
                    break;
                case "binding":
                    var binding = value.DeepClone();
                    // A differential that only strengthens means the same set.
                    binding["valueSet"] ??= target[key]?["valueSet"]?.DeepClone();
                    target[key] = binding;
                    break;
                case "slicing":
                    Overlay(target, key, value.AsObject());
                    break;
                case "extension":
                    Add(target, key, value.AsArray(), "url");
                    break;
                case "definition" or "comment" or "requirements" or "short":
                    target[key] = Words((string?)target[key], (string)value!);
                    break;
                default:
                    if (
                        key.StartsWith("fixed", StringComparison.Ordinal)
                        || key.StartsWith("pattern", StringComparison.Ordinal)
                    )
                    {
                        // An element has one of both at most (eld-8).
                        RemoveAll(target, "fixed");
                        RemoveAll(target, "pattern");
                    }
                    else if (
                        key.StartsWith("minValue", StringComparison.Ordinal)
                        || key.StartsWith("maxValue", StringComparison.Ordinal)
                    )
                    {
                        RemoveAll(target, key[..8]);
                    }
                    target[key] = value.DeepClone();
                    break;
            }
        }
    }

    /// <summary>Three dots stand for the base's own words.</summary>
    private static string Words(string? @base, string words) =>
        words.StartsWith("...", StringComparison.Ordinal) && @base is not null
            ? $"{@base}\n\n{words[3..].TrimStart()}"
            : words;

    private static void RemoveAll(JsonObject target, string prefix)
    {
        foreach (
            var key in target
                .Select(pair => pair.Key)
                .Where(key => key.StartsWith(prefix, StringComparison.Ordinal))
                .ToArray()
        )
        {
            target.Remove(key);
        }
    }

    private static void Overlay(JsonObject target, string key, JsonObject value)
    {
        if (target[key] is not JsonObject old)
        {
            target[key] = value.DeepClone();
            return;
        }
        foreach (var (name, part) in value)
        {
            old[name] = part?.DeepClone();
        }
    }

    /// <summary>Adds entries; one with the same key as an old one takes its place.</summary>
    private static void Add(JsonObject target, string key, JsonArray added, string by)
    {
        if (target[key] is not JsonArray old)
        {
            target[key] = added.DeepClone();
            return;
        }
        foreach (var entry in added)
        {
            var name = (string?)entry![by];
            for (var index = old.Count - 1; index >= 0; index--)
            {
                if ((string?)old[index]![by] == name)
                {
                    old.RemoveAt(index);
                }
            }
            old.Add(entry.DeepClone());
        }
    }

    private static void Union(JsonObject target, string key, JsonArray added)
    {
        var old = target[key] as JsonArray ?? [];
        target[key] = new JsonArray([
            .. old.Concat(added).Select(entry => (string)entry!).Distinct().Select(entry => (JsonNode)entry),
        ]);
    }
}
