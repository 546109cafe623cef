using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CcmFhir.Journal;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>A transaction Bundle: what the claim refers to and the EHR lacks, then the claim. What comes back is read entry by entry,
/// since some servers answer 200 to a transaction of which they stored a part.</summary>
internal static class DeliverTransaction
{
    /// <summary>One try.</summary>
    public static Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        var item = DeliverClaim.Item(attempt);
        if (attempt.Mapped.Problem is { } problem)
        {
            return Deliver.StopAsync(attempt, item, problem, cancel);
        }
        var conditional = attempt.Known?["Claim"].ConditionalCreate ?? false;
        return CreateOnce.TryAsync(
            attempt.Ehr,
            attempt.Known,
            item,
            conditional && attempt.Ehr.Connection.TrustConditionalCreate,
            async () =>
            {
                var (bundle, entries) = Write(attempt, item, conditional);
                var answer = await attempt.Ehr.SendAsync(HttpMethod.Post, "", bundle, [], cancel);
                if (answer.Problem is not null || !answer.Success)
                {
                    return await CreateOnce.JudgeAsync(attempt.Ehr, item, answer, cancel);
                }
                var (mine, others) = Read(answer, entries);
                var result = await CreateOnce.JudgeAsync(attempt.Ehr, item, mine, cancel);
                return others.Length == 0
                    ? result
                    : result with
                    {
                        Note = result.Note with
                        {
                            Text =
                                $"{result.Note.Text} Of what was sent along, the EHR did not take: {others}.".TrimStart(),
                        },
                    };
            },
            cancel
        );
    }

    private static (byte[] Bundle, IReadOnlyList<string> Entries) Write(
        DeliveryTry attempt,
        NewResource item,
        bool conditional
    )
    {
        var along = attempt.Mapped.Missing.Select(missing => missing.Ours).DistinctBy(ours => ours.Reference).ToList();
        var urns = along.ToDictionary(ours => ours.Reference, ours => Urn(ours.Reference), StringComparer.Ordinal);
        var replacements = new Dictionary<FhirElement, byte[]>(attempt.Mapped.Replacements);
        foreach (var (reference, ours) in attempt.Mapped.Missing)
        {
            replacements[reference.Element] = ClaimDraft.Reference(urns[ours.Reference]);
        }
        // References that stand beside the claim point at the same resources as the claim's own.
        var elsewhere = attempt
            .Claim.References.Where(reference => attempt.Mapped.Replacements.ContainsKey(reference.Element))
            .GroupBy(reference => $"{reference.Type}/{reference.Id}", StringComparer.Ordinal)
            .ToDictionary(
                group => group.Key,
                group => attempt.Mapped.Replacements[group.First().Element],
                StringComparer.Ordinal
            );
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "Bundle");
            json.WriteString("type", "transaction");
            json.WriteStartArray("entry");
            foreach (var ours in along)
            {
                var (resource, condition) = Along(ours, urns, elsewhere);
                Entry(json, urns[ours.Reference], resource, ours.Type, condition);
            }
            Entry(
                json,
                Urn(item.Value),
                attempt.Claim.Write(replacements),
                "Claim",
                conditional ? CreateOnce.Condition(item) : null
            );
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return (bytes.ToArray(), [.. along.Select(ours => ours.Type), "Claim"]);
    }

    private static void Entry(Utf8JsonWriter json, string fullUrl, byte[] resource, string type, string? condition)
    {
        json.WriteStartObject();
        json.WriteString("fullUrl", fullUrl);
        json.WritePropertyName("resource");
        json.WriteRawValue(resource);
        json.WriteStartObject("request");
        json.WriteString("method", "POST");
        json.WriteString("url", type);
        if (condition is not null)
        {
            json.WriteString("ifNoneExist", condition);
        }
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>A resource that goes along: its references to what goes along or is known at the EHR are kept, others are by identifier; one
    /// without identifier gets ours, so that it is found next time.</summary>
    private static (byte[] Resource, string? Condition) Along(
        StoredResource ours,
        Dictionary<string, string> urns,
        Dictionary<string, byte[]> elsewhere
    )
    {
        var document = FhirJson.Parse(ours.Json.ToArray(), out _)!;
        var replacements = new Dictionary<FhirElement, byte[]>();
        foreach (var reference in ClaimDraft.ReferencesOf(document.Root, ours.Type))
        {
            var to = $"{reference.Type}/{reference.Id}";
            replacements[reference.Element] =
                urns.TryGetValue(to, out var urn) ? ClaimDraft.Reference(urn)
                : elsewhere.TryGetValue(to, out var there) ? there
                : ClaimDraft.Logical(reference);
        }
        var written = ClaimDraft.Write(document.Root, replacements);
        if (EhrReferences.Identifiers(document.Root).FirstOrDefault() is { System: not null } found)
        {
            return (written, $"identifier={Uri.EscapeDataString(found.System)}|{Uri.EscapeDataString(found.Value)}");
        }
        var own = JsonSerializer.Serialize(
            new[]
            {
                new Dictionary<string, string>
                {
                    ["system"] = $"http://ccmfhir.org/fhir/{ours.Type}",
                    ["value"] = ours.Id,
                },
            }
        );
        var text = Encoding.UTF8.GetString(written);
        return document.Root["identifier"u8].Exists
            ? (written, null)
            : (Encoding.UTF8.GetBytes($"{text[..^1]},\"identifier\":{own}}}"), null);
    }

    /// <summary>The answer to the claim's own entry as if it had been asked alone, and the entries that failed beside it.</summary>
    private static (EhrAnswer Claim, string Others) Read(EhrAnswer answer, IReadOnlyList<string> sent)
    {
        var entries = new List<FhirElement>();
        foreach (var entry in answer.Json?.Root["entry"u8].Items ?? default)
        {
            entries.Add(entry);
        }
        if (answer.ResourceType != "Bundle" || entries.Count != sent.Count)
        {
            // Success without a result for each entry: nothing is known, and the body is no answer about a Claim.
            return (answer with { Location = null, Body = Encoding.UTF8.GetBytes("{}") }, "");
        }
        var failed = new List<string>();
        for (var at = 0; at < sent.Count - 1; at++)
        {
            if (Status(entries[at]) is not (>= 200 and < 300))
            {
                failed.Add($"{sent[at]} ({entries[at]["response"u8]["status"u8].Text ?? "no status"})");
            }
        }
        var mine = entries[^1];
        var body = mine["resource"u8].Exists ? mine["resource"u8] : mine["response"u8]["outcome"u8];
        return (
            new EhrAnswer
            {
                Status = Status(mine),
                Location = mine["response"u8]["location"u8].Text,
                Version = mine["response"u8]["etag"u8].Text?.Replace("W/", "", StringComparison.Ordinal).Trim('"'),
                Body = body.Exists ? body.Raw.ToArray() : [],
            },
            string.Join(", ", failed)
        );
    }

    private static int Status(FhirElement entry) =>
        int.TryParse(
            (entry["response"u8]["status"u8].Text ?? "").Split(' ')[0],
            NumberStyles.None,
            CultureInfo.InvariantCulture,
            out var status
        )
            ? status
            : 200;

    private static string Urn(string of) =>
        $"urn:uuid:{new Guid(SHA256.HashData(Encoding.UTF8.GetBytes(of)).AsSpan(0, 16))}";
}
