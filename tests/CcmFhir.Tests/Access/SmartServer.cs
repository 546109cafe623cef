using CcmFhir.Access;
using CcmFhir.Tests.Fhir;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Access;

/// <summary>The real server where tokens are needed, and tokens as it would grant them.</summary>
public class SmartServer : IAsyncLifetime
{
    /// <summary>With the settings that a server has.</summary>
    public SmartServer()
        : this([]) { }

    /// <summary>With more settings.</summary>
    protected SmartServer(string[] settings)
    {
        // Tests ask without a token more often than an honest client.
        Server = new() { Settings = ["--Ccm:Access:Mode=smart", "--Ccm:Limits:AddressPerMinute=0", .. settings] };
    }

    /// <summary>The server.</summary>
    public FhirServer Server { get; }

    public async ValueTask InitializeAsync()
    {
        await Server.InitializeAsync();
        await SetUpAsync();
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();

    /// <summary>Fills the server before the first test.</summary>
    protected virtual Task SetUpAsync() => Task.CompletedTask;

    /// <summary>An access token signed with the server's own key.</summary>
    /// <param name="scope">Scopes, space separated.</param>
    /// <param name="patient">Launch patient.</param>
    /// <param name="user">fhirUser.</param>
    /// <param name="practice">Practice that it is good for.</param>
    public string Token(string scope, string? patient = null, string? user = null, string practice = "oak")
    {
        var root = Server.Base[..^"/oak/fhir".Length];
        var now = Server.Clock.GetUtcNow();
        var claims = new Dictionary<string, object>
        {
            ["sub"] = "app",
            ["client_id"] = "app",
            ["scope"] = scope,
            ["jti"] = Guid.NewGuid().ToString("N"),
        };
        if (patient is not null)
        {
            claims["patient"] = patient;
        }
        if (user is not null)
        {
            claims["fhirUser"] = user;
        }
        return new JsonWebTokenHandler().CreateToken(
            new SecurityTokenDescriptor
            {
                Issuer = $"{root}/auth/{practice}",
                Audience = $"{root}/{practice}/fhir",
                IssuedAt = now.UtcDateTime,
                NotBefore = now.UtcDateTime,
                Expires = now.UtcDateTime.AddMinutes(5),
                TokenType = "at+jwt",
                Claims = claims,
                SigningCredentials = Server.Services.GetRequiredService<SigningKey>().Credentials,
            }
        );
    }

    /// <summary>Asks with a token.</summary>
    public Task<Answer> AskAsync(string token, string method, string url, string? body = null) =>
        Server.AskAsync(method, url, body, ("Authorization", $"Bearer {token}"));
}
