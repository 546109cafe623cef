using CcmFhir.Access;
using CcmFhir.Options;
using CcmFhir.Pages;

namespace CcmFhir.Trail;

/// <summary>Notes who looked at which page of a practice: its worklists, its patients.</summary>
internal static class PageTrail
{
    /// <summary>Puts it around the pages.</summary>
    public static void UsePageTrail(this WebApplication app)
    {
        var practices = app.Services.GetRequiredService<Practices>();
        var trail = app.Services.GetRequiredService<AccessTrail>();
        var clock = app.Services.GetRequiredService<TimeProvider>();
        app.Use(
            async (http, next) =>
            {
                var path = (http.Request.Path.Value ?? "").Split('/', StringSplitOptions.RemoveEmptyEntries);
                if (path is not [var practice, "months" or "patients", ..] || practices.Find(practice) is null)
                {
                    await next(http);
                    return;
                }
                if (trail.IsFull)
                {
                    http.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                    return;
                }
                var at = clock.GetUtcNow();
                await next(http);
                var user = PageFrame.Of(http).User;
                var access = http.Items[typeof(AccessContext)] as AccessContext;
                trail.Note(
                    RequestTrail.Base(http, practice, access, at) with
                    {
                        Do = "page",
                        By =
                            access?.Client
                            ?? (
                                user is null ? "anonymous"
                                : user == PageUser.Development ? "development"
                                : "pages"
                            ),
                        User = access?.User ?? (user is { Name.Length: > 0 } ? user.Name : null),
                        Url = string.Join('/', path.Skip(1)) + http.Request.QueryString.Value,
                        Patients =
                            path is [_, "patients", var patient, ..] && http.Response.StatusCode == 200
                                ? [patient]
                                : null,
                        Why = http.Response.StatusCode is 401 or 403 ? "not let in" : null,
                    }
                );
            }
        );
    }
}
