using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>Slicing: each value belongs to the first slice that its discriminators fit; a slice has its own cardinality and rules;
/// what fits no slice may stand beside them, only at the end, or not at all.</summary>
internal sealed class Slicing : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.Node.Slices.Count > 0)
        {
            into.OfList.Add(Build(scope));
        }
        else if (
            scope.Element.Slicing is { Rules: SlicingRules.Closed, Discriminators.Count: > 0 }
            && !scope.Element.IsChoice
        )
        {
            into.OfList.Add(new Sliced([], SlicingRules.Closed, ordered: false, scope.Name, scope.Profile));
        }
    }

    private static Sliced Build(ElementScope scope)
    {
        var slicing = scope.Element.Slicing;
        var discriminators =
            slicing is { Discriminators.Count: > 0 } ? slicing.Discriminators
            : scope.Element.IsChoice ? [new SliceDiscriminator("type", "$this")]
            : scope.Element.Name is "extension" or "modifierExtension" ? [new SliceDiscriminator("value", "url")]
            : [];
        var slices = scope.Node.Slices.Select(node => NewSlice(scope, node, discriminators)).ToArray();
        return new Sliced(
            slices,
            slicing?.Rules ?? SlicingRules.Open,
            slicing?.Ordered ?? false,
            scope.Name,
            scope.Profile,
            isNeeded: scope.Element.Min > 0
        );
    }

    private static Slice NewSlice(
        ElementScope scope,
        ElementNode node,
        IReadOnlyList<SliceDiscriminator> discriminators
    )
    {
        var element = node.Element;
        var inner = scope with { Node = node };
        var checks = scope.Compiler.Checks(inner);
        var matchers = discriminators
            .Select(discriminator => Discriminators.Compile(scope.Compiler, node, scope.Base, discriminator))
            .ToArray();
        return new Slice(
            element.SliceName!,
            element.Min ?? 0,
            element.Max ?? int.MaxValue,
            matchers,
            [.. checks.OfValue],
            // Re-slices: the list checks of a slice that is sliced itself.
            [.. checks.OfList.Where(check => check is Sliced)],
            scope.Compiler.Inner(inner)
        );
    }

    /// <param name="Name">Slice name.</param>
    /// <param name="Min">Fewest.</param>
    /// <param name="Max">Most.</param>
    /// <param name="Matchers">All must fit; empty when there is no way to tell.</param>
    /// <param name="Checks">What a value of the slice must meet.</param>
    /// <param name="Lists">Slicing inside the slice.</param>
    /// <param name="Inner">Rules for what is below.</param>
    private sealed record Slice(
        string Name,
        int Min,
        int Max,
        Discriminator[] Matchers,
        ValueCheck[] Checks,
        ListCheck[] Lists,
        Shape? Inner
    )
    {
        public bool Fits(Walk walk, in Spot spot)
        {
            if (Matchers.Length == 0)
            {
                return walk.Passes(Checks, spot) && (Inner is null || walk.Passes(Inner, spot));
            }
            foreach (var matcher in Matchers)
            {
                if (!matcher.Fits(walk, spot))
                {
                    return false;
                }
            }
            return true;
        }
    }

    private sealed class Sliced(
        Slice[] slices,
        SlicingRules rules,
        bool ordered,
        string name,
        string? profile,
        bool isNeeded = false
    ) : ListCheck
    {
        public override void Check(Walk walk, in Occurrences all)
        {
            var counts = new int[slices.Length];
            var last = -1;
            FhirElement stranger = default;
            var at = 0;
            List<(int Index, Spot Spot)>? strangers = null;
            foreach (var one in all)
            {
                at++;
                var index = Find(walk, one);
                if (index < 0)
                {
                    (strangers ??= []).Add((at - 1, one));
                    stranger = one.At;
                    if (rules == SlicingRules.Closed)
                    {
                        Stranger(walk, one);
                    }
                    continue;
                }
                var slice = slices[index];
                if (rules == SlicingRules.OpenAtEnd && stranger.Exists)
                {
                    walk.Add(
                        Severity.Error,
                        "structure",
                        "slicing-at-end",
                        one.At,
                        $"The slice '{slice.Name}' must come before the values that belong to no slice.",
                        profile
                    );
                }
                if (ordered && index < last)
                {
                    walk.Add(
                        Severity.Error,
                        "structure",
                        "slicing-order",
                        one.At,
                        $"The slice '{slice.Name}' must come before '{slices[last].Name}'.",
                        profile
                    );
                }
                last = Math.Max(last, index);
                if (++counts[index] == slice.Max + 1L)
                {
                    walk.Add(
                        Severity.Error,
                        "structure",
                        "slice-max",
                        one.At,
                        slice.Max == 0
                            ? $"'{name}' of the slice '{slice.Name}' ({Described(slice)}) is not allowed."
                            : $"At most {slice.Max} '{name}' of the slice '{slice.Name}' ({Described(slice)}) allowed.",
                        profile
                    );
                }
                walk.Apply(slice.Checks, one);
                if (slice.Inner is not null)
                {
                    walk.Apply(slice.Inner, one);
                }
            }
            for (var index = 0; index < slices.Length; index++)
            {
                if (counts[index] < slices[index].Min)
                {
                    Missing(walk, all, slices[index], counts[index], strangers);
                }
                foreach (var list in slices[index].Lists)
                {
                    if (counts[index] > 0 || slices[index].Min > 0)
                    {
                        ((Sliced)list).CheckWithin(walk, all, this, index);
                    }
                }
            }
        }

        /// <summary>Re-slicing: only the values of one outer slice.</summary>
        private void CheckWithin(Walk walk, in Occurrences all, Sliced outer, int outerIndex)
        {
            var counts = new int[slices.Length];
            foreach (var one in all)
            {
                if (outer.Find(walk, one) != outerIndex)
                {
                    continue;
                }
                var index = Find(walk, one);
                if (index < 0)
                {
                    if (rules == SlicingRules.Closed)
                    {
                        Stranger(walk, one);
                    }
                    continue;
                }
                if (++counts[index] == slices[index].Max + 1L)
                {
                    walk.Add(
                        Severity.Error,
                        "structure",
                        "slice-max",
                        one.At,
                        $"At most {slices[index].Max} '{name}' of the slice '{slices[index].Name}' ({Described(slices[index])}) allowed.",
                        profile
                    );
                }
                walk.Apply(slices[index].Checks, one);
                if (slices[index].Inner is { } inner)
                {
                    walk.Apply(inner, one);
                }
            }
            for (var index = 0; index < slices.Length; index++)
            {
                if (counts[index] < slices[index].Min)
                {
                    Missing(walk, all, slices[index], counts[index], null);
                }
            }
        }

        private int Find(Walk walk, in Spot spot)
        {
            var fallback = -1;
            for (var index = 0; index < slices.Length; index++)
            {
                if (slices[index].Name == "@default")
                {
                    fallback = index;
                }
                else if (slices[index].Fits(walk, spot))
                {
                    return index;
                }
            }
            return fallback;
        }

        private void Stranger(Walk walk, in Spot spot)
        {
            var reasons = slices.Take(6).Select(slice => $"'{slice.Name}' needs {Described(slice)}");
            walk.Add(
                Severity.Error,
                "structure",
                "slicing-closed",
                spot.At,
                slices.Length == 0
                    ? $"No '{name}' is allowed here."
                    : $"This '{name}' fits none of the allowed slices: {string.Join("; ", reasons)}.",
                profile
            );
        }

        /// <summary>Where a value was there but fitted no slice, that value is named: it is what somebody wrote for it.</summary>
        private void Missing(
            Walk walk,
            in Occurrences all,
            Slice slice,
            int count,
            List<(int Index, Spot Spot)>? strangers
        )
        {
            var hint = strangers is { Count: > 0 }
                ? $" {strangers.Count} other '{name}' stand(s) here, without {Described(slice)}."
                : "";
            walk.Add(
                // Where the whole element is missing and needed, that is the fault; the slice only follows from it.
                isNeeded && all.Count == 0
                    ? Severity.Information
                    : Severity.Error,
                "required",
                "slice-min",
                all.Owner,
                $"'{name}' with {Described(slice)} (slice '{slice.Name}') "
                    + (count == 0 ? "is missing." : $"occurs {count} time(s); at least {slice.Min} are required.")
                    + hint,
                profile,
                name
            );
        }

        private static string Described(Slice slice) =>
            slice.Matchers.Length == 0
                ? "all that the slice asks"
                : string.Join(" and ", slice.Matchers.Select(matcher => matcher.Text));
    }
}
