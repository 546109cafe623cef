namespace CcmFhir.Fhir;

/// <summary>Logical ids of R4: 1 to 64 of <c>A-Z a-z 0-9 - .</c> [datatypes.html#id].</summary>
internal static class LogicalId
{
    /// <summary>What would be right, for error texts.</summary>
    public const string Rule = "An id has 1 to 64 characters of A-Z, a-z, 0-9, '-' and '.'.";

    /// <summary>Whether the text is a logical id. <c>.</c> and <c>..</c> are none here: as a path they name another place.</summary>
    public static bool IsValid(ReadOnlySpan<char> text)
    {
        if (text.Length is 0 or > 64 || text is "." or "..")
        {
            return false;
        }
        foreach (var letter in text)
        {
            if (!char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '.'))
            {
                return false;
            }
        }
        return true;
    }
}
