namespace CcmFhir.Validation.FhirPath;

/// <summary><c>where(criteria)</c>.</summary>
internal sealed class WhereNode(Node focus, Node criteria) : Node
{
    public override void AddTo(in Frame frame, ValueList output) => Visit(frame, output);

    public override bool Exists(in Frame frame) => Visit(frame, null);

    private bool Visit(in Frame frame, ValueList? output)
    {
        var context = frame.Context;
        var values = context.Rent();
        focus.AddTo(frame, values);
        var any = false;
        for (var index = 0; index < values.Count && (output is not null || !any); index++)
        {
            context.Step();
            var value = values[index];
            if (criteria.Test(frame.Over(value, index)) == true)
            {
                any = true;
                output?.Add(value);
            }
        }
        context.Return(values);
        return any;
    }
}

/// <summary><c>all(criteria)</c>.</summary>
internal sealed class AllNode(Node focus, Node criteria) : TruthNode
{
    public override bool? Test(in Frame frame)
    {
        var context = frame.Context;
        var values = context.Rent();
        focus.AddTo(frame, values);
        var all = true;
        for (var index = 0; index < values.Count && all; index++)
        {
            context.Step();
            all = criteria.Test(frame.Over(values[index], index)) == true;
        }
        context.Return(values);
        return all;
    }
}

/// <summary><c>select(projection)</c>.</summary>
internal sealed class SelectNode(Node focus, Node projection) : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        var values = context.Rent();
        focus.AddTo(frame, values);
        for (var index = 0; index < values.Count; index++)
        {
            context.Step();
            projection.AddTo(frame.Over(values[index], index), output);
        }
        context.Return(values);
    }
}

/// <summary><c>repeat(projection)</c>: again and again on what is new, until nothing new comes.</summary>
internal sealed class RepeatNode(Node focus, Node projection) : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        var found = context.Rent();
        var values = context.Rent();
        focus.AddTo(frame, values);
        for (var index = 0; index < values.Count; index++)
        {
            projection.AddTo(frame.Over(values[index], index), found);
        }
        var seen = new DistinctSet(context);
        for (var index = 0; index < found.Count; index++)
        {
            context.Step();
            var value = found[index];
            if (seen.Add(value))
            {
                output.Add(value);
                projection.AddTo(frame.Over(value, index), found);
            }
        }
        context.Return(values);
        context.Return(found);
    }
}

/// <summary><c>aggregate(aggregator, init)</c>.</summary>
internal sealed class AggregateNode(Node focus, Node aggregator, Node? init) : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        var values = context.Rent();
        var total = context.Rent();
        var next = context.Rent();
        focus.AddTo(frame, values);
        init?.AddTo(frame, total);
        for (var index = 0; index < values.Count; index++)
        {
            context.Step();
            aggregator.AddTo(new Frame(context, values[index], index, total), next);
            total.Clear();
            total.AddRange(next.Span);
            next.Clear();
        }
        output.AddRange(total.Span);
        context.Return(next);
        context.Return(total);
        context.Return(values);
    }
}

/// <summary><c>iif(criterion, then, otherwise)</c>: only the branch taken is evaluated; <c>$this</c> is the focus of the call.</summary>
internal sealed class IifNode(Node focus, Node criterion, Node then, Node? otherwise) : Node
{
    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        var values = context.Rent();
        focus.AddTo(frame, values);
        var inner = new Frame(
            context,
            values.Count == 1 ? values[0] : default,
            frame.Index,
            frame.Total,
            values.Count > 1 ? values : null
        );
        if (criterion.Test(inner) == true)
        {
            then.AddTo(inner, output);
        }
        else
        {
            otherwise?.AddTo(inner, output);
        }
        context.Return(values);
    }
}

/// <summary><c>a | b</c>, <c>union</c> and <c>distinct</c>: each value once.</summary>
internal sealed class UnionNode(Node first, Node? second) : Node
{
    public Node First => first;

    public Node? Second => second;

    public override void AddTo(in Frame frame, ValueList output)
    {
        var context = frame.Context;
        var values = context.Rent();
        first.AddTo(frame, values);
        second?.AddTo(frame, values);
        var seen = new DistinctSet(context);
        for (var index = 0; index < values.Count; index++)
        {
            if (seen.Add(values[index]))
            {
                output.Add(values[index]);
            }
        }
        context.Return(values);
    }

    public override bool Exists(in Frame frame) => first.Exists(frame) || second?.Exists(frame) == true;
}

/// <summary><c>isDistinct()</c>.</summary>
internal sealed class IsDistinctNode(Node focus) : TruthNode
{
    public override bool? Test(in Frame frame)
    {
        var context = frame.Context;
        var values = context.Rent();
        focus.AddTo(frame, values);
        var seen = new DistinctSet(context);
        var distinct = true;
        for (var index = 0; index < values.Count && distinct; index++)
        {
            distinct = seen.Add(values[index]);
        }
        context.Return(values);
        return distinct;
    }
}

/// <summary><c>intersect</c>, <c>exclude</c>, <c>combine</c>, <c>subsetOf</c>, <c>supersetOf</c>.</summary>
internal sealed class SetNode(SetNode.Kind kind, Node left, Node right) : Node
{
    public enum Kind
    {
        Combine,
        Intersect,
        Exclude,
        SubsetOf,
        SupersetOf,
    }

    public override void AddTo(in Frame frame, ValueList output)
    {
        if (kind == Kind.Combine)
        {
            left.AddTo(frame, output);
            right.AddTo(frame, output);
            return;
        }
        var context = frame.Context;
        var (a, b) = (context.Rent(), context.Rent());
        left.AddTo(frame, a);
        right.AddTo(frame, b);
        if (kind is Kind.SubsetOf or Kind.SupersetOf)
        {
            output.Add(FhirPathValue.Of(kind == Kind.SubsetOf ? IsSubset(context, a, b) : IsSubset(context, b, a)));
        }
        else
        {
            var others = new DistinctSet(context);
            others.AddAll(b);
            var seen = new DistinctSet(context);
            for (var index = 0; index < a.Count; index++)
            {
                var value = a[index];
                if (others.Contains(value) == (kind == Kind.Intersect) && (kind == Kind.Exclude || seen.Add(value)))
                {
                    output.Add(value);
                }
            }
        }
        context.Return(b);
        context.Return(a);
    }

    private static bool IsSubset(EvaluationContext context, ValueList part, ValueList whole)
    {
        var known = new DistinctSet(context);
        known.AddAll(whole);
        foreach (ref readonly var value in part.Span)
        {
            if (!known.Contains(value))
            {
                return false;
            }
        }
        return true;
    }
}

/// <summary>Values seen, told apart by FHIRPath's equality: a list while they are few, by hash when they are many, so that large
/// collections stay linear.</summary>
internal sealed class DistinctSet(EvaluationContext context)
{
    private const int Few = 8;
    private readonly List<FhirPathValue> values = [];
    private Dictionary<int, List<int>>? byHash;

    public bool Add(in FhirPathValue value)
    {
        if (Contains(value))
        {
            return false;
        }
        values.Add(value);
        if (byHash is not null)
        {
            Index(values.Count - 1);
        }
        else if (values.Count > Few)
        {
            byHash = [];
            for (var index = 0; index < values.Count; index++)
            {
                Index(index);
            }
        }
        return true;
    }

    public void AddAll(ValueList list)
    {
        for (var index = 0; index < list.Count; index++)
        {
            Add(list[index]);
        }
    }

    public bool Contains(in FhirPathValue value)
    {
        context.Step();
        if (byHash is null)
        {
            foreach (var other in values)
            {
                if (Comparison.Equal(other, value) == true)
                {
                    return true;
                }
            }
            return false;
        }
        if (byHash.TryGetValue(Comparison.Hash(value), out var places))
        {
            context.Step(places.Count);
            foreach (var place in places)
            {
                if (Comparison.Equal(values[place], value) == true)
                {
                    return true;
                }
            }
        }
        return false;
    }

    private void Index(int place)
    {
        var hash = Comparison.Hash(values[place]);
        if (!byHash!.TryGetValue(hash, out var places))
        {
            byHash[hash] = places = [];
        }
        places.Add(place);
    }
}
