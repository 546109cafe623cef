using CcmFhir.Domain;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Readers;

/// <summary>Reads services that somebody billed, from whatever resource says so. Claims that we issued ourselves are no evidence against ourselves.</summary>
/// <param name="reading">How elements are read.</param>
internal sealed class BilledServiceReader(ElementReading reading)
{
    /// <summary>A ChargeItem that stands.</summary>
    public IEnumerable<CareFact> ChargeItem(string reference, FhirElement item)
    {
        if (
            item["status"u8].Text is "aborted" or "not-billable" or "entered-in-error"
            || Days(item, "occurrence") is not { } days
        )
        {
            yield break;
        }
        var actors = new Who(reading);
        foreach (var performer in item["performer"u8].Items)
        {
            actors.Add(performer["actor"u8]);
        }
        actors.Add(item["performingOrganization"u8]);
        var planned = item["status"u8].Is("planned"u8);
        foreach (var code in ElementReading.ServiceCodes(item["code"u8]))
        {
            yield return actors.Service(reference, code, days) with
            {
                Period = Session(item["occurrencePeriod"u8]),
                Planned = planned,
            };
        }
    }

    /// <summary>A Procedure that took place.</summary>
    public IEnumerable<CareFact> Procedure(string reference, FhirElement procedure)
    {
        if (
            procedure["status"u8].Text is not ("completed" or "in-progress")
            || Days(procedure, "performed") is not { } days
        )
        {
            yield break;
        }
        var actors = new Who(reading);
        foreach (var performer in procedure["performer"u8].Items)
        {
            actors.Add(performer["actor"u8]);
            actors.Add(performer["onBehalfOf"u8]);
        }
        foreach (var code in ElementReading.ServiceCodes(procedure["code"u8]))
        {
            yield return actors.Service(reference, code, days) with
            {
                Period = Session(procedure["performedPeriod"u8]),
            };
        }
    }

    /// <summary>The lines of an active Claim that is not ours.</summary>
    public IEnumerable<CareFact> Claim(string reference, FhirElement claim) =>
        claim["status"u8].Is("active"u8) && claim["use"u8].Is("claim"u8) && !IsOurs(claim)
            ? Lines(reference, claim)
            : [];

    /// <summary>The lines of an active ExplanationOfBenefit of a claim, other than those of our own claims.</summary>
    public IEnumerable<CareFact> ExplanationOfBenefit(string reference, FhirElement benefit) =>
        benefit["status"u8].Is("active"u8) && benefit["use"u8].Is("claim"u8) && !IsOurs(benefit)
            ? Lines(reference, benefit)
            : [];

    /// <summary>The resource is, or answers, a claim that we issued.</summary>
    public static bool IsOurs(FhirElement claim)
    {
        var system = Codes.Base + "/claim";
        foreach (var identifier in claim["identifier"u8].Items)
        {
            if (identifier["system"u8].Text == system)
            {
                return true;
            }
        }
        return claim["claim"u8]["identifier"u8]["system"u8].Text == system;
    }

    private IEnumerable<CareFact> Lines(string reference, FhirElement claim)
    {
        var actors = new Who(reading);
        actors.Add(claim["provider"u8]);
        foreach (var member in claim["careTeam"u8].Items)
        {
            actors.Add(member["provider"u8]);
        }
        var period = Between(claim["billablePeriod"u8]);
        foreach (var item in claim["item"u8].Items)
        {
            if ((Days(item, "serviced") ?? period) is not { } days)
            {
                continue;
            }
            foreach (var code in ElementReading.ServiceCodes(item["productOrService"u8]))
            {
                yield return actors.Service(reference, code, days);
            }
        }
    }

    private (DateOnly First, DateOnly Last)? Days(FhirElement element, string choice)
    {
        foreach (var suffix in (string[])["DateTime", "Date"])
        {
            if (reading.Day(element[choice + suffix]) is { } day)
            {
                return (day, day);
            }
        }
        return Between(element[choice + "Period"]);
    }

    // The times of a session, where both are given.
    private Stretch Session(FhirElement period) =>
        reading.Time(period["start"u8]) is { Exact: true } start && reading.Time(period["end"u8]) is { Exact: true } end
            ? new Stretch(start.First, Math.Max(start.First, end.First))
            : default;

    private (DateOnly First, DateOnly Last)? Between(FhirElement period) =>
        reading.Day(period["start"u8]) is { } start ? (start, reading.Day(period["end"u8]) ?? start) : null;

    private sealed class Who(ElementReading reading)
    {
        private readonly List<string> practitioners = [];
        private readonly List<string> practitionerNpis = [];
        private readonly List<string> organizations = [];
        private readonly List<string> organizationNpis = [];

        public void Add(FhirElement reference)
        {
            var organization =
                reference["type"u8].Is("Organization"u8)
                || reading.Reference(reference)?.StartsWith("Organization/", StringComparison.Ordinal) == true;
            if (reading.Reference(reference) is { } one && !one.StartsWith('#'))
            {
                (organization ? organizations : practitioners).Add(one);
            }
            (organization ? organizationNpis : practitionerNpis).AddRange(ElementReading.Npis(reference));
        }

        public BilledServiceFact Service(string reference, string code, (DateOnly First, DateOnly Last) days) =>
            new(
                reference,
                code,
                days.First,
                days.Last,
                practitioners,
                practitionerNpis,
                organizations,
                organizationNpis
            );
    }
}
