namespace CcmFhir.Validation.FhirPath;

/// <summary>A FHIRPath expression ready to be evaluated, by any number of threads at once.</summary>
public sealed class CompiledExpression
{
    private readonly Node root;

    internal CompiledExpression(string expression, Node root)
    {
        Expression = expression;
        this.root = root;
    }

    /// <summary>The expression as written.</summary>
    public string Expression { get; }

    /// <summary>Evaluates to a truth value: true or false; null when the result is empty (FHIRPath's "not known").</summary>
    /// <param name="context">What the evaluation may see beside its focus.</param>
    /// <param name="focus">The element that the expression is about.</param>
    /// <exception cref="FhirPathException">The expression does not fit what is there (many values where one is needed, values that cannot
    /// be compared), or takes too long.</exception>
    public bool? Holds(EvaluationContext context, in FhirPathValue focus)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var entry = context.Enter(focus);
        return root.Test(new Frame(context, focus));
    }

    /// <inheritdoc cref="Holds(EvaluationContext, in FhirPathValue)"/>
    /// <param name="context">What the evaluation may see beside its focus.</param>
    /// <param name="focus">The element that the expression is about.</param>
    /// <param name="type">Its FHIR type; null to take that of a resource from itself.</param>
    /// <param name="sibling">For a primitive, its <c>_name</c> object where that is at hand.</param>
    public bool? Holds(
        EvaluationContext context,
        FhirElement focus,
        TypeShape? type = null,
        FhirElement sibling = default
    ) => Holds(context, Value(context, focus, type, sibling));

    /// <summary>Evaluates to a collection of values.</summary>
    /// <param name="context">What the evaluation may see beside its focus.</param>
    /// <param name="focus">The element that the expression is about.</param>
    /// <exception cref="FhirPathException">The expression does not fit what is there, or takes too long.</exception>
    public IReadOnlyList<FhirPathValue> Evaluate(EvaluationContext context, in FhirPathValue focus)
    {
        ArgumentNullException.ThrowIfNull(context);
        using var entry = context.Enter(focus);
        var output = context.Rent();
        root.AddTo(new Frame(context, focus), output);
        return output.Span.ToArray();
    }

    /// <inheritdoc cref="Evaluate(EvaluationContext, in FhirPathValue)"/>
    /// <param name="context">What the evaluation may see beside its focus.</param>
    /// <param name="focus">The element that the expression is about.</param>
    /// <param name="type">Its FHIR type; null to take that of a resource from itself.</param>
    public IReadOnlyList<FhirPathValue> Evaluate(
        EvaluationContext context,
        FhirElement focus,
        TypeShape? type = null
    ) => Evaluate(context, Value(context, focus, type, default));

    /// <inheritdoc/>
    public override string ToString() => Expression;

    private static FhirPathValue Value(
        EvaluationContext context,
        FhirElement focus,
        TypeShape? type,
        FhirElement sibling
    )
    {
        ArgumentNullException.ThrowIfNull(context);
        return FhirPathValue.Of(focus, type ?? context.Types.OfResource(focus), sibling);
    }
}
