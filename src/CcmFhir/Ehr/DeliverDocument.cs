using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>A DocumentReference that carries the claim as FHIR JSON, as a page to read and print and, where the practice file has
/// <c>claimFiles</c>, as 837: for EHRs that take documents only, where
/// billing staff enter the claim from it.</summary>
internal static class DeliverDocument
{
    /// <summary>System of the document's identifier; its value is the claim's.</summary>
    public const string IdentifierSystem = "http://ccmfhir.org/fhir/claim-document";

    /// <summary>One try.</summary>
    public static async Task<TryResult> TryAsync(DeliveryTry attempt, CancellationToken cancel)
    {
        var missing = attempt.Mapped.Missing.Where(item => item.Reference.Path == "Claim.patient").ToList();
        var problem = attempt.Mapped.Problem ?? (missing.Count > 0 ? EhrReferences.NotThere(missing) : null);
        var item = new NewResource(
            "DocumentReference",
            IdentifierSystem,
            attempt.Claim.Identifier,
            Write(attempt, await File837Async(attempt, cancel)),
            attempt.Before.MayHaveArrived,
            attempt.SendBefore
        );
        return problem is null
            ? await CreateOnce.TryAsync(attempt.Ehr, attempt.Known, item, cancel)
            : await Deliver.StopAsync(attempt, item, problem, cancel);
    }

    // The document is there for people; where no 837 can be made, they have the page.
    private static async Task<string?> File837Async(DeliveryTry attempt, CancellationToken cancel)
    {
        try
        {
            return attempt.ClaimFile is { } make ? (await make(cancel)).Text : null;
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static byte[] Write(DeliveryTry attempt, string? file837)
    {
        var claim = attempt.Claim.Claim;
        using var bytes = new MemoryStream();
        using (var json = new Utf8JsonWriter(bytes))
        {
            json.WriteStartObject();
            json.WriteString("resourceType", "DocumentReference");
            json.WriteStartArray("identifier");
            json.WriteStartObject();
            json.WriteString("system", IdentifierSystem);
            json.WriteString("value", attempt.Claim.Identifier);
            json.WriteEndObject();
            json.WriteEndArray();
            json.WriteString("status", "current");
            json.WriteStartObject("type");
            json.WriteString("text", "Chronic care management claim");
            json.WriteEndObject();
            json.WritePropertyName("subject");
            json.WriteRawValue(
                attempt.Mapped.Replacements.TryGetValue(claim["patient"u8], out var there)
                    ? there
                    : claim["patient"u8].Raw
            );
            if (claim["created"u8].Text is { } created && created.Contains('T', StringComparison.Ordinal))
            {
                json.WriteString("date", created);
            }
            json.WriteString("description", $"Claim {attempt.Claim.Identifier}");
            json.WriteStartArray("content");
            Content(json, "application/fhir+json", "Claim (FHIR R4)", attempt.Claim.Write(attempt.Mapped.Replacements));
            Content(json, "text/html", "Claim to read", Encoding.UTF8.GetBytes(Page(attempt.Claim)));
            if (file837 is not null)
            {
                Content(json, "application/EDI-X12", "Claim (X12 837)", Encoding.ASCII.GetBytes(file837));
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return bytes.ToArray();
    }

    private static void Content(Utf8JsonWriter json, string type, string title, byte[] data)
    {
        json.WriteStartObject();
        json.WriteStartObject("attachment");
        json.WriteString("contentType", type);
        json.WriteBase64String("data", data);
        json.WriteString("title", title);
        json.WriteEndObject();
        json.WriteEndObject();
    }

    /// <summary>The claim as a page: codes, dates, diagnoses and amounts. Who the patient is, the EHR's chart around it says.</summary>
    private static string Page(ClaimDraft draft)
    {
        var claim = draft.Claim;
        var page = new StringBuilder("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>");
        page.Append(Safe(draft.Identifier))
            .Append("</title></head><body><h1>Chronic care management claim</h1><p>Claim ");
        page.Append(Safe(draft.Identifier)).Append(", service month ");
        page.Append(Safe(claim["billablePeriod"u8]["start"u8].Text)).Append(" to ");
        page.Append(Safe(claim["billablePeriod"u8]["end"u8].Text)).Append("</p><h2>Diagnoses</h2><ol>");
        foreach (var diagnosis in claim["diagnosis"u8].Items)
        {
            page.Append("<li>").Append(Safe(Code(diagnosis["diagnosisCodeableConcept"u8]))).Append("</li>");
        }
        page.Append("</ol><h2>Services</h2><table><thead><tr><th>Code</th><th>Date</th><th>Place</th><th>Units</th>");
        page.Append("<th>Diagnoses</th><th>Amount</th></tr></thead><tbody>");
        foreach (var line in claim["item"u8].Items)
        {
            var pointers = new List<string>();
            foreach (var sequence in line["diagnosisSequence"u8].Items)
            {
                pointers.Add(sequence.Text ?? "");
            }
            page.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{Safe(Code(line["productOrService"u8]))}</td><td>{Safe(line["servicedDate"u8].Text ?? line["servicedPeriod"u8]["end"u8].Text)}</td><td>{Safe(Code(line["locationCodeableConcept"u8]))}</td><td>{Safe(line["quantity"u8]["value"u8].Text ?? "1")}</td><td>{Safe(string.Join(", ", pointers))}</td><td>{Safe(line["net"u8]["value"u8].Text)}</td></tr>"
            );
        }
        page.Append("</tbody></table><p>Total ")
            .Append(Safe(claim["total"u8]["value"u8].Text))
            .Append(" USD</p></body></html>");
        return page.ToString();
    }

    private static string? Code(FhirElement concept)
    {
        foreach (var coding in concept["coding"u8].Items)
        {
            return coding["code"u8].Text;
        }
        return concept["text"u8].Text;
    }

    private static string Safe(string? text) => WebUtility.HtmlEncode(text ?? "");
}
