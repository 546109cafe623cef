using CcmFhir.Fhir;
using CcmFhir.Journal;
using CcmFhir.MonthEnd;
using CcmFhir.Options;

namespace CcmFhir.Intake;

/// <summary>The index as the streams say it should be: what intake would write for each resource that is there, worked out again.</summary>
/// <param name="practices">The practices there are.</param>
internal sealed class DerivedIndex(Practices practices)
{
    /// <summary>The stream holds resources: a patient's, or one of the directory.</summary>
    public static bool HoldsResources(string stream) => Practice(stream) is not null;

    /// <summary>Slug of the practice whose resources the stream holds; null when it holds none.</summary>
    public static string? Practice(string stream) =>
        stream.Split('/', 3) is ["patient" or "directory", var slug, _] ? slug : null;

    /// <summary>The practice's time zone is known, without which months cannot be told.</summary>
    public bool Knows(string stream) => Practice(stream) is { } slug && practices.Find(slug) is not null;

    /// <summary>The entries that lead to the stream's resources. A deleted one is still found by its id.</summary>
    /// <exception cref="InvalidDataException">A stored resource cannot be read.</exception>
    public IReadOnlyList<IndexEntry> Of(StreamRecord record)
    {
        var receiver = Receiver.Of(practices.Find(Practice(record.Stream)!)!);
        var writes = new PendingWrites(receiver);
        foreach (var resource in record.Resources.Select(versions => versions.Current))
        {
            if (resource.Deleted)
            {
                writes.Add(new IndexEntry(JournalNames.Id(receiver.Slug, resource.Type, resource.Id), record.Stream));
            }
            else
            {
                writes.AddIndex(
                    resource.Type,
                    resource.Id,
                    PracticeRecords.Parse(resource),
                    record.Stream,
                    isNew: true
                );
            }
        }
        foreach (var claim in MonthReading.Issued(record))
        {
            writes.Add(
                new IndexEntry(
                    Ehr.ClaimJournal.MonthKey(receiver.Slug, claim.Month.ToString()) + claim.Id,
                    record.Stream
                )
            );
        }
        return writes.Commit().Index;
    }
}
