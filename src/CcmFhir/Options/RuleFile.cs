using CcmFhir.Domain;

namespace CcmFhir.Options;

/// <summary>The rules that months are decided by: those that come with the program, or a file of the same form, so that a new year is a change of
/// data. Read and checked at start.</summary>
internal static class RuleFile
{
    /// <summary>The setting that names a file; absent for the rules that come with the program.</summary>
    public const string Setting = "Ccm:Rules";

    /// <summary>Reads the rules.</summary>
    /// <param name="path">The file; null or empty for the rules that come with the program.</param>
    /// <exception cref="InvalidDataException">The file cannot be read, or a row overlaps another, leaves a gap or names what is not known; the
    /// message names file and row.</exception>
    public static RuleSet Read(string? path)
    {
        if (string.IsNullOrEmpty(path))
        {
            return RuleSet.Medicare;
        }
        try
        {
            using var file = File.OpenRead(path);
            return RuleSet.Read(file);
        }
        catch (Exception fault) when (fault is RuleSetException or IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: {fault.Message}", fault);
        }
    }
}
