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
            Elements = ReadElements(json["snapshot"u8]["element"u8], url, origin),
            Origin = origin,
        };
    }

    /// <summary>The elements of a snapshot.</summary>
    /// <param name="json">The array.</param>
    /// <param name="url">The structure's canonical: a binding to a contained ValueSet is known as that and its #id.</param>
    /// <param name="origin">For messages.</param>
    public static IReadOnlyList<StructureElement> ReadElements(FhirElement json, string url, string origin)
    {
        var repeated = new Repeated();
        return List(
            json,
            item =>
                ReadElement(item, origin, repeated) is var element && element.Binding?.ValueSet is ['#', ..] contained
                    ? element with
                    {
                        Binding = element.Binding with { ValueSet = url + contained },
                    }
                    : element
        );
    }

    // One pass over the properties, not one search for each: these lines run thousands of times before the first answer.
    private static StructureElement ReadElement(FhirElement json, string origin, Repeated repeated)
    {
        string? id = null,
            path = null,
            sliceName = null,
            contentReference = null;
        int? min = null,
            max = null,
            maxLength = null,
            minLength = null;
        (string? Path, int? Min, int? Max) @base = default;
        IReadOnlyList<ElementType> types = [];
        IReadOnlyList<ElementConstraint> constraints = [];
        TypedValue? @fixed = null,
            pattern = null,
            minValue = null,
            maxValue = null;
        ElementBinding? binding = null;
        ElementSlicing? slicing = null;
        bool sliceIsConstraining = false,
            isModifier = false,
            isSummary = false,
            mustSupport = false,
            isXmlAttribute = false;
        var words = "";
        foreach (var child in json.Children)
        {
            var name = child.Name;
            switch (name)
            {
                case "id":
                    id = child.Text;
                    break;
                case "path":
                    path = child.Text;
                    break;
                case "sliceName":
                    sliceName = child.Text;
                    break;
                case "min":
                    min = Number(child, path ?? id, origin);
                    break;
                case "max":
                    max = Maximum(child, path ?? id, origin);
                    break;
                case "base":
                    @base = (
                        child["path"u8].Text,
                        Number(child["min"u8], path ?? id, origin),
                        Maximum(child["max"u8], path ?? id, origin)
                    );
                    break;
                case "type":
                    types = List(child, repeated.Type);
                    break;
                case "contentReference":
                    contentReference = child.Text;
                    break;
                case "maxLength":
                    maxLength = Number(child, path ?? id, origin);
                    break;
                case "extension":
                    minLength = Number(Extension(json, "minLength"), path ?? id, origin);
                    break;
                case "binding":
                    binding = ReadBinding(child, path ?? id, origin);
                    break;
                case "constraint":
                    constraints = List(child, repeated.Constraint);
                    break;
                case "slicing":
                    slicing = ReadSlicing(child, path ?? id, origin);
                    break;
                case "sliceIsConstraining":
                    sliceIsConstraining = child.Kind == JsonKind.True;
                    break;
                case "isModifier":
                    isModifier = child.Kind == JsonKind.True;
                    break;
                case "isSummary":
                    isSummary = child.Kind == JsonKind.True;
                    break;
                case "mustSupport":
                    mustSupport = child.Kind == JsonKind.True;
                    break;
                case "short":
                    words = child.Text ?? "";
                    break;
                case "representation":
                    isXmlAttribute = Texts(child).Contains("xmlAttr");
                    break;
                default:
                    @fixed ??= Typed(child, name, "fixed");
                    pattern ??= Typed(child, name, "pattern");
                    minValue ??= Typed(child, name, "minValue");
                    maxValue ??= Typed(child, name, "maxValue");
                    break;
            }
        }
        if (path is null)
        {
            throw new UnreadableDefinitionException(origin, id ?? "element", "an element needs a path.");
        }
        return new StructureElement
        {
            Id = id ?? path,
            Path = path,
            SliceName = sliceName,
            Min = min,
            Max = max,
            BasePath = @base.Path,
            BaseMin = @base.Min,
            BaseMax = @base.Max,
            Types = types,
            ContentReference = contentReference,
            Fixed = @fixed,
            Pattern = pattern,
            MinValue = minValue,
            MaxValue = maxValue,
            MaxLength = maxLength,
            MinLength = minLength,
            Binding = binding,
            Constraints = constraints,
            Slicing = slicing,
            SliceIsConstraining = sliceIsConstraining,
            IsModifier = isModifier,
            IsSummary = isSummary,
            MustSupport = mustSupport,
            IsXmlAttribute = isXmlAttribute,
            Short = words,
        };
    }

    /// <summary>Types and invariants repeat from element to element; equal bytes give the same object.</summary>
    private sealed class Repeated
    {
        private const int Most = 8;
        private readonly List<(FhirElement Json, ElementType Read)> types = [];
        private readonly List<(FhirElement Json, ElementConstraint Read)> constraints = [];

        public ElementType Type(FhirElement json) => Known(types, json, ReadType);

        public ElementConstraint Constraint(FhirElement json) => Known(constraints, json, ReadConstraint);

        private static T Known<T>(List<(FhirElement Json, T Read)> known, FhirElement json, Func<FhirElement, T> read)
        {
            foreach (var (seen, value) in known)
            {
                if (seen.Raw.SequenceEqual(json.Raw))
                {
                    return value;
                }
            }
            var added = read(json);
            if (known.Count < Most)
            {
                known.Add((json, added));
            }
            return added;
        }
    }

    private static TypedValue? Typed(FhirElement child, string name, string prefix)
    {
        if (
            name.Length <= prefix.Length
            || !name.StartsWith(prefix, StringComparison.Ordinal)
            || !char.IsAsciiLetterUpper(name[prefix.Length])
        )
        {
            return null;
        }
        var type = name[prefix.Length..];
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
            Extension(json, "regex").Text is { } regex ? Corrections.Pattern(regex) : null
        );
    }

    private static ElementBinding? ReadBinding(FhirElement json, string? path, string origin) =>
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
            json["expression"u8].Text is { } expression ? Corrections.Expression(expression) : null,
            json["source"u8].Text,
            Extension(json, "elementdefinition-bestpractice").Kind == JsonKind.True
        );

    private static ElementSlicing? ReadSlicing(FhirElement json, string? path, string origin) =>
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

    private static int? Number(FhirElement json, string? path, string origin) =>
        json.Text is not { } text ? null
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw new UnreadableDefinitionException(
            origin,
            $"{path}.{json.Name}",
            $"'{text}' is not a whole number from 0 to {int.MaxValue}."
        );

    private static int? Maximum(FhirElement json, string? path, string origin) =>
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
