using System.Globalization;
using CcmFhir.Validation;

namespace CcmFhir.Fhir.Readers;

/// <summary>What a time log must meet beyond its profile to come in: a time that can be true. What is refused here is never counted, by anybody.</summary>
/// <remarks>Reasons CCM-T04 to T07 and T11 of the contract; a dateTime with a time carries an offset (R4, datatypes).</remarks>
internal static class TimeLogDoor
{
    /// <summary>Checks one Task.</summary>
    /// <param name="task">The Task.</param>
    /// <param name="now">The instant of receipt.</param>
    /// <param name="maxHours">Longest log taken, hours.</param>
    /// <returns>Errors; none when the log may come in.</returns>
    public static IReadOnlyList<Issue> Check(FhirElement task, DateTimeOffset now, int maxHours)
    {
        // What was entered in error says nothing of time any more.
        if (task["status"u8].Is("entered-in-error"u8))
        {
            return [];
        }
        var period = task["executionPeriod"u8];
        if (!period.Exists)
        {
            return
            [
                Fault(
                    "CCM-T05",
                    "required",
                    "Task.executionPeriod",
                    task,
                    "The time log has no executionPeriod; give start and end, both with time and offset, such as 2026-10-05T09:00:00-04:00."
                ),
            ];
        }
        var (start, end) = (period["start"u8], period["end"u8]);
        var issues = new List<Issue>();
        var from = Instant(start, "start", period, issues);
        var to = Instant(end, "end", period, issues);
        if (from is not { } began || to is not { } ended)
        {
            return issues;
        }
        if (ended <= began)
        {
            return
            [
                Fault(
                    "CCM-T04",
                    "business-rule",
                    "Task.executionPeriod",
                    end,
                    "The period ends at or before its start; end must be later than start."
                ),
            ];
        }
        if (ended > now)
        {
            return
            [
                Fault(
                    "CCM-T06",
                    "business-rule",
                    "Task.executionPeriod",
                    end,
                    "The period lies in the future; record work when it has been done."
                ),
            ];
        }
        if (ended - began > TimeSpan.FromHours(maxHours))
        {
            return
            [
                Fault(
                    "CCM-T07",
                    "business-rule",
                    "Task.executionPeriod",
                    end,
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The period is longer than {maxHours} hours; record each stretch of work by itself."
                    )
                ),
            ];
        }
        if (TimeSpent(task) is { } spent)
        {
            if (spent.Seconds is not { } seconds)
            {
                return
                [
                    Fault(
                        "CCM-T11",
                        "value",
                        "Task.output.value",
                        spent.Element,
                        "The time spent must be a positive Duration in UCUM min or s."
                    ),
                ];
            }
            if (seconds > (ended - began).TotalSeconds)
            {
                return
                [
                    Fault(
                        "CCM-T11",
                        "business-rule",
                        "Task.output.value",
                        spent.Element,
                        "The time spent is longer than the period in which it was spent; it can be at most as long."
                    ),
                ];
            }
        }
        return [];
    }

    /// <summary>The effort that a log gives in place of its period's length: the element, and the whole seconds (null where it cannot be read).</summary>
    public static (FhirElement Element, long? Seconds)? TimeSpent(FhirElement task)
    {
        foreach (var output in task["output"u8].Items)
        {
            if (ElementReading.Code(output["type"u8], Codes.System("ccm-output")) != "time-spent")
            {
                continue;
            }
            var duration = output["valueDuration"u8];
            var unit = duration["code"u8].Text ?? duration["unit"u8].Text;
            if (
                !decimal.TryParse(
                    duration["value"u8].Text,
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var value
                )
                || value <= 0
                || value > 1_000_000
                || unit is not ("min" or "s")
            )
            {
                return (output, null);
            }
            return (duration, (long)decimal.Floor(unit == "min" ? value * 60 : value));
        }
        return null;
    }

    private static DateTimeOffset? Instant(FhirElement value, string name, FhirElement period, List<Issue> issues)
    {
        if (value.Text is not { } text)
        {
            issues.Add(
                Fault(
                    "CCM-T05",
                    "required",
                    $"Task.executionPeriod.{name}",
                    period,
                    $"The period has no {name}; give both ends with time and offset, such as 2026-10-05T09:00:00-04:00."
                )
            );
            return null;
        }
        if (FhirTime.Instant(text) is { } instant)
        {
            return instant;
        }
        issues.Add(
            Fault(
                "CCM-T05",
                "value",
                $"Task.executionPeriod.{name}",
                value,
                $"'{text}' has no time with an offset; give one such as 2026-10-05T09:00:00-04:00, so that nobody has to guess."
            )
        );
        return null;
    }

    private static Issue Fault(string rule, string type, string expression, FhirElement at, string text) =>
        Refusal.Because(type, rule, text, expression, at) with
        {
            Profile = Codes.Base + "/StructureDefinition/ccm-time-log",
        };
}
