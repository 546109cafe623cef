namespace CcmFhir.Domain;

/// <summary>One line of a claim.</summary>
/// <param name="Code">CPT or HCPCS code.</param>
/// <param name="Units">Units of service.</param>
/// <param name="UnitPrice">Charge for one unit, USD: the practice's, else the national amount.</param>
/// <param name="Serviced">Day of service; the first where it is a range.</param>
/// <param name="Through">Last day of service (included), where it is a range; else null.</param>
public sealed record ClaimLine(string Code, int Units, decimal UnitPrice, DateOnly Serviced, DateOnly? Through = null)
{
    /// <summary>Units times charge.</summary>
    public decimal Net => UnitPrice * Units;
}

/// <summary>The answer for one patient and month, with everything that led to it. A pure function of facts, rules and the instant asked for.</summary>
public sealed record MonthDecision
{
    /// <summary><c>Patient/id</c>.</summary>
    public required string Patient { get; init; }

    /// <summary>The month.</summary>
    public required ServiceMonth Month { get; init; }

    /// <summary>Name of the rules.</summary>
    public required string RuleSet { get; init; }

    /// <summary>The instant for which it was decided.</summary>
    public required DateTimeOffset AsOf { get; init; }

    /// <summary>Program decided: ccm, pcm or apcm.</summary>
    public required string Program { get; init; }

    /// <summary>Lines of the claim, in code order; none when there is none.</summary>
    public required IReadOnlyList<ClaimLine> Lines { get; init; }

    /// <summary>Lines that there would be if everything that holds the month were mended; the same as <see cref="Lines"/> where nothing holds it.</summary>
    public required IReadOnlyList<ClaimLine> Potential { get; init; }

    /// <summary>Why: denials first, then holds, warnings, information; each in code order.</summary>
    public required IReadOnlyList<Reason> Reasons { get; init; }

    /// <summary>Every rule that was asked.</summary>
    public required IReadOnlyList<TraceStep> Trace { get; init; }

    /// <summary>The month's time, log by log.</summary>
    public required TimeLedger Time { get; init; }

    /// <summary>How far the next unit of the family that is running is; null where there is none.</summary>
    public required NextUnit? Next { get; init; }

    /// <summary>Conditions that the claim names, in order.</summary>
    public required IReadOnlyList<ConditionFact> Diagnoses { get; init; }

    /// <summary>The consent it rests on.</summary>
    public required ConsentFact? Consent { get; init; }

    /// <summary>The plan it rests on.</summary>
    public required CarePlanFact? Plan { get; init; }

    /// <summary>The initiating visit it rests on; null where care management was under way already.</summary>
    public required VisitFact? Visit { get; init; }

    /// <summary>The coverage it is billed to.</summary>
    public required CoverageFact? Coverage { get; init; }

    /// <summary>Number of the insured: the coverage's, else the patient's Medicare Beneficiary Identifier; null where neither is known.</summary>
    public string? MemberId { get; init; }

    /// <summary>The billing practitioner on the claim.</summary>
    public required BillingPractitioner Practitioner { get; init; }

    /// <summary>Last day on which a service of the month can have been furnished: the month's last, never after death or the instant decided for.</summary>
    public required DateOnly LastServiceDay { get; init; }

    /// <summary>An institutional claim (RHC, FQHC).</summary>
    public required bool Institutional { get; init; }

    /// <summary>There is a claim.</summary>
    public bool IsClaim => Lines.Count > 0;

    /// <summary>Something that can be mended holds it.</summary>
    public bool IsHeld =>
        Lines.Count == 0 && Potential.Count > 0 && Reasons.Any(reason => reason.Severity == ReasonSeverity.Hold);

    /// <summary>Where the month stands: how far the next unit is, what is missing, what looms.</summary>
    public Forecast Forecast =>
        new(
            Next,
            [.. Reasons.Where(reason => reason.Severity == ReasonSeverity.Hold)],
            [
                .. Reasons.Where(reason =>
                    reason.Severity == ReasonSeverity.Warn && reason.Code.StartsWith("CCM-K", StringComparison.Ordinal)
                ),
            ]
        );

    /// <summary>Sum of the lines, USD.</summary>
    public decimal Total => Lines.Sum(line => line.Net);

    /// <summary>The same month where another biller has it already: nothing is billed (CCM-K01).</summary>
    /// <param name="text">Who or what, for people.</param>
    public MonthDecision BilledElsewhere(string text)
    {
        var reasons = new List<Reason>(Reasons) { Reason.Of("CCM-K01", ReasonSeverity.Deny, text) };
        Deciding.Sort(reasons);
        return this with
        {
            Lines = [],
            Potential = [],
            Reasons = reasons,
            Trace = [.. Trace, new TraceStep("one biller a month", "rule W2", RuleAnswer.No, text)],
        };
    }

    /// <summary>Decides one patient's month.</summary>
    /// <param name="ledger">What is known of the patient.</param>
    /// <param name="earlier">What we issued before, for G0506 and for whether care management is under way.</param>
    /// <param name="practice">The practice.</param>
    /// <param name="month">The month; the rule set must cover it.</param>
    /// <param name="rules">The rules.</param>
    /// <param name="asOf">Nothing later has happened yet.</param>
    /// <exception cref="RuleSetException">There is no rule set for the month.</exception>
    public static MonthDecision Decide(
        PatientLedger ledger,
        IReadOnlyList<EarlierClaim> earlier,
        Practice practice,
        ServiceMonth month,
        RuleSet rules,
        DateTimeOffset asOf
    )
    {
        ArgumentNullException.ThrowIfNull(rules);
        var name =
            rules.NameFor(month)
            ?? throw new RuleSetException(
                $"{rules.Unknown(month)}. A month is decided under the rules of that month, never under others."
            );
        return Deciding.Decide(new Matter(ledger, earlier, practice, month, rules, asOf), name);
    }
}

/// <summary>Where a month stands before it is closed.</summary>
/// <param name="Next">How far the next unit of the family that is running is; null where there is none.</param>
/// <param name="Missing">What holds the month and can be mended.</param>
/// <param name="Looming">Other services, planned ones among them, that a person should look at before the month is billed.</param>
public sealed record Forecast(NextUnit? Next, IReadOnlyList<Reason> Missing, IReadOnlyList<Reason> Looming);

/// <summary>A claim that we issued before.</summary>
/// <param name="Reference">Claim/id.</param>
/// <param name="Month">Its month.</param>
/// <param name="Codes">Codes of its lines.</param>
public sealed record EarlierClaim(string Reference, ServiceMonth Month, IReadOnlyList<string> Codes);
