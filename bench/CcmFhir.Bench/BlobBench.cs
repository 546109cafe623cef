using System.Diagnostics;
using Azure.Core.Pipeline;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Bench;

/// <summary>What intake and month end ask of Blob and Table storage: calls, bytes and milliseconds an operation, by the program's own code over
/// Azurite; then the same with the latency and the throttling of a service, for one and for several instances. <c>docs/scale.md</c> reckons with
/// these figures.</summary>
internal static class BlobBench
{
    private const int LogsABundle = 10;
    private static readonly TimeSpan InRegion = TimeSpan.FromMilliseconds(8);

    // So long that waiting is all there is, however few cores the machine has: more instances must then do more at once.
    private static readonly TimeSpan FarAway = TimeSpan.FromMilliseconds(400);
    private static readonly PracticeFile File = BenchPractice.Read();
    private static readonly ServiceMonth Month = ServiceMonth.TryParse(CareMonths.Month, out var month)
        ? month
        : throw new InvalidOperationException("The load driver's month is none.");

    private static readonly DateTimeOffset Now = new(2026, 11, 2, 15, 0, 0, TimeSpan.Zero);

    /// <summary>Prints the figures.</summary>
    /// <param name="shorter">Fewer patients.</param>
    public static async Task RunAsync(bool shorter)
    {
        await using var azurite = await AzuriteProcess.StartAsync(Path.Combine(BenchRepository.Root, ".cache"));
        var patients = shorter ? 40 : 300;
        await OperationsAsync(azurite, patients);
        await SimulateAsync(azurite, patients, instances: 1, InRegion, throttled: 0);
        await SimulateAsync(azurite, patients, instances: 1, InRegion, throttled: 0.05);
        await SimulateAsync(azurite, patients, instances: 1, FarAway, throttled: 0);
        await SimulateAsync(azurite, patients, instances: 4, FarAway, throttled: 0);
        await SimulateAsync(azurite, patients, instances: 4, FarAway, throttled: 0.05);
    }

    // One caller, no latency but Azurite's own: what an operation asks of the storage.
    private static async Task OperationsAsync(AzuriteProcess azurite, int patients)
    {
        using var slow = new SlowStorage(TimeSpan.Zero, throttled: 0);
        await using var instance = await Instance.OpenAsync(azurite, $"ops{patients}", slow);
        var months = new CareMonths();
        await MeasureAsync(
            "blob.new-patient",
            patients,
            slow,
            patient => instance.TakeAsync(months.Enrolment(patient))
        );
        await MeasureAsync(
            "blob.known-patient",
            patients,
            slow,
            patient => instance.TakeAsync(months.MoreTime(patient, 3, LogsABundle))
        );
        await MeasureAsync("blob.close-warm", patients, slow, patient => instance.CloseAsync([$"p{patient}"]));
        await MeasureAsync("blob.close-again-warm", patients, slow, patient => instance.CloseAsync([$"p{patient}"]));
        using var cold = new SlowStorage(TimeSpan.Zero, throttled: 0);
        await using var other = await Instance.OpenAsync(azurite, $"ops{patients}", cold);
        await MeasureAsync("blob.close-again-cold", patients, cold, patient => other.CloseAsync([$"p{patient}"]));
        var before = cold.Counts;
        var listed = (await other.Close.PatientsAsync(CareMonths.Practice, Month, CancellationToken.None)).Count;
        Figure.Print("blob.list-month", cold.Counts.Reads - before.Reads, "reads", ("patients", listed));
    }

    // Bundles and a month end as several instances see them, over storage that takes its time and refuses some calls.
    private static async Task SimulateAsync(
        AzuriteProcess azurite,
        int patients,
        int instances,
        TimeSpan latency,
        double throttled
    )
    {
        using var slow = new SlowStorage(latency, throttled);
        var container = $"sim{(int)latency.TotalMilliseconds}i{instances}t{(int)(throttled * 100)}";
        var months = new CareMonths();
        var intake = await TimeAsync(
            azurite,
            container,
            slow,
            instances,
            patients,
            atOnce: 16,
            (instance, patient) => instance.TakeAsync(months.Enrolment(patient))
        );
        // Month end comes to instances that have seen none of the patients.
        var shards = Enumerable.Range(0, patients).Select(patient => $"p{patient}").Chunk(5).ToArray();
        var closing = await TimeAsync(
            azurite,
            container,
            slow,
            instances,
            shards.Length,
            atOnce: 4,
            (instance, shard) => instance.CloseAsync(shards[shard])
        );
        Figure.Print(
            $"blob.simulation.{instances}-instances.{(int)latency.TotalMilliseconds}-ms.{(int)(throttled * 100)}-percent-throttled",
            patients / closing,
            "patients closed/s",
            ("bundles/s", patients / intake),
            ("patients", patients)
        );
    }

    private static async Task<double> TimeAsync(
        AzuriteProcess azurite,
        string container,
        SlowStorage storage,
        int instances,
        int count,
        int atOnce,
        Func<Instance, int, Task> run
    )
    {
        var all = new List<Instance>();
        for (var one = 0; one < instances; one++)
        {
            all.Add(await Instance.OpenAsync(azurite, container, storage));
        }
        try
        {
            var began = Stopwatch.GetTimestamp();
            await Parallel.ForEachAsync(
                Enumerable.Range(0, count),
                new ParallelOptions { MaxDegreeOfParallelism = atOnce * instances },
                async (number, _) => await run(all[number % instances], number)
            );
            return Stopwatch.GetElapsedTime(began).TotalSeconds;
        }
        finally
        {
            foreach (var instance in all)
            {
                await instance.DisposeAsync();
            }
        }
    }

    private static async Task MeasureAsync(string name, int count, SlowStorage storage, Func<int, Task> run)
    {
        var before = storage.Counts;
        var times = new double[count];
        for (var number = 0; number < count; number++)
        {
            var began = Stopwatch.GetTimestamp();
            await run(number);
            times[number] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
        }
        Array.Sort(times);
        var (reads, writes, sent, received) = storage.Counts;
        Figure.Print(
            name,
            (double)(writes - before.Writes) / count,
            "writes",
            ("reads", (double)(reads - before.Reads) / count),
            ("bytes-sent", (double)(sent - before.Sent) / count),
            ("bytes-received", (double)(received - before.Received) / count),
            ("p50-ms", times[count / 2]),
            ("p99-ms", times[count * 99 / 100])
        );
    }

    // One instance of the program, as far as intake and month end go: its own caches, the shared storage.
    private sealed class Instance : IAsyncDisposable
    {
        private readonly IJournalStore store;
        private readonly TakeIn take;

        private Instance(IJournalStore store)
        {
            this.store = store;
            var records = new StreamRecords(store);
            take = new TakeIn(new ReceiveBundle(records, HouseDoor.Open(), new RealTime()));
            Close = new CloseMonth(records, RuleSet.Medicare, HouseDoor.CheckClaim);
        }

        public CloseMonth Close { get; }

        public static async Task<Instance> OpenAsync(AzuriteProcess azurite, string container, SlowStorage storage)
        {
            var place = $"{azurite.ConnectionString()};Container={container}";
            // Not to be disposed with the instance: several share it.
            var transport = new HttpClientTransport(new HttpClient(storage, disposeHandler: false));
            return new Instance(
                await BlobJournalStore.OpenAsync(
                    JournalStores.Container(place, options => options.Transport = transport),
                    JournalStores.IndexTable(place, options => options.Transport = transport),
                    new RealTime(),
                    options: null,
                    make: true,
                    CancellationToken.None
                )
            );
        }

        public async Task TakeAsync(byte[] bundle)
        {
            var arrival = new Arrival(Receiver.Of(File), AccessContext.Unrestricted(CareMonths.Practice, "bench"), Now);
            var refused = await take.RunAsync(
                arrival,
                new FolderDocument("bundle", FhirJson.Parse(bundle, out _)!.Root, null),
                CancellationToken.None
            );
            if (refused.Count > 0)
            {
                throw new InvalidOperationException($"A bundle was refused: {refused[0]}");
            }
        }

        public async Task CloseAsync(IReadOnlyList<string> patients)
        {
            var closed = await Close.RunPatientsAsync(
                File,
                patients,
                Month,
                Now,
                progress: null,
                failed: null,
                CancellationToken.None
            );
            if (closed.Decisions.Count != patients.Count || closed.Decisions.Any(decision => !decision.IsClaim))
            {
                throw new InvalidOperationException("A patient of the load driver was not billed.");
            }
        }

        public ValueTask DisposeAsync() => store.DisposeAsync();
    }
}
