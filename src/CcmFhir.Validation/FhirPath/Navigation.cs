using System.Text;

namespace CcmFhir.Validation.FhirPath;

/// <summary>The children of a name: <c>name.family</c>, with the properties of a choice (<c>value</c> finds <c>valueString</c>).</summary>
internal sealed class ChildNode(Node focus, string name) : Node
{
    private readonly byte[] utf8 = Encoding.UTF8.GetBytes(name);
    private readonly bool startsPath = char.IsUpper(name[0]);
    private readonly bool overThis = focus is ThisNode;
    private Known? known;

    public Node Focus => focus;

    public override void AddTo(in Frame frame, ValueList output)
    {
        if (overThis && frame.Many is null)
        {
            Visit(frame, frame.This, output);
            return;
        }
        var parents = frame.Context.Rent();
        focus.AddTo(frame, parents);
        for (var index = 0; index < parents.Count; index++)
        {
            Visit(frame, parents[index], output);
        }
        frame.Context.Return(parents);
    }

    public override bool Exists(in Frame frame)
    {
        if (overThis && frame.Many is null)
        {
            return Visit(frame, frame.This, null);
        }
        var parents = frame.Context.Rent();
        focus.AddTo(frame, parents);
        var any = false;
        for (var index = 0; index < parents.Count && !any; index++)
        {
            any = Visit(frame, parents[index], null);
        }
        frame.Context.Return(parents);
        return any;
    }

    /// <summary>Adds the children of one value; without a list, says only whether there are any.</summary>
    private bool Visit(in Frame frame, in FhirPathValue parent, ValueList? output)
    {
        var context = frame.Context;
        context.Step();
        if (parent.Kind != FhirPathKind.Element)
        {
            return false;
        }
        var type = parent.Type;
        if (startsPath && StartsAt(parent, type))
        {
            output?.Add(parent);
            return true;
        }
        var holder = parent.Holder;
        if (holder.Kind != JsonKind.Object)
        {
            return false;
        }
        if (type is null)
        {
            return Structurally(context, holder, output);
        }
        if (ShapeOf(type) is not { } shape)
        {
            return false;
        }
        FhirElement sibling = default;
        TypeShape? siblingType = null;
        var properties = shape.Properties;
        foreach (var property in holder.Children)
        {
            var found = property.NameUtf8;
            if (found.Length < utf8.Length)
            {
                continue;
            }
            var underscore = found[0] == (byte)'_';
            var bare = underscore ? found[1..] : found;
            if (!bare.StartsWith(utf8))
            {
                continue;
            }
            foreach (ref readonly var candidate in properties.AsSpan())
            {
                if (bare.SequenceEqual(candidate.Name))
                {
                    if (!underscore)
                    {
                        return Add(context, property, candidate.Type, output);
                    }
                    (sibling, siblingType) = (property, candidate.Type);
                    break;
                }
            }
        }
        return sibling.Exists && AddOnlySibling(sibling, siblingType, output);
    }

    // Where the type is not known: the exact name, else the name with a type behind it.
    private bool Structurally(EvaluationContext context, FhirElement holder, ValueList? output)
    {
        FhirElement sibling = default;
        FhirElement choice = default;
        TypeShape? choiceType = null;
        foreach (var property in holder.Children)
        {
            var found = property.NameUtf8;
            if (found.SequenceEqual(utf8))
            {
                return Add(context, property, null, output);
            }
            if (found.Length > utf8.Length && found.StartsWith(utf8) && IsChoiceSuffix(found[utf8.Length..]))
            {
                choice = property;
                choiceType = context.Types.Find(TypeOfSuffix(found[utf8.Length..]));
            }
            else if (found.Length == utf8.Length + 1 && found[0] == (byte)'_' && found[1..].SequenceEqual(utf8))
            {
                sibling = property;
            }
        }
        return choice.Exists
            ? Add(context, choice, choiceType, output)
            : sibling.Exists && AddOnlySibling(sibling, null, output);
    }

    private bool StartsAt(in FhirPathValue parent, TypeShape? type) =>
        type is not null
            ? type.Is(name)
            : parent.Element["resourceType"u8] is { Exists: true } resourceType
                && (resourceType.Is(utf8) || name is "Resource" or "DomainResource");

    private ElementShape? ShapeOf(TypeShape type)
    {
        var last = known;
        if (last is null || !ReferenceEquals(last.Owner, type))
        {
            known = last = new Known(type, type.Child(name));
        }
        return last.Shape;
    }

    internal static bool Add(EvaluationContext context, FhirElement property, TypeShape? type, ValueList? output)
    {
        if (property.Kind == JsonKind.Array)
        {
            var any = false;
            var place = 0;
            foreach (var item in property.Children)
            {
                if (item.Kind == JsonKind.Null)
                {
                    any |= AddNull(property, place, type, output);
                }
                else if (output is null)
                {
                    return true;
                }
                else
                {
                    any = true;
                    output.Add(FhirPathValue.Of(item, Actual(context, item, type)));
                }
                place++;
            }
            context.Step(place);
            return any;
        }
        if (property.Kind == JsonKind.Null)
        {
            return false;
        }
        output?.Add(FhirPathValue.Of(property, Actual(context, property, type)));
        return true;
    }

    /// <summary>A primitive that has only extensions: <c>_birthDate</c> without <c>birthDate</c>.</summary>
    internal static bool AddOnlySibling(FhirElement sibling, TypeShape? type, ValueList? output)
    {
        var any = false;
        foreach (var item in sibling.Items)
        {
            if (item.Kind == JsonKind.Object)
            {
                any = true;
                output?.Add(FhirPathValue.Of(default, type, item));
            }
        }
        return any;
    }

    private static bool AddNull(FhirElement array, int place, TypeShape? type, ValueList? output)
    {
        foreach (var property in array.Parent.Children)
        {
            var found = property.NameUtf8;
            if (found.Length > 1 && found[0] == (byte)'_' && found[1..].SequenceEqual(array.NameUtf8))
            {
                foreach (var item in property.Children)
                {
                    if (place-- == 0)
                    {
                        if (item.Kind == JsonKind.Object)
                        {
                            output?.Add(FhirPathValue.Of(default, type, item));
                        }
                        return item.Kind == JsonKind.Object;
                    }
                }
            }
        }
        return false;
    }

    private static TypeShape? Actual(EvaluationContext context, FhirElement element, TypeShape? type) =>
        type is null or { IsAnyResource: true } && element.Kind == JsonKind.Object
            ? context.Types.OfResource(element) ?? type
            : type;

    private static bool IsChoiceSuffix(ReadOnlySpan<byte> suffix) => ChoiceSuffixes.Contains(suffix);

    private static string TypeOfSuffix(ReadOnlySpan<byte> suffix) => ChoiceSuffixes.TypeOf(suffix);

    private sealed record Known(TypeShape Owner, ElementShape? Shape);
}

/// <summary>The names of types as they stand behind the name of a choice (http://hl7.org/fhir/R4/datatypes.html#open).</summary>
internal static class ChoiceSuffixes
{
    private static readonly (byte[] Suffix, string Type)[] Known =
    [
        .. (
            "base64Binary boolean canonical code date dateTime decimal id instant integer markdown oid positiveInt string time "
            + "unsignedInt uri url uuid Address Age Annotation Attachment CodeableConcept Coding ContactPoint Count Distance Duration "
            + "HumanName Identifier Money Period Quantity Range Ratio Reference SampledData Signature Timing ContactDetail "
            + "Contributor DataRequirement Expression ParameterDefinition RelatedArtifact TriggerDefinition UsageContext Dosage Meta"
        )
            .Split(' ')
            .Select(type => (Encoding.UTF8.GetBytes(char.ToUpperInvariant(type[0]) + type[1..]), type)),
    ];

    public static bool Contains(ReadOnlySpan<byte> suffix)
    {
        foreach (var (known, _) in Known)
        {
            if (suffix.SequenceEqual(known))
            {
                return true;
            }
        }
        return false;
    }

    public static string TypeOf(ReadOnlySpan<byte> suffix)
    {
        foreach (var (known, type) in Known)
        {
            if (suffix.SequenceEqual(known))
            {
                return type;
            }
        }
        return "";
    }
}

/// <summary><c>children()</c> and <c>descendants()</c>.</summary>
internal sealed class ChildrenNode(Node focus, bool deep) : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        var parents = frame.Context.Rent();
        focus.AddTo(frame, parents);
        for (var index = 0; index < parents.Count; index++)
        {
            AddChildren(frame.Context, parents[index], output);
        }
        frame.Context.Return(parents);
    }

    // The depth of the recursion is that of the document, which is bounded.
    private void AddChildren(EvaluationContext context, in FhirPathValue parent, ValueList output)
    {
        if (parent.Kind != FhirPathKind.Element)
        {
            return;
        }
        var holder = parent.Holder;
        if (holder.Kind != JsonKind.Object)
        {
            return;
        }
        var type = parent.Type;
        foreach (var property in holder.Children)
        {
            context.Step();
            var name = property.NameUtf8;
            if (name.SequenceEqual("resourceType"u8))
            {
                continue;
            }
            var underscore = name.Length > 1 && name[0] == (byte)'_';
            if (underscore && holder[name[1..]].Exists)
            {
                continue;
            }
            PropertyShape shape = default;
            _ = type?.TryProperty(underscore ? name[1..] : name, out shape);
            var from = output.Count;
            if (underscore)
            {
                ChildNode.AddOnlySibling(property, shape.Type, output);
            }
            else
            {
                ChildNode.Add(context, property, shape.Type, output);
            }
            if (!deep)
            {
                continue;
            }
            var to = output.Count;
            for (var index = from; index < to; index++)
            {
                // A copy: the list may move while it grows.
                var child = output[index];
                AddChildren(context, child, output);
            }
        }
    }
}

/// <summary><c>extension(url)</c>.</summary>
internal sealed class ExtensionNode(Node focus, Node url) : Node
{
    public override void AddTo(in Frame frame, ValueList output) => Visit(frame, output);

    public override bool Exists(in Frame frame) => Visit(frame, null);

    private bool Visit(in Frame frame, ValueList? output)
    {
        if (url.Text(frame) is not { } wanted)
        {
            return false;
        }
        var context = frame.Context;
        var parents = context.Rent();
        focus.AddTo(frame, parents);
        var any = false;
        for (var index = 0; index < parents.Count; index++)
        {
            foreach (var extension in parents[index].Holder["extension"u8].Items)
            {
                context.Step();
                if (string.Equals(extension["url"u8].Text, wanted, StringComparison.Ordinal))
                {
                    any = true;
                    output?.Add(FhirPathValue.Of(extension, context.Types.Find("Extension")));
                }
            }
        }
        context.Return(parents);
        return any;
    }
}

/// <summary><c>is</c>, <c>as</c> and <c>ofType</c>.</summary>
internal sealed class TypeNode(Node focus, string type, bool filters) : Node
{
    private readonly string name = type[(type.LastIndexOf('.') + 1)..].Trim('`', '"');
    private readonly bool system = type.StartsWith("System.", StringComparison.Ordinal);
    private readonly bool fhir = type.StartsWith("FHIR.", StringComparison.Ordinal);

    public override void AddTo(in Frame frame, ValueList output)
    {
        if (!filters)
        {
            if (TryOne(frame, out var answer))
            {
                output.Add(answer);
            }
            return;
        }
        var values = frame.Context.Rent();
        focus.AddTo(frame, values);
        foreach (ref readonly var value in values.Span)
        {
            if (Is(value))
            {
                output.Add(value);
            }
        }
        frame.Context.Return(values);
    }

    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        if (filters)
        {
            return base.TryOne(frame, out value);
        }
        var any = focus.TryOne(frame, out var one);
        value = any ? FhirPathValue.Of(Is(one)) : default;
        return any;
    }

    private bool Is(in FhirPathValue value)
    {
        if (value.Kind != FhirPathKind.Element)
        {
            return !fhir && string.Equals(value.Kind.ToString(), name, StringComparison.Ordinal);
        }
        if (!system)
        {
            if (value.Type is { } shape)
            {
                if (shape.Is(name))
                {
                    return true;
                }
            }
            else if (value.Element["resourceType"u8].Text is { } resourceType)
            {
                return string.Equals(resourceType, name, StringComparison.Ordinal);
            }
        }
        // The value of a FHIR primitive is a system value: answerBoolean is Boolean.
        return !fhir
            && value.SystemKind is not (FhirPathKind.None or FhirPathKind.Quantity)
            && string.Equals(value.SystemKind.ToString(), name, StringComparison.Ordinal);
    }
}
