using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CcmFhir.Ehr;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Intake;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir claims</c>: what became of the claims, and what a person can do about one.</summary>
internal static class ClaimsCommand
{
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

    private static Command List(TimeProvider clock)
    {
        var (month, format) = (CommandPlace.MonthOption(), CommandPlace.FormatOption("csv"));
        var state = new Option<string?>("--state")
        {
            Description =
                "Only claims that stand so: waiting, sending, needs-person, refused, delivered, pending, rejected, denied, paid.",
        };
        return CommandPlace.Define(
            "list",
            "The claims of a month.",
            clock,
            [month, state, format],
            async (run, cancel) =>
            {
                var desk = new ClaimDesk(run.Place.Streams, clock);
                var claims = await desk.ListAsync(
                    run.Place.Practice,
                    run.Place.Ehr.Connection,
                    run.Parsed.GetValue(month)!,
                    cancel
                );
                if (run.Parsed.GetValue(state) is { } wanted)
                {
                    claims = [.. claims.Where(claim => claim.State == wanted)];
                }
                await run.Output.WriteLineAsync(
                    run.Parsed.GetValue(format) switch
                    {
                        "json" => JsonSerializer.Serialize(claims.Select(ClaimsText.Row), ClaimsText.Indented),
                        "csv" => Reconciliation
                            .Of(run.Parsed.GetValue(month)!, claims, clock.GetUtcNow())
                            .ToCsv()
                            .TrimEnd('\n'),
                        _ => string.Join(
                            '\n',
                            claims
                                .Select(claim =>
                                    $"{claim.Id}  {claim.State, -12}  {ClaimsText.Money(claim.Total), 9}  {claim.Delivery.Accepted?.EhrReference}{ClaimsText.Trouble(claim)}".TrimEnd()
                                )
                                .Prepend($"{claims.Count} claims")
                        ),
                    }
                );
                return 0;
            }
        );
    }

    private static Command Show(TimeProvider clock)
    {
        var format = CommandPlace.FormatOption();
        var id = Id();
        return CommandPlace.Define(
            "show",
            "One claim and everything that happened to it.",
            clock,
            [id, format],
            async (run, cancel) =>
            {
                var desk = new ClaimDesk(run.Place.Streams, clock);
                var claim = await desk.ShowAsync(
                    run.Place.Practice,
                    run.Place.Ehr.Connection,
                    run.Parsed.GetValue(id)!,
                    cancel
                );
                if (claim is null)
                {
                    await run.Output.WriteLineAsync($"There is no claim {run.Parsed.GetValue(id)}.");
                    return 1;
                }
                await run.Output.WriteLineAsync(
                    run.Parsed.GetValue(format) == "json"
                        ? JsonSerializer.Serialize(
                            new
                            {
                                claim = ClaimsText.Row(claim),
                                events = claim.Events.Select(ClaimsText.Step),
                                answers = claim.Answers,
                            },
                            ClaimsText.Indented
                        )
                        : ClaimsText.Text(claim)
                );
                return 0;
            }
        );
    }

    private static Command Resend(TimeProvider clock)
    {
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
        return CommandPlace.Define(
            "resend",
            "Sends claims again with the next push.",
            clock,
            [ids, refused, notThere, by, why],
            async (run, cancel) =>
            {
                var desk = new ClaimDesk(run.Place.Streams, clock);
                var wanted = run.Parsed.GetValue(ids)!.ToList();
                if (run.Parsed.GetValue(refused) is { } month)
                {
                    var claims = await desk.ListAsync(run.Place.Practice, run.Place.Ehr.Connection, month, cancel);
                    wanted.AddRange(claims.Where(claim => claim.State == "refused").Select(claim => claim.Id));
                }
                var failed = 0;
                foreach (var id in wanted)
                {
                    var answer = await desk.ResendAsync(
                        run.Place.Practice,
                        run.Place.Ehr.Connection,
                        id,
                        run.Parsed.GetValue(notThere),
                        run.Parsed.GetValue(by)!,
                        run.Parsed.GetValue(why)!,
                        cancel
                    );
                    failed += answer.Done ? 0 : 1;
                    await run.Output.WriteLineAsync(answer.Text);
                }
                return failed == 0 ? 0 : 1;
            }
        );
    }

    private static Command Confirm(TimeProvider clock)
    {
        var id = Id();
        var reference = new Option<string?>("--as") { Description = "What the EHR calls it, such as Claim/123." };
        var by = new Option<string>("--by")
        {
            Description = "Who you are, for the journal.",
            DefaultValueFactory = _ => Environment.UserName,
        };
        return CommandPlace.Define(
            "confirm",
            "You have seen the claim at the EHR: it counts as delivered.",
            clock,
            [id, reference, by],
            async (run, cancel) =>
            {
                var desk = new ClaimDesk(run.Place.Streams, clock);
                var answer = await desk.ConfirmAsync(
                    run.Place.Practice,
                    run.Place.Ehr.Connection,
                    run.Parsed.GetValue(id)!,
                    run.Parsed.GetValue(reference),
                    run.Parsed.GetValue(by)!,
                    cancel
                );
                await run.Output.WriteLineAsync(answer.Text);
                return answer.Done ? 0 : 1;
            }
        );
    }

    private static Command Fetch(TimeProvider clock)
    {
        var month = CommandPlace.MonthOption();
        return CommandPlace.Define(
            "fetch",
            "Asks the EHR what became of the delivered claims.",
            clock,
            [month],
            async (run, cancel) =>
            {
                var report = await new FetchAnswers(
                    run.Place.Streams,
                    new TakeFetched(new ReceiveBundle(run.Place.Streams, HouseDoor.Open(), clock), trail: null, clock),
                    run.Place.Sessions.Practices,
                    clock
                ).RunAsync(run.Place.Ehr, run.Parsed.GetValue(month)!, cancel);
                await run.Output.WriteLineAsync(
                    string.Create(
                            CultureInfo.InvariantCulture,
                            $"Asked about {report.Looked} claims: {report.Found} new answers, {report.Moved} with a new status. {report.Problem}"
                        )
                        .TrimEnd()
                );
                return report.Problem is null ? 0 : 1;
            }
        );
    }

    private static Command Report(TimeProvider clock)
    {
        var (month, format) = (CommandPlace.MonthOption(), CommandPlace.FormatOption("csv"));
        return CommandPlace.Define(
            "report",
            "The month from issue to money: issued, delivered, answered, paid, with ages.",
            clock,
            [month, format],
            async (run, cancel) =>
            {
                var desk = new ClaimDesk(run.Place.Streams, clock);
                var claims = await desk.ListAsync(
                    run.Place.Practice,
                    run.Place.Ehr.Connection,
                    run.Parsed.GetValue(month)!,
                    cancel
                );
                var report = Reconciliation.Of(run.Parsed.GetValue(month)!, claims, clock.GetUtcNow());
                await run.Output.WriteLineAsync(
                    run.Parsed.GetValue(format) switch
                    {
                        "json" => JsonSerializer.Serialize(
                            new
                            {
                                report.Month,
                                report.At,
                                report.Stages,
                                trouble = report.Trouble.Select(ClaimsText.Row),
                            },
                            ClaimsText.Indented
                        ),
                        "csv" => report.ToCsv().TrimEnd('\n'),
                        _ => ClaimsText.Text(report),
                    }
                );
                return 0;
            }
        );
    }

    private static Argument<string> Id() => new("id") { Description = "Logical id of the claim." };
}
