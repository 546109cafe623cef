using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation.Rules;

/// <summary>Bindings. Required: an error; extensible: a warning; preferred and example: not asked. What cannot be told here is said once, never as an error.</summary>
internal sealed class Bindings : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.Element.Binding is not { ValueSet: not null } binding || !IsChecked(binding))
        {
            return;
        }
        if (
            scope.Base?.Element.Binding is { } other
            && other.Strength <= binding.Strength
            && other.ValueSet == binding.ValueSet
            && other.MaxValueSet == binding.MaxValueSet
        )
        {
            return;
        }
        into.OfValue.Add(new Bound(scope.Compiler.Terminology, binding, scope.Profile));
    }

    private static bool IsChecked(ElementBinding binding) =>
        binding.Strength <= BindingStrength.Extensible || binding.MaxValueSet is not null;

    private sealed class Bound(TerminologySet terminology, ElementBinding binding, string? profile) : ValueCheck
    {
        private ValueSetCodes? codes;
        private ValueSetCodes? most;

        public override void Check(Walk walk, in Spot spot)
        {
            var value = spot.Value;
            if (!value.Exists)
            {
                NoCode(walk, spot);
                return;
            }
            if (binding.Strength <= BindingStrength.Extensible)
            {
                codes ??= terminology.ValueSet(binding.ValueSet!);
                Ask(walk, spot, codes, binding.Strength == BindingStrength.Required);
            }
            if (binding.MaxValueSet is not null)
            {
                most ??= terminology.ValueSet(binding.MaxValueSet);
                // Where a code is only preferred, words alone break no limit on codes.
                if (
                    binding.Strength <= BindingStrength.Extensible
                    || spot.Type.Code != "CodeableConcept"
                    || value["coding"u8].Exists
                )
                {
                    Ask(walk, spot, most, isRequired: true);
                }
            }
        }

        /// <summary>Extensions do not stand for a code where one of a set is required.</summary>
        private void NoCode(Walk walk, in Spot spot)
        {
            if (binding.Strength == BindingStrength.Required && spot.Type.Primitive == Primitive.Code)
            {
                Add(
                    walk,
                    spot.At,
                    isRequired: true,
                    codes ??= terminology.ValueSet(binding.ValueSet!),
                    $"A code from {binding.ValueSet} is required; there are only extensions."
                );
            }
        }

        private void Ask(Walk walk, in Spot spot, ValueSetCodes set, bool isRequired)
        {
            var value = spot.Value;
            var answer = Of(spot, set);
            if (answer == Membership.In)
            {
                return;
            }
            if (answer == Membership.NotKnown)
            {
                foreach (var system in set.NotKnown)
                {
                    walk.NotChecked($"Codes of {system} are not known here.");
                }
                return;
            }
            if (answer is not Membership.NotIn || !walk.Wants(isRequired ? Severity.Error : Severity.Warning))
            {
                return;
            }
            if (spot.Type.Code == "CodeableConcept" && !value["coding"u8].Exists)
            {
                // Words instead of a code: allowed by an extensible binding, and by a required one not.
                if (isRequired)
                {
                    Add(
                        walk,
                        value,
                        isRequired: true,
                        set,
                        $"A code from {set.Canonical} is required; there is only text."
                    );
                }
                return;
            }
            var at = Culprit(spot, value, set);
            Add(walk, at, isRequired, set, Text(walk, spot, at, set, isRequired));
        }

        private void Add(Walk walk, FhirElement at, bool isRequired, ValueSetCodes set, string text) =>
            walk.Add(
                isRequired ? Severity.Error : Severity.Warning,
                "code-invalid",
                isRequired ? "binding-required" : "binding-extensible",
                at,
                text,
                profile
            );

        /// <summary>The code that is wrong, where there is just one to blame.</summary>
        private static FhirElement Culprit(in Spot spot, FhirElement value, ValueSetCodes set)
        {
            if (spot.Type.Code == "CodeableConcept")
            {
                FhirElement only = default;
                foreach (var coding in value["coding"u8].Items)
                {
                    if (only.Exists)
                    {
                        return value;
                    }
                    only = coding;
                }
                value = only.Exists ? only : value;
            }
            return value.Kind == JsonKind.Object && value["code"u8].Exists && value["system"u8].Exists
                ? value["code"u8]
                : value;
        }

        private static string Text(Walk walk, in Spot spot, FhirElement at, ValueSetCodes set, bool isRequired)
        {
            var must = isRequired ? "must" : "should";
            if (at.Kind != JsonKind.String)
            {
                if (at.Kind == JsonKind.Object && at["code"u8].Exists && !at["system"u8].Exists)
                {
                    return $"The code '{Nearest.Shown(at["code"u8].Text ?? "")}' has no system, so it means nothing; it {must} come from {set.Canonical}.";
                }
                return $"No coding comes from {set.Canonical}; one {must}." + Listed(set);
            }
            var code = at.Text!;
            var system = spot.Type.IsPrimitive ? null : at.Parent["system"u8].Text;
            var near = walk.Hint(set, $"{system}|{code}", () => set.Nearest(system, code));
            return $"'{Nearest.Shown(code)}'{(system is null ? "" : " of " + Nearest.Shown(system))} is not in {set.Canonical}, from which it {must} come"
                + (near is null ? "." + Listed(set) : $"; did you mean '{near}'?");
        }

        private static string Listed(ValueSetCodes set)
        {
            var codes = set.Listed().Take(13).ToArray();
            return codes.Length is 0 or 13 ? "" : $" Allowed: {string.Join(", ", codes.Select(pair => pair.Code))}.";
        }
    }

    /// <summary>Whether a value is in a set; In for types that carry no code.</summary>
    public static Membership Of(in Spot spot, ValueSetCodes set) =>
        spot.Type.Code switch
        {
            "CodeableConcept" => set.OfConcept(spot.Value),
            "Coding" => set.OfCoding(spot.Value),
            "Quantity" or "Duration" or "Age" or "Count" or "Distance" or "SimpleQuantity" or "MoneyQuantity" =>
            // A quantity without any code is not bound to one; without a unit it may be a bare count.
            spot.Value["code"u8].Exists
                ? set.OfCoding(spot.Value)
                : Membership.In,
            _ when spot.Type.IsPrimitive && spot.Value.Kind == JsonKind.String => set.OfCode(spot.Value),
            _ => Membership.In,
        };
}
