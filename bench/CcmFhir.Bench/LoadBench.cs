using System.Globalization;
using CcmFhir.Load;

namespace CcmFhir.Bench;

/// <summary>Transactions and single resources a second, over HTTP, of the published server, with validation and durability on; driver and
/// server share the machine.</summary>
internal static class LoadBench
{
    private const string Base = $"/{CareMonths.Practice}/fhir";
    private const int Patients = 5000;

    /// <summary>Prints one line of JSON for each number of connections.</summary>
    /// <param name="options">Short: four seconds each in place of twenty.</param>
    public static async Task RunAsync(BenchOptions options)
    {
        var program = await PublishedServer.FindAsync(options.Server);
        if (options.Only is not (null or "bundle" or "task"))
        {
            throw new ArgumentException($"--only {options.Only}: load measures bundle or task.", nameof(options));
        }
        int[] numbers = options.Connections is { } one ? [one] : [1, 8, 32];
        var span = TimeSpan.FromSeconds(options.Short ? 4 : 20);
        using var folder = new LoadFolder();
        using var server = await PublishedServer.StartAsync(program, folder);
        using var meter = new JournalMeter(server.Id);
        var months = new CareMonths();
        var patient = 0;
        // Until the code that runs is the one that the runtime ends up with.
        _ = await MeasureAsync(server, 8, Bundles(Patients), TimeSpan.MaxValue);
        foreach (var connections in options.Only is null or "bundle" ? numbers : [])
        {
            var bundles = Bundles((int)(span.TotalSeconds * (connections == 1 ? 800 : 2500)));
            await meter.RestartAsync();
            await PrintAsync(
                "load.bundle",
                connections,
                bundles[0].Length,
                await MeasureAsync(server, connections, bundles, span)
            );
        }
        var made = 0;
        if (options.Only is "bundle")
        {
            return;
        }
        _ = await MeasureAsync(server, 8, Tasks(2 * Patients), TimeSpan.MaxValue);
        foreach (var connections in numbers)
        {
            var tasks = Tasks((int)(span.TotalSeconds * (connections == 1 ? 5000 : 16_000)));
            await meter.RestartAsync();
            await PrintAsync(
                "load.task",
                connections,
                tasks[0].Length,
                await MeasureAsync(server, connections, tasks, span)
            );
        }

        async Task PrintAsync(string name, int connections, int bytes, LoadFigures figures)
        {
            var now = Usage.Of(server.Id);
            var group = await meter.CommitsAFlushAsync();
            Figure.Print(
                string.Create(CultureInfo.InvariantCulture, $"{name}.{connections}-connections"),
                figures.PerSecond,
                "requests/s",
                ("p50-ms", figures.P50),
                ("p99-ms", figures.P99),
                ("failed", figures.Failed),
                ("server-processor-microseconds-a-request", figures.Server / figures.Requests * 1e6),
                ("driver-processor-microseconds-a-request", figures.Driver / figures.Requests * 1e6),
                ("cores-busy", (figures.Server + figures.Driver) / figures.Seconds),
                ("bytes-a-request", bytes),
                ("bytes-to-disk-a-request", (double)figures.Written / figures.Requests),
                ("resident-megabytes", now.ResidentBytes / 1e6),
                ("journal-commits-a-flush", group),
                ("journal-flushes-a-second", figures.PerSecond / group),
                ("requests", figures.Requests)
            );
        }

        List<byte[]> Bundles(int count) =>
            [.. Enumerable.Range(0, count).Select(_ => Connection.Render("POST", Base, months.Enrolment(patient++)))];

        // One log more for each patient of a practice of five thousand in turn.
        List<byte[]> Tasks(int count)
        {
            var tasks = new List<byte[]>(count);
            for (; tasks.Count < count; made++)
            {
                tasks.Add(
                    Connection.Render("POST", $"{Base}/Task", months.Time(made % Patients, 3 + (made / Patients)))
                );
            }
            return tasks;
        }
    }

    private static async Task<LoadFigures> MeasureAsync(
        ServerProcess server,
        int connections,
        List<byte[]> requests,
        TimeSpan span
    )
    {
        GC.Collect();
        var figures = await LoadRun.RunAsync(server, connections, requests, span, CancellationToken.None);
        return figures.FirstFault is null
            ? figures
            : throw new InvalidOperationException($"{figures.Failed} requests failed, the first: {figures.FirstFault}");
    }
}
