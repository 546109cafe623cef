using System.Collections.Frozen;

namespace CcmFhir.Validation.Definitions;

/// <summary>The primitive types of R4 (http://hl7.org/fhir/R4/datatypes.html#primitive, and xhtml).</summary>
public static class Primitives
{
    private static readonly FrozenSet<string> Names = FrozenSet.Create(
        "base64Binary",
        "boolean",
        "canonical",
        "code",
        "date",
        "dateTime",
        "decimal",
        "id",
        "instant",
        "integer",
        "markdown",
        "oid",
        "positiveInt",
        "string",
        "time",
        "unsignedInt",
        "uri",
        "url",
        "uuid",
        "xhtml"
    );

    /// <summary>True for the name of a primitive type.</summary>
    public static bool IsName(string type) => Names.Contains(type);
}
