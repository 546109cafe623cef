using System.Globalization;
using System.Text;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Profiles;

/// <summary>A profile as text that an analyst reads: what it asks for, element by element, and the rule behind each.</summary>
internal static class ProfileText
{
    private const int Width = 110;
    private const int NameColumn = 34;

    /// <summary>One line for each profile and extension of the package.</summary>
    public static string List()
    {
        var text = new StringBuilder();
        foreach (var extensions in new[] { false, true })
        {
            text.AppendLine(extensions ? "Extensions" : "Profiles");
            foreach (var definition in Structures().Where(one => IsExtension(one) == extensions))
            {
                var on = extensions ? Contexts(definition) : definition["type"u8].Text;
                text.AppendLine(
                    CultureInfo.InvariantCulture,
                    $"  {definition["id"u8].Text, -22}{on, -16}{definition["title"u8].Text}"
                );
            }
        }
        return text.ToString();
    }

    /// <summary>The profile or extension of that id as a tree; null when the package has none.</summary>
    /// <param name="id">Id, or canonical.</param>
    public static string? Show(string id)
    {
        var profile = Structures()
            .FirstOrDefault(one =>
                string.Equals(one["id"u8].Text, id, StringComparison.Ordinal)
                || string.Equals(one["url"u8].Text, id, StringComparison.Ordinal)
            );
        if (!profile.Exists)
        {
            return null;
        }
        var text = new StringBuilder();
        text.AppendLine(
            CultureInfo.InvariantCulture,
            $"{profile["title"u8].Text} ({profile["id"u8].Text}, on {(IsExtension(profile) ? Contexts(profile) : profile["type"u8].Text)})"
        );
        text.AppendLine(profile["url"u8].Text).AppendLine();
        Paragraph(text, profile["description"u8].Text, "");
        Paragraph(text, profile["purpose"u8].Text, "");
        text.AppendLine();
        foreach (var element in profile["differential"u8]["element"u8].Items)
        {
            // The slicing of extensions says nothing that their own lines do not.
            if (!element["id"u8].Text!.EndsWith(".extension", StringComparison.Ordinal))
            {
                Element(text, profile, element);
            }
        }
        if (ProfileExamples.Kinds(profile["id"u8].Text!) is { Count: > 0 } kinds)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"Examples: {string.Join(", ", kinds)}");
        }
        return text.ToString();
    }

    /// <summary>Ids of the profiles, without extensions.</summary>
    public static IReadOnlyList<string> Ids() =>
        [.. Structures().Where(one => !IsExtension(one)).Select(one => one["id"u8].Text!)];

    private static IEnumerable<FhirElement> Structures() =>
        CcmPackage
            .Definitions.Where(definition => definition.Kind == DefinitionKind.Structure)
            .Select(definition => definition.Json);

    private static bool IsExtension(FhirElement profile) => profile["type"u8].Is("Extension"u8);

    private static string Contexts(FhirElement extension)
    {
        var contexts = new List<string>();
        foreach (var context in extension["context"u8].Items)
        {
            contexts.Add(context["expression"u8].Text!);
        }
        return string.Join(", ", contexts);
    }

    private static void Element(StringBuilder text, FhirElement profile, FhirElement element)
    {
        var id = element["id"u8].Text!;
        var depth = id.Count(letter => letter == '.');
        var indent = new string(' ', 2 * depth);
        var detail = new string(' ', (2 * depth) + 4);
        var name = id[(id.LastIndexOf('.') + 1)..];
        var (min, max, types) = Facts(profile, element);
        text.Append((indent + name).PadRight(NameColumn));
        if (depth > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $" {min}..{max, -3} {types, -22} {element["short"u8].Text}");
        }
        text.AppendLine();
        Paragraph(text, element["comment"u8].Text, detail);
        foreach (var value in element.Children)
        {
            if (
                value.Name.StartsWith("fixed", StringComparison.Ordinal)
                || value.Name.StartsWith("pattern", StringComparison.Ordinal)
            )
            {
                Paragraph(text, "value: " + (value.Text ?? Codings(value)), detail);
            }
        }
        if (element["binding"u8] is { Exists: true } binding)
        {
            Paragraph(text, $"codes: {Codes(binding["valueSet"u8].Text!)} ({binding["strength"u8].Text})", detail);
        }
        foreach (var rule in element["constraint"u8].Items)
        {
            var severity = rule["severity"u8].Is("warning"u8) ? " (warning)" : "";
            Paragraph(text, $"rule {rule["key"u8].Text}{severity}: {rule["human"u8].Text}", detail);
        }
    }

    // What the profile does not say, the type says.
    private static (string Min, string Max, string Types) Facts(FhirElement profile, FhirElement element)
    {
        var of = Base(profile["type"u8].Text!, element["path"u8].Text!);
        var types = new List<string>();
        foreach (var type in element["type"u8].Items)
        {
            types.Add(
                type["code"u8].Is("Reference"u8)
                    ? $"Reference({string.Join(" | ", Names(type["targetProfile"u8]))})"
                    : type["code"u8].Text!
            );
        }
        if (types.Count == 0 && of is not null)
        {
            types.AddRange(of.Types.Select(type => type.Code));
        }
        return (
            element["min"u8].Text ?? of?.Min?.ToString(CultureInfo.InvariantCulture) ?? "0",
            element["max"u8].Text
                ?? (of?.Max is int.MaxValue or null ? "*" : of.Max.Value.ToString(CultureInfo.InvariantCulture)),
            string.Join(" | ", types)
        );
    }

    private static StructureElement? Base(string type, string path)
    {
        var structure = BaseDefinitions.R4.StructureOfType(type);
        var at = type;
        StructureElement? found = null;
        foreach (var step in path.Split('.').Skip(1))
        {
            at += "." + step;
            found = structure?.Elements.FirstOrDefault(one => one.Path == at);
            // Into the datatype, where the resource's own definition ends.
            if (
                found is { Types: [{ Code: not ("BackboneElement" or "Element") } only] }
                && only.Code is not "Extension"
            )
            {
                structure = BaseDefinitions.R4.StructureOfType(only.Code);
                at = only.Code;
            }
        }
        return found;
    }

    private static IEnumerable<string> Names(FhirElement canonicals)
    {
        var names = new List<string>();
        foreach (var canonical in canonicals.Items)
        {
            var text = canonical.Text!;
            names.Add(text[(text.LastIndexOf('/') + 1)..]);
        }
        return names;
    }

    // A set that is one of our code systems is told by its codes.
    private static string Codes(string valueSet)
    {
        var codes = new List<string>();
        var system = valueSet.Replace("/ValueSet/", "/CodeSystem/", StringComparison.Ordinal);
        if (CcmPackage.Definitions.FirstOrDefault(one => one.Url == system) is { } known)
        {
            foreach (var concept in known.Json["concept"u8].Items)
            {
                codes.Add(concept["code"u8].Text!);
            }
        }
        return codes.Count == 0 ? valueSet : $"{string.Join(" | ", codes)} of {system}";
    }

    private static string Codings(FhirElement concept)
    {
        var codings = new List<string>();
        foreach (var coding in concept["coding"u8].Items)
        {
            codings.Add($"{coding["system"u8].Text}#{coding["code"u8].Text}");
        }
        return string.Join(", ", codings);
    }

    private static void Paragraph(StringBuilder text, string? paragraph, string indent)
    {
        var line = new StringBuilder(indent);
        foreach (var word in (paragraph ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length + word.Length >= Width && line.Length > indent.Length)
            {
                text.AppendLine(line.ToString().TrimEnd());
                line.Clear().Append(indent);
            }
            line.Append(word).Append(' ');
        }
        if (line.Length > indent.Length)
        {
            text.AppendLine(line.ToString().TrimEnd());
        }
    }
}
