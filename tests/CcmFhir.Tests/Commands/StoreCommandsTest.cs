using System.CommandLine;
using System.Text;
using System.Text.Json;
using CcmFhir.Commands;
using CcmFhir.Journal;
using CcmFhir.Tests.Journal;
using Microsoft.Data.Sqlite;

namespace CcmFhir.Tests.Commands;

/// <summary>verify and rebuild, on a store as intake leaves it and on what can become of one.</summary>
public sealed class StoreCommandsTest : IDisposable
{
    private static readonly DateTimeOffset At = new(2026, 10, 5, 14, 0, 0, TimeSpan.Zero);

    private readonly string folder = Directory.CreateTempSubdirectory("ccm-store-commands-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(folder, "ccm.db");

    private string Practices => Path.Combine(folder, "practices");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task An_index_that_is_missing_is_found_and_rebuilt_as_intake_would_have_made_it()
    {
        await FillAsync([]);

        var (exit, output) = await RunAsync(VerifyCommand.Build, "verify");
        exit.ShouldBe(1);
        output.ShouldContain("Stream 'patient/riverside/p1': an index entry of kind 'id' is missing.");
        output.ShouldContain("2 streams, 2 entries, 4 resources");
        output.ShouldNotContain("Testperson");
        output.ShouldNotContain("1EG4");
        output.ShouldNotContain("1940");

        (exit, output) = await RunAsync(RebuildCommand.Build, "rebuild");
        exit.ShouldBe(0);
        output.ShouldContain("2 streams");
        (exit, output) = await RunAsync(VerifyCommand.Build, "verify");
        (exit, output).ShouldBe((0, output));
        output.ShouldContain("no faults");

        await using var store = SqliteJournalStore.Open(Database);
        (await store.FindAsync("id/riverside/Task/t1", Cancel)).ShouldBe("patient/riverside/p1");
        (await store.FindAsync("id/riverside/Task/gone", Cancel)).ShouldBe("patient/riverside/p1");
        (await store.FindAsync("id/riverside/Organization/o1", Cancel)).ShouldBe("directory/riverside/Organization/o1");
        (await store.FindAsync("month/riverside/2026-10/p1", Cancel)).ShouldBe("patient/riverside/p1");
        (await store.FindAsync("identifier/riverside/Patient/1EG4-TE5-MK73/p1", Cancel)).ShouldBe(
            "patient/riverside/p1"
        );
    }

    [Fact]
    public async Task Rebuilding_twice_changes_nothing_the_second_time()
    {
        await FillAsync([]);

        await RunAsync(RebuildCommand.Build, "rebuild");
        var (exit, output) = await RunAsync(RebuildCommand.Build, "rebuild");

        exit.ShouldBe(0);
        output.ShouldContain(": 0 were missing");
    }

    [Fact]
    public async Task An_index_entry_that_leads_elsewhere_or_nowhere_is_a_fault_and_its_key_stays_unsaid()
    {
        await FillAsync([
            new("id/riverside/Task/t1", "patient/riverside/p9"),
            new("name/riverside/testperson/p9", "patient/riverside/p9"),
        ]);

        var (exit, output) = await RunAsync(VerifyCommand.Build, "verify", "--format", "json");

        exit.ShouldBe(1);
        using var json = JsonDocument.Parse(output);
        var shown = json.RootElement.GetProperty("shown").EnumerateArray().Select(fault => fault.GetString()!).ToList();
        shown.ShouldContain("Stream 'patient/riverside/p1': an index entry of kind 'id' leads elsewhere.");
        shown.ShouldContain(
            "An index entry of kind 'name' leads to stream 'patient/riverside/p9', which is not there."
        );
        output.ShouldNotContain("testperson");
        json.RootElement.GetProperty("faults").GetInt64().ShouldBe(shown.Count);
    }

    [Fact]
    public async Task A_changed_entry_is_a_fault_and_the_walk_goes_on()
    {
        await FillAsync([]);
        await RunAsync(RebuildCommand.Build, "rebuild");
        await using (var connection = new SqliteConnection($"Data Source={Database};Pooling=False"))
        {
            await connection.OpenAsync(Cancel);
            await using var command = connection.CreateCommand();
            connection.CreateFunction<long, byte[], byte[]>("cancelled", Cancelled);
            command.CommandText = "UPDATE entry SET payload = cancelled(format, payload)";
            (await command.ExecuteNonQueryAsync(Cancel)).ShouldBe(2);
        }

        var (exit, output) = await RunAsync(VerifyCommand.Build, "verify");

        exit.ShouldBe(1);
        output.ShouldContain("Stream 'patient/riverside/p1'");
        output.ShouldContain("does not match its hash");
        output.ShouldContain("2 streams");
        output.ShouldContain(": 1 faults");
    }

    [Fact]
    public async Task A_claim_that_was_issued_twice_is_a_fault()
    {
        await FillAsync([]);
        await using (var store = SqliteJournalStore.Open(Database))
        {
            for (var i = 1; i <= 2; i++)
            {
                var claim = Encoding.UTF8.GetBytes(
                    $$"""{"resourceType":"Claim","id":"c{{i}}","identifier":[{"system":"http://ccmfhir.org/fhir/claim","value":"riverside-2026-10-p1-1"}]}"""
                );
                var payload = new EntryPayload(
                    At,
                    "ccmfhir",
                    "",
                    [new JournalRecord(RecordKind.ClaimIssued, "Claim", $"c{i}", 1, claim)]
                );
                await store.AppendAsync(
                    new JournalCommit([new("patient/riverside/p1", i, payload.ToBytes())], []),
                    Cancel
                );
            }
        }
        await RunAsync(RebuildCommand.Build, "rebuild");

        var (exit, output) = await RunAsync(VerifyCommand.Build, "verify");

        exit.ShouldBe(1);
        output.ShouldContain("riverside-2026-10-p1-1 was issued twice");
    }

    [Fact]
    public async Task A_resource_that_was_written_while_the_index_did_not_know_it_is_a_fault()
    {
        await FillAsync([]);
        await using (var store = SqliteJournalStore.Open(Database))
        {
            var payload = new EntryPayload(At, "ehr", "", [Put("Task", "t9", "a"), Put("Task", "t9", "b")]);
            await store.AppendAsync(new JournalCommit([new("patient/riverside/p1", 1, payload.ToBytes())], []), Cancel);
        }

        var (exit, output) = await RunAsync(VerifyCommand.Build, "verify");

        exit.ShouldBe(1);
        output.ShouldContain("versions of Task/t9 do not rise");

        static JournalRecord Put(string type, string id, string status) =>
            StoreCommandsTest.Put(type, id, $$"""{"resourceType":"{{type}}","id":"{{id}}","status":"{{status}}"}""");
    }

    [Fact]
    public async Task A_practice_without_a_file_is_said_and_its_index_left_alone()
    {
        await FillAsync([]);
        Directory.Delete(Practices, recursive: true);

        (await RunAsync(VerifyCommand.Build, "verify")).Output.ShouldContain("No practice file for riverside");
        var (exit, output) = await RunAsync(RebuildCommand.Build, "rebuild");

        exit.ShouldBe(0);
        output.ShouldContain("No practice file for riverside");
        await using var store = SqliteJournalStore.Open(Database);
        (await store.FindAsync("id/riverside/Task/t1", Cancel)).ShouldBeNull();
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_not_made()
    {
        var (exit, output) = await RunAsync(VerifyCommand.Build, "verify");

        exit.ShouldBe(2);
        output.ShouldContain(Database);
        File.Exists(Database).ShouldBeFalse();
    }

    private async Task FillAsync(IReadOnlyList<IndexEntry> index)
    {
        Directory.CreateDirectory(Practices);
        await File.WriteAllTextAsync(
            Path.Combine(Practices, "riverside.json"),
            """
            {"slug":"riverside","name":"Riverside Family Medicine","npi":"1234567893","tin":"12-3456789","timeZone":"America/New_York",
             "practitioners":[{"ref":"Practitioner/dr-a","npi":"1245319599","name":"Ada Alvarez","credential":"MD"}],
             "organization":"Organization/o1"}
            """,
            Cancel
        );
        var patient = new EntryPayload(
            At,
            "ehr",
            "",
            [
                Put(
                    "Patient",
                    "p1",
                    """{"resourceType":"Patient","id":"p1","identifier":[{"system":"http://hl7.org/fhir/sid/us-mbi","value":"1EG4-TE5-MK73"}],"name":[{"family":"Testperson"}],"birthDate":"1940-02-03"}"""
                ),
                Put(
                    "Task",
                    "t1",
                    """{"resourceType":"Task","id":"t1","status":"completed","intent":"order","code":{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-activity","code":"care-coordination"}]},"for":{"reference":"Patient/p1"},"executionPeriod":{"start":"2026-10-05T10:00:00-04:00","end":"2026-10-05T10:20:00-04:00"}}"""
                ),
                new JournalRecord(RecordKind.Delete, "Task", "gone", 2, default),
            ]
        );
        var organization = new EntryPayload(
            At,
            "ehr",
            "",
            [Put("Organization", "o1", """{"resourceType":"Organization","id":"o1","name":"Riverside"}""")]
        );
        await using var store = SqliteJournalStore.Open(Database);
        var answer = await store.AppendAsync(
            new JournalCommit(
                [
                    new("patient/riverside/p1", 0, patient.ToBytes()),
                    new("directory/riverside/Organization/o1", 0, organization.ToBytes()),
                ],
                index
            ),
            Cancel
        );
        answer.Outcome.ShouldBe(AppendOutcome.Appended);
    }

    private async Task<(int Exit, string Output)> RunAsync(Func<TimeProvider, Command> build, params string[] args)
    {
        var output = new StringWriter();
        var root = new RootCommand { build(new RealTime()) };
        var exit = await root.Parse([.. args, "--store", $"sqlite:{Database}", "--practices", Practices])
            .InvokeAsync(new InvocationConfiguration { Output = output, Error = output }, Cancel);
        return (exit, output.ToString());
    }

    private static JournalRecord Put(string type, string id, string json) =>
        new(RecordKind.Put, type, id, 1, Encoding.UTF8.GetBytes(json));

    // What was completed is cancelled, in a payload as it lies in the file.
    private static byte[] Cancelled(long format, byte[] payload)
    {
        var text = Encoding.Latin1.GetString(SqlitePayload.Unpack(format, payload)!);
        var (now, bytes) = SqlitePayload.Pack(
            Encoding.Latin1.GetBytes(text.Replace("completed", "cancelled", StringComparison.Ordinal))
        );
        now.ShouldBe((int)format);
        return bytes.ToArray();
    }
}
