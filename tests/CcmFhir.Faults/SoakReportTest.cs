using CcmFhir.Load.Soak;

namespace CcmFhir.Faults;

/// <summary>The soak's verdict tells growth from breathing.</summary>
public sealed class SoakReportTest
{
    [Fact]
    public void Memory_that_falls_and_rises_again_has_not_grown() =>
        Report(minute => 800 - (minute % 5 * 40)).Violations(time: true).ShouldBeEmpty();

    [Fact]
    public void Memory_that_keeps_rising_is_told() =>
        Report(minute => 500 + (4 * minute))
            .Violations(time: true)
            .ShouldHaveSingleItem()
            .ShouldStartWith("Resident memory");

    [Fact]
    public void Handles_that_are_not_given_back_are_told() =>
        Report(handles: minute => 300 + minute).Violations(time: false).ShouldHaveSingleItem().ShouldContain("handles");

    [Fact]
    public void Latency_that_keeps_rising_is_told_where_times_count()
    {
        var report = Report(latency: minute => 1 + (minute * 0.1));

        report.Violations(time: false).ShouldBeEmpty();
        report.Violations(time: true).ShouldHaveSingleItem().ShouldStartWith("Median latency");
    }

    [Fact]
    public void A_request_that_failed_is_told() =>
        (Report() with { Failed = 1, FirstFault = "500" })
            .Violations(time: false)
            .ShouldHaveSingleItem()
            .ShouldContain("500");

    private static SoakReport Report(
        Func<int, double>? resident = null,
        Func<int, int>? handles = null,
        Func<int, double>? latency = null
    ) =>
        new(
            [
                .. Enumerable
                    .Range(1, 60)
                    .Select(minute => new SoakWindow(
                        minute,
                        3600,
                        latency?.Invoke(minute) ?? 1.5,
                        20,
                        2000,
                        resident?.Invoke(minute) ?? 700,
                        handles?.Invoke(minute) ?? 320,
                        20,
                        70 + minute
                    )),
            ],
            0,
            null
        );
}
