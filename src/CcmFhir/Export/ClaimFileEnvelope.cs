using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.Export;

/// <summary>Who sends, who receives, who bills, and under which numbers.</summary>
/// <param name="Settings">The practice's <c>claimFiles</c>.</param>
/// <param name="BillingName">Billing provider's name.</param>
/// <param name="BillingNpi">Billing provider's NPI.</param>
/// <param name="BillingTin">Billing provider's tax id, nine digits.</param>
/// <param name="BillType">First two digits of the type of bill (71 RHC, 77 FQHC); null for a physician practice.</param>
/// <param name="ControlNumber">Control number of the interchange, 1 to 999,999,999; never given twice in a practice.</param>
/// <param name="Written">When the file is written, in the practice's time zone.</param>
internal sealed record ClaimFileEnvelope(
    ClaimFileSettings Settings,
    string BillingName,
    string BillingNpi,
    string BillingTin,
    string? BillType,
    int ControlNumber,
    DateTimeOffset Written
)
{
    /// <summary>The settings from which a practice's envelopes are made.</summary>
    /// <exception cref="InvalidDataException">The practice file lacks something that an 837 needs; the message names the setting.</exception>
    public static ClaimFileEnvelope Of(PracticeFile file, int controlNumber, DateTimeOffset now)
    {
        var practice = file.Practice;
        var settings =
            file.ClaimFiles
            ?? throw new InvalidDataException(
                $"Practice '{practice.Slug}' has no 'claimFiles': an 837 file names sender, receiver, payer and the practice's address. docs/practice-file.md has the settings."
            );
        var tin = Claim837.Digits(practice.Tin);
        if (tin.Length != 9)
        {
            throw new InvalidDataException(
                $"'practice.tin' of '{practice.Slug}' has {tin.Length} digits; an 837 file needs the nine of an EIN (2010AA REF EI)."
            );
        }
        if (X12Writer.Clean(practice.Name) is not { Length: > 0 and <= 60 })
        {
            throw new InvalidDataException(
                $"'practice.name' of '{practice.Slug}' must be 1 to 60 characters of X12 (2010AA NM103)."
            );
        }
        var billType = practice.Policy.Facility switch
        {
            FacilityKind.Rhc => "71",
            FacilityKind.Fqhc => "77",
            _ => null,
        };
        if (billType is not null && settings.RevenueCode is null)
        {
            throw new InvalidDataException(
                $"'claimFiles.revenueCode' of '{practice.Slug}' is missing: each line of an institutional claim has one (052x; SV201). Ask the MAC which."
            );
        }
        return new ClaimFileEnvelope(
            settings,
            practice.Name,
            practice.Npi,
            tin,
            billType,
            controlNumber,
            TimeZoneInfo.ConvertTime(now, practice.TimeZone)
        );
    }
}
