using System.Globalization;

namespace CcmFhir.Bench.Draw;

/// <summary>Draws the pictures of <c>docs/performance.md</c> from the figures in <c>bench/results</c>.</summary>
internal static class DrawBench
{
    private static readonly int[] Connections = [1, 8, 32];
    private static readonly int[] Sizes = [1_000, 10_000, 100_000, 1_000_000];

    /// <summary>Writes them.</summary>
    public static void Run()
    {
        var results = Path.Combine(BenchRepository.Root, "bench", "results");
        var pictures = Directory
            .CreateDirectory(Path.Combine(BenchRepository.Root, "docs", "images", "performance"))
            .FullName;
        var load = Results.Read(Path.Combine(results, "load.jsonl"));
        var others = Results.Read(Path.Combine(results, "others.jsonl"));
        var scale = Results.Read(Path.Combine(results, "scale.jsonl"));
        var start = Results.Read(Path.Combine(results, "coldstart.jsonl"));
        var soak = Results.Read(Path.Combine(results, "soak.jsonl"));

        Write(
            "bundles",
            Charts.Bars(
                "Transactions of ten resources (13.6 KB)",
                "a second, by connections",
                ["CcmFhir", "Medplum", "fhir-candle*", "router, validating*", "router*"],
                [
                    .. Connections.Select(number =>
                        (
                            $"{number}",
                            new[]
                            {
                                load.Value(At("load.bundle", number)),
                                others.Value(At("medplum.bundle", number)),
                                others.Value(At("fhir-candle.bundle", number)),
                                others.Value(At("router-validating.bundle", number)),
                                others.Value(At("router.bundle", number)),
                            }
                        )
                    ),
                ],
                new Mark("target: 1,500", 1500)
            )
        );
        Write(
            "tasks",
            Charts.Bars(
                "Single Tasks",
                "a second, by connections; others at 32",
                ["CcmFhir"],
                [
                    .. Connections.Select(number =>
                        ($"CcmFhir, {number}", new[] { load.Value(At("load.task", number)) })
                    ),
                    ("Medplum", [others.Value("medplum.task.32-connections")]),
                    ("fhir-candle*", [others.Value("fhir-candle.task.32-connections")]),
                    ("validating*", [others.Value("router-validating.task.32-connections")]),
                    ("router*", [others.Value("router.task.32-connections")]),
                ],
                new Mark("target: 10,000", 10_000)
            )
        );
        Write(
            "latency",
            Charts.Bars(
                "Time of a request that 99 of 100 stay below",
                "milliseconds, by connections",
                ["bundle", "Task"],
                [
                    .. Connections.Select(number =>
                        (
                            $"{number}",
                            new[]
                            {
                                load.Beside(At("load.bundle", number), "p99-ms"),
                                load.Beside(At("load.task", number), "p99-ms"),
                            }
                        )
                    ),
                ],
                new Mark("target for bundles at 32 connections: 100 ms", 100)
            )
        );
        Write(
            "scale",
            Charts.Lines(
                "What a patient costs the processor as the practice grows",
                "microseconds a patient",
                "patients, ten Tasks each",
                logarithmic: true,
                [
                    ("ingest", PerPatient(scale, "ingest")),
                    ("close", PerPatient(scale, "close")),
                    ("first worklist", PerPatient(scale, "worklist")),
                ]
            )
        );
        Write(
            "memory",
            Charts.Lines(
                "Resident memory as the practice grows",
                "megabytes",
                "patients, ten Tasks each",
                logarithmic: true,
                [("highest, month closed twice", [.. Measured(scale).Select(Memory)])],
                new Mark("target: 1 GB", 1000)
            )
        );
        string[] operations = ["post-task", "read-task", "search-by-identifier", "status"];
        Write(
            "history",
            Charts.Bars(
                "A patient with ten years of history beside one with a month",
                "milliseconds, median",
                ["one month", "ten years"],
                [
                    .. operations.Select(name =>
                        (
                            name,
                            new[]
                            {
                                scale.Beside($"scale.ten-years.{name}", "one-month-p50-ms"),
                                scale.Beside($"scale.ten-years.{name}", "ten-years-p50-ms"),
                            }
                        )
                    ),
                ]
            )
        );
        Write(
            "coldstart",
            Charts.Bars(
                "Cold start: from exec to the first validated, durable 200",
                "milliseconds, median",
                ["CcmFhir"],
                [
                    ("listening", [start.Beside("coldstart", "milliseconds-to-listening")]),
                    ("first 200", [start.Value("coldstart")]),
                    ("processor time", [start.Beside("coldstart", "processor-milliseconds")]),
                ],
                new Mark("target for the first 200: 700 ms", 700)
            )
        );
        Write(
            "soak-memory",
            Charts.Lines(
                "An hour of mixed load: resident memory and the journal's file",
                "megabytes",
                "minutes",
                logarithmic: false,
                [
                    ("resident", soak.All("soak.window", "resident-megabytes")),
                    ("journal on disk", soak.All("soak.window", "journal-megabytes")),
                ]
            )
        );
        Write(
            "soak-cost",
            Charts.Lines(
                "An hour of mixed load: processor time of a request",
                "microseconds, window of a minute",
                "minutes",
                logarithmic: false,
                [("server", soak.All("soak.window", "server-processor-microseconds-a-request"))]
            )
        );

        void Write(string name, string svg) => File.WriteAllText(Path.Combine(pictures, name + ".svg"), svg);

        (double, double) Memory(int patients) =>
            (patients, scale.Beside(Sized("close-again", patients), "most-resident-megabytes"));
    }

    // The sizes that the last run went through.
    private static IEnumerable<int> Measured(Results scale) =>
        Sizes.Where(patients => scale.Has(Sized("close-again", patients)));

    private static (double, double)[] PerPatient(Results scale, string step) =>
        [
            .. Sizes
                .Where(patients => scale.Has(Sized(step, patients)))
                .Select(patients =>
                    ((double)patients, scale.Beside(Sized(step, patients), "processor-microseconds-a-patient"))
                ),
        ];

    private static string At(string figure, int connections) =>
        string.Create(CultureInfo.InvariantCulture, $"{figure}.{connections}-connections");

    private static string Sized(string step, int patients) =>
        string.Create(CultureInfo.InvariantCulture, $"scale.{step}.{patients}-patients");
}
