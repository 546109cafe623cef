using System.Text.Json;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>What must hold after any fault, looked at from outside: over HTTP and with the program's own commands.</summary>
/// <param name="scene">A scene whose server runs, its surroundings sound again.</param>
/// <param name="load">The load that was sent.</param>
internal sealed class Invariants(FaultScene scene, CareLoad load)
{
    private const string AsOf = "2026-11-23T00:00:00Z";

    private readonly List<string> violations = [.. load.Violations];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Looks at all of them: acknowledged is durable; nothing is doubled and no bundle halved; the ledger equals the one that the
    /// command line computes from the bundles; closing twice leaves one standing claim a patient and month; <c>ccmfhir verify</c> finds no
    /// fault.</summary>
    /// <returns>What is violated, one sentence each.</returns>
    public async Task<IReadOnlyCollection<string>> CheckAsync()
    {
        using var http = new HttpClient { BaseAddress = new Uri(scene.Address, $"/{CareMonths.Practice}/fhir/") };
        var there = await WhatIsThereAsync(http);
        await LedgerAsync(http, there);
        await ClaimsAsync(http);
        await VerifyAsync();
        return violations;
    }

    /// <summary>Decisions of the month from the server; null when it refuses to give any.</summary>
    public static async Task<string?> DecisionsAsync(HttpClient http)
    {
        using var request = new HttpRequestMessage(
            HttpMethod.Post,
            new Uri($"$ccm-close?month={CareMonths.Month}&dryRun=true&asOf={AsOf}", UriKind.Relative)
        );
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await http.SendAsync(request, Cancel);
        if (!answer.IsSuccessStatusCode)
        {
            return null;
        }
        using var served = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(Cancel));
        return served.RootElement.GetProperty("decisions").GetRawText();
    }

    /// <summary>Decisions of the month as the command line computes them from bundles in a folder, without a server and without a store.</summary>
    public async Task<string> RecomputedAsync(IEnumerable<int> bundles)
    {
        var input = Path.Combine(scene.Folder, "input");
        if (Directory.Exists(input))
        {
            Directory.Delete(input, recursive: true);
        }
        Directory.CreateDirectory(input);
        foreach (var number in bundles)
        {
            await File.WriteAllBytesAsync(Path.Combine(input, $"{number:D5}.json"), load.Bundle(number), Cancel);
        }
        var (code, output, errors) = await scene.CommandAsync(
            "close",
            "--input",
            input,
            "--practice",
            scene.PracticeFile,
            "--month",
            CareMonths.Month,
            "--dry-run",
            "--as-of",
            AsOf,
            "--format",
            "json"
        );
        code.ShouldBe(0, errors);
        using var computed = JsonDocument.Parse(output);
        return computed.RootElement.GetProperty("decisions").GetRawText();
    }

    // Numbers of the bundles that are there.
    private async Task<List<int>> WhatIsThereAsync(HttpClient http)
    {
        var logs = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var patient = 0; patient < load.Patients; patient++)
        {
            foreach (var task in await SearchAsync(http, $"Task?patient=p{patient}&_count=200"))
            {
                var reference = $"Task/{task.GetProperty("id").GetString()}";
                if (!logs.TryAdd(reference, task.GetProperty("meta").GetProperty("versionId").GetString()!))
                {
                    violations.Add($"{reference} is there twice.");
                }
            }
        }
        violations.AddRange(
            logs.Where(log => log.Value != "1")
                .Select(log => $"{log.Key} has version {log.Value}; it was brought once.")
        );
        var acknowledged = load.Acknowledged.ToHashSet();
        var whole = new List<int>();
        for (var number = 0; number < load.Bundles; number++)
        {
            var brought = load.Logs(number).ToList();
            var found = brought.Count(log => logs.Remove(log));
            foreach (var other in found > 0 || acknowledged.Contains(number) ? load.Others(number) : [])
            {
                using var answer = await http.GetAsync(new Uri(other, UriKind.Relative), Cancel);
                brought.Add(other);
                found += answer.IsSuccessStatusCode ? 1 : 0;
            }
            if (found == brought.Count)
            {
                whole.Add(number);
            }
            else if (acknowledged.Contains(number))
            {
                violations.Add(
                    $"Bundle {number} was acknowledged; {found} of its {brought.Count} resources are there."
                );
            }
            else if (found > 0)
            {
                violations.Add($"Bundle {number} is there by half: {found} of {brought.Count} resources.");
            }
        }
        violations.AddRange(logs.Keys.Select(log => $"{log} is there and was never sent."));
        return whole;
    }

    private async Task LedgerAsync(HttpClient http, List<int> there)
    {
        if (await DecisionsAsync(http) != await RecomputedAsync(there))
        {
            violations.Add("The ledger differs from the one that is computed from the bundles.");
        }
    }

    private async Task ClaimsAsync(HttpClient http)
    {
        for (var close = 0; close < 2; close++)
        {
            using var answer = await http.PostAsync(
                new Uri($"$ccm-close?month={CareMonths.Month}", UriKind.Relative),
                null,
                Cancel
            );
            if (!answer.IsSuccessStatusCode)
            {
                violations.Add($"The month is not closed: {await answer.Content.ReadAsStringAsync(Cancel)}");
                return;
            }
        }
        using var decided = JsonDocument.Parse(await DecisionsAsync(http) ?? "[]");
        foreach (var decision in decided.RootElement.EnumerateArray())
        {
            var patient = decision.GetProperty("patient").GetString()!;
            var billed = decision.GetProperty("lines").GetArrayLength() > 0;
            var claims = await SearchAsync(http, $"Claim?patient={patient}&_count=200");
            var names = claims.Select(claim => Identifier(claim)).ToList();
            var standing = names.Except(claims.SelectMany(Replaced)).Count();
            if (names.Distinct().Count() != names.Count || standing != (billed ? 1 : 0))
            {
                violations.Add(
                    $"{patient} has {standing} standing claims of {names.Count}; it is{(billed ? "" : " not")} to be billed."
                );
            }
        }
    }

    private async Task VerifyAsync()
    {
        var (code, output, errors) = await scene.CommandAsync("verify", "--practices", scene.Practices);
        if (code != 0)
        {
            violations.Add($"verify: {output}{errors}");
        }
    }

    private async Task<List<JsonElement>> SearchAsync(HttpClient http, string query)
    {
        using var answer = await http.GetAsync(new Uri(query, UriKind.Relative), Cancel);
        var body = await answer.Content.ReadAsStringAsync(Cancel);
        if (!answer.IsSuccessStatusCode)
        {
            violations.Add($"{query}: {(int)answer.StatusCode} {body}");
            return [];
        }
        using var found = JsonDocument.Parse(body);
        return found.RootElement.TryGetProperty("entry", out var entries)
            ? [.. entries.EnumerateArray().Select(entry => entry.GetProperty("resource").Clone())]
            : [];
    }

    private static string Identifier(JsonElement claim) =>
        claim.GetProperty("identifier")[0].GetProperty("value").GetString()!;

    private static IEnumerable<string> Replaced(JsonElement claim) =>
        claim.TryGetProperty("related", out var related)
            ? related
                .EnumerateArray()
                .Select(before =>
                    before.GetProperty("claim").GetProperty("identifier").GetProperty("value").GetString()!
                )
            : [];
}
