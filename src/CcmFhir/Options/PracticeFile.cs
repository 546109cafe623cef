using System.Globalization;
using System.Text.Json;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Ehr;
using CcmFhir.Export;

namespace CcmFhir.Options;

/// <summary>One practice as its file describes it: who bills and how, where its EHR is, whose tokens it accepts, how claim files go out.</summary>
/// <param name="Practice">The billing entity.</param>
/// <param name="Ehr">Its EHR; null when it has none.</param>
/// <param name="Issuers">Authorization servers, beside ours, whose tokens are accepted.</param>
/// <param name="ClaimFiles">Envelope of its 837 files; null when it sends none.</param>
internal sealed record PracticeFile(
    Practice Practice,
    EhrConnection? Ehr,
    IReadOnlyList<TokenIssuer> Issuers,
    ClaimFileSettings? ClaimFiles
)
{
    private const int NpiLength = 10;

    /// <summary>Where its people sign in to the pages; none where they cannot.</summary>
    public IReadOnlyList<SignInSettings> SignIns { get; private init; } = [];

    /// <summary>Reads a practice file.</summary>
    /// <exception cref="InvalidDataException">It is not JSON, a setting is unknown, missing or wrong; the message names file and setting, and says what would be right.</exception>
    public static PracticeFile Read(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(
                File.ReadAllBytes(path),
                new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true }
            );
            return Read(json.RootElement, Path.GetDirectoryName(Path.GetFullPath(path))!);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"{path}: not JSON: {fault.Message}", fault);
        }
        catch (InvalidDataException fault)
        {
            throw new InvalidDataException($"{path}: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: the practice file cannot be read: {fault.Message}", fault);
        }
    }

    /// <summary>The check digit of an NPI holds (Luhn over 80840 and the number; 45 CFR 162.406).</summary>
    public static bool IsNpi(string text)
    {
        if (text.Length != NpiLength || !text.All(char.IsAsciiDigit))
        {
            return false;
        }
        // 24 is what the prefix 80840 contributes.
        var sum = 24;
        for (var at = 0; at < NpiLength; at++)
        {
            var digit = text[at] - '0';
            sum +=
                at % 2 == 1 ? digit
                : digit < 5 ? digit * 2
                : (digit * 2) - 9;
        }
        return sum % 10 == 0;
    }

    private static PracticeFile Read(JsonElement json, string folder)
    {
        var settings = new SettingsObject(json, "practice");
        var slug = Needed(settings, "slug", "lower-case letters, digits and hyphens");
        if (
            slug.Length > 64
            || !slug.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            || slug is "auth" or "health" or "lab" or "assets" or "metadata"
        )
        {
            throw settings.Wrong(
                "slug",
                $"is '{slug}'; it must be 1 to 64 lower-case letters, digits and hyphens, and none of auth, health, lab, assets"
            );
        }
        var practice = new Practice
        {
            Slug = slug,
            Name = Needed(settings, "name", "the practice's name"),
            Npi = Npi(settings, "npi"),
            Tin = Needed(settings, "tin", "the tax identification number"),
            TimeZone = Zone(settings),
            PlaceOfService = settings.Text("placeOfService") ?? "11",
            Organization = Organization(settings, slug),
            Practitioners = Practitioners(settings),
            Charges = Charges(settings),
            Policy = Policy(settings),
        };
        var ehr = settings.Object("ehr") is { } connection ? EhrConnection.Read(connection, folder) : null;
        var issuers = new List<TokenIssuer>();
        foreach (var issuer in settings.Array("issuers")?.EnumerateArray() ?? default)
        {
            issuers.Add(
                issuer.Deserialize<TokenIssuer>() is { Issuer.Length: > 0 } one
                    ? one
                    : throw settings.Wrong("issuers", "holds an entry without issuer")
            );
        }
        var files = settings.Object("claimFiles") is { } envelope ? ClaimFileSettings.Read(envelope, folder) : null;
        var signIns = new List<SignInSettings>();
        foreach (var signIn in settings.Array("signIn")?.EnumerateArray() ?? default)
        {
            var place = string.Create(CultureInfo.InvariantCulture, $"practice.signIn[{signIns.Count}]");
            signIns.Add(SignInSettings.Read(signIn, place, folder));
        }
        settings.RefuseUnknown();
        if (ehr?.Shape == DeliveryShape.File && files?.Folder is null)
        {
            throw new InvalidDataException(
                "'ehr.deliver' is 'file', and 'claimFiles.folder' does not say into which folder."
            );
        }
        return new PracticeFile(practice, ehr, issuers, files) { SignIns = signIns };
    }

    private static string Needed(SettingsObject settings, string name, string what) =>
        settings.Text(name) ?? throw settings.Wrong(name, $"is missing: {what}");

    private static string Npi(SettingsObject settings, string name)
    {
        var npi = Needed(settings, name, "the National Provider Identifier, ten digits");
        return IsNpi(npi)
            ? npi
            : throw settings.Wrong(name, $"is '{npi}', which is no NPI: ten digits of which the last is a check digit");
    }

    private static TimeZoneInfo Zone(SettingsObject settings)
    {
        var name = Needed(settings, "timeZone", "an IANA time zone such as America/New_York");
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception fault)
            when (fault is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException)
        {
            throw new InvalidDataException(
                $"'practice.timeZone' is '{name}', which this machine does not know. Give an IANA name such as America/New_York; if that is one, install the time zone data (package tzdata).",
                fault
            );
        }
    }

    private static string Organization(SettingsObject settings, string slug)
    {
        var reference = settings.Text("organization") ?? $"Organization/{slug}";
        return reference.StartsWith("Organization/", StringComparison.Ordinal)
            ? reference
            : throw settings.Wrong(
                "organization",
                $"is '{reference}'; it must be a reference of the form Organization/id"
            );
    }

    private static List<BillingPractitioner> Practitioners(SettingsObject settings)
    {
        var practitioners = new List<BillingPractitioner>();
        foreach (var json in settings.Array("practitioners")?.EnumerateArray() ?? default)
        {
            var one = new SettingsObject(
                json,
                string.Create(CultureInfo.InvariantCulture, $"practice.practitioners[{practitioners.Count}]")
            );
            var reference = Needed(one, "ref", "a reference of the form Practitioner/id");
            practitioners.Add(
                new BillingPractitioner(
                    reference.StartsWith("Practitioner/", StringComparison.Ordinal)
                        ? reference
                        : throw one.Wrong("ref", $"is '{reference}'; it must be of the form Practitioner/id"),
                    Npi(one, "npi"),
                    Needed(one, "name", "the practitioner's name"),
                    one.Text("credential") ?? "MD"
                )
            );
            one.RefuseUnknown();
        }
        return practitioners.Count > 0
            ? practitioners
            : throw settings.Wrong("practitioners", "is missing: at least one billing practitioner");
    }

    private static Dictionary<string, decimal> Charges(SettingsObject settings)
    {
        var charges = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var charge in settings.Object("charges")?.EnumerateObject() ?? default)
        {
            charges[charge.Name] =
                charge.Value.ValueKind == JsonValueKind.Number
                && charge.Value.TryGetDecimal(out var amount)
                && amount is >= 0 and <= 100_000
                    ? amount
                    : throw settings.Wrong($"charges.{charge.Name}", "must be an amount in dollars, 0 or more");
        }
        return charges;
    }

    private static PracticePolicy Policy(SettingsObject settings) =>
        new()
        {
            Name = settings.Word(
                "policy",
                "medicare-current",
                [.. RuleSet.Medicare.Policies.Select(name => (name, name))]
            ),
            CountMedicalAssistants = settings.Flag("countMedicalAssistants", false),
            CountPriorAuthorization = settings.Flag("countPriorAuthorization", false),
            CountAfterRevocation = settings.Flag("countAfterRevocation", false),
            CarePlanStrict = settings.Flag("carePlanStrict", false),
            DistinctByCode = settings.Word("distinctBy", false, ("category", false), ("code", true)),
            OverlapToStaff = settings.Word("qhpOverlapTo", false, ("qhp", false), ("staff", true)),
            FamilyOrder = settings.Word(
                "familyOrder",
                FamilyOrder.DocumentedService,
                ("documentedService", FamilyOrder.DocumentedService),
                ("highestAllowed", FamilyOrder.HighestAllowed)
            ),
            DateOfService = settings.Word(
                "dosPolicy",
                DateOfServicePolicy.LastDay,
                ("lastDay", DateOfServicePolicy.LastDay),
                ("thresholdDate", DateOfServicePolicy.ThresholdDate),
                ("lastBusinessDay", DateOfServicePolicy.LastBusinessDay),
                ("periodRange", DateOfServicePolicy.PeriodRange)
            ),
            EmDay = settings.Word<EmDayPolicy?>(
                "emDayPolicy",
                null,
                ("exclude-overlap", EmDayPolicy.ExcludeOverlap),
                ("exclude-day", EmDayPolicy.ExcludeDay)
            ),
            TcmSameMonth = settings.Word<TcmPolicy?>(
                "tcmSameMonth",
                null,
                ("allow-no-double-count", TcmPolicy.Allow),
                ("deny-unless-period-ended", TcmPolicy.DenyUnlessEnded),
                ("deny", TcmPolicy.Deny)
            ),
            G0181SameMonth = settings.Word<HomeHealthPolicy?>(
                "g0181SameMonth",
                null,
                ("deny-same-warn-other", HomeHealthPolicy.DenySame),
                ("deny same practitioner, warn other", HomeHealthPolicy.DenySame),
                ("deny-any", HomeHealthPolicy.DenyAny),
                ("deny any", HomeHealthPolicy.DenyAny)
            ),
            RpmDenies = settings.Word("rpmSameMonth", false, ("allow", false), ("deny", true)),
            ComplexNeedsPlanRevision = settings.Flag("complexNeedsPlanRevision"),
            BillBeforeMonthEnd = settings.Flag("billBeforeMonthEnd"),
            Cap99437 = settings.Cap("caps99437"),
            Cap99489 = settings.Cap("caps99489"),
            MaxTaskHours = settings.Whole("maxTaskHours", 24, 1, 24),
            InitiatingVisitDays = settings.Whole("initiatingVisitDays", 365, 1, 731),
            Gpci = settings.Number("gpci", 1m, 0.1m, 5m),
            QualifyingApmParticipant = settings.Flag("qualifyingApmParticipant", false),
            Facility = settings.Word(
                "facility",
                FacilityKind.None,
                ("none", FacilityKind.None),
                ("rhc", FacilityKind.Rhc),
                ("fqhc", FacilityKind.Fqhc)
            ),
            FacilityBillsG0511In2025 = settings.Flag("facilityBillsG0511In2025", false),
        };
}
