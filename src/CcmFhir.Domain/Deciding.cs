using System.Globalization;

namespace CcmFhir.Domain;

/// <summary>The steps of one decision, in the order in which they are taken. Lives as long as the call that makes it.</summary>
internal sealed class Deciding
{
    private const string G0506 = "G0506";
    private static readonly string[] CcmCodes =
    [
        "99490",
        "99439",
        "G2058",
        "99487",
        "99489",
        "99491",
        "99437",
        "G0511",
    ];
    private static readonly string[] PcmCodes = ["99424", "99425", "99426", "99427", "G2064", "G2065"];
    private static readonly string[] ApcmCodes = ["G0556", "G0557", "G0558"];

    private readonly PatientLedger ledger;
    private readonly IReadOnlyList<EarlierClaim> earlier;
    private readonly Practice practice;
    private readonly ServiceMonth month;
    private readonly RuleSet rules;
    private readonly string ruleSet;
    private readonly DateTimeOffset asOf;
    private readonly PracticePolicy own;
    private readonly PolicyRow policy;
    private readonly Stretch bounds;
    private readonly List<Reason> reasons = [];
    private readonly List<TraceStep> trace = [];

    public Deciding(
        PatientLedger ledger,
        IReadOnlyList<EarlierClaim> earlier,
        Practice practice,
        ServiceMonth month,
        RuleSet rules,
        string ruleSet,
        DateTimeOffset asOf
    )
    {
        this.ledger = ledger;
        this.earlier = earlier;
        this.practice = practice;
        this.month = month;
        this.rules = rules;
        this.ruleSet = ruleSet;
        this.asOf = asOf;
        own = practice.Policy;
        policy = rules.Policy(own.Name, month.LastDay);
        policy = policy with
        {
            EmDay = own.EmDay ?? policy.EmDay,
            Tcm = own.TcmSameMonth ?? policy.Tcm,
            G0181 = own.G0181SameMonth ?? policy.G0181,
            ComplexNeedsPlanRevision = own.ComplexNeedsPlanRevision ?? policy.ComplexNeedsPlanRevision,
            Cap99437 = own.Cap99437 ?? policy.Cap99437,
            Cap99489 = own.Cap99489 ?? policy.Cap99489,
        };
        bounds = month.Bounds(practice.TimeZone);
    }

    public MonthDecision Decide()
    {
        var program = Program();
        var consent = Consent(program);
        var death = Death();
        var plan = Plan();
        var time = Time(consent, death, plan);
        var conditions = Conditions(program, consent);
        var visit = Visit(program, time);
        var codes = program switch
        {
            "pcm" => PcmCodes,
            "apcm" => ApcmCodes,
            _ => CcmCodes,
        };
        var conflicts = Conflicts.Find(
            ledger,
            practice,
            month,
            rules,
            policy,
            time.Ledger.PractitionerTime.Or(time.Ledger.StaffTime),
            codes
        );
        reasons.AddRange(conflicts.Reasons);
        trace.Add(
            new TraceStep(
                "other services in the month",
                "rules section 9",
                conflicts.Reasons.Any(reason => reason.Severity <= ReasonSeverity.Hold)
                    ? RuleAnswer.No
                    : RuleAnswer.Yes,
                conflicts.Reasons.Count == 0 ? "none that matters was received" : $"{conflicts.Reasons.Count} found"
            )
        );

        var earned = Earned(program, time.Ledger, plan, conflicts.ComplexExcluded, conditions, report: true);
        var lines = Lines(earned, time.Ledger);
        if (Planning(conditions, consent) is { } planning)
        {
            lines.Add(planning);
        }
        lines.Sort(static (left, right) => string.CompareOrdinal(left.Code, right.Code));

        // What there would be if a missing consent were found: the worklist shows what is at stake.
        var potential = lines;
        if (consent.Missing && reasons.All(reason => reason.Severity != ReasonSeverity.Deny))
        {
            var assumed = Add(Stretches.Of(Stretch.Always), consent, death, plan);
            potential = Lines(
                Earned(program, assumed, plan, conflicts.ComplexExcluded, conditions, report: false),
                assumed
            );
        }
        if (
            reasons.Any(reason => reason.Severity == ReasonSeverity.Deny && reason.Code is not ("CCM-G01" or "CCM-T01"))
        )
        {
            potential = [];
        }
        if (
            reasons.Any(reason =>
                reason.Severity is ReasonSeverity.Deny or ReasonSeverity.Hold
                && reason.Code is not ("CCM-G01" or "CCM-B01")
            ) && !OnlyTimeIsMissing(lines)
        )
        {
            lines = [];
        }
        Unpriced(ref lines);
        if (lines.Count > 0)
        {
            TimelyFiling(lines);
        }
        reasons.Sort(
            static (left, right) =>
                left.Severity != right.Severity ? left.Severity.CompareTo(right.Severity)
                : left.Code != right.Code ? string.CompareOrdinal(left.Code, right.Code)
                : string.CompareOrdinal(
                    left.Text + string.Join(' ', left.References),
                    right.Text + string.Join(' ', right.References)
                )
        );
        return new MonthDecision
        {
            Patient = ledger.Patient,
            Month = month,
            RuleSet = ruleSet,
            AsOf = asOf,
            Program = program,
            Lines = lines,
            Potential = lines.Count > 0 ? lines : potential,
            Reasons = reasons,
            Trace = trace,
            Time = time.Ledger,
            Next = Next(program, time.Ledger),
            Diagnoses = [.. conditions.Qualifying.Select(one => one.Condition)],
            Consent = consent.Main,
            Plan = plan,
            Visit = visit,
            Coverage = Coverage(),
            Practitioner = Practitioner(visit),
            Institutional = own.Facility != FacilityKind.None,
        };
    }

    // A month without enough time can still hold the G0506 of its visit: below the threshold denies the time codes only.
    private bool OnlyTimeIsMissing(List<ClaimLine> lines) =>
        lines is [{ Code: G0506 }]
        && reasons.All(reason =>
            reason.Severity > ReasonSeverity.Hold || reason.Code is "CCM-T01" or "CCM-G01" or "CCM-B01"
        );

    private string Program()
    {
        var inForce = ledger
            .Consents.Where(consent => consent.Window.Start < bounds.End && consent.Window.End > bounds.Start)
            .OrderBy(consent => consent.Window.Start)
            .ThenBy(consent => consent.Reference, StringComparer.Ordinal);
        var program = "ccm";
        foreach (var consent in inForce)
        {
            program =
                consent.Programs.Contains("apcm") && rules.Exists("G0556", month.LastDay) ? "apcm"
                : consent.Programs.Contains("ccm") ? "ccm"
                : consent.Programs.Contains("pcm") ? "pcm"
                : program;
        }
        return program;
    }

    private ConsentState Consent(string program)
    {
        const string source = "CMS CCM FAQ; 42 CFR 410.26 (rules C1 to C8)";
        var mine = Eligibility.Consents(ledger, program, practice);
        var given = mine.Where(consent => consent.Window.Start < bounds.End).ToList();
        var windows = Stretches.Of([.. given.Select(consent => consent.Window)]);
        var inMonth = windows.And(Stretches.Of(bounds));
        var references = given.Select(consent => consent.Reference).ToList();
        if (inMonth.Seconds == 0)
        {
            if (given.Count > 0)
            {
                var last = given.MaxBy(consent => consent.Window.End)!;
                reasons.Add(
                    Reason.Of(
                        "CCM-C03",
                        ReasonSeverity.Deny,
                        $"The consent ended on {Local(last.Window.End)}, before this month; a new consent is needed for months after it",
                        references
                    )
                );
                trace.Add(new TraceStep("consent in force", source, RuleAnswer.No, "ended in an earlier month"));
                return new ConsentState(Stretches.None, given, null, null, Missing: false);
            }
            var foreign = Eligibility.ForeignConsents(ledger, program, practice);
            if (foreign.Count > 0 && mine.Count == 0)
            {
                reasons.Add(
                    Reason.Of(
                        "CCM-C04",
                        ReasonSeverity.Deny,
                        $"The consent names another practice than {practice.Organization}; a new consent is needed when the billing practitioner changes",
                        foreign.Select(consent => consent.Reference)
                    )
                );
                trace.Add(new TraceStep("consent in force", source, RuleAnswer.No, "names another practice"));
                return new ConsentState(Stretches.None, [], null, null, Missing: false);
            }
            reasons.Add(
                Reason.Of(
                    "CCM-C01",
                    ReasonSeverity.Hold,
                    mine.Count > 0
                        ? "The consent was given after this month ended; only time after consent counts"
                        : $"No consent to '{program}' was received; send the Consent that was given before the service",
                    mine.Select(consent => consent.Reference)
                )
            );
            trace.Add(new TraceStep("consent in force", source, RuleAnswer.No, "none received for this month"));
            return new ConsentState(Stretches.None, [], null, null, Missing: true);
        }

        var main = given.Where(consent => consent.Window.Overlaps(bounds)).MaxBy(consent => consent.Window.Start)!;
        var ended = windows[^1].End < bounds.End ? windows[^1].End : (long?)null;
        if (ended is not null && own.CountAfterRevocation)
        {
            windows = windows.Or(Stretches.Of(new Stretch(windows[^1].Start, bounds.End)));
            ended = null;
        }
        trace.Add(new TraceStep("consent in force", source, RuleAnswer.Yes, $"given {Local(main.Window.Start)}"));
        if (month.Year < 2017 && main.Mode != "written")
        {
            reasons.Add(
                Reason.Of(
                    "CCM-C05",
                    ReasonSeverity.Hold,
                    "Until 2016 consent had to be written; this one does not say that it was",
                    main.Reference
                )
            );
        }
        else if (main.Mode is null)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-C06",
                    ReasonSeverity.Warn,
                    "The consent does not say whether it was verbal or written",
                    main.Reference
                )
            );
        }
        string[] told = ["service-availability", "cost-sharing", "single-practitioner", "right-to-stop"];
        var untold = told.Except(main.Disclosures, StringComparer.Ordinal).ToList();
        if (untold.Count > 0)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-C07",
                    ReasonSeverity.Warn,
                    $"The consent does not record that the patient was told of: {string.Join(", ", untold)}",
                    main.Reference
                )
            );
        }
        return new ConsentState(windows, given, main, ended, Missing: false);
    }

    private long? Death()
    {
        if (ledger.Person is not { Deceased: true } person)
        {
            return null;
        }
        if (person.DeathUnix is not { } death)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-D01",
                    ReasonSeverity.Hold,
                    "The patient is dead and the time of death is not known; send Patient.deceasedDateTime",
                    person.Reference
                )
            );
            return null;
        }
        if (death < bounds.End)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-D01",
                    ReasonSeverity.Info,
                    $"Time is counted until death, {Local(death)}",
                    person.Reference
                )
            );
        }
        return death;
    }

    private CarePlanFact? Plan()
    {
        const string source = "CMS CCM FAQ; rules section 7";
        if (Eligibility.Plan(ledger, bounds) is not { } plan)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-P01",
                    ReasonSeverity.Hold,
                    "No care plan was active in this month; a valid plan must exist for every month billed",
                    ledger.Plans.Select(one => one.Reference)
                )
            );
            trace.Add(new TraceStep("care plan", source, RuleAnswer.No, "none active in the month"));
            return null;
        }
        trace.Add(new TraceStep("care plan", source, RuleAnswer.Yes, $"{plan.Reference} version {plan.Version}"));
        var missing = Eligibility.MissingElements(plan, month.LastDay);
        if (missing.Count > 0)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-P02",
                    own.CarePlanStrict ? ReasonSeverity.Hold : ReasonSeverity.Warn,
                    $"The care plan lacks {string.Join("; ", missing)}",
                    plan.Reference
                )
            );
        }
        return plan;
    }

    private TimeState Time(ConsentState consent, long? death, CarePlanFact? plan)
    {
        var added = Add(consent.Windows, consent, death, plan);
        foreach (
            var group in added
                .Entries.SelectMany(entry => entry.Excluded.Select(exclusion => (entry, exclusion)))
                .GroupBy(pair => pair.exclusion.Code, StringComparer.Ordinal)
        )
        {
            // Without any consent all time lies before it: the hold says so once, and better.
            if (group.Key == "CCM-C02" && consent.Main is null)
            {
                continue;
            }
            var seconds = group.Sum(pair => pair.exclusion.Seconds);
            var text = string.Join(
                "; ",
                group.Select(pair => pair.exclusion.Text).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            );
            reasons.Add(
                Reason.Of(
                    group.Key,
                    ReasonSeverity.Info,
                    $"{text}: {Duration(seconds)} not counted",
                    group.SelectMany(pair => pair.exclusion.References.Append(pair.entry.Log.Reference))
                )
            );
        }
        var split = added
            .Entries.Where(entry => entry.Log.Period.Start < bounds.Start || entry.Log.Period.End > bounds.End)
            .ToList();
        if (split.Count > 0)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-T10",
                    ReasonSeverity.Info,
                    $"Split at local midnight of the month's end: {Duration(split.Sum(entry => entry.Logged.Seconds))} lie in {month}",
                    split.Select(entry => entry.Log.Reference)
                )
            );
        }
        var counted = added.PractitionerTime.Or(added.StaffTime);
        if (plan is not null && !own.CarePlanStrict && counted.Count > 0 && plan.InForce.Start > counted[0].Start)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-P02",
                    ReasonSeverity.Warn,
                    $"The care plan came into force on {Local(plan.InForce.Start)}, after the first time counted",
                    plan.Reference
                )
            );
        }
        return new TimeState(added);
    }

    private TimeLedger Add(Stretches consented, ConsentState consent, long? death, CarePlanFact? plan)
    {
        var blocks = new List<TimeBlock>();
        foreach (var stay in ledger.Stays.Where(stay => stay.Kind != StayKind.Hospice))
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
        foreach (var visit in ledger.Visits)
        {
            if (!Eligibility.TookPlace(visit) || !Eligibility.IsOwn(visit, practice) || visit.Codes.Count == 0)
            {
                continue;
            }
            blocks.Add(
                new TimeBlock(
                    "CCM-T12",
                    $"Within a visit billed as {string.Join(", ", visit.Codes)}",
                    visit.Reference,
                    visit.Period,
                    StaffOnly: false
                )
            );
            if (policy.EmDay == EmDayPolicy.ExcludeDay && visit.Codes.Any(rules.IsEvaluation))
            {
                var day = Eligibility.Day(visit, practice);
                var whole = new Stretch(
                    ServiceMonth.StartOfDay(day, practice.TimeZone).ToUnixTimeSeconds(),
                    ServiceMonth.StartOfDay(day.AddDays(1), practice.TimeZone).ToUnixTimeSeconds()
                );
                blocks.Add(
                    new TimeBlock(
                        "CCM-T12",
                        "Staff time of a day with an evaluation and management visit, which this policy leaves out",
                        visit.Reference,
                        whole,
                        StaffOnly: true
                    )
                );
            }
        }
        if (own.CarePlanStrict && plan is not null)
        {
            blocks.Add(
                new TimeBlock(
                    "CCM-P02",
                    "Before the care plan came into force",
                    plan.Reference,
                    new Stretch(Stretch.Always.Start, plan.InForce.Start),
                    StaffOnly: false
                )
            );
        }
        return TimeLedger.Add(
            ledger.Logs,
            new TimeBounds(
                bounds,
                asOf.ToUnixTimeSeconds(),
                consented,
                [.. consent.Given.Select(one => one.Reference)],
                consent.Ended,
                death,
                blocks
            ),
            own
        );
    }

    private ConditionFinding Conditions(string program, ConsentState consent)
    {
        const string source = "CMS CCM definition (rules E1 to E5)";
        var after = consent.Windows.And(Stretches.Of(bounds));
        var window = after.Count > 0 ? new Stretch(after[0].Start, bounds.End) : bounds;
        var found = Eligibility.Conditions(ledger, window, rules, own);
        var needed =
            program == "ccm" ? 2
            : program == "pcm" ? 1
            : 0;
        var answer =
            found.Distinct >= needed ? RuleAnswer.Yes
            : found.PossiblyDistinct >= needed ? RuleAnswer.NotKnown
            : RuleAnswer.No;
        trace.Add(
            new TraceStep(
                $"at least {needed} chronic conditions",
                source,
                answer,
                $"{found.Distinct} qualify, {found.PossiblyDistinct} could"
            )
        );
        var references = ledger.Conditions.Select(condition => condition.Reference);
        if (answer == RuleAnswer.NotKnown)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-E01",
                    ReasonSeverity.Hold,
                    $"{found.Distinct} of {needed} conditions qualify; {found.PossiblyDistinct} could, but do not say how long they are expected to last (expected-duration) or whether they are a significant risk",
                    references
                )
            );
        }
        else if (answer == RuleAnswer.No)
        {
            var advice =
                program == "ccm" && found.Distinct == 1
                    ? " One serious condition can qualify for principal care management (99426 from 30 minutes), with its own consent."
                    : "";
            reasons.Add(
                Reason.Of(
                    "CCM-E01",
                    ReasonSeverity.Deny,
                    $"{found.Distinct} qualifying chronic condition{(found.Distinct == 1 ? "" : "s")} of different categories, {needed} needed: confirmed, with an ICD-10-CM code, expected to last 12 months or until death, a significant risk, active in the month.{advice}",
                    references
                )
            );
        }
        if (found.Unlisted.Count > 0)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-E02",
                    ReasonSeverity.Warn,
                    "Not among the conditions that are commonly taken as chronic; the practitioner judges, and should be able to say why",
                    found.Unlisted
                )
            );
        }
        return found;
    }

    private VisitFact? Visit(string program, TimeState time)
    {
        const string source = "CMS CCM FAQ (rules I1 to I7)";
        var counted = time.Ledger.PractitionerTime.Or(time.Ledger.StaffTime);
        if (program != "ccm" || counted.Count == 0)
        {
            return null;
        }
        if (earlier.FirstOrDefault(claim => claim.Month < month && claim.Codes.Any(CcmCodes.Contains)) is { } before)
        {
            trace.Add(
                new TraceStep(
                    "initiating visit",
                    source,
                    RuleAnswer.Yes,
                    $"care management is under way since {before.Month} ({before.Reference})"
                )
            );
            return null;
        }
        var underWay = Conflicts
            .Services(ledger, practice)
            .FirstOrDefault(service =>
                service.LastDay < month.FirstDay
                && CcmCodes.Contains(service.Code)
                && service
                    .Organizations.Concat(service.Practitioners)
                    .Any(one => practice.IsOrganization(one) || practice.IsPractitioner(one))
            );
        if (underWay is not null)
        {
            trace.Add(
                new TraceStep(
                    "initiating visit",
                    source,
                    RuleAnswer.Yes,
                    $"the practice billed care management before ({underWay.Reference})"
                )
            );
            return null;
        }
        var starts = new List<DateOnly> { Day(counted[0].Start) };
        var first = ledger
            .Logs.Where(log =>
                log.Status == "completed"
                && TimeLedger.IsBillable(log.Activity, own)
                && TimeLedger.Counts(log.Role, own)
                && log.CountedToward is null
            )
            .MinBy(log => log.Period.Start);
        if (first is not null && first.Period.Start < bounds.Start)
        {
            starts.Add(Day(first.Period.Start));
        }
        var visit = Eligibility.InitiatingVisit(ledger, starts, practice, rules);
        if (visit is null)
        {
            var undiscussed = ledger
                .Visits.Where(one => one.Discussed is null && Eligibility.Qualifies(one, practice, rules))
                .ToList();
            reasons.Add(
                Reason.Of(
                    "CCM-I01",
                    undiscussed.Count > 0 ? ReasonSeverity.Hold : ReasonSeverity.Deny,
                    $"No initiating visit by the practice within {own.InitiatingVisitDays} days before care management began on {starts[^1]:yyyy-MM-dd}: an E/M visit of level 2 to 5, AWV, IPPE or TCM at which care management was discussed (ccm-discussed)",
                    ledger.Visits.Select(one => one.Reference)
                )
            );
        }
        trace.Add(
            new TraceStep(
                "initiating visit",
                source,
                visit is null ? RuleAnswer.No : RuleAnswer.Yes,
                visit is null ? "none found" : $"{visit.Reference}"
            )
        );
        return visit;
    }

    private EarnedFamily? Earned(
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
            return Primary(conditions);
        }
        var (practitioner, all) = (time.PractitionerTime.Seconds, time.Counted);
        if (own.Facility != FacilityKind.None && FacilityCode() is { } facilityCode)
        {
            return all >= 1200
                ? new EarnedFamily("facility", [new EarnedCode(facilityCode, 1, 1200)], all, 0)
                : Short(all, 1200, time, report);
        }
        var staff = Family(program == "pcm" ? "pcm-staff" : "staff");
        var personal = Family(program == "pcm" ? "pcm-practitioner" : "practitioner");
        var candidates = new List<EarnedFamily>();
        if (program == "ccm" && Complex(time, plan, complexExcluded, report) is { } complex)
        {
            candidates.Add(complex);
        }
        if (personal is not null && CodeSelection.Earn(personal, practitioner, Cap(personal)) is { } own99491)
        {
            candidates.Add(own99491);
        }
        if (staff is not null && CodeSelection.Earn(staff, all, Cap(staff)) is { } own99490)
        {
            candidates.Add(own99490);
        }
        if (candidates.Count == 0)
        {
            return Short(all, staff?.Seconds ?? 1200, time, report);
        }
        var chosen =
            own.FamilyOrder == FamilyOrder.HighestAllowed
                ? candidates.MaxBy(family =>
                    family.Codes.Sum(code => (Price(code.Code, month.LastDay) ?? 0) * code.Units)
                )!
                : candidates[0];
        if (report)
        {
            trace.Add(
                new TraceStep(
                    "threshold",
                    "CPT time rules (T1, T2)",
                    RuleAnswer.Yes,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{all} s counted, {practitioner} s of them the practitioner's: {chosen.Family}"
                    )
                )
            );
            if (chosen.Surplus > 0)
            {
                reasons.Add(
                    Reason.Of(
                        "CCM-T02",
                        ReasonSeverity.Info,
                        $"{Duration(chosen.Surplus)} above the unit cap of {chosen.Codes[^1].Code} are not billed",
                        time.Entries.Where(entry => entry.Counted.Seconds > 0).Select(entry => entry.Log.Reference)
                    )
                );
            }
        }
        return chosen;
    }

    private EarnedFamily? Short(long counted, long threshold, TimeLedger time, bool report)
    {
        if (
            report
            && reasons.All(reason =>
                reason.Code is not ("CCM-C01" or "CCM-C03" or "CCM-C04") || reason.Severity == ReasonSeverity.Info
            )
        )
        {
            reasons.Add(
                Reason.Of(
                    "CCM-T01",
                    ReasonSeverity.Deny,
                    $"{Duration(counted)} counted, {Duration(threshold)} needed in full; {Duration(threshold - counted)} are missing",
                    time.Entries.Where(entry => entry.Counted.Seconds > 0).Select(entry => entry.Log.Reference)
                )
            );
            trace.Add(
                new TraceStep(
                    "threshold",
                    "CPT time rules (T1, T2)",
                    RuleAnswer.No,
                    string.Create(CultureInfo.InvariantCulture, $"{counted} s of {threshold} s")
                )
            );
        }
        return null;
    }

    private EarnedFamily? Complex(TimeLedger time, CarePlanFact? plan, bool excluded, bool report)
    {
        if (Family("complex") is not { } family)
        {
            return null;
        }
        var inMonth = ledger.Attestations.Where(one => one.AtUnix >= bounds.Start && one.AtUnix < bounds.End).ToList();
        var good = inMonth
            .Where(one => one.Level is "moderate" or "high" && one.Performers.Any(practice.IsPractitioner))
            .ToList();
        var earned = CodeSelection.Earn(family, time.Counted, Cap(family));
        var revised = plan?.RevisedUnix is { } at && at >= bounds.Start && at < bounds.End;
        var lacksRevision = policy.ComplexNeedsPlanRevision && !revised;
        if (report && inMonth.Count > 0)
        {
            trace.Add(
                new TraceStep(
                    "moderate or high decision making by the practitioner",
                    "CPT 99487 (rules X1 to X3)",
                    good.Count > 0 ? RuleAnswer.Yes : RuleAnswer.No,
                    string.Join(", ", inMonth.Select(one => one.Level))
                )
            );
            if (earned is not null && (good.Count == 0 || lacksRevision))
            {
                reasons.Add(
                    Reason.Of(
                        "CCM-X01",
                        ReasonSeverity.Info,
                        good.Count == 0
                            ? "Complex care management needs moderate or high decision making, attested by a billing practitioner in the month; billed as non-complex"
                            : "Complex care management needs a plan established or revised in the month under this policy; billed as non-complex",
                        inMonth.Select(one => one.Reference)
                    )
                );
            }
        }
        return excluded || good.Count == 0 || lacksRevision ? null : earned;
    }

    private EarnedFamily? Primary(ConditionFinding conditions)
    {
        var qmb = Coverages().Any(coverage => coverage.QualifiedMedicareBeneficiary);
        var code =
            conditions.Distinct < 2 ? "G0556"
            : qmb ? "G0558"
            : "G0557";
        var codes = new List<EarnedCode> { new(code, 1, 0) };
        var toward = ledger
            .Logs.Where(log => log.Status == "completed" && log.Period.Overlaps(bounds))
            .Select(log => log.CountedToward)
            .ToHashSet(StringComparer.Ordinal);
        if (rules.Exists("G0570", month.LastDay))
        {
            if (toward.Contains("cocm"))
            {
                var first = earlier.All(claim =>
                    claim.Month >= month || !claim.Codes.Any(one => one is "G0568" or "G0569")
                );
                codes.Add(new EarnedCode(first ? "G0568" : "G0569", 1, 0));
            }
            else if (toward.Contains("bhi"))
            {
                codes.Add(new EarnedCode("G0570", 1, 0));
            }
        }
        trace.Add(new TraceStep("advanced primary care level", "CY2025 final rule", RuleAnswer.Yes, code));
        return new EarnedFamily("apcm", codes, 0, 0);
    }

    // Rules section 11: one bundled code to 2024, either way to September 2025, the codes themselves from October 2025.
    private string? FacilityCode()
    {
        var bundled = rules.Exists("G0511", month.LastDay) && (month.Year < 2025 || own.FacilityBillsG0511In2025);
        return bundled ? "G0511" : null;
    }

    private List<ClaimLine> Lines(EarnedFamily? earned, TimeLedger time)
    {
        var lines = new List<ClaimLine>();
        foreach (var code in earned?.Codes ?? [])
        {
            var serviced = Serviced(code, earned!, time);
            lines.Add(new ClaimLine(code.Code, code.Units, Price(code.Code, serviced) ?? -1, serviced));
        }
        if (lines.Count > 0 && own.Facility != FacilityKind.None && reasons.All(reason => reason.Code != "CCM-R01"))
        {
            reasons.Add(
                Reason.Of(
                    "CCM-R01",
                    ReasonSeverity.Info,
                    $"{own.Facility.ToString().ToUpperInvariant()}: an institutional claim"
                )
            );
        }
        return lines;
    }

    // G0506 goes with the initiating visit, once for each patient and practitioner (rules I5, I6).
    private ClaimLine? Planning(ConditionFinding conditions, ConsentState consent)
    {
        var asked = ledger
            .Visits.Where(visit =>
                visit.ExtensivePlanning
                && Eligibility.TookPlace(visit)
                && month == ServiceMonth.Of(Eligibility.Day(visit, practice))
            )
            .ToList();
        if (asked.Count == 0 || !rules.Exists(G0506, month.FirstDay))
        {
            return null;
        }
        var visit = asked.MinBy(one => one.Period.Start)!;
        var day = Eligibility.Day(visit, practice);
        var previous =
            earlier.FirstOrDefault(claim => claim.Month < month && claim.Codes.Contains(G0506))?.Reference
            ?? ledger.Services.FirstOrDefault(service => service.Code == G0506 && service.Day <= day)?.Reference
            ?? ledger
                .Visits.FirstOrDefault(one =>
                    one.ExtensivePlanning
                    && Eligibility.TookPlace(one)
                    && Eligibility.Day(one, practice) < month.FirstDay
                    && Eligibility.Qualifies(one, practice, rules)
                )
                ?.Reference;
        var prolonged = Conflicts
            .Services(ledger, practice)
            .FirstOrDefault(service => service.Code is "99358" or "99359" && service.Day == day);
        var why =
            previous is not null ? "G0506 was billed before; it is paid once"
            : !Eligibility.Qualifies(visit, practice, rules)
                ? "G0506 goes only with an initiating visit by the billing practitioner"
            : prolonged is not null ? "G0506 may not share a day with prolonged service without contact"
            : conditions.Distinct < 2 || consent.Given.Count == 0
                ? "G0506 needs a patient who is enrolled in care management"
            : null;
        if (why is not null)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-G01",
                    ReasonSeverity.Deny,
                    $"{why}; the other lines are not affected",
                    new[] { visit.Reference, previous, prolonged?.Reference }.OfType<string>()
                )
            );
            return null;
        }
        return new ClaimLine(G0506, 1, Price(G0506, day) ?? -1, day);
    }

    private void Unpriced(ref List<ClaimLine> lines)
    {
        var unpriced = lines.Where(line => line.UnitPrice < 0).Select(line => line.Code).ToList();
        if (unpriced.Count > 0)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-B01",
                    ReasonSeverity.Hold,
                    $"No national amount is known for {string.Join(", ", unpriced)} on that day; give a charge in the practice's charge table"
                )
            );
            // Add-ons do not stand without their base, nor a base without the add-ons that were earned with it.
            lines = [.. lines.Where(line => line.Code == G0506 && line.UnitPrice >= 0)];
        }
    }

    private void TimelyFiling(List<ClaimLine> lines)
    {
        var limit = lines.Max(line => line.Serviced).AddYears(1);
        if (ServiceMonth.LocalDay(asOf, practice.TimeZone) > limit)
        {
            reasons.Add(
                Reason.Of(
                    "CCM-B02",
                    ReasonSeverity.Warn,
                    $"Timely filing ended on {limit:yyyy-MM-dd}, one calendar year after the service; the payer may deny the claim"
                )
            );
        }
    }

    private NextUnit? Next(string program, TimeLedger time)
    {
        if (program == "apcm" || (own.Facility != FacilityKind.None && FacilityCode() is not null))
        {
            return null;
        }
        var complexAttested = ledger.Attestations.Any(one =>
            one.AtUnix >= bounds.Start && one.AtUnix < bounds.End && one.Level is "moderate" or "high"
        );
        var family =
            program == "pcm" ? Family("pcm-staff")
            : complexAttested && time.Counted >= 3600 ? Family("complex")
            : Family("staff");
        return family is null ? null : CodeSelection.Next(family, time.Counted, Cap(family));
    }

    private DateOnly Serviced(EarnedCode code, EarnedFamily earned, TimeLedger time)
    {
        var last = month.LastDay;
        if (
            ledger.Person?.DeathUnix is { } death
            && Day(death) is var deathDay
            && deathDay < last
            && deathDay >= month.FirstDay
        )
        {
            last = deathDay;
        }
        switch (own.DateOfService)
        {
            case DateOfServicePolicy.ThresholdDate when earned.Family is not "apcm":
                var counted = earned.Family is "practitioner" or "pcm-practitioner"
                    ? time.PractitionerTime
                    : time.PractitionerTime.Or(time.StaffTime);
                var until = counted.First(code.Threshold);
                return until.Count > 0 ? Day(until[^1].End - 1) : last;
            case DateOfServicePolicy.LastBusinessDay:
                while (last.DayOfWeek is DayOfWeek.Saturday or DayOfWeek.Sunday && last > month.FirstDay)
                {
                    last = last.AddDays(-1);
                }
                return last;
            default:
                return last;
        }
    }

    private decimal? Price(string code, DateOnly day) =>
        practice.Charges.TryGetValue(code, out var charge)
            ? charge
            : rules.Amount(code, day, own.Gpci, own.QualifyingApmParticipant);

    private FamilyRow? Family(string family) => rules.Family(family, month.LastDay);

    private int Cap(FamilyRow family) =>
        family.AddOn switch
        {
            "99437" => policy.Cap99437,
            "99489" => policy.Cap99489,
            _ => family.Cap,
        };

    private IEnumerable<CoverageFact> Coverages() =>
        ledger.Coverages.Where(coverage =>
            coverage.Active
            && (coverage.From ?? DateOnly.MinValue) <= month.LastDay
            && (coverage.To ?? DateOnly.MaxValue) >= month.FirstDay
        );

    private CoverageFact? Coverage() =>
        Coverages()
            .OrderBy(coverage => coverage.MemberId is null)
            .ThenBy(coverage => coverage.Reference, StringComparer.Ordinal)
            .FirstOrDefault();

    private BillingPractitioner Practitioner(VisitFact? visit) =>
        practice.Practitioners.FirstOrDefault(one => visit?.Practitioners.Contains(one.Reference) == true)
        ?? practice.Practitioners.FirstOrDefault(one =>
            ledger.Attestations.Any(attestation => attestation.Performers.Contains(one.Reference))
        )
        ?? practice.Practitioners[0];

    private DateOnly Day(long unix) =>
        ServiceMonth.LocalDay(DateTimeOffset.FromUnixTimeSeconds(unix), practice.TimeZone);

    private string Local(long unix) =>
        unix is < -62_000_000_000 or > 250_000_000_000
            ? "an unknown day"
            : TimeZoneInfo
                .ConvertTime(DateTimeOffset.FromUnixTimeSeconds(unix), practice.TimeZone)
                .ToString("yyyy-MM-dd'T'HH:mm:sszzz", CultureInfo.InvariantCulture);

    private static string Duration(long seconds) =>
        seconds % 60 == 0
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds / 60} min")
            : string.Create(CultureInfo.InvariantCulture, $"{seconds / 60} min {seconds % 60} s");

    private sealed record ConsentState(
        Stretches Windows,
        IReadOnlyList<ConsentFact> Given,
        ConsentFact? Main,
        long? Ended,
        bool Missing
    );

    private sealed record TimeState(TimeLedger Ledger);
}
