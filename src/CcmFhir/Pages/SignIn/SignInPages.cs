using System.Globalization;
using CcmFhir.Options;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace CcmFhir.Pages;

/// <summary>Where people sign in, arrive from an EHR, and sign out.</summary>
internal static class SignInPages
{
    private const int Longest = 300;

    /// <summary>Adds the routes.</summary>
    public static void MapSignIn(this IEndpointRouteBuilder pages)
    {
        pages.MapGet("/auth/sign-in", (Practices practices, string? practice) => Find(practices, practice));
        pages.MapGet(
            "/auth/{practice}/sign-in",
            (Practices practices, string practice, string? @return) => Choose(practices, practice, @return)
        );
        pages.MapGet(
            "/auth/{practice}/sign-in/{number:int}",
            (Practices practices, string practice, int number, string? @return) =>
                practices.Find(practice) is { } file && number >= 0 && number < file.SignIns.Count
                    ? Begin(file, number, PageAddress.Local(@return), null)
                    : NoPractice()
        );
        pages.MapGet(
            "/auth/{practice}/launch",
            (Practices practices, string practice, string? iss, string? launch) =>
                Launch(practices, practice, iss, launch)
        );
        pages.MapPost("/auth/sign-out", (Delegate)SignOutAsync);
    }

    /// <summary>The page after a sign-in that did not work.</summary>
    public static IResult Failed(PracticeFile file, int number, Exception? fault)
    {
        var said = fault?.Message ?? "";
        var denied = said.Contains("access_denied", StringComparison.Ordinal);
        var why =
            denied ? "The sign-in was declined there."
            : fault is OpenIdConnectProtocolException
                ? "The answer of the sign-in server was not as it must be: " + Bounded(said)
            : said.Contains("orrelation", StringComparison.Ordinal)
                ? "This sign-in was not begun in this browser, or too long ago; cookies may be blocked."
            : "The sign-in server could not be asked, or its answer could not be checked.";
        return PagesRoom.Problem(
            denied ? 403 : 400,
            "Sign-in did not work",
            why + " Try again; if it stays so, tell whoever looks after the connection.",
            ("Try again", string.Create(CultureInfo.InvariantCulture, $"/auth/{file.Practice.Slug}/sign-in/{number}"))
        );
    }

    private static string Bounded(string text) => text.Length <= Longest ? text : text[..Longest] + " ...";

    private static IResult Find(Practices practices, string? practice) =>
        practice?.Trim() is { Length: > 0 } slug && practices.Find(slug) is { SignIns.Count: > 0 }
            ? Results.Redirect($"/auth/{slug}/sign-in")
            : NoPractice();

    private static IResult NoPractice() =>
        PagesRoom.Problem(
            404,
            "No such practice",
            "There is no practice of that name whose people can sign in here. The name is the first part of the practice's addresses, such as maple-street."
        );

    private static IResult Choose(Practices practices, string practice, string? wanted)
    {
        if (practices.Find(practice) is not { SignIns.Count: > 0 } file)
        {
            return NoPractice();
        }
        var to = PageAddress.Local(wanted);
        return file.SignIns.Count == 1
            ? Begin(file, 0, to, null)
            : new RazorComponentResult<SignInPage>(
                new Dictionary<string, object?>
                {
                    ["PracticeName"] = file.Practice.Name,
                    ["Ways"] = file
                        .SignIns.Select(
                            (way, at) =>
                                (
                                    way.Name,
                                    string.Create(
                                        CultureInfo.InvariantCulture,
                                        $"/auth/{practice}/sign-in/{at}?return={Uri.EscapeDataString(to)}"
                                    )
                                )
                        )
                        .ToList(),
                }
            );
    }

    private static IResult Launch(Practices practices, string practice, string? iss, string? launch)
    {
        if (practices.Find(practice) is not { } file)
        {
            return NoPractice();
        }
        if (string.IsNullOrEmpty(iss) || string.IsNullOrEmpty(launch))
        {
            return PagesRoom.Problem(
                400,
                "This is where an EHR launches from",
                "An EHR opens this address with 'iss' (its FHIR base URL) and 'launch'. To begin by yourself, sign in.",
                ("Sign in", $"/auth/{practice}/sign-in")
            );
        }
        for (var at = 0; at < file.SignIns.Count; at++)
        {
            // Only an EHR that the practice file names may send people to its own sign-in.
            if (
                file.SignIns[at] is { Kind: SignInKind.Smart } way
                && way.Authority.AbsoluteUri.TrimEnd('/') == iss.TrimEnd('/')
            )
            {
                return Begin(file, at, "/", launch);
            }
        }
        return PagesRoom.Problem(
            400,
            "Launched from an EHR that is not this practice's",
            $"'{Bounded(iss)}' is none of the EHRs from which {file.Practice.Name} signs in. The practice file's 'signIn' must hold an entry of kind 'smart' with exactly that authority."
        );
    }

    private static IResult Begin(PracticeFile file, int number, string to, string? launch)
    {
        var properties = new AuthenticationProperties { RedirectUri = to };
        if (launch is not null)
        {
            properties.Items[SignInRoom.Launch] = launch;
        }
        return Results.Challenge(properties, [SignInRoom.Scheme(file, number)]);
    }

    private static async Task<IResult> SignOutAsync(HttpContext http)
    {
        await http.SignOutAsync(SessionSettings.Scheme);
        http.Items[typeof(PageFrame)] = PageFrame.Of(http) with { User = null };
        return PagesRoom.Problem(
            200,
            "Signed out",
            "Your session here is over. The EHR or single sign-on that you came from may still be open in this browser."
        );
    }
}
