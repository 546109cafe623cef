using CcmFhir.Domain;
using CcmFhir.MonthEnd;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>Closing a month: what it would bring, the word to do it, how far it is, what came of it.</summary>
internal sealed class ClosePages(MonthBoard board, CloseJobs jobs, TimeProvider clock)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(500);

    /// <summary>What would be billed and held, and why; changes nothing.</summary>
    public async Task<IResult> PreviewAsync(HttpContext http, string practice, string month)
    {
        var (file, serviceMonth, problem) = await MonthAdmission.OfAsync(http, practice, month, PageRight.CloseMonth);
        if (problem is not null)
        {
            return problem;
        }
        var found = await board.MonthAsync(file, serviceMonth, http.RequestAborted);
        PageTrail.Shows(
            http,
            found
                .Rows.Where(row => row.Correction.Kind != CorrectionKind.Nothing || row.Line.State == MonthState.Held)
                .Select(row => row.Line.PatientId)
        );
        return new RazorComponentResult<ClosePage>(
            new Dictionary<string, object?>
            {
                ["PracticeName"] = file.Practice.Name,
                ["Month"] = Shown.Month(serviceMonth.Year, serviceMonth.Month),
                ["WorklistAddress"] = PageAddress.Month(practice, serviceMonth),
                ["PatientAddress"] = (Func<string, string>)(id => PageAddress.Patient(practice, id, serviceMonth)),
                ["Over"] = CloseMonth.Over(file, serviceMonth, clock.GetUtcNow()),
                ["Issue"] = Lines(found, CorrectionKind.Original),
                ["Replace"] = Lines(found, CorrectionKind.Replacement),
                ["Void"] = Lines(found, CorrectionKind.Void),
                ["Held"] = found
                    .Rows.Where(row => row.Line.State == MonthState.Held)
                    .Select(row => row.Line)
                    .OrderByDescending(row => row.Amount)
                    .ThenBy(row => row.Name, StringComparer.OrdinalIgnoreCase)
                    .ToList(),
                ["Standing"] = found.Rows.Count(row =>
                    row.Billed.Count > 0 && row.Correction.Kind == CorrectionKind.Nothing
                ),
                ["Others"] = found.Rows.Count(row =>
                    row.Billed.Count == 0
                    && row.Line.State != MonthState.Held
                    && row.Correction.Kind == CorrectionKind.Nothing
                ),
            }
        );
    }

    /// <summary>Begins it, and goes on to how far it is. Sent twice, it is begun once; done twice, the second changes nothing.</summary>
    public async Task<IResult> BeginAsync(HttpContext http, string practice, string month)
    {
        var (file, serviceMonth, problem) = await MonthAdmission.OfAsync(http, practice, month, PageRight.CloseMonth);
        if (problem is not null)
        {
            return problem;
        }
        if (!CloseMonth.Over(file, serviceMonth, clock.GetUtcNow()))
        {
            return PagesRoom.Problem(
                409,
                "The month is still running",
                $"{Shown.Month(serviceMonth.Year, serviceMonth.Month)} ends at midnight of {serviceMonth.LastDay:yyyy-MM-dd} in {file.Practice.TimeZone.Id}. Close it then; nothing was done now.",
                ("The month's worklist", PageAddress.Month(practice, serviceMonth))
            );
        }
        var job = jobs.Begin(file, serviceMonth);
        http.Response.Headers.Location = $"{PageAddress.Month(practice, serviceMonth)}/close/{job.Id}";
        return Results.StatusCode(StatusCodes.Status303SeeOther);
    }

    /// <summary>How far it is, or what came of it. Loading it again changes nothing.</summary>
    public async Task<IResult> ResultAsync(HttpContext http, string practice, string month, string id)
    {
        var (file, serviceMonth, problem) = await MonthAdmission.OfAsync(http, practice, month, PageRight.CloseMonth);
        if (problem is not null)
        {
            return problem;
        }
        var worklist = PageAddress.Month(practice, serviceMonth);
        if (jobs.Find(practice, serviceMonth, id) is not { Work: { } work } job)
        {
            return PagesRoom.Problem(
                404,
                "This close is not known here",
                "It was begun on another instance, or before the last start. What it issued is on the worklist; closing again changes nothing that is right already.",
                ("The month's worklist", worklist)
            );
        }
        await Task.WhenAny(work, Task.Delay(Patience, clock, http.RequestAborted));
        if (!work.IsCompleted)
        {
            http.Response.Headers["Refresh"] = "2";
        }
        var result = work.IsCompletedSuccessfully ? await work : null;
        return new RazorComponentResult<CloseResultPage>(
            new Dictionary<string, object?>
            {
                ["PracticeName"] = file.Practice.Name,
                ["Month"] = Shown.Month(serviceMonth.Year, serviceMonth.Month),
                ["Address"] = $"{worklist}/close/{id}",
                ["WorklistAddress"] = worklist,
                ["PatientAddress"] =
                    (Func<string, string>)(patient => PageAddress.Patient(practice, patient, serviceMonth)),
                ["Began"] = Shown.Instant(job.BeganAt, file.Practice.TimeZone),
                ["Done"] = job.Progress.Done,
                ["All"] = job.Progress.All,
                ["Running"] = !work.IsCompleted,
                ["Fault"] =
                    work.IsCompleted && result is null
                        ? work.IsCanceled
                            ? "The server was stopped in between."
                            : work.Exception?.InnerException?.Message ?? "It could not be finished."
                        : null,
                ["Outcome"] = result is null ? null : Outcome(result),
            }
        );
    }

    private static List<ClosePage.Line> Lines(BoardMonth month, CorrectionKind kind) =>
        [
            .. month
                .Rows.Where(row => row.Correction.Kind == kind)
                .OrderBy(row => row.Line.Name, StringComparer.OrdinalIgnoreCase)
                .Select(row => new ClosePage.Line(
                    row.Line.PatientId,
                    row.Line.Name,
                    string.Join(", ", row.Correction.Lines.Select(DecisionText.Line)),
                    row.Correction.Lines.Sum(line => line.Net),
                    row.Correction.Why
                )),
        ];

    private static CloseResultPage.Figures Outcome(CloseResult result) =>
        new(
            result.Issued.Count,
            result.Standing,
            result.Decisions.Count(decision => decision.IsHeld),
            result.Decisions.Sum(decision => decision.Total),
            result.Decisions.Count,
            [
                .. result.Faults.Select(fault =>
                    (fault.Patient[(fault.Patient.IndexOf('/', StringComparison.Ordinal) + 1)..], fault.Text)
                ),
            ]
        );
}
