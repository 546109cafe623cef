using System.CommandLine;
using System.Text;
using CcmFhir.Access;
using CcmFhir.Audit;
using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Export;
using CcmFhir.Fhir.Readers;
using CcmFhir.Intake;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir export</c>: files for billing staff and auditors.</summary>
internal static class ExportCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Build(TimeProvider clock) =>
        new("export", "Files for billing staff and auditors.") { Claims(clock), Audit(clock) };

    // Exit code 0: everything is in the file; 1: claims were left out, or there is none; 2: could not run.
    private static Command Claims(TimeProvider clock)
    {
        var month = CommandPlace.MonthOption();
        var format = new Option<string>("--format")
        {
            Description = "837p (005010X222A1), 837i (005010X223A2, RHC and FQHC), csv or ndjson.",
            Required = true,
        };
        format.AcceptOnlyFromAmong("837p", "837i", "csv", "ndjson");
        var since = new Option<string?>("--since")
        {
            Description = "Only claims issued at or after this instant: what a file before did not hold.",
        };
        var output = OutputOption();
        return CommandPlace.Define(
            "claims",
            "The claims that were issued for a month, corrections among them.",
            clock,
            [month, format, since, output],
            async (run, cancel) =>
            {
                var start = run.Parsed.GetValue(since) is { } text
                    ? FhirTime.Instant(text)
                        ?? throw new InvalidDataException(
                            $"--since is '{text}'; give an instant such as 2026-11-02T00:00:00Z."
                        )
                    : (DateTimeOffset?)null;
                var of = run.Parsed.GetValue(month)!;
                var claims = await MonthClaim.ReadAsync(run.Place.Streams, run.Place.Practice, of, start, cancel);
                var kind = run.Parsed.GetValue(format)!;
                if (kind is "csv" or "ndjson")
                {
                    var table = kind == "csv" ? ClaimTable.Csv(claims) : ClaimTable.NdJson(claims);
                    await WriteAsync(table, run.Parsed.GetValue(output), run.Output, cancel);
                    return 0;
                }
                return await Write837Async(
                    run.Place,
                    clock,
                    [.. claims.Where(claim => Fits(claim, kind))],
                    claims.Count,
                    of,
                    kind,
                    text => WriteAsync(text, run.Parsed.GetValue(output), run.Output, cancel),
                    run.Error,
                    cancel
                );
            }
        );
    }

    private static Command Audit(TimeProvider clock)
    {
        var month = CommandPlace.MonthOption();
        var patient = new Option<string>("--patient")
        {
            Description = "Logical id of the patient, with or without 'Patient/'.",
            Required = true,
        };
        var format = new Option<string>("--format")
        {
            Description = "json (a FHIR document) or html (to print).",
            DefaultValueFactory = _ => "json",
        };
        format.AcceptOnlyFromAmong("json", "html");
        var output = OutputOption();
        return CommandPlace.Define(
            "audit",
            "Everything an auditor asks for behind a patient's month.",
            clock,
            [patient, month, format, output],
            async (run, cancel) =>
            {
                var settings = CommandPlace.Settings();
                var rules = RuleFile.Read(settings[RuleFile.Setting]);
                if (!ServiceMonth.TryParse(run.Parsed.GetValue(month), out var of) || rules.NameFor(of) is null)
                {
                    throw new InvalidDataException($"{rules.Unknown(of)}.");
                }
                var place = run.Place;
                var close = new CloseMonth(place.Streams, rules, HouseDoor.CheckClaim);
                var id = run.Parsed.GetValue(patient)!;
                var packet = await new MakeAuditPacket(close, place.Streams, rules, clock).RunAsync(
                    place.File,
                    id.StartsWith("Patient/", StringComparison.Ordinal) ? id["Patient/".Length..] : id,
                    of,
                    cancel
                );
                if (packet is null)
                {
                    await run.Error.WriteLineAsync($"There is no patient {id} in practice {place.Practice}.");
                    return 1;
                }
                var root = (settings["Ccm:PublicAddress"] ?? Addresses.Default).TrimEnd('/');
                await WriteAsync(
                    run.Parsed.GetValue(format) == "html"
                        ? AuditHtml.Page(packet)
                        : Encoding.UTF8.GetString(AuditDocument.Write(packet, $"{root}/{place.Practice}/fhir")),
                    run.Parsed.GetValue(output),
                    run.Output,
                    cancel
                );
                return 0;
            }
        );
    }

    /// <summary>The option that names a file to write to.</summary>
    private static Option<string?> OutputOption() =>
        new("--output") { Description = "File to write; otherwise what is written goes to the terminal." };

    private static bool Fits(MonthClaim claim, string kind) =>
        ClaimFileReader.IsInstitutional(claim.Draft.Claim) == (kind == "837i");

    private static async Task<int> Write837Async(
        CommandPlace place,
        TimeProvider clock,
        IReadOnlyList<MonthClaim> claims,
        int all,
        string month,
        string kind,
        Func<string, Task> write,
        TextWriter errors,
        CancellationToken cancel
    )
    {
        if (claims.Count < all)
        {
            await errors.WriteLineAsync(
                $"{all - claims.Count} of {all} claims are {(kind == "837i" ? "professional: they go out as 837p" : "institutional: they go out as 837i")}."
            );
        }
        if (claims.Count == 0)
        {
            await errors.WriteLineAsync(
                $"There is no claim of {month} for an {kind} file. Claims are issued by 'ccmfhir close'."
            );
            return 1;
        }
        var made = await new ClaimFiles(new ClaimJournal(place.Streams, clock), place.File).WriteAsync(claims, cancel);
        foreach (var fault in made.Faults)
        {
            await errors.WriteLineAsync($"Claim/{fault.ClaimId} is left out: {fault.Text}.");
        }
        if (made.Text is { } text)
        {
            await write(text);
        }
        return made.Faults.Count == 0 && claims.Count == all ? 0 : 1;
    }

    // A file is there whole or not at all.
    private static async Task WriteAsync(string text, string? file, TextWriter console, CancellationToken cancel)
    {
        if (file is null)
        {
            await console.WriteAsync(text.AsMemory(), cancel);
            return;
        }
        var unfinished = file + ".tmp";
        await File.WriteAllTextAsync(unfinished, text, new UTF8Encoding(false), cancel);
        File.Move(unfinished, file, overwrite: true);
    }
}
