using System.Globalization;
using System.Text.Json;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using CsCheck;

namespace CcmFhir.Tests.Ehr;

/// <summary>When a claim is tried again, when an EHR is left alone, and what a connection's settings may say.</summary>
public class OutboxTest
{
    private static readonly DateTimeOffset At = new(2026, 11, 2, 9, 0, 0, TimeSpan.Zero);

    private static readonly EhrConnection Connection = new() { BaseUrl = new Uri("https://ehr.example/fhir") };

    [Fact]
    public void The_pause_doubles_is_spread_and_keeps_its_bounds()
    {
        Gen.Select(Gen.Int[1, 60], Gen.String[Gen.Char['a', 'z'], 1, 12], Gen.Bool)
            .Sample(
                (attempt, claim, arrived) =>
                {
                    var note = new DeliveryNote { Attempt = attempt, MayHaveArrived = arrived };
                    var pause = (Outbox.NextTry(claim, note, At, Connection) - At).TotalSeconds;
                    var whole = Math.Min(30 * Math.Pow(2, attempt - 1), 6 * 3600);
                    var least = arrived ? Math.Max(whole / 2, 60) : whole / 2;
                    pause.ShouldBeInRange(least - 0.001, Math.Max(whole, least) + 0.001);
                    Outbox
                        .NextTry(claim, note, At, Connection)
                        .ShouldBe(Outbox.NextTry(claim, note, At, Connection), "a restart keeps it");
                }
            );
        Enumerable
            .Range(0, 100)
            .Select(claim =>
                Outbox.NextTry(
                    claim.ToString(CultureInfo.InvariantCulture),
                    new DeliveryNote { Attempt = 5 },
                    At,
                    Connection
                )
            )
            .Distinct()
            .Count()
            .ShouldBeGreaterThan(90, "a hundred claims do not come at once");
    }

    [Fact]
    public void A_late_word_of_an_instance_that_was_given_up_does_not_end_the_try_of_another()
    {
        var claim = new ClaimJourney("c", "{}"u8.ToArray(), [])
            .With(RecordKind.ClaimIssued, At, default, 1)
            .With(RecordKind.ClaimSent, At, Note(1, "one", At.AddMinutes(1)), 2)
            .With(RecordKind.ClaimSent, At.AddMinutes(2), Note(2, "two", At.AddMinutes(4)), 3);
        Outbox.Of(claim, Connection, At.AddMinutes(3)).Standing.ShouldBe(Standing.Sending);

        foreach (var late in new[] { RecordKind.ClaimUnanswered, RecordKind.ClaimRefused })
        {
            var after = Outbox.Of(claim.With(late, At.AddMinutes(3), Note(1, "one"), 4), Connection, At.AddMinutes(3));
            (after.Standing, after.MayHaveArrived).ShouldBe((Standing.Sending, true));
        }
        Outbox
            .Of(claim.With(RecordKind.ClaimAccepted, At.AddMinutes(3), Note(1, "one"), 4), Connection, At.AddMinutes(3))
            .Standing.ShouldBe(Standing.Delivered, "that it is there is true whoever says it");
        Outbox
            .Of(
                claim.With(RecordKind.ClaimUnanswered, At.AddMinutes(3), Note(2, "two"), 4),
                Connection,
                At.AddMinutes(3)
            )
            .Standing.ShouldBe(Standing.Waiting);

        static byte[] Note(int attempt, string by, DateTimeOffset? until = null) =>
            new DeliveryNote
            {
                Attempt = attempt,
                By = by,
                Until = until,
            }.ToBytes();
    }

    [Fact]
    public void Nothing_is_tried_before_the_EHR_said()
    {
        var note = new DeliveryNote { Attempt = 1, NotBefore = At.AddHours(2) };
        Outbox.NextTry("c", note, At, Connection).ShouldBe(At.AddHours(2));
    }

    [Fact]
    public void A_circuit_opens_after_five_faults_lets_one_pass_and_closes_when_that_one_works()
    {
        var circuit = new EhrCircuit(TimeSpan.FromSeconds(30));
        for (var fault = 1; fault <= 4; fault++)
        {
            circuit.Failed(At, null, "down");
        }
        circuit.MayPass(At, out _).ShouldBeTrue();
        circuit.Failed(At, null, "down");
        circuit.MayPass(At, out var until).ShouldBeFalse();
        until.ShouldBe(At.AddSeconds(30));

        circuit.MayPass(At.AddSeconds(30), out _).ShouldBeTrue("one asks");
        circuit.MayPass(At.AddSeconds(30), out _).ShouldBeFalse("the others wait for it");
        circuit.Failed(At.AddSeconds(31), null, "down");
        circuit.MayPass(At.AddSeconds(60), out until).ShouldBeFalse();
        until.ShouldBe(At.AddSeconds(91), "the pause doubles");

        circuit.MayPass(At.AddSeconds(91), out _).ShouldBeTrue();
        circuit.Worked(At.AddSeconds(92));
        circuit.MayPass(At.AddSeconds(91), out _).ShouldBeTrue();
        circuit.Reason.ShouldBeNull();
    }

    [Fact]
    public void What_an_EHR_asked_for_stands_whatever_comes_of_requests_that_were_under_way()
    {
        var circuit = new EhrCircuit(TimeSpan.FromSeconds(30));
        circuit.Failed(At, At.AddHours(1), "asked for peace");
        circuit.Worked(At.AddSeconds(1));
        circuit.Failed(At.AddSeconds(2), At.AddMinutes(1), "asked for less");

        circuit.AskedUntil(At.AddMinutes(59)).ShouldBe(At.AddHours(1));
        circuit.MayPass(At.AddMinutes(59), out var until).ShouldBeFalse();
        until.ShouldBe(At.AddHours(1));
        circuit.AskedUntil(At.AddHours(1)).ShouldBeNull();
        circuit.MayPass(At.AddHours(1), out _).ShouldBeTrue();
        circuit.Worked(At.AddHours(1));
        circuit.Reason.ShouldBeNull();
    }

    [Fact]
    public void A_circuit_whose_probe_never_reports_lets_another_pass_after_a_minute()
    {
        var circuit = new EhrCircuit(TimeSpan.FromSeconds(30));
        circuit.Failed(At, At.AddMinutes(5), "asked for peace");
        circuit.MayPass(At.AddMinutes(5), out _).ShouldBeTrue();

        circuit.MayPass(At.AddMinutes(5.5), out _).ShouldBeFalse();
        circuit.MayPass(At.AddMinutes(6), out _).ShouldBeTrue();
    }

    [Theory]
    [InlineData("""{ }""", "'ehr.baseUrl' is missing")]
    [InlineData("""{ "baseUrl": "http://ehr.example/fhir" }""", "must be an https address")]
    [InlineData("""{ "baseUrl": "https://u:p@ehr.example/fhir" }""", "without user")]
    [InlineData(
        """{ "baseUrl": "https://ehr.example/fhir", "deliver": "fax" }""",
        "'ehr.deliver' is 'fax'; it must be one of auto, claim"
    )]
    [InlineData("""{ "baseUrl": "https://ehr.example/fhir", "concurrency": 0 }""", "from 1 to 64")]
    [InlineData("""{ "baseUrl": "https://ehr.example/fhir", "timeout": 3 }""", "'ehr.timeout' is not known")]
    [InlineData(
        """{ "baseUrl": "https://ehr.example/fhir", "auth": { "kind": "secret", "clientId": "a", "secretFrom": "hunter2" } }""",
        "a secret does not stand in a practice file"
    )]
    [InlineData(
        """{ "baseUrl": "https://ehr.example/fhir", "auth": { "kind": "smart" } }""",
        "'ehr.auth.clientId' is missing"
    )]
    public void A_connection_that_cannot_be_right_is_refused_by_name(string json, string text)
    {
        using var document = JsonDocument.Parse(json);
        Should
            .Throw<InvalidDataException>(() => EhrConnection.Read(document.RootElement, "/"))
            .Message.ShouldContain(text);
    }

    [Fact]
    public async Task No_more_requests_go_in_a_minute_than_the_connection_allows()
    {
        await using var scene = new PushScene(connection =>
            connection with
            {
                RequestsPerMinute = 600,
                Verify = false,
            }
        );
        for (var patient = 1; patient <= 8; patient++)
        {
            await scene.IssueAsync($"p{patient}");
        }
        var began = TimeProvider.System.GetTimestamp();

        (await scene.PushAsync()).Count(Standing.Delivered).ShouldBe(8);

        // Nine requests, a tenth of a second apart: the first goes at once.
        TimeProvider.System.GetElapsedTime(began).ShouldBeGreaterThan(TimeSpan.FromSeconds(0.75));
    }

    [Fact]
    public async Task A_redirect_is_told_and_never_followed()
    {
        using var elsewhere = new PlayedEhr();
        await using var scene = new PushScene();
        scene.Ehr.Elsewhere = elsewhere.BaseUrl + "/Claim";
        scene.Ehr.Behave = (_, _) => Misdeed.Redirect;
        await scene.IssueAsync("p1");

        var report = await scene.PushAsync();

        report.Claims[0].Text!.ShouldContain(elsewhere.BaseUrl.GetLeftPart(UriPartial.Authority));
        report.Claims[0].Text!.ShouldContain("ehr.baseUrl");
        elsewhere.Requests.ShouldBeEmpty();
    }
}
