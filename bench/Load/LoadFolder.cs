namespace CcmFhir.Load;

/// <summary>A folder of its own for one server under load: its practice file and its journal. Gone when disposed.</summary>
public sealed class LoadFolder : IDisposable
{
    /// <summary>Makes it.</summary>
    public LoadFolder()
    {
        File.WriteAllText(System.IO.Path.Combine(Practices, "load.json"), CareMonths.PracticeFile);
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

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
