using System.Text.Json;

namespace CcmFhir.Ehr;

/// <summary>The EHR connections of all practices, from the practice files of a folder: the <c>ehr</c> property of each file, by its <c>slug</c>.</summary>
internal sealed class EhrConnections
{
    /// <summary>Setting that names the folder of practice files.</summary>
    public const string Setting = "Ccm:Practices";

    /// <summary>The folder when nothing is set.</summary>
    public const string Default = "practices";

    private readonly Dictionary<string, EhrConnection?> connections = new(StringComparer.Ordinal);

    /// <summary>Slugs of all practices, those without an EHR too, in ordinal order.</summary>
    public IEnumerable<string> Practices => connections.Keys.Order(StringComparer.Ordinal);

    /// <summary>The connection of a practice; null when it has none, or is not there.</summary>
    public EhrConnection? Find(string practice) => connections.GetValueOrDefault(practice);

    /// <summary>A practice of that slug is there.</summary>
    public bool Has(string practice) => connections.ContainsKey(practice);

    /// <summary>Reads the files of a folder; none for a folder that is not there.</summary>
    /// <exception cref="InvalidDataException">A file cannot be understood; the message names it.</exception>
    public static EhrConnections ReadFolder(string folder)
    {
        var all = new EhrConnections();
        foreach (
            var file in Directory.Exists(folder)
                ? Directory.GetFiles(folder, "*.json").Order(StringComparer.Ordinal)
                : Enumerable.Empty<string>()
        )
        {
            all.Add(file);
        }
        return all;
    }

    /// <summary>Reads one file.</summary>
    /// <exception cref="InvalidDataException">It cannot be understood; the message names it.</exception>
    public static EhrConnections ReadFile(string file)
    {
        var one = new EhrConnections();
        one.Add(file);
        return one;
    }

    private void Add(string file)
    {
        try
        {
            using var json = JsonDocument.Parse(
                File.ReadAllBytes(file),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
            );
            var root = json.RootElement;
            if (
                root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("slug", out var slug)
                || slug.ValueKind != JsonValueKind.String
            )
            {
                throw new InvalidDataException("it has no 'slug'.");
            }
            connections[slug.GetString()!] = root.TryGetProperty("ehr", out var ehr)
                ? EhrConnection.Read(ehr, Path.GetDirectoryName(Path.GetFullPath(file))!)
                : null;
        }
        catch (Exception fault) when (fault is JsonException or InvalidDataException or IOException)
        {
            throw new InvalidDataException($"Practice file '{Path.GetFileName(file)}': {fault.Message}", fault);
        }
    }
}
