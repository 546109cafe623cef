namespace CcmFhir.Validation.FhirPath;

/// <summary>Computes a result from a whole collection.</summary>
internal delegate void OnMany(in Frame frame, ValueList focus, Node[] arguments, ValueList output);

/// <summary>Computes a result from one value; None is the empty result.</summary>
internal delegate FhirPathValue OnOne(in Frame frame, in FhirPathValue focus, Node[] arguments);

/// <summary>A function of a whole collection.</summary>
internal sealed class FunctionNode(Node focus, OnMany body, Node[] arguments) : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        context.Step();
        var values = context.Rent();
        focus.AddTo(frame, values);
        body(frame, values, arguments, output);
        context.Return(values);
    }
}

/// <summary>A function of one value: empty on nothing, an error on many.</summary>
internal sealed class ScalarNode(Node focus, OnOne body, Node[] arguments) : SingleNode
{
    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        frame.Context.Step();
        value = focus.TryOne(frame, out var one) ? body(frame, one, arguments) : default;
        return value.Kind != FhirPathKind.None;
    }
}

/// <summary>An operator on two values: empty when either is.</summary>
internal sealed class BinaryNode(Node left, Node right, Func<FhirPathValue, FhirPathValue, FhirPathValue> body)
    : SingleNode
{
    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        frame.Context.Step();
        value = left.TryOne(frame, out var a) && right.TryOne(frame, out var b) ? body(a, b) : default;
        return value.Kind != FhirPathKind.None;
    }
}

/// <summary><c>&amp;</c>: joins texts; nothing counts as the empty text.</summary>
internal sealed class ConcatenateNode(Node left, Node right) : SingleNode
{
    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        var joined = TextLength.Join(Part(left, frame), Part(right, frame));
        frame.Context.Step(1 + (joined.Length / 64));
        value = FhirPathValue.Of(joined);
        return true;
    }

    private static string? Part(Node node, in Frame frame) => node.TryOne(frame, out var value) ? value.Text : null;
}

/// <summary><c>count()</c>.</summary>
internal sealed class CountNode(Node focus) : SingleNode
{
    public override bool TryOne(in Frame frame, out FhirPathValue value)
    {
        value = FhirPathValue.Of((long)focus.Count(frame));
        return true;
    }
}

/// <summary><c>x in ('a' | 'b')</c>.</summary>
internal sealed class InTextsNode(Node item, string[] texts) : TruthNode
{
    public override bool? Test(in Frame frame)
    {
        if (!item.TryOne(frame, out var value))
        {
            return null;
        }
        return value.AsString() is { } text && Array.IndexOf(texts, text) >= 0;
    }
}
