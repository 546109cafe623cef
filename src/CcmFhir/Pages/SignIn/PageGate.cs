using CcmFhir.Access;
using CcmFhir.Options;
using Microsoft.AspNetCore.Authentication;

namespace CcmFhir.Pages;

/// <summary>The gate before the pages: development mode, a session of somebody signed in, or a bearer token.</summary>
/// <param name="access">Whether development mode is on.</param>
/// <param name="gate">Reads bearer tokens.</param>
/// <param name="sessions">How long a session lasts.</param>
internal sealed class PageGate(AccessSettings access, AccessGate gate, SessionSettings sessions)
{
    /// <summary>Who looks, as far as that can be told without a practice; null for nobody.</summary>
    public async Task<PageUser?> UserAsync(HttpContext http) =>
        access.Open && !Proxied(http) ? PageUser.Development
        : (await http.AuthenticateAsync(SessionSettings.Scheme)).Principal is { } principal
            ? SessionClaims.Read(principal)
        : null;

    /// <summary>Lets somebody in, or gives the page that says why not.</summary>
    /// <param name="http">The request.</param>
    /// <param name="file">The practice; null for pages of none.</param>
    /// <param name="right">What is asked for.</param>
    /// <param name="patient">Whose data; null for nobody's in particular.</param>
    public async Task<IResult?> RefuseAsync(
        HttpContext http,
        PracticeFile? file,
        PageRight right,
        string? patient = null
    )
    {
        var practice = file?.Practice.Slug;
        var user = PageFrame.Of(http).User;
        if (user is null && file is not null && (http.Request.Headers.Authorization.Count > 0 || access.Open))
        {
            var admitted = await gate.AdmitAsync(http, practice!, file.Issuers);
            if (admitted.Context is not { } context)
            {
                AccessGate.Challenge(http.Response, "invalid_token", admitted.Fault!);
                return PagesRoom.Problem(401, "Sign-in is needed", admitted.Fault!);
            }
            user = OfToken(context);
        }
        if (user is null)
        {
            return SignInNeeded(http, file);
        }
        if (practice is not null && user.Practice is not null && user.Practice != practice)
        {
            return PagesRoom.Problem(
                403,
                "Another practice's page",
                $"You are signed in for '{user.Practice}'. To see this page, sign out and sign in for its own practice.",
                ("Your practice", $"/{user.Practice}")
            );
        }
        return user.May(right, practice, patient)
            ? null
            : PagesRoom.Problem(
                403,
                "Not for this sign-in",
                user.Roles == PageRoles.None && user.ByCookie
                        ? $"You are signed in as {user.Name} and have no role here yet. Ask whoever keeps the practice file to give you one ('signIn.users' or 'signIn.roles')."
                    : right == PageRight.CloseMonth
                        ? "Only billers and administrators close a month. You can see what it would bring on the worklist."
                    : "What was signed in with may not see this page."
            );
    }

    private static PageUser OfToken(AccessContext context)
    {
        var sees = context.Missing("Patient", Interactions.Read) is null;
        var bills = context.Missing("Claim", Interactions.Create) is null;
        var reads = context.Missing("Claim", Interactions.Read) is null;
        return new PageUser(
            context.User ?? context.Client,
            context.Practice,
            (sees && (reads || context.Patient is not null) ? PageRoles.CareManager : PageRoles.None)
                | (sees && reads && bills ? PageRoles.Biller : PageRoles.None),
            context.Patient
        );
    }

    private IResult SignInNeeded(HttpContext http, PracticeFile? file)
    {
        var here = http.Request.Path + http.Request.QueryString;
        var link = file is { SignIns.Count: > 0 }
            ? $"/auth/{file.Practice.Slug}/sign-in?return={Uri.EscapeDataString(HttpMethods.IsGet(http.Request.Method) ? here : "/")}"
            : null;
        if (http.Request.Cookies.ContainsKey(SessionSettings.Cookie))
        {
            http.Response.Cookies.Delete(SessionSettings.Cookie);
            return PagesRoom.Problem(
                401,
                "Your session has ended",
                $"A session ends after {sessions.Idle.TotalMinutes:0} minutes without use, and after {sessions.Longest.TotalHours:0} hours in any case. Nothing is lost: sign in, and you are back where you were.",
                ("Sign in", link ?? "/")
            );
        }
        return link is not null
            ? PagesRoom.Problem(
                401,
                "Sign-in is needed",
                $"This page is for the staff of {file!.Practice.Name}.",
                ("Sign in", link)
            )
            : PagesRoom.Problem(
                401,
                "Sign-in is needed",
                file is null
                    ? "Begin at the start page and sign in for your practice."
                    : "The practice file names no way to sign in ('signIn'). With a bearer token the page can be fetched all the same."
            );
    }

    // A proxy in front means that others can reach us after all.
    private static bool Proxied(HttpContext http) =>
        http.Request.Headers.ContainsKey("X-Forwarded-For") || http.Request.Headers.ContainsKey("X-Forwarded-Host");
}
