using System.CommandLine;
using CcmFhir.Intake;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir validate</c>: files, folders, NDJSON or standard input, JSON or XML, against base R4, what resources claim, and
/// named profiles. Exit 0: no errors; 1: errors; 2: it could not run.</summary>
internal static class ValidateCommand
{
    public static Command Build(TimeProvider clock)
    {
        var paths = new Argument<string[]>("path")
        {
            Description = "Files or folders of FHIR (JSON, XML, NDJSON); - is standard input.",
            Arity = ArgumentArity.OneOrMore,
        };
        var profiles = new Option<string[]>("--profile")
        {
            Description =
                "Canonical of a profile that resources of its type must meet, or the file of one. May be given more than once.",
            DefaultValueFactory = _ => [],
        };
        var definitions = new Option<string[]>("--definitions")
        {
            Description =
                "FHIR package (.tgz or unpacked), folder or file with StructureDefinitions, ValueSets, CodeSystems. May be given more than once.",
            DefaultValueFactory = _ => [],
        };
        var ccm = new Option<bool>("--ccm")
        {
            Description =
                "Hold each resource also against the profile of care management that the server asks of it, by type and category.",
        };
        var format = new Option<string>("--format")
        {
            Description = "text, json (one line a resource) or sarif.",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong("text", "json", "sarif");
        var all = new Option<bool>("--information")
        {
            Description = "Show information, too: good practice, and what only follows from another issue.",
        };
        var command = new Command("validate", "Says what is wrong with FHIR resources, where, and what would be right.")
        {
            paths,
            profiles,
            definitions,
            ccm,
            format,
            all,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
                try
                {
                    var asked = parsed.GetValue(profiles) ?? [];
                    var files = asked.Where(File.Exists).ToArray();
                    var set = Profiles([.. parsed.GetValue(definitions) ?? [], .. files]).WithClock(clock);
                    foreach (var missing in set.Missing)
                    {
                        await error.WriteLineAsync("Note: " + missing);
                    }
                    var check = new Check(
                        set,
                        Named(set, asked),
                        parsed.GetValue(ccm) ? ProfileChoice.Of : null,
                        FhirJsonLimits.Default
                    );
                    var inputs = ValidationInputs.Of(parsed.GetValue(paths)!, FhirJsonLimits.Default);
                    IValidationWriter writer = parsed.GetValue(format) switch
                    {
                        "json" => new ValidationJson(output),
                        "sarif" => new ValidationSarif(output),
                        _ => new ValidationText(output, parsed.GetValue(all)),
                    };
                    return await RunAsync(inputs, check, writer, cancel);
                }
                catch (Exception fault)
                    when (fault
                            is UnreadableDefinitionException
                                or InvalidDataException
                                or IOException
                                or UnauthorizedAccessException
                    )
                {
                    await error.WriteLineAsync(fault.Message);
                    return 2;
                }
            }
        );
        return command;
    }

    private static async Task<int> RunAsync(
        ValidationInputs inputs,
        Check check,
        IValidationWriter writer,
        CancellationToken cancel
    )
    {
        var hasErrors = false;
        using var progress = Progress.Start("Validated", inputs.Count);
        // Many at once, written in their own order; what waits to be written is bounded by the buffers of the query.
        var results = inputs
            .Read()
            .AsParallel()
            .AsOrdered()
            .WithCancellation(cancel)
            .WithMergeOptions(ParallelMergeOptions.NotBuffered)
            .Select(input => writer.Prepare(check.Validate(input)));
        foreach (var result in results)
        {
            progress.Step();
            hasErrors |= result.HasErrors;
            await writer.WriteAsync(result);
        }
        await writer.EndAsync();
        return hasErrors ? 1 : 0;
    }

    private static ProfileSet Profiles(string[] paths) =>
        paths.Length == 0 ? ProfileSet.Default : ProfileSet.Load(paths);

    /// <summary>Canonicals of the profiles asked for, by the type that they are for; each is compiled now, so that a faulty one is said first.</summary>
    private static ILookup<string, string> Named(ProfileSet set, string[] asked) =>
        asked
            .Select(one =>
                !File.Exists(one) ? one
                : PackageLoader.Load(one).FirstOrDefault(definition => definition.Kind == DefinitionKind.Structure)
                    is { } found
                    ? found.Version is null ? found.Url
                        : $"{found.Url}|{found.Version}"
                : throw new InvalidDataException($"{one} holds no StructureDefinition.")
            )
            .ToLookup(set.Require, StringComparer.Ordinal);

    /// <summary>What every input is held against.</summary>
    internal sealed record Check(
        ProfileSet Set,
        ILookup<string, string> Profiles,
        Func<string, FhirElement, string?>? Choose,
        FhirJsonLimits Limits
    )
    {
        public ValidationResult Validate(ValidationInput input)
        {
            if (input.Fault is { } unreadable)
            {
                return ValidationResult.Unreadable(input, unreadable);
            }
            var document = FhirXml.Looks(input.Bytes)
                ? FhirXml.Parse(input.Bytes, out var fault, Limits)
                : FhirJson.Parse(input.Bytes, out fault, Limits);
            if (document is null)
            {
                return ValidationResult.Unreadable(input, fault!);
            }
            var type = document.Root["resourceType"u8].Text;
            if (type is null && input.MayBeSomethingElse)
            {
                return ValidationResult.SomethingElse(input);
            }
            var profiles = Profiles[type ?? ""].ToArray();
            if (profiles.Length == 0 && Profiles.Count > 0)
            {
                // None fits: said as an error of the resource, not passed over in silence.
                profiles = [.. Profiles.SelectMany(group => group)];
            }
            return new ValidationResult(input, document, Set.Validate(document, Choose ?? None, profiles));
        }

        private static string? None(string type, FhirElement resource) => null;
    }
}
