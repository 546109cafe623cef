using CcmFhir.Ehr;

namespace CcmFhir.Tests.Ehr;

/// <summary>Certificates: theirs must be right before anything is sent, ours is shown where it is asked for.</summary>
public class EhrTlsTest
{
    [Fact]
    public async Task An_EHR_with_a_wrong_certificate_gets_nothing_and_the_claim_arrives_once_it_is_mended()
    {
        using var ehr = new PlayedEhr();
        var mended = false;
        await using var front = new TlsFront(ehr.BaseUrl, () => !mended);
        await using var scene = await SceneAsync(front);
        var claim = await scene.IssueAsync("p1");

        var report = await scene.PushAsync();

        report.Claims[0].Text!.ShouldContain("TLS with the EHR failed");
        ehr.Requests.ShouldBeEmpty();
        (await scene.DeliveryAsync("p1", claim)).MayHaveArrived.ShouldBeFalse();
        mended = true;
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
        ehr.Claims.Count().ShouldBe(1);
    }

    [Fact]
    public async Task An_authority_that_is_not_named_is_not_trusted()
    {
        using var ehr = new PlayedEhr();
        await using var front = new TlsFront(ehr.BaseUrl, () => false);
        await using var scene = new PushScene(baseUrl: front.BaseUrl);
        await scene.IssueAsync("p1");

        (await scene.PushAsync()).Claims[0].Text!.ShouldContain("trustedCertificates");

        ehr.Requests.ShouldBeEmpty();
    }

    [Fact]
    public async Task Our_certificate_is_shown_where_mutual_TLS_is_asked_for()
    {
        using var ehr = new PlayedEhr();
        await using var front = new TlsFront(ehr.BaseUrl, () => false, wantsClient: true);
        await using var without = await SceneAsync(front);
        await without.IssueAsync("p1");
        (await without.PushAsync()).Count(Standing.Delivered).ShouldBe(0);
        ehr.Requests.ShouldBeEmpty();

        var file = Path.Combine(without.Folder, "client.pem");
        await File.WriteAllTextAsync(file, front.ClientPem());
        await using var with = await SceneAsync(front, file);
        await with.IssueAsync("p2");

        (await with.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
    }

    private static async Task<PushScene> SceneAsync(TlsFront front, string? client = null)
    {
        var trusted = Path.GetTempFileName();
        await File.WriteAllTextAsync(trusted, front.AuthorityPem);
        try
        {
            return new PushScene(
                connection => connection with { TrustedCertificates = trusted, ClientCertificate = client },
                front.BaseUrl
            );
        }
        finally
        {
            File.Delete(trusted);
        }
    }
}
