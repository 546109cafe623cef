namespace CcmFhir.Domain;

/// <summary>One decision, step by step: the page to read first.</summary>
internal static class Deciding
{
    public static MonthDecision Decide(Matter matter, string ruleSet)
    {
        var program = ConsentStep.Program(matter);
        var consent = ConsentStep.Take(matter, program);
        var death = PatientSteps.Death(matter);
        var plan = PatientSteps.Plan(matter);
        var (time, tcmOver) = Time(matter, program, consent, death, plan);
        TimeStep.Explain(matter, time, consent, plan);
        var conditions = PatientSteps.Conditions(matter, program, consent);
        var visit = PatientSteps.Visit(matter, program, time, consent);
        var conflicts = Conflict(matter, program, tcmOver);
        var earned = CodeStep.Earned(matter, program, time, plan, conflicts.ComplexExcluded, conditions, report: true);
        var lines = LineStep.Lines(matter, earned, time);
        if (lines.Count > 0 && matter.Own.Facility != FacilityKind.None)
        {
            matter.Inform("CCM-R01", $"{matter.Own.Facility.ToString().ToUpperInvariant()}: an institutional claim");
        }
        var timed = lines.Count > 0;
        if (LineStep.Planning(matter, conditions, consent) is { } planning)
        {
            lines.Add(planning);
        }
        lines.Sort(static (left, right) => string.CompareOrdinal(left.Code, right.Code));
        if (lines.Count > 0 && !matter.IsOver && !matter.Policy.BillBeforeMonthEnd)
        {
            matter.Hold("CCM-B03", "The month is not over, and this policy bills whole months only");
        }

        var coverage = Coverage(matter);
        if (lines.Count > 0 && coverage is null)
        {
            Uninsured(matter);
        }
        var potential = Potential(matter, program, consent, death, plan, conflicts, conditions, lines);
        if (Stopped(matter, onlyPlanning: !timed))
        {
            lines = [];
        }
        LineStep.Explain(matter, lines);
        Sort(matter.Reasons);
        return new MonthDecision
        {
            Patient = matter.Ledger.Patient,
            Month = matter.Month,
            RuleSet = ruleSet,
            AsOf = matter.AsOf,
            Program = program,
            Lines = lines,
            Potential = [.. potential.Where(line => line.UnitPrice >= 0)],
            Reasons = matter.Reasons,
            Trace = matter.Trace,
            Time = time,
            Next = CodeStep.Next(matter, program, time, earned),
            Diagnoses = [.. conditions.Qualifying.Select(one => one.Condition)],
            Consent = consent.Main,
            Plan = plan,
            Visit = visit,
            Coverage = coverage,
            MemberId = coverage?.MemberId ?? matter.Ledger.Person?.MemberId,
            Practitioner = Practitioner(matter, visit),
            LastServiceDay = LineStep.LastPossible(matter),
            Institutional = matter.Own.Facility != FacilityKind.None,
        };
    }

    // To 2019 care management counted beside transitional care only where its 30 days ended in the month and the threshold was met after them.
    private static (TimeLedger Time, bool TcmOver) Time(
        Matter matter,
        string program,
        ConsentState consent,
        long? death,
        CarePlanFact? plan
    )
    {
        var time = TimeStep.Add(matter, consent.Windows, consent, death, plan, []);
        var care =
            matter.Policy.Tcm == TcmPolicy.DenyUnlessEnded && program != "apcm"
                ? Conflicts.Transitional(matter.Ledger, matter.Practice, matter.Month, matter.Rules)
                : [];
        if (care.Count == 0)
        {
            return (time, false);
        }
        var after = TimeStep.Add(matter, consent.Windows, consent, death, plan, care);
        return after.Counted >= (matter.Family(program == "pcm" ? "pcm-staff" : "staff")?.Seconds ?? long.MaxValue)
            ? (after, true)
            : (time, false);
    }

    private static ConflictFinding Conflict(Matter matter, string program, bool tcmOver)
    {
        var found = Conflicts.Find(
            matter.Ledger,
            matter.Practice,
            matter.Month,
            matter.Rules,
            matter.Policy,
            program,
            tcmOver
        );
        matter.Reasons.AddRange(found.Reasons);
        var worst = found.Reasons.Count == 0 ? ReasonSeverity.Info : found.Reasons.Min(reason => reason.Severity);
        matter.Asked(
            "other services in the month",
            "rules section 9",
            worst switch
            {
                ReasonSeverity.Deny => RuleAnswer.No,
                ReasonSeverity.Hold => RuleAnswer.NotKnown,
                _ => RuleAnswer.Yes,
            },
            found.Reasons.Count == 0 ? "none that matters was received" : $"{found.Reasons.Count} found"
        );
        return found;
    }

    // What there would be if everything that holds the month were mended: the worklist shows what is at stake.
    private static List<ClaimLine> Potential(
        Matter matter,
        string program,
        ConsentState consent,
        long? death,
        CarePlanFact? plan,
        ConflictFinding conflicts,
        ConditionFinding conditions,
        List<ClaimLine> lines
    )
    {
        if (
            matter.Reasons.Exists(reason =>
                reason.Severity == ReasonSeverity.Deny && reason.Code != "CCM-T01" && !LineOnly(reason)
            )
        )
        {
            return [];
        }
        if (consent.Main is not null)
        {
            return lines;
        }
        var assumed = TimeStep.Add(matter, Stretches.Of(Stretch.Always), consent, death, plan, []);
        return LineStep.Lines(
            matter,
            CodeStep.Earned(matter, program, assumed, plan, conflicts.ComplexExcluded, conditions, report: false),
            assumed
        );
    }

    // A month without enough time can still hold the G0506 of its visit: below the threshold stops the time codes only.
    private static bool Stopped(Matter matter, bool onlyPlanning) =>
        matter.Reasons.Exists(reason =>
            reason.Severity <= ReasonSeverity.Hold && !LineOnly(reason) && !(onlyPlanning && reason.Code == "CCM-T01")
        );

    // Answers that leave the other lines alone.
    private static bool LineOnly(Reason reason) => reason.Code == "CCM-G01";

    private static CoverageFact? Coverage(Matter matter) =>
        LineStep
            .Coverages(matter)
            .OrderBy(coverage => coverage.MemberId is null)
            .ThenBy(coverage => coverage.Reference, StringComparer.Ordinal)
            .FirstOrDefault();

    // A claim can name the insurance by the patient's Medicare number; without any number there is nobody to bill.
    private static void Uninsured(Matter matter)
    {
        const string text = "No active coverage in the month was received";
        if (matter.Ledger.Person?.MemberId is not null)
        {
            matter.Warn("CCM-V01", $"{text}; the claim names the patient's Medicare number instead");
        }
        else
        {
            matter.Hold("CCM-V01", $"{text}, nor the patient's Medicare number; send the Coverage");
        }
    }

    private static BillingPractitioner Practitioner(Matter matter, VisitFact? visit) =>
        matter.Practice.Practitioners.FirstOrDefault(one => visit?.Practitioners.Contains(one.Reference) == true)
        ?? matter.Practice.Practitioners.FirstOrDefault(one =>
            matter.Ledger.Attestations.Any(attestation => attestation.Performers.Contains(one.Reference))
        )
        ?? matter.Practice.Practitioners[0];

    /// <summary>Denials first, then holds, warnings, information; each in code order.</summary>
    public static void Sort(List<Reason> reasons) =>
        reasons.Sort(
            static (left, right) =>
                left.Severity != right.Severity ? left.Severity.CompareTo(right.Severity)
                : left.Code != right.Code ? string.CompareOrdinal(left.Code, right.Code)
                : string.CompareOrdinal(
                    left.Text + string.Join(' ', left.References),
                    right.Text + string.Join(' ', right.References)
                )
        );
}
