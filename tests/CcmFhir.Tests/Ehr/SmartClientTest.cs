using CcmFhir.Ehr;

namespace CcmFhir.Tests.Ehr;

/// <summary>Our SMART Backend Services client against an authorization server library, keys rotated while claims go out.</summary>
public sealed class SmartClientTest : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ccmfhir-smart-");

    private const string Client = "ccmfhir-northside";

    public void Dispose() => folder.Delete(recursive: true);

    [Theory]
    [InlineData("ES384")]
    [InlineData("RS384")]
    public async Task Claims_go_out_while_keys_are_rotated_and_tokens_withdrawn(string algorithm)
    {
        await using var ehr = await SmartEhr.StartAsync();
        await using var scene = Scene(ehr, algorithm);
        var first = scene.Keys.Signing(PushScene.Practice, algorithm, scene.Clock.GetUtcNow());
        await PublishAsync(ehr, scene);
        var patients = 0;
        async Task PushSomeAsync()
        {
            for (var more = 0; more < 5; more++)
            {
                await scene.IssueAsync($"p{++patients}");
            }
            var report = await scene.PushUntilQuietAsync();
            report.Count(Standing.Delivered).ShouldBe(patients, report.Claims[0].Text);
        }
        await PushSomeAsync();

        // A new key is published at once and does not sign yet: the server may not have fetched it.
        var second = scene.Keys.Rotate(PushScene.Practice, algorithm, scene.Clock.GetUtcNow());
        scene.Keys.Signing(PushScene.Practice, algorithm, scene.Clock.GetUtcNow()).Id.ShouldBe(first.Id);
        await ehr.WithdrawAsync();
        await PushSomeAsync();

        await PublishAsync(ehr, scene);
        scene.Clock.Advance(EhrKeys.PublishAhead);
        await ehr.WithdrawAsync();
        await PushSomeAsync();
        scene.Keys.Signing(PushScene.Practice, algorithm, scene.Clock.GetUtcNow()).Id.ShouldBe(second.Id);

        // A day later the first key is published no more, and nobody misses it.
        scene.Clock.Advance(EhrKeys.PublishAfter);
        scene.Keys.Published(PushScene.Practice, scene.Clock.GetUtcNow()).ShouldHaveSingleItem().Id.ShouldBe(second.Id);
        await PublishAsync(ehr, scene);
        await ehr.WithdrawAsync();
        await PushSomeAsync();

        ehr.Claims.Count.ShouldBe(patients);
        ehr.Tokens.ShouldBeGreaterThanOrEqualTo(4);
    }

    [Fact]
    public async Task Many_requests_at_once_fetch_one_token()
    {
        await using var ehr = await SmartEhr.StartAsync();
        await using var scene = Scene(ehr, "ES384", connection => connection with { Concurrency = 8 });
        _ = scene.Keys.Signing(PushScene.Practice, "ES384", scene.Clock.GetUtcNow());
        await PublishAsync(ehr, scene);
        for (var patient = 1; patient <= 20; patient++)
        {
            await scene.IssueAsync($"p{patient}");
        }

        await scene.PushAsync();

        ehr.Claims.Count.ShouldBe(20);
        ehr.Tokens.ShouldBe(1);
    }

    [Fact]
    public async Task A_key_that_the_server_does_not_know_sends_nothing_and_says_what_to_check()
    {
        await using var ehr = await SmartEhr.StartAsync();
        await using var scene = Scene(ehr, "ES384");
        var strangers = new EhrKeys(Path.Combine(scene.Folder, "strangers"));
        _ = strangers.Signing(PushScene.Practice, "ES384", scene.Clock.GetUtcNow());
        await ehr.RegisterAsync(Client, strangers.Published(PushScene.Practice, scene.Clock.GetUtcNow()));
        var claim = await scene.IssueAsync("p1");

        var report = await scene.PushAsync();

        report.Claims[0].Text!.ShouldContain("invalid_client");
        report.Claims[0].Text!.ShouldContain("that the EHR knows our keys");
        ehr.Claims.ShouldBeEmpty();
        (await scene.DeliveryAsync("p1", claim)).MayHaveArrived.ShouldBeFalse();
        await PublishAsync(ehr, scene);
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
    }

    [Fact]
    public async Task The_audience_is_a_setting_since_servers_differ()
    {
        await using var ehr = await SmartEhr.StartAsync();
        await using var scene = Scene(
            ehr,
            "ES384",
            connection =>
                connection with
                {
                    Authorization = connection.Authorization with { Audience = "https://somebody.else.example/token" },
                }
        );
        _ = scene.Keys.Signing(PushScene.Practice, "ES384", scene.Clock.GetUtcNow());
        await PublishAsync(ehr, scene);
        await scene.IssueAsync("p1");

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(0);
        ehr.Tokens.ShouldBe(0);
    }

    [Fact]
    public async Task A_client_secret_read_from_a_file_gets_a_token_and_a_wrong_one_is_told_without_being_shown()
    {
        await using var ehr = await SmartEhr.StartAsync();
        await ehr.RegisterAsync(Client, "correct horse battery staple");
        var secret = Path.Combine(folder.FullName, "secret");
        await File.WriteAllTextAsync(secret, "wrong horse", TestContext.Current.CancellationToken);
        await using var scene = Scene(ehr, AuthorizationKind.Secret, "file:" + secret);
        await scene.IssueAsync("p1");

        var refused = (await scene.PushAsync()).Claims[0].Text!;
        refused.ShouldContain("invalid_client");
        refused.ShouldNotContain("horse");
        ehr.Claims.ShouldBeEmpty();

        await File.WriteAllTextAsync(secret, "correct horse battery staple\n", TestContext.Current.CancellationToken);
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
        ehr.Tokens.ShouldBe(1);
    }

    [Fact]
    public async Task A_static_token_goes_along_as_it_is_and_one_that_is_turned_away_is_told()
    {
        await using var ehr = await SmartEhr.StartAsync();
        var token = Path.Combine(folder.FullName, "token");
        await File.WriteAllTextAsync(token, "stale", TestContext.Current.CancellationToken);
        await using var scene = Scene(ehr, AuthorizationKind.Token, "file:" + token);
        await scene.IssueAsync("p1");

        (await scene.PushAsync()).Claims[0].Text!.ShouldContain("401");
        ehr.Refusals.ShouldBeGreaterThan(0);

        await ehr.RegisterAsync("somebody", "a secret");
        using var http = new HttpClient();
        using var form = new FormUrlEncodedContent([
            new("grant_type", "client_credentials"),
            new("client_id", "somebody"),
            new("client_secret", "a secret"),
            new("scope", "system/*.cruds"),
        ]);
        using var given = await http.PostAsync(ehr.TokenUrl, form, TestContext.Current.CancellationToken);
        using var json = System.Text.Json.JsonDocument.Parse(
            await given.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)
        );
        await File.WriteAllTextAsync(
            token,
            json.RootElement.GetProperty("access_token").GetString(),
            TestContext.Current.CancellationToken
        );
        (await scene.PushUntilQuietAsync()).Count(Standing.Delivered).ShouldBe(1);
    }

    [Fact]
    public async Task A_secret_that_is_not_there_is_named_and_nothing_is_sent()
    {
        await using var ehr = await SmartEhr.StartAsync();
        await using var scene = Scene(ehr, AuthorizationKind.Secret, "env:CCMFHIR_NO_SUCH_SECRET");
        await scene.IssueAsync("p1");

        (await scene.PushAsync()).Claims[0].Text!.ShouldContain("CCMFHIR_NO_SUCH_SECRET");
        ehr.Refusals.ShouldBe(0);
    }

    private static PushScene Scene(SmartEhr ehr, AuthorizationKind kind, string from) =>
        Scene(
            ehr,
            "ES384",
            connection =>
                connection with
                {
                    Authorization = new EhrAuthorization
                    {
                        Kind = kind,
                        ClientId = Client,
                        Scope = "system/*.cruds",
                        SecretFrom = from,
                    },
                }
        );

    private static PushScene Scene(SmartEhr ehr, string algorithm, Func<EhrConnection, EhrConnection>? change = null) =>
        new(
            connection =>
            {
                var smart = connection with
                {
                    Verify = false,
                    Timeout = TimeSpan.FromMinutes(1),
                    Authorization = new EhrAuthorization
                    {
                        Kind = AuthorizationKind.Smart,
                        ClientId = Client,
                        Scope = "system/*.cruds",
                        Algorithm = algorithm,
                        AssertionType = "client-authentication+jwt",
                        Audience = ehr.TokenUrl.GetLeftPart(UriPartial.Authority) + "/",
                    },
                };
                return change?.Invoke(smart) ?? smart;
            },
            ehr.BaseUrl,
            // The authorization server goes by the machine's clock.
            DateTimeOffset.UtcNow
        );

    private static Task PublishAsync(SmartEhr ehr, PushScene scene) =>
        ehr.RegisterAsync(Client, scene.Keys.Published(PushScene.Practice, scene.Clock.GetUtcNow()));
}
