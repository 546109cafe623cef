using System.Collections.Concurrent;
using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;
using CcmFhir.Validation.Rules;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation;

/// <summary>Turns definitions into shapes, each when it is first needed. The index of every kind of rule that there is. Thread-safe.</summary>
internal sealed class ProfileCompiler(DefinitionSet definitions)
{
    /// <summary>Every kind of rule, in the order in which issues of one element are told.</summary>
    private static readonly Rule[] Rules =
    [
        new Cardinality(),
        new TypeRule(),
        new FixedAndPattern(),
        new ValueRange(),
        new TextPattern(),
        new Bindings(),
        new References(),
        new CodingRule(),
        new Extensions(),
        new Contained(),
        new ElementIds(),
        new Attachments(),
        new BundleRules(),
        new Slicing(),
        new Invariants(),
    ];

    private const string TypeBase = "http://hl7.org/fhir/StructureDefinition/";
    private const string SystemTypes = "http://hl7.org/fhirpath/System.";

    private readonly ConcurrentDictionary<string, TypeLink?> links = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<Shape>> shapes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Structure, Lazy<ElementNode>> trees = new();
    private readonly ConcurrentDictionary<ElementNode, Shape> inline = new();
    private readonly ConcurrentDictionary<string, Lazy<(CompiledProfile? Profile, string? Problem)>> profiles = new(
        StringComparer.Ordinal
    );
    private readonly ConcurrentDictionary<string, CompiledExpression> expressions = new(StringComparer.Ordinal);
    private string[]? resourceTypes;
    private NameTable? resourceNames;
    private TypeLink?[]? resourceLinks;
    private Shape? primitiveChildren;

    public DefinitionSet Definitions => definitions;

    public TerminologySet Terminology { get; } = new(definitions);

    public TypeModel Types { get; } = new(definitions);

    /// <summary>Names of the resource types that may have instances.</summary>
    public IReadOnlyList<string> ResourceTypes => resourceTypes ??= ReadResourceTypes();

    /// <summary>What stands beside a primitive: id and extensions.</summary>
    public Shape PrimitiveChildren => primitiveChildren ??= TypeShape("Element");

    /// <summary>The type that a resource says it is; null when it is not one of R4.</summary>
    public TypeLink? ResourceType(FhirElement resource)
    {
        var stated = resource["resourceType"u8];
        if (stated.Kind != JsonKind.String || stated.IsEscaped)
        {
            return stated.Kind == JsonKind.String ? ResourceTypeByName(stated.Text!) : null;
        }
        var names = resourceNames ??= new NameTable(ResourceTypes);
        var index = names.Find(stated.Raw[1..^1]);
        if (index < 0)
        {
            return null;
        }
        var known = resourceLinks ??= new TypeLink?[ResourceTypes.Count];
        return known[index] ??= Link(ResourceTypes[index]);
    }

    public TypeLink? ResourceTypeByName(string name) =>
        ResourceTypes.Contains(name, StringComparer.Ordinal) ? Link(name) : null;

    /// <summary>The type of a name; null when there is none.</summary>
    public TypeLink? Link(string code) =>
        links.GetOrAdd(
            code,
            static (name, self) =>
                self.Definitions.StructureOfType(name) is { } structure
                    ? new TypeLink(name, structure.Kind, structure.IsAbstract, self.TypeShape)
                    : null,
            this
        );

    /// <summary>The name of the type that this one builds on; null for Element, Resource and unknown ones.</summary>
    public string? BaseType(string code) =>
        definitions.StructureOfType(code)?.BaseDefinition is { } canonical
            ? canonical[(canonical.LastIndexOf('/') + 1)..]
            : null;

    public bool IsOrSpecializes(string code, string wanted)
    {
        for (string? type = code; type is not null; type = BaseType(type))
        {
            if (type == wanted)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>FHIR's name of a type in a definition; the system types behind ids and urls are strings.</summary>
    public string CodeOf(ElementType type) =>
        type.Code.StartsWith(SystemTypes, StringComparison.Ordinal)
            ? char.ToLowerInvariant(type.Code[SystemTypes.Length]) + type.Code[(SystemTypes.Length + 1)..]
            : type.Code;

    /// <summary>The type behind a canonical of a type or profile; null when it is not known.</summary>
    public string? TypeOfCanonical(string canonical)
    {
        var (url, _) = DefinitionSet.Split(canonical);
        return url.StartsWith(TypeBase, StringComparison.Ordinal) && Link(url[TypeBase.Length..]) is { } link
            ? link.Code
            : definitions.Find(DefinitionKind.Structure, canonical)?.Structure.Type;
    }

    /// <summary>The element tree of a type; null when there is no such type.</summary>
    public ElementNode? TypeTree(string code) => definitions.StructureOfType(code) is { } type ? Tree(type) : null;

    /// <summary>The element tree of a canonical; null when it is not known.</summary>
    public ElementNode? TreeOf(string canonical) => definitions.Structure(canonical) is { } known ? Tree(known) : null;

    /// <summary>Everything that a type demands.</summary>
    public Shape TypeShape(string code) =>
        shapes
            .GetOrAdd(
                code,
                static (name, self) =>
                    new Lazy<Shape>(() =>
                        self.TypeTree(name) is { } root
                            ? self.OfType(root)
                            : throw new UnreadableDefinitionException("", name, "R4 has no type of that name.")
                    ),
                this
            )
            .Value;

    /// <summary>The shape of an element with content of its own (Patient.contact), by its node in the type; null when it has none.</summary>
    public Shape? InlineShape(ElementNode node)
    {
        _ = TypeShape(node.Structure.Type);
        return inline.GetValueOrDefault(ContentOf(node));
    }

    /// <summary>A profile, or a type as a profile.</summary>
    /// <param name="canonical">Optional |version.</param>
    /// <param name="problem">Why a known one cannot be used; null when it is not known at all.</param>
    public CompiledProfile? Profile(string canonical, out string? problem)
    {
        var known = profiles.GetValueOrDefault(canonical);
        if (known is null)
        {
            // Only what is known is remembered: a resource may claim anything.
            if (definitions.Find(DefinitionKind.Structure, canonical) is null)
            {
                problem = null;
                return null;
            }
            known = profiles.GetOrAdd(
                canonical,
                static (name, self) => new Lazy<(CompiledProfile?, string?)>(() => self.Compile(name)),
                this
            );
        }
        (var profile, problem) = known.Value;
        return profile;
    }

    /// <summary>Compiles a FHIRPath expression of an element; equal ones once.</summary>
    /// <exception cref="UnreadableDefinitionException">It does not compile.</exception>
    public CompiledExpression Expression(string expression, ElementNode node)
    {
        try
        {
            return expressions.GetOrAdd(expression, FhirPathCompiler.Compile);
        }
        catch (FhirPathException fail)
        {
            throw new UnreadableDefinitionException(node.Structure.Origin, node.Element.Id, fail.Message);
        }
    }

    /// <summary>All checks of one element.</summary>
    public ElementChecks Checks(ElementScope scope)
    {
        var checks = new ElementChecks();
        foreach (var rule in Rules)
        {
            rule.Compile(scope, checks);
        }
        return checks;
    }

    /// <summary>What a profile says about the properties below an element; null when nothing.</summary>
    public Shape? Inner(ElementScope scope)
    {
        if (scope.Node.Children.Count == 0 || ChildBase(scope) is not { } below)
        {
            return null;
        }
        var shape = Beyond(scope.Node, below, []);
        return shape.IsEmpty ? null : shape;
    }

    private (CompiledProfile? Profile, string? Problem) Compile(string canonical)
    {
        try
        {
            return Compile(definitions.Structure(canonical)!);
        }
        catch (UnreadableDefinitionException fail)
        {
            return (null, $"The profile {canonical} cannot be used: {fail.Element}: {fail.Reason}");
        }
    }

    private (CompiledProfile? Profile, string? Problem) Compile(Structure structure)
    {
        if (!structure.IsProfile)
        {
            return structure.Kind == StructureKind.Logical || structure.Kind == StructureKind.PrimitiveType
                ? (null, $"{structure.Url} is not something that a resource can be checked against.")
                : (new CompiledProfile(structure, TypeShape(structure.Type)), null);
        }
        if (structure.FhirVersion is { } version && !version.StartsWith("4.0", StringComparison.Ordinal))
        {
            return (null, $"The profile {structure.Url} is written for FHIR {version}, not for R4.");
        }
        var type =
            TypeTree(structure.Type)
            ?? throw new UnreadableDefinitionException(
                structure.Origin,
                structure.Url,
                $"it constrains '{structure.Type}', which is not a type of R4."
            );
        var root = Tree(structure);
        var scope = new ElementScope(this, root, type, []);
        return (new CompiledProfile(structure, Beyond(root, type, Checks(scope).OfValue)), null);
    }

    private ElementNode Tree(Structure structure) =>
        trees.GetOrAdd(structure, static known => new Lazy<ElementNode>(() => ElementNode.Build(known))).Value;

    private Shape OfType(ElementNode root)
    {
        var shape = new Shape
        {
            IsType = true,
            ResourceType = root.Structure.Kind == StructureKind.Resource ? root.Structure.Type : null,
        };
        inline[root] = shape;
        shape.Fill(Checks(new ElementScope(this, root, null, [])).OfValue, Slots(root));
        return shape;
    }

    private List<Slot> Slots(ElementNode parent)
    {
        var slots = new List<Slot>();
        foreach (var node in parent.Children)
        {
            if (node.Element.IsXmlAttribute && node.Structure.Kind == StructureKind.PrimitiveType)
            {
                continue;
            }
            var types = TypesOf(node);
            var scope = new ElementScope(this, node, null, types);
            Shape? inner = null;
            if (node.Children.Count > 0)
            {
                inner = new Shape { IsType = true, Path = node.Element.Path };
                inline[node] = inner;
                inner.Fill([], Slots(node));
            }
            else if (node.Element.ContentReference is not null)
            {
                inner = inline[ContentOf(node)];
            }
            slots.Add(NewSlot(scope, Checks(scope), inner));
        }
        return slots;
    }

    /// <summary>What a profile demands beyond its base, below one element.</summary>
    private Shape Beyond(ElementNode parent, ElementNode below, IReadOnlyList<ValueCheck> checks)
    {
        var slots = new List<Slot>();
        foreach (var node in parent.Children)
        {
            var name = node.Element.Name;
            var types = (TypeLink[]?)null;
            var other = below.Child(name) ?? ByType(below, name, out types);
            if (other is null)
            {
                throw new UnreadableDefinitionException(
                    node.Structure.Origin,
                    node.Element.Id,
                    $"{below.Element.Path} has no element '{name}'."
                );
            }
            var scope = new ElementScope(this, node, other, types ?? TypesOf(other));
            var slot = NewSlot(scope, Checks(scope), Inner(scope));
            if (!slot.IsEmpty)
            {
                slots.Add(slot);
            }
        }
        if (slots.Count == 0 && checks.Count == 0)
        {
            return Shape.Empty;
        }
        var shape = new Shape();
        shape.Fill(checks, slots);
        return shape;
    }

    /// <summary>An element that names one type of a choice: valueQuantity for value[x].</summary>
    private ElementNode? ByType(ElementNode below, string name, out TypeLink[]? types)
    {
        foreach (var child in below.Children)
        {
            if (child.Element.IsChoice && name.StartsWith(child.Element.Name[..^3], StringComparison.Ordinal))
            {
                var type = Array.Find(
                    TypesOf(child),
                    link => name == PropertyName(child.Element.Name[..^3], link, isChoice: true)
                );
                if (type is not null)
                {
                    types = [type];
                    return child;
                }
            }
        }
        types = null;
        return null;
    }

    private static Slot NewSlot(ElementScope scope, ElementChecks checks, Shape? inner)
    {
        var element = (scope.Base ?? scope.Node).Element;
        var name = element.IsChoice ? element.Name[..^3] : element.Name;
        return new Slot
        {
            Name = name,
            PropertyNames = [.. scope.Types.Select(type => PropertyName(name, type, element.IsChoice))],
            Types = scope.Types,
            IsArray = element.Max is > 1,
            ListChecks = [.. checks.OfList],
            ValueChecks = [.. checks.OfValue],
            Inner = inner,
        };
    }

    private static string PropertyName(string name, TypeLink type, bool isChoice) =>
        isChoice ? name + char.ToUpperInvariant(type.Code[0]) + type.Code[1..] : name;

    private TypeLink[] TypesOf(ElementNode node)
    {
        var element = node.Element;
        if (element.ContentReference is not null)
        {
            return [Need("BackboneElement", node)];
        }
        if (element.Types is [{ Code: var code }] && code.StartsWith(SystemTypes, StringComparison.Ordinal))
        {
            // The base says System.String here; what FHIR means stands in an extension of the definition.
            return
            [
                Need(
                    element.Path == "Extension.url" ? "uri"
                        : element.BasePath == "Resource.id" ? "id"
                        : CodeOf(element.Types[0]),
                    node
                ),
            ];
        }
        return
        [
            .. element
                .Types.Select(type => type.Code)
                .Distinct(StringComparer.Ordinal)
                .Select(type => Need(type, node)),
        ];
    }

    private TypeLink Need(string code, ElementNode node) =>
        Link(code)
        ?? throw new UnreadableDefinitionException(
            node.Structure.Origin,
            node.Element.Id,
            $"'{code}' is not a type of R4."
        );

    /// <summary>The element whose content an element has: itself, or the one that its content reference names.</summary>
    private static ElementNode ContentOf(ElementNode node)
    {
        if (node.Element.ContentReference is not { } reference)
        {
            return node;
        }
        var root = node;
        while (root.Parent is not null)
        {
            root = root.Parent;
        }
        var at = root;
        foreach (var name in reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..].Split('.').Skip(1))
        {
            at =
                at.Child(name)
                ?? throw new UnreadableDefinitionException(
                    node.Structure.Origin,
                    node.Element.Id,
                    $"the content reference {reference} leads nowhere."
                );
        }
        return at;
    }

    /// <summary>The base element whose children a profile's element may say more about.</summary>
    private ElementNode? ChildBase(ElementScope scope)
    {
        var other = scope.Base!;
        if (other.Element.ContentReference is not null)
        {
            return ContentOf(other);
        }
        if (other.Children.Count > 0)
        {
            return other;
        }
        var codes = scope.Element.Types.Select(CodeOf).Distinct(StringComparer.Ordinal).ToArray();
        return codes is [var only] ? TypeTree(only) : TypeTree("Element");
    }

    private string[] ReadResourceTypes()
    {
        var names = new List<string>();
        var known = definitions.Find(DefinitionKind.CodeSystem, "http://hl7.org/fhir/resource-types");
        foreach (var concept in known?.Json["concept"u8].Items ?? default)
        {
            if (concept["code"u8].Text is { } name and not ("Resource" or "DomainResource"))
            {
                names.Add(name);
            }
        }
        return [.. names];
    }
}
