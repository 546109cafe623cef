using System.Text.Json;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.Fhir.Readers;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.MonthEnd;

/// <summary>One patient's month as the journal has it: the decision, and the claims of that month.</summary>
/// <param name="Decision">The decision.</param>
/// <param name="Claims">Claims that we issued for the month, by revision.</param>
internal sealed record PatientMonth(MonthDecision Decision, IReadOnlyList<IssuedClaim> Claims);

/// <summary>A claim that we issued, as far as closing needs it.</summary>
/// <param name="Id">Logical id.</param>
/// <param name="Month">Its month.</param>
/// <param name="Revision">1 for the first.</param>
/// <param name="Lines">Its lines, in code order; none for one that voids.</param>
/// <param name="Diagnoses">ICD-10-CM codes that it names.</param>
/// <param name="Journey">What became of it.</param>
internal sealed record IssuedClaim(
    string Id,
    ServiceMonth Month,
    int Revision,
    IReadOnlyList<ClaimLine> Lines,
    IReadOnlyList<string> Diagnoses,
    ClaimJourney Journey
)
{
    /// <summary>What a correction asks of it.</summary>
    public StandingClaim Standing => new(Revision, Lines, Diagnoses);
}

/// <summary>Reads a patient's stream and decides a month. The server, the command line, the pages and the audit all come through here, so that they
/// cannot differ.</summary>
/// <param name="file">The practice.</param>
/// <param name="rules">The rules.</param>
/// <param name="keep">What is read from a version stays with it. A month end passes over everybody once and keeps nothing: the facts of a patient
/// take as much memory as his resources.</param>
internal sealed class MonthReading(PracticeFile file, RuleSet rules, bool keep = true)
{
    private readonly CareFactReader reader = new(file.Practice, file.Ehr is { } ehr ? [ehr.BaseUrl.ToString()] : []);

    /// <summary>Decides.</summary>
    /// <param name="record">The patient's stream.</param>
    /// <param name="month">The month.</param>
    /// <param name="asOf">Nothing later has happened yet.</param>
    public PatientMonth Read(StreamRecord record, ServiceMonth month, DateTimeOffset asOf)
    {
        var patient = $"Patient/{JournalNames.PatientOf(record.Stream)}";
        var facts = Facts(record);
        var claims = Issued(record);
        var earlier = Standing(claims.Where(claim => claim.Month < month))
            .Select(claim => new EarlierClaim(
                $"Claim/{claim.Id}",
                claim.Month,
                [.. claim.Lines.Select(line => line.Code)]
            ));
        var decision = MonthDecision.Decide(
            PatientLedger.Fold(patient, facts),
            [.. earlier],
            file.Practice,
            month,
            rules,
            asOf
        );
        return new PatientMonth(decision, [.. claims.Where(claim => claim.Month == month)]);
    }

    /// <summary>What the stream says of the patient, as facts.</summary>
    public IReadOnlyList<CareFact> Facts(StreamRecord record)
    {
        var current = record.Resources.Where(versions => !versions.Current.Deleted).ToList();
        var goals = new Dictionary<string, bool>(StringComparer.Ordinal);
        foreach (var goal in current.Where(one => one.Current.Type == "Goal"))
        {
            goals[goal.Current.Reference] = CareFactReader.HasTarget(Tree(goal.Current));
        }
        var facts = new List<CareFact>();
        foreach (var versions in current)
        {
            // A stored Claim of ours is not read: it is what is decided here.
            if (versions.Current.Type != "Claim" || record.Claim(versions.Current.Id) is null)
            {
                facts.AddRange(Facts(versions, goals));
            }
        }
        return facts;
    }

    /// <summary>Claims that we issued for the patient, by month and revision.</summary>
    public static IReadOnlyList<IssuedClaim> Issued(StreamRecord record) =>
        [
            .. record
                .Claims.Select(Read)
                .OfType<IssuedClaim>()
                .OrderBy(claim => claim.Month)
                .ThenBy(claim => claim.Revision),
        ];

    /// <summary>When a consent to a program of care management is in force.</summary>
    /// <param name="record">The patient's stream.</param>
    public IReadOnlyList<Stretch> Enrolled(StreamRecord record) =>
        [
            .. record
                .Resources.Select(versions => versions.Current)
                .Where(resource => resource is { Type: "Consent", Deleted: false })
                .SelectMany(resource =>
                    reader.Read(
                        resource.Type,
                        resource.Reference,
                        resource.VersionId,
                        PracticeRecords.Parse(resource),
                        _ => null
                    )
                )
                .OfType<ConsentFact>()
                .Where(consent => consent.Programs.Count > 0)
                .Select(consent => consent.Window),
        ];

    // A version never changes and is read month after month, so its facts stay with it as long as the stream is held: the tenth year of a
    // patient is not read anew with every log. What a care plan says hangs on its goals as well.
    private IReadOnlyList<CareFact> Facts(ResourceVersions versions, Dictionary<string, bool> goals)
    {
        if (versions.Read is FactsRead read && ReferenceEquals(read.File, file))
        {
            return read.Facts;
        }
        var resource = versions.Current;
        CareFact[] facts =
        [
            .. reader.Read(
                resource.Type,
                resource.Reference,
                resource.VersionId,
                Tree(resource),
                goal => goals.TryGetValue(goal, out var has) ? has : null
            ),
        ];
        if (keep && resource.Type != "CarePlan")
        {
            versions.Read = new FactsRead(file, facts);
        }
        return facts;
    }

    // Not kept: a month end passes over everybody once, and trees are many times the size of what is read from them.
    private static FhirElement Tree(StoredResource resource) =>
        FhirJson.Parse(resource.Json.ToArray(), out var fault)?.Root
        ?? throw new InvalidDataException($"A stored resource cannot be read: {fault!.Rule}.");

    private sealed record FactsRead(PracticeFile File, CareFact[] Facts);

    /// <summary>The newest revision of each month.</summary>
    public static IEnumerable<IssuedClaim> Standing(IEnumerable<IssuedClaim> claims) =>
        claims.GroupBy(claim => claim.Month).Select(group => group.Last());

    private static IssuedClaim? Read(ClaimJourney journey)
    {
        using var json = JsonDocument.Parse(journey.Json);
        var claim = json.RootElement;
        if (
            !claim.TryGetProperty("billablePeriod", out var period)
            || !ServiceMonth.TryParse(period.GetProperty("start").GetString()?[..7], out var month)
            || ClaimIdentifier.Read(claim) is not { } revision
        )
        {
            return null;
        }
        var lines = new List<ClaimLine>();
        var voids =
            claim.TryGetProperty("related", out var related)
            && related.GetRawText().Contains("\"void\"", StringComparison.Ordinal);
        foreach (var item in voids ? default : claim.GetProperty("item").EnumerateArray())
        {
            var serviced = item.TryGetProperty("servicedPeriod", out var range) ? range : default;
            lines.Add(
                new ClaimLine(
                    item.GetProperty("productOrService").GetProperty("coding")[0].GetProperty("code").GetString()!,
                    item.GetProperty("quantity").GetProperty("value").GetInt32(),
                    item.GetProperty("unitPrice").GetProperty("value").GetDecimal(),
                    Day(
                        serviced.ValueKind == JsonValueKind.Object
                            ? serviced.GetProperty("start")
                            : item.GetProperty("servicedDate")
                    ),
                    serviced.ValueKind == JsonValueKind.Object ? Day(serviced.GetProperty("end")) : null
                )
            );
        }
        var diagnoses = claim.TryGetProperty("diagnosis", out var all)
            ? all.EnumerateArray()
                .Select(one =>
                    one.GetProperty("diagnosisCodeableConcept")
                        .GetProperty("coding")[0]
                        .GetProperty("code")
                        .GetString()!
                )
            : [];
        return new IssuedClaim(journey.Id, month, revision, lines, [.. diagnoses], journey);
    }

    private static DateOnly Day(JsonElement day) =>
        DateOnly.ParseExact(day.GetString()!, "yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
}
