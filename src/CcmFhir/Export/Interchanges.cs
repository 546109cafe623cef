using System.Text.Json;
using CcmFhir.Journal;

namespace CcmFhir.Export;

/// <summary>Control numbers of a practice's X12 interchanges: one stream of the journal for each practice, whose position is the number. So no two
/// files of a practice have the same one, whoever writes them and wherever, and the journal says which claims went under which.</summary>
/// <param name="store">The journal.</param>
/// <param name="clock">The clock.</param>
internal sealed class Interchanges(IJournalStore store, TimeProvider clock)
{
    private const int Highest = 999_999_999;

    /// <summary>Takes the next number.</summary>
    /// <param name="practice">Slug.</param>
    /// <param name="claims">Logical ids of the claims in the interchange.</param>
    /// <param name="cancel">Gives up; a number may then be taken and go unused.</param>
    public async Task<int> NextAsync(string practice, IReadOnlyList<string> claims, CancellationToken cancel)
    {
        var stream = $"interchange/{practice}";
        // The nonce: two processes at one instant with the same claims are two interchanges.
        var payload = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                v = 1,
                at = clock.GetUtcNow(),
                nonce = Guid.NewGuid(),
                claims,
            }
        );
        var position = 0L;
        while (true)
        {
            var answer = await store.AppendAsync(
                new JournalCommit([new StreamAppend(stream, position, payload)], []),
                cancel
            );
            if (answer.Outcome == AppendOutcome.Appended)
            {
                return position < Highest
                    ? (int)position + 1
                    : throw new InvalidDataException(
                        $"Practice '{practice}' has used up its {Highest} interchange control numbers."
                    );
            }
            position = answer.Position;
        }
    }
}
