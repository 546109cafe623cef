using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using CcmFhir.Ehr;
using CcmFhir.Fhir;
using CcmFhir.Fhir.Readers;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Export;

/// <summary>Reads an issued Claim and what it refers to into the words of a claim file. What is missing is told, never made up.</summary>
/// <param name="journal">Finds what claims refer to.</param>
/// <param name="file">The practice.</param>
internal sealed class ClaimFileReader(ClaimJournal journal, PracticeFile file)
{
    private const int MostDiagnoses = 12;
    private const int MostPointers = 4;

    /// <summary>Patient control number of a claim: 20 characters (what every payer returns whole), made from its identifier.</summary>
    public static string ControlNumber(string identifier) =>
        "CCM" + Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(identifier)))[..17];

    /// <summary>1 for an original, 7 for a replacement, 8 for a void.</summary>
    public static int Frequency(FhirElement claim)
    {
        foreach (var related in claim["related"u8].Items)
        {
            foreach (var extension in related["extension"u8].Items)
            {
                if (extension["url"u8].Text == Codes.Extension("claim-frequency"))
                {
                    return extension["valueCode"u8].Is("void"u8) ? 8 : 7;
                }
            }
            return 7;
        }
        return 1;
    }

    /// <summary>The claim's type is institutional.</summary>
    public static bool IsInstitutional(FhirElement claim) => Code(claim["type"u8]) == "institutional";

    /// <summary>Reads one claim.</summary>
    /// <returns>The claim, or why it cannot stand in an 837 file.</returns>
    public async Task<(ClaimFileClaim? Claim, IReadOnlyList<ClaimFileFault> Faults)> ReadAsync(
        MonthClaim issued,
        CancellationToken cancel
    )
    {
        var (record, journey, draft) = issued;
        var claim = draft.Claim;
        var faults = new Faults(journey.Id);
        var patientReference = claim["patient"u8]["reference"u8].Text ?? "Patient/?";
        var patient = Parsed(record.Find("Patient", patientReference["Patient/".Length..])?.Current);
        faults.Need(patient.Exists, $"{patientReference} was never received (2010BA)");
        var team = claim["careTeam"u8].Items.GetEnumerator();
        var provider = team.MoveNext() ? team.Current["provider"u8] : default;
        var rendering = await PractitionerAsync(record, provider, faults, cancel);
        var npi = Identifier(claim["provider"u8], Codes.Npi);
        faults.Need(
            npi is null || npi == file.Practice.Npi,
            $"Claim.provider has NPI {npi}; 'practice.npi' is {file.Practice.Npi} (2010AA)"
        );
        var name = Person(patient, faults, patientReference, "2010BA NM1");
        var birth = Date(patient["birthDate"u8]);
        faults.Need(birth is not null, $"{patientReference} has no whole birthDate (2010BA DMG)");
        var address = Address(patient, faults, patientReference);
        var member = Member(record, claim, patient);
        faults.Need(
            X12Writer.Clean(member ?? "").Length is >= 2 and <= 80,
            $"neither Coverage.subscriberId nor a {Codes.Mbi} identifier of {patientReference} gives a member id (2010BA NM109)"
        );
        var diagnoses = Diagnoses(claim);
        faults.Need(diagnoses.Count > 0, "Claim.diagnosis names none (HI)");
        var lines = Lines(claim, diagnoses.Count, faults);
        var from = Date(claim["billablePeriod"u8]["start"u8]);
        var to = Date(claim["billablePeriod"u8]["end"u8]);
        faults.Need(from is not null && to is not null, "Claim.billablePeriod is not whole (DTP 434)");
        if (
            name is null
            || birth is null
            || address is null
            || member is null
            || rendering is not { } person
            || from is null
            || to is null
            || faults.All.Count > 0
        )
        {
            return (null, faults.All);
        }
        return (
            new ClaimFileClaim
            {
                ClaimId = journey.Id,
                ControlNumber = ControlNumber(draft.Identifier),
                Institutional = IsInstitutional(claim),
                Total = Amount(claim["total"u8]) ?? lines.Sum(line => line.Charge),
                PlaceOfService = Place(claim) ?? file.Practice.PlaceOfService,
                Frequency = Frequency(claim),
                OriginalNumber = OriginalNumber(record, draft),
                Patient = name,
                Address = address,
                MemberId = member,
                BirthDate = birth.Value,
                Sex = patient["gender"u8].Text switch
                {
                    "male" => 'M',
                    "female" => 'F',
                    _ => 'U',
                },
                Rendering = person.Name,
                RenderingNpi = person.Npi,
                Statement = (from.Value, to.Value),
                Diagnoses = diagnoses,
                Lines = lines,
            },
            []
        );
    }

    /// <summary>Code of the first coding of a concept; null where there is none.</summary>
    public static string? Code(FhirElement concept)
    {
        foreach (var coding in concept["coding"u8].Items)
        {
            return coding["code"u8].Text;
        }
        return null;
    }

    /// <summary>Place of service on the claim's first line.</summary>
    public static string? Place(FhirElement claim)
    {
        foreach (var item in claim["item"u8].Items)
        {
            return Code(item["locationCodeableConcept"u8]);
        }
        return null;
    }

    /// <summary>ICD-10-CM codes of the claim in order, twelve at most.</summary>
    public static IReadOnlyList<string> Diagnoses(FhirElement claim)
    {
        var codes = new List<string>();
        foreach (var diagnosis in claim["diagnosis"u8].Items)
        {
            if (Code(diagnosis["diagnosisCodeableConcept"u8]) is { } code && codes.Count < MostDiagnoses)
            {
                codes.Add(code);
            }
        }
        return codes;
    }

    /// <summary>Number of the insured: of the Coverage that the claim names, else of the claim's own identifier of it, else the patient's MBI.</summary>
    public static string? Member(StreamRecord record, FhirElement claim, FhirElement patient)
    {
        foreach (var insurance in claim["insurance"u8].Items)
        {
            var reference = insurance["coverage"u8]["reference"u8].Text;
            var coverage =
                reference?.StartsWith("Coverage/", StringComparison.Ordinal) == true
                    ? Parsed(record.Find("Coverage", reference["Coverage/".Length..])?.Current)
                    : default;
            if (
                (coverage["subscriberId"u8].Text ?? insurance["coverage"u8]["identifier"u8]["value"u8].Text) is
                { Length: > 0 } id
            )
            {
                return id;
            }
        }
        return Identifier(patient, Codes.Mbi);
    }

    /// <summary>The payer's number of the claim that this one corrects, where the payer has answered; else our own of it.</summary>
    private string? OriginalNumber(StreamRecord record, ClaimDraft draft)
    {
        foreach (var related in draft.Claim["related"u8].Items)
        {
            var original = related["claim"u8];
            var id = original["reference"u8].Text?.Split('/')[^1];
            if (
                id is not null
                && record.Claim(id) is { } journey
                && ClaimAnswer.Of(record, journey, file.Ehr?.BaseUrl).LastOrDefault(one => one.Number is not null)
                    is { } answer
            )
            {
                return answer.Number;
            }
            var identifier =
                original["identifier"u8]["value"u8].Text
                ?? (id is not null && record.Claim(id) is { } ours ? ClaimDraft.Read(ours.Json)?.Identifier : null);
            return identifier is null ? null : ControlNumber(identifier);
        }
        return null;
    }

    private async Task<(ClaimFilePerson Name, string Npi)?> PractitionerAsync(
        StreamRecord record,
        FhirElement provider,
        Faults faults,
        CancellationToken cancel
    )
    {
        if (provider["reference"u8].Text is not { } reference)
        {
            faults.Need(false, "Claim.careTeam names no practitioner (NM1 82)");
            return null;
        }
        var known = file.Practice.Practitioners.FirstOrDefault(one => one.Reference == reference);
        var resource = reference.StartsWith("Practitioner/", StringComparison.Ordinal)
            ? Parsed(
                await journal.FindAsync(
                    file.Practice.Slug,
                    record,
                    "Practitioner",
                    reference["Practitioner/".Length..],
                    cancel
                )
            )
            : default;
        var npi = Identifier(provider, Codes.Npi) ?? Identifier(resource, Codes.Npi) ?? known?.Npi;
        faults.Need(npi is not null, $"{reference} has no NPI: name it in 'practice.practitioners' (NM1 82)");
        var name =
            resource.Exists && resource["name"u8].Exists
                ? Person(resource, faults, reference, "NM1 82")
                : Split(provider["display"u8].Text ?? known?.Name);
        faults.Need(name is not null, $"{reference} has no name: name it in 'practice.practitioners' (NM1 82)");
        return name is null || npi is null ? null : (name, npi);
    }

    // A practice file writes a name in one piece: "Miriam Okafor", or "Okafor, Miriam" where the last word is not the family's name.
    private static ClaimFilePerson? Split(string? name)
    {
        var text = X12Writer.Clean(name ?? "");
        if (text.IndexOf(',', StringComparison.Ordinal) is var comma and > 0)
        {
            return new ClaimFilePerson(text[..comma].Trim(), Filled(text[(comma + 1)..]), null);
        }
        var space = text.LastIndexOf(' ');
        return text.Length == 0
            ? null
            : new ClaimFilePerson(text[(space + 1)..], Filled(text[..Math.Max(0, space)]), null);
    }

    private static ClaimFilePerson? Person(FhirElement resource, Faults faults, string reference, string segment)
    {
        if (!resource.Exists)
        {
            return null;
        }
        FhirElement best = default;
        var rank = int.MaxValue;
        foreach (var name in resource["name"u8].Items)
        {
            var mine = name["use"u8].Text switch
            {
                "official" => 0,
                "usual" or null => 1,
                "old" or "maiden" => 3,
                _ => 2,
            };
            if (mine < rank && Filled(name["family"u8].Text) is not null)
            {
                (best, rank) = (name, mine);
            }
        }
        if (Filled(best["family"u8].Text) is not { } family)
        {
            faults.Need(false, $"{reference} has no name.family that X12 can write ({segment})");
            return null;
        }
        var given = new List<string>();
        foreach (var one in best["given"u8].Items)
        {
            if (Filled(one.Text) is { } text)
            {
                given.Add(text);
            }
        }
        faults.Need(
            family.Length <= 60 && given.TrueForAll(one => one.Length <= 35),
            $"{reference} has a name longer than X12 takes: 60 characters for the family's, 35 for a given one ({segment})"
        );
        return new ClaimFilePerson(family, given.FirstOrDefault(), given.Count > 1 ? given[1] : null);
    }

    private static ClaimFileAddress? Address(FhirElement patient, Faults faults, string reference)
    {
        if (!patient.Exists)
        {
            return null;
        }
        foreach (var address in patient["address"u8].Items)
        {
            var lines = new List<string>();
            foreach (var line in address["line"u8].Items)
            {
                if (Filled(line.Text) is { Length: <= 55 } text)
                {
                    lines.Add(text);
                }
            }
            if (
                !address["use"u8].Is("old"u8)
                && lines.Count > 0
                && Filled(address["city"u8].Text) is { Length: <= 30 } city
                && Filled(address["state"u8].Text) is { Length: 2 } state
                && Claim837.Digits(address["postalCode"u8].Text ?? "") is { Length: 5 or 9 } zip
            )
            {
                return new ClaimFileAddress(
                    lines[0],
                    lines.Count > 1 ? lines[1] : null,
                    city,
                    state.ToUpperInvariant(),
                    zip
                );
            }
        }
        faults.Need(
            false,
            $"{reference} has no address with line, city, state (two letters) and postalCode (2010BA N3, N4)"
        );
        return null;
    }

    private static List<ClaimFileLine> Lines(FhirElement claim, int diagnoses, Faults faults)
    {
        var lines = new List<ClaimFileLine>();
        foreach (var item in claim["item"u8].Items)
        {
            var period = item["servicedPeriod"u8];
            var from = Date(period.Exists ? period["start"u8] : item["servicedDate"u8]);
            var code = Code(item["productOrService"u8]);
            var charge = Amount(item["net"u8]);
            var whole = int.TryParse(
                item["quantity"u8]["value"u8].Text ?? "1",
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var units
            );
            if (from is null || code is null || charge is null || !whole)
            {
                faults.Need(false, "a line of Claim.item has no date, code, whole quantity or amount (SV1)");
                continue;
            }
            var pointers = new List<int>();
            foreach (var sequence in item["diagnosisSequence"u8].Items)
            {
                if (
                    int.TryParse(sequence.Text, NumberStyles.None, CultureInfo.InvariantCulture, out var pointer)
                    && pointer <= diagnoses
                    && pointers.Count < MostPointers
                )
                {
                    pointers.Add(pointer);
                }
            }
            faults.Need(pointers.Count > 0, "a line of Claim.item points at no diagnosis (SV107)");
            var modifiers = new List<string>();
            foreach (var modifier in item["modifier"u8].Items)
            {
                if (Code(modifier) is { } text && modifiers.Count < 4)
                {
                    modifiers.Add(text);
                }
            }
            lines.Add(
                new ClaimFileLine(code, modifiers, units, charge.Value, from.Value, Date(period["end"u8]), pointers)
            );
        }
        faults.Need(lines.Count > 0, "Claim.item names no line (LX)");
        return lines;
    }

    /// <summary>The tree of a stored version; nothing for none, or for one that was deleted.</summary>
    public static FhirElement Parsed(StoredResource? stored) =>
        stored is null or { Deleted: true } ? default : PracticeRecords.Parse(stored);

    private static string? Identifier(FhirElement resource, string system)
    {
        foreach (var identifier in resource["identifier"u8].Items)
        {
            if (identifier["system"u8].Text == system)
            {
                return identifier["value"u8].Text;
            }
        }
        return null;
    }

    private static string? Filled(string? text) => X12Writer.Clean(text ?? "") is { Length: > 0 } clean ? clean : null;

    private static decimal? Amount(FhirElement money) =>
        decimal.TryParse(money["value"u8].Text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value
            : null;

    private static DateOnly? Date(FhirElement date) =>
        DateOnly.TryParseExact(date.Text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? day
            : null;

    private sealed class Faults(string claim)
    {
        public List<ClaimFileFault> All { get; } = [];

        public void Need(bool there, string otherwise)
        {
            if (!there)
            {
                All.Add(new ClaimFileFault(claim, otherwise));
            }
        }
    }
}
