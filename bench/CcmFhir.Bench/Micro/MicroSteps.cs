using BenchmarkDotNet.Attributes;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Load;
using CcmFhir.MonthEnd;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Bench.Micro;

/// <summary>The steps of a bundle and of a month, each by itself, on the load driver's bundle of ten resources and on its patient.</summary>
[MemoryDiagnoser]
public class MicroSteps
{
    private static readonly ServiceMonth Month = ServiceMonth.TryParse(CareMonths.Month, out var month)
        ? month
        : throw new InvalidOperationException("The load driver's month is none.");
    private static readonly DateTimeOffset Now = new(2026, 11, 2, 15, 0, 0, TimeSpan.Zero);

    private readonly PracticeFile practice = BenchPractice.Read();
    private byte[] bundle = [];
    private readonly List<(FhirElement Resource, string[]? Profiles)> resources = [];
    private IReadOnlyList<JournalEntry> entries = [];
    private EntryPayload payload = null!;
    private StreamRecord record = null!;
    private MonthReading reading = null!;
    private MonthDecision decision = null!;

    /// <summary>Takes the bundle in once, as the server does.</summary>
    [GlobalSetup]
    public async Task PrepareAsync()
    {
        bundle = new CareMonths().Enrolment(0);
        foreach (var entry in FhirJson.Parse(bundle, out _)!.Root["entry"u8].Items)
        {
            var resource = entry["resource"u8];
            var profile = ProfileChoice.Of(resource["resourceType"u8].Text!, resource);
            resources.Add((resource, profile is null ? null : [profile]));
        }
        var folder = Directory.CreateTempSubdirectory("ccm-bench-");
        try
        {
            await using var store = SqliteJournalStore.Open(Path.Combine(folder.FullName, "ccm.db"));
            var receive = new TakeIn(
                new ReceiveBundle(new StreamRecords(store), HouseDoor.Open(), TimeProvider.System)
            );
            var refused = await receive.RunAsync(
                new Arrival(Receiver.Of(practice), AccessContext.Unrestricted(CareMonths.Practice, "bench"), Now),
                new FolderDocument("bundle", FhirJson.Parse(bundle, out _)!.Root, null),
                CancellationToken.None
            );
            if (refused.Count > 0)
            {
                throw new InvalidOperationException($"The bundle was refused: {refused[0]}");
            }
            entries = await store.ReadAsync(
                JournalNames.PatientStream(CareMonths.Practice, "p0"),
                0,
                CancellationToken.None
            );
        }
        finally
        {
            folder.Delete(recursive: true);
        }
        payload = EntryPayload.FromBytes(entries[0].Payload);
        reading = new MonthReading(practice, RuleSet.Medicare);
        record = Fold();
        decision = Decide();
        if (!decision.IsClaim)
        {
            throw new InvalidOperationException("The load driver's patient is not billed.");
        }
    }

    /// <summary>Bytes to tree.</summary>
    [Benchmark]
    public object Parse() => FhirJson.Parse(bundle, out _)!;

    /// <summary>All ten resources against base R4 and our profiles, as at the door.</summary>
    [Benchmark]
    public int Validate()
    {
        var issues = 0;
        foreach (var (resource, profiles) in resources)
        {
            issues += ProfileSet.Default.Validate(resource, profiles).Issues.Count;
        }
        return issues;
    }

    /// <summary>The journal entry to the state of the patient's stream.</summary>
    [Benchmark]
    public object FoldStream() => Fold();

    /// <summary>Resources to facts, nothing read before.</summary>
    [Benchmark]
    public object ReadFacts() => reading.Facts(Fold());

    /// <summary>The patient's month from the state of the stream, its resources read before: ledger, lines, reasons and trace.</summary>
    [Benchmark]
    public object DecideMonth() => Decide();

    /// <summary>The journal entry as bytes, packed as it lies in the file.</summary>
    [Benchmark]
    public int WriteEntry() => SqlitePayload.Pack(payload.ToBytes()).Bytes.Length;

    /// <summary>The Claim as FHIR JSON.</summary>
    [Benchmark]
    public byte[] WriteClaim() =>
        ClaimWriter.Write(practice.Practice, decision, decision.Lines, 1, ClaimFrequency.Original, Now);

    private StreamRecord Fold() => StreamRecord.Empty("patient/load/p0").After(entries);

    private MonthDecision Decide() => reading.Read(record, Month, Now).Decision;
}
