namespace CcmFhir.Domain;

/// <summary>What other services in the month do to care management.</summary>
/// <param name="Reasons">Denials, warnings and information.</param>
/// <param name="ComplexExcluded">Complex care management may not be billed.</param>
public sealed record ConflictFinding(IReadOnlyList<Reason> Reasons, bool ComplexExcluded);

/// <summary>The 30 days of one transitional care service.</summary>
/// <param name="Service">The service.</param>
/// <param name="First">Day of discharge, the first of the 30: that of the stay that ended last in the 14 days before, else the day of service.</param>
/// <param name="Last">Last of the 30 days.</param>
public sealed record TransitionalCare(BilledServiceFact Service, DateOnly First, DateOnly Last);

/// <summary>Services that may not share a month with care management (rules section 9), from whatever says that they were billed.</summary>
public static class Conflicts
{
    private const int TcmDays = 30;
    private const int FaceToFaceDays = 14;

    private enum Whose
    {
        Own,
        Other,
        Unknown,
    }

    /// <summary>Holds every service of the month against the rules.</summary>
    /// <param name="ledger">The patient.</param>
    /// <param name="practice">The practice.</param>
    /// <param name="month">The month.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="policy">What the practice's policy says on the last day of the month.</param>
    /// <param name="program">The program that is decided: ccm, pcm, apcm.</param>
    /// <param name="tcmOver">The 30 days of transitional care ended in the month, and the threshold was met after them.</param>
    public static ConflictFinding Find(
        PatientLedger ledger,
        Practice practice,
        ServiceMonth month,
        RuleSet rules,
        PolicyRow policy,
        string program,
        bool tcmOver
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(practice);
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(policy);
        var reasons = new List<Reason>();
        var complexExcluded = false;
        if (program != "apcm")
        {
            foreach (var care in Transitional(ledger, practice, month, rules))
            {
                reasons.Add(Tcm(care, policy.Tcm, tcmOver));
            }
        }
        foreach (var service in Services(ledger, practice))
        {
            if (service.LastDay < month.FirstDay || service.Day > month.LastDay)
            {
                continue;
            }
            foreach (var row in rules.Conflicts(service.Code, month.LastDay, program))
            {
                if (row.Setting == "tcm")
                {
                    continue;
                }
                var whose = WhoseIs(service, practice);
                var effect = row.Setting switch
                {
                    "g0181" when policy.G0181 == HomeHealthPolicy.DenyAny => "deny",
                    "rpm" when policy.RpmDenies => "deny",
                    _ => whose == Whose.Other ? row.Other : row.Same,
                };
                complexExcluded |= effect == "not-complex" && !service.Planned;
                if (Severity(effect, row, whose, service.Planned) is { } severity)
                {
                    reasons.Add(
                        Reason.Of(
                            row.Reason,
                            severity,
                            Say($"{row.Text} ({service.Code})", whose, severity, service.Planned),
                            service.Reference
                        )
                    );
                }
            }
        }
        var bounds = month.Bounds(practice.TimeZone);
        foreach (var stay in ledger.Stays.Where(stay => stay.Kind == StayKind.Hospice && stay.Period.Overlaps(bounds)))
        {
            reasons.Add(
                Reason.Of(
                    "CCM-K05",
                    ReasonSeverity.Warn,
                    "The patient has elected hospice: care management must be for what is unrelated to the terminal illness",
                    stay.Reference
                )
            );
        }
        foreach (var alignment in ledger.Alignments.Where(alignment => alignment.Period.Overlaps(bounds)))
        {
            reasons.Add(
                practice.IsOrganization(alignment.Organization)
                    ? Reason.Of(
                        "CCM-K02",
                        ReasonSeverity.Deny,
                        "The patient is aligned to this practice under ACCESS: its participant may bill no other care management in an active care period",
                        alignment.Reference
                    )
                    : Reason.Of(
                        "CCM-K04",
                        ReasonSeverity.Warn,
                        "The patient is aligned to an ACCESS participant: no text on ACCESS co-management with care management was found",
                        alignment.Reference
                    )
            );
        }
        return new ConflictFinding(reasons, complexExcluded);
    }

    /// <summary>Transitional care whose 30 days share a day with the month.</summary>
    public static IReadOnlyList<TransitionalCare> Transitional(
        PatientLedger ledger,
        Practice practice,
        ServiceMonth month,
        RuleSet rules
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(practice);
        ArgumentNullException.ThrowIfNull(rules);
        List<TransitionalCare>? found = null;
        foreach (var service in Services(ledger, practice))
        {
            if (!rules.IsTcm(service.Code) || service.Planned)
            {
                continue;
            }
            var first = Discharge(ledger, practice, service.Day);
            var last = first.AddDays(TcmDays - 1);
            if (last >= month.FirstDay && first <= month.LastDay)
            {
                (found ??= []).Add(new TransitionalCare(service, first, last));
            }
        }
        return found ?? [];
    }

    /// <summary>Services that were billed, and those that a visit's codes stand for.</summary>
    internal static IEnumerable<BilledServiceFact> Services(PatientLedger ledger, Practice practice)
    {
        foreach (var service in ledger.Services)
        {
            yield return service;
        }
        foreach (var visit in ledger.Visits)
        {
            if (!Eligibility.TookPlace(visit))
            {
                continue;
            }
            var day = Eligibility.Day(visit, practice);
            foreach (var code in visit.Codes)
            {
                yield return new BilledServiceFact(
                    visit.Reference,
                    code,
                    day,
                    day,
                    visit.Practitioners,
                    [],
                    visit.Organization is null ? [] : [visit.Organization],
                    []
                );
            }
        }
    }

    private static DateOnly Discharge(PatientLedger ledger, Practice practice, DateOnly service)
    {
        DateOnly? last = null;
        foreach (var stay in ledger.Stays)
        {
            if (stay.Kind == StayKind.Hospice || stay.Period.End >= Stretch.Always.End)
            {
                continue;
            }
            var day = ServiceMonth.LocalDay(DateTimeOffset.FromUnixTimeSeconds(stay.Period.End - 1), practice.TimeZone);
            if (day <= service && day >= service.AddDays(-FaceToFaceDays) && (last is null || day > last))
            {
                last = day;
            }
        }
        return last ?? service;
    }

    private static Reason Tcm(TransitionalCare care, TcmPolicy policy, bool over)
    {
        var what =
            $"Transitional care management ({care.Service.Code}), {care.First:yyyy-MM-dd} to {care.Last:yyyy-MM-dd}";
        return policy switch
        {
            TcmPolicy.Allow => Reason.Of(
                "CCM-K03",
                ReasonSeverity.Info,
                $"{what}, in the same month: allowed, no minute may count for both",
                care.Service.Reference
            ),
            TcmPolicy.DenyUnlessEnded when over => Reason.Of(
                "CCM-K03",
                ReasonSeverity.Info,
                $"{what}: its 30 days ended in the month, and the threshold was met by time after them",
                care.Service.Reference
            ),
            _ => Reason.Of(
                "CCM-K03",
                ReasonSeverity.Deny,
                $"{what}: may not share the month under this policy",
                care.Service.Reference
            ),
        };
    }

    // A denial that hangs on who billed is a hold until that is said; what is only planned denies nothing yet.
    private static ReasonSeverity? Severity(string effect, ConflictRow row, Whose whose, bool planned) =>
        effect switch
        {
            "deny" when planned => ReasonSeverity.Warn,
            "deny" when whose == Whose.Unknown && row.Other != "deny" => ReasonSeverity.Hold,
            "deny" => ReasonSeverity.Deny,
            "warn" => ReasonSeverity.Warn,
            "info" or "not-complex" => ReasonSeverity.Info,
            _ => null,
        };

    private static string Say(string text, Whose whose, ReasonSeverity severity, bool planned) =>
        (whose, severity) switch
        {
            _ when planned => $"{text}; planned so far: where it is furnished, it counts",
            (Whose.Unknown, ReasonSeverity.Hold) => $"{text}; who billed it is not said: add the performer",
            (Whose.Own, ReasonSeverity.Deny) => $"{text}; billed by this practice",
            (Whose.Other, ReasonSeverity.Deny) => $"{text}; billed elsewhere",
            _ => text,
        };

    /// <summary>The practice or one of its practitioners furnished the service.</summary>
    internal static bool IsOwn(BilledServiceFact service, Practice practice) => WhoseIs(service, practice) == Whose.Own;

    private static Whose WhoseIs(BilledServiceFact service, Practice practice)
    {
        if (
            service.Practitioners.Any(practice.IsPractitioner)
            || service.PractitionerNpis.Any(npi => practice.Practitioners.Any(one => one.Npi == npi))
            || service.Organizations.Any(practice.IsOrganization)
            || service.OrganizationNpis.Contains(practice.Npi)
        )
        {
            return Whose.Own;
        }
        return
            service.Practitioners.Count
                + service.PractitionerNpis.Count
                + service.Organizations.Count
                + service.OrganizationNpis.Count
            > 0
            ? Whose.Other
            : Whose.Unknown;
    }
}
