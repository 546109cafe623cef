using System.Buffers;
using System.CommandLine;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CcmFhir.Intake;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir validate</c>: files, folders, NDJSON or standard input against base R4, the profiles that they claim, and those asked for. Exit 0
/// no errors, 1 errors, 2 could not run.</summary>
internal static class ValidateCommand
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Command Build()
    {
        var paths = new Argument<string[]>("PATH")
        {
            Description = "Files or folders (JSON, XML, NDJSON), or - for standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        var profiles = new Option<string[]>("--profile")
        {
            Description = "Canonical of a profile, or a file that holds one. May stand several times.",
            DefaultValueFactory = _ => [],
        };
        var definitions = new Option<string[]>("--definitions")
        {
            Description = "Folder, package (.tgz) or file with StructureDefinitions, ValueSets and CodeSystems.",
            DefaultValueFactory = _ => [],
        };
        var format = new Option<string>("--format")
        {
            Description = "text, json (one line a resource) or sarif.",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong("text", "json", "sarif");
        var command = new Command("validate", "Checks FHIR resources against base R4 and profiles.")
        {
            paths,
            profiles,
            definitions,
            format,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var (output, errors) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
                try
                {
                    var (set, asked) = Load(parsed.GetValue(profiles)!, parsed.GetValue(definitions)!);
                    var inputs = Inputs(parsed.GetRequiredValue(paths));
                    var found = new Finding[inputs.Count][];
                    using (var progress = Progress.Start("Validating", inputs.Count))
                    {
                        await Parallel.ForEachAsync(
                            Enumerable.Range(0, inputs.Count),
                            new ParallelOptions
                            {
                                CancellationToken = cancel,
                                MaxDegreeOfParallelism = Environment.ProcessorCount,
                            },
                            (at, _) =>
                            {
                                found[at] = [.. Check(set, asked, inputs[at])];
                                progress.Step();
                                return ValueTask.CompletedTask;
                            }
                        );
                    }
                    var all = found.SelectMany(one => one).ToList();
                    await output.WriteAsync(
                        (
                            parsed.GetValue(format) switch
                            {
                                "json" => JsonLines(all),
                                "sarif" => Sarif(all),
                                _ => Text(all),
                            }
                        ).AsMemory(),
                        cancel
                    );
                    return all.TrueForAll(one => one.Report.IsValid) ? 0 : 1;
                }
                catch (Exception fault)
                    when (fault
                            is IOException
                                or InvalidDataException
                                or UnauthorizedAccessException
                                or UnreadableDefinitionException
                    )
                {
                    await errors.WriteLineAsync(fault.Message);
                    return 2;
                }
            }
        );
        return command;
    }

    private static (ProfileSet Set, IReadOnlyList<string>? Asked) Load(string[] profiles, string[] definitions)
    {
        var more = new List<Definition>();
        foreach (var path in definitions)
        {
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                throw new InvalidDataException($"--definitions '{path}' is not there.");
            }
            more.AddRange(PackageLoader.Load(path));
        }
        var asked = new List<string>();
        foreach (var profile in profiles)
        {
            if (!File.Exists(profile))
            {
                asked.Add(profile);
                continue;
            }
            var loaded = PackageLoader.Load(profile);
            more.AddRange(loaded);
            asked.AddRange(loaded.Where(one => one.Kind == DefinitionKind.Structure).Select(one => one.Url));
        }
        var set = more.Count == 0 ? ProfileSet.Default : new ProfileSet(CcmPackage.OnR4.With(more));
        return asked.Find(profile => !set.Knows(profile)) is { } unknown
            ? throw new InvalidDataException(
                $"--profile '{unknown}' is neither a file nor a known profile. Load it with --definitions; 'ccmfhir profiles list' lists ours."
            )
            : (set, asked.Count == 0 ? null : asked);
    }

    private static List<Input> Inputs(string[] paths)
    {
        var inputs = new List<Input>();
        foreach (var path in paths)
        {
            if (path == "-")
            {
                using var input = Console.OpenStandardInput();
                using var bytes = new MemoryStream();
                input.CopyTo(bytes);
                inputs.Add(new Input("-", () => bytes.ToArray()));
                continue;
            }
            if (!File.Exists(path) && !Directory.Exists(path))
            {
                throw new InvalidDataException($"'{path}' is not there.");
            }
            inputs.AddRange(ReadFolder.Files(path).Select(file => new Input(file, () => File.ReadAllBytes(file))));
        }
        return inputs;
    }

    private static IEnumerable<Finding> Check(ProfileSet set, IReadOnlyList<string>? asked, Input input)
    {
        var bytes = input.Read();
        if (!input.Name.EndsWith(".ndjson", StringComparison.OrdinalIgnoreCase))
        {
            yield return Check(set, asked, input.Name, bytes, 0);
            yield break;
        }
        var line = 0;
        foreach (var range in Lines(bytes))
        {
            var one = bytes[range];
            if (one.AsSpan().ContainsAnyExcept(" \t\r"u8))
            {
                yield return Check(set, asked, input.Name, one, line);
            }
            line++;
        }
    }

    private static Finding Check(
        ProfileSet set,
        IReadOnlyList<string>? asked,
        string file,
        byte[] bytes,
        int linesBefore
    )
    {
        var document = FhirXml.Looks(bytes) ? FhirXml.Parse(bytes, out var fault) : FhirJson.Parse(bytes, out fault);
        if (document is null)
        {
            var unreadable = new Issue
            {
                Severity = Severity.Fatal,
                Type = "structure",
                Rule = fault!.Rule,
                Expression = "",
                Text = fault.Text,
                Line = fault.Line + linesBefore,
                Column = fault.Column,
            };
            return new Finding(file, "", new Report([unreadable], []), bytes, linesBefore);
        }
        var type = document.Root["resourceType"u8].Text ?? "";
        var report = set.Validate(document, asked);
        if (linesBefore > 0)
        {
            report = report with
            {
                Issues =
                [
                    .. report.Issues.Select(issue =>
                        issue.Line > 0 ? issue with { Line = issue.Line + linesBefore } : issue
                    ),
                ],
            };
        }
        var id = document.Root["id"u8].Text;
        return new Finding(file, id is null ? type : $"{type}/{id}", report, bytes, linesBefore);
    }

    private static IEnumerable<Range> Lines(byte[] bytes)
    {
        for (var start = 0; start < bytes.Length; )
        {
            var length = bytes.AsSpan(start).IndexOf((byte)'\n');
            length = length < 0 ? bytes.Length - start : length;
            yield return start..(start + length);
            start += length + 1;
        }
    }

    private static string Text(List<Finding> all)
    {
        var text = new StringBuilder();
        foreach (var one in all)
        {
            string[]? source = null;
            foreach (var issue in one.Report.Issues)
            {
                text.Append(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{one.File}:{issue.Line}:{issue.Column}: {issue.Severity.ToString().ToLowerInvariant()}: {issue.Expression}: {issue.Text} [{issue.Rule}]\n"
                );
                if (issue.Severity > Severity.Warning || issue.Line == 0)
                {
                    continue;
                }
                source ??= Encoding.UTF8.GetString(one.Source).TrimStart('\uFEFF').Split('\n');
                var at = issue.Line - one.LinesBefore - 1;
                if (at >= 0 && at < source.Length)
                {
                    // A window around the column, so that a Bundle on one line stays readable.
                    var line = source[at].TrimEnd('\r').Replace('\t', ' ');
                    var column = Math.Clamp(issue.Column - 1, 0, line.Length);
                    var from = Math.Max(0, column - 60);
                    text.Append("    ")
                        .Append(line.AsSpan(from, Math.Min(120, line.Length - from)))
                        .Append('\n')
                        .Append(' ', 4 + column - from)
                        .Append("^\n");
                }
            }
        }
        var unknown = all.SelectMany(one => one.Report.NotChecked)
            .Distinct(StringComparer.Ordinal)
            .Order(StringComparer.Ordinal)
            .ToList();
        foreach (var one in unknown)
        {
            text.Append(System.Globalization.CultureInfo.InvariantCulture, $"not checked: {one}\n");
        }
        var bad = all.Count(one => !one.Report.IsValid);
        return text.Append(
                System.Globalization.CultureInfo.InvariantCulture,
                $"{all.Count} resources: {all.Count - bad} valid, {bad} with errors\n"
            )
            .ToString();
    }

    private static string JsonLines(List<Finding> all)
    {
        var lines = new StringBuilder();
        foreach (var one in all)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer, Relaxed))
            {
                json.WriteStartObject();
                json.WriteString("file", one.File);
                json.WriteString("resource", one.Resource);
                Issues(json, "errors", one.Report.Issues.Where(issue => issue.Severity <= Severity.Error));
                Issues(json, "warnings", one.Report.Issues.Where(issue => issue.Severity == Severity.Warning));
                json.WriteStartArray("notChecked");
                foreach (var what in one.Report.NotChecked)
                {
                    json.WriteStringValue(what);
                }
                json.WriteEndArray();
                json.WriteEndObject();
            }
            lines.Append(Encoding.UTF8.GetString(buffer.WrittenSpan)).Append('\n');
        }
        return lines.ToString();
    }

    private static void Issues(Utf8JsonWriter json, string name, IEnumerable<Issue> issues)
    {
        json.WriteStartArray(name);
        foreach (var issue in issues)
        {
            json.WriteStartObject();
            json.WriteString("code", issue.Rule);
            json.WriteString("expression", issue.Expression);
            json.WriteNumber("line", issue.Line);
            json.WriteNumber("column", issue.Column);
            json.WriteString("text", issue.Text);
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    // SARIF 2.1.0, the parts that code-review tools show.
    private static string Sarif(List<Finding> all)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Relaxed))
        {
            json.WriteStartObject();
            json.WriteString("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
            json.WriteString("version", "2.1.0");
            json.WriteStartArray("runs");
            json.WriteStartObject();
            json.WriteStartObject("tool");
            json.WriteStartObject("driver");
            json.WriteString("name", "ccmfhir");
            json.WriteStartArray("rules");
            foreach (
                var rule in all.SelectMany(one => one.Report.Issues)
                    .Select(issue => issue.Rule)
                    .Distinct(StringComparer.Ordinal)
                    .Order(StringComparer.Ordinal)
            )
            {
                json.WriteStartObject();
                json.WriteString("id", rule);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndObject();
            json.WriteStartArray("results");
            foreach (var one in all)
            {
                foreach (var issue in one.Report.Issues)
                {
                    json.WriteStartObject();
                    json.WriteString("ruleId", issue.Rule);
                    json.WriteString(
                        "level",
                        issue.Severity switch
                        {
                            Severity.Fatal or Severity.Error => "error",
                            Severity.Warning => "warning",
                            _ => "note",
                        }
                    );
                    json.WriteStartObject("message");
                    json.WriteString(
                        "text",
                        issue.Expression.Length == 0 ? issue.Text : $"{issue.Expression}: {issue.Text}"
                    );
                    json.WriteEndObject();
                    json.WriteStartArray("locations");
                    json.WriteStartObject();
                    json.WriteStartObject("physicalLocation");
                    json.WriteStartObject("artifactLocation");
                    json.WriteString("uri", one.File.Replace('\\', '/'));
                    json.WriteEndObject();
                    if (issue.Line > 0)
                    {
                        json.WriteStartObject("region");
                        json.WriteNumber("startLine", issue.Line);
                        json.WriteNumber("startColumn", Math.Max(1, issue.Column));
                        json.WriteEndObject();
                    }
                    json.WriteEndObject();
                    json.WriteEndObject();
                    json.WriteEndArray();
                    json.WriteEndObject();
                }
            }
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private sealed record Input(string Name, Func<byte[]> Read);

    private sealed record Finding(string File, string Resource, Report Report, byte[] Source, int LinesBefore);
}
