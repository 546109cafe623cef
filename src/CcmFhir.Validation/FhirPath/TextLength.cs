namespace CcmFhir.Validation.FhirPath;

/// <summary>A bound on the texts that expressions make, asked before they are made: doubling one thirty times would fill any memory.</summary>
internal static class TextLength
{
    // Ten times the longest string of R4.
    private const int Most = 10 * 1024 * 1024;

    /// <exception cref="FhirPathException">It is more than is made.</exception>
    public static void Check(long length)
    {
        if (length > Most)
        {
            throw new FhirPathException(
                $"The expression makes a text of up to {length} characters; at most {Most} are made."
            )
            {
                IsTooCostly = true,
            };
        }
    }

    /// <summary>Two texts put together.</summary>
    /// <exception cref="FhirPathException">The result is longer than what is made.</exception>
    public static string Join(string? left, string? right)
    {
        Check((left?.Length ?? 0L) + (right?.Length ?? 0L));
        return left + right;
    }
}
