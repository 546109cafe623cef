using System.Text;

namespace CcmFhir.Validation.FhirPath;

/// <summary><c>and</c>, <c>or</c>, <c>xor</c>, <c>implies</c> with three values: what is not known stays unknown unless the other side decides.</summary>
internal sealed class LogicNode(LogicNode.Kind kind, Node left, Node right) : TruthNode
{
    public enum Kind
    {
        And,
        Or,
        Xor,
        Implies,
    }

    public override bool? Test(in Frame frame)
    {
        var a = left.Test(frame);
        switch (kind)
        {
            case Kind.And:
                return a == false ? false
                    : right.Test(frame) is not { } and ? null
                    : and ? a
                    : false;
            case Kind.Or:
                return a == true ? true
                    : right.Test(frame) is not { } or ? null
                    : or ? true
                    : a;
            case Kind.Xor:
                return a is null || right.Test(frame) is not { } xor ? null : a != xor;
            default:
                if (a == false)
                {
                    return true;
                }
                var b = right.Test(frame);
                return b == true ? true
                    : a == true ? b
                    : null;
        }
    }
}

/// <summary><c>not()</c>.</summary>
internal sealed class NotNode(Node focus) : TruthNode
{
    public override bool? Test(in Frame frame) => !focus.Test(frame);
}

/// <summary><c>exists()</c> and <c>empty()</c> without criteria.</summary>
internal sealed class ExistsNode(Node focus, bool wanted) : TruthNode
{
    public override bool? Test(in Frame frame) => focus.Exists(frame) == wanted;
}

/// <summary><c>hasValue()</c>: one primitive, with a value and not only extensions.</summary>
internal sealed class HasValueNode(Node focus) : TruthNode
{
    public override bool? Test(in Frame frame)
    {
        var list = frame.Context.Rent();
        focus.AddTo(frame, list);
        var has = list.Count == 1 && list[0].SystemKind is not (FhirPathKind.None or FhirPathKind.Quantity);
        frame.Context.Return(list);
        return has;
    }
}

/// <summary><c>=</c>, <c>!=</c>, <c>~</c>, <c>!~</c>.</summary>
internal sealed class EqualityNode(Node left, Node right, bool equivalence, bool wanted) : TruthNode
{
    public override bool? Test(in Frame frame)
    {
        var context = frame.Context;
        var (a, b) = (context.Rent(), context.Rent());
        left.AddTo(frame, a);
        right.AddTo(frame, b);
        var equal = equivalence ? Equivalent(context, a.Span, b.Span) : Equal(a.Span, b.Span);
        context.Return(b);
        context.Return(a);
        return equal is { } known ? known == wanted : null;
    }

    private static bool? Equal(ReadOnlySpan<FhirPathValue> left, ReadOnlySpan<FhirPathValue> right)
    {
        if (left.IsEmpty || right.IsEmpty)
        {
            return null;
        }
        if (left.Length != right.Length)
        {
            return false;
        }
        bool? all = true;
        for (var index = 0; index < left.Length; index++)
        {
            var equal = Comparison.Equal(left[index], right[index]);
            if (equal == false)
            {
                return false;
            }
            all = equal is null ? null : all;
        }
        return all;
    }

    private static bool? Equivalent(
        EvaluationContext context,
        ReadOnlySpan<FhirPathValue> left,
        ReadOnlySpan<FhirPathValue> right
    )
    {
        if (left.Length != right.Length)
        {
            return false;
        }
        foreach (ref readonly var value in left)
        {
            var any = false;
            foreach (ref readonly var other in right)
            {
                context.Step();
                any = any || Comparison.Equivalent(value, other);
            }
            if (!any)
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary><c>status = 'done'</c> and <c>status != 'done'</c>: the commonest comparison, made on the bytes of the document.</summary>
internal sealed class EqualsTextNode(Node left, string text, bool wanted) : TruthNode
{
    private readonly byte[] utf8 = Encoding.UTF8.GetBytes(text);

    public override bool? Test(in Frame frame)
    {
        var list = frame.Context.Rent();
        left.AddTo(frame, list);
        bool? answer =
            list.Count == 0 ? null
            : list.Count > 1 ? !wanted
            : IsText(list[0]) == wanted;
        frame.Context.Return(list);
        return answer;
    }

    private bool IsText(in FhirPathValue value) =>
        value.SystemKind == FhirPathKind.String
        && (
            value.Element is { Exists: true } element
                ? element.Is(utf8)
                : string.Equals(value.Text, text, StringComparison.Ordinal)
        );
}

/// <summary><c>&lt;</c>, <c>&lt;=</c>, <c>&gt;</c>, <c>&gt;=</c>.</summary>
internal sealed class OrderNode(Node left, Node right, bool less, bool orEqual) : TruthNode
{
    public override bool? Test(in Frame frame) =>
        left.TryOne(frame, out var a) && right.TryOne(frame, out var b) && Comparison.Order(a, b) is { } order
            ? (order == 0 ? orEqual : order < 0 == less)
            : null;
}

/// <summary><c>in</c> and <c>contains</c>.</summary>
internal sealed class MembershipNode(Node item, Node collection) : TruthNode
{
    public override bool? Test(in Frame frame)
    {
        if (!item.TryOne(frame, out var wanted))
        {
            return null;
        }
        var values = frame.Context.Rent();
        collection.AddTo(frame, values);
        frame.Context.Step(values.Count);
        var found = Comparison.Contains(values.Span, wanted);
        frame.Context.Return(values);
        return found;
    }
}
