using System.Security.Cryptography;
using CcmFhir.Tests.Journal;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;

namespace CcmFhir.Tests.Pages;

/// <summary>Sessions where instances share a Blob journal and the signing key, and no folder.</summary>
public sealed class SharedSessionKeyTest(Azurite azurite)
{
    [Fact]
    public async Task What_one_instance_seals_every_other_reads_and_none_with_another_signing_key()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        using var another = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var container = $"session-{Guid.NewGuid():N}";
        await using var one = await InstanceAsync(key.ExportECPrivateKeyPem(), container);
        // The same key in another form.
        await using var two = await InstanceAsync(key.ExportPkcs8PrivateKeyPem(), container);
        await using var stranger = await InstanceAsync(another.ExportECPrivateKeyPem(), container);

        var text = Sealing(one).Protect("somebody");

        Sealing(two).Unprotect(text).ShouldBe("somebody");
        Should.Throw<CryptographicException>(() => Sealing(stranger).Unprotect(text));
        Sealing(stranger).Unprotect(Sealing(stranger).Protect("another")).ShouldBe("another");
        await azurite.DeleteJournalAsync(container);
    }

    private static IDataProtector Sealing(WebApplication app) =>
        app.Services.GetRequiredService<IDataProtectionProvider>().CreateProtector("session");

    private async Task<WebApplication> InstanceAsync(string signingKey, string container) =>
        await Server.BuildAsync(
            [
                $"--Ccm:Store=azure:{await azurite.ConnectionStringAsync()};Container={container}",
                $"--Ccm:Access:SigningKey={signingKey}",
            ],
            new RealTime(),
            TestContext.Current.CancellationToken
        );
}
