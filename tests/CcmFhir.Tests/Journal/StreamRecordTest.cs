using System.Text;
using CcmFhir.Journal;

namespace CcmFhir.Tests.Journal;

/// <summary>A stream folded: versions, deletions, claims, and what is refused.</summary>
public class StreamRecordTest
{
    private static readonly DateTimeOffset At = new(2026, 10, 5, 14, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_payload_is_read_back_as_written()
    {
        var written = new EntryPayload(
            At,
            "client-1",
            "trace-1",
            [Put("Task", "t1", 1, """{"a":"é\n"}"""), new JournalRecord(RecordKind.Delete, "Task", "t2", 3, default)]
        );

        var read = EntryPayload.FromBytes(written.ToBytes());

        read.At.ShouldBe(At);
        read.By.ShouldBe("client-1");
        read.Correlation.ShouldBe("trace-1");
        read.Records.Select(record => (record.Kind, record.Type, record.Id, record.Version, Text(record.Body)))
            .ShouldBe([
                (RecordKind.Put, "Task", "t1", 1L, """{"a":"é\n"}"""),
                (RecordKind.Delete, "Task", "t2", 3L, ""),
            ]);
    }

    [Fact]
    public void A_payload_cut_short_anywhere_is_refused()
    {
        var whole = new EntryPayload(At, "c", "", [Put("Task", "t1", 1, "{\"resourceType\":\"Task\"}")]).ToBytes();
        for (var length = 0; length < whole.Length; length++)
        {
            Should.Throw<InvalidDataException>(
                () => EntryPayload.FromBytes(whole.AsMemory(0, length)),
                $"{length} bytes"
            );
        }
    }

    [Fact]
    public void A_payload_of_a_later_format_names_the_format()
    {
        var later = Encoding.UTF8.GetBytes("{\"v\":2}\n");
        Should.Throw<InvalidDataException>(() => EntryPayload.FromBytes(later)).Message.ShouldContain("format 2");
    }

    [Fact]
    public void Every_version_is_kept_newest_first_and_a_deletion_is_a_version()
    {
        var record = StreamRecord
            .Empty("patient/a/p1")
            .After([Entry(1, Put("Task", "t1", 1, "{}")), Entry(2, Put("Task", "t1", 2, "{ }"))])
            .After([Entry(3, new JournalRecord(RecordKind.Delete, "Task", "t1", 3, default))]);

        var versions = record.Find("Task", "t1")!.NewestFirst().Select(version => version.Current).ToList();
        versions.Select(version => version.VersionId).ShouldBe(["3", "2", "1"]);
        versions[0].Deleted.ShouldBeTrue();
        record.Position.ShouldBe(3);
    }

    [Fact]
    public void Entries_that_leave_a_gap_are_refused() =>
        Should.Throw<InvalidDataException>(() => StreamRecord.Empty("s").After([Entry(2, Put("Task", "t1", 1, "{}"))]));

    [Fact]
    public void A_claim_stands_where_its_last_deciding_answer_left_it()
    {
        var issued = StreamRecord
            .Empty("patient/a/p1")
            .After([Entry(1, new JournalRecord(RecordKind.ClaimIssued, "Claim", "c1", 1, "{}"u8.ToArray()))]);
        issued.Claim("c1")!.State.ShouldBe(ClaimState.Issued);
        issued.Find("Claim", "c1").ShouldNotBeNull("a claim that we issued is read like any other resource");

        var unanswered = issued.After([
            Entry(2, Event(RecordKind.ClaimSent)),
            Entry(3, Event(RecordKind.ClaimUnanswered)),
        ]);
        unanswered.Claim("c1")!.State.ShouldBe(ClaimState.Issued);

        var accepted = unanswered.After([Entry(4, Event(RecordKind.ClaimAccepted))]);
        accepted.Claim("c1")!.State.ShouldBe(ClaimState.Accepted);
        accepted.Claim("c1")!.Events.Count.ShouldBe(4);
    }

    [Fact]
    public void An_answer_to_a_claim_that_was_never_issued_is_refused() =>
        Should.Throw<InvalidDataException>(() =>
            StreamRecord.Empty("s").After([Entry(1, Event(RecordKind.ClaimAccepted))])
        );

    [Fact]
    public void A_stream_that_was_not_read_says_of_what_is_new_that_it_is_not_there_and_tells_nothing_else()
    {
        var unread = StreamRecord.Unread("patient/a/p1", ["Task/t1"]);

        unread.IsWhole.ShouldBeFalse();
        unread.Find("Task", "t1").ShouldBeNull();
        Should.Throw<InvalidOperationException>(() => unread.Find("Task", "t2"));
        Should.Throw<InvalidOperationException>(() => unread.After([Entry(8, Put("Task", "t1", 1, "{}"))]));
        Should.Throw<InvalidOperationException>(() => unread.Resources);
        Should.Throw<InvalidOperationException>(() => unread.Claims);
        Should.Throw<InvalidOperationException>(() => unread.Claim("c1"));
    }

    private static JournalRecord Put(string type, string id, long version, string json) =>
        new(RecordKind.Put, type, id, version, Encoding.UTF8.GetBytes(json));

    private static JournalRecord Event(RecordKind kind) => new(kind, "Claim", "c1", 0, "{}"u8.ToArray());

    private static JournalEntry Entry(long position, params JournalRecord[] records) =>
        new(position, new byte[32], new EntryPayload(At, "c", "", records).ToBytes());

    private static string Text(ReadOnlyMemory<byte> body) => Encoding.UTF8.GetString(body.Span);
}
