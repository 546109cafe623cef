using System.Text.Json.Nodes;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Tests.Export;

/// <summary>The sample month in a journal of its own: taken in and closed as the server would.</summary>
internal sealed class DemoJournal : IAsyncDisposable
{
    public const string Practice = "maple-street";
    public const string Month = "2026-10";
    public static readonly DateTimeOffset Now = new(2026, 11, 23, 0, 0, 0, TimeSpan.Zero);

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ccmfhir-export-");
    private readonly SqliteJournalStore store;

    private DemoJournal(Action<JsonObject>? change)
    {
        var practice = JsonNode
            .Parse(System.IO.File.ReadAllText(Repository.At("profiles", "practices", Practice + ".json")))!
            .AsObject();
        change?.Invoke(practice);
        PracticeFolder = folder.CreateSubdirectory("practices").FullName;
        PracticePath = Path.Combine(PracticeFolder, Practice + ".json");
        System.IO.File.WriteAllText(PracticePath, practice.ToJsonString());
        File = PracticeFile.Read(PracticePath);
        store = SqliteJournalStore.Open(Path.Combine(folder.FullName, "journal.db"));
        Streams = new StreamRecords(store);
        Close = new CloseMonth(Streams, RuleSet.Medicare, HouseDoor.CheckClaim);
    }

    /// <summary>A folder of its own.</summary>
    public string Folder => folder.FullName;

    public string PracticeFolder { get; }

    public string PracticePath { get; }

    public string Store => "sqlite:" + Path.Combine(folder.FullName, "journal.db");

    public PracticeFile File { get; }

    public StreamRecords Streams { get; }

    public CloseMonth Close { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Takes the samples in; the month is not closed yet.</summary>
    public static async Task<DemoJournal> OpenAsync(Action<JsonObject>? change = null)
    {
        var demo = new DemoJournal(change);
        await demo.TakeAsync(Repository.At("profiles", "samples"));
        return demo;
    }

    /// <summary>Takes the samples in and closes the month.</summary>
    public static async Task<DemoJournal> ClosedAsync(Action<JsonObject>? change = null)
    {
        var demo = await OpenAsync(change);
        await demo.CloseAsync();
        return demo;
    }

    /// <summary>Takes a folder in; what is refused is refused.</summary>
    public async Task TakeAsync(string path)
    {
        foreach (var file in ReadFolder.Files(path))
        {
            foreach (var document in ReadFolder.Documents(path, file))
            {
                await TakeAsync(document);
            }
        }
    }

    /// <summary>Takes one resource in, which must not be refused.</summary>
    public async Task TakeAsync(JsonObject resource)
    {
        var path = Path.Combine(Folder, $"{resource["resourceType"]}-{resource["id"]}.json");
        await System.IO.File.WriteAllTextAsync(path, resource.ToJsonString(), Cancel);
        foreach (var document in ReadFolder.Documents(path, path))
        {
            (await TakeAsync(document)).ShouldBeEmpty();
        }
    }

    public async Task<CloseResult> CloseAsync(string month = Month, DateTimeOffset? now = null)
    {
        ServiceMonth.TryParse(month, out var service).ShouldBeTrue();
        return await Close.RunAsync(File, service, now ?? Now, null, Cancel);
    }

    /// <summary>A resource as it stands, to be changed and taken in again.</summary>
    public async Task<JsonObject> CurrentAsync(string patient, string reference)
    {
        var parts = reference.Split('/');
        var stored = (await Streams.ReadAsync(JournalNames.PatientStream(Practice, patient), Cancel)).Find(
            parts[0],
            parts[1]
        )!;
        return JsonNode.Parse(stored.Current.Json.Span)!.AsObject();
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools();
        folder.Delete(recursive: true);
    }

    private async Task<IReadOnlyList<RefusedResource>> TakeAsync(FolderDocument document) =>
        await new TakeIn(
            new ReceiveBundle(Streams, HouseDoor.Open(), new Microsoft.Extensions.Time.Testing.FakeTimeProvider(Now))
        ).RunAsync(
            new Arrival(Receiver.Of(File), AccessContext.Unrestricted(Practice, "test"), Arrival.ToMillisecond(Now)),
            document,
            Cancel
        );
}
