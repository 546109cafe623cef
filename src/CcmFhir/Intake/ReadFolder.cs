using CcmFhir.Fhir;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>One file of a folder, or one line of an NDJSON file, as the FHIR document it holds.</summary>
/// <param name="Name">Path from the folder, with <c>:line</c> for NDJSON.</param>
/// <param name="Root">The resource; not there when it could not be read.</param>
/// <param name="Refusal">Why it could not be read.</param>
internal sealed record FolderDocument(string Name, FhirElement Root, Refusal? Refusal);

/// <summary>Reads FHIR from a folder as an EHR's export lies there: JSON, XML and NDJSON, in ordinal order of paths, so that the same folder is always
/// read in the same order.</summary>
internal static class ReadFolder
{
    /// <summary>The files that hold FHIR, by path.</summary>
    /// <param name="folder">A folder, or one file.</param>
    public static IReadOnlyList<string> Files(string folder) =>
        File.Exists(folder)
            ? [folder]
            :
            [
                .. Directory
                    .EnumerateFiles(folder, "*", SearchOption.AllDirectories)
                    .Where(file => Path.GetExtension(file).ToLowerInvariant() is ".json" or ".xml" or ".ndjson")
                    .OrderBy(file => Path.GetRelativePath(folder, file).Replace('\\', '/'), StringComparer.Ordinal),
            ];

    /// <summary>The documents of one file. JSON that is no FHIR resource and does not claim to be one (a practice file, a table of a test) is passed over.</summary>
    public static IEnumerable<FolderDocument> Documents(string folder, string file)
    {
        var name = File.Exists(folder) ? Path.GetFileName(file) : Path.GetRelativePath(folder, file).Replace('\\', '/');
        var bytes = File.ReadAllBytes(file);
        switch (Path.GetExtension(file).ToLowerInvariant())
        {
            case ".ndjson":
                var number = 0;
                foreach (var line in Lines(bytes))
                {
                    number++;
                    if (line.AsSpan().ContainsAnyExcept(" \t\r"u8))
                    {
                        yield return Read($"{name}:{number}", line, FhirFormat.Json);
                    }
                }
                yield break;
            case ".xml":
                yield return Read(name, bytes, FhirFormat.Xml);
                yield break;
            default:
                var document = Read(name, bytes, FhirFormat.Json);
                if (document.Refusal is not null || document.Root["resourceType"u8].Exists)
                {
                    yield return document;
                }
                yield break;
        }
    }

    private static FolderDocument Read(string name, byte[] bytes, FhirFormat format)
    {
        var (root, refusal) = RequestBody.Parse(bytes, format);
        return new FolderDocument(name, root, refusal);
    }

    private static IEnumerable<byte[]> Lines(byte[] bytes)
    {
        var start = 0;
        while (start < bytes.Length)
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n');
            length = length < 0 ? bytes.Length - start : length;
            yield return bytes[start..(start + length)];
            start += length + 1;
        }
    }
}
