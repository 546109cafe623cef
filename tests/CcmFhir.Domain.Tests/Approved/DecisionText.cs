using System.Globalization;
using System.Text;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>A decision as plain text: all that billing staff and auditors read of it.</summary>
internal static class DecisionText
{
    public static string Of(MonthDecision decision)
    {
        var text = new StringBuilder();
        Line(text, $"{decision.Patient} {decision.Month} {decision.Program}, rules {decision.RuleSet}");
        Line(
            text,
            $"  as of {decision.AsOf:yyyy-MM-dd'T'HH:mm:ssK}, last day {decision.LastServiceDay:yyyy-MM-dd}{(decision.Institutional ? ", institutional" : "")}, by {decision.Practitioner.Reference}, member {decision.MemberId ?? "none"}"
        );
        Line(
            text,
            $"  rests on {Word(decision.Consent?.Reference)}, {Word(decision.Plan?.Reference)}, {Word(decision.Visit?.Reference)}, {Word(decision.Coverage?.Reference)}; {Words(decision.Diagnoses.Select(one => $"{one.Reference} {one.IcdCode}"))}"
        );
        Line(text, $"  lines: {Lines(decision.Lines)}; total {decision.Total:F2}");
        if (!decision.Lines.SequenceEqual(decision.Potential))
        {
            Line(text, $"  at stake: {Lines(decision.Potential)}{(decision.IsHeld ? ", held" : "")}");
        }
        var forecast = decision.Forecast;
        Line(
            text,
            $"  next: {(forecast.Next is { } next ? $"{next.Code} at {next.At} s, {next.Missing} s missing" : "none")}; missing {Words(forecast.Missing.Select(reason => reason.Code))}; looming {Words(forecast.Looming.Select(reason => reason.Code))}"
        );
        foreach (var reason in decision.Reasons)
        {
            Line(
                text,
                $"  {reason.Severity.ToString().ToUpperInvariant()} {reason.Code} {reason.Text} {References(reason.References)}"
            );
        }
        Time(text, decision.Time);
        foreach (var step in decision.Trace)
        {
            Line(text, $"  {step.Answer}: {step.Rule} ({step.Source}): {step.Finding}");
        }
        return text.ToString();
    }

    public static string Of(Correction correction) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"  {correction.Kind} revision {correction.Revision}: {correction.Why}; {Lines(correction.Lines)}\n"
        );

    private static void Time(StringBuilder text, TimeLedger time)
    {
        Line(text, $"  time: {time.Logged} s logged, {time.Counted} s counted, {time.Excluded} s excluded");
        foreach (var entry in time.Entries)
        {
            Line(
                text,
                $"    {entry.Log.Reference} {Instant(entry.Logged.Start)} {entry.Logged.Seconds} s {entry.Log.Role}: {entry.Counted.Seconds} s count"
            );
            foreach (var one in entry.Excluded)
            {
                Line(text, $"      {one.Seconds} s not, {one.Code} {one.Text} {References(one.References)}");
            }
        }
    }

    private static string Lines(IReadOnlyList<ClaimLine> lines) =>
        Words(
            lines.Select(line =>
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{line.Code} x{line.Units} at {line.UnitPrice:F2} on {line.Serviced:yyyy-MM-dd}{(line.Through is { } day ? $" to {day:yyyy-MM-dd}" : "")}"
                )
            )
        );

    private static string Instant(long unix) =>
        DateTimeOffset.FromUnixTimeSeconds(unix).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string References(IReadOnlyList<string> references) => $"[{string.Join(", ", references)}]";

    private static string Word(string? text) => text ?? "nothing";

    private static string Words(IEnumerable<string> texts) =>
        string.Join(", ", texts) is { Length: > 0 } text ? text : "none";

    private static void Line(StringBuilder text, FormattableString line) =>
        text.Append(FormattableString.Invariant(line)).Append('\n');
}
