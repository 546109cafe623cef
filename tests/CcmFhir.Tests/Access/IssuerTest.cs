using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json;
using CcmFhir.Tests.Fhir;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;
using WireMock;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;
using WireMock.Types;
using WireMock.Util;

namespace CcmFhir.Tests.Access;

/// <summary>Tokens of other authorization servers, as a practice's file names them: by discovery, by their keys, by introspection.</summary>
public sealed class IssuerTest : IAsyncLifetime
{
    private readonly WireMockServer issuer = WireMockServer.Start(
        new WireMockServerSettings { MaxRequestLogCount = 0 }
    );
    private readonly ConcurrentQueue<string> requests = new();
    private readonly ConcurrentDictionary<string, object> opaque = new(StringComparer.Ordinal);
    private FhirServer server = null!;
    private Pair pair = new("k1");
    private bool down;

    private string Root => issuer.Urls[0];

    public async ValueTask InitializeAsync()
    {
        issuer
            .Given(WireMock.RequestBuilders.Request.Create().WithPath("/*"))
            .RespondWith(Response.Create().WithCallback(Answer));
        server = new FhirServer
        {
            Settings = ["--Ccm:Access:Mode=smart", "--Ccm:Limits:AddressPerMinute=0", "--IssuerTest:Secret=our-secret"],
            More = $$"""
                , "issuers": [
                  { "issuer": "{{Root}}/discovered", "audiences": ["api://ccm"] },
                  { "issuer": "{{Root}}/keys", "jwksUri": "{{Root}}/keys/jwks", "patientClaim": "ctx_patient" },
                  { "issuer": "{{Root}}/opaque", "introspection": "{{Root}}/opaque/introspect", "clientId": "ccm", "clientSecretSetting": "IssuerTest:Secret", "audiences": ["api://ccm"] } ]
                """,
        };
        await server.InitializeAsync();
        foreach (var patient in (string[])["own", "other"])
        {
            (
                await AskAsync(
                    Token("keys", "system/*.cruds"),
                    "PUT",
                    $"Observation/{patient}-1",
                    ScopeMatrixTest.Filled.Observation($"{patient}-1", patient)
                )
            ).Status.ShouldBe(201);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        issuer.Dispose();
        pair.Dispose();
    }

    [Theory]
    [InlineData("discovered", SecurityAlgorithms.RsaSha256)]
    [InlineData("discovered", SecurityAlgorithms.EcdsaSha384)]
    [InlineData("keys", SecurityAlgorithms.EcdsaSha384)]
    public async Task A_token_of_a_named_issuer_is_good_for_its_scopes(string which, string algorithm)
    {
        var token = Token(which, "user/Observation.rs", algorithm: algorithm);

        (await AskAsync(token, "GET", "Observation/own-1")).Status.ShouldBe(200);
        (await AskAsync(token, "DELETE", "Observation/own-1")).ShouldRefuse(403, "scope");
        (await AskAsync(token, "GET", "Patient/own")).ShouldRefuse(403, "scope");
        (
            await AskAsync(
                token,
                "GET",
                $"{server.Base.Replace("/oak/", "/elm/", StringComparison.Ordinal)}/Observation/own-1"
            )
        ).Status.ShouldBe(401, "elm names no issuers");
    }

    [Fact]
    public async Task The_launch_patient_stands_in_the_claim_that_the_practice_says()
    {
        var token = Token("keys", "patient/Observation.rs", claims: new() { ["ctx_patient"] = "own" });

        (await AskAsync(token, "GET", "Observation/own-1")).Status.ShouldBe(200);
        (await AskAsync(token, "GET", "Observation/other-1")).Status.ShouldBe(404);
        var wrong = Token("keys", "patient/Observation.rs", claims: new() { ["patient"] = "own" });
        (await AskAsync(wrong, "GET", "Observation/own-1")).Status.ShouldBe(403);
    }

    [Fact]
    public async Task Scopes_come_as_text_as_a_list_or_as_scp()
    {
        foreach (
            var claims in new Dictionary<string, object>[]
            {
                new() { ["scope"] = "system/Task.rs system/Observation.rs" },
                new() { ["scope"] = new[] { "system/Task.rs", "system/Observation.rs" } },
                new() { ["scp"] = "system/Observation.rs" },
            }
        )
        {
            (await AskAsync(Token("keys", null, claims: claims), "GET", "Observation/own-1")).Status.ShouldBe(200);
        }
    }

    public static TheoryData<string> Wrong() =>
        [
            "an issuer that nobody named",
            "another audience",
            "no audience",
            "expired",
            "signed by another key",
            "HS256 with the public key",
            "none",
            "a key of the other issuer's name",
        ];

    [Theory]
    [MemberData(nameof(Wrong))]
    public async Task A_token_of_another_issuer_is_refused_that_has(string way)
    {
        using var other = new Pair("k1");
        var token = way switch
        {
            "an issuer that nobody named" => Token("unnamed", "system/*.rs"),
            "another audience" => Token("discovered", "system/*.rs", audience: "api://elsewhere"),
            "no audience" => Token("discovered", "system/*.rs", audience: ""),
            "expired" => Token("discovered", "system/*.rs", seconds: -60),
            "signed by another key" => Token("discovered", "system/*.rs", signer: other),
            "HS256 with the public key" => Hmac(Token("discovered", "system/*.rs")),
            "none" =>
                $"{Base64UrlEncoder.Encode("""{"alg":"none"}""")}.{Token("discovered", "system/*.rs").Split('.')[1]}.",
            _ => Token("discovered", "system/*.rs", signer: new Pair("k9")),
        };

        (await AskAsync(token, "GET", "Observation/own-1")).ShouldRefuse(401, "token");
    }

    [Fact]
    public async Task A_rotated_key_is_fetched_and_the_keys_are_not_asked_for_with_every_token()
    {
        for (var at = 0; at < 5; at++)
        {
            (await AskAsync(Token("keys", "system/*.rs"), "GET", "Observation/own-1")).Status.ShouldBe(200);
        }
        requests.Count(path => path == "/keys/jwks").ShouldBe(1);

        pair = new Pair("k2");
        (await AskAsync(Token("keys", "system/*.rs"), "GET", "Observation/own-1")).Status.ShouldBe(
            401,
            "unknown keys lead to one request a minute, not to one a token"
        );
        server.Clock.Advance(TimeSpan.FromSeconds(61));
        (await AskAsync(Token("keys", "system/*.rs"), "GET", "Observation/own-1")).Status.ShouldBe(200);
        requests.Count(path => path == "/keys/jwks").ShouldBe(2);
    }

    [Fact]
    public async Task Keys_that_cannot_be_had_let_nobody_in()
    {
        down = true;
        (await AskAsync(Token("discovered", "system/*.rs"), "GET", "Observation/own-1")).ShouldRefuse(401);
        down = false;
        (await AskAsync(Token("discovered", "system/*.rs"), "GET", "Observation/own-1")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task An_opaque_token_is_asked_about_and_is_good_while_it_is_active()
    {
        var exp = server.Clock.GetUtcNow().AddMinutes(10).ToUnixTimeSeconds();
        opaque["good"] = new
        {
            active = true,
            scope = "system/Observation.rs",
            client_id = "app",
            aud = "api://ccm",
            exp,
        };
        opaque["elsewhere"] = new
        {
            active = true,
            scope = "system/Observation.rs",
            client_id = "app",
            aud = "api://other",
            exp,
        };
        opaque["ended"] = new
        {
            active = true,
            scope = "system/Observation.rs",
            client_id = "app",
            aud = "api://ccm",
            exp = exp - 4000,
        };
        opaque["inactive"] = new { active = false };

        (await AskAsync("good", "GET", "Observation/own-1")).Status.ShouldBe(200);
        (await AskAsync("good", "GET", "Observation/own-1")).Status.ShouldBe(200);
        requests.Count(path => path == "/opaque/introspect").ShouldBe(1, "an answer is kept for half a minute");
        (await AskAsync("good", "GET", "Patient/own")).ShouldRefuse(403);
        foreach (var token in (string[])["elsewhere", "ended", "inactive", "never-issued"])
        {
            (await AskAsync(token, "GET", "Observation/own-1")).Status.ShouldBe(401, token);
        }
        opaque["good"] = new { active = false };
        server.Clock.Advance(TimeSpan.FromSeconds(31));
        (await AskAsync("good", "GET", "Observation/own-1")).Status.ShouldBe(401, "withdrawn");
    }

    private Task<Answer> AskAsync(string token, string method, string url, string? body = null) =>
        server.AskAsync(method, url, body, ("Authorization", $"Bearer {token}"));

    private string Token(
        string which,
        string? scope,
        string? algorithm = null,
        string? audience = null,
        int seconds = 300,
        Pair? signer = null,
        Dictionary<string, object>? claims = null
    )
    {
        var now = server.Clock.GetUtcNow();
        var all = new Dictionary<string, object>(claims ?? [])
        {
            ["iss"] = $"{Root}/{which}",
            ["sub"] = "app",
            ["exp"] = now.AddSeconds(seconds).ToUnixTimeSeconds(),
        };
        if (scope is not null)
        {
            all["scope"] = scope;
        }
        if (audience != "")
        {
            all["aud"] = audience ?? (which == "keys" ? server.Base : "api://ccm");
        }
        return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            JsonSerializer.Serialize(all),
            (signer ?? pair).Credentials(algorithm ?? SecurityAlgorithms.EcdsaSha384)
        );
    }

    private string Hmac(string token)
    {
        var head = Base64UrlEncoder.Encode("""{"alg":"HS256","kid":"k1"}""");
        var body = token.Split('.')[1];
        var key = JsonSerializer.SerializeToUtf8Bytes(pair.PublicKeys);
        return $"{head}.{body}.{Base64UrlEncoder.Encode(HMACSHA256.HashData(key, System.Text.Encoding.ASCII.GetBytes($"{head}.{body}")))}";
    }

    private ResponseMessage Answer(IRequestMessage request)
    {
        requests.Enqueue(request.Path);
        object? body = request.Path switch
        {
            _ when down => null,
            "/discovered/.well-known/openid-configuration" => new
            {
                issuer = $"{Root}/discovered",
                jwks_uri = $"{Root}/discovered/jwks",
            },
            "/discovered/jwks" or "/keys/jwks" => pair.PublicKeys,
            "/opaque/introspect" => Introspect(request),
            _ => null,
        };
        return new ResponseMessage
        {
            StatusCode = body is null ? 503 : 200,
            Headers = new Dictionary<string, WireMockList<string>>(StringComparer.OrdinalIgnoreCase)
            {
                ["Content-Type"] = new("application/json"),
            },
            BodyData = new BodyData
            {
                DetectedBodyType = BodyType.String,
                BodyAsString = body is null ? "" : JsonSerializer.Serialize(body),
            },
        };
    }

    private object Introspect(IRequestMessage request)
    {
        var sent = $"{request.Body} {request.Headers?["Authorization"].FirstOrDefault()}";
        var ours =
            sent.Contains("our-secret", StringComparison.Ordinal)
            || sent.Contains(Convert.ToBase64String("ccm:our-secret"u8), StringComparison.Ordinal);
        var token = request.Body!.Split('&').First(part => part.StartsWith("token=", StringComparison.Ordinal))[
            "token=".Length..
        ];
        return ours && opaque.TryGetValue(token, out var known) ? known : new { active = false };
    }

    private sealed class Pair(string kid) : IDisposable
    {
        private readonly ECDsa curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        private readonly RSA rsa = RSA.Create(2048);

        public object PublicKeys
        {
            get
            {
                var point = curve.ExportParameters(false).Q;
                var numbers = rsa.ExportParameters(false);
                return new
                {
                    keys = new object[]
                    {
                        new
                        {
                            kty = "EC",
                            crv = "P-384",
                            kid,
                            x = Base64UrlEncoder.Encode(point.X),
                            y = Base64UrlEncoder.Encode(point.Y),
                        },
                        new
                        {
                            kty = "RSA",
                            kid = kid + "-rsa",
                            n = Base64UrlEncoder.Encode(numbers.Modulus),
                            e = Base64UrlEncoder.Encode(numbers.Exponent),
                        },
                    },
                };
            }
        }

        public SigningCredentials Credentials(string algorithm) =>
            algorithm == SecurityAlgorithms.RsaSha256
                ? new SigningCredentials(new RsaSecurityKey(rsa) { KeyId = kid + "-rsa" }, algorithm)
                : new SigningCredentials(new ECDsaSecurityKey(curve) { KeyId = kid }, algorithm);

        public void Dispose()
        {
            curve.Dispose();
            rsa.Dispose();
        }
    }
}
