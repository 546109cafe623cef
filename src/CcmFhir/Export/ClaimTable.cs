using System.Text;
using System.Text.Json;
using CcmFhir.Fhir.Readers;
using CcmFhir.Validation;

namespace CcmFhir.Export;

/// <summary>Issued claims for spreadsheets and programs: CSV with one record for each line, and NDJSON of the Claims.</summary>
internal static class ClaimTable
{
    private const string Header =
        "claim,controlNumber,frequency,issued,type,patient,family,given,birthDate,memberId,practitionerNpi,placeOfService,diagnoses,line,code,modifiers,units,unitPrice,net,from,through,total,state";

    /// <summary>The claims as CSV (RFC 4180), a header first.</summary>
    public static string Csv(IEnumerable<MonthClaim> claims)
    {
        var csv = new StringBuilder(CsvText.Line(Header.Split(',')));
        foreach (var issued in claims)
        {
            var claim = issued.Draft.Claim;
            var reference = claim["patient"u8]["reference"u8].Text ?? "";
            var patient = ClaimFileReader.Parsed(
                issued
                    .Record.Find("Patient", reference[(reference.IndexOf('/', StringComparison.Ordinal) + 1)..])
                    ?.Current
            );
            var (family, given) = Name(patient);
            string?[] start =
            [
                issued.Draft.Identifier,
                ClaimFileReader.ControlNumber(issued.Draft.Identifier),
                ClaimFileReader.Frequency(claim).ToString(System.Globalization.CultureInfo.InvariantCulture),
                issued.IssuedAt.UtcDateTime.ToString(
                    "yyyy-MM-dd'T'HH:mm:ss'Z'",
                    System.Globalization.CultureInfo.InvariantCulture
                ),
                ClaimFileReader.Code(claim["type"u8]),
                reference,
                family,
                given,
                patient["birthDate"u8].Text,
                ClaimFileReader.Member(issued.Record, claim, patient),
                Practitioner(claim),
                ClaimFileReader.Place(claim),
                string.Join(' ', ClaimFileReader.Diagnoses(claim)),
            ];
            foreach (var item in claim["item"u8].Items)
            {
                var modifiers = new List<string>();
                foreach (var modifier in item["modifier"u8].Items)
                {
                    modifiers.Add(ClaimFileReader.Code(modifier) ?? "");
                }
                csv.Append(
                    CsvText.Line([
                        .. start,
                        item["sequence"u8].Text,
                        ClaimFileReader.Code(item["productOrService"u8]),
                        string.Join(' ', modifiers),
                        item["quantity"u8]["value"u8].Text,
                        item["unitPrice"u8]["value"u8].Text,
                        item["net"u8]["value"u8].Text,
                        item["servicedDate"u8].Text ?? item["servicedPeriod"u8]["start"u8].Text,
                        item["servicedPeriod"u8]["end"u8].Text,
                        claim["total"u8]["value"u8].Text,
                        issued.Journey.State.ToString().ToLowerInvariant(),
                    ])
                );
            }
        }
        return csv.ToString();
    }

    /// <summary>The Claims as issued, one line each.</summary>
    public static string NdJson(IEnumerable<MonthClaim> claims)
    {
        using var bytes = new MemoryStream();
        foreach (var issued in claims)
        {
            using var claim = JsonDocument.Parse(issued.Journey.Json);
            using (var json = new Utf8JsonWriter(bytes))
            {
                claim.WriteTo(json);
            }
            bytes.WriteByte((byte)'\n');
        }
        return Encoding.UTF8.GetString(bytes.ToArray());
    }

    private static (string? Family, string? Given) Name(FhirElement patient)
    {
        foreach (var name in patient["name"u8].Items)
        {
            var given = new List<string>();
            foreach (var one in name["given"u8].Items)
            {
                given.Add(one.Text ?? "");
            }
            return (name["family"u8].Text ?? name["text"u8].Text, string.Join(' ', given));
        }
        return (null, null);
    }

    private static string? Practitioner(FhirElement claim)
    {
        foreach (var member in claim["careTeam"u8].Items)
        {
            foreach (var identifier in member["provider"u8]["identifier"u8].Items)
            {
                if (identifier["system"u8].Text == Codes.Npi)
                {
                    return identifier["value"u8].Text;
                }
            }
        }
        return null;
    }
}
