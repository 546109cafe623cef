using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>Extensions: ext-1 (a value or extensions, not both), an absolute url that is known here, the profile behind the url,
/// the places where it may stand (a warning: R4's own contexts are often too narrow), modifiers among modifiers.</summary>
internal sealed class Extensions : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot && scope.Base is null && scope.Node.Structure.Type == "Extension")
        {
            into.OfValue.Add(new Known());
        }
    }

    private sealed class Known : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var extension = spot.Value;
            var (hasValue, hasExtensions) = (false, extension["extension"u8].Exists);
            foreach (var property in extension.Children)
            {
                var name = property.NameUtf8;
                hasValue |= name.StartsWith("value"u8) || name.StartsWith("_value"u8);
            }
            if (hasValue == hasExtensions)
            {
                walk.Add(
                    Severity.Error,
                    "invariant",
                    "ext-1",
                    extension,
                    hasValue
                        ? "An extension has either a value or extensions of its own, not both."
                        : "An extension needs a value[x] or extensions of its own."
                );
            }
            if (extension["url"u8].Text is not { Length: > 0 } url)
            {
                return;
            }
            var list = extension.Parent.Kind == JsonKind.Array ? extension.Parent : extension;
            var owner = list.Parent;
            var isNested = IsExtension(owner);
            if (!ResourceMap.IsAbsolute(url))
            {
                if (!isNested)
                {
                    walk.Add(
                        Severity.Error,
                        "value",
                        "extension-url",
                        extension["url"u8],
                        $"The url of an extension is absolute; '{Nearest.Shown(url)}' is not."
                    );
                }
                return;
            }
            var isModifier = list.NameUtf8.SequenceEqual("modifierExtension"u8);
            if (walk.Compiler.Profile(url, out var problem) is not { } definition)
            {
                Unknown(walk, extension, url, isModifier, problem);
                return;
            }
            if (definition.Structure.Type != "Extension" || !definition.Structure.IsProfile)
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "extension-url",
                    extension["url"u8],
                    $"{url} defines a {definition.Structure.Type}, not an extension."
                );
                return;
            }
            if (definition.Structure.Root.IsModifier != isModifier && !isNested)
            {
                walk.Add(
                    Severity.Error,
                    "structure",
                    "extension-modifier",
                    extension,
                    isModifier
                        ? $"{url} is not a modifier; it belongs into 'extension'."
                        : $"{url} changes the meaning of what holds it; it belongs into 'modifierExtension'."
                );
            }
            if (!walk.IsQuiet && !Fits(walk, definition.Structure, owner) && walk.Wants(Severity.Warning))
            {
                walk.Add(
                    Severity.Warning,
                    "extension",
                    "extension-context",
                    extension,
                    $"{url} is defined for {string.Join(", ", definition.Structure.Contexts.Select(context => context.Expression))}; here it stands on {ElementPaths.TypeAt(walk.Compiler, owner)}."
                );
            }
            walk.Apply(definition.Shape, spot);
        }

        private static void Unknown(Walk walk, FhirElement extension, string url, bool isModifier, string? problem)
        {
            walk.NotChecked(problem ?? $"Extension {Nearest.Shown(url)} is not known here.");
            if (problem is null && url.StartsWith("http://hl7.org/fhir/StructureDefinition/", StringComparison.Ordinal))
            {
                // Those of later versions are used with R4, too.
                walk.Add(
                    Severity.Warning,
                    "extension",
                    "extension-unknown",
                    extension["url"u8],
                    $"R4 defines no extension {Nearest.Shown(url)}; only HL7 defines extensions under that address."
                );
            }
            else if (isModifier)
            {
                walk.Add(
                    Severity.Warning,
                    "extension",
                    "modifier-extension-unknown",
                    extension["url"u8],
                    $"The modifier extension {Nearest.Shown(url)} is not known here; it may change the meaning of what holds it."
                );
            }
        }

        private static bool IsExtension(FhirElement owner)
        {
            var list = owner.Parent.Exists && owner.Parent.Kind == JsonKind.Array ? owner.Parent : owner;
            return list.Exists
                && (list.NameUtf8.SequenceEqual("extension"u8) || list.NameUtf8.SequenceEqual("modifierExtension"u8));
        }

        private static bool Fits(Walk walk, Structure definition, FhirElement owner)
        {
            if (definition.Contexts.Count == 0)
            {
                return true;
            }
            HashSet<string>? paths = null;
            foreach (var context in definition.Contexts)
            {
                if (
                    context.Type == "fhirpath"
                    || context.Expression is "Element" or "*" or ""
                    || context.Expression.Contains('#', StringComparison.Ordinal)
                    || (context.Type == "extension" && owner["url"u8].Text == context.Expression)
                )
                {
                    return true;
                }
                if (context.Type == "element")
                {
                    paths ??= DefinitionPaths.Of(walk.Compiler, owner);
                    if (paths.Contains(context.Expression.Replace("[x]", "", StringComparison.Ordinal)))
                    {
                        return true;
                    }
                }
            }
            return false;
        }
    }
}
