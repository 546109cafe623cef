using System.Globalization;

namespace CcmFhir.Domain.Tests;

/// <summary>The usual patient, practice and month of the tests: two chronic conditions, a visit, a consent and a plan in September 2026, time in
/// October. A test changes what it is about and asks for the decision.</summary>
internal sealed class PatientMonth
{
    public const string Rn = "Practitioner/rn-1";
    public const string DoctorA = "Practitioner/dr-a";
    public const string DoctorB = "Practitioner/dr-b";
    public const string PracticeA = "Organization/a";
    public const string PracticeB = "Organization/b";

    private readonly List<CareFact> facts = [];
    private readonly List<EarlierClaim> earlier = [];
    private int logs;

    private PatientMonth() { }

    public Practice Practice { get; set; } = Of(new PracticePolicy());

    public ServiceMonth Month { get; set; } = new(2026, 10);

    public RuleSet Rules { get; set; } = RuleSet.Medicare;

    public DateTimeOffset AsOf { get; set; } = At("2026-11-23T00:00:00Z");

    /// <summary>Everything in place, no time logged.</summary>
    public static PatientMonth Complete() =>
        new PatientMonth().Add(
            new PatientFact("Patient/p", false, null, "1EG4TE5MK73"),
            Condition("dm", "E11.9"),
            Condition("ht", "I10"),
            Visit("v", "2026-09-15T09:30:00-04:00", "2026-09-15T10:00:00-04:00", "99214"),
            Consent("2026-09-15T10:00:00-04:00"),
            Plan("2026-09-16T00:00:00-04:00"),
            new CoverageFact("Coverage/c", true, "1EG4TE5MK73", null, null, false)
        );

    /// <summary>The same in another month: everything that precedes it moves with it.</summary>
    public static PatientMonth In(int year, int month)
    {
        var first = new DateOnly(year, month, 1);
        var before = first.AddDays(-16);
        string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        var made = new PatientMonth
        {
            Month = new ServiceMonth(year, month),
            AsOf = new DateTimeOffset(first.AddMonths(1).ToDateTime(new TimeOnly(12, 0)), TimeSpan.Zero),
        };
        return made.Add(
            new PatientFact("Patient/p", false, null, "1EG4TE5MK73"),
            Condition("dm", "E11.9"),
            Condition("ht", "I10"),
            Visit("v", $"{Day(before)}T15:00:00Z", $"{Day(before)}T15:30:00Z", "99214"),
            Consent($"{Day(before)}T16:00:00Z"),
            Plan($"{Day(before)}T16:00:00Z"),
            new CoverageFact("Coverage/c", true, "1EG4TE5MK73", null, null, false)
        );
    }

    public static Practice Of(PracticePolicy policy) =>
        new()
        {
            Slug = "a",
            Name = "Practice A",
            Npi = "1234567893",
            Tin = "12-3456789",
            TimeZone = TimeZoneInfo.FindSystemTimeZoneById("America/New_York"),
            Organization = PracticeA,
            Practitioners = [new BillingPractitioner(DoctorA, "1245319599", "Dr A", "MD")],
            Policy = policy,
        };

    public static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);

    public static long Unix(string text) => At(text).ToUnixTimeSeconds();

    public static Stretch Between(string start, string end) => new(Unix(start), Unix(end));

    public static ConditionFact Condition(string id, string icd) =>
        new(
            $"Condition/{id}",
            "active",
            "confirmed",
            icd,
            "12-months-or-longer",
            true,
            Unix("2010-01-01T00:00:00Z"),
            null
        );

    public static ConsentFact Consent(string given) =>
        new(
            "Consent/c",
            "1",
            ["ccm"],
            new Stretch(Unix(given), Stretch.Always.End),
            false,
            [PracticeA],
            [],
            "verbal",
            ["service-availability", "cost-sharing", "single-practitioner", "right-to-stop"]
        );

    public static CarePlanFact Plan(string from) =>
        new(
            "CarePlan/plan",
            "1",
            new Stretch(Unix(from), Stretch.Always.End),
            true,
            true,
            true,
            true,
            true,
            true,
            new DateOnly(2030, 1, 1),
            Unix(from)
        );

    public static VisitFact Visit(string id, string start, string end, params string[] codes) =>
        new($"Encounter/{id}", "finished", codes, Between(start, end), [DoctorA], PracticeA, true, false);

    public static BilledServiceFact Service(string code, string day, bool own = true, string id = "s") =>
        new(
            $"ChargeItem/{id}-{code}",
            code,
            DateOnly.Parse(day, CultureInfo.InvariantCulture),
            DateOnly.Parse(day, CultureInfo.InvariantCulture),
            [own ? DoctorA : DoctorB],
            [],
            [own ? PracticeA : PracticeB],
            []
        );

    public static MdmFact Mdm(string level, string at, string by = DoctorA) =>
        new("Observation/mdm", level, Unix(at), [by]);

    public PatientMonth Add(params CareFact[] more)
    {
        facts.AddRange(more);
        return this;
    }

    public PatientMonth Without<T>()
        where T : CareFact
    {
        facts.RemoveAll(fact => fact is T);
        return this;
    }

    public PatientMonth With<T>(Func<T, T> change)
        where T : CareFact
    {
        for (var at = 0; at < facts.Count; at++)
        {
            facts[at] = facts[at] is T one ? change(one) : facts[at];
        }
        return this;
    }

    public PatientMonth Issued(string month, params string[] codes)
    {
        ServiceMonth.TryParse(month, out var parsed).ShouldBeTrue();
        earlier.Add(new EarlierClaim($"Claim/{month}", parsed, codes));
        return this;
    }

    public PatientMonth With(PracticePolicy policy)
    {
        Practice = Practice with { Policy = policy };
        return this;
    }

    /// <summary>Logs time of so many seconds, from noon UTC of the day on unless a start is given.</summary>
    public PatientMonth Log(
        long seconds,
        PerformerRole role = PerformerRole.ClinicalStaff,
        string? start = null,
        string activity = "care-coordination",
        string status = "completed",
        int served = 1,
        string? toward = null,
        string owner = Rn
    )
    {
        logs++;
        var from = start is not null
            ? Unix(start)
            : new DateTimeOffset(Month.FirstDay.ToDateTime(new TimeOnly(14, 0)), TimeSpan.Zero)
                .AddDays(logs + 1)
                .ToUnixTimeSeconds();
        return Add(
            new TimeLogFact(
                string.Create(CultureInfo.InvariantCulture, $"Task/t{logs:D3}"),
                status,
                activity,
                role,
                owner,
                new Stretch(from, from + seconds),
                served,
                toward
            )
        );
    }

    public PatientMonth Seen(string asOf)
    {
        AsOf = At(asOf);
        return this;
    }

    public PatientMonth Ask(string month)
    {
        ServiceMonth.TryParse(month, out var parsed).ShouldBeTrue();
        Month = parsed;
        return this;
    }

    public PatientMonth Charging(params (string Code, decimal Charge)[] charges)
    {
        Practice = Practice with
        {
            Charges = charges.ToDictionary(one => one.Code, one => one.Charge, StringComparer.Ordinal),
        };
        return this;
    }

    public MonthDecision Decide() =>
        MonthDecision.Decide(PatientLedger.Fold("Patient/p", facts), earlier, Practice, Month, Rules, AsOf);
}

internal static class DecisionReading
{
    /// <summary>The lines as <c>99490x1, 99439x2</c>, or <c>none</c>.</summary>
    public static string Codes(this MonthDecision decision) =>
        decision.Lines.Count == 0
            ? "none"
            : string.Join(", ", decision.Lines.Select(line => $"{line.Code}x{line.Units}"));

    /// <summary>The reasons of a severity, as codes.</summary>
    public static string Why(this MonthDecision decision, ReasonSeverity severity) =>
        string.Join(
            ' ',
            decision
                .Reasons.Where(reason => reason.Severity == severity)
                .Select(reason => reason.Code)
                .Distinct(StringComparer.Ordinal)
        );

    public static void ShouldSay(this MonthDecision decision, string code, ReasonSeverity severity) =>
        decision.Reasons.ShouldContain(
            reason => reason.Code == code && reason.Severity == severity,
            string.Join("; ", decision.Reasons.Select(reason => $"{reason.Code} {reason.Severity} {reason.Text}"))
        );
}
