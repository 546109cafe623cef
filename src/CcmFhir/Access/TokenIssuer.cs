using System.Text.Json.Serialization;

namespace CcmFhir.Access;

/// <summary>An authorization server, other than our own, whose tokens a practice accepts: the EHR's, or Entra ID.</summary>
/// <param name="Issuer">The token's <c>iss</c>, exactly.</param>
/// <param name="Audiences">Accepted <c>aud</c> values; empty for our FHIR base address.</param>
/// <param name="Discovery">Address of its OpenID or OAuth metadata; null for <c>{issuer}/.well-known/openid-configuration</c> when no keys are given.</param>
/// <param name="JwksUri">Address of its keys, where it has no metadata.</param>
/// <param name="Introspection">Address that tells about opaque tokens (RFC 7662).</param>
/// <param name="ClientId">Our client id there, for introspection.</param>
/// <param name="ClientSecretSetting">Name of the setting that holds our secret there; secrets never stand in practice files.</param>
/// <param name="PatientClaim">Claim that holds the launch patient's id.</param>
internal sealed record TokenIssuer(
    [property: JsonPropertyName("issuer")] string Issuer,
    [property: JsonPropertyName("audiences")] IReadOnlyList<string>? Audiences = null,
    [property: JsonPropertyName("discovery")] Uri? Discovery = null,
    [property: JsonPropertyName("jwksUri")] Uri? JwksUri = null,
    [property: JsonPropertyName("introspection")] Uri? Introspection = null,
    [property: JsonPropertyName("clientId")] string? ClientId = null,
    [property: JsonPropertyName("clientSecretSetting")] string? ClientSecretSetting = null,
    [property: JsonPropertyName("patientClaim")] string PatientClaim = "patient"
);
