using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation.Rules;

/// <summary>Tells whether a value belongs to a slice by one discriminator.</summary>
internal abstract class Discriminator
{
    /// <summary>What it looks for, for people: <c>code.coding.system = 'http://loinc.org'</c>.</summary>
    public abstract string Text { get; }

    public abstract bool Fits(Walk walk, in Spot spot);
}

/// <summary>Compiles discriminators from what the slice says at their path.</summary>
internal static class Discriminators
{
    public static Discriminator Compile(
        ProfileCompiler compiler,
        ElementNode slice,
        ElementNode? sliced,
        SliceDiscriminator discriminator
    )
    {
        var path = SlicePath.Parse(compiler, discriminator.Path, slice, sliced);
        switch (discriminator.Type)
        {
            case "exists":
                // The slice says whether it must be there: min 1, or max 0.
                return new Exists(path, path.Nodes(compiler, slice).All(node => node.Element.Max != 0));
            case "type":
                return new OfType(path, Types(compiler, path, slice));
            case "profile":
                return new OfProfile(
                    path,
                    [
                        .. path.Nodes(compiler, slice)
                            .SelectMany(node => node.Element.Types)
                            .SelectMany(type =>
                                path.EndsInResolve && compiler.CodeOf(type) is "Reference" or "canonical"
                                    ? type.TargetProfiles
                                    : type.Profiles
                            )
                            .Distinct(StringComparer.Ordinal),
                    ]
                );
            case "value" or "pattern":
                if (path.IsOfExtensionUrl(slice) && ProfileUrl(slice) is { } url)
                {
                    return new Url(url);
                }
                var demands = new List<Demand>();
                Collect(compiler, slice, path, demands);
                return demands.Count > 0 ? new Demands(demands)
                    // Nothing is said at the path: what can be said about being there is.
                    : path.Nodes(compiler, slice).Any(node => node.Element.Max == 0) ? new Exists(path, wanted: false)
                    : new Exists(path, wanted: true);
            default:
                throw new UnreadableDefinitionException(
                    slice.Structure.Origin,
                    slice.Element.Id,
                    $"'{discriminator.Type}' is not a discriminator of R4; value, exists, pattern, type or profile would be."
                );
        }
    }

    private static string? ProfileUrl(ElementNode slice) =>
        slice
            .Element.Types.SelectMany(type => type.Profiles)
            .Select(url => DefinitionSet.Split(url).Url)
            .FirstOrDefault();

    private static string[] Types(ProfileCompiler compiler, SlicePath path, ElementNode slice)
    {
        var types = path.Nodes(compiler, slice).SelectMany(node => node.Element.Types).ToArray();
        return
        [
            .. (
                path.EndsInResolve
                    ? types
                        .SelectMany(type => type.TargetProfiles)
                        .Select(canonical => compiler.TypeOfCanonical(canonical) ?? canonical)
                    : types.SelectMany(type =>
                        type.Profiles.Count > 0 && compiler.CodeOf(type) is "Resource" or "DomainResource"
                            ? type.Profiles.Select(canonical => compiler.TypeOfCanonical(canonical) ?? canonical)
                            : [compiler.CodeOf(type)]
                    )
            ).Distinct(StringComparer.Ordinal),
        ];
    }

    /// <summary>Everything that the slice fixes at a path: there, below it, or in a fixed or pattern value above it.</summary>
    private static void Collect(ProfileCompiler compiler, ElementNode slice, SlicePath path, List<Demand> into)
    {
        foreach (var node in path.Nodes(compiler, slice))
        {
            Below(node, path, into, compiler, depth: 0);
        }
        if (into.Count > 0)
        {
            return;
        }
        // A pattern on an element above the path holds the part at the path.
        for (var length = path.Steps.Count - 1; length >= 0; length--)
        {
            foreach (var node in path.Upto(length).Nodes(compiler, slice))
            {
                if ((node.Element.Pattern ?? node.Element.Fixed) is { } whole)
                {
                    var part = whole.Value;
                    foreach (var step in path.Steps.Skip(length))
                    {
                        part = Part(part, step.Name);
                    }
                    if (part.Exists)
                    {
                        into.Add(Demand.Value(path, part, isPattern: true));
                        return;
                    }
                }
            }
        }
    }

    private static FhirElement Part(FhirElement whole, string name)
    {
        foreach (var one in whole.Items)
        {
            if (one.Kind == JsonKind.Object && one[name] is { Exists: true } part)
            {
                // Of an array in a pattern every item must be found; the first tells the slice.
                return part.Kind == JsonKind.Array ? FirstOf(part) : part;
            }
        }
        return default;
    }

    private static FhirElement FirstOf(FhirElement array)
    {
        foreach (var one in array.Items)
        {
            return one;
        }
        return default;
    }

    private static void Below(ElementNode node, SlicePath path, List<Demand> into, ProfileCompiler compiler, int depth)
    {
        var element = node.Element;
        if ((element.Fixed ?? element.Pattern) is { } value)
        {
            into.Add(Demand.Value(path, value.Value, isPattern: element.Fixed is null));
            return;
        }
        if (
            element.Binding is { Strength: BindingStrength.Required, ValueSet: { } valueSet }
            && node.Structure.IsProfile
        )
        {
            if (depth == 0 || !IsBase(node, compiler))
            {
                into.Add(Demand.Member(path, compiler.Terminology, valueSet));
            }
        }
        if (depth >= 6)
        {
            return;
        }
        foreach (var child in node.Children)
        {
            if (child.Element.Max == 0 || child.Element.Name is "extension" or "id" || child.Element.Min is null or 0)
            {
                // An optional part that is fixed binds only where it is there.
                if (child.Element.Fixed is null && child.Element.Pattern is null)
                {
                    continue;
                }
            }
            Below(child, path.Then(child), into, compiler, depth + 1);
            foreach (var slice in child.Slices)
            {
                if (slice.Element.Min > 0)
                {
                    Below(slice, path.Then(child), into, compiler, depth + 1);
                }
            }
        }
    }

    /// <summary>The binding is the one that the base has anyway, and tells no slice.</summary>
    private static bool IsBase(ElementNode node, ProfileCompiler compiler)
    {
        var basePath = node.Element.BasePath;
        if (basePath is null)
        {
            return false;
        }
        var type = basePath.Split('.')[0];
        var at = compiler.TypeTree(type);
        foreach (var name in basePath.Split('.').Skip(1))
        {
            at = at?.Child(name);
        }
        return at?.Element.Binding is { Strength: BindingStrength.Required } other
            && other.ValueSet == node.Element.Binding!.ValueSet;
    }

    /// <summary>One thing that must be found at a path: a value, or a code of a set.</summary>
    private sealed class Demand
    {
        private readonly SlicePath path;
        private readonly FhirElement value;
        private readonly bool isPattern;
        private readonly TerminologySet? terminology;
        private readonly string? valueSet;
        private ValueSetCodes? codes;

        private Demand(SlicePath path, FhirElement value, bool isPattern, TerminologySet? terminology, string? valueSet)
        {
            this.path = path;
            this.value = value;
            this.isPattern = isPattern;
            this.terminology = terminology;
            this.valueSet = valueSet;
        }

        public static Demand Value(SlicePath path, FhirElement value, bool isPattern) =>
            new(path, value, isPattern, null, null);

        public static Demand Member(SlicePath path, TerminologySet terminology, string valueSet) =>
            new(path, default, false, terminology, valueSet);

        public string Text =>
            valueSet is not null
                ? $"{path} in {valueSet}"
                : $"{path} = {Nearest.Shown(System.Text.Encoding.UTF8.GetString(value.Raw))}";

        public bool Fits(Walk walk, in Spot spot)
        {
            foreach (var one in path.Find(walk, spot))
            {
                if (valueSet is null)
                {
                    if (one.Value.Exists && FixedAndPattern.Matches(one.Value, value, isPattern))
                    {
                        return true;
                    }
                }
                else
                {
                    codes ??= terminology!.ValueSet(valueSet);
                    if (one.Value.Exists && Bindings.Of(one, codes) == Membership.In)
                    {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private sealed class Demands(List<Demand> demands) : Discriminator
    {
        public override string Text => string.Join(" and ", demands.Select(demand => demand.Text));

        public override bool Fits(Walk walk, in Spot spot)
        {
            foreach (var demand in demands)
            {
                if (!demand.Fits(walk, spot))
                {
                    return false;
                }
            }
            return true;
        }
    }

    private sealed class Url(string url) : Discriminator
    {
        private readonly byte[] utf8 = System.Text.Encoding.UTF8.GetBytes(url);

        public override string Text => $"url = '{url}'";

        public override bool Fits(Walk walk, in Spot spot) => spot.Value.Exists && spot.Value["url"u8].Is(utf8);
    }

    private sealed class Exists(SlicePath path, bool wanted) : Discriminator
    {
        public override string Text => wanted ? $"{path}" : $"no {path}";

        public override bool Fits(Walk walk, in Spot spot) => (path.Find(walk, spot).Count > 0) == wanted;
    }

    private sealed class OfType(SlicePath path, string[] types) : Discriminator
    {
        public override string Text => $"{path} of type {string.Join(" or ", types)}";

        public override bool Fits(Walk walk, in Spot spot)
        {
            foreach (var one in path.Find(walk, spot))
            {
                foreach (var type in types)
                {
                    if (walk.Compiler.IsOrSpecializes(one.Type.Code, type))
                    {
                        return true;
                    }
                }
            }
            return false;
        }
    }

    private sealed class OfProfile(SlicePath path, string[] canonicals) : Discriminator
    {
        public override string Text => $"{path} that meets {string.Join(" or ", canonicals)}";

        public override bool Fits(Walk walk, in Spot spot)
        {
            foreach (var one in path.Find(walk, spot))
            {
                foreach (var canonical in canonicals)
                {
                    if (
                        walk.Compiler.Profile(canonical, out _) is { } profile
                        && walk.Compiler.IsOrSpecializes(one.Type.Code, profile.Structure.Type)
                        // A target that is not here is taken for what its type says.
                        && (!profile.Structure.IsProfile || !one.At.Exists || walk.Passes(profile.Shape, one))
                    )
                    {
                        return true;
                    }
                }
            }
            return false;
        }
    }
}
