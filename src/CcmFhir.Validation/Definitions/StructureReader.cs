using System.Globalization;

namespace CcmFhir.Validation.Definitions;

/// <summary>Reads the computable facts out of the JSON of a StructureDefinition.</summary>
internal static class StructureReader
{
    private const string Extensions = "http://hl7.org/fhir/StructureDefinition/";

    public static Structure Read(FhirElement json, string origin)
    {
        string Required(string name) =>
            json[name].Text is { Length: > 0 } text
                ? text
                : throw new UnreadableDefinitionException(
                    origin,
                    "StructureDefinition." + name,
                    $"a StructureDefinition needs a {name}."
                );
        var url = Required("url");
        return new Structure
        {
            Url = url,
            Version = json["version"u8].Text,
            Name = json["name"u8].Text ?? url,
            Kind = Required("kind") switch
            {
                "primitive-type" => StructureKind.PrimitiveType,
                "complex-type" => StructureKind.ComplexType,
                "resource" => StructureKind.Resource,
                "logical" => StructureKind.Logical,
                var other => throw new UnreadableDefinitionException(
                    origin,
                    "StructureDefinition.kind",
                    $"'{other}' is not a kind; primitive-type, complex-type, resource or logical would be."
                ),
            },
            Type = Required("type"),
            BaseDefinition = json["baseDefinition"u8].Text,
            IsConstraint = json["derivation"u8].Is("constraint"u8),
            IsAbstract = json["abstract"u8].Kind == JsonKind.True,
            FhirVersion = json["fhirVersion"u8].Text,
            Contexts = List(
                json["context"u8],
                context => new ExtensionContext(
                    context["type"u8].Text ?? "element",
                    context["expression"u8].Text ?? context.Text ?? ""
                )
            ),
            ContextInvariants = Texts(json["contextInvariant"u8]),
            Elements = List(json["snapshot"u8]["element"u8], element => ReadElement(element, origin)),
            Differential = List(json["differential"u8]["element"u8], element => ReadElement(element, origin)),
            Origin = origin,
        };
    }

    private static StructureElement ReadElement(FhirElement json, string origin)
    {
        var path =
            json["path"u8].Text
            ?? throw new UnreadableDefinitionException(
                origin,
                json["id"u8].Text ?? "element",
                "an element needs a path."
            );
        var element = new StructureElement
        {
            // Differentials written by hand often leave the id out; SnapshotBuilder computes it where slices need it.
            Id = json["id"u8].Text ?? path,
            Path = path,
            SliceName = json["sliceName"u8].Text,
            Min = Number(json["min"u8], path, origin),
            Max = Maximum(json["max"u8], path, origin),
            BasePath = json["base"u8]["path"u8].Text,
            BaseMin = Number(json["base"u8]["min"u8], path, origin),
            BaseMax = Maximum(json["base"u8]["max"u8], path, origin),
            Types = List(json["type"u8], ReadType),
            ContentReference = json["contentReference"u8].Text,
            MaxLength = Number(json["maxLength"u8], path, origin),
            MinLength = Number(Extension(json, "minLength"), path, origin),
            Binding = ReadBinding(json["binding"u8], path, origin),
            Constraints = List(json["constraint"u8], ReadConstraint),
            Slicing = ReadSlicing(json["slicing"u8], path, origin),
            SliceIsConstraining = json["sliceIsConstraining"u8].Kind == JsonKind.True,
            IsModifier = json["isModifier"u8].Kind == JsonKind.True,
            IsSummary = json["isSummary"u8].Kind == JsonKind.True,
            MustSupport = json["mustSupport"u8].Kind == JsonKind.True,
            Short = json["short"u8].Text ?? "",
        };
        foreach (var representation in json["representation"u8].Items)
        {
            if (representation.Is("xmlAttr"u8))
            {
                element = element with { IsXmlAttribute = true };
            }
        }
        TypedValue? @fixed = null,
            pattern = null,
            minValue = null,
            maxValue = null;
        foreach (var child in json.Children)
        {
            var name = child.NameUtf8;
            @fixed ??= Typed(child, name, "fixed"u8);
            pattern ??= Typed(child, name, "pattern"u8);
            minValue ??= Typed(child, name, "minValue"u8);
            maxValue ??= Typed(child, name, "maxValue"u8);
        }
        return @fixed is null && pattern is null && minValue is null && maxValue is null
            ? element
            : element with
            {
                Fixed = @fixed,
                Pattern = pattern,
                MinValue = minValue,
                MaxValue = maxValue,
            };
    }

    private static TypedValue? Typed(FhirElement child, ReadOnlySpan<byte> name, ReadOnlySpan<byte> prefix)
    {
        if (
            name.Length <= prefix.Length
            || !name.StartsWith(prefix)
            || name[prefix.Length] is < (byte)'A' or > (byte)'Z'
        )
        {
            return null;
        }
        var type = child.Name[prefix.Length..];
        // Primitive type names begin with a small letter, complex ones with a capital; the choice suffix hides which.
        var lower = char.ToLowerInvariant(type[0]) + type[1..];
        return new TypedValue(Primitives.IsName(lower) ? lower : type, child);
    }

    private static ElementType ReadType(FhirElement json)
    {
        var code = json["code"u8].Text ?? "";
        return new ElementType(
            code,
            Texts(json["profile"u8]),
            Texts(json["targetProfile"u8]),
            Texts(json["aggregation"u8]),
            json["versioning"u8].Text,
            Extension(json, "regex").Text
        );
    }

    private static ElementBinding? ReadBinding(FhirElement json, string path, string origin) =>
        json.Exists
            ? new ElementBinding(
                json["strength"u8].Text switch
                {
                    "required" => BindingStrength.Required,
                    "extensible" => BindingStrength.Extensible,
                    "preferred" => BindingStrength.Preferred,
                    "example" or null => BindingStrength.Example,
                    var other => throw new UnreadableDefinitionException(
                        origin,
                        path + ".binding.strength",
                        $"'{other}' is not a strength; required, extensible, preferred or example would be."
                    ),
                },
                json["valueSet"u8].Text,
                Extension(json, "elementdefinition-maxValueSet").Text
            )
            : null;

    private static ElementConstraint ReadConstraint(FhirElement json) =>
        new(
            json["key"u8].Text ?? "",
            !json["severity"u8].Is("warning"u8),
            json["human"u8].Text ?? "",
            json["expression"u8].Text,
            json["source"u8].Text,
            Extension(json, "elementdefinition-bestpractice").Kind == JsonKind.True
        );

    private static ElementSlicing? ReadSlicing(FhirElement json, string path, string origin) =>
        json.Exists
            ? new ElementSlicing(
                List(
                    json["discriminator"u8],
                    item => new SliceDiscriminator(item["type"u8].Text ?? "value", item["path"u8].Text ?? "$this")
                ),
                json["rules"u8].Text switch
                {
                    "open" or null => SlicingRules.Open,
                    "closed" => SlicingRules.Closed,
                    "openAtEnd" => SlicingRules.OpenAtEnd,
                    var other => throw new UnreadableDefinitionException(
                        origin,
                        path + ".slicing.rules",
                        $"'{other}' is not a rule; open, closed or openAtEnd would be."
                    ),
                },
                json["ordered"u8].Kind == JsonKind.True
            )
            : null;

    /// <summary>The value of one of HL7's core extensions on this object; not there when it has none.</summary>
    private static FhirElement Extension(FhirElement json, string name)
    {
        foreach (var extension in json["extension"u8].Items)
        {
            if (extension["url"u8].Text is { } url && url.StartsWith(Extensions, StringComparison.Ordinal))
            {
                if (url.AsSpan(Extensions.Length).SequenceEqual(name))
                {
                    foreach (var child in extension.Children)
                    {
                        if (child.NameUtf8.StartsWith("value"u8))
                        {
                            return child;
                        }
                    }
                }
            }
        }
        return default;
    }

    private static int? Number(FhirElement json, string path, string origin) =>
        json.Text is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new UnreadableDefinitionException(
            origin,
            $"{path}.{json.Name}",
            $"'{text}' is not a whole number from 0 to {int.MaxValue}."
        );

    private static int? Maximum(FhirElement json, string path, string origin) =>
        json.Is("*"u8) ? int.MaxValue : Number(json, path, origin);

    internal static IReadOnlyList<string> Texts(FhirElement json) => List(json, item => item.Text ?? "");

    internal static IReadOnlyList<T> List<T>(FhirElement json, Func<FhirElement, T> read)
    {
        if (!json.Exists)
        {
            return [];
        }
        var items = new List<T>();
        foreach (var item in json.Items)
        {
            items.Add(read(item));
        }
        return items;
    }
}
