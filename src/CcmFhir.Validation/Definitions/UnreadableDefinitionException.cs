namespace CcmFhir.Validation.Definitions;

/// <summary>A definition that cannot be used: names file, element and reason. Thrown while loading, never while validating.</summary>
/// <param name="origin">File it was read from.</param>
/// <param name="element">Element id or FHIR path in the definition; empty when it is the file as a whole.</param>
/// <param name="reason">What is wrong and what would be right.</param>
public sealed class UnreadableDefinitionException(string origin, string element, string reason)
    : Exception(element.Length == 0 ? $"{origin}: {reason}" : $"{origin}: {element}: {reason}")
{
    /// <summary>File it was read from.</summary>
    public string Origin => origin;

    /// <summary>Element id or FHIR path in the definition; empty when it is the file as a whole.</summary>
    public string Element => element;

    /// <summary>What is wrong and what would be right.</summary>
    public string Reason => reason;
}
