using System.Globalization;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>The promise behind every 200: what was answered is there, whatever happens to the process afterwards.</summary>
/// <remarks>The short form runs in CI; <c>CCMFHIR_KILL_ROUNDS=100</c> runs the long one.</remarks>
[Collection(FaultTable.OneAtATime)]
public sealed class KillUnderLoadTest(FaultTable table) : IDisposable
{
    private const int Clients = 32;
    private const int MostAnswers = 20;

    private static readonly int Kills = int.Parse(
        Environment.GetEnvironmentVariable("CCMFHIR_KILL_ROUNDS") ?? "6",
        CultureInfo.InvariantCulture
    );

    private readonly FaultScene scene = new("kill");

    [Fact]
    public async Task Killed_at_random_moments_of_intake_and_close_the_server_has_what_it_acknowledged_once_each()
    {
        var load = new CareLoad(patients: 200, rounds: Math.Max(5, Kills / 4));
        var chance = new Random(7);
        // Moments are counted in answers, so that each kill falls into the middle of the load and needs no clock.
        var moments = Enumerable.Range(0, Kills).Select(_ => chance.Next(1, load.Bundles)).Order().ToList();
        await scene.StartAsync();

        await load.SendAsync(
            () => scene.Address,
            Clients,
            async () =>
            {
                load.Allow(load.Bundles);
                var answers = 0;
                foreach (var moment in moments)
                {
                    await load.AnswersAsync(Math.Max(0, moment - answers));
                    answers = Math.Max(answers, moment);
                    // Every other one falls into a close, which issues and replaces claims while the logs come in.
                    var closing = Task.CompletedTask;
                    if (chance.Next(2) == 0 && answers + MostAnswers <= load.Bundles)
                    {
                        closing = CloseAsync(scene.Address);
                        var more = chance.Next(MostAnswers);
                        await load.AnswersAsync(more);
                        answers += more;
                    }
                    scene.Stop();
                    await closing;
                    await scene.StartAsync();
                }
            }
        );
        await scene.StartAsync();

        load.Acknowledged.Count.ShouldBe(load.Bundles);
        table.Report(
            "kill -9 under load",
            Kills,
            load.Cuts,
            load.Acknowledged.Count,
            await new Invariants(scene, load).CheckAsync()
        );
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private static async Task CloseAsync(Uri server)
    {
        using var http = new HttpClient();
        try
        {
            using var _ = await http.PostAsync(
                new Uri(server, $"/{CareMonths.Practice}/fhir/$ccm-close?month={CareMonths.Month}"),
                null,
                TestContext.Current.CancellationToken
            );
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            // Killed in the middle, as was meant.
        }
    }
}
