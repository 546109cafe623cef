namespace CcmFhir.Domain;

/// <summary>Which of the month's time counts (rules T1 to T19).</summary>
internal static class TimeStep
{
    /// <summary>The month's time, log by log.</summary>
    /// <param name="matter">The decision.</param>
    /// <param name="consented">When consent was in force.</param>
    /// <param name="consent">The consent.</param>
    /// <param name="death">First second after death; null for none known.</param>
    /// <param name="plan">The plan in force.</param>
    /// <param name="care">Transitional care whose time is left out.</param>
    public static TimeLedger Add(
        Matter matter,
        Stretches consented,
        ConsentState consent,
        long? death,
        CarePlanFact? plan,
        IReadOnlyList<TransitionalCare> care
    )
    {
        var blocks = new List<TimeBlock>();
        Stays(matter, blocks);
        Visits(matter, blocks);
        foreach (var one in care)
        {
            blocks.Add(
                new TimeBlock(
                    "CCM-K03",
                    "Within the 30 days of transitional care management",
                    one.Service.Reference,
                    new Stretch(Stretch.Always.Start, Midnight(matter, one.Last.AddDays(1))),
                    StaffOnly: false
                )
            );
        }
        if (matter.Own.CarePlanStrict && plan is not null)
        {
            blocks.Add(Outside(plan, new Stretch(Stretch.Always.Start, plan.InForce.Start)));
            blocks.Add(Outside(plan, new Stretch(plan.InForce.End, Stretch.Always.End)));
        }
        return TimeLedger.Add(
            matter.Ledger.Logs,
            new TimeBounds(
                matter.Bounds,
                matter.AsOf.ToUnixTimeSeconds(),
                consented,
                [.. consent.Given.Select(one => one.Reference)],
                consent.Ended,
                death,
                blocks
            ),
            matter.Own
        );
    }

    /// <summary>Says what was not counted, and why.</summary>
    public static void Explain(Matter matter, TimeLedger time, ConsentState consent, CarePlanFact? plan)
    {
        foreach (
            var group in time
                .Entries.SelectMany(entry => entry.Excluded.Select(exclusion => (entry, exclusion)))
                .GroupBy(pair => pair.exclusion.Code, StringComparer.Ordinal)
        )
        {
            // Without any consent all time lies before it: the hold says so once, and better.
            if (group.Key == "CCM-C02" && consent.Main is null)
            {
                continue;
            }
            var texts = group.Select(pair => pair.exclusion.Text).Distinct(StringComparer.Ordinal);
            matter.Inform(
                group.Key,
                $"{string.Join("; ", texts.Order(StringComparer.Ordinal))}: {Matter.Duration(group.Sum(pair => pair.exclusion.Seconds))} not counted",
                group.SelectMany<(LedgerEntry Entry, Exclusion Exclusion), string>(pair =>
                    [.. pair.Exclusion.References, pair.Entry.Log.Reference]
                )
            );
        }
        var split = time
            .Entries.Where(entry =>
                entry.Log.Period.Start < matter.Bounds.Start || entry.Log.Period.End > matter.Bounds.End
            )
            .ToList();
        if (split.Count > 0)
        {
            matter.Inform(
                "CCM-T10",
                $"Split at local midnight of the month's end: {Matter.Duration(split.Sum(entry => entry.Logged.Seconds))} lie in {matter.Month}",
                split.Select(entry => entry.Log.Reference)
            );
        }
        var counted = time.PractitionerTime.Or(time.StaffTime);
        if (
            plan is not null
            && !matter.Own.CarePlanStrict
            && counted.Count > 0
            && plan.InForce.Start > counted[0].Start
        )
        {
            matter.Warn(
                "CCM-P02",
                $"The care plan came into force on {matter.Local(plan.InForce.Start)}, after the first time counted",
                plan.Reference
            );
        }
    }

    private static TimeBlock Outside(CarePlanFact plan, Stretch when) =>
        new("CCM-P02", "While the care plan was not in force", plan.Reference, when, StaffOnly: false);

    private static void Stays(Matter matter, List<TimeBlock> blocks)
    {
        foreach (var stay in matter.Ledger.Stays)
        {
            if (stay.Kind != StayKind.Hospice && stay.Period.Overlaps(matter.Bounds))
            {
                blocks.Add(
                    new TimeBlock(
                        "CCM-F01",
                        "While the facility is paid for the patient's care",
                        stay.Reference,
                        stay.Period,
                        StaffOnly: false
                    )
                );
            }
        }
    }

    // The practice's own services: their time is paid already (rule T12), and on the day of an evaluation and management visit a policy may
    // leave out all staff time (rule T14).
    private static void Visits(Matter matter, List<TimeBlock> blocks)
    {
        foreach (var visit in matter.Ledger.Visits)
        {
            if (
                !Eligibility.TookPlace(visit)
                || !Eligibility.IsOwn(visit, matter.Practice)
                || visit.Codes.Count == 0
                || visit.Period.Start >= matter.Bounds.End
                || visit.Period.End < matter.Bounds.Start - Day
            )
            {
                continue;
            }
            blocks.Add(Within(visit.Reference, string.Join(", ", visit.Codes), visit.Period));
            if (matter.Policy.EmDay == EmDayPolicy.ExcludeDay && visit.Codes.Any(matter.Rules.IsEvaluation))
            {
                WholeDay(matter, blocks, visit.Reference, Eligibility.Day(visit, matter.Practice));
            }
        }
        foreach (var service in matter.Ledger.Services)
        {
            if (service.Planned || !Conflicts.IsOwn(service, matter.Practice))
            {
                continue;
            }
            // A longer period is one that was billed for, not a session.
            if (service.Period.Overlaps(matter.Bounds) && service.Period.Seconds < Day)
            {
                blocks.Add(Within(service.Reference, service.Code, service.Period));
            }
            if (matter.Policy.EmDay == EmDayPolicy.ExcludeDay && matter.Rules.IsEvaluation(service.Code))
            {
                WholeDay(matter, blocks, service.Reference, service.Day);
            }
        }
    }

    private const long Day = 24 * 60 * 60;

    private static TimeBlock Within(string reference, string codes, Stretch when) =>
        new("CCM-T12", $"Within a service billed as {codes}", reference, when, StaffOnly: false);

    private static void WholeDay(Matter matter, List<TimeBlock> blocks, string reference, DateOnly day) =>
        blocks.Add(
            new TimeBlock(
                "CCM-T12",
                "Staff time of a day with an evaluation and management visit, which this policy leaves out",
                reference,
                new Stretch(Midnight(matter, day), Midnight(matter, day.AddDays(1))),
                StaffOnly: true
            )
        );

    private static long Midnight(Matter matter, DateOnly day) =>
        ServiceMonth.StartOfDay(day, matter.Practice.TimeZone).ToUnixTimeSeconds();
}
