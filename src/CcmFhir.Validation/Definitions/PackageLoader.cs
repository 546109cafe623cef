using System.Formats.Tar;
using System.IO.Compression;

namespace CcmFhir.Validation.Definitions;

/// <summary>Reads definitions from files: a FHIR package (packed as .tgz, or unpacked), a folder with all folders in it, or a single
/// file; JSON or XML; single definitions or Bundles of them. Other resources are passed over.</summary>
public static class PackageLoader
{
    /// <summary>Packages that hold the base of R4, which is known already, better than they tell it.</summary>
    private static readonly string[] BasePackages =
    [
        "hl7.fhir.r4.core",
        "hl7.fhir.r4.elements",
        "hl7.fhir.r4.examples",
        "hl7.fhir.r4.expansions",
    ];

    // One file of a package: the largest that are published have some ten megabytes.
    private const int MaxFileBytes = 100 * 1024 * 1024;

    /// <summary>All definitions under a path.</summary>
    /// <exception cref="UnreadableDefinitionException">A file cannot be read, or is neither JSON nor XML nor a package.</exception>
    public static IReadOnlyList<Definition> Load(string path) => Load(path, []);

    /// <summary>All definitions under a path, and the packages that they came in.</summary>
    internal static IReadOnlyList<Definition> Load(string path, List<PackageManifest> packages)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
        {
            return [.. Folder(path, packages)];
        }
        if (!File.Exists(path))
        {
            throw new UnreadableDefinitionException(path, "", "there is no such file or folder.");
        }
        return [.. SingleFile(path, packages)];
    }

    private static IEnumerable<Definition> SingleFile(string path, List<PackageManifest> packages) =>
        IsPackage(path) ? Packed(path, packages) : Read(ReadFile(path), path);

    private static IEnumerable<Definition> Folder(string folder, List<PackageManifest> packages)
    {
        if (File.Exists(Path.Combine(folder, "package.json")))
        {
            // In a package only the files beside package.json count; folders in it hold examples and the like.
            return Package(
                File.ReadAllBytes(Path.Combine(folder, "package.json")),
                Files(folder).Select(file => (Path.GetFileName(file), ReadFile(file))),
                folder,
                packages
            );
        }
        return Files(folder)
            .SelectMany(file => SingleFile(file, packages))
            .Concat(
                Directory
                    .GetDirectories(folder)
                    .Where(inner => Path.GetFileName(inner) is not (['.', ..] or "node_modules"))
                    .Order(StringComparer.Ordinal)
                    .SelectMany(inner => Folder(inner, packages))
            );
    }

    private static IEnumerable<string> Files(string folder) =>
        Directory.GetFiles(folder).Where(IsRead).Order(StringComparer.Ordinal);

    private static bool IsRead(string file) =>
        Path.GetFileName(file) is not (['.', ..] or "package.json" or "package-lock.json")
        && (
            file.EndsWith(".json", StringComparison.OrdinalIgnoreCase)
            || file.EndsWith(".xml", StringComparison.OrdinalIgnoreCase)
            || IsPackage(file)
        );

    private static bool IsPackage(string file) =>
        file.EndsWith(".tgz", StringComparison.OrdinalIgnoreCase)
        || file.EndsWith(".tar.gz", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<Definition> Packed(string path, List<PackageManifest> packages)
    {
        var files = new List<(string Name, byte[] Bytes)>();
        byte[]? manifest = null;
        try
        {
            using var stream = File.OpenRead(path);
            using var unzipped = new GZipStream(stream, CompressionMode.Decompress);
            using var tar = new TarReader(unzipped);
            while (tar.GetNextEntry() is { } entry)
            {
                var name = entry.Name.Replace('\\', '/').TrimStart('.', '/');
                if (entry.DataStream is not { } data || !name.StartsWith("package/", StringComparison.Ordinal))
                {
                    continue;
                }
                name = name["package/".Length..];
                if (name.Contains('/', StringComparison.Ordinal) || (name != "package.json" && !IsRead(name)))
                {
                    continue;
                }
                if (data.Length > MaxFileBytes)
                {
                    throw new UnreadableDefinitionException(
                        path,
                        name,
                        $"it has {data.Length} bytes; at most {MaxFileBytes} are read."
                    );
                }
                var bytes = new byte[data.Length];
                data.ReadExactly(bytes);
                if (name == "package.json")
                {
                    manifest = bytes;
                }
                else
                {
                    files.Add((name, bytes));
                }
            }
        }
        catch (Exception fail) when (fail is InvalidDataException or EndOfStreamException or FormatException)
        {
            throw new UnreadableDefinitionException(
                path,
                "",
                $"it is no FHIR package (a gzipped tar file): {fail.Message}"
            );
        }
        return Package(
            manifest
                ?? throw new UnreadableDefinitionException(
                    path,
                    "",
                    "it is no FHIR package: there is no package/package.json in it."
                ),
            files.OrderBy(file => file.Name, StringComparer.Ordinal),
            path,
            packages
        );
    }

    private static IEnumerable<Definition> Package(
        byte[] manifest,
        IEnumerable<(string Name, byte[] Bytes)> files,
        string path,
        List<PackageManifest> packages
    )
    {
        var package = PackageManifest.Read(Parse(manifest, Path.Combine(path, "package.json")));
        packages.Add(package);
        var name = package.Name;
        var definitions = files.SelectMany(file => Read(file.Bytes, $"{path}/{file.Name}"));
        return BasePackages.Contains(name)
            ? definitions.Where(definition => BaseDefinitions.R4.Find(definition.Kind, definition.Url) is null)
            : definitions;
    }

    /// <summary>The definitions in one file's bytes.</summary>
    internal static IEnumerable<Definition> Read(byte[] bytes, string origin) =>
        Resources(Parse(bytes, origin), origin);

    private static IEnumerable<Definition> Resources(FhirElement json, string origin)
    {
        var type = json["resourceType"u8].Text;
        if (type == "Bundle")
        {
            return Entries(json["entry"u8])
                .Select(entry => entry["resource"u8])
                .Where(resource => resource.Kind == JsonKind.Object)
                .SelectMany(resource => Resources(Parse(resource.Raw.ToArray(), origin), origin));
        }
        DefinitionKind? kind = type switch
        {
            "StructureDefinition" => DefinitionKind.Structure,
            "ValueSet" => DefinitionKind.ValueSet,
            "CodeSystem" => DefinitionKind.CodeSystem,
            "SearchParameter" => DefinitionKind.SearchParameter,
            "CompartmentDefinition" => DefinitionKind.Compartment,
            _ => null,
        };
        // Without a url nothing can refer to it.
        return kind is null || json["url"u8].Text is not { Length: > 0 } url
            ? []
            : Contained(json, url, origin)
                .Prepend(
                    new Definition(kind.Value, url, json["version"u8].Text, origin, () => json)
                    {
                        Supplements = json["supplements"u8].Text,
                    }
                );
    }

    /// <summary>ValueSets and code systems inside a definition: known by its canonical and their #id.</summary>
    private static IEnumerable<Definition> Contained(FhirElement json, string url, string origin) =>
        from resource in Entries(json["contained"u8])
        let isValueSet = resource["resourceType"u8].Is("ValueSet"u8)
        where isValueSet || resource["resourceType"u8].Is("CodeSystem"u8)
        let id = resource["id"u8].Text
        where id is not null
        let own = Parse(resource.Raw.ToArray(), origin)
        let kind = isValueSet ? DefinitionKind.ValueSet : DefinitionKind.CodeSystem
        from definition in new[]
        {
            new Definition(kind, $"{url}#{id}", null, origin, () => own),
            // A contained code system is named by its url in the ValueSet beside it.
            own["url"u8].Text
                is { Length: > 0 } name
                ? new Definition(kind, name, own["version"u8].Text, origin, () => own)
                : null,
        }
        where definition is not null
        select definition;

    private static List<FhirElement> Entries(FhirElement array)
    {
        var entries = new List<FhirElement>();
        if (array.Exists)
        {
            foreach (var item in array.Items)
            {
                entries.Add(item);
            }
        }
        return entries;
    }

    private static FhirElement Parse(byte[] bytes, string origin)
    {
        var document = FhirXml.Looks(bytes) ? FhirXml.Parse(bytes, out var fault) : FhirJson.Parse(bytes, out fault);
        return document?.Root
            ?? throw new UnreadableDefinitionException(
                origin,
                "",
                $"line {fault!.Line}, column {fault.Column}: {fault.Text}"
            );
    }

    private static byte[] ReadFile(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception fail) when (fail is IOException or UnauthorizedAccessException)
        {
            throw new UnreadableDefinitionException(path, "", fail.Message);
        }
    }
}
