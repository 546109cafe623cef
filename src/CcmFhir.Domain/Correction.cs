namespace CcmFhir.Domain;

/// <summary>What a decision makes of the claim that stands.</summary>
public enum CorrectionKind
{
    /// <summary>Nothing is issued.</summary>
    Nothing,

    /// <summary>A first claim, or a new one after a void (frequency 1).</summary>
    Original,

    /// <summary>A revision takes the place of the claim that stands (frequency 7).</summary>
    Replacement,

    /// <summary>The claim that stands is taken back (frequency 8).</summary>
    Void,
}

/// <summary>The newest claim of a month that was issued.</summary>
/// <param name="Revision">1 for the first.</param>
/// <param name="Lines">Its lines; none where it took its predecessor back.</param>
/// <param name="Diagnoses">ICD-10-CM codes that it names.</param>
public sealed record StandingClaim(int Revision, IReadOnlyList<ClaimLine> Lines, IReadOnlyList<string> Diagnoses);

/// <summary>What has to be issued now that a month was decided (again): never a silent edit, and nothing where the answer is the same.</summary>
/// <param name="Kind">What is issued.</param>
/// <param name="Revision">Its revision; that of the claim that stands where nothing is issued, 0 where none stands.</param>
/// <param name="Lines">Its lines; for a void those that it takes back.</param>
/// <param name="Why">For people.</param>
public sealed record Correction(CorrectionKind Kind, int Revision, IReadOnlyList<ClaimLine> Lines, string Why)
{
    /// <summary>Compares the decision with the claim that stands.</summary>
    /// <remarks>
    /// The answer is codes and units; a charge table or a day-of-service setting that changes later changes no claim that was right when it
    /// was issued. A claim is wrong too where it names a diagnosis that no longer qualifies, or a day after the last on which a service could be.
    /// Past timely filing (one calendar year from the service, 42 CFR 424.44) nothing is issued that asks for money or for more of it; what gives
    /// money back still is (42 CFR 401.305).
    /// </remarks>
    /// <param name="decision">The decision as of now.</param>
    /// <param name="standing">The newest claim of the month; null where none was issued.</param>
    /// <param name="zone">The practice's zone.</param>
    public static Correction Of(MonthDecision decision, StandingClaim? standing, TimeZoneInfo zone)
    {
        ArgumentNullException.ThrowIfNull(decision);
        var today = ServiceMonth.LocalDay(decision.AsOf, zone);
        var revision = standing?.Revision ?? 0;
        if (standing is not { Lines.Count: > 0 })
        {
            return !decision.IsClaim ? new Correction(CorrectionKind.Nothing, revision, [], "nothing is to be billed")
                : IsLate(decision.Lines, today)
                    ? new Correction(CorrectionKind.Nothing, revision, [], "timely filing is over")
                : new Correction(
                    CorrectionKind.Original,
                    revision + 1,
                    decision.Lines,
                    standing is null ? "first claim of the month" : "to be billed again after a void"
                );
        }
        if (!decision.IsClaim)
        {
            return new Correction(
                CorrectionKind.Void,
                revision + 1,
                standing.Lines,
                "nothing is to be billed any more"
            );
        }
        if (Difference(decision, standing) is not { } why)
        {
            return new Correction(CorrectionKind.Nothing, revision, [], "the claim that stands says the same");
        }
        var asksForMore = decision.Total >= standing.Lines.Sum(line => line.Net);
        return asksForMore && IsLate(standing.Lines, today)
            ? new Correction(CorrectionKind.Nothing, revision, [], $"{why}, but timely filing is over")
            : new Correction(CorrectionKind.Replacement, revision + 1, decision.Lines, why);
    }

    /// <summary>Timely filing of these lines is over on a day: more than one calendar year after the last day of service.</summary>
    public static bool IsLate(IReadOnlyList<ClaimLine> lines, DateOnly day)
    {
        ArgumentNullException.ThrowIfNull(lines);
        return lines.Count > 0 && day > lines.Max(line => line.Through ?? line.Serviced).AddYears(1);
    }

    private static string? Difference(MonthDecision decision, StandingClaim standing)
    {
        if (!Units(decision.Lines).SequenceEqual(Units(standing.Lines)))
        {
            return "codes or units differ";
        }
        var qualifying = decision.Diagnoses.Select(one => one.IcdCode).ToHashSet(StringComparer.Ordinal);
        if (standing.Diagnoses.Any(code => !qualifying.Contains(code)))
        {
            return "it names a diagnosis that no longer qualifies";
        }
        return standing.Lines.Any(line => (line.Through ?? line.Serviced) > decision.LastServiceDay)
            ? $"it names a day after {decision.LastServiceDay:yyyy-MM-dd}"
            : null;
    }

    private static IEnumerable<(string Code, int Units)> Units(IReadOnlyList<ClaimLine> lines) =>
        lines.Select(line => (line.Code, line.Units)).OrderBy(line => line.Code, StringComparer.Ordinal);
}
