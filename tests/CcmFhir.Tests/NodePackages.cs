using CcmFhir.Load;

namespace CcmFhir.Tests;

/// <summary>Programs of the Node world that we did not write: installed once into the folder <c>.cache</c> of the repository, then run.</summary>
internal static class NodePackages
{
    /// <summary>Installs packages.</summary>
    /// <param name="folder">Name of their folder in the cache; another version is another folder.</param>
    /// <param name="packages">Names with versions.</param>
    /// <returns>The folder of the modules.</returns>
    public static Task<string> InstallAsync(string folder, params string[] packages) =>
        NpmInstall.IntoAsync(Repository.At(".cache", folder), packages);

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    /// <returns>What it wrote.</returns>
    public static async Task<string> RunAsync(string program, params string[] arguments)
    {
        var (code, output, errors) = await ProgramRun.RunAsync(program, arguments);
        code.ShouldBe(0, errors + output);
        return output;
    }
}
