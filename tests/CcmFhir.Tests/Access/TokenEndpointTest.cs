using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Journal;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Access;

/// <summary>Backend Services tokens: what is granted, and every way in that must not be one (SMART App Launch 2.2; RFC 7523).</summary>
public sealed class TokenEndpointTest : IAsyncDisposable
{
    private const string Issuer = "https://ccm.example.org/auth/maple-street";
    private const string TokenAddress = Issuer + "/token";
    private const string FhirBase = "https://ccm.example.org/maple-street/fhir";
    private const string AssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    private static readonly Uri KeysAddress = new("https://ehr.example.org/jwks");

    private readonly FakeTimeProvider clock = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-access-").FullName;
    private readonly SqliteJournalStore store;
    private readonly SigningKey signing = SigningKey.Load(pem: null, file: null);
    private readonly KeyServer keyServer = new();
    private readonly ClientRegistry clients;
    private readonly TokenEndpoint endpoint;
    private readonly Client ehr = new("ehr-1", "key-1");

    public TokenEndpointTest()
    {
        store = SqliteJournalStore.Open(Path.Combine(folder, "ccm.db"));
        clients = new ClientRegistry(store);
        endpoint = Endpoint();
    }

    [Theory]
    [InlineData(SecurityAlgorithms.EcdsaSha384)]
    [InlineData(SecurityAlgorithms.RsaSha384)]
    public async Task A_registered_client_gets_a_token_for_what_it_is_registered_for(string algorithm)
    {
        var client = new Client("ehr-2", "key-2", algorithm);
        await RegisterAsync(client, "system/Task.cruds system/Patient.rs");

        var answer = await AskAsync(
            client.Assertion(clock),
            scope: "system/Task.cruds system/Claim.cruds system/Patient.r"
        );

        answer.Status.ShouldBe(200);
        answer.Token!.Scope.ShouldBe("system/Task.cruds system/Patient.r");
        answer.Token.ExpiresIn.ShouldBeLessThanOrEqualTo(300);
        var verdict = await CheckAsync(answer.Token.AccessToken);
        verdict.Fault.ShouldBeNull();
        verdict.Context!.Client.ShouldBe("ehr-2");
        verdict.Context.Missing("Task", Interactions.Create).ShouldBeNull();
        verdict.Context.Missing("Claim", Interactions.Read).ShouldBe("system/Claim.r");
    }

    public static TheoryData<string, string> BadAssertions() =>
        new()
        {
            { "alg none", "RS384 or ES384" },
            { "hmac with the public key", "RS384 or ES384" },
            { "wrong key", "not one of a registered client" },
            { "unknown key id", "not one of a registered client" },
            { "no key id", "kid" },
            { "key id with a path", "not one of a registered client" },
            { "unknown client", "not one of a registered client" },
            { "iss is not sub", "iss and sub" },
            { "wrong aud", "aud must be" },
            { "aud is the FHIR base", "aud must be" },
            { "expired", "expired" },
            { "an hour ahead", "5 minutes" },
            { "no exp", "exp must be there" },
            { "issued in the future", "not valid yet" },
            { "not before in the future", "not valid yet" },
            { "no jti", "jti" },
            { "long jti", "jti" },
            { "foreign jku", "jku must be" },
            { "tampered", "not one of a registered client" },
            { "not a jwt", "not a signed JWT" },
            { "disabled", "not one of a registered client" },
        };

    [Theory]
    [MemberData(nameof(BadAssertions))]
    public async Task Nothing_gets_in_by(string way, string saying)
    {
        await RegisterAsync(ehr, "system/*.cruds", disabled: way == "disabled");
        var now = clock.GetUtcNow();
        var assertion = way switch
        {
            "alg none" => Unsigned(ehr.Assertion(clock)),
            "hmac with the public key" => Hmac(ehr),
            "wrong key" => new Client(ehr.Id, ehr.KeyId).Assertion(clock),
            "unknown key id" => new Client(ehr.Id, "key-9").Assertion(clock),
            "no key id" => ehr.Assertion(clock, keyId: ""),
            "key id with a path" => ehr.Assertion(clock, keyId: "../../../dev/null"),
            "unknown client" => new Client("nobody", ehr.KeyId).Assertion(clock),
            "iss is not sub" => ehr.Assertion(clock, change: claims => claims["sub"] = "somebody"),
            "wrong aud" => ehr.Assertion(clock, change: claims => claims["aud"] = "https://other.example.org/token"),
            "aud is the FHIR base" => ehr.Assertion(clock, change: claims => claims["aud"] = FhirBase),
            "expired" => ehr.Assertion(clock, change: claims => claims["exp"] = now.AddMinutes(-2).ToUnixTimeSeconds()),
            "an hour ahead" => ehr.Assertion(
                clock,
                change: claims => claims["exp"] = now.AddHours(1).ToUnixTimeSeconds()
            ),
            "no exp" => ehr.Assertion(clock, change: claims => claims.Remove("exp")),
            "issued in the future" => ehr.Assertion(
                clock,
                change: claims => claims["iat"] = now.AddMinutes(3).ToUnixTimeSeconds()
            ),
            "not before in the future" => ehr.Assertion(
                clock,
                change: claims => claims["nbf"] = now.AddMinutes(3).ToUnixTimeSeconds()
            ),
            "no jti" => ehr.Assertion(clock, change: claims => claims.Remove("jti")),
            "long jti" => ehr.Assertion(clock, change: claims => claims["jti"] = new string('j', 300)),
            "foreign jku" => ehr.Assertion(clock, jku: "https://attacker.example.org/jwks"),
            "tampered" => Tampered(ehr.Assertion(clock)),
            "disabled" => ehr.Assertion(clock),
            _ => "no.jwt",
        };

        var answer = await AskAsync(assertion);

        answer.Status.ShouldBe(401, answer.Token?.AccessToken);
        answer.Error!.Error.ShouldBe("invalid_client");
        answer.Error.Description.ShouldContain(saying);
    }

    [Fact]
    public async Task An_assertion_is_good_once_also_for_another_instance_and_much_later()
    {
        await RegisterAsync(ehr, "system/*.cruds");
        var assertion = ehr.Assertion(clock);
        (await AskAsync(assertion)).Status.ShouldBe(200);

        (await AskAsync(assertion)).Error!.Description.ShouldContain("used before");
        clock.Advance(TimeSpan.FromSeconds(200));
        (await AskAsync(assertion, Endpoint())).Error!.Description.ShouldContain("used before");
    }

    [Fact]
    public async Task Of_many_requests_with_one_assertion_at_once_one_is_answered_with_a_token()
    {
        await RegisterAsync(ehr, "system/*.cruds");
        var assertion = ehr.Assertion(clock);
        var other = Endpoint();
        var answers = await Task.WhenAll(
            Enumerable.Range(0, 32).Select(n => AskAsync(assertion, n % 2 == 0 ? endpoint : other))
        );
        answers.Count(answer => answer.Status == 200).ShouldBe(1);
    }

    [Theory]
    [InlineData("grant_type", "authorization_code", 400, "unsupported_grant_type")]
    [InlineData("grant_type", "", 400, "invalid_request")]
    [InlineData(
        "client_assertion_type",
        "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        400,
        "invalid_request"
    )]
    [InlineData("client_assertion", "", 400, "invalid_request")]
    [InlineData("scope", "", 400, "invalid_scope")]
    [InlineData("scope", "openid", 400, "invalid_scope")]
    [InlineData("scope", "system/Claim.cruds", 400, "invalid_scope")]
    [InlineData("scope", "user/Task.rs", 400, "invalid_scope")]
    [InlineData("scope", "system/*.cruds", 400, "invalid_scope")]
    public async Task A_wrong_form_is_answered_with_the_error_of_the_standard(
        string field,
        string value,
        int status,
        string error
    )
    {
        await RegisterAsync(ehr, "system/Task.cruds");
        var form = Form(ehr.Assertion(clock), "system/Task.rs");
        form[field] = value;

        var answer = await endpoint.AnswerAsync(
            "maple-street",
            form,
            Issuer,
            TokenAddress,
            FhirBase,
            TestContext.Current.CancellationToken
        );

        (answer.Status, answer.Error!.Error).ShouldBe((status, error));
    }

    [Fact]
    public async Task A_client_of_one_practice_is_unknown_in_another()
    {
        await RegisterAsync(ehr, "system/*.cruds");
        var answer = await endpoint.AnswerAsync(
            "oak-lane",
            Form(ehr.Assertion(clock), "system/*.cruds"),
            Issuer,
            TokenAddress,
            FhirBase,
            TestContext.Current.CancellationToken
        );
        answer.Error!.Error.ShouldBe("invalid_client");
    }

    [Fact]
    public async Task Keys_by_address_are_kept_as_long_as_allowed_and_fetched_again_when_a_key_is_new()
    {
        keyServer.Serve(ehr.PublicKeys, maxAge: 600);
        await RegisterAsync(ehr, "system/*.cruds", byAddress: true);
        (await AskAsync(ehr.Assertion(clock))).Status.ShouldBe(200);
        (await AskAsync(ehr.Assertion(clock))).Status.ShouldBe(200);
        keyServer.Requests.ShouldBe(1);

        var rotated = new Client(ehr.Id, "key-2");
        keyServer.Serve(rotated.PublicKeys, maxAge: 600);
        (await AskAsync(rotated.Assertion(clock))).Status.ShouldBe(
            401,
            "unknown keys lead to one request a minute, not to one a token"
        );
        keyServer.Requests.ShouldBe(1);
        clock.Advance(TimeSpan.FromSeconds(61));
        (await AskAsync(rotated.Assertion(clock))).Status.ShouldBe(200);
        (await AskAsync(ehr.Assertion(clock))).Status.ShouldBe(401, "the old key is gone");
    }

    [Fact]
    public async Task Keys_that_cannot_be_fetched_let_nobody_in_and_the_next_try_works()
    {
        keyServer.Fail();
        await RegisterAsync(ehr, "system/*.cruds", byAddress: true);
        (await AskAsync(ehr.Assertion(clock))).Status.ShouldBe(401);
        keyServer.Serve(ehr.PublicKeys, maxAge: 60);
        (await AskAsync(ehr.Assertion(clock))).Status.ShouldBe(200);
    }

    [Theory]
    [InlineData("another practice's", "aud must be")]
    [InlineData("expired", "expired")]
    [InlineData("tampered", "signature")]
    [InlineData("an assertion in place of a token", "no tokens of that issuer")]
    [InlineData("of another machine's key", "signature")]
    [InlineData("opaque", "unknown here")]
    public async Task An_access_token_is_refused_that_is(string kind, string saying)
    {
        await RegisterAsync(ehr, "system/*.cruds");
        var token = (await AskAsync(ehr.Assertion(clock), scope: "system/*.rs")).Token!.AccessToken;
        switch (kind)
        {
            case "another practice's":
                (await CheckAsync(token, fhirBase: "https://ccm.example.org/oak-lane/fhir")).Fault!.ShouldContain(
                    saying
                );
                return;
            case "expired":
                clock.Advance(TimeSpan.FromSeconds(331));
                break;
            case "tampered":
                token = Tampered(token);
                break;
            case "an assertion in place of a token":
                token = ehr.Assertion(clock);
                break;
            case "of another machine's key":
                using (var other = SigningKey.Load(null, null))
                {
                    token = new JsonWebTokenHandler().CreateToken(
                        new SecurityTokenDescriptor
                        {
                            Issuer = Issuer,
                            Audience = FhirBase,
                            TokenType = "at+jwt",
                            NotBefore = clock.GetUtcNow().UtcDateTime,
                            IssuedAt = clock.GetUtcNow().UtcDateTime,
                            Expires = clock.GetUtcNow().AddMinutes(5).UtcDateTime,
                            Claims = new Dictionary<string, object> { ["scope"] = "system/*.cruds" },
                            SigningCredentials = other.Credentials,
                        }
                    );
                }
                break;
            default:
                token = "opaque-token";
                break;
        }
        var verdict = await CheckAsync(token);
        verdict.Context.ShouldBeNull();
        verdict.Fault!.ShouldContain(saying);
    }

    [Theory]
    [InlineData("system/Task.cruds", true)]
    [InlineData("", false)]
    [InlineData("patient/Task.rs", false)]
    [InlineData("system/Task.sdurc", false)]
    public async Task A_registration_needs_scopes_for_backend_services(string scopes, bool good) =>
        (
            (
                await clients.RegisterAsync(
                    "maple-street",
                    Registration(ehr, scopes),
                    TestContext.Current.CancellationToken
                )
            )
            is null
        ).ShouldBe(good);

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        signing.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private static RegisteredClient Registration(
        Client client,
        string scopes,
        bool byAddress = false,
        bool disabled = false
    ) =>
        new(
            client.Id,
            "An EHR",
            scopes,
            byAddress ? KeysAddress : null,
            byAddress ? null : JsonSerializer.SerializeToElement(client.PublicKeys),
            disabled
        );

    private static Dictionary<string, string> Form(string assertion, string scope) =>
        new()
        {
            ["grant_type"] = "client_credentials",
            ["client_assertion_type"] = AssertionType,
            ["client_assertion"] = assertion,
            ["scope"] = scope,
        };

    private static string Unsigned(string jwt) =>
        $"{Base64UrlEncoder.Encode("""{"alg":"none","typ":"JWT","kid":"key-1"}""")}.{jwt.Split('.')[1]}.";

    private static string Hmac(Client client)
    {
        var head = Base64UrlEncoder.Encode("""{"alg":"HS384","typ":"JWT","kid":"key-1"}""");
        var body = client.Assertion(TimeProvider.System).Split('.')[1];
        var key = JsonSerializer.SerializeToUtf8Bytes(client.PublicKeys);
        return $"{head}.{body}.{Base64UrlEncoder.Encode(HMACSHA384.HashData(key, Encoding.ASCII.GetBytes($"{head}.{body}")))}";
    }

    private static string Tampered(string jwt)
    {
        var parts = jwt.Split('.');
        var body = Base64UrlEncoder.Decode(parts[1]).Replace("\"jti\":\"", "\"jti\":\"x", StringComparison.Ordinal);
        return $"{parts[0]}.{Base64UrlEncoder.Encode(body)}.{parts[2]}";
    }

    private TokenEndpoint Endpoint() =>
        new(clients, new ClientKeys(new HttpClient(keyServer), clock), signing, store, clock);

    private Task RegisterAsync(Client client, string scopes, bool byAddress = false, bool disabled = false) =>
        clients.RegisterAsync(
            "maple-street",
            Registration(client, scopes, byAddress, disabled),
            TestContext.Current.CancellationToken
        );

    private Task<TokenAnswer> AskAsync(
        string assertion,
        TokenEndpoint? asked = null,
        string scope = "system/*.cruds"
    ) =>
        (asked ?? endpoint).AnswerAsync(
            "maple-street",
            Form(assertion, scope),
            Issuer,
            TokenAddress,
            FhirBase,
            TestContext.Current.CancellationToken
        );

    private Task<TokenVerdict> CheckAsync(string token, string fhirBase = FhirBase) =>
        new BearerTokens(signing, new HttpClient(keyServer), new ConfigurationBuilder().Build(), clock).CheckAsync(
            "maple-street",
            [],
            token,
            Issuer,
            fhirBase,
            TestContext.Current.CancellationToken
        );

    /// <summary>A client as an EHR runs it: its key pair, and the assertions it makes.</summary>
    private sealed class Client(string id, string keyId, string algorithm = SecurityAlgorithms.EcdsaSha384)
    {
        private readonly AsymmetricSecurityKey key =
            algorithm == SecurityAlgorithms.RsaSha384
                ? new RsaSecurityKey(RSA.Create(2048))
                : new ECDsaSecurityKey(ECDsa.Create(ECCurve.NamedCurves.nistP384));

        public string Id => id;

        public string KeyId => keyId;

        public object PublicKeys
        {
            get
            {
                if (key is RsaSecurityKey rsa)
                {
                    var numbers = rsa.Rsa.ExportParameters(false);
                    return new
                    {
                        keys = new[]
                        {
                            new
                            {
                                kty = "RSA",
                                kid = keyId,
                                n = Base64UrlEncoder.Encode(numbers.Modulus),
                                e = Base64UrlEncoder.Encode(numbers.Exponent),
                            },
                        },
                    };
                }
                var point = ((ECDsaSecurityKey)key).ECDsa.ExportParameters(false).Q;
                return new
                {
                    keys = new[]
                    {
                        new
                        {
                            kty = "EC",
                            crv = "P-384",
                            kid = keyId,
                            x = Base64UrlEncoder.Encode(point.X),
                            y = Base64UrlEncoder.Encode(point.Y),
                        },
                    },
                };
            }
        }

        public string Assertion(
            TimeProvider clock,
            string? keyId = null,
            string? jku = null,
            Action<Dictionary<string, object>>? change = null
        )
        {
            var now = clock.GetUtcNow();
            var claims = new Dictionary<string, object>
            {
                ["iss"] = id,
                ["sub"] = id,
                ["aud"] = TokenAddress,
                ["exp"] = now.AddMinutes(4).ToUnixTimeSeconds(),
                ["iat"] = now.ToUnixTimeSeconds(),
                ["jti"] = Guid.NewGuid().ToString(),
            };
            change?.Invoke(claims);
            key.KeyId = keyId ?? KeyId;
            var header = jku is null ? null : new Dictionary<string, object> { ["jku"] = jku };
            return new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
                JsonSerializer.Serialize(claims),
                new SigningCredentials(key, algorithm),
                header ?? []
            );
        }
    }

    /// <summary>The EHR's key address.</summary>
    private sealed class KeyServer : HttpMessageHandler
    {
        private Func<HttpResponseMessage> answer = () => new HttpResponseMessage(HttpStatusCode.NotFound);

        public int Requests { get; private set; }

        public void Serve(object keys, int maxAge) =>
            answer = () =>
            {
                var response = new HttpResponseMessage(HttpStatusCode.OK)
                {
                    Content = new StringContent(JsonSerializer.Serialize(keys)),
                };
                response.Headers.CacheControl = new() { MaxAge = TimeSpan.FromSeconds(maxAge) };
                return response;
            };

        public void Fail() => answer = () => throw new HttpRequestException("connection refused");

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request,
            CancellationToken cancellationToken
        )
        {
            request.RequestUri.ShouldBe(KeysAddress, "no other address is ever asked");
            Requests++;
            return Task.FromResult(answer());
        }
    }
}
