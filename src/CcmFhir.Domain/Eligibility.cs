namespace CcmFhir.Domain;

/// <summary>A condition that qualifies for care management in the month.</summary>
/// <param name="Condition">The condition.</param>
/// <param name="Category">Its chronic-condition category.</param>
public sealed record QualifyingCondition(ConditionFact Condition, string Category);

/// <summary>What the rules on conditions found (rules E1 to E5).</summary>
/// <param name="Qualifying">Each condition that qualifies, by code, then reference; two of one category stand beside each other on the claim.</param>
/// <param name="Distinct">How many there are by the practice's measure: categories, or codes.</param>
/// <param name="PossiblyDistinct">How many there would be if what is not said were said.</param>
/// <param name="Unlisted">Qualifying conditions that a person should look at: not in the list of chronic conditions, or counted beside
/// another of the same category because the practice counts codes.</param>
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
    /// <param name="ledger">The patient.</param>
    /// <param name="window">From the first consented moment of the month to its end.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="policy">The practice's choices.</param>
    /// <param name="shorter">Principal care management: a condition of less than twelve months may qualify (three are enough).</param>
    public static ConditionFinding Conditions(
        PatientLedger ledger,
        Stretch window,
        RuleSet rules,
        PracticePolicy policy,
        bool shorter = false
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(policy);
        var qualifying = new List<QualifyingCondition>();
        var distinct = new HashSet<string>(StringComparer.Ordinal);
        var possible = new HashSet<string>(StringComparer.Ordinal);
        var categories = new Dictionary<string, string>(StringComparer.Ordinal);
        var unlisted = new List<string>();
        foreach (var condition in ledger.Conditions)
        {
            var code = condition.IcdCode ?? "";
            // Suspected and refuted diagnoses are not coded for outpatients (ICD-10-CM guidelines, section IV.H).
            if (
                code.Length < 3
                || condition.VerificationStatus is not ("confirmed" or "")
                || condition.SignificantRisk is false
                || (condition.ExpectedDuration is "under-12-months" && !shorter)
                || !ActiveIn(condition, window)
            )
            {
                continue;
            }
            var category = rules.Category(code, out var listed);
            var key = policy.DistinctByCode ? code : category;
            possible.Add(key);
            if (
                condition.VerificationStatus.Length == 0
                || condition.ClinicalStatus.Length == 0
                || condition.SignificantRisk is null
                || condition.ExpectedDuration is not ("12-months-or-longer" or "until-death")
            )
            {
                continue;
            }
            qualifying.Add(new QualifyingCondition(condition, category));
            distinct.Add(key);
            if (
                !listed || (!categories.TryAdd(category, code) && policy.DistinctByCode && categories[category] != code)
            )
            {
                unlisted.Add(condition.Reference);
            }
        }
        qualifying.Sort(
            static (left, right) =>
                string.CompareOrdinal(left.Condition.IcdCode, right.Condition.IcdCode) is var order && order != 0
                    ? order
                    : string.CompareOrdinal(left.Condition.Reference, right.Condition.Reference)
        );
        return new ConditionFinding(qualifying, distinct.Count, possible.Count, unlisted);
    }

    /// <summary>Consents to a program that name the practice.</summary>
    public static IReadOnlyList<ConsentFact> Consents(PatientLedger ledger, string program, Practice practice)
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(practice);
        return [.. ledger.Consents.Where(consent => consent.Programs.Contains(program) && Names(consent, practice))];
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
    /// <param name="consents">Local days on which consent was given: consent on the day of the visit shows that care management was discussed
    /// where the visit does not say.</param>
    /// <param name="practice">The practice.</param>
    /// <param name="rules">The rules.</param>
    public static VisitFact? InitiatingVisit(
        PatientLedger ledger,
        IReadOnlyList<DateOnly> starts,
        IReadOnlyList<DateOnly> consents,
        Practice practice,
        RuleSet rules
    )
    {
        ArgumentNullException.ThrowIfNull(ledger);
        ArgumentNullException.ThrowIfNull(starts);
        ArgumentNullException.ThrowIfNull(consents);
        ArgumentNullException.ThrowIfNull(practice);
        VisitFact? latest = null;
        foreach (var visit in ledger.Visits)
        {
            if (!Qualifies(visit, practice, rules) || visit.Period.Start < latest?.Period.Start)
            {
                continue;
            }
            var day = Day(visit, practice);
            if (
                (visit.Discussed ?? consents.Contains(day))
                && starts.Any(start => day <= start && day >= start.AddDays(-practice.Policy.InitiatingVisitDays))
            )
            {
                latest = visit;
            }
        }
        return latest;
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

    /// <summary>The consent names the practice.</summary>
    internal static bool Names(ConsentFact consent, Practice practice) =>
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
            // Where the status is not said, it stands on the list, so that it may be.
            "active" or "recurrence" or "relapse" or "" => !(condition.AbatementUnix <= window.Start),
            "inactive" or "remission" or "resolved" => condition.AbatementUnix > window.Start,
            _ => false,
        };
    }
}
