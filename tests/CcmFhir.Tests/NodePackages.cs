using CcmFhir.Load;

namespace CcmFhir.Tests;

/// <summary>Programs of the Node world that we did not write: installed once into the folder <c>.cache</c> of the repository, then run.</summary>
internal static class NodePackages
{
    /// <summary>Installs packages.</summary>
    /// <param name="folder">Name of their folder in the cache; another version is another folder.</param>
    /// <param name="packages">Names with versions.</param>
    /// <returns>The folder of the modules.</returns>
    public static async Task<string> InstallAsync(string folder, params string[] packages)
    {
        var cache = Directory.CreateDirectory(Repository.At(".cache", folder)).FullName;
        if (!File.Exists(Path.Combine(cache, "installed")))
        {
            await RunAsync(
                "npm",
                ["install", "--prefix", cache, "--no-audit", "--no-fund", "--no-save", "--ignore-scripts", .. packages]
            );
            await File.WriteAllTextAsync(Path.Combine(cache, "installed"), string.Join(", ", packages));
        }
        return Path.Combine(cache, "node_modules");
    }

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    /// <returns>What it wrote.</returns>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (code, output, errors) = await ProgramRun.RunAsync(program, arguments);
        code.ShouldBe(0, errors + output);
        return output;
    }
}
