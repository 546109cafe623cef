using System.Diagnostics;
using System.Globalization;
using System.Text;
using CcmFhir.Journal;

namespace CcmFhir.Bench;

/// <summary>Commits a second of the embedded journal: payloads of 13.6 KB that read like a bundle of ten resources, with the index entries of
/// ten new ids, from callers that each wait for their answer.</summary>
internal static class JournalBench
{
    /// <summary>Prints one line of JSON for each number of callers.</summary>
    /// <param name="shorter">Two seconds each in place of ten.</param>
    public static async Task RunAsync(bool shorter)
    {
        foreach (var (callers, keys) in ((int, int)[])[(1, 0), (8, 0), (32, 0), (32, 10)])
        {
            await MeasureAsync(callers, keys, TimeSpan.FromSeconds(shorter ? 2 : 10));
        }
    }

    private static async Task MeasureAsync(int callers, int keys, TimeSpan span)
    {
        var folder = Directory.CreateTempSubdirectory("ccm-bench-");
        try
        {
            await using var store = SqliteJournalStore.Open(Path.Combine(folder.FullName, "ccm.db"));
            var started = Stopwatch.GetTimestamp();
            var processor = Process.GetCurrentProcess().TotalProcessorTime;
            var latencies = await Task.WhenAll(
                Enumerable
                    .Range(0, callers)
                    .Select(caller => Task.Run(() => CallAsync(store, caller, keys, started, span)))
            );
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            var used = (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds;
            var all = latencies.SelectMany(list => list).Order().ToArray();
            var bytes = folder.GetFiles().Sum(file => file.Length);
            Console.WriteLine(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $$"""{"figure":"journal.commits.{{callers}}-callers.{{keys}}-keys","value":{{all.Length / seconds:0}},"unit":"commits/s of 13.6 KB","beside":{"fsyncs-a-second":{{store.Flushes / seconds:0}},"commits-an-fsync":{{(double)store.Commits / store.Flushes:0.0}},"p50-ms":{{all[all.Length / 2]:0.00}},"p99-ms":{{all[all.Length * 99 / 100]:0.00}},"processor-seconds-a-second":{{used / seconds:0.00}},"bytes-a-commit":{{bytes / all.Length}}} }"""
                )
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task<List<double>> CallAsync(
        SqliteJournalStore store,
        int caller,
        int keys,
        long started,
        TimeSpan span
    )
    {
        var random = new Random(caller);
        var templates = Enumerable.Range(0, 16).Select(_ => Template(random)).ToArray();
        var latencies = new List<double>();
        for (var i = 0; Stopwatch.GetElapsedTime(started) < span; i++)
        {
            // Two hundred patients a caller, in turn.
            var stream = $"patient/bench/{caller}-{i % 200}";
            var index = Enumerable
                .Range(0, keys)
                .Select(_ => new IndexEntry($"id/bench/Task/{random.NextInt64():x16}{random.NextInt64():x16}", stream))
                .ToList();
            var commit = new JournalCommit(
                [new(stream, i / 200, Payload(templates[i % templates.Length], caller, i))],
                index
            );
            var begun = Stopwatch.GetTimestamp();
            var answer = await store.AppendAsync(commit, CancellationToken.None);
            latencies.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            if (answer.Outcome != AppendOutcome.Appended)
            {
                throw new InvalidOperationException($"The journal answered {answer.Outcome}.");
            }
        }
        return latencies;
    }

    private static byte[] Payload(byte[] template, int caller, int i)
    {
        var payload = template.ToArray();
        Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{caller}.{i}"), payload);
        return payload;
    }

    private static byte[] Template(Random random)
    {
        var text = new StringBuilder("caller and number of the commit: ", 14_000);
        while (text.Length < 13_600)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $$"""{"resourceType":"Task","id":"{{random.NextInt64():x16}}","meta":{"profile":["http://ccmfhir.org/fhir/StructureDefinition/ccm-time-log"]},"status":"completed","intent":"order","code":{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-activity","code":"care-coordination"}]},"for":{"reference":"Patient/{{random.Next(1000)}}"},"executionPeriod":{"start":"2026-10-{{random.Next(1, 29):00}}T{{random.Next(8, 18):00}}:{{random.Next(60):00}}:00-04:00","end":"2026-10-30T10:20:00-04:00"},"owner":{"reference":"Practitioner/{{random.Next(100)}}"},"note":[{"text":"Called about {{random.NextInt64():x}} and {{random.NextInt64():x}}; blood pressure log reviewed."}]}"""
            );
        }
        return Encoding.UTF8.GetBytes(text.ToString(0, 13_600));
    }
}
