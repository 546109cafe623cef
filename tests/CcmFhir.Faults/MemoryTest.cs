using System.IO.Compression;
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
    private const int Memory = 160 << 20;
    private const int MoreThanMemory = 200 << 20;

    private readonly FaultScene scene = new("memory");
    private readonly List<string> violations = [];
    private readonly List<int> taken = [];
    private int refused;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Too_little_memory_refuses_or_ends_the_process_and_loses_nothing()
    {
        // In hexadecimal; large bundles go to a practice of their own, so that the other's month stays comparable.
        scene.Settings["DOTNET_GCHeapHardLimit"] = $"{Memory:X}";
        scene.Settings["Ccm:MaxBodyBytes"] = $"{2 * MoreThanMemory}";
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
                // One that fits under no circumstances, then some of which each fits and all together hardly do.
                await ServedAsync(SendTooLargeAsync(round));
                await ServedAsync(
                    Task.WhenAll(Enumerable.Range(round * LargeAtOnce, LargeAtOnce).Select(SendLargeAsync))
                );
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

    // A server that ends meanwhile is started again.
    private async Task ServedAsync(Task sending)
    {
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

    private async Task SendLargeAsync(int patient)
    {
        using var content = new ByteArrayContent(new CareMonths(seed: 9).MoreTime(patient, 0, LogsOfOne));
        if (await IsTakenAsync($"large bundle {patient}", content))
        {
            lock (taken)
            {
                taken.Add(patient);
            }
        }
    }

    private async Task SendTooLargeAsync(int patient)
    {
        // A good bundle before blanks that pack well: unpacked it is larger than the memory.
        using var packed = new MemoryStream();
        await using (var zip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await zip.WriteAsync(new CareMonths(seed: 9).Enrolment(patient), Cancel);
            var blanks = new byte[1 << 20];
            blanks.AsSpan().Fill((byte)' ');
            for (var sent = 0; sent < MoreThanMemory; sent += blanks.Length)
            {
                await zip.WriteAsync(blanks, Cancel);
            }
        }
        using var content = new ByteArrayContent(packed.ToArray());
        content.Headers.ContentEncoding.Add("gzip");
        if (await IsTakenAsync("the bundle that is larger than the memory", content))
        {
            lock (violations)
            {
                violations.Add("A bundle that is larger than the memory was taken.");
            }
        }
    }

    private async Task<bool> IsTakenAsync(string name, ByteArrayContent content)
    {
        using var http = new HttpClient { Timeout = CareLoad.LongestAnswer };
        content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
        try
        {
            using var answer = await http.PostAsync(new Uri(scene.Address, $"/{Large}/fhir"), content, Cancel);
            var body = await answer.Content.ReadAsByteArrayAsync(Cancel);
            if (answer.IsSuccessStatusCode)
            {
                return true;
            }
            if (CareLoad.Fault(answer, body) is { } fault)
            {
                lock (violations)
                {
                    violations.Add($"{name}: {fault}");
                }
            }
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            // The process ended, or cut it.
        }
        Interlocked.Increment(ref refused);
        return false;
    }

    private async Task LargeOnesAreThereAsync()
    {
        using var http = new HttpClient
        {
            BaseAddress = new Uri(scene.Address, $"/{Large}/fhir/"),
            Timeout = CareLoad.LongestAnswer,
        };
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
