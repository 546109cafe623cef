namespace CcmFhir.Options;

/// <summary>The practices of this deployment: one file each in the folder that <c>Ccm:Practices</c> names. Read at start, immutable.</summary>
internal sealed class Practices
{
    /// <summary>The setting's name.</summary>
    public const string Setting = "Ccm:Practices";

    /// <summary>The folder when nothing is set.</summary>
    public const string Default = "practices";

    private readonly SortedDictionary<string, PracticeFile> bySlug = new(StringComparer.Ordinal);

    /// <summary>Practices that were read already.</summary>
    /// <exception cref="InvalidDataException">Two have one slug.</exception>
    public Practices(IEnumerable<PracticeFile> files)
    {
        foreach (var file in files)
        {
            if (!bySlug.TryAdd(file.Practice.Slug, file))
            {
                throw new InvalidDataException(
                    $"Two practice files have the slug '{file.Practice.Slug}'; it must be of one practice alone."
                );
            }
        }
    }

    /// <summary>All, by slug.</summary>
    public IReadOnlyCollection<PracticeFile> All => bySlug.Values;

    /// <summary>The practice of that slug; null when there is none.</summary>
    public PracticeFile? Find(string slug) => bySlug.GetValueOrDefault(slug);

    /// <summary>Reads every <c>*.json</c> of a folder; a folder that is not there holds no practice.</summary>
    /// <exception cref="InvalidDataException">A file is wrong: the program does not start with half its practices.</exception>
    public static Practices Read(string folder) =>
        new(
            Directory.Exists(folder)
                ? Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal).Select(PracticeFile.Read)
                : []
        );
}
