using System.Formats.Tar;
using System.IO.Compression;
using System.Text.Json;
using CcmFhir.Profiles;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Tests.Profiles;

public sealed class ProfilePackTest
{
    [Fact]
    public void The_pack_is_a_package_that_loads_with_every_definition_of_ours()
    {
        var folder = Directory.CreateTempSubdirectory("ccmfhir-pack-").FullName;
        try
        {
            var path = Path.Combine(folder, ProfilePack.FileName);
            File.WriteAllBytes(path, Pack());
            PackageLoader
                .Load(path)
                .Select(definition => definition.ToString())
                .Order(StringComparer.Ordinal)
                .ShouldBe(
                    CcmPackage.Definitions.Select(definition => definition.ToString()).Order(StringComparer.Ordinal)
                );
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Every_structure_in_the_pack_has_the_whole_of_its_type_in_a_snapshot()
    {
        var structures = Entries()
            .Where(entry => entry.Name.StartsWith("package/StructureDefinition-", StringComparison.Ordinal));
        var count = 0;
        foreach (var (name, content) in structures)
        {
            count++;
            using var json = JsonDocument.Parse(content);
            var type = json.RootElement.GetProperty("type").GetString()!;
            var paths = json
                .RootElement.GetProperty("snapshot")
                .GetProperty("element")
                .EnumerateArray()
                .Select(element => element.GetProperty("path").GetString()!)
                .ToHashSet(StringComparer.Ordinal);
            foreach (var element in BaseDefinitions.R4.StructureOfType(type).ShouldNotBeNull().Elements)
            {
                paths.ShouldContain(element.Path, name);
            }
        }
        count.ShouldBe(CcmPackage.Definitions.Count(one => one.Kind == DefinitionKind.Structure));
    }

    [Fact]
    public void The_pack_lists_its_files_in_the_index_and_brings_the_examples()
    {
        var entries = Entries().ToDictionary(entry => entry.Name, entry => entry.Content, StringComparer.Ordinal);
        using var index = JsonDocument.Parse(entries["package/.index.json"]);
        foreach (var file in index.RootElement.GetProperty("files").EnumerateArray())
        {
            entries.ShouldContainKey("package/" + file.GetProperty("filename").GetString());
        }
        using var manifest = JsonDocument.Parse(entries["package/package.json"]);
        manifest.RootElement.GetProperty("name").GetString().ShouldBe("org.ccmfhir.ccm");
        manifest.RootElement.GetProperty("fhirVersions")[0].GetString().ShouldBe("4.0.1");
        entries.Keys.ShouldContain("package/example/ccm-time-log-typical.json");
        entries
            .Keys.Count(name => name.StartsWith("package/example/", StringComparison.Ordinal))
            .ShouldBeGreaterThan(35);
    }

    [Fact]
    public void The_same_package_gives_the_same_bytes() => Pack().ShouldBe(Pack());

    private static byte[] Pack()
    {
        using var bytes = new MemoryStream();
        ProfilePack.Write(bytes);
        return bytes.ToArray();
    }

    private static List<(string Name, byte[] Content)> Entries()
    {
        using var packed = new MemoryStream(Pack());
        using var zip = new GZipStream(packed, CompressionMode.Decompress);
        using var tar = new TarReader(zip);
        var entries = new List<(string, byte[])>();
        while (tar.GetNextEntry() is { } entry)
        {
            using var content = new MemoryStream();
            entry.DataStream!.CopyTo(content);
            entries.Add((entry.Name, content.ToArray()));
        }
        return entries;
    }
}
