namespace CcmFhir.Validation.Rules;

/// <summary>Types: the kind of JSON value, <c>resourceType</c>, the types that a profile leaves of a choice, and profiles on types.</summary>
internal sealed class TypeRule : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot || scope.Element.Types.Count == 0)
        {
            return;
        }
        var types = scope.Element.Types;
        if (scope.Base is not null)
        {
            var codes = types.Select(scope.Compiler.CodeOf).ToHashSet(StringComparer.Ordinal);
            // A narrowing of Resource names the resource types themselves (Bundle.entry.resource: Patient).
            if (
                !codes.Overlaps(["Resource", "DomainResource"])
                // What the base calls System.String has FHIR's own name by now, and leaves no choice.
                && !types.Any(type => type.Code.StartsWith("http://hl7.org/fhirpath/", StringComparison.Ordinal))
                && scope.Types.Any(allowed => allowed.IsAnyResource || !codes.Contains(allowed.Code))
            )
            {
                into.OfValue.Add(new Allowed(codes, scope.Profile));
            }
        }
        var profiled = types.Where(type => type.Profiles.Count > 0).ToArray();
        if (profiled.Length > 0 && !SameProfiles(scope))
        {
            into.OfValue.Add(
                new Profiled(
                    types
                        .GroupBy(scope.Compiler.CodeOf, StringComparer.Ordinal)
                        .Where(group => group.All(type => type.Profiles.Count > 0))
                        .ToDictionary(
                            group => group.Key,
                            group => group.SelectMany(type => type.Profiles).Distinct(StringComparer.Ordinal).ToArray(),
                            StringComparer.Ordinal
                        ),
                    scope.Profile
                )
            );
        }
    }

    private static bool SameProfiles(ElementScope scope) =>
        scope.Base is { } other
        && other
            .Element.Types.SelectMany(type => type.Profiles)
            .ToHashSet(StringComparer.Ordinal)
            .SetEquals(scope.Element.Types.SelectMany(type => type.Profiles));

    /// <summary>The type that a resource says it is; null, and reported, when it is none.</summary>
    public static TypeLink? ResourceLink(Walk walk, FhirElement resource)
    {
        if (resource.Kind != JsonKind.Object)
        {
            walk.Add(
                Severity.Error,
                "structure",
                "json-type",
                resource,
                $"A resource is a JSON object; this is {Kind(resource.Kind)}."
            );
            return null;
        }
        var stated = resource["resourceType"u8];
        if (stated.Kind != JsonKind.String)
        {
            walk.Add(
                Severity.Error,
                stated.Exists ? "structure" : "required",
                "resource-type",
                stated.Exists ? stated : resource,
                "A resource needs \"resourceType\" with the name of its type."
            );
            return null;
        }
        var link = walk.Compiler.ResourceType(resource);
        if (link is null)
        {
            var name = stated.Text!;
            var near = walk.Hint(walk.Compiler, name, () => Nearest.To(name, walk.Compiler.ResourceTypes));
            walk.Add(
                Severity.Error,
                "structure",
                "resource-type",
                stated,
                $"'{Nearest.Shown(name)}' is not a resource type of R4"
                    + (near is null ? "." : $"; did you mean '{near}'?")
            );
        }
        return link;
    }

    /// <summary>True when the JSON value has the kind that its type wants; otherwise it is reported.</summary>
    public static bool HasForm(Walk walk, in Spot spot)
    {
        var value = spot.Value;
        if (!value.Exists)
        {
            // Only a sibling; what is wrong with that is told by the form of the property.
            return spot.Sibling.Kind == JsonKind.Object;
        }
        if (spot.Type.IsPrimitive)
        {
            if (PrimitiveFormat.HasKind(spot.Type.Primitive, value.Kind))
            {
                return true;
            }
            var wanted = spot.Type.Primitive switch
            {
                Primitive.Boolean => "true or false, without quotes",
                Primitive.Decimal or Primitive.Integer or Primitive.UnsignedInt or Primitive.PositiveInt =>
                    "a number, without quotes",
                _ => "a string in quotes",
            };
            walk.Add(
                Severity.Error,
                "structure",
                "json-type",
                value,
                $"A {spot.Type.Code} is {wanted}; this is {Kind(value.Kind)}."
            );
            return false;
        }
        if (value.Kind == JsonKind.Object)
        {
            return true;
        }
        walk.Add(
            Severity.Error,
            "structure",
            "json-type",
            value,
            $"A {spot.Type.Code} is an object {{ }}; this is {Kind(value.Kind)}."
        );
        return false;
    }

    internal static string Kind(JsonKind kind) =>
        kind switch
        {
            JsonKind.Object => "an object",
            JsonKind.Array => "an array",
            JsonKind.String => "a string",
            JsonKind.Number => "a number",
            JsonKind.Null => "null",
            _ => "true or false",
        };

    private sealed class Allowed(HashSet<string> codes, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            if (!codes.Contains(spot.Type.Code))
            {
                walk.Add(
                    Severity.Error,
                    "structure",
                    "type-not-allowed",
                    spot.At,
                    $"The profile allows {string.Join(", ", codes)} here; this is a {spot.Type.Code}.",
                    profile
                );
            }
        }
    }

    /// <summary>The value must meet one of the profiles that its type has here.</summary>
    private sealed class Profiled(Dictionary<string, string[]> profiles, string? profile) : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            if (
                profiles.TryGetValue(spot.Type.Code, out var choices)
                || (
                    spot.Type.IsResource
                    && (
                        profiles.TryGetValue("Resource", out choices)
                        || profiles.TryGetValue("DomainResource", out choices)
                    )
                )
            )
            {
                MetaProfile.OneOf(walk, spot, spot.At, choices, profile, "profile-mismatch");
            }
        }
    }
}
