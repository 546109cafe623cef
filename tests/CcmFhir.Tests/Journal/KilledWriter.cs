using System.Diagnostics;
using System.Globalization;

namespace CcmFhir.Tests.Journal;

/// <summary>Another process that appends to a journal until it is killed.</summary>
internal static class KilledWriter
{
    /// <summary>Starts the writer, kills it (SIGKILL) as soon as it has said so many entries, and answers all that it said.</summary>
    public static async Task<List<(string Stream, long Position, string Text)>> RunAsync(
        string setting,
        string run,
        int entries,
        CancellationToken cancel
    )
    {
        var program = Path.Combine(AppContext.BaseDirectory, "CcmFhir.JournalWriter.dll");
        using var process = Process.Start(
            new ProcessStartInfo(
                Environment.ProcessPath is { } host && Path.GetFileNameWithoutExtension(host) == "dotnet"
                    ? host
                    : "dotnet"
            )
            {
                ArgumentList = { program, setting, run },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            }
        )!;
        var errors = process.StandardError.ReadToEndAsync(cancel);
        var said = new List<(string, long, string)>();
        while (await process.StandardOutput.ReadLineAsync(cancel) is { } line)
        {
            // The last line may be cut by the kill itself; an entry counts as said with its whole line.
            if (line.Split('|') is [var stream, var position, var text])
            {
                said.Add((stream, long.Parse(position, CultureInfo.InvariantCulture), text));
            }
            if (said.Count == entries)
            {
                process.Kill(entireProcessTree: true);
            }
        }
        await process.WaitForExitAsync(cancel);
        said.Count.ShouldBeGreaterThanOrEqualTo(entries, await errors);
        return said;
    }
}
