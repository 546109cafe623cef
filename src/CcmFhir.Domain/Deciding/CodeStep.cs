using System.Globalization;

namespace CcmFhir.Domain;

/// <summary>Which family of codes the counted time earns (rules section 2.1, 8, 11).</summary>
internal static class CodeStep
{
    private const string TimeRules = "CPT time rules (T1, T2)";

    /// <summary>The family that is billed; null where none is earned.</summary>
    /// <param name="matter">The decision.</param>
    /// <param name="program">ccm, pcm or apcm.</param>
    /// <param name="time">The month's time.</param>
    /// <param name="plan">The plan in force.</param>
    /// <param name="complexExcluded">Another service excludes complex care management.</param>
    /// <param name="conditions">The conditions.</param>
    /// <param name="report">Say why; false where a what-if is asked.</param>
    public static EarnedFamily? Earned(
        Matter matter,
        string program,
        TimeLedger time,
        CarePlanFact? plan,
        bool complexExcluded,
        ConditionFinding conditions,
        bool report
    )
    {
        if (program == "apcm")
        {
            return Primary(matter, program, conditions, report);
        }
        var facility = Facility(matter);
        if (facility is FacilityBilling.None)
        {
            if (!report)
            {
                return null;
            }
            matter.Deny("CCM-R01", "Rural health clinics and federally qualified health centers do not bill it yet");
            return null;
        }
        var (practitioner, all) = (time.PractitionerTime.Seconds, time.Counted);
        if (facility is FacilityBilling.Bundle)
        {
            var bundle = Bundle(matter);
            if (CodeSelection.Earn(bundle, all, bundle.Cap) is not { } whole)
            {
                return Short(matter, all, bundle.Seconds, time, report);
            }
            if (report)
            {
                Report(matter, whole, practitioner, all, time);
            }
            return whole;
        }
        var staff = matter.Family(program == "pcm" ? "pcm-staff" : "staff");
        var candidates = new List<EarnedFamily>(3);
        if (facility is not FacilityBilling.BaseOnly)
        {
            if (program == "ccm" && Complex(matter, time, plan, complexExcluded, report) is { } complex)
            {
                candidates.Add(complex);
            }
            var personal = matter.Family(program == "pcm" ? "pcm-practitioner" : "practitioner");
            if (personal is not null && CodeSelection.Earn(personal, practitioner, matter.Cap(personal)) is { } own)
            {
                candidates.Add(own);
            }
        }
        if (staff is not null && CodeSelection.Earn(staff, all, matter.Cap(staff)) is { } earned)
        {
            candidates.Add(earned);
        }
        if (staff is null)
        {
            if (!report)
            {
                return null;
            }
            matter.Deny("CCM-M01", $"There is no code for '{program}' in {matter.Month}");
            return null;
        }
        if (candidates.Count == 0)
        {
            return Short(matter, all, staff.Seconds, time, report);
        }
        var chosen =
            matter.Own.FamilyOrder == FamilyOrder.HighestAllowed
                ? candidates.MaxBy(family => Value(matter, family))!
                : candidates[0];
        if (report)
        {
            Report(matter, chosen, practitioner, all, time);
        }
        return chosen;
    }

    /// <summary>How far the next unit of the family that is running is; null where there is none.</summary>
    public static NextUnit? Next(Matter matter, string program, TimeLedger time, EarnedFamily? earned)
    {
        var facility = Facility(matter);
        if (facility is FacilityBilling.None)
        {
            return null;
        }
        var family =
            facility is FacilityBilling.Bundle
                ? Bundle(matter)
                : matter.Family(earned?.Family ?? (program == "pcm" ? "pcm-staff" : "staff"));
        var seconds = earned?.Family is "practitioner" or "pcm-practitioner"
            ? time.PractitionerTime.Seconds
            : time.Counted;
        return family is null ? null : CodeSelection.Next(family, seconds, matter.Cap(family));
    }

    // What a RHC or FQHC bills in the month; null for a practice.
    private static FacilityBilling? Facility(Matter matter)
    {
        if (matter.Own.Facility == FacilityKind.None)
        {
            return null;
        }
        var bills = matter.Rules.Facility(matter.Month.LastDay).Bills;
        return bills != FacilityBilling.Either ? bills
            : matter.Own.FacilityBillsG0511In2025 ? FacilityBilling.Bundle
            : FacilityBilling.Codes;
    }

    // One rate whatever the time, from the 20 minutes of 99490 on.
    private static FamilyRow Bundle(Matter matter)
    {
        var row = matter.Rules.Facility(matter.Month.LastDay);
        return new FamilyRow("facility", row.From, row.To, "G0511", 1200, row.Source);
    }

    private static decimal Value(Matter matter, EarnedFamily family)
    {
        var sum = 0m;
        foreach (var code in family.Codes)
        {
            sum += (matter.Price(code.Code, matter.Month.LastDay).Amount ?? 0) * code.Units;
        }
        return sum;
    }

    private static void Report(Matter matter, EarnedFamily chosen, long practitioner, long all, TimeLedger time)
    {
        matter.Asked(
            "threshold",
            TimeRules,
            RuleAnswer.Yes,
            string.Create(
                CultureInfo.InvariantCulture,
                $"{all} s counted, {practitioner} s of them the practitioner's: {chosen.Family}"
            )
        );
        if (chosen.Surplus > 0)
        {
            matter.Inform(
                "CCM-T02",
                $"{Matter.Duration(chosen.Surplus)} above the unit cap of {chosen.Codes[^1].Code} are not billed",
                Counting(time)
            );
        }
    }

    private static EarnedFamily? Short(Matter matter, long counted, long threshold, TimeLedger time, bool report)
    {
        // Where consent or transitional care already says why, the missing minutes would only distract.
        var said = matter.Reasons.Exists(reason =>
            reason.Severity <= ReasonSeverity.Hold && reason.Code is "CCM-C01" or "CCM-C03" or "CCM-C04" or "CCM-K03"
        );
        if (report && !said)
        {
            matter.Reasons.Add(
                Reason.Of(
                    "CCM-T01",
                    // While the month lasts, more time may come.
                    matter.IsOver
                        ? ReasonSeverity.Deny
                        : ReasonSeverity.Hold,
                    $"{Matter.Duration(counted)} counted, {Matter.Duration(threshold)} needed in full; {Matter.Duration(threshold - counted)} are missing",
                    Counting(time)
                )
            );
            matter.Asked(
                "threshold",
                TimeRules,
                RuleAnswer.No,
                string.Create(CultureInfo.InvariantCulture, $"{counted} s of {threshold} s")
            );
        }
        return null;
    }

    private static IEnumerable<string> Counting(TimeLedger time) =>
        time.Entries.Where(entry => entry.Counted.Count > 0).Select(entry => entry.Log.Reference);

    private static EarnedFamily? Complex(Matter matter, TimeLedger time, CarePlanFact? plan, bool excluded, bool report)
    {
        if (matter.Family("complex") is not { } family)
        {
            return null;
        }
        var inMonth = matter
            .Ledger.Attestations.Where(one => one.AtUnix >= matter.Bounds.Start && one.AtUnix < matter.Bounds.End)
            .ToList();
        if (inMonth.Count == 0)
        {
            return null;
        }
        var attested = inMonth.Exists(one =>
            one.Level is "moderate" or "high" && one.Performers.Any(matter.Practice.IsPractitioner)
        );
        var earned = CodeSelection.Earn(family, time.Counted, matter.Cap(family));
        var revised = plan?.RevisedUnix is { } at && at >= matter.Bounds.Start && at < matter.Bounds.End;
        var lacksRevision = matter.Policy.ComplexNeedsPlanRevision && !revised && !PlanWork(matter);
        if (report)
        {
            matter.Asked(
                "moderate or high decision making by the practitioner",
                "CPT 99487 (rules X1 to X3)",
                attested ? RuleAnswer.Yes : RuleAnswer.No,
                string.Join(", ", inMonth.Select(one => one.Level))
            );
            if (earned is not null && (!attested || lacksRevision))
            {
                matter.Inform(
                    "CCM-X01",
                    attested
                        ? "Complex care management needs a plan established or revised in the month under this policy; billed as non-complex"
                        : "Complex care management needs moderate or high decision making, attested by a billing practitioner in the month; billed as non-complex",
                    inMonth.Select(one => one.Reference)
                );
            }
        }
        return excluded || !attested || lacksRevision ? null : earned;
    }

    // A log of work on the plan shows that it was established or revised in the month.
    private static bool PlanWork(Matter matter) =>
        matter.Ledger.Logs.Any(log =>
            log.Status == "completed"
            && log.Activity is "care-plan-development" or "care-plan-revision"
            && log.Period.Overlaps(matter.Bounds)
        );

    // CY2025 final rule: the level goes by the number of conditions and by the patient's being a Qualified Medicare Beneficiary; from 2026 on
    // logs that count toward collaborative care or behavioural integration show that such a service was furnished beside it.
    private static EarnedFamily Primary(Matter matter, string program, ConditionFinding conditions, bool report)
    {
        var beneficiary = LineStep.Coverages(matter).Any(coverage => coverage.QualifiedMedicareBeneficiary);
        var code =
            conditions.Distinct < 2 ? "G0556"
            : beneficiary ? "G0558"
            : "G0557";
        var codes = new List<EarnedCode> { new(code, 1, 0) };
        var toward = matter
            .Ledger.Logs.Where(log => log.Status == "completed" && log.Period.Overlaps(matter.Bounds))
            .Select(log => log.CountedToward)
            .ToHashSet(StringComparer.Ordinal);
        if (matter.Rules.Exists("G0570", matter.Month.LastDay))
        {
            if (toward.Contains("cocm"))
            {
                var first = matter.Earlier.All(claim =>
                    claim.Month >= matter.Month || !claim.Codes.Any(one => one is "G0568" or "G0569")
                );
                codes.Add(new EarnedCode(first ? "G0568" : "G0569", 1, 0));
            }
            else if (toward.Contains("bhi"))
            {
                codes.Add(new EarnedCode("G0570", 1, 0));
            }
        }
        if (report)
        {
            matter.Asked(
                "advanced primary care level",
                "CY2025 final rule",
                RuleAnswer.Yes,
                $"{code}: conditions {conditions.Distinct}{(beneficiary ? ", Qualified Medicare Beneficiary" : "")}"
            );
        }
        return new EarnedFamily(program, codes, 0, 0);
    }
}
