using CcmFhir.Load.Soak;

namespace CcmFhir.Bench;

/// <summary>An hour of mixed load at a fixed rate over the published server: whether memory, handles or the cost of a request grow while
/// nothing but the journal's file has a reason to.</summary>
internal static class SoakBench
{
    // Under half of two cores, driver included, so that the load itself is not what is measured.
    private const double Rate = 60;

    /// <summary>Prints a line of JSON a window and one for the whole.</summary>
    /// <param name="options">Short: two minutes in place of an hour.</param>
    /// <returns>1 when something grew beyond its bound, else 0.</returns>
    public static async Task<int> RunAsync(BenchOptions options)
    {
        var program = await PublishedServer.FindAsync(options.Server);
        var minutes = options.Minutes ?? (options.Short ? 2 : 60);
        var run = new SoakRun(
            options.Rate ?? Rate,
            TimeSpan.FromMinutes(minutes),
            Math.Clamp((int)minutes, 12, 60),
            TimeProvider.System
        );
        var report = await run.RunAsync(
            program,
            window =>
                Figure.Print(
                    "soak.window",
                    window.Minutes,
                    "minutes",
                    ("requests", window.Requests),
                    ("p50-ms", window.P50),
                    ("p99-ms", window.P99),
                    ("server-processor-microseconds-a-request", window.ProcessorMicroseconds),
                    ("resident-megabytes", window.ResidentMegabytes),
                    ("handles", window.Handles),
                    ("threads", window.Threads),
                    ("journal-megabytes", window.JournalMegabytes)
                ),
            CancellationToken.None
        );
        var violations = report.Violations(time: true);
        Figure.Print(
            "soak",
            violations.Count,
            "bounds broken",
            ("minutes", report.Windows[^1].Minutes),
            ("requests", report.Windows.Sum(window => window.Requests)),
            ("failed", report.Failed),
            ("resident-growth", report.ResidentGrowth),
            ("resident-growth-allowed", SoakReport.MostResident),
            ("handles-growth", report.HandlesGrowth),
            ("handles-growth-allowed", SoakReport.MostHandles),
            ("processor-growth", report.ProcessorGrowth),
            ("processor-growth-allowed", SoakReport.MostProcessor),
            ("p50-growth", report.LatencyGrowth),
            ("p50-growth-allowed", SoakReport.MostLatency),
            ("journal-megabytes-written", report.Windows[^1].JournalMegabytes - report.Windows[0].JournalMegabytes)
        );
        foreach (var violation in violations)
        {
            await Console.Error.WriteLineAsync(violation);
        }
        return violations.Count > 0 ? 1 : 0;
    }
}
