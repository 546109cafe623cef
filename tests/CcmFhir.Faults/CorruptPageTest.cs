using System.Globalization;
using System.Text.Json;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>Bytes of the store's file change, stopped or running: nothing is billed that would not have been billed, and whoever asks is
/// told.</summary>
/// <remarks>What may be is a refusal, or a patient that is missing from a close and that <c>ccmfhir verify</c> tells of. What may not be: a decision
/// or a claim other than that of the sound store; an answer that lacks something while <c>ccmfhir verify</c> finds no fault.
/// <c>CCMFHIR_CORRUPT_ROUNDS</c> sets the rounds.</remarks>
[Collection(FaultTable.OneAtATime)]
public sealed class CorruptPageTest(FaultTable table) : IDisposable
{
    private const int PageBytes = 4096;
    private const int BytesFlipped = 16;

    private static readonly int Rounds = int.Parse(
        Environment.GetEnvironmentVariable("CCMFHIR_CORRUPT_ROUNDS") ?? "4",
        CultureInfo.InvariantCulture
    );

    private readonly FaultScene scene = new("corrupt");
    private readonly CareLoad load = new(patients: 30, rounds: 3);
    private readonly Random chance = new(7);
    private readonly List<string> violations = [];
    private int told;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Changed_bytes_are_told_and_never_billed()
    {
        await scene.SendAsync(load, clients: 8);
        var sound = await SeenAsync();
        scene.Stop();
        // What lies in the log is copied into the file by the next start.
        await scene.StartAsync();
        scene.Stop();
        var kept = Path.Combine(scene.Folder, "kept.db");
        File.Copy(scene.Store, kept);
        sound.Decisions.Count.ShouldBe(load.Patients);
        sound.Logs.ShouldBe(load.Patients * 7);

        for (var round = 0; round < Rounds; round++)
        {
            Restore(kept);
            var running = round % 2 == 1;
            if (running)
            {
                await scene.StartAsync();
            }
            var pages = Flip();
            var seen = await TryAsync(running);
            scene.Stop();
            var (code, output, errors) = await scene.CommandAsync("verify", "--practices", scene.Practices);
            Judge($"Pages {string.Join(", ", pages)}", sound, seen, code, output + errors);
        }

        table.Report("corrupted pages", Rounds, told, load.Acknowledged.Count, violations);
    }

    [Fact]
    public async Task A_log_changed_in_its_middle_refuses_the_start_and_keeps_what_is_there()
    {
        // So little that the log is not begun anew: all of it counts.
        var small = new CareLoad(patients: 8, rounds: 2);
        await scene.SendAsync(small, clients: 2);
        scene.Stop();
        var log = scene.Store + "-wal";
        var (sound, file) = (
            await File.ReadAllBytesAsync(log, Cancel),
            await File.ReadAllBytesAsync(scene.Store, Cancel)
        );

        for (var round = 0; round < Rounds; round++)
        {
            // Not in the last commit: there, damage looks as a crash does.
            var changed = sound.ToArray();
            chance.NextBytes(changed.AsSpan(chance.Next(changed.Length * 3 / 4), BytesFlipped));
            await File.WriteAllBytesAsync(log, changed, Cancel);
            if (await scene.TryStartAsync() is { } refused && refused.Contains(log, StringComparison.Ordinal))
            {
                told++;
            }
            else
            {
                violations.Add("It starts on a log that is damaged in its middle.");
            }
            scene.Stop();
            var left = await File.ReadAllBytesAsync(log, Cancel);
            if (!changed.AsSpan().SequenceEqual(left))
            {
                violations.Add("A refused start changes the log.");
            }
        }
        await File.WriteAllBytesAsync(scene.Store, file, Cancel);
        await File.WriteAllBytesAsync(log, sound, Cancel);
        await scene.StartAsync();

        violations.AddRange(await new Invariants(scene, small).CheckAsync());
        table.Report("corrupted log", Rounds, told, small.Acknowledged.Count, violations);
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private void Restore(string kept)
    {
        File.Delete(scene.Store + "-wal");
        File.Delete(scene.Store + "-shm");
        File.Copy(kept, scene.Store, overwrite: true);
    }

    // Up to one page in twenty, anywhere but in the file's header, which every program looks at.
    private List<long> Flip()
    {
        using var file = new FileStream(scene.Store, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var count = file.Length / PageBytes;
        var pages = new List<long>();
        Span<byte> bytes = stackalloc byte[BytesFlipped];
        var most = chance.Next((int)count / 20);
        for (var each = 0; each <= most; each++)
        {
            var page = chance.NextInt64(1, count);
            pages.Add(page + 1);
            file.Position = (page * PageBytes) + chance.Next(PageBytes - BytesFlipped);
            chance.NextBytes(bytes);
            file.Write(bytes);
        }
        return pages;
    }

    private async Task<Seen?> TryAsync(bool running)
    {
        if (!running && await scene.TryStartAsync() is { } refused)
        {
            if (!refused.Contains("ccmfhir verify", StringComparison.Ordinal))
            {
                violations.Add($"A start is refused without a word on what to do: {refused}");
            }
            return null;
        }
        return await SeenAsync();
    }

    private void Judge(string what, Seen sound, Seen? seen, int code, string output)
    {
        if (code is 1 or 2)
        {
            told++;
        }
        if (code is not (0 or 1 or 2) || (code != 0 && output.Trim().Length == 0))
        {
            violations.Add($"{what}: verify ends with {code}: {output}");
        }
        if (code == 0 && (seen is null || !seen.Same(sound)))
        {
            violations.Add($"{what}: what the server answers is not whole, and verify finds no fault.");
        }
        violations.AddRange(
            (seen?.Decisions ?? [])
                .Where(decision => sound.Decisions.GetValueOrDefault(decision.Key) != decision.Value)
                .Select(decision => $"{what}: {decision.Key} is decided otherwise.")
        );
        violations.AddRange(
            (seen?.Claims ?? []).Except(sound.Claims).Select(claim => $"{what}: {claim} is billed and should not be.")
        );
    }

    // What a client can see of the month: nothing of it where the server refuses.
    private async Task<Seen> SeenAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri(scene.Address, $"/{CareMonths.Practice}/fhir/") };
        var decisions = new Dictionary<string, string>(StringComparer.Ordinal);
        using var decided = JsonDocument.Parse(await Invariants.DecisionsAsync(http) ?? "[]");
        foreach (var decision in decided.RootElement.EnumerateArray())
        {
            decisions[decision.GetProperty("patient").GetString()!] = decision.GetRawText();
        }
        using (await http.PostAsync(new Uri($"$ccm-close?month={CareMonths.Month}", UriKind.Relative), null, Cancel))
        { }
        var (claims, logs) = (new HashSet<string>(StringComparer.Ordinal), 0);
        for (var patient = 0; patient < load.Patients; patient++)
        {
            logs += (await EntriesAsync(http, $"Task?patient=p{patient}&_count=200")).Count;
            foreach (var claim in await EntriesAsync(http, $"Claim?patient=p{patient}&_count=200"))
            {
                claims.Add(
                    $"{claim.GetProperty("id").GetString()} {claim.GetProperty("item").GetRawText()} {claim.GetProperty("total").GetRawText()}"
                );
            }
        }
        return new Seen(decisions, claims, logs);
    }

    private static async Task<List<JsonElement>> EntriesAsync(HttpClient http, string query)
    {
        using var answer = await http.GetAsync(new Uri(query, UriKind.Relative), Cancel);
        if (!answer.IsSuccessStatusCode)
        {
            return [];
        }
        using var found = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(Cancel));
        return found.RootElement.TryGetProperty("entry", out var entries)
            ? [.. entries.EnumerateArray().Select(entry => entry.GetProperty("resource").Clone())]
            : [];
    }

    private sealed record Seen(Dictionary<string, string> Decisions, HashSet<string> Claims, int Logs)
    {
        public bool Same(Seen other) =>
            Logs == other.Logs && Claims.SetEquals(other.Claims) && Decisions.Count == other.Decisions.Count;
    }
}
