using System.Globalization;

namespace CcmFhir.Export;

/// <summary>Writes claims as X12 837: professional (005010X222A1) or institutional (005010X223A2), one interchange, one transaction set a kind.</summary>
internal static class Claim837
{
    private const string ProfessionalGuide = "005010X222A1";
    private const string InstitutionalGuide = "005010X223A2";

    /// <summary>One interchange with all claims of one kind.</summary>
    /// <param name="envelope">Who sends and bills.</param>
    /// <param name="claims">At least one, all professional or all institutional, in the order they shall stand in.</param>
    /// <exception cref="ArgumentException">No claim, or both kinds.</exception>
    public static string Write(ClaimFileEnvelope envelope, IReadOnlyList<ClaimFileClaim> claims)
    {
        if (claims.Count == 0 || claims.Any(claim => claim.Institutional != claims[0].Institutional))
        {
            throw new ArgumentException(
                "An 837 file holds at least one claim, and claims of one kind.",
                nameof(claims)
            );
        }
        var institutional = claims[0].Institutional;
        var guide = institutional ? InstitutionalGuide : ProfessionalGuide;
        var control = envelope.ControlNumber.ToString("D9", CultureInfo.InvariantCulture);
        var date = envelope.Written.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var time = envelope.Written.ToString("HHmm", CultureInfo.InvariantCulture);
        var x12 = new X12Writer();
        x12.Raw(
            $"ISA*00*{"", 10}*00*{"", 10}*ZZ*{Fixed(envelope.SenderId)}*ZZ*{Fixed(envelope.ReceiverId)}*{date[2..]}*{time}*^*00501*{control}*0*{envelope.Usage}*:"
        );
        x12.Segment("GS", "HC", envelope.SenderId, envelope.ReceiverId, date, time, envelope.ControlNumber, "X", guide);
        x12.CountFromHere();
        x12.Segment("ST", "837", "0001", guide);
        x12.Segment("BHT", "0019", "00", control, date, time, "CH");
        x12.Segment("NM1", "41", "2", envelope.BillingName, null, null, null, null, "46", envelope.SenderId);
        x12.Segment("PER", "IC", envelope.BillingName, "TE", Digits(envelope.ContactPhone));
        x12.Segment("NM1", "40", "2", envelope.ReceiverName, null, null, null, null, "46", envelope.ReceiverId);

        x12.Segment("HL", 1, null, "20", "1");
        if (envelope.BillingTaxonomy is { } taxonomy)
        {
            x12.Segment("PRV", "BI", "PXC", taxonomy);
        }
        x12.Segment("NM1", "85", "2", envelope.BillingName, null, null, null, null, "XX", envelope.BillingNpi);
        Address(x12, envelope.BillingAddress);
        x12.Segment("REF", "EI", Digits(envelope.BillingTin));

        var level = 1;
        foreach (var claim in claims)
        {
            Subscriber(x12, claim, ++level);
            Claim(x12, claim);
        }
        x12.Segment("SE", x12.Segments + 1, "0001");
        x12.Segment("GE", 1, envelope.ControlNumber);
        x12.Segment("IEA", 1, control);
        return x12.ToString();
    }

    private static void Subscriber(X12Writer x12, ClaimFileClaim claim, int level)
    {
        x12.Segment("HL", level, 1, "22", "0");
        x12.Segment("SBR", "P", "18", null, null, null, null, null, null, claim.FilingIndicator);
        x12.Segment(
            "NM1",
            "IL",
            "1",
            claim.Patient.Last,
            claim.Patient.First,
            claim.Patient.Middle,
            null,
            null,
            "MI",
            claim.MemberId
        );
        if (claim.Patient.Address is { } address)
        {
            Address(x12, address);
        }
        x12.Segment("DMG", "D8", Date(claim.BirthDate), claim.Sex.ToString());
        x12.Segment("NM1", "PR", "2", claim.PayerName, null, null, null, null, "PI", claim.PayerId);
    }

    private static void Claim(X12Writer x12, ClaimFileClaim claim)
    {
        var place = claim.Institutional
            ? X12Writer.Composite(claim.BillType, "A", claim.Frequency)
            : X12Writer.Composite(claim.PlaceOfService, "B", claim.Frequency);
        // Provider accepts assignment, benefits assigned, information released: what a Medicare participating practice signs once.
        x12.Segment(
            "CLM",
            claim.ControlNumber,
            claim.Total,
            null,
            null,
            place,
            claim.Institutional ? null : "Y",
            "A",
            "Y",
            "Y"
        );
        if (claim.Institutional)
        {
            x12.Segment("DTP", "434", "RD8", $"{Date(claim.Statement.From)}-{Date(claim.Statement.To)}");
            x12.Segment("CL1", "9", "1", "01");
        }
        if (claim.PayerControlNumber is { } original)
        {
            x12.Segment("REF", "F8", original);
        }
        if (claim.Institutional)
        {
            x12.Segment("HI", X12Writer.Composite("ABK", Undotted(claim.Diagnoses[0])));
            if (claim.Diagnoses.Count > 1)
            {
                x12.Segment(
                    "HI",
                    [.. claim.Diagnoses.Skip(1).Take(11).Select(code => X12Writer.Composite("ABF", Undotted(code)))]
                );
            }
        }
        else
        {
            x12.Segment(
                "HI",
                [
                    .. claim
                        .Diagnoses.Take(12)
                        .Select((code, at) => X12Writer.Composite(at == 0 ? "ABK" : "ABF", Undotted(code))),
                ]
            );
        }
        x12.Segment(
            "NM1",
            claim.Institutional ? "71" : "82",
            "1",
            claim.Rendering.Last,
            claim.Rendering.First,
            claim.Rendering.Middle,
            null,
            null,
            "XX",
            claim.RenderingNpi
        );
        for (var at = 0; at < claim.Lines.Count; at++)
        {
            var line = claim.Lines[at];
            x12.Segment("LX", at + 1);
            var service = X12Writer.Composite("HC", line.Code);
            if (claim.Institutional)
            {
                x12.Segment("SV2", line.RevenueCode, service, line.Charge, "UN", line.Units);
            }
            else
            {
                x12.Segment(
                    "SV1",
                    service,
                    line.Charge,
                    "UN",
                    line.Units,
                    null,
                    null,
                    X12Writer.Composite([.. line.Pointers.Take(4).Cast<object?>()])
                );
            }
            x12.Segment("DTP", "472", "D8", Date(line.Date));
        }
    }

    private static void Address(X12Writer x12, ClaimFileAddress address)
    {
        x12.Segment("N3", address.Line);
        x12.Segment("N4", address.City, address.State, Digits(address.PostalCode));
    }

    private static string Fixed(string id) => X12Writer.Clean(id).PadRight(15)[..15];

    private static string Date(DateOnly date) => date.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    private static string Digits(string value) => string.Concat(value.Where(char.IsAsciiDigit));

    private static string Undotted(string code) => code.Replace(".", "", StringComparison.Ordinal);
}
