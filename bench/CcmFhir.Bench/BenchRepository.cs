namespace CcmFhir.Bench;

/// <summary>The checkout that the bench was built in.</summary>
internal static class BenchRepository
{
    /// <summary>Its root: the folder that holds the solution.</summary>
    /// <exception cref="InvalidOperationException">The bench does not lie in one.</exception>
    public static string Root
    {
        get
        {
            var at = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(at.FullName, "CcmFhir.sln")))
            {
                at =
                    at.Parent
                    ?? throw new InvalidOperationException(
                        "No folder above the bench holds CcmFhir.sln; a server is named by --server PATH."
                    );
            }
            return at.FullName;
        }
    }
}
