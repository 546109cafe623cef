using System.Diagnostics;

namespace CcmFhir.Load;

/// <summary>A program that ran to its end.</summary>
/// <param name="Code">Exit code.</param>
/// <param name="Output">What it wrote.</param>
/// <param name="Errors">What it wrote to standard error.</param>
public sealed record ProgramRun(int Code, string Output, string Errors)
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Its path, or its name where it is on the path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="settings">As for <see cref="ServerProcess.StartAsync"/>; null for none.</param>
    /// <param name="cancel">Gives up the wait; the program goes on.</param>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no program of that name.</exception>
    public static async Task<ProgramRun> RunAsync(
        string program,
        IEnumerable<string> arguments,
        IEnumerable<KeyValuePair<string, string>>? settings = null,
        CancellationToken cancel = default
    )
    {
        using var process = Process.Start(Start(program, arguments, settings ?? []))!;
        // Both at once: a program that writes much to the one waits until somebody reads it.
        var errors = process.StandardError.ReadToEndAsync(cancel);
        var output = await process.StandardOutput.ReadToEndAsync(cancel);
        await process.WaitForExitAsync(cancel);
        return new ProgramRun(process.ExitCode, output, await errors);
    }

    /// <summary>How a program is started whose output is read.</summary>
    internal static ProcessStartInfo Start(
        string program,
        IEnumerable<string> arguments,
        IEnumerable<KeyValuePair<string, string>> settings
    )
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }
        return start;
    }
}
