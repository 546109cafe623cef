namespace CcmFhir.Load;

/// <summary>Packages of npm that are installed once and stay. Needs Node and, the first time, npm's registry.</summary>
public static class NpmInstall
{
    /// <summary>Installs packages, unless the folder has them already.</summary>
    /// <param name="folder">Their folder; another version is another folder.</param>
    /// <param name="packages">Names with versions.</param>
    /// <returns>The folder of the modules.</returns>
    /// <exception cref="InvalidOperationException">npm could not install them.</exception>
    public static async Task<string> IntoAsync(string folder, params string[] packages)
    {
        Directory.CreateDirectory(folder);
        var installed = Path.Combine(folder, "installed");
        // Two may come at once, also two programs; the lock ends with its holder.
        await using (await AloneAsync(Path.Combine(folder, "lock")))
        {
            if (!File.Exists(installed))
            {
                string[] install =
                [
                    "install",
                    "--prefix",
                    folder,
                    "--no-audit",
                    "--no-fund",
                    "--no-save",
                    "--ignore-scripts",
                ];
                var npm = await ProgramRun.RunAsync("npm", [.. install, .. packages]);
                var names = string.Join(", ", packages);
                if (npm.Code != 0)
                {
                    throw new InvalidOperationException($"npm could not install {names}: {npm.Errors}{npm.Output}");
                }
                await File.WriteAllTextAsync(installed, names);
            }
        }
        return Path.Combine(folder, "node_modules");
    }

    private static async Task<FileStream> AloneAsync(string path)
    {
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System);
            }
        }
    }
}
