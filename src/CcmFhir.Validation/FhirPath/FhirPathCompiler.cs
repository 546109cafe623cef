namespace CcmFhir.Validation.FhirPath;

/// <summary>Turns FHIRPath (http://hl7.org/fhirpath/N1, with FHIR's own functions) into steps over <see cref="FhirElement"/>.</summary>
public static class FhirPathCompiler
{
    /// <summary>Compiles an expression.</summary>
    /// <exception cref="FhirPathException">It is not FHIRPath, or uses what is not known here; the message names the place.</exception>
    public static CompiledExpression Compile(string expression)
    {
        ArgumentNullException.ThrowIfNull(expression);
        return new CompiledExpression(expression, FhirPathParser.Parse(expression));
    }
}
