using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Intake;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir pull</c>: reads what changed from a practice's EHR.</summary>
internal static class PullCommand
{
    private const int Shown = 50;

    /// <summary>Builds the command. Exit code 0: all was read and taken; 1: something could not be read or was refused; 2: could not run.</summary>
    public static Command Build(TimeProvider clock)
    {
        var full = new Option<bool>("--full") { Description = "Reads everything, whatever was read before." };
        var format = CommandPlace.FormatOption();
        return CommandPlace.Define(
            "pull",
            "Reads what changed at the practice's EHR since the last time: what notifications named, then a search per patient or a bulk export ('ehr.pull' in the practice file).",
            clock,
            [full, format],
            async (run, cancel) =>
            {
                var place = run.Place;
                var take = new TakeFetched(
                    new ReceiveBundle(place.Streams, HouseDoor.Open(), clock),
                    trail: null,
                    clock
                );
                var queue = new FetchQueue(place.Store);
                var (taken, problem, everything) = await new FetchNotified(queue, take, clock).RunAsync(
                    place.Ehr,
                    place.File,
                    cancel
                );
                var report = await new PullChanges(place.Store, take, clock).RunAsync(
                    place.Ehr,
                    place.File,
                    run.Parsed.GetValue(full),
                    cancel
                );
                if (everything && report.Problem is null)
                {
                    await queue.DoneAsync(place.Practice, [FetchQueue.Everything], clock.GetUtcNow(), cancel);
                }
                taken += report.Taken;
                problem ??= report.Problem;
                await run.Output.WriteLineAsync(
                    run.Parsed.GetValue(format) == "json"
                        ? Json(report.Patients, taken, problem)
                        : Text(report.Patients, taken, problem)
                );
                return problem is null && taken.Refused.Count == 0 ? 0 : 1;
            }
        );
    }

    private static string Text(int patients, TakenReport taken, string? problem) =>
        string.Join(
            '\n',
            [
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{patients} patients read; {taken.Changed} resources new or changed, {taken.Unchanged} as before, {taken.Refused.Count} refused."
                ),
                .. taken.Refused.Take(Shown).Select(one => $"  {one.Reference}  {one.Rule}  {one.Text}"),
                .. problem is null ? [] : (string[])[problem],
            ]
        );

    private static string Json(int patients, TakenReport taken, string? problem) =>
        JsonSerializer.Serialize(
            new
            {
                patients,
                changed = taken.Changed,
                unchanged = taken.Unchanged,
                refused = taken.Refused.Select(one => new
                {
                    resource = one.Reference,
                    code = one.Rule,
                    text = one.Text,
                }),
                problem,
            }
        );
}
