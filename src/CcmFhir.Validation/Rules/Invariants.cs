using CcmFhir.Validation.FhirPath;

namespace CcmFhir.Validation.Rules;

/// <summary>Invariants in FHIRPath. The universal ones that every element repeats have rules of their own and are left out here.</summary>
internal sealed class Invariants : Rule
{
    // Checked natively: ele-1 by the walk, ext-1 by Extensions, dom-2 to dom-6 by Contained, ref-1 by References,
    // txt-1 and txt-2 by Narrative, bdl-7, bdl-11 and bdl-12 by BundleRules.
    private static readonly HashSet<string> Native =
    [
        "ele-1",
        "ext-1",
        "dom-2",
        "dom-3",
        "dom-4",
        "dom-5",
        "dom-6",
        "ref-1",
        "txt-1",
        "txt-2",
        "bdl-7",
        "bdl-11",
        "bdl-12",
    ];

    public override void Compile(ElementScope scope, ElementChecks into)
    {
        foreach (var constraint in scope.Element.Constraints)
        {
            if (
                constraint.Expression is not { Length: > 0 } expression
                || (Native.Contains(constraint.Key) && IsCore(constraint.Source))
                || IsKnown(scope, constraint.Key, expression)
            )
            {
                continue;
            }
            into.OfValue.Add(
                new Invariant(
                    scope.Compiler.Expression(expression, scope.Node),
                    scope.IsRoot ? null : ContentPath((scope.Base ?? scope.Node)),
                    constraint.Key,
                    constraint.IsBestPractice ? Severity.Information
                        : constraint.IsError ? Severity.Error
                        : Severity.Warning,
                    constraint.Human,
                    scope.Profile is null || IsCore(constraint.Source) ? null : constraint.Source ?? scope.Profile
                )
            );
        }
    }

    /// <summary>FHIRPath knows the type of a backbone element by the path where its content is defined; null for other types.</summary>
    private static string? ContentPath(ElementNode node) =>
        node.Element.ContentReference is { } reference
            ? reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..]
        : node.Children.Count > 0 ? node.Element.Path
        : null;

    private static bool IsCore(string? source) =>
        source is null || source.StartsWith("http://hl7.org/fhir/StructureDefinition/", StringComparison.Ordinal);

    /// <summary>Stands already where the value is checked anyway: on the same element of the base, or on its type.</summary>
    private static bool IsKnown(ElementScope scope, string key, string expression)
    {
        bool Has(ElementNode? node) =>
            node is not null
            && node.Element.Constraints.Any(other => other.Key == key && other.Expression == expression);
        if (scope.IsRoot)
        {
            // A type's own root; a profile's root has those of its type again.
            return scope.Base is not null && Has(scope.Base);
        }
        return Has(scope.Base)
            || scope
                .Element.Types.Select(scope.Compiler.CodeOf)
                .Where(code => code is not ("BackboneElement" or "Element"))
                .Any(code => Has(scope.Compiler.TypeTree(code)));
    }

    private sealed class Invariant(
        CompiledExpression expression,
        string? path,
        string key,
        Severity severity,
        string human,
        string? profile
    ) : ValueCheck
    {
        private TypeShape? type;

        public override void Check(Walk walk, in Spot spot)
        {
            type ??= path is null ? null : walk.Compiler.Types.Find(path);
            try
            {
                if (!walk.Holds(expression, spot, type))
                {
                    walk.Add(severity, "invariant", key, spot.At, human, profile, isExpression: true);
                }
            }
            catch (FhirPathException fail)
            {
                walk.NotAnswered(key, spot.At, fail);
            }
        }
    }
}
