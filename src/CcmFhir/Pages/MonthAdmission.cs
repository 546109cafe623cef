using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>A practice and a month that somebody may look at, or the page that says why not.</summary>
/// <param name="File">The practice.</param>
/// <param name="Month">The month.</param>
/// <param name="Problem">Null when they may.</param>
internal sealed record MonthAdmission(PracticeFile File, ServiceMonth Month, IResult? Problem)
{
    /// <summary>Reads the address and asks the gate.</summary>
    public static async Task<MonthAdmission> OfAsync(
        HttpContext http,
        string practice,
        string month,
        PageRight right,
        string? patient = null
    )
    {
        var services = http.RequestServices;
        if (services.GetRequiredService<Practices>().Find(practice) is not { } file)
        {
            return new MonthAdmission(
                null!,
                default,
                PagesRoom.Problem(
                    404,
                    "No such practice",
                    "There is no practice of that name here. The start page lists those that are."
                )
            );
        }
        if (await services.GetRequiredService<PageGate>().RefuseAsync(http, file, right, patient) is { } refused)
        {
            return new MonthAdmission(file, default, refused);
        }
        var rules = services.GetRequiredService<RuleSet>();
        if (!ServiceMonth.TryParse(month, out var parsed) || rules.NameFor(parsed) is null)
        {
            var now = ServiceMonth.Of(services.GetRequiredService<TimeProvider>().GetUtcNow(), file.Practice.TimeZone);
            return new MonthAdmission(
                file,
                default,
                PagesRoom.Problem(
                    404,
                    "No such month",
                    $"'{month}' is no month that can be decided: write it as yyyy-MM, from {rules.First:yyyy-MM} to {rules.Last:yyyy-MM}.",
                    ("The running month", PageAddress.Month(practice, now))
                )
            );
        }
        return new MonthAdmission(file, parsed, null);
    }
}
