using CcmFhir.Export;

namespace CcmFhir.Ehr;

/// <summary>An 837 file in a folder that a clearinghouse's software sends from. Whole or not at all, and once: the file lies beside under a name that
/// the software passes over, the journal says so, and only then it gets its own name. From the journal and the folder a later try can tell how
/// far an earlier one came, also where the software has taken the file away already.</summary>
internal static class DeliverFile
{
    /// <summary>One try.</summary>
    public static async Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        var folder = attempt.Ehr.File!.ClaimFiles!.Folder!;
        try
        {
            if (attempt.Before.Parts.TryGetValue(1, out var staged))
            {
                return Release(folder, staged.File!);
            }
            ClaimFile made;
            try
            {
                made = await attempt.ClaimFile!(cancel);
            }
            catch (InvalidDataException fault)
            {
                return BadClaim(fault.Message);
            }
            if (made.Text is null)
            {
                return BadClaim(string.Join("; ", made.Faults.Select(fault => fault.Text)) + ".");
            }
            var name = FileName(attempt, made.ControlNumber);
            await StageAsync(folder, name, made.Text, cancel);
            if (!await attempt.TryPart!(new DeliveryNote { Part = 1, File = name }))
            {
                File.Delete(Staged(folder, name));
                return TryResult.Unanswered(
                    new DeliveryNote
                    {
                        Problem = DeliveryProblem.Stopped,
                        Text = "Another instance looks after the claim.",
                    }
                );
            }
            return Release(folder, name);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return TryResult.Unanswered(
                new DeliveryNote
                {
                    Problem = DeliveryProblem.Unreachable,
                    Text = $"The folder 'claimFiles.folder' cannot be written to: {fault.Message}",
                }
            );
        }
    }

    /// <summary><c>practice-month-control number.837</c>.</summary>
    private static string FileName(DeliveryTry attempt, int controlNumber) =>
        $"{attempt.Ehr.Practice}-{attempt.Claim.Claim["billablePeriod"u8]["start"u8].Text?[..7]}-{controlNumber:D9}.837";

    private static string Staged(string folder, string name) => Path.Combine(folder, $".{name}.part");

    // It lies in the folder itself, so that a folder that is not mounted is not taken for one whose files are gone.
    private static string Marker(string folder) => Path.Combine(folder, ".ccmfhir");

    private static async Task StageAsync(string folder, string name, string text, CancellationToken cancel)
    {
        if (!File.Exists(Marker(folder)))
        {
            await File.WriteAllTextAsync(Marker(folder), "CcmFhir puts its claim files here.\n", cancel);
        }
        await using var file = new FileStream(Staged(folder, name), FileMode.CreateNew, FileAccess.Write);
        await file.WriteAsync(System.Text.Encoding.ASCII.GetBytes(text), cancel);
        file.Flush(flushToDisk: true);
    }

    private static TryResult Release(string folder, string name)
    {
        if (File.Exists(Staged(folder, name)))
        {
            File.Move(Staged(folder, name), Path.Combine(folder, name), overwrite: false);
        }
        else if (!File.Exists(Marker(folder)))
        {
            throw new DirectoryNotFoundException(
                "it is not the folder that the file was put in before; mount that one again."
            );
        }
        return TryResult.Accepted(
            new DeliveryNote { File = name, Text = $"Put into the clearinghouse's folder as {name}." }
        );
    }

    private static TryResult BadClaim(string text) =>
        TryResult.Refused(
            new DeliveryNote { Problem = DeliveryProblem.BadClaim, Text = $"No 837 file can be made: {text}" }
        );
}
