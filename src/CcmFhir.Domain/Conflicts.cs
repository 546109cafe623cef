namespace CcmFhir.Domain;

/// <summary>What other services in the month do to care management.</summary>
/// <param name="Reasons">Denials, warnings and information.</param>
/// <param name="ComplexExcluded">Complex care management may not be billed.</param>
public sealed record ConflictFinding(IReadOnlyList<Reason> Reasons, bool ComplexExcluded);

/// <summary>Services that may not share a month with care management (rules section 9), from whatever says that they were billed.</summary>
public static class Conflicts
{
    private const int TcmDays = 30;
    private const long FurtherTime = 1200;

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
    /// <param name="counted">The seconds that count.</param>
    /// <param name="ownCodes">Codes of the program that is being decided: another program's conflict rows for them do not apply to itself.</param>
    public static ConflictFinding Find(
        PatientLedger ledger,
        Practice practice,
        ServiceMonth month,
        RuleSet rules,
        PolicyRow policy,
        Stretches counted,
        IReadOnlyCollection<string> ownCodes
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(practice);
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(policy);
        ArgumentNullException.ThrowIfNull(counted);
        var reasons = new List<Reason>();
        var complexExcluded = false;
        foreach (var service in Services(ledger, practice))
        {
            if (rules.IsTcm(service.Code))
            {
                if (Tcm(service, month, practice, policy, counted) is { } tcm)
                {
                    reasons.Add(tcm);
                }
                continue;
            }
            if (service.LastDay < month.FirstDay || service.Day > month.LastDay)
            {
                continue;
            }
            var whose = WhoseIs(service, practice);
            if (service.Code == "G0181")
            {
                var severity =
                    policy.G0181 == HomeHealthPolicy.DenyAny || whose == Whose.Own ? ReasonSeverity.Deny
                    : whose == Whose.Unknown ? ReasonSeverity.Hold
                    : ReasonSeverity.Warn;
                reasons.Add(
                    Reason.Of(
                        "CCM-K02",
                        severity,
                        Say("Home health supervision (G0181) in the same month", whose, severity),
                        service.Reference
                    )
                );
                continue;
            }
            foreach (var row in rules.Conflicts(service.Code, month.LastDay))
            {
                // CCM against CCM is the rule itself; a PCM or APCM month is not in conflict with its own codes of ours.
                if (row.Codes.Any(ownCodes.Contains) && row.Reason != "CCM-K01" && whose == Whose.Own)
                {
                    continue;
                }
                var effect = whose == Whose.Other ? row.Other : row.Same;
                switch (effect)
                {
                    case "deny":
                        // Whoever billed it: a second care-management claim is denied for anybody's, the others only for the practitioner's own.
                        var severity =
                            whose == Whose.Unknown && row.Other != "deny" ? ReasonSeverity.Hold : ReasonSeverity.Deny;
                        reasons.Add(
                            Reason.Of(
                                row.Reason,
                                severity,
                                Say($"{row.Text} ({service.Code})", whose, severity),
                                service.Reference
                            )
                        );
                        break;
                    case "warn":
                        reasons.Add(
                            Reason.Of(
                                row.Reason,
                                ReasonSeverity.Warn,
                                $"{row.Text} ({service.Code})",
                                service.Reference
                            )
                        );
                        break;
                    case "not-complex":
                        complexExcluded = true;
                        reasons.Add(
                            Reason.Of(
                                row.Reason,
                                ReasonSeverity.Info,
                                $"{row.Text} ({service.Code})",
                                service.Reference
                            )
                        );
                        break;
                    default:
                        break;
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

    private static Reason? Tcm(
        BilledServiceFact service,
        ServiceMonth month,
        Practice practice,
        PolicyRow policy,
        Stretches counted
    )
    {
        var last = service.Day.AddDays(TcmDays - 1);
        if (last < month.FirstDay || service.Day > month.LastDay)
        {
            return null;
        }
        if (policy.Tcm == TcmPolicy.Allow)
        {
            return Reason.Of(
                "CCM-K03",
                ReasonSeverity.Info,
                $"Transitional care management ({service.Code}) in the same month: allowed since 2020, no minute may count for both",
                service.Reference
            );
        }
        var after = ServiceMonth.StartOfDay(last.AddDays(1), practice.TimeZone).ToUnixTimeSeconds();
        var further = counted.And(Stretches.Of(new Stretch(after, Stretch.Always.End))).Seconds;
        if (policy.Tcm == TcmPolicy.DenyUnlessEnded && last <= month.LastDay && further >= FurtherTime)
        {
            return Reason.Of(
                "CCM-K03",
                ReasonSeverity.Info,
                $"The 30 days of transitional care management ({service.Code}) ended on {last:yyyy-MM-dd}, and 20 further minutes follow",
                service.Reference
            );
        }
        return Reason.Of(
            "CCM-K03",
            ReasonSeverity.Deny,
            $"Transitional care management ({service.Code}) covers {service.Day:yyyy-MM-dd} to {last:yyyy-MM-dd} and may not share the month under this policy",
            service.Reference
        );
    }

    private static string Say(string text, Whose whose, ReasonSeverity severity) =>
        whose switch
        {
            Whose.Own => $"{text}; billed by this practice",
            Whose.Other => $"{text}; billed elsewhere",
            _ when severity == ReasonSeverity.Hold => $"{text}; who billed it is not said: add the performer",
            _ => text,
        };

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
