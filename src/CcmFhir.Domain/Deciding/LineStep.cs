namespace CcmFhir.Domain;

/// <summary>The lines of the claim: units, amounts, day of service (rules B1 to B6).</summary>
internal static class LineStep
{
    /// <summary>One line for each code that was earned; an amount that is not known is below 0.</summary>
    public static List<ClaimLine> Lines(Matter matter, EarnedFamily? earned, TimeLedger time)
    {
        var lines = new List<ClaimLine>(4);
        if (earned is null)
        {
            return lines;
        }
        // Add-ons stand on the day of their base: the day on which the last of them was earned.
        var day = Serviced(matter, earned, time);
        DateOnly? through = matter.Own.DateOfService == DateOfServicePolicy.PeriodRange ? LastPossible(matter) : null;
        foreach (var code in earned.Codes)
        {
            lines.Add(
                new ClaimLine(
                    code.Code,
                    code.Units,
                    matter.Price(code.Code, day).Amount ?? -1,
                    day,
                    through > day ? through : null
                )
            );
        }
        return lines;
    }

    /// <summary>G0506 goes with the initiating visit, once for each patient and practitioner (rules I5, I6).</summary>
    public static ClaimLine? Planning(Matter matter, ConditionFinding conditions, ConsentState consent)
    {
        const string code = "G0506";
        if (!matter.Rules.Exists(code, matter.Month.FirstDay) || Asked(matter, code) is not { } asked)
        {
            return null;
        }
        var (reference, day, visit) = asked;
        var previous = Previous(matter, code, reference, day);
        var prolonged = Conflicts
            .Services(matter.Ledger, matter.Practice)
            .FirstOrDefault(service => service.Code is "99358" or "99359" && service.Day == day && !service.Planned);
        var why =
            previous is not null ? "G0506 was billed before; it is paid once"
            : visit is null || !Eligibility.Qualifies(visit, matter.Practice, matter.Rules)
                ? "G0506 goes only with an initiating visit by the billing practitioner"
            : CareCodes.UnderWay(matter) is not null
                ? "G0506 goes only with the initiating visit; care management was under way already"
            : prolonged is not null ? "G0506 may not share a day with prolonged service without contact"
            : conditions.Distinct < 2 || consent.Given.Count == 0
                ? "G0506 needs a patient who is enrolled in care management"
            : null;
        if (why is not null)
        {
            matter.Deny(
                "CCM-G01",
                $"{why}; the other lines are not affected",
                new[] { reference, previous, prolonged?.Reference }.OfType<string>()
            );
            return null;
        }
        return visit!.ExtensivePlanning ? new ClaimLine(code, 1, matter.Price(code, day).Amount ?? -1, day) : null;
    }

    /// <summary>Says where an amount is not known or rests on figures that were not verified, and past which day the claim is late.</summary>
    public static void Explain(Matter matter, List<ClaimLine> lines)
    {
        var unpriced = lines.Where(line => line.UnitPrice < 0).Select(line => line.Code).ToList();
        if (unpriced.Count > 0)
        {
            matter.Hold(
                "CCM-B01",
                $"No national amount is known for {string.Join(", ", unpriced)} on that day; give a charge in the practice's charge table"
            );
            // Add-ons do not stand without their base, nor a base without the add-ons that were earned with it.
            lines.RemoveAll(line => line.Code != "G0506" || line.UnitPrice < 0);
        }
        if (lines.Count == 0)
        {
            return;
        }
        var doubts = lines.Select(line => matter.Price(line.Code, line.Serviced).Doubt).OfType<string>().ToList();
        if (doubts.Count > 0)
        {
            matter.Warn(
                "CCM-B04",
                $"Check the amount, or give a charge in the practice's charge table: {string.Join("; ", doubts)}"
            );
        }
        var limit = lines.Max(line => line.Through ?? line.Serviced).AddYears(1);
        if (ServiceMonth.LocalDay(matter.AsOf, matter.Practice.TimeZone) > limit)
        {
            matter.Warn(
                "CCM-B02",
                $"Timely filing ended on {limit:yyyy-MM-dd}, one calendar year after the service; the payer may deny the claim"
            );
        }
    }

    /// <summary>Coverages in force in the month.</summary>
    public static IEnumerable<CoverageFact> Coverages(Matter matter) =>
        matter.Ledger.Coverages.Where(coverage =>
            coverage.Active
            && (coverage.From ?? DateOnly.MinValue) <= matter.Month.LastDay
            && (coverage.To ?? DateOnly.MaxValue) >= matter.Month.FirstDay
        );

    // What asks for G0506 in the month: a visit that says so, or a service of that code of the practice's own.
    private static (string Reference, DateOnly Day, VisitFact? Visit)? Asked(Matter matter, string code)
    {
        VisitFact? first = null;
        foreach (var visit in matter.Ledger.Visits)
        {
            if (
                (visit.ExtensivePlanning || visit.Codes.Contains(code))
                && Eligibility.TookPlace(visit)
                && matter.Month == ServiceMonth.Of(Eligibility.Day(visit, matter.Practice))
                && (first is null || visit.Period.Start < first.Period.Start)
            )
            {
                first = visit;
            }
        }
        if (first is not null)
        {
            return (first.Reference, Eligibility.Day(first, matter.Practice), first);
        }
        foreach (var service in matter.Ledger.Services)
        {
            if (
                service.Code == code
                && ServiceMonth.Of(service.Day) == matter.Month
                && Conflicts.IsOwn(service, matter.Practice)
            )
            {
                return (
                    service.Reference,
                    service.Day,
                    matter.Ledger.Visits.FirstOrDefault(visit =>
                        Eligibility.Day(visit, matter.Practice) == service.Day
                        && Eligibility.Qualifies(visit, matter.Practice, matter.Rules)
                    )
                );
            }
        }
        return null;
    }

    private static string? Previous(Matter matter, string code, string asking, DateOnly day)
    {
        foreach (var claim in matter.Earlier)
        {
            if (claim.Month < matter.Month && claim.Codes.Contains(code))
            {
                return claim.Reference;
            }
        }
        foreach (var service in matter.Ledger.Services)
        {
            if (service.Code == code && service.Day <= day && service.Reference != asking && !service.Planned)
            {
                return service.Reference;
            }
        }
        foreach (var visit in matter.Ledger.Visits)
        {
            if (
                (visit.ExtensivePlanning || visit.Codes.Contains(code))
                && visit.Reference != asking
                && Eligibility.TookPlace(visit)
                && Eligibility.Day(visit, matter.Practice) < day
                && Eligibility.Qualifies(visit, matter.Practice, matter.Rules)
            )
            {
                return visit.Reference;
            }
        }
        return null;
    }

    private static DateOnly Serviced(Matter matter, EarnedFamily earned, TimeLedger time)
    {
        var last = LastPossible(matter);
        switch (matter.Own.DateOfService)
        {
            case DateOfServicePolicy.ThresholdDate:
                var counted = earned.Family is "practitioner" or "pcm-practitioner"
                    ? time.PractitionerTime
                    : time.PractitionerTime.Or(time.StaffTime);
                var until = counted.First(earned.Codes[^1].Threshold);
                return until.Count > 0 ? matter.Day(until[^1].End - 1) : last;
            case DateOfServicePolicy.LastBusinessDay:
                while (last.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday && last > matter.Month.FirstDay)
                {
                    last = last.AddDays(-1);
                }
                return last;
            case DateOfServicePolicy.PeriodRange:
                return matter.Month.FirstDay;
            default:
                return last;
        }
    }

    /// <summary>The last day of the month; never after death, and never in the future while the month lasts.</summary>
    public static DateOnly LastPossible(Matter matter)
    {
        var today = ServiceMonth.LocalDay(matter.AsOf, matter.Practice.TimeZone).DayNumber;
        var last = Math.Min(matter.Month.LastDay.DayNumber, today);
        if (matter.Ledger.Person?.DeathUnix is { } death)
        {
            last = Math.Min(last, matter.Day(death).DayNumber);
        }
        return DateOnly.FromDayNumber(Math.Max(last, matter.Month.FirstDay.DayNumber));
    }
}
