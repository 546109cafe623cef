using System.Net.Http.Headers;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>Less memory than the load asks for: large bundles are refused, or the process dies and is started again; small ones go on.</summary>
[Collection(FaultTable.OneAtATime)]
public sealed class MemoryTest(FaultTable table) : IDisposable
{
    private const string Large = "large";
    private const int LogsOfOne = 6000;
    private const int LargeAtOnce = 6;
    private const int Rounds = 2;

    private readonly FaultScene scene = new("memory");
    private readonly List<string> violations = [];
    private readonly List<int> taken = [];
    private int refused;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Too_little_memory_refuses_or_ends_the_process_and_loses_nothing()
    {
        // 160 MB, hexadecimal; large bundles go to a practice of their own, so that the other's month stays comparable.
        scene.Settings["DOTNET_GCHeapHardLimit"] = "A000000";
        await File.WriteAllTextAsync(
            Path.Combine(scene.Practices, "large.json"),
            CareMonths
                .PracticeFile.Replace("\"load\"", $"\"{Large}\"", StringComparison.Ordinal)
                .Replace("Organization/load", $"Organization/{Large}", StringComparison.Ordinal),
            Cancel
        );
        var load = new CareLoad(patients: 60, rounds: 5);
        load.Allow(load.Bundles);
        await scene.SendAsync(
            load,
            clients: 4,
            Rounds,
            async round =>
            {
                var first = round * LargeAtOnce;
                var sending = Task.WhenAll(Enumerable.Range(first, LargeAtOnce).Select(SendLargeAsync));
                while (!sending.IsCompleted)
                {
                    await Task.WhenAny(sending, scene.Server.EndedAsync(Cancel));
                    if (!scene.Runs)
                    {
                        await scene.StartAsync();
                    }
                }
                await sending;
            }
        );
        scene.Settings.Remove("DOTNET_GCHeapHardLimit");
        await scene.StartAsync();

        await LargeOnesAreThereAsync();
        violations.AddRange(await new Invariants(scene, load).CheckAsync());
        table.Report("out-of-memory pressure", Rounds, refused, load.Acknowledged.Count + taken.Count, violations);
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private async Task SendLargeAsync(int patient)
    {
        using var http = new HttpClient();
        using var content = new ByteArrayContent(new CareMonths(seed: 9).MoreTime(patient, 0, LogsOfOne));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        try
        {
            using var answer = await http.PostAsync(new Uri(scene.Address, $"/{Large}/fhir"), content, Cancel);
            var body = await answer.Content.ReadAsByteArrayAsync(Cancel);
            if (answer.IsSuccessStatusCode)
            {
                lock (taken)
                {
                    taken.Add(patient);
                }
                return;
            }
            if (CareLoad.Fault(answer, body) is { } fault)
            {
                lock (violations)
                {
                    violations.Add($"large bundle {patient}: {fault}");
                }
            }
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            // The process ended, or cut it.
        }
        Interlocked.Increment(ref refused);
    }

    private async Task LargeOnesAreThereAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri(scene.Address, $"/{Large}/fhir/") };
        foreach (var patient in taken)
        {
            var text = await http.GetStringAsync(
                new Uri($"Task?patient=p{patient}&_summary=count", UriKind.Relative),
                Cancel
            );
            if (
                !text.Replace(" ", "", StringComparison.Ordinal)
                    .Contains($"\"total\":{LogsOfOne}", StringComparison.Ordinal)
            )
            {
                violations.Add($"Large bundle {patient} was acknowledged and is not whole: {text}");
            }
        }
    }
}
