namespace CcmFhir.Validation.Rules;

/// <summary>Applies whole profiles to values: those a resource claims, those asked for, those that an element's type names.</summary>
internal static class MetaProfile
{
    /// <summary>The profiles in <c>meta.profile</c>: known ones are checked, unknown ones are said.</summary>
    public static void ApplyClaimed(Walk walk, in Spot resource)
    {
        HashSet<string>? claimed = null;
        foreach (var claim in resource.Value["meta"u8]["profile"u8].Items)
        {
            // Said twice it is checked once, or a short list of claims would cost many times the resource.
            if (
                claim.Kind == JsonKind.String
                && claim.Text is { Length: > 0 } canonical
                && (claimed ??= new HashSet<string>(StringComparer.Ordinal)).Add(canonical)
            )
            {
                Apply(walk, resource, canonical, claim, asked: false);
            }
        }
    }

    /// <summary>Checks a value against a profile.</summary>
    /// <param name="walk">The validation.</param>
    /// <param name="spot">The value.</param>
    /// <param name="canonical">Profile; may carry |version.</param>
    /// <param name="at">Where to say that it is unknown.</param>
    /// <param name="asked">The caller named it, rather than the resource.</param>
    public static void Apply(Walk walk, in Spot spot, string canonical, FhirElement at, bool asked)
    {
        if (walk.Compiler.Profile(canonical, out var problem) is not { } profile)
        {
            walk.NotChecked(problem ?? $"Profile {canonical} is not known here.");
            walk.Add(
                Severity.Warning,
                "not-found",
                "profile-unknown",
                at,
                problem ?? $"The profile {canonical} is not known here, so it was not checked."
            );
            return;
        }
        if (!walk.Compiler.IsOrSpecializes(spot.Type.Code, profile.Structure.Type))
        {
            walk.Add(
                Severity.Error,
                "structure",
                "profile-type",
                at,
                $"The profile {canonical} is for {profile.Structure.Type}; this is a {spot.Type.Code}.",
                profile.Structure.Url
            );
            return;
        }
        if (profile.Structure.IsProfile)
        {
            walk.Apply(profile.Shape, spot);
        }
        else if (asked is false && profile.Structure.IsAbstract)
        {
            walk.Add(
                Severity.Warning,
                "value",
                "profile-abstract",
                at,
                $"{canonical} is an abstract type; every resource is one, so claiming it says nothing."
            );
        }
    }

    /// <summary>A value must meet one of several profiles. With one, its own faults are told where they stand; with more, the nearest is named.</summary>
    /// <param name="walk">The validation.</param>
    /// <param name="spot">The value to check.</param>
    /// <param name="at">The element that demands it (a reference, for its target).</param>
    /// <param name="canonicals">Profiles.</param>
    /// <param name="profile">Profile that demands it.</param>
    /// <param name="rule">Rule id when none is met.</param>
    public static void OneOf(Walk walk, in Spot spot, FhirElement at, string[] canonicals, string? profile, string rule)
    {
        var fitting = new List<CompiledProfile>(canonicals.Length);
        string? unknown = null;
        foreach (var canonical in canonicals)
        {
            if (walk.Compiler.Profile(canonical, out var problem) is not { } known)
            {
                unknown = problem ?? $"Profile {canonical} is not known here.";
                walk.NotChecked(unknown);
            }
            else if (walk.Compiler.IsOrSpecializes(spot.Type.Code, known.Structure.Type))
            {
                if (!known.Structure.IsProfile || walk.Passes(known.Shape, spot))
                {
                    return;
                }
                fitting.Add(known);
            }
        }
        if (unknown is not null)
        {
            // One that cannot be read here may be the one that is met.
            return;
        }
        if (fitting.Count == 1)
        {
            if (!walk.IsQuiet)
            {
                walk.Explain(fitting[0].Shape, spot);
            }
            if (at != spot.At || walk.IsQuiet)
            {
                walk.Add(
                    Severity.Error,
                    "structure",
                    rule,
                    at,
                    $"What this points at does not meet {fitting[0].Canonical}; its own issues say why.",
                    profile
                );
            }
            return;
        }
        if (fitting.Count == 0)
        {
            walk.Add(
                Severity.Error,
                "structure",
                rule,
                at,
                $"A {spot.Type.Code} is not allowed here; expected is {string.Join(" or ", canonicals)}.",
                profile
            );
            return;
        }
        if (walk.IsQuiet)
        {
            walk.Add(Severity.Error, "structure", rule, at, "", profile);
            return;
        }
        // The nearest one is what somebody meant: its faults are told, as the reason for this one.
        var one = spot;
        var nearest = fitting.MinBy(other => walk.Failures(other.Shape, one))!;
        walk.Add(
            Severity.Error,
            "structure",
            rule,
            at,
            $"None of the allowed profiles is met: {string.Join(", ", fitting.Select(other => other.Canonical))}. Nearest is {nearest.Canonical}; what it misses is told as information.",
            profile
        );
        walk.Explain(nearest.Shape, spot, asInformation: true);
    }
}
