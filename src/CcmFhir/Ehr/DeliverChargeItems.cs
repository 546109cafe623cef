using System.Globalization;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>A ChargeItem for each line of the claim, by plain create or by Oracle Health's <c>ChargeItem/$create</c>. Each line carries an
/// identifier of its own and is journalled when it has arrived, so that a try goes on where the last one ended.</summary>
internal static class DeliverChargeItems
{
    /// <summary>System of a line's identifier.</summary>
    public const string IdentifierSystem = "http://ccmfhir.org/fhir/claim-line";

    /// <summary>The EHR takes ChargeItems by operation only.</summary>
    public static bool ByOperation(EhrCapabilities known) =>
        !known["ChargeItem"].Create && known["ChargeItem"].Operations.Contains("create");

    /// <summary>Lines of a claim.</summary>
    public static IReadOnlyList<FhirElement> Lines(ClaimDraft claim)
    {
        var lines = new List<FhirElement>();
        foreach (var line in claim.Claim["item"u8].Items)
        {
            lines.Add(line);
        }
        return lines;
    }

    /// <summary>One try: each line that has not arrived.</summary>
    public static async Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        if (attempt.Claim.Originals.Any())
        {
            return TryResult.Refused(
                new DeliveryNote
                {
                    Problem = DeliveryProblem.NoWay,
                    Text =
                        "A correction cannot be told by ChargeItems. Credit the original's charges at the EHR by hand, and enter those of the correction.",
                }
            );
        }
        var missing = attempt.Mapped.Missing.Where(item => item.Reference.Path != "Claim.insurance.coverage").ToList();
        var problem = attempt.Mapped.Problem ?? (missing.Count > 0 ? EhrReferences.NotThere(missing) : null);
        var lines = Lines(attempt.Claim);
        var there = new List<string>();
        for (var part = 1; part <= lines.Count; part++)
        {
            if (attempt.Before.Parts.TryGetValue(part, out var earlier))
            {
                there.Add(earlier.EhrReference ?? "a ChargeItem");
                continue;
            }
            var item = Item(attempt, lines[part - 1], part);
            var result = problem is null
                ? await LineAsync(attempt, item, cancel)
                : await Deliver.StopAsync(attempt, item, problem, cancel);
            if (result.Kind != Journal.RecordKind.ClaimAccepted)
            {
                var before = there.Count == 0 ? "" : $" Already there: {string.Join(", ", there)}.";
                return result with
                {
                    Note = result.Note with { Part = part, Text = $"Line {part}: {result.Note.Text}{before}" },
                };
            }
            await attempt.PartAccepted(result.Note with { Part = part });
            there.Add(result.Note.EhrReference ?? "a ChargeItem");
        }
        return TryResult.Accepted(
            new DeliveryNote
            {
                EhrReference = there.FirstOrDefault(reference => reference.Contains('/', StringComparison.Ordinal)),
                Text = $"Delivered as {string.Join(", ", there)}.",
            }
        );
    }

    private static Task<TryResult> LineAsync(DeliveryTry attempt, NewResource item, CancellationToken cancel)
    {
        if (attempt.Known is null || !ByOperation(attempt.Known))
        {
            return CreateOnce.TryAsync(attempt.Ehr, attempt.Known, item, cancel);
        }
        return CreateOnce.TryAsync(
            attempt.Ehr,
            attempt.Known,
            item,
            repeatable: false,
            async () =>
            {
                var answer = await attempt.Ehr.SendAsync(HttpMethod.Post, "ChargeItem/$create", item.Json, [], cancel);
                // The operation answers 200 with an empty body.
                return answer is { Problem: null, Status: 200 or 201 or 204, Body.Length: 0 }
                    ? TryResult.Accepted(
                        new DeliveryNote
                        {
                            Status = answer.Status,
                            EhrReference = CreateOnce.FromLocation(answer.Location, "ChargeItem").Reference,
                        }
                    )
                    : await CreateOnce.JudgeAsync(attempt.Ehr, item, answer, cancel);
            },
            cancel
        );
    }

    private static NewResource Item(DeliveryTry attempt, FhirElement line, int part) =>
        new(
            "ChargeItem",
            IdentifierSystem,
            string.Create(CultureInfo.InvariantCulture, $"{attempt.Claim.Identifier}-{part}"),
            Write(attempt, line, part),
            attempt.Before.MayHaveArrived,
            attempt.SendBefore
        );

    private static byte[] Write(DeliveryTry attempt, FhirElement line, int part)
    {
        var claim = attempt.Claim.Claim;
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "ChargeItem");
            json.WriteStartArray("identifier");
            json.WriteStartObject();
            json.WriteString("system", IdentifierSystem);
            json.WriteString(
                "value",
                string.Create(CultureInfo.InvariantCulture, $"{attempt.Claim.Identifier}-{part}")
            );
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("status", "billable");
            Raw(json, "code", line["productOrService"u8]);
            Reference(json, "subject", attempt, claim["patient"u8]);
            Raw(json, "occurrenceDateTime", line["servicedDate"u8]);
            Raw(json, "occurrencePeriod", line["servicedPeriod"u8]);
            var provider = Performer(claim, line);
            if (provider.Exists)
            {
                json.WriteStartArray("performer");
                json.WriteStartObject();
                Reference(json, "actor", attempt, provider);
                json.WriteEndObject();
                json.WriteEndArray();
            }
            Reference(json, "performingOrganization", attempt, claim["provider"u8]);
            Raw(json, "quantity", line["quantity"u8]);
            Raw(json, "priceOverride", line["unitPrice"u8]);
            WriteReasons(json, claim, line);
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void WriteReasons(Utf8JsonWriter json, FhirElement claim, FhirElement line)
    {
        var wanted = new HashSet<string?>();
        foreach (var sequence in line["diagnosisSequence"u8].Items)
        {
            wanted.Add(sequence.Text);
        }
        var open = false;
        foreach (var diagnosis in claim["diagnosis"u8].Items)
        {
            var code = diagnosis["diagnosisCodeableConcept"u8];
            if (!code.Exists || (wanted.Count > 0 && !wanted.Contains(diagnosis["sequence"u8].Text)))
            {
                continue;
            }
            if (!open)
            {
                json.WriteStartArray("reason");
                open = true;
            }
            json.WriteRawValue(code.Raw);
        }
        if (open)
        {
            json.WriteEndArray();
        }
    }

    private static FhirElement Performer(FhirElement claim, FhirElement line)
    {
        string? wanted = null;
        foreach (var sequence in line["careTeamSequence"u8].Items)
        {
            wanted ??= sequence.Text;
        }
        foreach (var member in claim["careTeam"u8].Items)
        {
            if (wanted is null || member["sequence"u8].Text == wanted)
            {
                return member["provider"u8];
            }
        }
        return default;
    }

    private static void Raw(Utf8JsonWriter json, string name, FhirElement value)
    {
        if (value.Exists)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(value.Raw);
        }
    }

    private static void Reference(Utf8JsonWriter json, string name, DeliveryTry attempt, FhirElement value)
    {
        if (value.Exists)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(attempt.Mapped.Replacements.TryGetValue(value, out var there) ? there : value.Raw);
        }
    }
}
