namespace CcmFhir.Validation.FhirPath;

/// <summary>An expression that cannot be compiled, or cannot be evaluated on what is there.</summary>
public sealed class FhirPathException : Exception
{
    /// <summary>No details.</summary>
    public FhirPathException() { }

    /// <summary>What is wrong.</summary>
    public FhirPathException(string message)
        : base(message) { }

    /// <summary>What is wrong, and the fault behind it.</summary>
    public FhirPathException(string message, Exception? inner)
        : base(message, inner) { }

    /// <summary>What is wrong at a place of an expression.</summary>
    /// <param name="message">What is wrong and what would be right.</param>
    /// <param name="expression">The expression as written.</param>
    /// <param name="offset">Offset of the fault in it, from 0; negative when it is not known.</param>
    /// <param name="inner">The fault behind it.</param>
    public FhirPathException(string message, string expression, int offset, Exception? inner = null)
        : base(
            offset < 0 ? $"{message} In: {expression}" : $"{message} At character {offset + 1} of: {expression}",
            inner
        )
    {
        Expression = expression;
        Offset = offset;
    }

    /// <summary>The expression that could not be compiled; null for a fault of evaluation.</summary>
    public string? Expression { get; }

    /// <summary>The evaluation was given up for its cost, which may be the resource's doing; the same resource always meets the same end.</summary>
    public bool IsTooCostly { get; init; }

    /// <summary>A reference leads out of the document, so that nothing can be said of its target but the type that it names.</summary>
    internal bool IsTargetElsewhere { get; init; }

    /// <summary>Offset of the fault in the expression, from 0; negative when it is not known.</summary>
    public int Offset { get; } = -1;
}
