using System.Text.RegularExpressions;

namespace CcmFhir.Validation.Terminology;

/// <summary>One <c>ValueSet.compose.include.filter</c>: which concepts of a code system meet it.</summary>
/// <param name="Property">concept, code, display, or a property of the code system.</param>
/// <param name="Operation">FHIR filter-operator.</param>
/// <param name="Value">What to compare with.</param>
internal sealed record ConceptFilter(string Property, string Operation, string Value)
{
    // A pattern from a foreign package must not hold up the load.
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(200);

    /// <summary>Indexes of the concepts that meet it; null when it cannot be answered here.</summary>
    public HashSet<int>? Select(ConceptTree tree)
    {
        var whole = Enumerable.Range(0, tree.Count);
        switch (Operation)
        {
            case "is-a":
                return Around(tree, tree.Below);
            case "descendent-of":
                return Around(tree, index => [.. tree.Below(index).Where(other => other != index)]);
            case "child-of":
                return Around(tree, index => [.. tree.Children(index)]);
            case "descendent-leaf":
                return Around(tree, index => [.. tree.Below(index).Where(other => tree.Children(other).Count == 0)]);
            case "generalizes":
                return Around(tree, tree.Above);
            case "is-not-a":
                return Around(tree, tree.Below) is { } below ? [.. whole.Where(index => !below.Contains(index))] : null;
            case "=" when Property is "parent":
                return Around(tree, index => [.. tree.Children(index)]);
            case "=" when Property is "child":
                return Around(tree, index => [.. whole.Where(other => tree.Children(other).Contains(index))]);
            case "=":
                return [.. whole.Where(index => Values(tree, index).Contains(Value))];
            case "in":
            {
                var wanted = Value.Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
                return [.. whole.Where(index => Values(tree, index).Any(value => wanted.Contains(value ?? "")))];
            }
            case "not-in":
            {
                var unwanted = Value.Split(',', StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);
                return [.. whole.Where(index => !Values(tree, index).Any(value => unwanted.Contains(value ?? "")))];
            }
            case "exists":
            {
                var wanted = string.Equals(Value, "true", StringComparison.Ordinal);
                return [.. whole.Where(index => Values(tree, index).Any() == wanted)];
            }
            case "regex":
                return Matching(tree, whole);
            default:
                return null;
        }
    }

    private HashSet<int>? Around(ConceptTree tree, Func<int, HashSet<int>> reach) =>
        tree.IndexOf(Value) is >= 0 and var index ? reach(index)
        // Where the system is whole, nothing is below a concept that is not there.
        : tree.IsWhole ? []
        : null;

    private HashSet<int>? Matching(ConceptTree tree, IEnumerable<int> whole)
    {
        try
        {
            var regex = new Regex(
                $"^(?:{Value})$",
                RegexOptions.NonBacktracking | RegexOptions.CultureInvariant,
                MostTime
            );
            return
            [
                .. whole.Where(index => Values(tree, index).Any(value => value is not null && regex.IsMatch(value))),
            ];
        }
        catch (Exception fail) when (fail is ArgumentException or NotSupportedException or RegexMatchTimeoutException)
        {
            return null;
        }
    }

    private IEnumerable<string?> Values(ConceptTree tree, int index) =>
        Property switch
        {
            "concept" or "code" => [tree.Code(index)],
            "display" => tree.Display(index) is { } display ? [display] : [],
            _ => tree.Properties(index).Where(pair => pair.Property == Property).Select(pair => pair.Value),
        };
}
