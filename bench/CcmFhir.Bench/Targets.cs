using System.Text.Json.Nodes;

namespace CcmFhir.Bench;

/// <summary>What figures are to reach on two cores with driver and server together; <c>docs/performance.md</c> has them with what was measured.</summary>
internal static class Targets
{
    private const string Value = "value";

    // The figure, what of it, the target, and whether less is better.
    private static readonly (string Figure, string Of, double Target, bool LessIsBetter)[] All =
    [
        ("load.bundle.32-connections", Value, 1_500, false),
        ("load.bundle.32-connections", "p99-ms", 100, true),
        ("load.task.32-connections", Value, 10_000, false),
        ("scale.close.100000-patients", Value, 60, true),
        ("scale.close.100000-patients", "most-resident-megabytes", 1_000, true),
        ("scale.close.100000-patients", "times-the-first-size", 1.2, true),
        ("coldstart", Value, 700, true),
        ("coldstart", "resident-megabytes-idle-after-it", 150, true),
        ("scale.ten-years.post-task", Value, 2, true),
        ("scale.ten-years.read-task", Value, 2, true),
        ("scale.ten-years.search-by-identifier", Value, 2, true),
        ("scale.ten-years.status", Value, 2, true),
        ("decide.months", Value, 1_000_000, false),
    ];

    /// <summary>The targets of a figure, each with a ratio: 1 or more is reached. Null when it has none.</summary>
    /// <param name="figure">Its name.</param>
    /// <param name="value">What was measured.</param>
    /// <param name="beside">What was measured beside it.</param>
    /// <param name="rounded">As figures are printed.</param>
    public static JsonObject? Of(
        string figure,
        double value,
        IReadOnlyList<(string Name, double Value)> beside,
        Func<double, decimal> rounded
    )
    {
        JsonObject? targets = null;
        foreach (var (_, of, target, lessIsBetter) in All.Where(one => one.Figure == figure))
        {
            var measured = of == Value ? value : beside.Single(one => one.Name == of).Value;
            (targets ??= [])[of] = new JsonObject
            {
                ["target"] = rounded(target),
                ["ratio"] = rounded(lessIsBetter ? target / measured : measured / target),
            };
        }
        return targets;
    }
}
