using System.Net;
using CcmFhir.Load;
using CcmFhir.Tests.Ehr;

namespace CcmFhir.Faults;

/// <summary>An EHR that fails three calls in ten while the server pushes and is killed; <c>KilledPushTest</c> plays more of it, with wrong
/// certificates and an EHR that forgets.</summary>
[Collection(FaultTable.OneAtATime)]
public sealed class EhrFaultsTest(FaultTable table) : IDisposable
{
    private const int Kills = 2;

    private static readonly Misdeed[] Misdeeds =
    [
        Misdeed.Garbage,
        Misdeed.GarbageWithoutTaking,
        Misdeed.NoLocation,
        Misdeed.TooMany,
        Misdeed.HalfAnswer,
        Misdeed.Silence,
        Misdeed.HalfAnswerWithoutTaking,
        Misdeed.FaultAfterTaking,
        Misdeed.Unavailable,
    ];

    private readonly FaultScene scene = new("ehr");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_claim_is_at_the_EHR_once_although_it_fails_and_the_server_is_killed()
    {
        using var ehr = new PlayedEhr { RetryAfter = "0" };
        using var pushed = new SemaphoreSlim(0);
        var (dice, misdeeds) = (new Random(7), 0);
        ehr.Behave = (method, address) =>
        {
            if (method == "POST" && address.StartsWith("Claim", StringComparison.Ordinal))
            {
                pushed.Release();
            }
            lock (dice)
            {
                if (dice.Next(10) >= 3)
                {
                    return Misdeed.None;
                }
                misdeeds++;
                return Misdeeds[dice.Next(Misdeeds.Length)];
            }
        };
        await File.WriteAllTextAsync(
            scene.PracticeFile,
            CareMonths.PracticeFile.TrimEnd().TrimEnd('}')
                + $$"""
                , "ehr": { "baseUrl": "{{ehr.BaseUrl}}", "references": "same-ids", "concurrency": 4, "timeoutSeconds": 2, "settleSeconds": 0.3,
                           "retryMinSeconds": 0.05, "retryMaxSeconds": 0.3, "pauseSeconds": 0.05 } }
                """,
            Cancel
        );
        scene.Settings["Ccm:PushEverySeconds"] = "1";
        scene.Settings["Ccm:EhrKeys"] = Path.Combine(scene.Folder, "keys");
        var load = new CareLoad(patients: 60, rounds: 2);
        await scene.SendAsync(load, clients: 8);
        using (var http = new HttpClient())
        {
            using var closed = await http.PostAsync(
                new Uri(scene.Address, $"/{CareMonths.Practice}/fhir/$ccm-close?month={CareMonths.Month}"),
                null,
                Cancel
            );
            closed.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        for (var kill = 1; kill <= Kills; kill++)
        {
            // In the middle of its pushing.
            for (var claim = 0; claim < load.Patients / (Kills + 1); claim++)
            {
                (await pushed.WaitAsync(TimeSpan.FromMinutes(1), Cancel)).ShouldBeTrue("nothing more is pushed");
            }
            await scene.StartAsync();
        }
        var (code, output, errors) = await scene.CommandAsync(
            "push",
            "--month",
            CareMonths.Month,
            "--wait",
            "--practice",
            scene.PracticeFile
        );

        var violations = new List<string>();
        if (code != 0)
        {
            violations.Add($"push: {output}{errors}");
        }
        var there = ehr.Claims.Select(claim => claim["identifier"]![0]!["value"]!.GetValue<string>()).ToList();
        violations.AddRange(
            there
                .GroupBy(name => name)
                .Where(same => same.Count() > 1)
                .Select(same => $"{same.Key} is at the EHR {same.Count()} times.")
        );
        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        there.Distinct().Count().ShouldBe(load.Patients);
        table.Report("EHR faults, server killed", Kills, misdeeds, load.Acknowledged.Count, violations);
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();
}
