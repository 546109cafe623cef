namespace CcmFhir.Validation.Rules;

/// <summary>How often an element occurs.</summary>
internal sealed class Cardinality : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot)
        {
            return;
        }
        var min = scope.Element.Min ?? 0;
        var max = scope.Element.Max ?? int.MaxValue;
        var baseMin = scope.Base?.Element.Min ?? 0;
        var baseMax =
            scope.Base is { } other ? other.Element.Max ?? int.MaxValue
            // JSON form tells two values of a type's single element apart by itself.
            : max == 1 ? 1
            : int.MaxValue;
        if (min > baseMin || max < baseMax)
        {
            into.OfList.Add(
                new Bounds(min > baseMin ? min : 0, max < baseMax ? max : int.MaxValue, scope.Name, scope.Profile)
            );
        }
    }

    private sealed class Bounds(int min, int max, string name, string? profile) : ListCheck
    {
        public override void Check(Walk walk, in Occurrences all)
        {
            var count = all.Count;
            if (count < min)
            {
                walk.Add(
                    Severity.Error,
                    "required",
                    "cardinality-min",
                    all.Owner,
                    count == 0
                        ? $"'{Shown(all.Slot)}' is missing; "
                            + (min == 1 ? "it is required." : $"at least {min} are required.")
                        : $"'{name}' occurs {count} time(s); at least {min} are required.",
                    profile,
                    name
                );
            }
            else if (count > max)
            {
                var at = 0;
                foreach (var one in all)
                {
                    if (at++ == max)
                    {
                        walk.Add(
                            Severity.Error,
                            "structure",
                            "cardinality-max",
                            one.At,
                            max == 0
                                ? $"'{name}' is not allowed here."
                                : $"'{name}' occurs {count} times; at most {max} allowed.",
                            profile
                        );
                    }
                }
            }
        }

        private static string Shown(Slot slot) =>
            slot.PropertyNames.Length == 1 ? slot.PropertyNames[0]
            : slot.PropertyNames.Length <= 6 ? string.Join("' or '", slot.PropertyNames)
            : slot.Name + "[x]";
    }
}
