using System.Text.Json;
using CcmFhir.Domain;
using CcmFhir.Journal;

namespace CcmFhir.MonthEnd;

/// <summary>The runs of each month, kept in the journal: one stream a practice and month. Any number of instances write to it.</summary>
/// <param name="store">The journal.</param>
internal sealed class CloseRuns(IJournalStore store)
{
    /// <summary>The runs of a month, by number.</summary>
    public async Task<IReadOnlyList<CloseRun>> ReadAsync(
        string practice,
        ServiceMonth month,
        CancellationToken cancel
    ) => CloseRun.Fold(practice, month, await store.ReadAsync(Stream(practice, month), 0, cancel));

    /// <summary>Says something about a month, unless what stands there makes it needless; a lost race looks again.</summary>
    /// <param name="practice">Slug.</param>
    /// <param name="month">The month.</param>
    /// <param name="say">What is to be said in view of the runs there are; null for nothing.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The runs as they are then.</returns>
    public async Task<IReadOnlyList<CloseRun>> SayAsync(
        string practice,
        ServiceMonth month,
        Func<IReadOnlyList<CloseRun>, CloseWord?> say,
        CancellationToken cancel
    )
    {
        while (true)
        {
            var entries = await store.ReadAsync(Stream(practice, month), 0, cancel);
            var runs = CloseRun.Fold(practice, month, entries);
            if (say(runs) is not { } word)
            {
                return runs;
            }
            var payload = JsonSerializer.SerializeToUtf8Bytes(word);
            var appended = await store.AppendAsync(
                new JournalCommit([new StreamAppend(Stream(practice, month), entries.Count, payload)], []),
                cancel
            );
            if (appended.Outcome == AppendOutcome.Appended)
            {
                return CloseRun.Fold(
                    practice,
                    month,
                    [.. entries, new JournalEntry(entries.Count + 1, default, payload)]
                );
            }
        }
    }

    private static string Stream(string practice, ServiceMonth month) => $"closing/{practice}/{month}";
}
