namespace CcmFhir.Domain;

/// <summary>A condition that qualifies for care management in the month.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Category">Its chronic-condition category, or its code where the policy counts by code.</param>
public sealed record QualifyingCondition(ConditionFact Condition, string Category);

/// <summary>What the rules on conditions found (rules E1 to E5).</summary>
/// <param name="Qualifying">One for each category, by reference.</param>
/// <param name="Distinct">How many categories.</param>
/// <param name="PossiblyDistinct">How many there would be if what is not said were said.</param>
/// <param name="Unlisted">Qualifying conditions whose code the list of chronic conditions does not name.</param>
public sealed record ConditionFinding(
    IReadOnlyList<QualifyingCondition> Qualifying,
    int Distinct,
    int PossiblyDistinct,
    IReadOnlyList<string> Unlisted
);

/// <summary>Whether the patient can have care management in a month: conditions, consent, plan, visit.</summary>
public static class Eligibility
{
    /// <summary>Conditions that qualify: confirmed, chronic for twelve months or until death, a significant risk, and active at some moment of the window.</summary>
    public static ConditionFinding Conditions(
        PatientLedger ledger,
        Stretch window,
        RuleSet rules,
        PracticePolicy policy
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(policy);
        var qualifying = new SortedDictionary<string, QualifyingCondition>(StringComparer.Ordinal);
        var possible = new HashSet<string>(StringComparer.Ordinal);
        var unlisted = new List<string>();
        foreach (var condition in ledger.Conditions)
        {
            if (
                condition.IcdCode is not { Length: >= 3 } code
                || condition.VerificationStatus != "confirmed"
                || !ActiveIn(condition, window)
            )
            {
                continue;
            }
            if (condition.ExpectedDuration is "under-12-months" || condition.SignificantRisk is false)
            {
                continue;
            }
            var category = rules.Category(code, out var listed);
            var key = policy.DistinctByCode ? code : category;
            possible.Add(key);
            if (condition.ExpectedDuration is null || condition.SignificantRisk is null)
            {
                continue;
            }
            if (qualifying.TryAdd(key, new QualifyingCondition(condition, category)) && !listed)
            {
                unlisted.Add(condition.Reference);
            }
        }
        return new ConditionFinding(
            [.. qualifying.Values.OrderBy(one => one.Condition.Reference, StringComparer.Ordinal)],
            qualifying.Count,
            possible.Count,
            unlisted
        );
    }

    /// <summary>Consents to a program that name the practice, by when they were given.</summary>
    public static IReadOnlyList<ConsentFact> Consents(PatientLedger ledger, string program, Practice practice)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(practice);
        return
        [
            .. ledger
                .Consents.Where(consent => consent.Programs.Contains(program) && Names(consent, practice))
                .OrderBy(consent => consent.Window.Start),
        ];
    }

    /// <summary>Consents to a program that name somebody else.</summary>
    public static IReadOnlyList<ConsentFact> ForeignConsents(PatientLedger ledger, string program, Practice practice)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(practice);
        return [.. ledger.Consents.Where(consent => consent.Programs.Contains(program) && !Names(consent, practice))];
    }

    /// <summary>The plan in force in the month: the one that began last. Null where there is none.</summary>
    public static CarePlanFact? Plan(PatientLedger ledger, Stretch month)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        return ledger.Plans.Where(plan => plan.InForce.Overlaps(month)).MaxBy(plan => plan.InForce.Start);
    }

    /// <summary>Typical elements that a plan lacks (rules section 7: CMS says "typically includes").</summary>
    public static IReadOnlyList<string> MissingElements(CarePlanFact plan, DateOnly lastDay)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var missing = new List<string>();
        if (!plan.Addresses)
        {
            missing.Add("the conditions it addresses");
        }
        if (!plan.HasGoal)
        {
            missing.Add("a goal");
        }
        else if (plan.GoalMeasurable is false)
        {
            missing.Add("a measurable target of its goal");
        }
        if (!plan.HasActivity)
        {
            missing.Add("a planned intervention (activity)");
        }
        if (!plan.HasAuthor)
        {
            missing.Add("its author or contributor");
        }
        if (!plan.CopyGiven)
        {
            missing.Add("when a copy was given to the patient or caregiver");
        }
        if (plan.ReviewBy is null)
        {
            missing.Add("the day of its next review");
        }
        else if (plan.ReviewBy < lastDay)
        {
            missing.Add("a review: it was due before the month ended");
        }
        return missing;
    }

    /// <summary>The initiating visit: by the practice, of a code that qualifies, with care management discussed, at most so many days before care
    /// management began (rules I1 to I7).</summary>
    /// <param name="ledger">The patient.</param>
    /// <param name="starts">Local days on which care management may be said to have begun.</param>
    /// <param name="practice">The practice.</param>
    /// <param name="rules">The rules.</param>
    public static VisitFact? InitiatingVisit(
        PatientLedger ledger,
        IReadOnlyList<DateOnly> starts,
        Practice practice,
        RuleSet rules
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(starts);
        ArgumentNullException.ThrowIfNull(practice);
        return ledger
            .Visits.Where(visit => visit.Discussed is true && Qualifies(visit, practice, rules))
            .Where(visit =>
                starts.Any(start =>
                    Day(visit, practice) is var day
                    && day <= start
                    && day >= start.AddDays(-practice.Policy.InitiatingVisitDays)
                )
            )
            .MaxBy(visit => visit.Period.Start);
    }

    /// <summary>The visit took place, was the practice's, and has a code that can initiate care management.</summary>
    public static bool Qualifies(VisitFact visit, Practice practice, RuleSet rules)
    {
        ArgumentNullException.ThrowIfNull(visit);
        ArgumentNullException.ThrowIfNull(rules);
        return TookPlace(visit) && IsOwn(visit, practice) && visit.Codes.Any(rules.IsInitiatingVisit);
    }

    /// <summary>The visit was the practice's: one of its billing practitioners took part, or it names the practice.</summary>
    public static bool IsOwn(VisitFact visit, Practice practice)
    {
        ArgumentNullException.ThrowIfNull(visit);
        ArgumentNullException.ThrowIfNull(practice);
        return visit.Practitioners.Any(practice.IsPractitioner) || practice.IsOrganization(visit.Organization);
    }

    /// <summary>The visit is not merely planned, cancelled or entered in error.</summary>
    public static bool TookPlace(VisitFact visit)
    {
        ArgumentNullException.ThrowIfNull(visit);
        return visit.Status is "finished" or "in-progress" or "onleave" or "arrived" or "triaged";
    }

    /// <summary>Local day of a visit.</summary>
    public static DateOnly Day(VisitFact visit, Practice practice)
    {
        ArgumentNullException.ThrowIfNull(visit);
        ArgumentNullException.ThrowIfNull(practice);
        return ServiceMonth.LocalDay(DateTimeOffset.FromUnixTimeSeconds(visit.Period.Start), practice.TimeZone);
    }

    private static bool Names(ConsentFact consent, Practice practice) =>
        consent.Organizations.Any(practice.IsOrganization) || consent.OrganizationNpis.Contains(practice.Npi);

    // Resolved in mid-month still counts for that month (rule E5); resolved without a date cannot be placed.
    private static bool ActiveIn(ConditionFact condition, Stretch window)
    {
        if (condition.OnsetUnix >= window.End)
        {
            return false;
        }
        return condition.ClinicalStatus switch
        {
            "active" or "recurrence" or "relapse" => condition.AbatementUnix is not { } ended || ended > window.Start,
            "inactive" or "remission" or "resolved" => condition.AbatementUnix is { } ended && ended > window.Start,
            _ => false,
        };
    }
}
