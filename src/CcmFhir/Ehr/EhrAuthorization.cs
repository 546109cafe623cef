using System.Text.Json;
using CcmFhir.Options;

namespace CcmFhir.Ehr;

/// <summary>Ways to prove who we are.</summary>
internal enum AuthorizationKind
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A token that was handed to us.</summary>
    Token,

    /// <summary>OAuth 2 client credentials with a secret.</summary>
    Secret,

    /// <summary>SMART Backend Services: an assertion signed with our key, whose public half we publish.</summary>
    Smart,
}

/// <summary>How we are let in at an EHR: the <c>auth</c> part of its connection.</summary>
internal sealed record EhrAuthorization
{
    /// <summary>An EHR that asks for nothing.</summary>
    public static EhrAuthorization None { get; } = new();

    /// <summary>The way.</summary>
    public AuthorizationKind Kind { get; init; }

    /// <summary>Token endpoint; null to ask the EHR's <c>.well-known/smart-configuration</c>.</summary>
    public Uri? TokenUrl { get; init; }

    /// <summary>Our client id there.</summary>
    public string? ClientId { get; init; }

    /// <summary>Scopes that we ask for, space separated.</summary>
    public string? Scope { get; init; }

    /// <summary>The audience of our assertion. Servers differ: most want the token endpoint's address (what null means), some their FHIR base URL.</summary>
    public string? Audience { get; init; }

    /// <summary>Value of the header <c>jku</c> for servers that want one: the address of our published keys; null for none.</summary>
    public string? KeysUrl { get; init; }

    /// <summary>The header <c>typ</c> of our assertion: <c>JWT</c> as SMART asks for, or <c>client-authentication+jwt</c>, which authorization servers
    /// that follow the revision of RFC 7523 insist on.</summary>
    public string AssertionType { get; init; } = "JWT";

    /// <summary>Signature algorithm: ES384 or RS384.</summary>
    public string Algorithm { get; init; } = "ES384";

    /// <summary>Where the secret or the token comes from: <c>env:NAME</c> or <c>file:PATH</c>.</summary>
    public string? SecretFrom { get; init; }

    /// <summary>Reads the <c>auth</c> property of an <c>ehr</c> object.</summary>
    /// <exception cref="InvalidDataException">A property is unknown, missing or cannot be understood.</exception>
    public static EhrAuthorization Read(JsonElement auth, string folder)
    {
        var settings = new SettingsObject(auth, "ehr.auth");
        var read = new EhrAuthorization
        {
            Kind = settings.Word(
                "kind",
                AuthorizationKind.None,
                ("none", AuthorizationKind.None),
                ("token", AuthorizationKind.Token),
                ("secret", AuthorizationKind.Secret),
                ("smart", AuthorizationKind.Smart)
            ),
            TokenUrl = settings.Text("tokenUrl") is { } url ? settings.Address("tokenUrl", url) : null,
            ClientId = settings.Text("clientId"),
            Scope = settings.Text("scope"),
            Audience = settings.Text("audience"),
            KeysUrl = settings.Text("keysUrl"),
            AssertionType = settings.Word(
                "assertionType",
                "JWT",
                ("JWT", "JWT"),
                ("client-authentication+jwt", "client-authentication+jwt")
            ),
            Algorithm = settings.Word("algorithm", "ES384", ("ES384", "ES384"), ("RS384", "RS384")),
            SecretFrom = settings.Secret("secretFrom", folder),
        };
        settings.RefuseUnknown();
        if (read.Kind is AuthorizationKind.Token or AuthorizationKind.Secret && read.SecretFrom is null)
        {
            throw settings.Wrong("secretFrom", "is missing: where the token or the client secret is");
        }
        return read.Kind is AuthorizationKind.Secret or AuthorizationKind.Smart && read.ClientId is null
            ? throw settings.Wrong("clientId", "is missing")
            : read;
    }

    /// <summary>Reads a secret from where it is kept.</summary>
    /// <param name="source"><c>env:NAME</c> or <c>file:PATH</c>.</param>
    /// <exception cref="InvalidDataException">There is none.</exception>
    public static string ReadSecret(string source)
    {
        var place = source[(source.IndexOf(':', StringComparison.Ordinal) + 1)..];
        var secret =
            source.StartsWith("env:", StringComparison.Ordinal) ? Environment.GetEnvironmentVariable(place)
            : File.Exists(place) ? File.ReadAllText(place).Trim()
            : null;
        return string.IsNullOrEmpty(secret)
            ? throw new InvalidDataException($"The secret at '{source}' is not there or is empty.")
            : secret;
    }
}
