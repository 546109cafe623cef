using System.Globalization;

namespace CcmFhir.Export;

/// <summary>Writes claims as X12 837: professional (005010X222A1) or institutional (005010X223A2), one interchange, one transaction set.</summary>
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
        var settings = envelope.Settings;
        var guide = claims[0].Institutional ? InstitutionalGuide : ProfessionalGuide;
        var control = envelope.ControlNumber.ToString("D9", CultureInfo.InvariantCulture);
        var date = envelope.Written.ToString("yyyyMMdd", CultureInfo.InvariantCulture);
        var time = envelope.Written.ToString("HHmm", CultureInfo.InvariantCulture);
        var x12 = new X12Writer();
        x12.Raw(
            $"ISA*00*{"", 10}*00*{"", 10}*{settings.SenderQualifier}*{settings.SenderId, -15}*{settings.ReceiverQualifier}*{settings.ReceiverId, -15}*{date[2..]}*{time}*^*00501*{control}*0*{(settings.Test ? 'T' : 'P')}*:"
        );
        x12.Segment("GS", "HC", settings.SenderId, settings.ReceiverId, date, time, envelope.ControlNumber, "X", guide);
        x12.CountFromHere();
        x12.Segment("ST", "837", "0001", guide);
        x12.Segment("BHT", "0019", "00", control, date, time, "CH");
        x12.Segment("NM1", "41", "2", envelope.BillingName, null, null, null, null, "46", settings.SenderId);
        x12.Segment("PER", "IC", envelope.BillingName, "TE", settings.Phone);
        x12.Segment("NM1", "40", "2", settings.ReceiverName, null, null, null, null, "46", settings.ReceiverId);

        x12.Segment("HL", 1, null, "20", "1");
        if (settings.Taxonomy is { } taxonomy)
        {
            x12.Segment("PRV", "BI", "PXC", taxonomy);
        }
        x12.Segment("NM1", "85", "2", envelope.BillingName, null, null, null, null, "XX", envelope.BillingNpi);
        Address(x12, settings.Address);
        x12.Segment("REF", "EI", envelope.BillingTin);

        var level = 1;
        foreach (var claim in claims)
        {
            Subscriber(x12, settings, claim, ++level);
            Claim(x12, envelope, claim);
        }
        x12.Segment("SE", x12.Segments + 1, "0001");
        x12.Segment("GE", 1, envelope.ControlNumber);
        x12.Segment("IEA", 1, control);
        return x12.ToString();
    }

    /// <summary>The digits of a number that people write with hyphens.</summary>
    public static string Digits(string value) => string.Concat(value.Where(char.IsAsciiDigit));

    private static void Subscriber(X12Writer x12, ClaimFileSettings settings, ClaimFileClaim claim, int level)
    {
        x12.Segment("HL", level, 1, "22", "0");
        x12.Segment(
            "SBR",
            "P",
            "18",
            null,
            null,
            null,
            null,
            null,
            null,
            settings.FilingIndicator ?? (claim.Institutional ? "MA" : "MB")
        );
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
        Address(x12, claim.Address);
        x12.Segment("DMG", "D8", Date(claim.BirthDate), claim.Sex.ToString());
        x12.Segment("NM1", "PR", "2", settings.PayerName, null, null, null, null, "PI", settings.PayerId);
    }

    private static void Claim(X12Writer x12, ClaimFileEnvelope envelope, ClaimFileClaim claim)
    {
        var place = claim.Institutional
            ? X12Writer.Composite(envelope.BillType, "A", claim.Frequency)
            : X12Writer.Composite(claim.PlaceOfService, "B", claim.Frequency);
        // Provider's signature on file, assignment accepted, benefits assigned, information may be released: what a Medicare participating
        // practice has agreed to once.
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
            // Admission type and point of origin: information not available, for nobody is admitted; status: at home.
            x12.Segment("CL1", "9", "9", "01");
        }
        if (claim.OriginalNumber is { } original)
        {
            x12.Segment("REF", "F8", original);
        }
        Diagnoses(x12, claim);
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
            Line(x12, envelope, claim, claim.Lines[at], at + 1);
        }
    }

    // 837P names all in one HI; 837I gives the principal one a segment of its own.
    private static void Diagnoses(X12Writer x12, ClaimFileClaim claim)
    {
        var codes = claim
            .Diagnoses.Select((code, at) => (object?)X12Writer.Composite(at == 0 ? "ABK" : "ABF", Undotted(code)))
            .ToArray();
        if (!claim.Institutional)
        {
            x12.Segment("HI", codes);
            return;
        }
        x12.Segment("HI", codes[..1]);
        if (codes.Length > 1)
        {
            x12.Segment("HI", codes[1..]);
        }
    }

    private static void Line(
        X12Writer x12,
        ClaimFileEnvelope envelope,
        ClaimFileClaim claim,
        ClaimFileLine line,
        int number
    )
    {
        x12.Segment("LX", number);
        var service = X12Writer.Composite(["HC", line.Code, .. line.Modifiers]);
        if (claim.Institutional)
        {
            x12.Segment("SV2", envelope.Settings.RevenueCode, service, line.Charge, "UN", line.Units);
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
                X12Writer.Composite([.. line.Pointers.Select(pointer => (object?)pointer)])
            );
        }
        x12.Segment(
            "DTP",
            "472",
            line.Through is null ? "D8" : "RD8",
            line.Through is { } through ? $"{Date(line.From)}-{Date(through)}" : Date(line.From)
        );
    }

    private static void Address(X12Writer x12, ClaimFileAddress address)
    {
        x12.Segment("N3", address.Line, address.Line2);
        x12.Segment("N4", address.City, address.State, Digits(address.PostalCode));
    }

    private static string Date(DateOnly date) => date.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    private static string Undotted(string code) => code.Replace(".", "", StringComparison.Ordinal);
}
