using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using CcmFhir.Access;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.IdentityModel.Tokens;

namespace CcmFhir.Tests.Fhir;

/// <summary>Clients of the Node world that we did not write, from discovery to refusals, with tokens asked for. Needs Node, and npm's
/// registry the first time.</summary>
public sealed class NodeClientsTest : IAsyncDisposable
{
    private readonly FhirServer server = new() { Settings = ["--Ccm:Access:Mode=smart"] };
    private readonly string keyFile = Path.GetTempFileName();

    [Fact]
    public async Task Discovery_token_transaction_paging_conditional_update_patch_and_validation_work()
    {
        var cancel = TestContext.Current.CancellationToken;
        await server.InitializeAsync();
        using var key = RSA.Create(2048);
        await File.WriteAllTextAsync(keyFile, key.ExportRSAPrivateKeyPem(), cancel);
        (
            await server
                .Services.GetRequiredService<ClientRegistry>()
                .RegisterAsync(
                    "oak",
                    new RegisteredClient("node", "Node clients", "system/*.cruds", null, Keys(key)),
                    cancel
                )
        ).ShouldBeNull();

        var seen = JsonNode.Parse(
            await NodePackages.RunAsync(
                "node",
                Path.Combine(AppContext.BaseDirectory, "Data", "clients", "drive.mjs"),
                await NodePackages.InstallAsync("node-fhir-clients", "fhir-kit-client@2.0.3", "fhirclient@2.6.3"),
                server.Base,
                "node",
                keyFile,
                $"{server.Clock.GetUtcNow().ToUnixTimeSeconds()}"
            )
        )!;

        seen.ToJsonString()
            .ShouldBe(
                new JsonObject
                {
                    ["tokenUrl"] = server.Base.Replace("/oak/fhir", "/auth/oak/token"),
                    ["fhirVersion"] = "4.0.1",
                    ["withoutToken"] = 401,
                    ["token"] = "bearer",
                    ["transaction"] = new JsonArray([.. Enumerable.Repeat("201 Created", 6)]),
                    ["pages"] = new JsonArray(2, 2, 1),
                    ["conditionalUpdate"] = "2",
                    ["patch"] = "other",
                    ["validate"] = "OperationOutcome",
                    ["history"] = 3,
                    ["posted"] = 1,
                    ["refused"] = "Patient.resourceType",
                    ["smartPatient"] = "Node",
                    ["smartObservations"] = 5,
                    ["smartResolved"] = "Patient",
                }.ToJsonString()
            );
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        File.Delete(keyFile);
    }

    private static JsonElement Keys(RSA key)
    {
        var parameters = key.ExportParameters(includePrivateParameters: false);
        return JsonSerializer.SerializeToElement(
            new
            {
                keys = new[]
                {
                    new
                    {
                        kty = "RSA",
                        kid = "k1",
                        alg = "RS384",
                        use = "sig",
                        n = Base64UrlEncoder.Encode(parameters.Modulus),
                        e = Base64UrlEncoder.Encode(parameters.Exponent),
                    },
                },
            }
        );
    }
}
