using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>The path of a discriminator: R4's restricted FHIRPath (names, extension(url), resolve(), ofType(), $this), followed
/// both in definitions (what does the slice say there?) and in values.</summary>
internal sealed class SlicePath
{
    private readonly ElementNode? start;
    private readonly ProfileCompiler? compiler;
    private Shape? startShape;

    private SlicePath(IReadOnlyList<Step> steps, ElementNode? start, ProfileCompiler? compiler)
    {
        Steps = steps;
        this.start = start;
        this.compiler = compiler;
    }

    internal enum StepKind
    {
        Name,
        Extension,
        Resolve,
        OfType,
    }

    /// <param name="Kind">What it does.</param>
    /// <param name="Name">Name, type or url; empty for resolve().</param>
    internal readonly record struct Step(StepKind Kind, string Name);

    public IReadOnlyList<Step> Steps { get; }

    public bool EndsInResolve => Steps.Count > 0 && Steps[^1].Kind == StepKind.Resolve;

    /// <param name="compiler">For types.</param>
    /// <param name="path">As written.</param>
    /// <param name="slice">The slice whose discriminator it is, for messages.</param>
    /// <param name="sliced">The sliced element in its base type; null when unknown.</param>
    public static SlicePath Parse(ProfileCompiler compiler, string path, ElementNode slice, ElementNode? sliced)
    {
        var steps = new List<Step>();
        var rest = path.Trim();
        while (rest.Length > 0)
        {
            if (rest[0] == '.')
            {
                rest = rest[1..];
            }
            if (rest.StartsWith("$this", StringComparison.Ordinal))
            {
                rest = rest[5..];
            }
            else if (rest.StartsWith("resolve()", StringComparison.Ordinal))
            {
                steps.Add(new Step(StepKind.Resolve, ""));
                rest = rest[9..];
            }
            else if (Call(ref rest, "extension(") is { } url)
            {
                steps.Add(new Step(StepKind.Extension, url.Trim('\'', '"', ' ')));
            }
            else if ((Call(ref rest, "ofType(") ?? Call(ref rest, "as(")) is { } type)
            {
                steps.Add(new Step(StepKind.OfType, type.Trim().Replace("FHIR.", "", StringComparison.Ordinal)));
            }
            else if (rest[0] == '(')
            {
                // (value as Quantity)
                var inside = Call(ref rest, "(") ?? "";
                var parts = inside.Split(" as ", StringSplitOptions.TrimEntries);
                steps.AddRange(parts[0].Split('.').Select(name => new Step(StepKind.Name, name)));
                steps.AddRange(parts.Skip(1).Select(name => new Step(StepKind.OfType, name)));
            }
            else
            {
                var length = rest.AsSpan().IndexOfAnyExcept(NameCharacters);
                length = length < 0 ? rest.Length : length;
                if (length == 0)
                {
                    throw new UnreadableDefinitionException(
                        slice.Structure.Origin,
                        slice.Element.Id,
                        $"the discriminator path '{path}' is not one that R4 allows (names, extension(url), resolve(), ofType(type), $this)."
                    );
                }
                var name = rest[..length];
                steps.Add(new Step(StepKind.Name, name.EndsWith("[x]", StringComparison.Ordinal) ? name[..^3] : name));
                rest = rest[length..];
            }
        }
        return new SlicePath(steps, sliced, compiler);
    }

    private static readonly System.Buffers.SearchValues<char> NameCharacters = System.Buffers.SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-[]"
    );

    private static string? Call(ref string rest, string name)
    {
        if (!rest.StartsWith(name, StringComparison.Ordinal))
        {
            return null;
        }
        var end = rest.IndexOf(')', StringComparison.Ordinal);
        if (end < 0)
        {
            return null;
        }
        var argument = rest[name.Length..end];
        rest = rest[(end + 1)..];
        return argument;
    }

    public SlicePath Upto(int length) => new([.. Steps.Take(length)], start, compiler);

    /// <summary>The path to a child of what this leads to.</summary>
    public SlicePath Then(ElementNode child)
    {
        var name = child.Element.IsChoice ? child.Element.Name[..^3] : child.Element.Name;
        return new SlicePath([.. Steps, new Step(StepKind.Name, name)], start, compiler);
    }

    /// <summary>True for the path <c>url</c> on a slice of extensions.</summary>
    public bool IsOfExtensionUrl(ElementNode slice) =>
        Steps is [{ Kind: StepKind.Name, Name: "url" }] && slice.Element.Types.Any(type => type.Code == "Extension");

    /// <summary>What the slice (or the profiles on its types, or the base) says at the path. A resolve() at the end is not followed.</summary>
    public IEnumerable<ElementNode> Nodes(ProfileCompiler compiler, ElementNode slice)
    {
        IEnumerable<ElementNode> nodes = [slice];
        for (var at = 0; at < Steps.Count; at++)
        {
            var step = Steps[at];
            if (step.Kind == StepKind.Resolve && at == Steps.Count - 1)
            {
                break;
            }
            nodes = [.. nodes.SelectMany(node => Follow(compiler, node, step))];
        }
        return nodes;
    }

    private static IEnumerable<ElementNode> Follow(ProfileCompiler compiler, ElementNode node, Step step)
    {
        switch (step.Kind)
        {
            case StepKind.Resolve:
                return node
                    .Element.Types.SelectMany(type => type.TargetProfiles)
                    .Select(compiler.TreeOf)
                    .OfType<ElementNode>();
            case StepKind.OfType:
            {
                var slices = node
                    .Slices.Where(slice => slice.Element.Types.Any(type => compiler.CodeOf(type) == step.Name))
                    .ToArray();
                return slices.Length > 0 ? slices : [node];
            }
            case StepKind.Extension:
                return Places(compiler, node)
                    .Select(place => place.Child("extension"))
                    .OfType<ElementNode>()
                    .SelectMany(child => child.Slices)
                    .Where(slice =>
                        slice
                            .Element.Types.SelectMany(type => type.Profiles)
                            .Any(profile => DefinitionSet.Split(profile).Url == step.Name)
                        || slice.Child("url")?.Element.Fixed?.Value.Text == step.Name
                    );
            default:
                foreach (var place in Places(compiler, node))
                {
                    if ((place.Child(step.Name) ?? place.Child(step.Name + "[x]")) is { } child)
                    {
                        // A choice narrowed by a type slice says its things there.
                        return child.Element.IsChoice ? [child, .. child.Slices] : [child];
                    }
                }
                return [];
        }
    }

    /// <summary>Where the children of an element may be described, nearest first.</summary>
    private static IEnumerable<ElementNode> Places(ProfileCompiler compiler, ElementNode node)
    {
        yield return node;
        foreach (var type in node.Element.Types)
        {
            foreach (var profile in type.Profiles)
            {
                if (compiler.TreeOf(profile) is { } tree)
                {
                    yield return tree;
                }
            }
            if (compiler.TypeTree(compiler.CodeOf(type)) is { } root)
            {
                yield return root;
            }
        }
    }

    /// <summary>The values at the path. A reference that leads out of the document gives a spot without value, of the type that it names.</summary>
    public List<Spot> Find(Walk walk, in Spot spot)
    {
        var found = new List<Spot>(1) { spot };
        var shapes = new List<Shape?>(1) { null };
        if (Steps.Count == 0)
        {
            return found;
        }
        shapes[0] = startShape ??= start is null ? null : compiler!.InlineShape(start);
        foreach (var step in Steps)
        {
            var next = new List<Spot>();
            var nextShapes = new List<Shape?>();
            for (var at = 0; at < found.Count; at++)
            {
                Advance(walk, step, found[at], shapes[at], next, nextShapes);
            }
            (found, shapes) = (next, nextShapes);
        }
        return found;
    }

    private static void Advance(
        Walk walk,
        Step step,
        in Spot spot,
        Shape? shape,
        List<Spot> next,
        List<Shape?> nextShapes
    )
    {
        switch (step.Kind)
        {
            case StepKind.OfType:
                if (walk.Compiler.IsOrSpecializes(spot.Type.Code, step.Name))
                {
                    next.Add(spot);
                    nextShapes.Add(shape);
                }
                return;
            case StepKind.Resolve:
                var literal = spot.Value.Kind == JsonKind.Object ? spot.Value["reference"u8] : spot.Value;
                if (literal.Text is not { Length: > 0 } text)
                {
                    return;
                }
                var target = walk.Resources.Resolve(literal, text);
                var link = target.Exists
                    ? walk.Compiler.ResourceType(target)
                    : walk.Compiler.ResourceTypeByName(ResourceMap.TypeAndId(text)?.Type ?? "");
                if (link is not null)
                {
                    next.Add(new Spot(target, default, link));
                    nextShapes.Add(null);
                }
                return;
            default:
                var name = step.Kind == StepKind.Extension ? "extension" : step.Name;
                shape ??= spot.Type.IsPrimitive ? walk.Compiler.PrimitiveChildren : spot.Type.Shape;
                foreach (var one in walk.Children(shape, spot.Object, name, out var inner))
                {
                    if (step.Kind == StepKind.Extension && one.Value["url"u8].Text != step.Name)
                    {
                        continue;
                    }
                    var child = one;
                    if (one.Type.IsAnyResource)
                    {
                        if (walk.Compiler.ResourceType(one.Value) is not { } resource)
                        {
                            continue;
                        }
                        child = one with { Type = resource };
                    }
                    next.Add(child);
                    nextShapes.Add(inner);
                }
                return;
        }
    }

    /// <inheritdoc/>
    public override string ToString() =>
        Steps.Count == 0
            ? "this"
            : string.Join(
                '.',
                Steps.Select(step =>
                    step.Kind switch
                    {
                        StepKind.Extension => $"extension('{step.Name}')",
                        StepKind.Resolve => "resolve()",
                        StepKind.OfType => $"ofType({step.Name})",
                        _ => step.Name,
                    }
                )
            );
}
