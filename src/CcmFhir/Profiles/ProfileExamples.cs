namespace CcmFhir.Profiles;

/// <summary>The valid examples of each profile, which lie beside the program (<c>profiles/examples/valid/{profile}/{kind}.json</c>).</summary>
internal static class ProfileExamples
{
    /// <summary>Folder of the profiles' examples, samples and practices beside the program.</summary>
    public static string Folder { get; } = Path.Combine(AppContext.BaseDirectory, "profiles");

    /// <summary>Kinds of example that a profile has, <c>minimal</c>, <c>typical</c> and <c>rich</c> first.</summary>
    public static IReadOnlyList<string> Kinds(string profile)
    {
        string[] first = ["minimal", "typical", "rich"];
        var folder = Place(profile);
        return Directory.Exists(folder)
            ?
            [
                .. Directory
                    .GetFiles(folder, "*.json")
                    .Select(file => Path.GetFileNameWithoutExtension(file)!)
                    .OrderBy(kind => Array.IndexOf(first, kind) is var at and >= 0 ? at : first.Length)
                    .ThenBy(kind => kind, StringComparer.Ordinal),
            ]
            : [];
    }

    /// <summary>One example, as it stands in its file; null when the profile has none of that kind.</summary>
    public static string? Read(string profile, string kind) =>
        Kinds(profile).Contains(kind, StringComparer.Ordinal)
            ? File.ReadAllText(Path.Combine(Place(profile), kind + ".json"))
            : null;

    private static string Place(string profile) => Path.Combine(Folder, "examples", "valid", profile);
}
