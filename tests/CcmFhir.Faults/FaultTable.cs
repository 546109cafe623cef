using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using CcmFhir.Faults;

[assembly: AssemblyFixture(typeof(FaultTable))]

namespace CcmFhir.Faults;

/// <summary>What the suite did and found: one row for each kind of fault, printed when all have run, and written to the file that
/// <c>CCMFHIR_FAULT_TABLE</c> names.</summary>
public sealed class FaultTable : IDisposable
{
    /// <summary>The collection of all tests here: each drives a server as hard as the machine allows, so two at once would only measure each
    /// other.</summary>
    public const string OneAtATime = "one at a time";

    private readonly ConcurrentQueue<Row> rows = new();

    /// <summary>Adds a row and lets the test fail when anything was violated.</summary>
    /// <param name="fault">Kind of fault.</param>
    /// <param name="rounds">Times the surroundings were broken.</param>
    /// <param name="faults">Faults that showed outside: requests refused or cut, starts refused, connections cut.</param>
    /// <param name="acknowledged">Bundles that were answered with success and looked for afterwards.</param>
    /// <param name="violations">What was violated, one sentence each.</param>
    public void Report(string fault, int rounds, int faults, int acknowledged, IReadOnlyCollection<string> violations)
    {
        rows.Enqueue(new Row(fault, rounds, faults, acknowledged, violations.Count));
        violations.ShouldBeEmpty();
        faults.ShouldBeGreaterThan(0, "a fault that nobody met shows nothing");
    }

    /// <summary>Adds a row for a form that this machine does not permit.</summary>
    /// <param name="fault">Kind of fault.</param>
    public void NotPermitted(string fault) => rows.Enqueue(new Row($"{fault}: not permitted here", 0, 0, 0, 0));

    /// <inheritdoc/>
    public void Dispose()
    {
        var text = new StringBuilder(
            "| fault | rounds | faults met | bundles acknowledged | violations |\n| --- | ---: | ---: | ---: | ---: |\n"
        );
        foreach (var row in rows.OrderBy(row => row.Fault, StringComparer.Ordinal))
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"| {row.Fault} | {row.Rounds} | {row.Faults} | {row.Acknowledged} | {row.Violations} |\n"
            );
        }
        Console.Write(text);
        if (Environment.GetEnvironmentVariable("CCMFHIR_FAULT_TABLE") is { Length: > 0 } path)
        {
            File.WriteAllText(path, text.ToString());
        }
    }

    private sealed record Row(string Fault, int Rounds, int Faults, int Acknowledged, int Violations);
}
