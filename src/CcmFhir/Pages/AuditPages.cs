using CcmFhir.Audit;
using CcmFhir.Fhir;
using Microsoft.AspNetCore.Http.HttpResults;

namespace CcmFhir.Pages;

/// <summary>The audit packet of one patient's month, to read and print.</summary>
/// <param name="make">Makes it.</param>
internal sealed class AuditPages(MakeAuditPacket make)
{
    /// <summary>The page.</summary>
    public async Task<IResult> ShowAsync(HttpContext http, string practice, string id, string month)
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
        PageTrail.Shows(http, [id]);
        return LogicalId.IsValid(id) && await make.RunAsync(file, id, serviceMonth, http.RequestAborted) is { } packet
            ? new RazorComponentResult<AuditPage>(
                new Dictionary<string, object?>
                {
                    ["Heading"] = packet.Title,
                    ["Sections"] = packet.Sections,
                    ["Trail"] =
                        (IReadOnlyList<(string, string)>)
                            [
                                (file.Practice.Name, PageAddress.Month(practice, serviceMonth)),
                                (
                                    Shown.Month(serviceMonth.Year, serviceMonth.Month),
                                    PageAddress.Patient(practice, id, serviceMonth)
                                ),
                                ("Audit packet", PageAddress.Patient(practice, id, serviceMonth) + "/audit"),
                            ],
                }
            )
            : PagesRoom.Problem(
                404,
                "No such patient",
                "This practice has received nothing of a patient with that id.",
                ("The month's worklist", PageAddress.Month(practice, serviceMonth))
            );
    }
}
