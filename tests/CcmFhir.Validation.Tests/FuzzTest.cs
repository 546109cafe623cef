using System.Diagnostics;
using System.Globalization;
using System.Text;
using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;
using Hl7.Fhir.Serialization;

namespace CcmFhir.Validation.Tests;

/// <summary>Valid resources, XML and expressions are broken at random, again and again: whatever comes of it gets an answer, soon, and never an
/// exception. The same cases in every build, seconds in all; longer with <c>CCMFHIR_FUZZ_MINUTES=30 dotnet test --project tests/CcmFhir.Validation.Tests
/// --filter-class "*FuzzTest"</c> (minutes for all targets together), then from a seed of its own that a failure names.</summary>
public sealed class FuzzTest(ITestOutputHelper output)
{
    private const int Targets = 4;

    private static readonly double Minutes = double.TryParse(
        Environment.GetEnvironmentVariable("CCMFHIR_FUZZ_MINUTES"),
        CultureInfo.InvariantCulture,
        out var minutes
    )
        ? minutes
        : 0;

    private static readonly string[] Hostile =
    [
        "null",
        "true",
        "0",
        "-1",
        "1e999",
        "-0",
        "0.10",
        "99999999999999999999",
        "\"\"",
        "\" \"",
        "\"#\"",
        "\"\\u0000\"",
        "\"\\ud800\"",
        "[]",
        "{}",
        "[null]",
        "[[]]",
        "[{}]",
        "\"urn:uuid:\"",
        "\"http://\"",
        "\"Patient/\"",
        "\"/\"",
        "\"%%%\"",
        "\"2026-02-30\"",
        "\"0000\"",
        "\"9999-12-31T23:59:60+14:00\"",
        "{\"resourceType\":\"Bundle\"}",
        "{\"resourceType\":\"\"}",
        "{\"resourceType\":5}",
        "{\"extension\":[]}",
        "{\"reference\":\"#\"}",
        "{\"reference\":\"\"}",
        "{\"coding\":[]}",
        "{\"coding\":[null]}",
        "{\"url\":\"x\"}",
        "{\"value\":1e-999}",
        "\"<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\">&\"",
    ];

    private static readonly string[] HostilePieces =
    [
        "()",
        "(",
        ")",
        "[0]",
        "[-1]",
        ".first()",
        ".descendants()",
        ".repeat(children())",
        " | ",
        " and ",
        " implies ",
        "{}",
        "'",
        "''",
        "@2012",
        "@T10",
        "1 'mg'",
        "$this",
        "$index",
        "$total",
        "%resource",
        "%context",
        ".where($this)",
        ".select(descendants())",
        ".matches('(a+)+$')",
        ".toInteger()",
        ".combine(descendants())",
        "-",
        "/ 0",
        " div 0",
        " mod 0",
        " + 1 year",
        ".substring(-1)",
        ".extension('x')",
        ".resolve()",
        ".ofType(Quantity)",
        " is string",
        ".aggregate($total & $this)",
        ".distinct()",
        " ~ ",
        " in ",
        "9223372036854775807",
    ];

    [Fact]
    public void Whatever_is_made_of_a_resource_gets_an_answer()
    {
        var seeds = Seeds();
        Run(
            "json",
            2_000,
            (random, name) =>
            {
                var json = Broken(random, seeds);
                name(Encoding.UTF8.GetString(json));
                var report = ProfileSet.Default.Validate(json, random.Next(2) == 0 ? null : [Profile(random)]);
                report.Issues.Count.ShouldBeGreaterThanOrEqualTo(0);
            }
        );
    }

    [Fact]
    public void Whatever_is_made_of_xml_gets_an_answer()
    {
        var seeds = Seeds()
            .Where(seed => Encoding.UTF8.GetString(seed).Contains("contained", StringComparison.Ordinal))
            .Select(Xml)
            .Select(Encoding.UTF8.GetBytes)
            .ToArray();
        Run(
            "xml",
            6_000,
            (random, name) =>
            {
                var xml = BytesBroken(random, seeds[random.Next(seeds.Length)], seeds);
                name(Encoding.UTF8.GetString(xml));
                if (FhirXml.Parse(xml, out var fault) is { } document)
                {
                    ProfileSet.Default.Validate(document);
                }
                else
                {
                    fault.ShouldNotBeNull().Text.ShouldNotBeEmpty();
                }
            }
        );
    }

    [Fact]
    public void Whatever_is_made_of_an_expression_compiles_or_is_refused_and_ends()
    {
        var documents = Seeds().Take(20).Select(seed => FhirJson.Parse(seed, out _)!).ToArray();
        var types = new TypeModel(BaseDefinitions.R4);
        var expressions = (
            from definition in BaseDefinitions.R4.All(DefinitionKind.Structure)
            from element in BaseDefinitions.R4.Structure(definition.Url)!.Elements
            from constraint in element.Constraints
            where constraint.Expression is not null
            select constraint.Expression
        )
            .Distinct()
            .Order(StringComparer.Ordinal)
            .ToArray();
        Run(
            "fhirpath",
            20_000,
            (random, name) =>
            {
                var expression = expressions[random.Next(expressions.Length)];
                for (var times = random.Next(1, 5); times > 0; times--)
                {
                    var at = random.Next(expression.Length + 1);
                    var to = Math.Min(expression.Length, at + random.Next(6));
                    var other = expressions[random.Next(expressions.Length)];
                    expression = random.Next(3) switch
                    {
                        0 => expression[..at] + HostilePieces[random.Next(HostilePieces.Length)] + expression[at..],
                        1 => expression[..at] + expression[to..],
                        _ => expression[..at] + other[random.Next(other.Length)..] + expression[to..],
                    };
                }
                name(expression);
                try
                {
                    var compiled = FhirPathCompiler.Compile(expression);
                    var document = documents[random.Next(documents.Length)];
                    compiled.Evaluate(
                        new EvaluationContext(document.Root)
                        {
                            Types = random.Next(4) == 0 ? TypeModel.Structural : types,
                        },
                        document.Root
                    );
                }
                catch (FhirPathException)
                {
                    // Refused with a reason: an answer.
                }
            }
        );
    }

    [Fact]
    public void Whatever_is_made_of_a_profile_can_be_used_or_is_refused()
    {
        var resources = Seeds();
        var seeds = Directory
            .EnumerateFiles(Path.Combine(NpmPackage.Repository, "profiles"), "StructureDefinition-*.json")
            .Concat(
                Directory.EnumerateFiles(
                    Path.Combine(NpmPackage.Repository, "tests/CcmFhir.Validation.Tests/Data/validator-cases"),
                    "*.json"
                )
            )
            .Order(StringComparer.Ordinal)
            .Select(File.ReadAllBytes)
            .Where(bytes => FhirJson.Parse(bytes, out _)?.Root["resourceType"u8].Text == "StructureDefinition")
            .ToArray();
        Run(
            "profile",
            400,
            (random, name) =>
            {
                var profile = Broken(random, seeds);
                name(Encoding.UTF8.GetString(profile));
                try
                {
                    var definitions = PackageLoader.Read(profile, "profile.json").ToArray();
                    var profiles = new ProfileSet(CcmPackage.OnR4.With(definitions));
                    foreach (var one in definitions.Where(one => one.Kind == DefinitionKind.Structure))
                    {
                        var type = profiles.Require(one.Url);
                        var resource =
                            Array.Find(
                                resources,
                                seed =>
                                    random.Next(30) == 0
                                    || FhirJson.Parse(seed, out _)!.Root["resourceType"u8].Text == type
                            ) ?? resources[0];
                        profiles.Validate(resource, [one.Url]).Issues.Count.ShouldBeGreaterThanOrEqualTo(0);
                    }
                }
                catch (UnreadableDefinitionException)
                {
                    // Refused with a reason: an answer.
                }
            }
        );
    }

    /// <param name="target">What is tried.</param>
    /// <param name="shortForm">Cases of the short form.</param>
    /// <param name="once">Tries one case, and names its input before it does.</param>
    private void Run(string target, int shortForm, Action<Random, Action<string>> once)
    {
        var isLong = Minutes > 0;
        var start = isLong ? Environment.TickCount : 20_261_124;
        var span = TimeSpan.FromMinutes(Minutes / Targets);
        var watch = Stopwatch.StartNew();
        var faults = new Dictionary<string, string>(StringComparer.Ordinal);
        var cases = 0;
        for (; (isLong ? watch.Elapsed < span : cases < shortForm) && faults.Count < 20; cases++)
        {
            var input = "";
            var begun = ProcessorTime();
            try
            {
                once(new Random(start + cases), text => input = text);
            }
            catch (Exception fault)
            {
                var place = fault
                    .StackTrace?.Split('\n')
                    .FirstOrDefault(line => line.Contains("CcmFhir.Validation.", StringComparison.Ordinal))
                    ?.Trim();
                faults.TryAdd($"{fault.GetType().Name} {place}", $"seed {start + cases}: {fault.Message} on {input}");
            }
            var took = ProcessorTime() - begun;
            if (took > TimeSpan.FromSeconds(10))
            {
                faults.TryAdd("slow", $"seed {start + cases}: {took} of the processor on {input}");
            }
        }
        output.WriteLine($"{target}: {cases} cases from seed {start} in {watch.Elapsed}");
        faults.ShouldBeEmpty(string.Join('\n', faults.Select(fault => $"{fault.Key}: {fault.Value}")));
        cases.ShouldBePositive();
    }

    /// <summary>What this thread has used of the processor, whatever else the machine does; in steps of 10 ms.</summary>
    private static TimeSpan ProcessorTime()
    {
        var stat = File.ReadAllText("/proc/thread-self/stat");
        // The name in brackets may hold blanks; utime and stime are fields 14 and 15 of the whole [proc(5)], in hundredths of a second.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return TimeSpan.FromMilliseconds(
            10
                * (
                    long.Parse(fields[11], CultureInfo.InvariantCulture)
                    + long.Parse(fields[12], CultureInfo.InvariantCulture)
                )
        );
    }

    private static byte[] Broken(Random random, byte[][] seeds)
    {
        var seed = seeds[random.Next(seeds.Length)];
        if (random.Next(4) == 0)
        {
            return BytesBroken(random, seed, seeds);
        }
        for (var times = random.Next(1, 4); times > 0; times--)
        {
            if (FhirJson.Parse(seed, out _) is not { Count: > 0 } document)
            {
                return seed;
            }
            var target = new FhirElement(document, random.Next(document.Count));
            var donor = FhirJson.Parse(seeds[random.Next(seeds.Length)], out _)!;
            var with = random.Next(3) switch
            {
                0 => Encoding.UTF8.GetBytes(Hostile[random.Next(Hostile.Length)]),
                1 => new FhirElement(donor, random.Next(donor.Count)).Raw.ToArray(),
                _ => [.. "["u8, .. target.Raw, .. ","u8, .. target.Raw, .. "]"u8],
            };
            seed = [.. seed[..target.Offset], .. with, .. seed[(target.Offset + target.Length)..]];
        }
        return seed;
    }

    private static byte[] BytesBroken(Random random, byte[] seed, byte[][] seeds)
    {
        for (var times = random.Next(1, 6); times > 0 && seed.Length > 0; times--)
        {
            var at = random.Next(seed.Length);
            var to = Math.Min(seed.Length, at + random.Next(40));
            var donor = seeds[random.Next(seeds.Length)];
            var from = random.Next(donor.Length);
            seed = random.Next(4) switch
            {
                0 => [.. seed[..at], (byte)random.Next(256), .. seed[(at + 1)..]],
                1 => [.. seed[..at], .. seed[to..]],
                2 => [.. seed[..to], .. seed[at..]],
                _ => [.. seed[..at], .. donor[from..Math.Min(donor.Length, from + random.Next(200))], .. seed[to..]],
            };
        }
        return seed;
    }

    private static string Profile(Random random)
    {
        var folders = Directory
            .GetDirectories(Path.Combine(NpmPackage.Repository, "profiles", "examples", "valid"))
            .Order(StringComparer.Ordinal)
            .ToArray();
        return "http://ccmfhir.org/fhir/StructureDefinition/" + Path.GetFileName(folders[random.Next(folders.Length)]);
    }

    private static byte[][] Seeds() =>
        [
            .. Directory
                .EnumerateFiles(
                    Path.Combine(NpmPackage.Repository, "profiles", "examples"),
                    "*.json",
                    SearchOption.AllDirectories
                )
                .Concat(
                    OfficialExamples
                        .OfTypes("CarePlan", "Condition", "Consent", "Task", "Claim", "Patient", "Bundle")
                        .Where(file => new FileInfo(file).Length < 30_000)
                )
                .Order(StringComparer.Ordinal)
                .Select(File.ReadAllBytes)
                .Where(bytes => FhirJson.Parse(bytes, out _)?.Root["resourceType"u8].Exists == true),
        ];

    // As the SDK writes it; the empty resource where it cannot read one.
    private static string Xml(byte[] json) =>
        FhirJsonDeserializer.OSTRICH.TryDeserializeResource(Encoding.UTF8.GetString(json), out var resource, out _)
        || resource is not null
            ? new FhirXmlSerializer().SerializeToString(resource!)
            : "<Patient xmlns=\"http://hl7.org/fhir\"/>";
}
