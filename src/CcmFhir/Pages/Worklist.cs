using System.Globalization;
using System.Text;
using CcmFhir.Export;

namespace CcmFhir.Pages;

/// <summary>Where a patient's month stands, as the worklist sorts it.</summary>
public enum MonthState
{
    /// <summary>Would be billed if the month closed now.</summary>
    Ready,

    /// <summary>A quarter or less of the next threshold is missing, and nothing else.</summary>
    Near,

    /// <summary>Time is there, but something that can be mended is missing.</summary>
    Held,

    /// <summary>A claim was issued.</summary>
    Billed,

    /// <summary>The EHR refused the claim.</summary>
    Refused,

    /// <summary>Nothing to bill.</summary>
    None,
}

/// <summary>A reason as it is shown.</summary>
public sealed record ReasonLine(string Code, string Severity, string Text, IReadOnlyList<string> References);

/// <summary>One patient's line of the worklist.</summary>
public sealed record WorklistRow
{
    /// <summary>Logical id of the patient.</summary>
    public required string PatientId { get; init; }

    /// <summary>Family and given name; the id where the Patient was never received.</summary>
    public required string Name { get; init; }

    /// <summary>Where the month stands.</summary>
    public required MonthState State { get; init; }

    /// <summary>Seconds that count.</summary>
    public required long Counted { get; init; }

    /// <summary>Seconds at which the next unit is earned; null when there is none.</summary>
    public required long? Next { get; init; }

    /// <summary>Code of that unit.</summary>
    public required string? NextCode { get; init; }

    /// <summary>Lines as billed or forecast: <c>99490, 99439 x2</c>.</summary>
    public required string Codes { get; init; }

    /// <summary>Amount billed or forecast, USD.</summary>
    public required decimal Amount { get; init; }

    /// <summary>What holds, denies or warns, worst first.</summary>
    public required IReadOnlyList<ReasonLine> Reasons { get; init; }
}

/// <summary>What the reader of a worklist asked for.</summary>
/// <param name="State">Only this state; null for all.</param>
/// <param name="Search">Part of a name or id.</param>
/// <param name="Sort">name, minutes, amount or state.</param>
/// <param name="Page">From 1.</param>
public sealed record WorklistQuery(MonthState? State, string Search, string Sort, int Page)
{
    /// <summary>Lines on one page.</summary>
    public const int PageSize = 50;

    /// <summary>Reads the query string; what is not understood counts as not given.</summary>
    public static WorklistQuery Read(IQueryCollection query) =>
        new(
            Enum.TryParse<MonthState>(query["state"], ignoreCase: true, out var state) && Enum.IsDefined(state)
                ? state
                : null,
            query["q"].ToString().Trim() is { Length: <= 100 } search ? search : "",
            query["sort"].ToString() is "name" or "minutes" or "amount" or "state" ? query["sort"].ToString() : "state",
            int.TryParse(query["page"], NumberStyles.None, CultureInfo.InvariantCulture, out var page) && page > 0
                ? page
                : 1
        );

    /// <summary>The query string of the same list with something changed.</summary>
    public string With(MonthState? state = null, bool anyState = false, string? sort = null, int? page = null)
    {
        var wanted = anyState ? null : state ?? State;
        var parts = new List<string>();
        if (wanted is { } only)
        {
            parts.Add($"state={only.ToString().ToLowerInvariant()}");
        }
        if (Search.Length > 0)
        {
            parts.Add($"q={Uri.EscapeDataString(Search)}");
        }
        parts.Add($"sort={sort ?? Sort}");
        parts.Add(string.Create(CultureInfo.InvariantCulture, $"page={page ?? 1}"));
        return "?" + string.Join('&', parts);
    }

    /// <summary>The rows that fit, sorted.</summary>
    public IReadOnlyList<WorklistRow> Apply(IEnumerable<WorklistRow> rows)
    {
        var fitting = rows.Where(row =>
            (State is null || row.State == State)
            && (
                Search.Length == 0
                || row.Name.Contains(Search, StringComparison.OrdinalIgnoreCase)
                || row.PatientId.Contains(Search, StringComparison.OrdinalIgnoreCase)
            )
        );
        var sorted = Sort switch
        {
            "name" => fitting.OrderBy(row => row.Name, StringComparer.OrdinalIgnoreCase),
            "minutes" => fitting.OrderByDescending(row => row.Counted),
            "amount" => fitting.OrderByDescending(row => row.Amount),
            _ => fitting.OrderBy(row => Urgency(row.State)).ThenBy(row => row.Next - row.Counted ?? long.MaxValue),
        };
        return [.. sorted.ThenBy(row => row.PatientId, StringComparer.Ordinal)];
    }

    /// <summary>The rows of the page that is asked for, the last one where there are not so many.</summary>
    public IEnumerable<WorklistRow> Shown(IReadOnlyList<WorklistRow> fitting)
    {
        ArgumentNullException.ThrowIfNull(fitting);
        var last = Math.Max(1, (fitting.Count + PageSize - 1) / PageSize);
        return fitting.Skip((Math.Min(Page, last) - 1) * PageSize).Take(PageSize);
    }

    // What a person can still change comes first.
    private static int Urgency(MonthState state) =>
        state switch
        {
            MonthState.Held => 0,
            MonthState.Refused => 1,
            MonthState.Near => 2,
            MonthState.Ready => 3,
            MonthState.Billed => 4,
            _ => 5,
        };
}

/// <summary>The worklist as comma-separated values (RFC 4180).</summary>
internal static class WorklistCsv
{
    /// <summary>Header and one line a row. A field that a spreadsheet would take for a formula gets an apostrophe.</summary>
    public static string Write(IEnumerable<WorklistRow> rows)
    {
        var csv = new StringBuilder(
            "patient,name,state,minutes,seconds,next threshold seconds,next code,codes,amount,reasons\r\n"
        );
        foreach (var row in rows)
        {
            csv.Append(
                CsvText.Line(
                    row.PatientId,
                    row.Name,
                    row.State.ToString().ToLowerInvariant(),
                    (row.Counted / 60).ToString(CultureInfo.InvariantCulture),
                    row.Counted.ToString(CultureInfo.InvariantCulture),
                    row.Next?.ToString(CultureInfo.InvariantCulture),
                    row.NextCode,
                    row.Codes,
                    row.Amount.ToString("0.00", CultureInfo.InvariantCulture),
                    string.Join("; ", row.Reasons.Select(reason => $"{reason.Code} {reason.Text}"))
                )
            );
        }
        return csv.ToString();
    }
}
