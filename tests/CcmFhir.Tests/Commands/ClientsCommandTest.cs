using System.Security.Cryptography;
using CcmFhir.Commands;
using Microsoft.Extensions.Time.Testing;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Commands;

/// <summary>ccmfhir clients: registered, listed and removed, and what cannot be a client is told why.</summary>
public sealed class ClientsCommandTest : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-clients-").FullName;

    public ClientsCommandTest()
    {
        File.WriteAllText(
            Practice,
            """
            { "slug": "oak", "name": "Oak", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
              "practitioners": [ { "ref": "Practitioner/a", "npi": "1245319599", "name": "A" } ] }
            """
        );
    }

    [Fact]
    public async Task A_client_is_registered_listed_changed_and_removed()
    {
        (await RunAsync("register", "--id", "ehr", "--scope", "system/*.cruds", "--jwks", Keys())).ShouldBe(
            (0, "ehr may get tokens of oak for system/*.cruds.\n")
        );
        (
            await RunAsync(
                "register",
                "--id",
                "app",
                "--name",
                "An app",
                "--scope",
                "system/Task.rs",
                "--jwks-url",
                "https://app.example.org/jwks"
            )
        ).Code.ShouldBe(0);
        (await RunAsync("register", "--id", "ehr", "--scope", "system/Task.cruds", "--jwks", Keys())).Code.ShouldBe(0);

        (await RunAsync("list")).Output.ShouldBe(
            "app  system/Task.rs  https://app.example.org/jwks  An app\nehr  system/Task.cruds  keys inline  ehr\n"
        );

        (await RunAsync("remove", "--id", "ehr")).Code.ShouldBe(0);
        (await RunAsync("list")).Output.ShouldContain("keys inline  ehr  removed");
        (await RunAsync("remove", "--id", "ehr")).Code.ShouldBe(1);
        (await RunAsync("list", "--format", "json")).Output.ShouldContain("\"client_id\": \"app\"");
    }

    [Theory]
    [InlineData("system/Task.sdurc", "public", "no scope")]
    [InlineData("patient/Task.rs", "public", "no scope")]
    [InlineData("system/Task.rs", "private", "private key")]
    [InlineData("system/Task.rs", "short", "no key that can be used")]
    [InlineData("system/Task.rs", "no kid", "without kid")]
    [InlineData("system/Task.rs", "none", "either")]
    [InlineData("system/Task.rs", "http", "must be https")]
    public async Task What_cannot_be_a_client_is_told_why(string scope, string keys, string saying)
    {
        string[] given = keys switch
        {
            "none" => [],
            "http" => ["--jwks-url", "http://app.example.org/jwks"],
            _ => ["--jwks", Keys(keys)],
        };

        var (code, output) = await RunAsync(["register", "--id", "x", "--scope", scope, .. given]);

        code.ShouldBe(1);
        output.ShouldContain(saying);
        (await RunAsync("list")).Output.ShouldBe("");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Keys(string kind = "public")
    {
        var file = Path.Combine(folder, kind + ".json");
        if (kind == "short")
        {
            using var rsa = RSA.Create(1024);
            var numbers = rsa.ExportParameters(false);
            File.WriteAllText(
                file,
                $$"""{"keys":[{"kty":"RSA","kid":"k","n":"{{Base64UrlEncoder.Encode(numbers.Modulus)}}","e":"AQAB"}]}"""
            );
            return file;
        }
        using var pair = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var key = pair.ExportParameters(true);
        var secret = kind == "private" ? $",\"d\":\"{Base64UrlEncoder.Encode(key.D)}\"" : "";
        var kid = kind == "no kid" ? "" : ",\"kid\":\"k\"";
        File.WriteAllText(
            file,
            $$"""{"keys":[{"kty":"EC","crv":"P-384","x":"{{Base64UrlEncoder.Encode(key.Q.X)}}","y":"{{Base64UrlEncoder.Encode(key.Q.Y)}}"{{kid}}{{secret}}}]}"""
        );
        return file;
    }

    private string Practice => Path.Combine(folder, "oak.json");

    private async Task<(int Code, string Output)> RunAsync(params string[] args)
    {
        var output = new StringWriter { NewLine = "\n" };
        var code = await ClientsCommand
            .Build(new FakeTimeProvider())
            .Parse([.. args, "--practice", Practice, "--store", $"sqlite:{Path.Combine(folder, "ccm.db")}"])
            .InvokeAsync(new() { Output = output, Error = output }, TestContext.Current.CancellationToken);
        return (code, output.ToString());
    }
}
