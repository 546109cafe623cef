using System.Globalization;
using System.Text;
using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The pages of a month: worklist and one patient.</summary>
internal sealed class MonthPages(
    MonthBoard board,
    MonthTrend trend,
    StreamRecords records,
    CloseMonth close,
    RuleSet rules,
    ClaimDesk desk,
    TimeProvider clock
)
{
    /// <summary>The worklist, as a page or, where the address ends in <c>.csv</c>, as a table.</summary>
    public async Task<IResult> WorklistAsync(HttpContext http, string practice, string month)
    {
        var csv = month.EndsWith(".csv", StringComparison.Ordinal);
        var (file, serviceMonth, problem) = await MonthAdmission.OfAsync(
            http,
            practice,
            csv ? month[..^4] : month,
            PageRight.SeeMonth
        );
        if (problem is not null)
        {
            return problem;
        }
        var found = await board.MonthAsync(file, serviceMonth, http.RequestAborted);
        var rows = found.Rows.Select(row => row.Line).ToList();
        var query = WorklistQuery.Read(http.Request.Query);
        var fitting = query.Apply(rows);
        PageTrail.Shows(http, (csv ? fitting : query.Shown(fitting)).Select(row => row.PatientId));
        if (csv)
        {
            http.Response.Headers.ContentDisposition = $"attachment; filename=\"{practice}-{serviceMonth}.csv\"";
            return Results.Text(WorklistCsv.Write(fitting), "text/csv; charset=utf-8", Encoding.UTF8);
        }
        return new RazorComponentResult<WorklistPage>(
            new Dictionary<string, object?>
            {
                ["PracticeName"] = file.Practice.Name,
                ["Month"] = Shown.Month(serviceMonth.Year, serviceMonth.Month),
                ["Standing"] = Standing(file, serviceMonth, clock.GetUtcNow()),
                ["AsOf"] = Shown.Instant(found.AsOf, file.Practice.TimeZone),
                ["Address"] = PageAddress.Month(practice, serviceMonth),
                ["Previous"] = Neighbour(practice, serviceMonth.Previous),
                ["Following"] = Neighbour(practice, serviceMonth.Next),
                ["MayClose"] = PageFrame.Of(http).User?.May(PageRight.CloseMonth, practice) == true,
                ["PatientAddress"] = (Func<string, string>)(id => PageAddress.Patient(practice, id, serviceMonth)),
                ["Query"] = query,
                ["All"] = rows,
                ["Fitting"] = fitting,
                ["Trend"] = await trend.OfAsync(file, serviceMonth),
            }
        );
    }

    /// <summary>One patient's month.</summary>
    public async Task<IResult> PatientAsync(HttpContext http, string practice, string id, string month)
    {
        var (file, serviceMonth, problem) = await MonthAdmission.OfAsync(
            http,
            practice,
            month,
            PageRight.SeePatient,
            id
        );
        if (problem is not null)
        {
            return problem;
        }
        var record = LogicalId.IsValid(id)
            ? await records.ReadAsync(JournalNames.PatientStream(practice, id), http.RequestAborted)
            : StreamRecord.Empty("");
        if (record.Position == 0)
        {
            return PagesRoom.Problem(
                404,
                "No such patient",
                "This practice has received nothing of a patient with that id. A patient whom the EHR knows shows up here with the first resource that it sends.",
                ("The month's worklist", PageAddress.Month(practice, serviceMonth))
            );
        }
        var found = await close.ReadAsync(file, record, serviceMonth, clock.GetUtcNow(), http.RequestAborted);
        PageTrail.Shows(http, [id]);
        return new RazorComponentResult<PatientMonthPage>(
            new Dictionary<string, object?>
            {
                ["Name"] = PatientName.Of(record, id),
                ["PracticeName"] = file.Practice.Name,
                ["Month"] = Shown.Month(serviceMonth.Year, serviceMonth.Month),
                ["Address"] = PageAddress.Patient(practice, id, serviceMonth),
                ["Previous"] = PatientNeighbour(practice, id, serviceMonth.Previous),
                ["Following"] = PatientNeighbour(practice, id, serviceMonth.Next),
                ["WorklistAddress"] = PageAddress.Month(practice, serviceMonth),
                ["Decision"] = found.Decision,
                ["Zone"] = file.Practice.TimeZone,
                ["Claims"] = found
                    .Claims.Select(claim => ClaimStory.Of(claim, desk.View(record, claim.Journey, file.Ehr), file))
                    .ToList(),
            }
        );
    }

    private string? Neighbour(string practice, ServiceMonth month) =>
        rules.NameFor(month) is null ? null : PageAddress.Month(practice, month);

    private string? PatientNeighbour(string practice, string id, ServiceMonth month) =>
        rules.NameFor(month) is null ? null : PageAddress.Patient(practice, id, month);

    private static string Standing(PracticeFile file, ServiceMonth month, DateTimeOffset now)
    {
        var today = ServiceMonth.LocalDay(now, file.Practice.TimeZone);
        return today > month.LastDay ? "The month is over."
            : today < month.FirstDay ? "The month has not begun."
            : string.Create(CultureInfo.InvariantCulture, $"{month.LastDay.DayNumber - today.DayNumber} days left.");
    }
}
