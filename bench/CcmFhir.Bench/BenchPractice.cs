using CcmFhir.Load;
using CcmFhir.Options;

namespace CcmFhir.Bench;

/// <summary>The practice of the load driver, as the program reads it.</summary>
internal static class BenchPractice
{
    /// <summary>Reads it.</summary>
    public static PracticeFile Read()
    {
        using var folder = new LoadFolder();
        return PracticeFile.Read(Path.Combine(folder.Practices, CareMonths.Practice + ".json"));
    }
}
