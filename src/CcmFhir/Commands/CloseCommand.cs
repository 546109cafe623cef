using System.CommandLine;
using System.Text;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir.Readers;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir close</c>: decides a month, from a folder of FHIR files without a server, or from the configured store. From a folder the same
/// intake and the same month end run over a throw-away journal, so that both decide alike.</summary>
internal static class CloseCommand
{
    public static Command Build(TimeProvider clock)
    {
        var input = new Option<string?>("--input")
        {
            Description =
                "Folder (or file) with bundles and resources: JSON, XML, NDJSON. Without it, the configured store.",
        };
        var practice = new Option<string>("--practice")
        {
            Description = "Practice file, or the slug of a configured practice.",
            Required = true,
        };
        var month = new Option<string>("--month") { Description = "Service month, yyyy-MM.", Required = true };
        var dryRun = new Option<bool>("--dry-run") { Description = "Decide only; issue nothing." };
        var asOf = new Option<string?>("--as-of")
        {
            Description = "Decide as of this instant, e.g. 2026-11-23T00:00:00Z. Default: now.",
        };
        var format = new Option<string>("--format")
        {
            Description = "text or json.",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong("text", "json");
        var rules = new Option<string?>("--rules")
        {
            Description = "File with the rules, in place of those that come with the program.",
        };
        var command = new Command("close", "Closes a month: what each patient may be billed for, and why.")
        {
            input,
            practice,
            month,
            dryRun,
            asOf,
            format,
            rules,
        };
        command.SetAction(
            async (parsed, cancel) =>
            {
                try
                {
                    var instant = parsed.GetValue(asOf) is { } text
                        ? FhirTime.Instant(text)
                            ?? throw new InvalidDataException(
                                $"--as-of is '{text}'; give an instant such as 2026-11-23T00:00:00Z."
                            )
                        : clock.GetUtcNow();
                    if (!ServiceMonth.TryParse(parsed.GetValue(month), out var serviceMonth))
                    {
                        throw new InvalidDataException(
                            $"--month is '{parsed.GetValue(month)}'; give yyyy-MM, such as 2026-10."
                        );
                    }
                    var ruleFile = RuleFile.Read(
                        parsed.GetValue(rules) ?? Environment.GetEnvironmentVariable("Ccm__Rules")
                    );
                    if (ruleFile.NameFor(serviceMonth) is not { } ruleSet)
                    {
                        throw new InvalidDataException($"{ruleFile.Unknown(serviceMonth)}.");
                    }
                    var asked = new Asked(
                        FindPractice(parsed.GetValue(practice)!),
                        serviceMonth,
                        ruleFile,
                        ruleSet,
                        instant,
                        parsed.GetValue(dryRun),
                        parsed.GetValue(format) == "json",
                        parsed.InvocationConfiguration.Output,
                        parsed.InvocationConfiguration.Error
                    );
                    return parsed.GetValue(input) is { } folder
                        ? await FromFolderAsync(asked, folder, clock, cancel)
                        : await FromStoreAsync(asked, clock, cancel);
                }
                catch (Exception fault)
                    when (fault
                            is InvalidDataException
                                or RuleSetException
                                or IOException
                                or UnauthorizedAccessException
                                or JournalUnavailableException
                    )
                {
                    await parsed.InvocationConfiguration.Error.WriteLineAsync(fault.Message);
                    return 2;
                }
            }
        );
        return command;
    }

    private static PracticeFile FindPractice(string named)
    {
        if (File.Exists(named))
        {
            return PracticeFile.Read(named);
        }
        var practices = Practices.Read(Environment.GetEnvironmentVariable("Ccm__Practices") ?? Practices.Default);
        return practices.Find(named)
            ?? throw new InvalidDataException(
                $"'{named}' is neither a file nor one of the configured practices ({string.Join(", ", practices.All.Select(one => one.Practice.Slug))})."
            );
    }

    private static async Task<int> FromFolderAsync(
        Asked asked,
        string folder,
        TimeProvider clock,
        CancellationToken cancel
    )
    {
        if (!asked.DryRun)
        {
            throw new InvalidDataException("--input decides only: add --dry-run. Claims are issued from a store.");
        }
        if (!Directory.Exists(folder) && !File.Exists(folder))
        {
            throw new InvalidDataException($"--input '{folder}' is not there.");
        }
        var scratch = Directory.CreateTempSubdirectory("ccmfhir-close-").FullName;
        try
        {
            await using var store = SqliteJournalStore.Open(Path.Combine(scratch, "close.db"));
            var records = new StreamRecords(store);
            var take = new TakeIn(new ReceiveBundle(records, HouseDoor.Open(), clock));
            var arrival = new Arrival(
                Receiver.Of(asked.File),
                AccessContext.Unrestricted(asked.File.Practice.Slug, "close"),
                Arrival.ToMillisecond(asked.AsOf)
            );
            var refused = new List<RefusedResource>();
            var files = ReadFolder.Files(folder);
            using (var progress = Progress.Start("Reading", files.Count))
            {
                foreach (var file in files)
                {
                    foreach (var document in ReadFolder.Documents(folder, file))
                    {
                        refused.AddRange(await take.RunAsync(arrival, document, cancel));
                    }
                    progress.Step();
                }
            }
            await DecideAsync(asked, new CloseMonth(records, asked.Rules, HouseDoor.CheckClaim), refused, cancel);
            return 0;
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static async Task<int> FromStoreAsync(Asked asked, TimeProvider clock, CancellationToken cancel)
    {
        await using var store = await JournalStores.OpenAsync(
            Environment.GetEnvironmentVariable("Ccm__Store"),
            clock,
            cancel
        );
        var close = new CloseMonth(new StreamRecords(store), asked.Rules, HouseDoor.CheckClaim);
        if (asked.DryRun)
        {
            await DecideAsync(asked, close, [], cancel);
            return 0;
        }
        if (!CloseMonth.Over(asked.File, asked.Month, asked.AsOf))
        {
            throw new InvalidDataException(
                $"{asked.Month} has not ended in {asked.File.Practice.TimeZone.Id}. Close it then; --dry-run shows what would be billed now."
            );
        }
        CloseResult result;
        using (var progress = Progress.Start("Closing", 0))
        {
            result = await close.RunAsync(asked.File, asked.Month, asked.AsOf, progress, cancel);
        }
        await PrintAsync(asked, result.Decisions, [], cancel);
        if (!asked.Json)
        {
            await asked.Output.WriteLineAsync(
                $"{result.Issued.Count} claims issued now, {result.Standing} stood already."
            );
        }
        foreach (var fault in result.Faults)
        {
            await asked.Error.WriteLineAsync($"{fault.Patient}: {fault.Text}");
        }
        return result.Faults.Count == 0 ? 0 : 1;
    }

    private static async Task DecideAsync(
        Asked asked,
        CloseMonth close,
        IReadOnlyList<RefusedResource> refused,
        CancellationToken cancel
    )
    {
        IReadOnlyList<MonthDecision> decisions;
        using (var progress = Progress.Start("Deciding", 0))
        {
            decisions = await close.DecideAsync(asked.File, asked.Month, asked.AsOf, progress, cancel);
        }
        await PrintAsync(asked, decisions, refused, cancel);
    }

    private static async Task PrintAsync(
        Asked asked,
        IReadOnlyList<MonthDecision> decisions,
        IReadOnlyList<RefusedResource> refused,
        CancellationToken cancel
    )
    {
        if (asked.Json)
        {
            await asked.Output.WriteAsync(
                Encoding
                    .UTF8.GetString(DecisionJson.Write(asked.Month, asked.RuleSet, asked.AsOf, decisions, refused))
                    .AsMemory(),
                cancel
            );
            return;
        }
        await asked.Output.WriteLineAsync(
            DecisionText.Write(asked.Month, asked.RuleSet, asked.AsOf, decisions, refused)
        );
    }

    private sealed record Asked(
        PracticeFile File,
        ServiceMonth Month,
        RuleSet Rules,
        string RuleSet,
        DateTimeOffset AsOf,
        bool DryRun,
        bool Json,
        TextWriter Output,
        TextWriter Error
    );
}
