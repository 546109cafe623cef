using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Tools.PackDefinitions;

/// <summary>Writes a FHIR package with every snapshot in it, for tools that do not build their own.</summary>
internal static class SnapshotFolder
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Copies the package's own files (not its folders) and puts the snapshots in.</summary>
    /// <returns>How many snapshots were written.</returns>
    public static int Write(string profiles, string output)
    {
        Directory.CreateDirectory(output);
        foreach (var file in Directory.GetFiles(profiles, "*.json"))
        {
            File.Copy(file, Path.Combine(output, Path.GetFileName(file)), overwrite: true);
        }
        var sources = PackageLoader.Load(profiles);
        var set = BaseDefinitions.R4.With(sources);
        var structures = sources.Where(definition => definition.Kind == DefinitionKind.Structure).ToArray();
        foreach (var structure in structures)
        {
            File.WriteAllText(
                Path.Combine(output, Path.GetFileName(structure.Origin)),
                set.WithSnapshot(structure).ToJsonString(Indented) + "\n"
            );
        }
        return structures.Length;
    }
}
