using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CcmFhir.Load;
using CcmFhir.Tests;

namespace CcmFhir.Faults;

/// <summary>The machine's clock is set forth and back, as a time service or a snapshot of a virtual machine does.</summary>
/// <remarks>The clock of a process cannot be set without the machine's, so the server runs inside the test, behind real HTTP.</remarks>
[Collection(FaultTable.OneAtATime)]
public sealed class ClockTest(FaultTable table) : IDisposable
{
    private const int Jumps = 20;

    private static readonly DateTimeOffset Noon = new(2026, 11, 10, 12, 0, 0, TimeSpan.Zero);

    private readonly FaultScene scene = new("clock");
    private readonly Random chance = new(7);
    private readonly JumpingClock clock = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_clock_that_jumps_puts_no_version_before_an_older_one_and_bills_the_same()
    {
        clock.Set(Noon);
        await using var app = await Server.BuildAsync(
            [
                "--urls=http://127.0.0.1:0",
                .. scene.Settings.Select(each => $"--{each.Key}={each.Value}"),
                Quiet.Console,
            ],
            clock,
            Cancel
        );
        await app.StartAsync(Cancel);
        scene.Host = new Uri(app.Urls.First());
        using var http = new HttpClient { BaseAddress = new Uri(scene.Host, $"/{CareMonths.Practice}/fhir/") };
        var load = new CareLoad(patients: 40, rounds: 5);
        var violations = new List<string>();

        await load.SendAsync(
            () => scene.Address,
            clients: 8,
            async () =>
            {
                for (var jump = 0; jump < Jumps; jump++)
                {
                    load.Allow(load.Bundles / Jumps);
                    await load.AnswersAsync(load.Bundles / Jumps);
                    // Days in November, before or behind: the month that is closed stays over.
                    clock.Set(Noon + TimeSpan.FromMinutes(chance.Next(-9 * 1440, 9 * 1440)));
                    await RenameAsync(http, jump);
                    if (jump % 5 == 4)
                    {
                        (await CloseAsync(http)).ShouldBe(200);
                    }
                }
            }
        );
        violations.AddRange(await HistoryFaultsAsync(http));

        // Set back into the month itself: it is not over, and nothing is issued.
        clock.Set(new DateTimeOffset(2026, 10, 20, 0, 0, 0, TimeSpan.Zero));
        if (await CloseAsync(http) != 422)
        {
            violations.Add("A month that is not over is closed.");
        }
        clock.Set(Noon + TimeSpan.FromDays(13));

        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        await app.StopAsync(Cancel);
        table.Report("clock set forth and back", Jumps, clock.Backward, load.Acknowledged.Count, violations);
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private static async Task<int> CloseAsync(HttpClient http)
    {
        using var answer = await http.PostAsync(
            new Uri($"$ccm-close?month={CareMonths.Month}", UriKind.Relative),
            null,
            Cancel
        );
        return (int)answer.StatusCode;
    }

    private static async Task RenameAsync(HttpClient http, int jump)
    {
        var organization = new JsonObject
        {
            ["resourceType"] = "Organization",
            ["id"] = "renamed",
            ["active"] = true,
            ["name"] = $"Name {jump}",
        };
        using var answer = await http.PutAsJsonAsync(
            new Uri("Organization/renamed", UriKind.Relative),
            organization,
            Cancel
        );
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(Cancel));
    }

    private static async Task<List<string>> HistoryFaultsAsync(HttpClient http)
    {
        var text = await http.GetStringAsync(
            new Uri("Organization/renamed/_history?_count=100", UriKind.Relative),
            Cancel
        );
        var versions = (JsonNode.Parse(text)!["entry"] ?? throw new InvalidDataException(text))
            .AsArray()
            .Select(entry => entry!["resource"]!["meta"]!)
            .Select(meta => (Version: (string)meta["versionId"]!, Updated: (string)meta["lastUpdated"]!))
            .ToList();
        var faults = new List<string>();
        if (
            !versions
                .Select(each => each.Version)
                .SequenceEqual(Enumerable.Range(1, Jumps).Reverse().Select(each => $"{each}"))
        )
        {
            faults.Add($"The history is not in order: {string.Join(", ", versions.Select(each => each.Version))}");
        }
        faults.AddRange(
            versions
                .Zip(versions.Skip(1))
                .Where(pair => string.CompareOrdinal(pair.First.Updated, pair.Second.Updated) < 0)
                .Select(pair =>
                    $"Version {pair.First.Version} is of {pair.First.Updated}, the one before of {pair.Second.Updated}."
                )
        );
        return faults;
    }

    private sealed class JumpingClock : TimeProvider
    {
        private long ticks;

        public int Backward { get; private set; }

        public void Set(DateTimeOffset now)
        {
            if (now.UtcTicks < Interlocked.Exchange(ref ticks, now.UtcTicks))
            {
                Backward++;
            }
        }

        public override DateTimeOffset GetUtcNow() => new(Interlocked.Read(ref ticks), TimeSpan.Zero);
    }
}
