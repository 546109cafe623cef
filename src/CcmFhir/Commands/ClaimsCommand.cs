using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;
using CcmFhir.Ehr;
using CcmFhir.Journal;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir claims</c>: what became of the claims, and what a person can do about one.</summary>
internal static class ClaimsCommand
{
    /// <summary>How JSON is printed.</summary>
    public static JsonSerializerOptions Indented { get; } =
        new(JsonSerializerDefaults.Web)
        {
            WriteIndented = true,
            DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
            Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower) },
        };

    /// <summary>Builds the command with what stands below it.</summary>
    public static Command Build(TimeProvider clock) =>
        new("claims", "What became of the claims, and what a person can do about one.")
        {
            List(clock),
            Show(clock),
            Resend(clock),
            Confirm(clock),
            Fetch(clock),
            Report(clock),
        };

    /// <summary>The word for a standing.</summary>
    public static string Word(Standing standing) =>
        standing switch
        {
            Standing.NeedsPerson => "needs-person",
            Standing.Due => "waiting",
            _ => JsonNamingPolicy.KebabCaseLower.ConvertName(standing.ToString()),
        };

    private static Command List(TimeProvider clock)
    {
        var store = CommandPlace.StoreOption();
        var (month, practice, format) = (CommandPlace.MonthOption(), CommandPlace.PracticeOption(), Format("csv"));
        var state = new Option<string?>("--state")
        {
            Description =
                "Only claims that stand so: waiting, sending, needs-person, refused, delivered, pending, rejected, denied, paid.",
        };
        var command = new Command("list", "The claims of a month.") { month, practice, store, state, format };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    practice,
                    store,
                    clock,
                    async (place, desk, output) =>
                    {
                        var claims = await desk.ListAsync(
                            place.Practice,
                            place.Ehr.Connection,
                            parsed.GetValue(month)!,
                            cancel
                        );
                        if (parsed.GetValue(state) is { } wanted)
                        {
                            claims = [.. claims.Where(claim => claim.State == wanted)];
                        }
                        await output.WriteLineAsync(
                            parsed.GetValue(format) switch
                            {
                                "json" => JsonSerializer.Serialize(claims.Select(Row), Indented),
                                "csv" => Reconciliation
                                    .Of(parsed.GetValue(month)!, claims, clock.GetUtcNow())
                                    .ToCsv()
                                    .TrimEnd('\n'),
                                _ => string.Join(
                                    '\n',
                                    claims
                                        .Select(claim =>
                                            $"{claim.Id}  {claim.State, -12}  {Money(claim.Total), 9}  {claim.Delivery.Accepted?.EhrReference}{Trouble(claim)}".TrimEnd()
                                        )
                                        .Prepend($"{claims.Count} claims")
                                ),
                            }
                        );
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Show(TimeProvider clock)
    {
        var store = CommandPlace.StoreOption();
        var (practice, format) = (CommandPlace.PracticeOption(), Format());
        var id = Id();
        var command = new Command("show", "One claim and everything that happened to it.")
        {
            id,
            practice,
            store,
            format,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    practice,
                    store,
                    clock,
                    async (place, desk, output) =>
                    {
                        var claim = await desk.ShowAsync(
                            place.Practice,
                            place.Ehr.Connection,
                            parsed.GetValue(id)!,
                            cancel
                        );
                        if (claim is null)
                        {
                            await output.WriteLineAsync($"There is no claim {parsed.GetValue(id)}.");
                            return 1;
                        }
                        await output.WriteLineAsync(
                            parsed.GetValue(format) == "json"
                                ? JsonSerializer.Serialize(
                                    new
                                    {
                                        claim = Row(claim),
                                        events = claim.Events.Select(Step),
                                        answers = claim.Answers,
                                    },
                                    Indented
                                )
                                : Text(claim)
                        );
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Resend(TimeProvider clock)
    {
        var (practice, store) = (CommandPlace.PracticeOption(), CommandPlace.StoreOption());
        var ids = new Argument<string[]>("id")
        {
            Description = "Claims that the EHR refused, or that wait for a person.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var refused = new Option<string?>("--refused-of")
        {
            Description = "All claims of a month that stand refused, after a mend that holds for all of them.",
        };
        var notThere = new Option<bool>("--not-there")
        {
            Description = "You have looked: it is not at the EHR. Without it, it is looked for before it is sent.",
        };
        var by = new Option<string>("--by")
        {
            Description = "Who you are, for the journal.",
            DefaultValueFactory = _ => Environment.UserName,
        };
        var why = new Option<string>("--reason")
        {
            Description = "Why, for the journal.",
            DefaultValueFactory = _ => "",
        };
        var command = new Command("resend", "Sends claims again with the next push.")
        {
            ids,
            refused,
            practice,
            store,
            notThere,
            by,
            why,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    practice,
                    store,
                    clock,
                    async (place, desk, output) =>
                    {
                        var wanted = parsed.GetValue(ids)!.ToList();
                        if (parsed.GetValue(refused) is { } month)
                        {
                            var claims = await desk.ListAsync(place.Practice, place.Ehr.Connection, month, cancel);
                            wanted.AddRange(claims.Where(claim => claim.State == "refused").Select(claim => claim.Id));
                        }
                        var failed = 0;
                        foreach (var id in wanted)
                        {
                            var answer = await desk.ResendAsync(
                                place.Practice,
                                place.Ehr.Connection,
                                id,
                                parsed.GetValue(notThere),
                                parsed.GetValue(by)!,
                                parsed.GetValue(why)!,
                                cancel
                            );
                            failed += answer.Done ? 0 : 1;
                            await output.WriteLineAsync(answer.Text);
                        }
                        return failed == 0 ? 0 : 1;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Confirm(TimeProvider clock)
    {
        var (practice, store) = (CommandPlace.PracticeOption(), CommandPlace.StoreOption());
        var id = Id();
        var reference = new Option<string?>("--as") { Description = "What the EHR calls it, such as Claim/123." };
        var by = new Option<string>("--by")
        {
            Description = "Who you are, for the journal.",
            DefaultValueFactory = _ => Environment.UserName,
        };
        var command = new Command("confirm", "You have seen the claim at the EHR: it counts as delivered.")
        {
            id,
            reference,
            practice,
            store,
            by,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    practice,
                    store,
                    clock,
                    async (place, desk, output) =>
                    {
                        var answer = await desk.ConfirmAsync(
                            place.Practice,
                            place.Ehr.Connection,
                            parsed.GetValue(id)!,
                            parsed.GetValue(reference),
                            parsed.GetValue(by)!,
                            cancel
                        );
                        await output.WriteLineAsync(answer.Text);
                        return answer.Done ? 0 : 1;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Fetch(TimeProvider clock)
    {
        var store = CommandPlace.StoreOption();
        var (month, practice) = (CommandPlace.MonthOption(), CommandPlace.PracticeOption());
        var command = new Command("fetch", "Asks the EHR what became of the delivered claims.")
        {
            month,
            practice,
            store,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    practice,
                    store,
                    clock,
                    async (place, _, output) =>
                    {
                        var report = await new FetchAnswers(place.Streams, clock).RunAsync(
                            place.Ehr,
                            parsed.GetValue(month)!,
                            cancel
                        );
                        await output.WriteLineAsync(
                            string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"Asked about {report.Looked} claims: {report.Found} new answers, {report.Moved} with a new status. {report.Problem}"
                                )
                                .TrimEnd()
                        );
                        return report.Problem is null ? 0 : 1;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Command Report(TimeProvider clock)
    {
        var store = CommandPlace.StoreOption();
        var (month, practice, format) = (CommandPlace.MonthOption(), CommandPlace.PracticeOption(), Format("csv"));
        var command = new Command(
            "report",
            "The month from issue to money: issued, delivered, answered, paid, with ages."
        )
        {
            month,
            practice,
            store,
            format,
        };
        command.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    practice,
                    store,
                    clock,
                    async (place, desk, output) =>
                    {
                        var claims = await desk.ListAsync(
                            place.Practice,
                            place.Ehr.Connection,
                            parsed.GetValue(month)!,
                            cancel
                        );
                        var report = Reconciliation.Of(parsed.GetValue(month)!, claims, clock.GetUtcNow());
                        await output.WriteLineAsync(
                            parsed.GetValue(format) switch
                            {
                                "json" => JsonSerializer.Serialize(
                                    new
                                    {
                                        report.Month,
                                        report.At,
                                        report.Stages,
                                        trouble = report.Trouble.Select(Row),
                                    },
                                    Indented
                                ),
                                "csv" => report.ToCsv().TrimEnd('\n'),
                                _ => Text(report),
                            }
                        );
                        return 0;
                    },
                    cancel
                )
        );
        return command;
    }

    private static Argument<string> Id() => new("id") { Description = "Logical id of the claim." };

    private static Option<string> Format(params string[] more)
    {
        var format = new Option<string>("--format")
        {
            Description = string.Join(" or ", ["text", "json", .. more]) + ".",
            DefaultValueFactory = _ => "text",
        };
        format.AcceptOnlyFromAmong(["text", "json", .. more]);
        return format;
    }

    private static Task<int> RunAsync(
        ParseResult parsed,
        Option<string?> practice,
        Option<string?> store,
        TimeProvider clock,
        Func<CommandPlace, ClaimDesk, TextWriter, Task<int>> run,
        CancellationToken cancel
    ) =>
        CommandPlace.RunAsync(
            parsed,
            parsed.GetValue(practice),
            parsed.GetValue(store),
            clock,
            (place, output) => run(place, new ClaimDesk(place.Streams, clock), output),
            cancel
        );

    private static string Money(decimal? amount) => amount?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";

    private static string Trouble(ClaimView claim) =>
        claim.Delivery.Accepted is null && claim.Delivery.Last?.Text is { Length: > 0 } text ? $"  {text}" : "";

    private static object Row(ClaimView claim) =>
        new
        {
            claim = claim.Id,
            patient = $"Patient/{claim.Patient}",
            identifier = claim.Identifier,
            state = claim.State,
            total = claim.Total,
            issuedAt = claim.IssuedAt,
            deliveredAt = claim.Delivery.AcceptedAt,
            ehrReference = claim.Delivery.Accepted?.EhrReference,
            ehrStatus = claim.EhrStatus,
            attempts = claim.Delivery.Attempts,
            nextTry = claim.Delivery.Standing == Standing.Waiting ? claim.Delivery.DueAt : null,
            problem = claim.Delivery.Accepted is null ? claim.Delivery.Last?.Problem : null,
            text = claim.Delivery.Accepted is null ? claim.Delivery.Last?.Text : null,
            paid = claim.Answer?.Amount,
            reasons = claim.Answer?.Reasons,
            advice = claim.Advice,
        };

    private static object Step(ClaimEvent step) =>
        new
        {
            at = step.At,
            what = JsonNamingPolicy.KebabCaseLower.ConvertName(step.Kind.ToString()),
            note = step.Kind == RecordKind.ClaimIssued ? null : DeliveryNote.FromBytes(step.Body),
        };

    private static string Text(ClaimView claim)
    {
        var lines = new List<string>
        {
            $"Claim/{claim.Id}  {claim.State}  {Money(claim.Total)}  Patient/{claim.Patient}",
            $"identifier  {claim.Identifier}",
        };
        foreach (var step in claim.Events)
        {
            var note = step.Kind == RecordKind.ClaimIssued ? new DeliveryNote() : DeliveryNote.FromBytes(step.Body);
            string?[] parts =
            [
                string.Create(CultureInfo.InvariantCulture, $"{step.At.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"),
                JsonNamingPolicy.KebabCaseLower.ConvertName(step.Kind.ToString()),
                note.Attempt > 0 ? string.Create(CultureInfo.InvariantCulture, $"try {note.Attempt}") : null,
                note.Status is { } status ? string.Create(CultureInfo.InvariantCulture, $"HTTP {status}") : null,
                note.EhrReference,
                note.EhrStatus,
                note.By is { } by && step.Kind is RecordKind.ClaimResent ? $"by {by}" : null,
                note.Text,
            ];
            lines.Add("  " + string.Join("  ", parts.Where(part => !string.IsNullOrEmpty(part))));
        }
        foreach (var answer in claim.Answers)
        {
            lines.Add(
                $"  {answer.Reference}  {answer.Kind.ToString().ToLowerInvariant()}  {Money(answer.Amount)}  {string.Join("; ", answer.Reasons)}".TrimEnd()
            );
        }
        if (claim.Advice is { } advice)
        {
            lines.Add(advice);
        }
        return string.Join('\n', lines);
    }

    private static string Text(Reconciliation report)
    {
        var lines = new List<string>
        {
            string.Create(CultureInfo.InvariantCulture, $"{report.Month} at {report.At.UtcDateTime:yyyy-MM-dd HH:mm}Z"),
        };
        lines.AddRange(
            report.Stages.Select(stage =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"  {stage.Name, -10} {stage.Count, 6}  {stage.Amount, 12:0.00}"
                ) + Open(stage)
            )
        );
        if (report.Trouble.Count > 0)
        {
            lines.Add("Needs a person:");
            lines.AddRange(
                report.Trouble.Select(claim =>
                    $"  {claim.Id}  {claim.State}{Trouble(claim)}  {string.Join("; ", claim.Answer?.Reasons ?? [])}  {claim.Advice}".TrimEnd()
                )
            );
        }
        return string.Join('\n', lines);
    }

    private static string Open(ReconciliationStage stage) =>
        stage.OldestOpen is { } oldest
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"  {stage.Open} wait, the oldest for {oldest.TotalDays:0.0} days"
            )
            : "";
}
