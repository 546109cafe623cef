using CcmFhir.Access;
using CcmFhir.Options;
using CcmFhir.Trail;

namespace CcmFhir.Pages;

/// <summary>What the audit trail says of pages: who saw which patients, and who signed in or could not.</summary>
internal static class PageTrail
{
    private static readonly object Patients = new();

    /// <summary>Tells whose data a page shows.</summary>
    public static void Shows(HttpContext http, IEnumerable<string> patients) =>
        http.Items[Patients] = (IReadOnlyList<string>)[.. patients];

    /// <summary>Notes a page of a practice before it is given out. False when the trail cannot take it: then it is not.</summary>
    public static bool Note(HttpContext http, object? result)
    {
        var practice = http.Request.RouteValues["practice"] as string;
        if (
            practice is null
            || http.Request.Path.StartsWithSegments("/auth", StringComparison.Ordinal)
            || http.RequestServices.GetRequiredService<Practices>().Find(practice) is null
        )
        {
            return true;
        }
        var status = (result as IStatusCodeHttpResult)?.StatusCode ?? StatusCodes.Status200OK;
        return Write(
            http,
            practice,
            PageFrame.Of(http).User,
            "page",
            status,
            status < 400 ? http.Items[Patients] as IReadOnlyList<string> : null
        );
    }

    /// <summary>Notes a sign-in.</summary>
    /// <param name="http">The request.</param>
    /// <param name="practice">Slug.</param>
    /// <param name="user">Who; null when nobody was let in.</param>
    public static void SignedIn(HttpContext http, string practice, PageUser? user) =>
        Write(
            http,
            practice,
            user,
            "login",
            user is null ? StatusCodes.Status400BadRequest : StatusCodes.Status200OK,
            null
        );

    private static bool Write(
        HttpContext http,
        string practice,
        PageUser? user,
        string what,
        int status,
        IReadOnlyList<string>? patients
    ) =>
        http
            .RequestServices.GetRequiredService<AccessTrail>()
            .Note(
                RequestTrail.Base(
                    http,
                    practice,
                    http.Items[typeof(AccessContext)] as AccessContext
                        ?? (
                            user is null ? null
                            : user.Practice is null ? AccessContext.Unrestricted(practice, "development")
                            : new AccessContext(practice, "pages", [], User: user.Id)
                        ),
                    http.RequestServices.GetRequiredService<TimeProvider>().GetUtcNow()
                ) with
                {
                    Do = what,
                    // The callback's query holds the authorization code, and a search's somebody's name.
                    Url = http.Request.Path.Value!.TrimStart('/'),
                    Status = status,
                    Patients = patients is { Count: > 0 } ? patients : null,
                    Why = status is 401 or 403 ? "not let in" : null,
                }
            );
}
