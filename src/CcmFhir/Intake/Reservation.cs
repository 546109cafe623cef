using System.Globalization;
using CcmFhir.Journal;

namespace CcmFhir.Intake;

/// <summary>A conditional create reserves its condition in the index, so that of many at once one creates and the others find it, also
/// where they would write to different streams.</summary>
/// <remarks>The value is <c>Type/id milliseconds stream</c>. A reservation whose resource is gone is replaced; one whose resource has not
/// come yet is waited for a little, since the index is written before the commit.</remarks>
internal static class Reservation
{
    // Longer than any commit takes; after it the process that reserved is taken for dead.
    private const long PatienceMilliseconds = 30_000;

    /// <summary>The index entry of a conditional create.</summary>
    public static IndexEntry For(Attempt attempt, Entry entry, string criteria) =>
        new(
            JournalNames.Unique(attempt.Arrival.Practice.Slug, entry.Type, criteria),
            string.Create(
                CultureInfo.InvariantCulture,
                $"{entry.Type}/{entry.TargetId} {attempt.Arrival.Now.ToUnixTimeMilliseconds()} {entry.Stream}"
            ),
            entry.ReservationReplaces
        );

    /// <summary>Whether a reservation that is in the way may be replaced: its resource was deleted, no longer matches, or never came.</summary>
    public static async ValueTask<bool> IsGoneAsync(
        StreamRecords records,
        string value,
        DateTimeOffset now,
        CancellationToken cancel
    )
    {
        var parts = value.Split(' ', 3);
        var slash = parts[0].IndexOf('/', StringComparison.Ordinal);
        var stream = await records.ReadAsync(parts[2], cancel);
        if (stream.Find(parts[0][..slash], parts[0][(slash + 1)..]) is not null)
        {
            // It came. That the search did not find it means that it was deleted or changed since.
            return true;
        }
        return now.ToUnixTimeMilliseconds() - long.Parse(parts[1], CultureInfo.InvariantCulture) > PatienceMilliseconds;
    }
}
