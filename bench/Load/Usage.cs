using System.Globalization;

namespace CcmFhir.Load;

/// <summary>What a process has used since its start, as Linux counts it.</summary>
/// <param name="ProcessorSeconds">Processor time, user and system, in steps of 10 ms.</param>
/// <param name="ResidentBytes">Memory resident now.</param>
/// <param name="MostResidentBytes">The most that was ever resident.</param>
/// <param name="WrittenBytes">Bytes that it caused to be sent to the disk.</param>
/// <param name="Handles">Files, sockets and the like open now.</param>
/// <param name="Threads">Threads now.</param>
public readonly record struct Usage(
    double ProcessorSeconds,
    long ResidentBytes,
    long MostResidentBytes,
    long WrittenBytes,
    int Handles,
    int Threads
)
{
    // USER_HZ of every Linux port that .NET runs on.
    private const double TicksPerSecond = 100;

    /// <summary>Reads what the process has used so far.</summary>
    /// <param name="process">Process id; 0 is this process.</param>
    public static Usage Of(int process)
    {
        var folder = process == 0 ? "/proc/self" : string.Create(CultureInfo.InvariantCulture, $"/proc/{process}");
        var stat = File.ReadAllText($"{folder}/stat");
        // The name in brackets may hold blanks; utime and stime are fields 14 and 15 of the whole [proc(5)].
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        var ticks = Number(fields[11]) + Number(fields[12]);
        var status = Lines($"{folder}/status");
        return new Usage(
            ticks / TicksPerSecond,
            KiB(status["VmRSS"]),
            KiB(status["VmHWM"]),
            Number(Lines($"{folder}/io")["write_bytes"]),
            Directory.GetFileSystemEntries($"{folder}/fd").Length,
            (int)Number(status["Threads"])
        );
    }

    private static Dictionary<string, string> Lines(string path) =>
        File.ReadLines(path)
            .Select(line => line.Split(':', 2))
            .Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1].Trim(), StringComparer.Ordinal);

    private static long KiB(string text) => Number(text.Split(' ')[0]) * 1024;

    private static long Number(string text) => long.Parse(text, CultureInfo.InvariantCulture);
}
