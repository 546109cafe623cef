using CcmFhir.Ehr;
using CcmFhir.Options;

namespace CcmFhir.Export;

/// <summary>An 837 file.</summary>
/// <param name="Text">The interchange; null where no claim could stand in it.</param>
/// <param name="ControlNumber">Its control number; 0 without text.</param>
/// <param name="Faults">Claims that were left out, and why.</param>
internal sealed record ClaimFile(string? Text, int ControlNumber, IReadOnlyList<ClaimFileFault> Faults);

/// <summary>Makes 837 files of issued claims.</summary>
/// <param name="journal">The journal.</param>
/// <param name="file">The practice.</param>
internal sealed class ClaimFiles(ClaimJournal journal, PracticeFile file)
{
    private readonly ClaimFileReader reader = new(journal, file);
    private readonly Interchanges interchanges = new(journal.Streams.Store, journal.Clock);

    /// <summary>One interchange with the claims that can stand in it. A control number is taken only when there is one.</summary>
    /// <param name="claims">Claims of one kind, in the order they shall stand in.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="InvalidDataException">The practice file lacks something that an 837 needs; the message names the setting.</exception>
    public async Task<ClaimFile> WriteAsync(IReadOnlyList<MonthClaim> claims, CancellationToken cancel)
    {
        // What the practice file lacks is told before a number is taken.
        var now = journal.Clock.GetUtcNow();
        var envelope = ClaimFileEnvelope.Of(file, 0, now);
        var written = new List<ClaimFileClaim>();
        var faults = new List<ClaimFileFault>();
        foreach (var claim in claims)
        {
            var (read, missing) = await reader.ReadAsync(claim, cancel);
            if (read?.Institutional == true && envelope.BillType is null)
            {
                missing =
                [
                    new ClaimFileFault(
                        claim.Journey.Id,
                        "it is institutional, and 'practice.facility' names no kind of facility (CLM05)"
                    ),
                ];
            }
            faults.AddRange(missing);
            if (read is not null && missing.Count == 0)
            {
                written.Add(read);
            }
        }
        if (written.Count == 0)
        {
            return new ClaimFile(null, 0, faults);
        }
        var number = await interchanges.NextAsync(
            file.Practice.Slug,
            [.. written.Select(claim => claim.ClaimId)],
            cancel
        );
        return new ClaimFile(Claim837.Write(envelope with { ControlNumber = number }, written), number, faults);
    }
}
