using System.Text.Json;
using CcmFhir.Pages;

namespace CcmFhir.Options;

/// <summary>Ways in which people prove who they are.</summary>
internal enum SignInKind
{
    /// <summary>SMART App Launch, from the EHR or by itself: the authority is the EHR's FHIR base URL.</summary>
    Smart,

    /// <summary>OpenID Connect: the authority is an issuer.</summary>
    OpenId,
}

/// <summary>One entry of <c>signIn</c> in a practice file: where the practice's people sign in to the pages, and what they may do here. Immutable.</summary>
internal sealed record SignInSettings
{
    private static readonly (string Word, PageRoles Value)[] RoleWords =
    [
        ("care-manager", PageRoles.CareManager),
        ("biller", PageRoles.Biller),
        ("analyst", PageRoles.Analyst),
        ("admin", PageRoles.Admin),
    ];

    /// <summary>The way.</summary>
    public SignInKind Kind { get; private init; }

    /// <summary>What people read on the button.</summary>
    public required string Name { get; init; }

    /// <summary>FHIR base URL or issuer, without a slash at its end. https, except on the loopback interface.</summary>
    public required Uri Authority { get; init; }

    /// <summary>Our client id there.</summary>
    public required string ClientId { get; init; }

    /// <summary>Where the client secret comes from (<c>env:NAME</c> or <c>file:PATH</c>); null for a public client, which proves itself by PKCE alone.</summary>
    public string? SecretFrom { get; private init; }

    /// <summary>Scopes beside <c>openid</c>.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }

    /// <summary>Claim of the id token that names groups; null for none.</summary>
    public string? RoleClaim { get; private init; }

    /// <summary>Roles by group.</summary>
    public required IReadOnlyDictionary<string, PageRoles> Groups { get; init; }

    /// <summary>Roles by person: value of <c>fhirUser</c> (with or without the base URL), <c>email</c>, <c>preferred_username</c> or <c>sub</c>.</summary>
    public required IReadOnlyDictionary<string, PageRoles> Users { get; init; }

    /// <summary>Roles of everybody whom the authority lets in and nothing else names.</summary>
    public PageRoles Default { get; private init; }

    /// <summary>Reads an entry.</summary>
    /// <param name="json">The object.</param>
    /// <param name="path">Its name, for messages.</param>
    /// <param name="folder">Folder of the practice file.</param>
    /// <exception cref="InvalidDataException">A property is unknown, missing or cannot be understood.</exception>
    public static SignInSettings Read(JsonElement json, string path, string folder)
    {
        var settings = new SettingsObject(json, path);
        var kind = settings.Word("kind", SignInKind.OpenId, ("smart", SignInKind.Smart), ("openid", SignInKind.OpenId));
        var read = new SignInSettings
        {
            Kind = kind,
            Name = settings.Text("name") ?? (kind == SignInKind.Smart ? "the EHR" : "single sign-on"),
            Authority = settings.Address(
                "authority",
                settings.Text("authority")
                    ?? throw settings.Wrong(
                        "authority",
                        "is missing: the EHR's FHIR base URL (smart) or the issuer (openid)"
                    )
            ),
            ClientId = settings.Text("clientId") ?? throw settings.Wrong("clientId", "is missing"),
            SecretFrom = settings.Secret("secretFrom", folder),
            Scopes =
            [
                .. (settings.Text("scope") ?? (kind == SignInKind.Smart ? "fhirUser" : "profile email")).Split(
                    ' ',
                    StringSplitOptions.RemoveEmptyEntries
                ),
            ],
            RoleClaim = settings.Text("roleClaim"),
            Groups = Roles(settings, "roles"),
            Users = Roles(settings, "users"),
            Default = settings.Word("defaultRole", PageRoles.None, [("none", PageRoles.None), .. RoleWords]),
        };
        settings.RefuseUnknown();
        return read;
    }

    private static Dictionary<string, PageRoles> Roles(SettingsObject settings, string name)
    {
        var roles = new Dictionary<string, PageRoles>(StringComparer.OrdinalIgnoreCase);
        foreach (var one in settings.Object(name)?.EnumerateObject() ?? default)
        {
            var sum = PageRoles.None;
            foreach (
                var word in one.Value.ValueKind == JsonValueKind.Array
                    ? [.. one.Value.EnumerateArray()]
                    : (JsonElement[])[one.Value]
            )
            {
                var found =
                    word.ValueKind == JsonValueKind.String
                        ? RoleWords.FirstOrDefault(role => role.Word == word.GetString()).Value
                        : PageRoles.None;
                sum |=
                    found != PageRoles.None
                        ? found
                        : throw settings.Wrong(
                            $"{name}.{one.Name}",
                            $"must be one of {string.Join(", ", RoleWords.Select(role => role.Word))}, or a list of them"
                        );
            }
            roles[one.Name] = sum;
        }
        return roles;
    }
}
