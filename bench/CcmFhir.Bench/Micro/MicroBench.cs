using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;

namespace CcmFhir.Bench.Micro;

/// <summary>Runs <see cref="MicroSteps"/> by BenchmarkDotNet, in this process, and prints a line of JSON a step.</summary>
internal static class MicroBench
{
    /// <summary>Runs it.</summary>
    /// <param name="shorter">BenchmarkDotNet's short job.</param>
    public static void Run(bool shorter)
    {
        var artifacts = Directory.CreateTempSubdirectory("ccm-bench-");
        try
        {
            var job = (shorter ? Job.ShortRun : Job.Default).WithToolchain(InProcessEmitToolchain.Instance);
            var config = ManualConfig
                .CreateEmpty()
                .AddJob(job)
                .AddLogger(NullLogger.Instance)
                .AddColumnProvider(DefaultColumnProviders.Instance)
                .WithArtifactsPath(artifacts.FullName)
                .WithOptions(ConfigOptions.DisableLogFile);
            var summary = BenchmarkRunner.Run<MicroSteps>(config);
            foreach (var report in summary.Reports)
            {
                var name = report.BenchmarkCase.Descriptor.WorkloadMethod.Name;
                if (report.ResultStatistics is not { } statistics)
                {
                    throw new InvalidOperationException($"{name} could not be measured.");
                }
                Figure.Print(
                    "micro." + Kebab(name),
                    statistics.Mean / 1000,
                    "microseconds",
                    ("standard-deviation", statistics.StandardDeviation / 1000),
                    ("median", statistics.Median / 1000),
                    ("bytes-allocated", report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? 0),
                    ("rounds", statistics.N)
                );
            }
        }
        finally
        {
            artifacts.Delete(recursive: true);
        }
    }

    // ReadFacts: read-facts.
    private static string Kebab(string name) =>
        string.Concat(
            name.Select(
                (letter, at) => char.IsUpper(letter) ? (at > 0 ? "-" : "") + char.ToLowerInvariant(letter) : $"{letter}"
            )
        );
}
