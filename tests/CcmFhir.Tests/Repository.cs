namespace CcmFhir.Tests;

/// <summary>The checkout that the tests were built from, for tests that hold files of it to account.</summary>
internal static class Repository
{
    /// <summary>Its root: the folder that holds the solution.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>A file or folder of it.</summary>
    public static string At(params ReadOnlySpan<string> parts) => Path.Combine([Root, .. parts]);

    private static string Find(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "CcmFhir.sln")))
            {
                return at.FullName;
            }
        }
        throw new InvalidOperationException($"No folder above {folder} holds CcmFhir.sln.");
    }
}
