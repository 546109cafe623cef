using System.Runtime.CompilerServices;
using System.Text;

namespace CcmFhir.Domain.Tests.Approved;

/// <summary>What billing staff and auditors read, word for word. A change of <c>decisions.txt</c> is a change of
/// what the product says. <c>CCMFHIR_APPROVE=1</c> writes it anew; read the difference before it is committed.</summary>
public class ApprovedTest
{
    private const string File = "decisions.txt";

    [Fact]
    public void Every_decision_reads_as_it_was_approved()
    {
        var (now, approved) = (Written(), Approved());
        if (Environment.GetEnvironmentVariable("CCMFHIR_APPROVE") == "1")
        {
            System.IO.File.WriteAllText(Source(), now);
            return;
        }

        FirstDifference(approved, now).ShouldBeNull();
    }

    [Theory]
    [InlineData("== a\n  x\n", "== a\n  x\n", null)]
    [InlineData("== a\n  x\n", "== a\n  y\n", "line 2, in '== a': approved '  x', now '  y'")]
    [InlineData("== a\n  x\n", "== a\n", "line 2, in '== a': approved '  x', now ''")]
    [InlineData("== a\n", "== a\n\n== b\n", "line 3, in '== a': approved '', now '== b'")]
    public void The_first_difference_is_told(string approved, string now, string? difference) =>
        FirstDifference(approved, now).ShouldBe(difference);

    private static string Written()
    {
        var text = new StringBuilder();
        IEnumerable<Scenario> all =
        [
            .. PatientScenarios.All,
            .. ConsentScenarios.All,
            .. TimeScenarios.All,
            .. CodeScenarios.All,
            .. FacilityScenarios.All,
            .. ProgramScenarios.All,
            .. ConflictScenarios.All,
            .. ClaimScenarios.All,
        ];
        foreach (var scenario in all)
        {
            text.Append("== ").Append(scenario.Name).Append('\n').Append(scenario.Text()).Append('\n');
        }
        return text.ToString();
    }

    private static string? FirstDifference(string approved, string now)
    {
        var (before, after) = (approved.Split('\n'), now.Split('\n'));
        var scenario = "";
        for (var at = 0; at < Math.Max(before.Length, after.Length); at++)
        {
            var (old, made) = (before.ElementAtOrDefault(at) ?? "", after.ElementAtOrDefault(at) ?? "");
            if (old != made)
            {
                return $"line {at + 1}, in '{scenario}': approved '{old}', now '{made}'";
            }
            scenario = old.StartsWith("== ", StringComparison.Ordinal) ? old : scenario;
        }
        return null;
    }

    private static string Approved() =>
        System.IO.File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Approved", File));

    private static string Source([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, File);
}

/// <summary>One of the cases that are approved.</summary>
/// <param name="Name">What it is about.</param>
/// <param name="Text">What is read.</param>
internal sealed record Scenario(string Name, Func<string> Text)
{
    public Scenario(string name, PatientMonth month)
        : this(name, () => DecisionText.Of(month.Decide())) { }
}
