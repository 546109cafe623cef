using System.Diagnostics;
using System.Globalization;
using System.Text;
using CcmFhir.Ehr;
using CcmFhir.Journal;
using Microsoft.AspNetCore.Http;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Tests.Ehr;

/// <summary>The real program pushes to an EHR that fails 30 % of all calls in every way there is, and is killed again and again;
/// and two of it push at once.</summary>
/// <remarks>Short by default; <c>CCMFHIR_PUSH_CLAIMS=10000</c> and <c>CCMFHIR_PUSH_KILLS=5</c> play it in full.</remarks>
public sealed class KilledPushTest : IDisposable
{
    private static readonly int Claims = Setting("CCMFHIR_PUSH_CLAIMS", 150);
    private static readonly int Kills = Setting("CCMFHIR_PUSH_KILLS", 2);

    private static readonly Misdeed[] Misdeeds =
    [
        Misdeed.Garbage,
        Misdeed.GarbageWithoutTaking,
        Misdeed.NoLocation,
        Misdeed.FalseMatch,
        Misdeed.TooMany,
        Misdeed.HalfAnswer,
        Misdeed.Silence,
        Misdeed.HalfAnswerWithoutTaking,
        Misdeed.Redirect,
        Misdeed.FaultAfterTaking,
        Misdeed.Unavailable,
        Misdeed.Forgets,
        Misdeed.LocksOut,
    ];

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ccmfhir-killed-");

    private string Store => $"sqlite:{Path.Combine(folder.FullName, "journal.db")}";

    [Fact]
    public async Task Every_claim_is_at_the_EHR_exactly_once()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var ehr = new PlayedEhr { RetryAfter = "0" };
        var dice = new Random(7);
        bool Fails() => Dice(dice, 10) < 3;
        ehr.Behave = (_, _) => Fails() ? Misdeeds[Dice(dice, Misdeeds.Length)] : Misdeed.None;
        // A wrong certificate is a matter of connections, not of calls: three in ten of them.
        await using var front = new TlsFront(ehr.BaseUrl, Fails);
        var practice = await PracticeAsync(front, timeoutSeconds: 2);
        var issued = await IssueAsync(cancel);

        for (var kill = 1; kill <= Kills; kill++)
        {
            using var held = new HeldCalls(IsCreate, pass: Claims / (Kills + 1));
            ehr.Passing = held.PassAsync;
            using var push = Start("push", "--month", PushScene.Month, "--wait", "--practice", practice);
            await KillAsync(push, held, cancel);
        }
        // What the EHR forgot three times, and what it refused without cause, a person sends again.
        for (var round = 1; ; round++)
        {
            using var push = Start("push", "--month", PushScene.Month, "--wait", "--practice", practice);
            await push.WaitForExitAsync(cancel);
            if (push.ExitCode == 0)
            {
                break;
            }
            round.ShouldBeLessThan(20, "the push comes to an end");
            await ResendAsync(practice, cancel);
        }

        var there = ehr
            .Claims.GroupBy(claim => claim["identifier"]![0]!["value"]!.GetValue<string>())
            .ToDictionary(group => group.Key, group => group.Count());
        there.Values.ShouldAllBe(count => count == 1);
        there.Keys.Order().ShouldBe(issued.Order());
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{Claims} claims, {Kills} kills, {ehr.Requests.Count} requests, {ehr.Count("POST", "Claim")} creates"
        );
    }

    [Fact]
    public async Task Two_programs_at_once_one_of_them_killed_bring_each_claim_once_although_If_None_Exist_lets_duplicates_through()
    {
        var cancel = TestContext.Current.CancellationToken;
        using var ehr = new PlayedEhr { KeepsConditional = false, Slowness = TimeSpan.FromMilliseconds(5) };
        // Each its own door, so that the EHR can tell them apart. What a program that has died was sending is another's after three timeouts: the
        // one that is killed has a short one. The other waits for it in the middle of its work, and may not give up a create meanwhile.
        await using var frontOfKilled = new TlsFront(ehr.BaseUrl, () => false);
        await using var frontOfOther = new TlsFront(ehr.BaseUrl, () => false);
        using var heldOfKilled = new HeldCalls(request => Through(frontOfKilled, request), pass: Claims / 6);
        using var heldOfOther = new HeldCalls(request => Through(frontOfOther, request), pass: Claims / 6);
        ehr.Passing = async request =>
        {
            await heldOfKilled.PassAsync(request);
            await heldOfOther.PassAsync(request);
        };
        var practiceOfKilled = await PracticeAsync(frontOfKilled, timeoutSeconds: 5);
        var practiceOfOther = await PracticeAsync(frontOfOther, timeoutSeconds: 600);
        var issued = await IssueAsync(cancel);

        using var other = Start("push", "--month", PushScene.Month, "--wait", "--practice", practiceOfOther);
        await heldOfOther.HeldAsync(other.WaitForExitAsync(cancel));
        using var killed = Start("push", "--month", PushScene.Month, "--wait", "--practice", practiceOfKilled);
        await KillAsync(killed, heldOfKilled, cancel);
        heldOfOther.LetGo();
        await other.WaitForExitAsync(cancel);

        other.ExitCode.ShouldBe(0);
        ehr.Claims.Select(claim => claim["identifier"]![0]!["value"]!.GetValue<string>())
            .Order()
            .ShouldBe(issued.Order(), "each once, none missing");
    }

    public void Dispose()
    {
        SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    private static int Setting(string name, int absent) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value)
            ? value
            : absent;

    private static int Dice(Random dice, int sides)
    {
        lock (dice)
        {
            return dice.Next(sides);
        }
    }

    private static bool IsCreate(HttpRequest request) =>
        HttpMethods.IsPost(request.Method) && request.Path.StartsWithSegments("/fhir/Claim", StringComparison.Ordinal);

    private static bool Through(TlsFront front, HttpRequest request) =>
        IsCreate(request) && request.Host.Port == front.BaseUrl.Port;

    // What is held is on its way when it is killed, and arrives after its end.
    private static async Task KillAsync(Process push, HeldCalls held, CancellationToken cancel)
    {
        await held.HeldAsync(push.WaitForExitAsync(cancel));
        push.Kill();
        await push.WaitForExitAsync(cancel);
        held.LetGo();
    }

    private async Task<string> PracticeAsync(TlsFront front, int timeoutSeconds)
    {
        var authority = Path.Combine(folder.FullName, $"authority-{front.BaseUrl.Port}.pem");
        await File.WriteAllTextAsync(authority, front.AuthorityPem);
        var practice = Path.Combine(folder.FullName, $"practice-{front.BaseUrl.Port}.json");
        await File.WriteAllTextAsync(
            practice,
            $$"""
            { "slug": "northside", "name": "Northside", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
              "practitioners": [ { "ref": "Practitioner/dr1", "npi": "1245319599", "name": "Ada Alvarez" } ],
              "ehr": { "baseUrl": "{{front.BaseUrl}}", "references": "same-ids", "trustedCertificates": "{{Path.GetFileName(
                authority
            )}}",
                       "concurrency": 8, "timeoutSeconds": {{timeoutSeconds}}, "settleSeconds": 0.5, "retryMinSeconds": 0.05,
                       "retryMaxSeconds": 0.5, "pauseSeconds": 0.05 } }
            """
        );
        return practice;
    }

    private async Task<List<string>> IssueAsync(CancellationToken cancel)
    {
        await using var store = await JournalStores.OpenAsync(Store, TimeProvider.System, cancel);
        var issued = new List<string>();
        await Parallel.ForAsync(
            0,
            Claims,
            cancel,
            async (number, stop) =>
            {
                var (patient, id) = ($"p{number}", $"c{number}");
                var payload = new EntryPayload(
                    TimeProvider.System.GetUtcNow(),
                    "test",
                    "",
                    [
                        new JournalRecord(
                            RecordKind.ClaimIssued,
                            "Claim",
                            id,
                            1,
                            Encoding.UTF8.GetBytes(PushScene.ClaimJson(patient, id))
                        ),
                    ]
                );
                var stream = $"patient/{PushScene.Practice}/{patient}";
                await store.AppendAsync(
                    new JournalCommit(
                        [new StreamAppend(stream, 0, payload.ToBytes())],
                        [new IndexEntry(ClaimJournal.MonthKey(PushScene.Practice, PushScene.Month) + id, stream)]
                    ),
                    stop
                );
                lock (issued)
                {
                    issued.Add($"{PushScene.Practice}-{PushScene.Month}-{id}-1");
                }
            }
        );
        return issued;
    }

    private async Task ResendAsync(string practice, CancellationToken cancel)
    {
        await using var store = await JournalStores.OpenAsync(Store, TimeProvider.System, cancel);
        var desk = new ClaimDesk(new StreamRecords(store), TimeProvider.System);
        var connection = CcmFhir.Options.PracticeFile.Read(practice).Ehr!;
        foreach (var claim in await desk.ListAsync(PushScene.Practice, connection, PushScene.Month, cancel))
        {
            if (claim.State is "needs-person" or "refused")
            {
                claim.Delivery.Last!.Problem.ShouldBe(DeliveryProblem.Forgotten);
                (
                    await desk.ResendAsync(PushScene.Practice, connection, claim.Id, false, "test", "", cancel)
                ).Done.ShouldBeTrue();
            }
        }
    }

    private Process Start(params string[] arguments)
    {
        var start = new ProcessStartInfo(
            "dotnet",
            [Path.Combine(AppContext.BaseDirectory, "ccmfhir.dll"), .. arguments]
        )
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["Ccm__Store"] = Store;
        start.Environment["Ccm__EhrKeys"] = Path.Combine(folder.FullName, "keys");
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }
}
