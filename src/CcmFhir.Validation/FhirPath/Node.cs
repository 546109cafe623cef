namespace CcmFhir.Validation.FhirPath;

/// <summary>What an expression is evaluated in: <c>$this</c>, <c>$index</c>, <c>$total</c>.</summary>
internal readonly ref struct Frame(
    EvaluationContext context,
    in FhirPathValue @this,
    int index = -1,
    ValueList? total = null,
    ValueList? many = null
)
{
    public EvaluationContext Context { get; } = context;

    /// <summary><c>$this</c>; None when it is empty.</summary>
    public FhirPathValue This { get; } = @this;

    /// <summary><c>$index</c>; negative outside an iteration.</summary>
    public int Index { get; } = index;

    /// <summary><c>$total</c> of an aggregation.</summary>
    public ValueList? Total { get; } = total;

    /// <summary>Set where <c>$this</c> is a collection of many (the branches of iif).</summary>
    public ValueList? Many { get; } = many;

    /// <summary>The same with another <c>$this</c>.</summary>
    public Frame Over(in FhirPathValue item, int place) => new(Context, item, place, Total);
}

/// <summary>One step of a compiled expression. Immutable, used by many threads; what an evaluation needs comes with the frame.
/// A step gives its values in whichever way its user needs them, so that common shapes build no collection.</summary>
internal abstract class Node
{
    /// <summary>Adds all values.</summary>
    public abstract void AddTo(in Frame frame, ValueList output);

    /// <summary>There is a value.</summary>
    public virtual bool Exists(in Frame frame) => Count(frame) > 0;

    /// <summary>How many values there are.</summary>
    public virtual int Count(in Frame frame)
    {
        var list = frame.Context.Rent();
        AddTo(frame, list);
        var count = list.Count;
        frame.Context.Return(list);
        return count;
    }

    /// <summary>The value where there is one.</summary>
    /// <exception cref="FhirPathException">There are many.</exception>
    public virtual bool TryOne(in Frame frame, out FhirPathValue value)
    {
        var list = frame.Context.Rent();
        AddTo(frame, list);
        if (list.Count > 1)
        {
            throw TooMany(list.Count);
        }
        var any = list.Count == 1;
        value = any ? list[0] : default;
        frame.Context.Return(list);
        return any;
    }

    /// <summary>The value as a truth value: null when there is none; a single value that is no boolean is true.</summary>
    public virtual bool? Test(in Frame frame) => TryOne(frame, out var value) ? Truth(value) : null;

    /// <summary>The text of the one value; null when there is none or it is not a string.</summary>
    public string? Text(in Frame frame) => TryOne(frame, out var value) ? value.AsString() : null;

    protected static bool Truth(in FhirPathValue value) => value.SystemKind != FhirPathKind.Boolean || value.IsTrue;

    protected static FhirPathException TooMany(int count) => new($"One value is needed here, and there are {count}.");
}

/// <summary>A step that gives one value or none.</summary>
internal abstract class SingleNode : Node
{
    public abstract override bool TryOne(in Frame frame, out FhirPathValue value);

    public sealed override void AddTo(in Frame frame, ValueList output)
    {
        if (TryOne(frame, out var value))
        {
            output.Add(value);
        }
    }

    public override bool Exists(in Frame frame) => TryOne(frame, out _);

    public override int Count(in Frame frame) => TryOne(frame, out _) ? 1 : 0;
}

/// <summary>A step that gives true, false or nothing.</summary>
internal abstract class TruthNode : Node
{
    public abstract override bool? Test(in Frame frame);

    public sealed override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        var truth = Test(frame);
        value = truth is { } known ? FhirPathValue.Of(known) : default;
        return truth is not null;
    }

    public sealed override void AddTo(in Frame frame, ValueList output)
    {
        if (Test(frame) is { } truth)
        {
            output.Add(FhirPathValue.Of(truth));
        }
    }

    public sealed override bool Exists(in Frame frame) => Test(frame) is not null;

    public sealed override int Count(in Frame frame) => Test(frame) is null ? 0 : 1;
}

/// <summary>A literal.</summary>
internal sealed class ConstantNode(FhirPathValue value) : SingleNode
{
    public FhirPathValue Value => value;

    public override bool TryOne(in Frame frame, out FhirPathValue one)
    {
        one = value;
        return true;
    }
}

/// <summary><c>{}</c>.</summary>
internal sealed class EmptyNode : Node
{
    public override void AddTo(in Frame frame, ValueList output) { }

    public override bool Exists(in Frame frame) => false;
}

/// <summary><c>$this</c>, written or meant.</summary>
internal sealed class ThisNode : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        if (frame.Many is { } many)
        {
            output.AddRange(many.Span);
        }
        else if (frame.This.Kind != FhirPathKind.None)
        {
            output.Add(frame.This);
        }
    }

    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        if (frame.Many is { Count: > 1 } many)
        {
            throw TooMany(many.Count);
        }
        value = frame.This;
        return value.Kind != FhirPathKind.None;
    }
}

/// <summary><c>$index</c>.</summary>
internal sealed class IndexNode : SingleNode
{
    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        value = FhirPathValue.Of((long)frame.Index);
        return frame.Index >= 0;
    }
}

/// <summary><c>$total</c>.</summary>
internal sealed class TotalNode : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        if (frame.Total is { } total)
        {
            output.AddRange(total.Span);
        }
    }
}

/// <summary>A variable of the context such as <c>%resource</c>.</summary>
internal sealed class VariableNode(string name) : SingleNode
{
    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        var context = frame.Context;
        value = name switch
        {
            "resource" => Of(context, context.Resource),
            "rootResource" => Of(context, context.RootResource),
            "context" => context.Focus,
            _ when context.Variables?.TryGetValue(name, out var known) == true => known,
            _ => throw new FhirPathException($"The variable %{name} is not known here."),
        };
        return value.Kind != FhirPathKind.None;
    }

    private static FhirPathValue Of(EvaluationContext context, FhirElement resource) =>
        FhirPathValue.Of(resource, context.Types.OfResource(resource));
}
