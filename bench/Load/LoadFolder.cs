using System.Text.Json.Nodes;

namespace CcmFhir.Load;

/// <summary>A folder of its own for one server under load: its practice files and its journal. Gone when disposed.</summary>
public sealed class LoadFolder : IDisposable
{
    /// <summary>Makes it, with the practice that <see cref="CareMonths"/> writes for and, if asked for, more of the same kind.</summary>
    /// <param name="practices">How many practices; see <see cref="Slug"/>.</param>
    public LoadFolder(int practices = 1)
    {
        for (var number = 0; number < practices; number++)
        {
            var file = JsonNode.Parse(CareMonths.PracticeFile)!;
            file["slug"] = Slug(number);
            File.WriteAllText(System.IO.Path.Combine(Practices, Slug(number) + ".json"), file.ToJsonString());
        }
        Settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["Ccm:Store"] = $"sqlite:{Journal}",
            ["Ccm:Practices"] = Practices,
        };
    }

    /// <summary>The folder.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("ccmfhir-load-").FullName;

    /// <summary>The journal's file.</summary>
    public string Journal => System.IO.Path.Combine(Path, "ccm.db");

    /// <summary>The folder of practice files.</summary>
    public string Practices => Directory.CreateDirectory(System.IO.Path.Combine(Path, "practices")).FullName;

    /// <summary>Settings for a server that works here.</summary>
    public IDictionary<string, string> Settings { get; }

    /// <summary>Slug of a practice, by its number from 0.</summary>
    public static string Slug(int practice) =>
        practice == 0 ? CareMonths.Practice : $"{CareMonths.Practice}-{practice}";

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
