namespace CcmFhir.Domain;

/// <summary>What must be true of the patient: alive, conditions, a plan, an initiating visit.</summary>
internal static class PatientSteps
{
    /// <summary>First second after death; null for none known.</summary>
    public static long? Death(Matter matter)
    {
        if (matter.Ledger.Person is not { Deceased: true } person)
        {
            return null;
        }
        if (person.DeathUnix is not { } death)
        {
            matter.Hold(
                "CCM-D01",
                "The patient is dead and the time of death is not known; send Patient.deceasedDateTime",
                person.Reference
            );
            return null;
        }
        if (death < matter.Bounds.End)
        {
            matter.Inform("CCM-D01", $"Time is counted until death, {matter.Local(death)}", person.Reference);
        }
        return death;
    }

    /// <summary>The plan in force (rules section 7).</summary>
    public static CarePlanFact? Plan(Matter matter)
    {
        const string source = "CMS CCM FAQ; rules section 7";
        if (Eligibility.Plan(matter.Ledger, matter.Bounds) is not { } plan)
        {
            matter.Hold(
                "CCM-P01",
                "No care plan was active in this month; a valid plan must exist for every month billed",
                matter.Ledger.Plans.Select(one => one.Reference)
            );
            matter.Asked("care plan", source, RuleAnswer.No, "none active in the month");
            return null;
        }
        matter.Asked("care plan", source, RuleAnswer.Yes, $"{plan.Reference} version {plan.Version}");
        var missing = Eligibility.MissingElements(plan, matter.Month.LastDay);
        if (missing.Count > 0)
        {
            var text = $"The care plan lacks {string.Join("; ", missing)}";
            if (matter.Own.CarePlanStrict)
            {
                matter.Deny("CCM-P02", text, plan.Reference);
            }
            else
            {
                matter.Warn("CCM-P02", text, plan.Reference);
            }
        }
        matter.Asked(
            "care plan elements",
            source,
            missing.Count > 0 ? RuleAnswer.No
                : plan is { HasGoal: true, GoalMeasurable: null } ? RuleAnswer.NotKnown
                : RuleAnswer.Yes,
            missing.Count > 0 ? string.Join("; ", missing)
                : plan.GoalMeasurable is null ? "whether a goal is measurable was not received"
                : "complete"
        );
        return plan;
    }

    /// <summary>The conditions (rules E1 to E5).</summary>
    public static ConditionFinding Conditions(Matter matter, string program, ConsentState consent)
    {
        var after = consent.Windows.And(Stretches.Of(matter.Bounds));
        var window = after.Count > 0 ? new Stretch(after[0].Start, matter.Bounds.End) : matter.Bounds;
        var found = Eligibility.Conditions(matter.Ledger, window, matter.Rules, matter.Own, shorter: program == "pcm");
        var needed =
            program == "ccm" ? 2
            : program == "pcm" ? 1
            : 0;
        var answer =
            found.Distinct >= needed ? RuleAnswer.Yes
            : found.PossiblyDistinct >= needed ? RuleAnswer.NotKnown
            : RuleAnswer.No;
        matter.Asked(
            $"chronic conditions, {needed} needed",
            "CMS CCM definition (rules E1 to E5)",
            answer,
            $"{found.Distinct} qualify, {found.PossiblyDistinct} could"
        );
        var references = matter.Ledger.Conditions.Select(condition => condition.Reference);
        if (answer == RuleAnswer.NotKnown)
        {
            matter.Hold(
                "CCM-E01",
                $"{found.Distinct} of {needed} conditions qualify; {found.PossiblyDistinct} could, but do not say all of: verification status, how long they are expected to last (expected-duration), whether they are a significant risk (significant-risk)",
                references
            );
        }
        else if (answer == RuleAnswer.No)
        {
            var advice =
                program == "ccm" && found.Distinct == 1
                    ? " One serious condition can qualify for principal care management (99426 from 30 minutes), with its own consent."
                    : "";
            matter.Deny(
                "CCM-E01",
                $"{found.Distinct} qualifying chronic condition{(found.Distinct == 1 ? "" : "s")} of different categories, {needed} needed: confirmed, with an ICD-10-CM code, expected to last 12 months or until death, a significant risk, active in the month.{advice}",
                references
            );
        }
        if (program == "apcm" && found.Qualifying.Count == 0)
        {
            matter.Hold(
                "CCM-E01",
                "A claim names at least one diagnosis: send a confirmed condition with its ICD-10-CM code, expected duration and risk",
                references
            );
        }
        if (found.Unlisted.Count > 0)
        {
            matter.Warn(
                "CCM-E02",
                "Not among the conditions that are commonly taken as chronic, or of the same kind as another that is counted; the practitioner judges, and should be able to say why",
                found.Unlisted
            );
        }
        return found;
    }

    /// <summary>The initiating visit (rules I1 to I7); null where none was found, or care management was under way already.</summary>
    public static VisitFact? Visit(Matter matter, string program, TimeLedger time, ConsentState consent)
    {
        const string source = "CMS CCM FAQ (rules I1 to I7)";
        var counted = time.PractitionerTime.Or(time.StaffTime);
        if (program == "apcm" || counted.Count == 0)
        {
            return null;
        }
        if (CareCodes.UnderWay(matter) is { } before)
        {
            matter.Asked("initiating visit", source, RuleAnswer.Yes, $"care management is under way ({before})");
            return null;
        }
        var starts = new List<DateOnly> { matter.Day(counted[0].Start) };
        var first = matter
            .Ledger.Logs.Where(log =>
                log.Status == "completed"
                && TimeLedger.IsBillable(log.Activity, matter.Own)
                && TimeLedger.Counts(log.Role, matter.Own)
                && log.CountedToward is null
            )
            .MinBy(log => log.Period.Start);
        if (first is not null && first.Period.Start < matter.Bounds.Start)
        {
            starts.Add(matter.Day(first.Period.Start));
        }
        var consents = consent.Given.Select(one => matter.Day(one.Window.Start)).ToList();
        var visit = Eligibility.InitiatingVisit(matter.Ledger, starts, consents, matter.Practice, matter.Rules);
        if (visit is null)
        {
            var unsaid = matter.Ledger.Visits.Any(one =>
                one.Discussed is null && Eligibility.Qualifies(one, matter.Practice, matter.Rules)
            );
            matter.Reasons.Add(
                Reason.Of(
                    "CCM-I01",
                    unsaid ? ReasonSeverity.Hold : ReasonSeverity.Deny,
                    $"No initiating visit by the practice within {matter.Own.InitiatingVisitDays} days before care management began on {starts[^1]:yyyy-MM-dd}: an E/M visit of level 2 to 5, AWV, IPPE or TCM at which care management was discussed (ccm-discussed)",
                    matter.Ledger.Visits.Select(one => one.Reference)
                )
            );
            matter.Asked(
                "initiating visit",
                source,
                unsaid ? RuleAnswer.NotKnown : RuleAnswer.No,
                unsaid ? "a visit does not say whether care management was discussed" : "none found"
            );
            return null;
        }
        matter.Asked("initiating visit", source, RuleAnswer.Yes, visit.Reference);
        return visit;
    }
}

/// <summary>Codes of the programs.</summary>
internal static class CareCodes
{
    /// <summary>What says that the practice billed care management in an earlier month; null where nothing does.</summary>
    public static string? UnderWay(Matter matter)
    {
        foreach (var claim in matter.Earlier)
        {
            if (claim.Month < matter.Month && claim.Codes.Any(IsTimed))
            {
                return $"{claim.Reference}, {claim.Month}";
            }
        }
        foreach (var service in matter.Ledger.Services)
        {
            if (
                !service.Planned
                && service.LastDay < matter.Month.FirstDay
                && IsTimed(service.Code)
                && Conflicts.IsOwn(service, matter.Practice)
            )
            {
                return service.Reference;
            }
        }
        return null;
    }

    private static bool IsTimed(string code) =>
        code
            is "99490"
                or "99439"
                or "G2058"
                or "99487"
                or "99489"
                or "99491"
                or "99437"
                or "G0511"
                or "99424"
                or "99425"
                or "99426"
                or "99427"
                or "G2064"
                or "G2065";
}
