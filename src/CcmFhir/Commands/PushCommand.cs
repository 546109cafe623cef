using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using CcmFhir.Ehr;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir push</c>: issued claims of a month go to the practice's EHR.</summary>
internal static class PushCommand
{
    /// <summary>Builds the command. Exit code 0: all delivered; 1: something waits or needs a person; 2: could not run.</summary>
    public static Command Build(TimeProvider clock)
    {
        var month = CommandPlace.MonthOption();
        var wait = new Option<bool>("--wait")
        {
            Description = "Goes on until nothing more comes by itself, pauses between tries included.",
        };
        var format = CommandPlace.FormatOption();
        return CommandPlace.Define(
            "push",
            "Sends the issued claims of a month to the practice's EHR.",
            clock,
            [month, wait, format],
            async (run, cancel) =>
            {
                var report = await PushAsync(
                    run.Place,
                    clock,
                    run.Parsed.GetValue(month)!,
                    run.Parsed.GetValue(wait),
                    cancel
                );
                await run.Output.WriteLineAsync(
                    run.Parsed.GetValue(format) == "json" ? Json(report) : Text(report, run.Parsed.GetValue(month)!)
                );
                return report.Claims.All(claim => claim.Standing == Standing.Delivered) ? 0 : 1;
            }
        );
    }

    private static async Task<PushReport> PushAsync(
        CommandPlace place,
        TimeProvider clock,
        string month,
        bool wait,
        CancellationToken cancel
    )
    {
        var push = new PushClaims(place.Streams, clock, $"push-{Environment.ProcessId}");
        while (true)
        {
            var report = await push.RunAsync(place.Ehr, month, null, cancel);
            if (!wait || report.NextDue is not { } due)
            {
                return report;
            }
            var pause = due - clock.GetUtcNow();
            // A step beyond the appointment, so that it is due when it is looked at.
            await Task.Delay(TimeSpan.FromSeconds(Math.Clamp(pause.TotalSeconds + 0.05, 0.2, 3600)), clock, cancel);
        }
    }

    private static string Text(PushReport report, string month)
    {
        var lines = new List<string>
        {
            string.Create(
                CultureInfo.InvariantCulture,
                $"{month}: {report.Claims.Count} claims; {report.Count(Standing.Delivered)} delivered, {report.Count(Standing.Waiting) + report.Count(Standing.Due)} waiting, {report.Count(Standing.Sending)} under way, {report.Count(Standing.Refused)} refused, {report.Count(Standing.NeedsPerson)} need a person."
            ),
        };
        if (report.Paused is { } paused)
        {
            lines.Add($"The EHR is left alone for now: {paused}");
        }
        lines.AddRange(
            report
                .Claims.Where(claim => claim.Standing != Standing.Delivered)
                .Select(claim =>
                    $"  {claim.ClaimId}  {ClaimsText.Word(claim.Standing)}  {claim.Text}"
                    + (
                        claim.DueAt is { } due
                            ? string.Create(
                                CultureInfo.InvariantCulture,
                                $"  next try {due.UtcDateTime:yyyy-MM-dd HH:mm:ss}Z"
                            )
                            : ""
                    )
                )
        );
        return string.Join('\n', lines);
    }

    private static string Json(PushReport report) =>
        JsonSerializer.Serialize(
            new
            {
                paused = report.Paused,
                claims = report.Claims.Select(claim => new
                {
                    claim = claim.ClaimId,
                    standing = ClaimsText.Word(claim.Standing),
                    tried = claim.Tried,
                    dueAt = claim.DueAt,
                    text = claim.Text,
                }),
            },
            ClaimsText.Indented
        );
}
