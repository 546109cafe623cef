using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Profiles;

/// <summary>The package as other tools load it: a gzipped tar file with <c>package/</c>, structures with their snapshots, and the examples.</summary>
internal static class ProfilePack
{
    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Name of the file: package and version.</summary>
    public static string FileName
    {
        get
        {
            var manifest = CcmPackage.Read("package.json");
            return $"{manifest["name"u8].Text}-{manifest["version"u8].Text}.tgz";
        }
    }

    /// <summary>Writes the package. The same package gives the same bytes.</summary>
    public static void Write(Stream output)
    {
        using var zip = new GZipStream(output, CompressionLevel.Optimal, leaveOpen: true);
        using var tar = new TarWriter(zip, TarEntryFormat.Ustar);
        Add(tar, "package/package.json", CcmPackage.Read("package.json").Raw.ToArray());
        Add(tar, "package/.index.json", CcmPackage.Read(".index.json").Raw.ToArray());
        foreach (var file in CcmPackage.Files)
        {
            Add(tar, "package/" + file, WithSnapshot(file));
        }
        foreach (var profile in ProfileText.Ids())
        {
            foreach (var kind in ProfileExamples.Kinds(profile))
            {
                Add(
                    tar,
                    $"package/example/{profile}-{kind}.json",
                    Encoding.UTF8.GetBytes(ProfileExamples.Read(profile, kind)!)
                );
            }
        }
    }

    private static byte[] WithSnapshot(string file)
    {
        var json = CcmPackage.Read(file);
        var definition = CcmPackage.Definitions.FirstOrDefault(one =>
            one.Kind == DefinitionKind.Structure && one.Url == json["url"u8].Text
        );
        if (definition is null)
        {
            return json.Raw.ToArray();
        }
        return Encoding.UTF8.GetBytes(CcmPackage.OnR4.WithSnapshot(definition).ToJsonString(Indented));
    }

    private static void Add(TarWriter tar, string name, byte[] content)
    {
        using var data = new MemoryStream(content);
        tar.WriteEntry(
            new UstarTarEntry(TarEntryType.RegularFile, name)
            {
                DataStream = data,
                // The time of a file is no part of the package.
                ModificationTime = DateTimeOffset.UnixEpoch,
            }
        );
    }
}
