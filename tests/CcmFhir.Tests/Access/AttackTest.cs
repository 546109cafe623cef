using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CcmFhir.Access;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.JsonWebTokens;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Access;

/// <summary>Ways in that must not be one, tried on the running server: nothing is given out, nothing is stored, and the next honest request is
/// answered.</summary>
public class AttackTest(ScopeMatrixTest.Filled smart) : IClassFixture<ScopeMatrixTest.Filled>
{
    private const string Secret = "\"Observation\"";

    public static TheoryData<string> Forgeries() =>
        [
            "alg none",
            "HS384 with the public key",
            "another key under our kid",
            "another key in the header (jwk)",
            "another key at an address (jku)",
            "kid with a path",
            "kid with SQL",
            "kid empty",
            "expired",
            "not yet valid",
            "no exp",
            "wrong aud",
            "wrong iss",
            "an ID token",
            "scope changed after signing",
            "a token of the other practice",
            "two Authorization headers",
            "Basic in place of Bearer",
            "no signature",
            "not a token",
            "a megabyte",
        ];

    [Theory]
    [MemberData(nameof(Forgeries))]
    public async Task A_token_gets_nothing_that_is(string way)
    {
        var good = smart.Admin;
        string[] headers = way switch
        {
            "alg none" => [$"Bearer {Encode("""{"alg":"none","typ":"at+jwt"}""")}.{good.Split('.')[1]}."],
            "HS384 with the public key" => [$"Bearer {Hmac(good)}"],
            "another key under our kid" => [$"Bearer {Signed(kid: Key.Id)}"],
            "another key in the header (jwk)" => [$"Bearer {Signed(kid: "mine", header: "jwk")}"],
            "another key at an address (jku)" => [$"Bearer {Signed(kid: "mine", header: "jku")}"],
            "kid with a path" => [$"Bearer {Signed(kid: "../../../../dev/null")}"],
            "kid with SQL" => [$"Bearer {Signed(kid: "x' UNION SELECT 'key")}"],
            "kid empty" => [$"Bearer {Signed(kid: "")}"],
            "expired" => [$"Bearer {Own(expires: -60)}"],
            "not yet valid" => [$"Bearer {Own(notBefore: 600, expires: 900)}"],
            "no exp" => [$"Bearer {Own(expires: null)}"],
            "wrong aud" => [$"Bearer {Own(audience: "https://elsewhere.example.org/fhir")}"],
            "wrong iss" => [$"Bearer {Own(issuer: "https://elsewhere.example.org")}"],
            "an ID token" => [$"Bearer {Own(type: "JWT")}"],
            "scope changed after signing" => [$"Bearer {Escalated(smart.Token("system/Task.rs"))}"],
            "a token of the other practice" => [$"Bearer {smart.ElmAdmin}"],
            "two Authorization headers" => [$"Bearer {smart.Token("system/Task.rs")}", $"Bearer {good}"],
            "Basic in place of Bearer" => [$"Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("app:secret"))}"],
            "no signature" => [$"Bearer {good[..good.LastIndexOf('.')]}."],
            "a megabyte" => [$"Bearer {new string('a', 20_000)}"],
            _ => ["Bearer nonsense"],
        };
        var lines = string.Concat(headers.Select(header => $"Authorization: {header}\r\n"));

        var answer = await RawAsync(
            $"GET /oak/fhir/Observation/own-1 HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n"
        );

        answer.ShouldStartWith("HTTP/1.1 401", Case.Sensitive, answer);
        answer.ShouldContain("WWW-Authenticate: Bearer");
        answer.ShouldNotContain(Secret);
        await StillUpAsync();
    }

    public static TheoryData<string, string> Paths() =>
        new()
        {
            { "/oak/fhir/../../elm/fhir/Observation/elm-1", "401" },
            { "/oak/fhir/%2e%2e/%2e%2e/elm/fhir/Observation/elm-1", "401" },
            { "/oak/fhir/Observation/..%2f..%2f..%2felm%2ffhir%2fObservation%2felm-1", "404" },
            { "/oak/fhir/Observation/%2e%2e", "40" },
            { "/oak/fhir/Observation/elm-1%00", "40" },
            { "/oak/fhir/Observation/..\\..\\elm-1", "404" },
            { "/oak/fhir//elm/fhir/Observation/elm-1", "404" },
            { "/elm/fhir/Observation/elm-1?practice=oak", "401" },
            { "/assets/..%2f..%2fappsettings.json", "404" },
            { "/assets/../../etc/passwd", "404" },
            { "/oak/fhir/Observation/own-1;admin=true", "404" },
        };

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_path_leads_nowhere_else(string path, string status)
    {
        var answer = await RawAsync(
            $"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TokenFor("x")}\r\nConnection: close\r\n\r\n"
        );

        answer.ShouldStartWith($"HTTP/1.1 {status}", Case.Sensitive, answer);
        answer.ShouldNotContain("elm-p");
        await StillUpAsync();
    }

    [Theory]
    [InlineData("../../elm/fhir/Observation/elm-1", "PUT")]
    [InlineData("../../elm/fhir/Observation/elm-1", "GET")]
    [InlineData("/elm/fhir/Observation/elm-1", "GET")]
    [InlineData("ELM/Observation/elm-1", "GET")]
    [InlineData("http://127.0.0.1/elm/fhir/Observation/elm-1", "GET")]
    [InlineData("https://elsewhere.example.org/fhir/Observation/1", "GET")]
    [InlineData("file:///etc/passwd", "GET")]
    [InlineData("Observation/../Observation/elm-1", "DELETE")]
    public async Task An_entry_of_a_bundle_leads_nowhere_else(string url, string method)
    {
        var body = method == "PUT" ? $"\"resource\":{ScopeMatrixTest.Filled.Observation("elm-1", "evil")}," : "";

        var answer = await smart.AskAsync(
            smart.Admin,
            "POST",
            "",
            $$"""{"resourceType":"Bundle","type":"batch","entry":[{ {{body}}"request":{"method":"{{method}}","url":"{{url}}"} }]}"""
        );

        answer.Text.ShouldNotContain("elm-p");
        (answer.Status is 400 or 200).ShouldBeTrue(answer.Text);
        if (answer.Status == 200)
        {
            answer.Statuses[0].ShouldStartWith("4");
        }
        (await smart.AskAsync(smart.ElmAdmin, "GET", $"{smart.Elm}/Observation/elm-1")).Version.ShouldBe("1");
    }

    [Theory]
    [InlineData(
        "lengths that differ",
        "POST /oak/fhir/Observation HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\nContent-Length: 60\r\n\r\n"
    )]
    [InlineData(
        "a length and chunks",
        "POST /oak/fhir/Observation HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /oak/fhir/Observation/own-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )]
    [InlineData(
        "chunks written otherwise",
        "POST /oak/fhir/Observation HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\nGET /oak/fhir/Observation/own-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )]
    [InlineData(
        "a bare line feed",
        "GET /oak/fhir/Observation/own-1 HTTP/1.1\nHost: x\nConnection: close\nAuthorization: Bearer x\n\n"
    )]
    [InlineData(
        "a folded header",
        "GET /oak/fhir/Observation/own-1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer\r\n x\r\n\r\n"
    )]
    [InlineData("a header without end", "GET /oak/fhir/metadata HTTP/1.1\r\nHost: x\r\nX: {long}\r\n\r\n")]
    [InlineData("hundreds of headers", "GET /oak/fhir/metadata HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{many}\r\n")]
    [InlineData(
        "another method by header",
        "GET /oak/fhir/Observation/own-1 HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: DELETE\r\nX-Original-URL: /elm/fhir/Observation/elm-1\r\nConnection: close\r\n\r\n"
    )]
    public async Task Nothing_is_smuggled_in_by(string way, string request)
    {
        request = request
            .Replace("{long}", new string('x', 100_000), StringComparison.Ordinal)
            .Replace(
                "{many}",
                string.Concat(Enumerable.Range(0, 500).Select(n => $"X-{n}: y\r\n")),
                StringComparison.Ordinal
            );

        var answer = await RawAsync(request);

        answer.ShouldStartWith("HTTP/1.1 4", Case.Sensitive, way);
        answer.ShouldNotContain("HTTP/1.1 200");
        answer.ShouldNotContain(Secret);
        await StillUpAsync();
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_small_body_that_unpacks_to_a_flood_is_413(string encoding)
    {
        using var packed = new MemoryStream();
        await using (
            Stream packer = encoding switch
            {
                "gzip" => new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                "br" => new BrotliStream(packed, CompressionLevel.Fastest, leaveOpen: true),
                _ => new ZLibStream(packed, CompressionLevel.Fastest, leaveOpen: true),
            }
        )
        {
            var spaces = new byte[1024 * 1024];
            spaces.AsSpan().Fill((byte)' ');
            for (var at = 0; at < 80; at++)
            {
                await packer.WriteAsync(spaces);
            }
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, "Observation")
        {
            Content = new ByteArrayContent(packed.ToArray()),
        };
        request.Content.Headers.ContentType = new("application/fhir+json");
        request.Content.Headers.ContentEncoding.Add(encoding);
        request.Headers.Authorization = new("Bearer", smart.Admin);

        using var answer = await smart.Server.Http.SendAsync(request);

        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        await StillUpAsync();
    }

    [Theory]
    [InlineData(
        """<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Patient xmlns="http://hl7.org/fhir"><id value="&e;"/></Patient>"""
    )]
    [InlineData("""<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><Patient xmlns="http://hl7.org/fhir"/>""")]
    [InlineData(
        """<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><Patient xmlns="http://hl7.org/fhir"><id value="&c;"/></Patient>"""
    )]
    [InlineData(
        """<Patient xmlns="http://hl7.org/fhir" xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></Patient>"""
    )]
    public async Task XML_reads_no_file_and_does_not_grow(string xml)
    {
        var answer = await smart.Server.AskAsync(
            "POST",
            "Patient",
            xml,
            ("Authorization", $"Bearer {smart.Admin}"),
            ("Content-Type", "application/fhir+xml")
        );

        answer.Status.ShouldBe(400, answer.Text);
        answer.Text.ShouldNotContain("root:");
        await StillUpAsync();
    }

    [Fact]
    public async Task A_body_that_does_not_come_is_given_up_by_the_clock()
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(
            Encoding.ASCII.GetBytes(
                $"POST /oak/fhir/Observation HTTP/1.1\r\nHost: {Host}\r\nAuthorization: Bearer {smart.Admin}\r\nContent-Type: application/fhir+json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
            )
        );
        var buffer = new byte[1024];
        var read = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken);
        Encoding
            .ASCII.GetString(buffer, 0, read)
            .ShouldStartWith("HTTP/1.1 100", Case.Sensitive, "the body is waited for");
        await socket.SendAsync("{"u8.ToArray());
        smart.Server.Clock.Advance(TimeSpan.FromSeconds(121));

        (await ReadAsync(socket)).ShouldStartWith("HTTP/1.1 408");
        await StillUpAsync();
    }

    [Fact]
    public async Task An_assertion_is_good_for_one_token_and_a_key_that_nobody_registered_for_none()
    {
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var point = pair.ExportParameters(false).Q;
        var jwks = JsonSerializer.SerializeToElement(
            new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "EC",
                        crv = "P-384",
                        kid = "k1",
                        x = Base64UrlEncoder.Encode(point.X),
                        y = Base64UrlEncoder.Encode(point.Y),
                    },
                },
            }
        );
        (
            await smart
                .Server.Services.GetRequiredService<ClientRegistry>()
                .RegisterAsync("oak", new RegisteredClient("ehr", "EHR", "system/Observation.rs", null, jwks), default)
        ).ShouldBeNull();
        var assertion = Assertion(pair);

        var first = await TokenAsync(assertion, "system/*.cruds system/Observation.r");
        first.Status.ShouldBe(200, first.Body.ToString());
        first.Body.GetProperty("scope").GetString().ShouldBe("system/Observation.r", "no more than was registered");
        var token = first.Body.GetProperty("access_token").GetString()!;
        (await smart.AskAsync(token, "GET", "Observation/own-1")).Status.ShouldBe(200);
        (await smart.AskAsync(token, "GET", "Patient/own")).ShouldRefuse(403, "scope");

        (await TokenAsync(assertion, "system/Observation.r")).Status.ShouldBe(401, "replayed");
        using var other = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        (await TokenAsync(Assertion(other), "system/Observation.r")).Status.ShouldBe(401, "another's key");
        (await smart.AskAsync(assertion, "GET", "Observation/own-1")).Status.ShouldBe(401, "an assertion is no token");
    }

    private SigningKey Key => smart.Server.Services.GetRequiredService<SigningKey>();

    private string Root => smart.Server.Base[..^"/oak/fhir".Length];

    private string Host => Root["http://".Length..];

    private static string Encode(string text) => Base64UrlEncoder.Encode(text);

    private string Assertion(ECDsa pair) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            JsonSerializer.Serialize(
                new Dictionary<string, object>
                {
                    ["iss"] = "ehr",
                    ["sub"] = "ehr",
                    ["aud"] = $"{Root}/auth/oak/token",
                    ["exp"] = smart.Server.Clock.GetUtcNow().AddMinutes(4).ToUnixTimeSeconds(),
                    ["jti"] = Guid.NewGuid().ToString(),
                }
            ),
            new SigningCredentials(new ECDsaSecurityKey(pair) { KeyId = "k1" }, SecurityAlgorithms.EcdsaSha384)
        );

    private async Task<(int Status, JsonElement Body)> TokenAsync(string assertion, string scope)
    {
        using var form = new FormUrlEncodedContent(
            new Dictionary<string, string>
            {
                ["grant_type"] = "client_credentials",
                ["client_assertion_type"] = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ["client_assertion"] = assertion,
                ["scope"] = scope,
            }
        );
        using var answer = await smart.Server.Http.PostAsync(new Uri($"{Root}/auth/oak/token"), form);
        using var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync());
        return ((int)answer.StatusCode, json.RootElement.Clone());
    }

    private static string Escalated(string token)
    {
        var parts = token.Split('.');
        var claims = Base64UrlEncoder
            .Decode(parts[1])
            .Replace("system/Task.rs", "system/*.cruds", StringComparison.Ordinal);
        return $"{parts[0]}.{Encode(claims)}.{parts[2]}";
    }

    private string Hmac(string token)
    {
        var head = Encode($$"""{"alg":"HS384","typ":"at+jwt","kid":"{{Key.Id}}"}""");
        var body = token.Split('.')[1];
        var key = JsonSerializer.SerializeToUtf8Bytes(Key.PublicKeys);
        return $"{head}.{body}.{Base64UrlEncoder.Encode(HMACSHA384.HashData(key, Encoding.ASCII.GetBytes($"{head}.{body}")))}";
    }

    private string Signed(string kid, string? header = null)
    {
        using var mine = SigningKey.Load(null, null);
        var more = header switch
        {
            "jwk" => new Dictionary<string, object> { ["jwk"] = JsonSerializer.SerializeToElement(mine.PublicKeys) },
            "jku" => new Dictionary<string, object> { ["jku"] = "http://127.0.0.1:1/jwks" },
            _ => [],
        };
        var key = new ECDsaSecurityKey(((ECDsaSecurityKey)mine.Key).ECDsa) { KeyId = kid };
        return new JsonWebTokenHandler().CreateToken(
            Claims($"{Root}/auth/oak", $"{Root}/oak/fhir", 0, 300),
            new SigningCredentials(key, SecurityAlgorithms.EcdsaSha384),
            new Dictionary<string, object>(more) { ["typ"] = "at+jwt" }
        );
    }

    private string Own(
        int notBefore = 0,
        int? expires = 300,
        string? audience = null,
        string? issuer = null,
        string type = "at+jwt"
    ) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            Claims(issuer ?? $"{Root}/auth/oak", audience ?? $"{Root}/oak/fhir", notBefore, expires),
            Key.Credentials,
            new Dictionary<string, object> { ["typ"] = type }
        );

    private string Claims(string issuer, string audience, int notBefore, int? expires)
    {
        var now = smart.Server.Clock.GetUtcNow();
        var claims = new Dictionary<string, object>
        {
            ["iss"] = issuer,
            ["aud"] = audience,
            ["sub"] = "app",
            ["client_id"] = "app",
            ["scope"] = "system/*.cruds",
            ["nbf"] = now.AddSeconds(notBefore).ToUnixTimeSeconds(),
        };
        if (expires is { } seconds)
        {
            claims["exp"] = now.AddSeconds(seconds).ToUnixTimeSeconds();
        }
        return JsonSerializer.Serialize(claims);
    }

    // A token for requests that say another Host: the audience follows it.
    private string TokenFor(string host) =>
        new JsonWebTokenHandler { SetDefaultTimesOnTokenCreation = false }.CreateToken(
            Claims($"http://{host}/auth/oak", $"http://{host}/oak/fhir", 0, 300),
            Key.Credentials,
            new Dictionary<string, object> { ["typ"] = "at+jwt" }
        );

    private async Task StillUpAsync() =>
        (await smart.AskAsync(smart.Admin, "GET", "Observation/own-1")).Status.ShouldBe(200);

    private async Task<Socket> ConnectAsync()
    {
        var uri = new Uri(Root);
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(uri.Host, uri.Port);
        return socket;
    }

    private async Task<string> RawAsync(string request)
    {
        using var socket = await ConnectAsync();
        await socket.SendAsync(Encoding.Latin1.GetBytes(request));
        return await ReadAsync(socket);
    }

    private static async Task<string> ReadAsync(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await socket.ReceiveAsync(buffer, TestContext.Current.CancellationToken)) > 0)
            {
                text.Append(Encoding.Latin1.GetString(buffer, 0, read));
            }
        }
        catch (SocketException)
        {
            // The server hung up on what it did not want to read to its end.
        }
        return text.ToString();
    }
}
