using System.Text;
using CcmFhir.Ehr;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;

namespace CcmFhir.Tests.Ehr;

/// <summary>A journal with issued claims, an EHR, and the push between them.</summary>
internal sealed class PushScene : IAsyncDisposable
{
    public const string Practice = "northside";
    public const string Month = "2026-10";

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ccmfhir-push-");
    private readonly SqliteJournalStore store;

    public PushScene(
        Func<EhrConnection, EhrConnection>? change = null,
        Uri? baseUrl = null,
        DateTimeOffset? start = null
    )
    {
        store = SqliteJournalStore.Open(Path.Combine(folder.FullName, "journal.db"));
        Streams = new StreamRecords(store);
        Clock = new ShiftedClock(start ?? new DateTimeOffset(2026, 11, 2, 9, 0, 0, TimeSpan.Zero));
        Keys = new EhrKeys(Path.Combine(folder.FullName, "keys"));
        var connection = new EhrConnection
        {
            BaseUrl = baseUrl ?? Ehr.BaseUrl,
            References = ReferenceMapping.SameIds,
            Timeout = TimeSpan.FromSeconds(10),
        };
        Connection = change is null ? connection : change(connection);
        Session = new EhrSession(Practice, Connection, Keys, Clock);
        Push = new PushClaims(Streams, Clock, "test-1");
    }

    /// <summary>The answers of the EHR, taken in through the door.</summary>
    public FetchAnswers Fetch()
    {
        var file = Path.Combine(Folder, "practice.json");
        File.WriteAllText(
            file,
            """
            { "slug": "northside", "name": "Northside", "npi": "1234567893", "tin": "12-3456789", "timeZone": "America/New_York",
              "practitioners": [ { "ref": "Practitioner/dr1", "npi": "1245319599", "name": "Ada Alvarez" } ] }
            """
        );
        return new FetchAnswers(
            Streams,
            new TakeFetched(new ReceiveBundle(Streams, HouseDoor.Open(), Clock), trail: null, Clock),
            new Practices([PracticeFile.Read(file) with { Ehr = Connection }]),
            Clock
        );
    }

    public PlayedEhr Ehr { get; } = new();

    public string Folder => folder.FullName;

    public StreamRecords Streams { get; }

    public ShiftedClock Clock { get; }

    public EhrKeys Keys { get; }

    public EhrConnection Connection { get; }

    public EhrSession Session { get; }

    public PushClaims Push { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A patient with an issued claim.</summary>
    public Task<string> IssueAsync(string patient, string? claim = null, string? replaces = null) =>
        IssueAsync(patient, json => json, claim, replaces);

    /// <summary>A patient with an issued claim that the test changes.</summary>
    public async Task<string> IssueAsync(
        string patient,
        Func<string, string> change,
        string? claim = null,
        string? replaces = null
    )
    {
        var id = claim ?? $"claim-{patient}";
        var stream = $"patient/{Practice}/{patient}";
        var record = await Streams.ReadAsync(stream, Cancel);
        await AppendAsync(
            record,
            [
                new JournalRecord(
                    RecordKind.ClaimIssued,
                    "Claim",
                    id,
                    1,
                    Encoding.UTF8.GetBytes(change(ClaimJson(patient, id, replaces)))
                ),
            ],
            [new IndexEntry(ClaimJournal.MonthKey(Practice, Month) + id, stream)]
        );
        return id;
    }

    /// <summary>A resource of ours in a patient's stream.</summary>
    public async Task PutAsync(string patient, string type, string id, string json)
    {
        var stream = $"patient/{Practice}/{patient}";
        var record = await Streams.ReadAsync(stream, Cancel);
        var version = record.Find(type, id) is { } there
            ? int.Parse(there.Current.VersionId, System.Globalization.CultureInfo.InvariantCulture) + 1
            : 1;
        await AppendAsync(
            record,
            [new JournalRecord(RecordKind.Put, type, id, version, Encoding.UTF8.GetBytes(json))],
            [new IndexEntry($"id/{Practice}/{type}/{id}", stream)]
        );
    }

    public Task<PushReport> PushAsync() => Push.RunAsync(Session, Month, null, Cancel);

    /// <summary>Pushes again and again, an hour and more between, until nothing comes by itself.</summary>
    public async Task<PushReport> PushUntilQuietAsync(int most = 60)
    {
        for (var round = 1; ; round++)
        {
            var report = await PushAsync();
            if (report.NextDue is null || round == most)
            {
                return report;
            }
            Clock.Advance(TimeSpan.FromHours(7));
        }
    }

    public async Task<ClaimJourney> JourneyAsync(string patient, string claim) =>
        (await Streams.ReadAsync($"patient/{Practice}/{patient}", Cancel)).Claim(claim)!;

    public async Task<Delivery> DeliveryAsync(string patient, string claim) =>
        Outbox.Of(await JourneyAsync(patient, claim), Connection, Clock.GetUtcNow());

    public async ValueTask DisposeAsync()
    {
        Session.Dispose();
        Ehr.Dispose();
        await store.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    public static string ClaimJson(string patient, string id, string? replaces = null) =>
        $$"""
            {
              "resourceType": "Claim", "id": "{{id}}",
              "meta": { "versionId": "1", "lastUpdated": "2026-11-01T05:00:00Z", "profile": ["http://ccmfhir.org/fhir/StructureDefinition/ccm-claim"] },
              "identifier": [{ "system": "http://ccmfhir.org/fhir/claim", "value": "{{Practice}}-{{Month}}-{{id}}-1" }],
              "status": "active", "use": "claim",
              "type": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/claim-type", "code": "professional" }] },
              "patient": { "reference": "Patient/{{patient}}" },
              "billablePeriod": { "start": "2026-10-01", "end": "2026-10-31" },
              "created": "2026-11-01T00:00:00-04:00",
              "provider": { "reference": "Organization/org1" },
              "priority": { "coding": [{ "system": "http://terminology.hl7.org/CodeSystem/processpriority", "code": "normal" }] },
              {{(replaces is null ? "" : $$"""
              "related": [{ "claim": { "reference": "Claim/{{replaces}}" } }],
              """)}}
              "careTeam": [{ "sequence": 1, "provider": { "reference": "Practitioner/dr1" } }],
              "diagnosis": [
                { "sequence": 1, "diagnosisCodeableConcept": { "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E11.9" }] } },
                { "sequence": 2, "diagnosisCodeableConcept": { "coding": [{ "system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10" }] } }],
              "insurance": [{ "sequence": 1, "focal": true, "coverage": { "reference": "Coverage/cov-{{patient}}" } }],
              "supportingInfo": [{ "sequence": 1, "category": { "text": "consent" }, "valueReference": { "reference": "Consent/consent-{{patient}}" } }],
              "item": [{
                "sequence": 1, "careTeamSequence": [1], "diagnosisSequence": [1, 2],
                "productOrService": { "coding": [{ "system": "http://www.ama-assn.org/go/cpt", "code": "99490" }] },
                "servicedDate": "2026-10-31", "quantity": { "value": 1 },
                "unitPrice": { "value": 66.13, "currency": "USD" }, "net": { "value": 66.13, "currency": "USD" } }],
              "total": { "value": 66.13, "currency": "USD" }
            }
            """;

    private async Task AppendAsync(
        StreamRecord record,
        IReadOnlyList<JournalRecord> records,
        IReadOnlyList<IndexEntry> index
    )
    {
        var payload = new EntryPayload(Clock.GetUtcNow(), "test", "", records).ToBytes();
        var answer = await store.AppendAsync(
            new JournalCommit([new StreamAppend(record.Stream, record.Position, payload)], index),
            Cancel
        );
        answer.Outcome.ShouldBe(AppendOutcome.Appended);
    }
}
