using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>References: their form and ref-1 on every Reference; target types, target profiles and aggregation where an element names them.</summary>
internal sealed class References : Rule
{
    private const string TypeBase = "http://hl7.org/fhir/StructureDefinition/";

    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot)
        {
            if (scope.Base is null && scope.Node.Structure.Type == "Reference")
            {
                into.OfValue.Add(new Form());
            }
            return;
        }
        var types = Types(scope.Element, scope.Compiler).ToArray();
        if (types.Length == 0)
        {
            return;
        }
        var targets = types.SelectMany(type => type.TargetProfiles).Distinct(StringComparer.Ordinal).ToArray();
        if (
            types.All(type => type.TargetProfiles.Count > 0)
            && !targets.Contains(TypeBase + "Resource", StringComparer.Ordinal)
            && !Same(targets, scope, type => type.TargetProfiles)
        )
        {
            into.OfValue.Add(new Targets(targets, scope.Profile));
        }
        var modes = types.SelectMany(type => type.Aggregation).Distinct(StringComparer.Ordinal).ToArray();
        if (modes.Length > 0 && !Same(modes, scope, type => type.Aggregation))
        {
            into.OfValue.Add(new Aggregation(modes, scope.Profile));
        }
    }

    private static IEnumerable<ElementType> Types(StructureElement element, ProfileCompiler compiler) =>
        element.Types.Where(type => compiler.CodeOf(type) is "Reference");

    private static bool Same(string[] values, ElementScope scope, Func<ElementType, IReadOnlyList<string>> of) =>
        scope.Base is { } other
        && Types(other.Element, scope.Compiler).SelectMany(of).ToHashSet(StringComparer.Ordinal).SetEquals(values);

    private sealed class Form : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var literal = spot.Value["reference"u8];
            if (literal.Kind != JsonKind.String || literal.Text is not { Length: > 0 } text)
            {
                return;
            }
            if (text[0] == '#')
            {
                if (!walk.Resources.Resolve(literal, text).Exists && walk.Wants(Severity.Error))
                {
                    walk.Add(
                        Severity.Error,
                        "invariant",
                        "ref-1",
                        literal,
                        $"There is no contained resource with the id '{Nearest.Shown(text[1..])}'"
                            + (
                                walk.Hint(
                                    walk.Resources.Container(literal)!,
                                    text,
                                    () => Nearest.To(text[1..], walk.Resources.ContainedIds(literal))
                                )
                                    is { } near
                                    ? $"; did you mean '#{near}'?"
                                    : "."
                            )
                    );
                }
                return;
            }
            if (ResourceMap.IsAbsolute(text) || text.Contains('?', StringComparison.Ordinal))
            {
                return;
            }
            if (ResourceMap.TypeAndId(text) is not var (type, id))
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "reference-format",
                    literal,
                    $"'{Nearest.Shown(text)}' is not a reference: Type/id, an absolute URL, urn:uuid:... or #id of a contained resource would be."
                );
            }
            else if (walk.Compiler.ResourceTypeByName(type) is null)
            {
                var near = walk.Hint(walk.Compiler, type, () => Nearest.To(type, walk.Compiler.ResourceTypes));
                walk.Add(
                    Severity.Error,
                    "value",
                    "reference-format",
                    literal,
                    $"'{Nearest.Shown(type)}' is not a resource type of R4"
                        + (near is null ? "." : $"; did you mean '{near}/{id}'?")
                );
            }
            else if (PrimitiveFormat.Problem(Primitive.Id, System.Text.Encoding.UTF8.GetBytes(id)) is { } problem)
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "reference-format",
                    literal,
                    $"'{Nearest.Shown(id)}' is not an id: {problem}"
                );
            }
            else if (spot.Value["type"u8].Text is { } stated && TypeName(stated) != type)
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "reference-type",
                    spot.Value["type"u8],
                    $"The reference leads to a {type}, its type says '{Nearest.Shown(stated)}'."
                );
            }
        }
    }

    private static string TypeName(string stated) =>
        stated.StartsWith(TypeBase, StringComparison.Ordinal) ? stated[TypeBase.Length..] : stated;

    private sealed class Targets(string[] canonicals, string? profile) : ValueCheck
    {
        private HashSet<string>? types;

        public override void Check(Walk walk, in Spot spot)
        {
            if (spot.Type.Code != "Reference" || spot.Value.Kind != JsonKind.Object)
            {
                return;
            }
            var reference = spot.Value;
            var literal = reference["reference"u8];
            var text = literal.Text;
            var target = text is { Length: > 0 } ? walk.Resources.Resolve(literal, text) : default;
            var type =
                target.Exists ? target["resourceType"u8].Text
                : text is not null && TypeOf(walk, text) is { } named ? named
                : reference["type"u8].Text is { } stated ? TypeName(stated)
                : null;
            if (type is null || walk.Compiler.ResourceTypeByName(type) is not { } link)
            {
                return;
            }
            types ??= AllowedTypes(walk);
            if (types.Count > 0 && !types.Contains(type))
            {
                walk.Add(
                    Severity.Error,
                    "structure",
                    "reference-target",
                    literal.Exists ? literal : reference,
                    $"The reference leads to a {type}; allowed here: {string.Join(", ", types.Order(StringComparer.Ordinal))}.",
                    profile
                );
                return;
            }
            if (target.Exists && profile is not null)
            {
                MetaProfile.OneOf(
                    walk,
                    new Spot(target, default, link),
                    literal,
                    canonicals,
                    profile,
                    "reference-target-profile"
                );
            }
        }

        /// <summary>The type that a literal reference names; null when it does not say.</summary>
        private static string? TypeOf(Walk walk, string reference) =>
            !reference.StartsWith("urn:", StringComparison.Ordinal)
            && !reference.StartsWith('#')
            && ResourceMap.TypeAndId(reference) is var (type, _)
            && walk.Compiler.ResourceTypeByName(type) is not null
                ? type
                : null;

        /// <summary>Types of the target profiles; empty (all) when one of them is not known here.</summary>
        private HashSet<string> AllowedTypes(Walk walk)
        {
            var allowed = new HashSet<string>(StringComparer.Ordinal);
            foreach (var canonical in canonicals)
            {
                if (walk.Compiler.TypeOfCanonical(canonical) is not { } type || type is "Resource" or "DomainResource")
                {
                    return [];
                }
                allowed.Add(type);
            }
            return allowed;
        }
    }

    private sealed class Aggregation(string[] modes, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var literal = spot.Value["reference"u8];
            if (literal.Text is not { Length: > 0 } text)
            {
                return;
            }
            var found =
                text[0] == '#' ? "contained"
                : walk.Resources.Resolve(literal, text).Exists ? "bundled"
                : "referenced";
            // What is bundled is referenced, too.
            if (!modes.Contains(found, StringComparer.Ordinal) && !(found == "bundled" && modes.Contains("referenced")))
            {
                walk.Add(
                    Severity.Error,
                    "structure",
                    "reference-aggregation",
                    literal,
                    $"The target is {found}; the profile allows {string.Join(" or ", modes)}.",
                    profile
                );
            }
        }
    }
}
