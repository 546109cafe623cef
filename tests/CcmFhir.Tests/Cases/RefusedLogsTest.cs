using System.Text.Json.Nodes;

namespace CcmFhir.Tests.Cases;

/// <summary>Time logs that cannot be true do not come in, and everything else does.</summary>
public sealed class RefusedLogsTest
{
    [Theory]
    [InlineData("2026-10-05T10:20:00-04:00", "2026-10-05T10:00:00-04:00", "CCM-T04")]
    [InlineData("2026-10-05T10:00:00-04:00", "2026-10-05T10:00:00-04:00", "CCM-T04")]
    // The same wall clock, but three hours earlier by its offset.
    [InlineData("2026-10-05T10:00:00-07:00", "2026-10-05T10:20:00-04:00", "CCM-T04")]
    [InlineData("2026-11-30T10:00:00-05:00", "2026-11-30T10:20:00-05:00", "CCM-T06")]
    [InlineData("2026-11-22T18:50:00-05:00", "2026-11-22T19:00:01-05:00", "CCM-T06")]
    [InlineData("2026-10-05T10:00:00-04:00", "2026-10-06T10:00:01-04:00", "CCM-T07")]
    [InlineData("2026-10-05", "2026-10-06", "CCM-T05")]
    public async Task A_period_that_cannot_be_true_is_refused(string start, string end, string code)
    {
        var decided = await CareCase.Usual().Task("bad", start, end).Log(1200).CloseAsync();

        decided.Lines.ShouldBe("99490x1");
        decided.Counted.ShouldBe(1200);
        decided.Seconds("logged").ShouldBe(1200);
        decided.Refused.ShouldContain(
            issue => issue.StartsWith($"Task/bad {code} Task.executionPeriod", StringComparison.Ordinal),
            decided.Json
        );
    }

    [Theory]
    [InlineData("2026-10-05T10:00:00-04:00", "2026-10-06T10:00:00-04:00")]
    [InlineData("2026-11-22T18:50:00-05:00", "2026-11-22T19:00:00-05:00")]
    [InlineData("2026-10-05T10:00:00Z", "2026-10-05T06:00:01-04:00")]
    public async Task A_period_at_the_very_edge_comes_in(string start, string end) =>
        (await CareCase.Usual().Task("edge", start, end).CloseAsync()).Refused.ShouldBeEmpty();

    [Theory]
    [InlineData("start")]
    [InlineData("end")]
    [InlineData("")]
    public async Task A_log_without_a_period_that_tells_a_duration_is_refused(string missing)
    {
        var decided = await CareCase
            .Usual()
            .Task("bad", "2026-10-05T10:00:00-04:00", "2026-10-05T10:20:00-04:00")
            .Change(
                "Task/bad",
                task =>
                {
                    if (missing.Length > 0)
                    {
                        task["executionPeriod"]!.AsObject().Remove(missing);
                    }
                    else
                    {
                        task.Remove("executionPeriod");
                    }
                }
            )
            .CloseAsync();

        decided.Lines.ShouldBe("none");
        decided.Counted.ShouldBe(0);
        decided.Refused.ShouldContain(
            issue => issue.StartsWith("Task/bad CCM-T05 ", StringComparison.Ordinal),
            decided.Json
        );
    }

    [Theory]
    [InlineData("2026-11-01T01:30:00")]
    [InlineData("2026-10-05T10:00")]
    [InlineData("2026-10-05T25:00:00-04:00")]
    [InlineData("2026-02-30T10:00:00-04:00")]
    [InlineData("yesterday")]
    public async Task A_timestamp_that_is_no_instant_is_refused_and_never_guessed(string start)
    {
        var decided = await CareCase.Usual().Task("bad", start, "2026-11-01T02:00:00-05:00").CloseAsync();

        decided.Lines.ShouldBe("none");
        decided.Seconds("logged").ShouldBe(0);
        decided.Refused.ShouldContain(
            issue =>
                issue.StartsWith("Task/bad ", StringComparison.Ordinal)
                && issue.EndsWith(" Task.executionPeriod.start", StringComparison.Ordinal),
            decided.Json
        );
    }

    [Theory]
    [InlineData(1200, "s", 1800, "99490x1", 1200)]
    [InlineData(20, "min", 1800, "99490x1", 1200)]
    [InlineData(19.99, "min", 1800, "none", 1199)]
    [InlineData(1800, "s", 1800, "99490x1", 1800)]
    public async Task Time_spent_counts_in_place_of_the_period(
        double value,
        string unit,
        int period,
        string lines,
        long counted
    )
    {
        var decided = await Spent(value, unit, period).CloseAsync();

        decided.Refused.ShouldBeEmpty();
        decided.Lines.ShouldBe(lines);
        decided.Counted.ShouldBe(counted);
        decided.Seconds("logged").ShouldBe(counted);
    }

    [Theory]
    [InlineData(1801, "s", 1800)]
    [InlineData(31, "min", 1800)]
    public async Task Time_spent_longer_than_the_period_is_refused(double value, string unit, int period)
    {
        var decided = await Spent(value, unit, period).CloseAsync();

        decided.Lines.ShouldBe("none");
        decided.Refused.ShouldContain(
            issue => issue.StartsWith("Task/t1 CCM-T11 Task.output", StringComparison.Ordinal),
            decided.Json
        );
    }

    [Theory]
    [InlineData(0, "s")]
    [InlineData(-5, "min")]
    [InlineData(1, "h")]
    public async Task Time_spent_that_is_no_length_in_minutes_or_seconds_is_refused(double value, string unit) =>
        (await Spent(value, unit, 7200).CloseAsync()).Refused.ShouldNotBeEmpty();

    [Theory]
    [InlineData("2026-10-05T10:00:00.500-04:00", "2026-10-05T10:20:00.000-04:00", 1199)]
    [InlineData("2026-10-05T10:00:00.999-04:00", "2026-10-05T10:20:00.999-04:00", 1200)]
    [InlineData("2026-10-05T10:00:00.999-04:00", "2026-10-05T10:20:00.998-04:00", 1199)]
    public async Task Fractions_of_a_second_are_never_rounded_up(string start, string end, long counted) =>
        (await CareCase.Usual().Task("t", start, end).CloseAsync()).Counted.ShouldBe(counted);

    [Theory]
    [InlineData("code", "[]")]
    [InlineData("code", """{"coding":[{"system":"http://ccmfhir.org/fhir/CodeSystem/ccm-activity","code":"golf"}]}""")]
    [InlineData("performerType", "[]")]
    [InlineData("status", "\"finished\"")]
    public async Task What_the_profile_of_a_time_log_does_not_allow_is_refused(string element, string json)
    {
        var decided = await CareCase
            .Usual()
            .Log(1200)
            .Change(
                "Task/t1",
                task =>
                {
                    if (json == "null")
                    {
                        task.Remove(element);
                    }
                    else
                    {
                        task[element] = JsonNode.Parse(json);
                    }
                }
            )
            .CloseAsync();

        decided.Lines.ShouldBe("none");
    }

    [Fact]
    public async Task A_practice_may_take_only_shorter_logs()
    {
        var decided = await CareCase.Usual().Practice("maxTaskHours", "1").Log(3600).Log(3601).CloseAsync();

        decided.Counted.ShouldBe(3600);
        decided.Refused.ShouldContain(issue => issue.StartsWith("Task/t2 CCM-T07", StringComparison.Ordinal));
    }

    private static CareCase Spent(double value, string unit, int period) =>
        CareCase
            .Usual()
            .Log(period)
            .Set(
                "Task/t1",
                "output",
                $$"""[{"type":{"coding":[{"system":"{{CareCase.Base}}/CodeSystem/ccm-output","code":"time-spent"}]},"valueDuration":{"value":{{value.ToString(
                    System.Globalization.CultureInfo.InvariantCulture
                )}},"system":"http://unitsofmeasure.org","code":"{{unit}}"} }]"""
            );
}
