using System.CommandLine;
using System.Globalization;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Trail;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir audit</c>: the audit trail.</summary>
internal static class AuditCommand
{
    /// <summary>Builds the command with what stands below it.</summary>
    public static Command Build(TimeProvider clock) =>
        new("audit", "The audit trail: every access to patient data.") { Verify(clock) };

    private static Command Verify(TimeProvider clock)
    {
        var (store, practices) = (StoreOptions.Store(), StoreOptions.Practices());
        var practice = new Option<string?>("--practice") { Description = "slug of one practice; otherwise all" };
        var noted = new Option<string?>("--noted")
        {
            Description = "a mark that an earlier run printed: it must still be there, unchanged (with --practice)",
        };
        var command = new Command(
            "verify",
            "Checks the audit trail and names every entry that was changed, removed or moved. Exit 0 no faults, 1 faults, 2 could not run."
        )
        {
            store,
            practices,
            practice,
            noted,
        };
        command.SetAction(
            (parsed, cancel) =>
                CommandPlace.RunAsync(
                    parsed,
                    async () =>
                    {
                        var one = parsed.GetValue(practice);
                        if (parsed.GetValue(noted) is not null && one is null)
                        {
                            throw new InvalidDataException(
                                "--noted is a mark of one practice: say which by --practice."
                            );
                        }
                        await using var journal = await JournalStores.OpenAsync(
                            parsed.GetValue(store),
                            clock,
                            cancel,
                            make: false
                        );
                        string[] slugs = one is not null
                            ? [one]
                            :
                            [
                                .. Practices
                                    .Read(parsed.GetRequiredValue(practices))
                                    .All.Select(file => file.Practice.Slug),
                            ];
                        if (slugs.Length == 0)
                        {
                            throw new InvalidDataException(
                                "There is no practice file: say which practice by --practice, or where the files are by --practices."
                            );
                        }
                        var faults = 0L;
                        var output = parsed.InvocationConfiguration.Output;
                        foreach (var slug in slugs)
                        {
                            var walk = new VerifyTrail(journal, slug);
                            await foreach (var fault in walk.RunAsync(parsed.GetValue(noted), cancel))
                            {
                                faults++;
                                await output.WriteLineAsync(fault);
                            }
                            await output.WriteLineAsync(
                                string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"{slug}: {walk.Days} days, {walk.Entries} entries, {walk.Records} accesses{(walk.Head is { } head ? $"; mark {VerifyTrail.Note(head)}" : "")}"
                                )
                            );
                        }
                        return faults == 0 ? 0 : 1;
                    }
                )
        );
        return command;
    }
}
