using System.Diagnostics;
using System.Formats.Tar;
using System.IO.Compression;

namespace CcmFhir.Validation.Tests;

/// <summary>A package of the npm registry that tests read, fetched once into the folder <c>.cache</c> of the repository.</summary>
public static class NpmPackage
{
    private static readonly Lock Gate = new();

    /// <summary>The official examples of FHIR R4 (CC0), its definitions among them.</summary>
    public static string R4Examples => Folder("hl7.fhir.r4.examples", "4.0.1");

    /// <summary>Root folder of the repository.</summary>
    public static string Repository { get; } = FindRepository();

    /// <summary>Folder with the unpacked files of a package.</summary>
    public static string Folder(string name, string version)
    {
        var cache = Path.Combine(Repository, ".cache");
        var folder = Path.Combine(cache, $"{name}-{version}", "package");
        lock (Gate)
        {
            if (Directory.Exists(folder))
            {
                return folder;
            }
            Directory.CreateDirectory(cache);
            var start = new ProcessStartInfo("npm", ["pack", $"{name}@{version}", "--silent"])
            {
                WorkingDirectory = cache,
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            using var npm = Process.Start(start) ?? throw new InvalidOperationException("npm did not start.");
            var archive = npm.StandardOutput.ReadToEnd().Trim();
            npm.WaitForExit();
            if (npm.ExitCode != 0)
            {
                throw new InvalidOperationException($"npm pack {name}@{version} ended with {npm.ExitCode}.");
            }
            // Unpacked beside and moved, so that a run that is stopped leaves no half of it.
            var unpacked = Path.Combine(cache, $"{name}-{version}.{Environment.ProcessId}");
            Directory.CreateDirectory(unpacked);
            using (var file = File.OpenRead(Path.Combine(cache, archive)))
            using (var zip = new GZipStream(file, CompressionMode.Decompress))
            {
                TarFile.ExtractToDirectory(zip, unpacked, overwriteFiles: true);
            }
            Directory.Move(unpacked, Path.Combine(cache, $"{name}-{version}"));
            return folder;
        }
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "CcmFhir.sln")))
        {
            folder =
                folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }
        return folder.FullName;
    }
}
