using System.Globalization;
using CcmFhir.Load.Soak;

namespace CcmFhir.Faults;

/// <summary>A fixed population under mixed load: nothing but the journal's file has a reason to grow.</summary>
/// <remarks>Five minutes in CI, on whatever machine, so times are not held to bounds here; <c>bench/CcmFhir.Bench -- soak</c> is the hour that holds
/// them too. <c>CCMFHIR_SOAK_MINUTES</c> changes the length.</remarks>
[Collection(FaultTable.OneAtATime)]
public sealed class SoakTest
{
    private const int Windows = 30;
    private const double Rate = 40;

    private static readonly double Minutes = double.Parse(
        Environment.GetEnvironmentVariable("CCMFHIR_SOAK_MINUTES") ?? "5",
        CultureInfo.InvariantCulture
    );

    [Fact]
    public async Task Five_minutes_of_mixed_load_leave_memory_and_handles_as_they_were()
    {
        var run = new SoakRun(Rate, TimeSpan.FromMinutes(Minutes), Windows, TimeProvider.System);

        var report = await run.RunAsync(
            Path.Combine(AppContext.BaseDirectory, "ccmfhir.dll"),
            _ => { },
            TestContext.Current.CancellationToken
        );

        report.Violations(time: false).ShouldBeEmpty();
        report.Windows.Sum(window => window.Requests).ShouldBeGreaterThan((int)(Minutes * 60 * Rate * 0.8));
        // Thirds are compared, so each must have had a load of its own.
        report
            .Windows.Chunk(Windows / 3)
            .Select(third => third.Sum(window => window.Requests))
            .ShouldAllBe(requests => requests > Minutes * 60 * Rate / 3 / 4);
        // The load was one that writes.
        report.Windows[^1].JournalMegabytes.ShouldBeGreaterThan(report.Windows[0].JournalMegabytes);
    }
}
