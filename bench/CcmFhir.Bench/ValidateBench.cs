using System.Diagnostics;
using System.Globalization;
using System.Text;
using CcmFhir.Validation;
using CcmFhir.Validation.Tests;
using Hl7.Fhir.Serialization;

namespace CcmFhir.Bench;

/// <summary>How fast the validator is: on the official examples of five types, on large Bundles, and from the start of the process.</summary>
internal static class ValidateBench
{
    private static readonly string[] Types = ["CarePlan", "Condition", "Consent", "Task", "Claim"];

    /// <summary>Prints one line of JSON a figure.</summary>
    /// <param name="shorter">Seconds in place of a minute.</param>
    public static void Run(bool shorter)
    {
        var files = OfficialExamples.OfTypes(Types).Select(File.ReadAllBytes).ToArray();
        FiveTypes(files, shorter);
        Bundles(files, shorter);
        FirstResult(shorter);
    }

    private static void FiveTypes(byte[][] files, bool shorter)
    {
        var profiles = ProfileSet.Default;
        var sdk = new FhirJsonDeserializer(new DeserializerSettings());
        var texts = files.Select(Encoding.UTF8.GetString).ToArray();
        var errors = files.Count(file => !profiles.Validate(file).IsValid);
        if (errors > 0)
        {
            throw new InvalidOperationException($"{errors} of the {files.Length} official examples are called wrong.");
        }
        void Ours()
        {
            foreach (var file in files)
            {
                profiles.Validate(file);
            }
        }
        void ParseOnly()
        {
            foreach (var file in files)
            {
                _ = FhirJson.Parse(file, out _);
            }
        }
        void Sdk()
        {
            foreach (var text in texts)
            {
                _ = sdk.TryDeserializeResource(text, out _, out _);
            }
        }
        // In turn, so that what else the machine does hits all alike; the median of the rounds.
        var span = TimeSpan.FromMilliseconds(shorter ? 500 : 2000);
        var rounds = shorter ? 5 : 11;
        var (ours, parse, bare) = (new List<double>(), new List<double>(), new List<double>());
        var (oursProcessor, bareProcessor) = (new List<double>(), new List<double>());
        // Until the code that runs is the one the runtime ends up with: it recompiles what runs often, in the background.
        for (var round = 0; round < 4; round++)
        {
            Rate(Ours, TimeSpan.FromSeconds(1));
            Rate(Sdk, TimeSpan.FromSeconds(1));
        }
        for (var round = 0; round < rounds; round++)
        {
            var (wall, processor) = Rate(Ours, span);
            ours.Add(wall * files.Length);
            oursProcessor.Add(processor * files.Length);
            (wall, processor) = Rate(Sdk, span);
            bare.Add(wall * files.Length);
            bareProcessor.Add(processor * files.Length);
            parse.Add(Rate(ParseOnly, span / 4).Processor * files.Length);
        }
        Figure.Print(
            "validate.five-types",
            Median(ours),
            "resources/s/thread",
            ("sdk-parse", Median(bare)),
            ("times-sdk-parse", Median(ours) / Median(bare)),
            ("a-processor-second", Median(oursProcessor)),
            ("sdk-parse-a-processor-second", Median(bareProcessor)),
            ("parse-only-a-processor-second", Median(parse)),
            ("best-round", ours.Max()),
            ("resources", files.Length),
            ("average-bytes", files.Average(file => (double)file.Length))
        );
        var documents = files.Select(file => FhirJson.Parse(file, out _)!).ToArray();
        var whole = Allocated(Ours) / files.Length;
        var validation =
            Allocated(() => Array.ForEach(documents, document => profiles.Validate(document))) / files.Length;
        Figure.Print("validate.allocated", validation, "bytes/validation", ("with-parse", whole));
    }

    private static void Bundles(byte[][] files, bool shorter)
    {
        var profiles = ProfileSet.Default;
        double PerEntry(int entries)
        {
            var bundle = Bundle(files, entries);
            var times = new List<double>();
            for (var round = 0; round < (shorter ? 3 : 7); round++)
            {
                var processor = Process.GetCurrentProcess().TotalProcessorTime;
                profiles.Validate(bundle);
                times.Add((Process.GetCurrentProcess().TotalProcessorTime - processor).TotalMicroseconds / entries);
            }
            return Median(times);
        }
        var small = PerEntry(1_000);
        var large = PerEntry(10_000);
        Figure.Print(
            "validate.bundle",
            large / small,
            "processor time an entry of 10,000 / of 1,000",
            ("microseconds-an-entry-of-1000", small),
            ("microseconds-an-entry-of-10000", large)
        );
    }

    // Entries that refer to each other: each to its neighbour, by fullUrl.
    private static byte[] Bundle(byte[][] files, int entries)
    {
        var bundle = new StringBuilder("{\"resourceType\":\"Bundle\",\"type\":\"collection\",\"entry\":[");
        var bodies = files
            .Select(file => Encoding.UTF8.GetString(file).Trim())
            .Where(body => body.StartsWith('{'))
            .ToArray();
        for (var entry = 0; entry < entries; entry++)
        {
            var url = string.Create(CultureInfo.InvariantCulture, $"urn:uuid:00000000-0000-4000-8000-{entry:x12}");
            bundle.Append(entry > 0 ? "," : "").Append("{\"fullUrl\":\"").Append(url).Append("\",\"resource\":");
            if (entry % 2 == 0)
            {
                bundle.Append(bodies[entry / 2 % bodies.Length]);
            }
            else
            {
                bundle.Append(
                    CultureInfo.InvariantCulture,
                    $$$"""{"resourceType":"Task","status":"completed","intent":"order","focus":{"reference":"urn:uuid:00000000-0000-4000-8000-{{{entry - 1:x12}}}"},"for":{"reference":"urn:uuid:00000000-0000-4000-8000-{{{(entry + 1) % entries:x12}}}"}}"""
                );
            }
            bundle.Append('}');
        }
        return Encoding.UTF8.GetBytes(bundle.Append("]}").ToString());
    }

    private static void FirstResult(bool shorter)
    {
        var carePlan = OfficialExamples
            .OfTypes("CarePlan")
            .First(file => file.EndsWith("CarePlan-example.json", StringComparison.Ordinal));
        var program = Path.Combine(AppContext.BaseDirectory, "ccmfhir.dll");
        var times = new List<double>();
        for (var round = 0; round < (shorter ? 5 : 21); round++)
        {
            var start = new ProcessStartInfo("dotnet", [program, "validate", carePlan])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            };
            var started = Stopwatch.GetTimestamp();
            using var process = Process.Start(start)!;
            var first = process.StandardOutput.ReadLine();
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidOperationException(
                    $"validate ended with {process.ExitCode}: {first} {process.StandardError.ReadToEnd()}"
                );
            }
        }
        Figure.Print(
            "validate.first-result",
            Median(times),
            "ms from process start",
            ("best", times.Min()),
            ("worst", times.Max())
        );
    }

    // How often a second: by the clock, and by the time the processor gave (on a machine that is shared, the truer one).
    private static (double Wall, double Processor) Rate(Action work, TimeSpan span)
    {
        var processor = Process.GetCurrentProcess().TotalProcessorTime;
        var started = Stopwatch.GetTimestamp();
        var times = 0;
        do
        {
            work();
            times++;
        } while (Stopwatch.GetElapsedTime(started) < span);
        return (
            times / Stopwatch.GetElapsedTime(started).TotalSeconds,
            times / (Process.GetCurrentProcess().TotalProcessorTime - processor).TotalSeconds
        );
    }

    private static double Allocated(Action work)
    {
        work();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var round = 0; round < 20; round++)
        {
            work();
        }
        return (GC.GetAllocatedBytesForCurrentThread() - before) / 20.0;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
