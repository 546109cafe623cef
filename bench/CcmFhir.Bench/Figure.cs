using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CcmFhir.Bench;

/// <summary>One measured figure: a line of JSON on standard output, with the machine, the commit and the day it was measured on.</summary>
internal static class Figure
{
    private static readonly JsonSerializerOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
    private static readonly string Machine = DescribeMachine();
    private static readonly string Commit = Run("git", "describe", "--always", "--dirty", "--exclude=*");

    private static readonly string Date = TimeProvider
        .System.GetUtcNow()
        .ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>Prints a figure, with the targets that it has (<see cref="Targets"/>).</summary>
    /// <param name="name">Its stable name: <c>validate.five-types</c>.</param>
    /// <param name="value">What was measured.</param>
    /// <param name="unit">Unit of the value.</param>
    /// <param name="beside">What was measured in the same run, to hold it against.</param>
    public static void Print(string name, double value, string unit, params (string Name, double Value)[] beside)
    {
        var besides = new JsonObject();
        foreach (var (other, figure) in beside)
        {
            besides[other] = Rounded(figure);
        }
        var line = new JsonObject
        {
            ["figure"] = name,
            ["value"] = Rounded(value),
            ["unit"] = unit,
            ["beside"] = besides,
        };
        if (Targets.Of(name, value, beside, Rounded) is { } targets)
        {
            line["targets"] = targets;
        }
        line["machine"] = Machine;
        line["commit"] = Commit;
        line["date"] = Date;
        Console.WriteLine(line.ToJsonString(Plain));
    }

    // Four digits say all that a measurement on a shared machine can say.
    private static decimal Rounded(double value) =>
        value == 0
            ? 0
            : (decimal)Math.Round(value, Math.Clamp(3 - (int)Math.Floor(Math.Log10(Math.Abs(value))), 0, 10));

    private static string DescribeMachine()
    {
        const string ProcessorFile = "/proc/cpuinfo";
        var processor = File.Exists(ProcessorFile)
            ? File.ReadLines(ProcessorFile)
                .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))
                ?.Split(':')[1]
                .Trim()
            : null;
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{processor ?? "unknown processor"}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 1e9:0} GB, {(OperatingSystem.IsLinux() ? "Linux" : Environment.OSVersion.Platform.ToString())}, .NET {Environment.Version}"
        );
    }

    private static string Run(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardOutput = true,
                UseShellExecute = false,
            };
            using var process = Process.Start(start);
            return process?.StandardOutput.ReadToEnd().Trim() ?? "unknown";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "unknown";
        }
    }
}
