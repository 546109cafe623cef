namespace CcmFhir.Validation.FhirPath;

/// <summary><c>resolve()</c>: what a Reference, canonical or uri points to, as far as it is at hand.</summary>
internal sealed class ResolveNode(Node focus) : Node
{
    /// <summary>The references.</summary>
    public Node References => focus;

    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        var values = context.Rent();
        focus.AddTo(frame, values);
        for (var index = 0; index < values.Count; index++)
        {
            var value = values[index];
            var element = value.Element;
            var reference = element.Kind == JsonKind.Object ? element["reference"u8].Text : value.AsString();
            if (reference is null)
            {
                continue;
            }
            context.Step();
            var target = context.Resolve is { } resolve ? resolve(element, reference) : Contained(context, reference);
            if (target.Kind == JsonKind.Object)
            {
                output.Add(FhirPathValue.Of(target, context.Types.OfResource(target)));
            }
        }
        context.Return(values);
    }

    private static FhirElement Contained(EvaluationContext context, string reference)
    {
        if (!reference.StartsWith('#'))
        {
            return default;
        }
        if (reference.Length == 1)
        {
            return context.RootResource;
        }
        foreach (var contained in context.RootResource["contained"u8].Items)
        {
            context.Step();
            if (string.Equals(contained["id"u8].Text, reference[1..], StringComparison.Ordinal))
            {
                return contained;
            }
        }
        return default;
    }
}

/// <summary><c>resolve() is Type</c>: of a target that is not at hand, the type that the reference names.</summary>
internal sealed class LeadsToNode(ResolveNode resolve, string type) : TruthNode
{
    private readonly TypeNode ofTarget = new(resolve, type, filters: false);

    public override bool? Test(in Frame frame)
    {
        var rented = frame.Context.Rented;
        try
        {
            return ofTarget.Test(frame);
        }
        catch (FhirPathException fail) when (fail.IsTargetElsewhere)
        {
            frame.Context.ReturnDownTo(rented);
            if (
                resolve.References.TryOne(frame, out var one)
                && (one.Element["reference"u8].Text ?? one.AsString()) is { } reference
                && ResourceMap.TypeAndId(reference) is var (named, _)
                && frame.Context.Types.Find(named) is { } shape
            )
            {
                return shape.Is(type[(type.IndexOf('.', StringComparison.Ordinal) + 1)..]);
            }
            throw;
        }
    }
}
