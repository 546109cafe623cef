using System.Globalization;
using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Audit;

/// <summary>Makes the audit packet of a patient's month. Where a claim was issued, the month is read from the journal as it stood at that moment, and
/// decided again for that moment: what is shown is what the claim rests on, not what has come since.</summary>
/// <param name="close">Decides.</param>
/// <param name="records">The journal.</param>
/// <param name="rules">The rules.</param>
/// <param name="clock">The clock.</param>
internal sealed class MakeAuditPacket(CloseMonth close, StreamRecords records, RuleSet rules, TimeProvider clock)
{
    private readonly ClaimJournal journal = new(records, clock);

    /// <summary>Makes it; null when the practice has received nothing of such a patient.</summary>
    public async Task<AuditPacket?> RunAsync(
        PracticeFile file,
        string patient,
        ServiceMonth month,
        CancellationToken cancel
    )
    {
        var stream = JournalNames.PatientStream(file.Practice.Slug, patient);
        var entries = await records.Store.ReadAsync(stream, 0, cancel);
        if (entries.Count == 0)
        {
            return null;
        }
        var now = clock.GetUtcNow();
        var record = StreamRecord.Empty(stream).After(entries);
        var claims = MonthReading.Issued(record).Where(claim => claim.Month == month).ToList();
        var last = claims.Count == 0 ? null : claims[^1];
        var issued = last?.Journey.Events[0];
        var then = issued is null
            ? record
            : StreamRecord.Empty(stream).After([.. entries.Take((int)issued.Position - 1)]);
        var decision = issued is null
            ? (await close.ReadAsync(file, record, month, now, cancel)).Decision
            : new MonthReading(file, rules).Read(then, month, issued.At).Decision;
        var packet = new AuditPacket(
            file.Practice,
            $"Patient/{patient}",
            month,
            now,
            last is not null,
            AuditSections.Of(
                new AuditMatter(file, decision, claims, record, then, entries, issued?.Position ?? entries.Count)
            ),
            []
        );
        return packet with { Resources = await ResourcesAsync(file, packet, record, then, cancel) };
    }

    // As they stood: a later version does not show what the claim rests on. Claims and answers come after, and are taken as they are now.
    private async Task<IReadOnlyList<StoredResource>> ResourcesAsync(
        PracticeFile file,
        AuditPacket packet,
        StreamRecord record,
        StreamRecord then,
        CancellationToken cancel
    )
    {
        var found = new Dictionary<string, StoredResource>(StringComparer.Ordinal);
        foreach (
            var reference in packet
                .Sections.SelectMany(section => section.References)
                .Prepend(packet.Practice.Organization)
                .Prepend(packet.Patient)
        )
        {
            if (found.ContainsKey(reference) || reference.Split('/') is not [var type, var id])
            {
                continue;
            }
            var stored =
                then.Find(type, id)?.Current ?? await journal.FindAsync(file.Practice.Slug, record, type, id, cancel);
            if (stored is { Deleted: false })
            {
                found[reference] = stored;
            }
        }
        return [.. found.Values];
    }
}

/// <summary>What the sections are written from.</summary>
/// <param name="File">The practice.</param>
/// <param name="Decision">The decision, for the moment when the newest claim was issued; for now where none was.</param>
/// <param name="Claims">Claims of the month by revision.</param>
/// <param name="Record">The stream as it stands now.</param>
/// <param name="Then">The stream as it stood for the decision.</param>
/// <param name="Entries">The stream's entries.</param>
/// <param name="Through">Position of the last entry that the claim rests on, its own issue included.</param>
internal sealed record AuditMatter(
    PracticeFile File,
    MonthDecision Decision,
    IReadOnlyList<IssuedClaim> Claims,
    StreamRecord Record,
    StreamRecord Then,
    IReadOnlyList<JournalEntry> Entries,
    long Through
)
{
    /// <summary>An instant in the practice's time zone.</summary>
    public string Local(DateTimeOffset at) =>
        TimeZoneInfo
            .ConvertTime(at, File.Practice.TimeZone)
            .ToString("yyyy-MM-dd HH:mm:ss zzz", CultureInfo.InvariantCulture);

    /// <summary>A second in the practice's time zone.</summary>
    public string Local(long unix) => Local(DateTimeOffset.FromUnixTimeSeconds(unix));
}
