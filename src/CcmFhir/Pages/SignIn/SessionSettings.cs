using System.Globalization;
using System.Security.Claims;

namespace CcmFhir.Pages;

/// <summary>How long somebody stays signed in: <c>Ccm:Session:IdleMinutes</c> (30) without use, <c>Ccm:Session:LongestHours</c> (12) in any case.</summary>
/// <param name="Idle">Without use.</param>
/// <param name="Longest">In any case.</param>
internal sealed record SessionSettings(TimeSpan Idle, TimeSpan Longest)
{
    /// <summary>Name of the authentication scheme.</summary>
    public const string Scheme = "pages";

    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "ccmfhir-session";

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidOperationException">A figure is out of bounds.</exception>
    public static SessionSettings Read(IConfiguration settings) =>
        new(
            TimeSpan.FromMinutes(Figure(settings, "Ccm:Session:IdleMinutes", 30, 1, 480)),
            TimeSpan.FromHours(Figure(settings, "Ccm:Session:LongestHours", 12, 1, 24))
        );

    private static int Figure(IConfiguration settings, string name, int absent, int least, int most) =>
        settings[name] is not { Length: > 0 } text ? absent
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var figure)
        && figure >= least
        && figure <= most
            ? figure
        : throw new InvalidOperationException(
            string.Create(
                CultureInfo.InvariantCulture,
                $"{name} is '{text}'; it is a whole number from {least} to {most}."
            )
        );
}

/// <summary>What the session cookie holds, encrypted: who, where, as what, since when.</summary>
internal static class SessionClaims
{
    private const string Practice = "ccm-practice";
    private const string Roles = "ccm-roles";
    private const string Since = "ccm-since";
    private const string Id = "ccm-id";

    /// <summary>The principal of a session.</summary>
    public static ClaimsPrincipal Of(string practice, string id, string name, PageRoles roles, DateTimeOffset now) =>
        new(
            new ClaimsIdentity(
                [
                    new Claim(Practice, practice),
                    new Claim(Id, id),
                    new Claim(ClaimTypes.Name, name),
                    new Claim(Roles, ((int)roles).ToString(CultureInfo.InvariantCulture)),
                    new Claim(Since, now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)),
                ],
                SessionSettings.Scheme
            )
        );

    /// <summary>The user of a session; null for a principal that is none of ours.</summary>
    public static PageUser? Read(ClaimsPrincipal principal) =>
        principal.FindFirstValue(Practice) is { } practice
        && int.TryParse(principal.FindFirstValue(Roles), CultureInfo.InvariantCulture, out var roles)
            ? new PageUser(principal.FindFirstValue(ClaimTypes.Name) ?? "", practice, (PageRoles)roles, ByCookie: true)
            {
                Id = principal.FindFirstValue(Id),
            }
            : null;

    /// <summary>The session has lasted as long as one may.</summary>
    public static bool IsOver(ClaimsPrincipal? principal, SessionSettings sessions, DateTimeOffset now) =>
        !long.TryParse(principal?.FindFirstValue(Since), CultureInfo.InvariantCulture, out var since)
        || now - DateTimeOffset.FromUnixTimeSeconds(since) >= sessions.Longest;
}
