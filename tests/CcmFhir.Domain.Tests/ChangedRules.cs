using System.Text;
using System.Text.Json.Nodes;

namespace CcmFhir.Domain.Tests;

/// <summary>Medicare's rules with something changed.</summary>
internal static class ChangedRules
{
    private static readonly string Medicare = Text();

    /// <summary>The rules after a change of their JSON.</summary>
    public static RuleSet With(Action<JsonNode> change)
    {
        var rules = JsonNode.Parse(Medicare)!;
        change(rules);
        return RuleSet.Read(new MemoryStream(Encoding.UTF8.GetBytes(rules.ToJsonString())));
    }

    /// <summary>The rules without amounts for these codes.</summary>
    public static RuleSet Unpriced(params string[] codes) =>
        With(rules =>
        {
            foreach (var row in rules["codes"]!.AsArray().Where(row => codes.Contains((string)row!["code"]!)))
            {
                row!.AsObject().Remove("units");
            }
        });

    /// <summary>The conflict row of that id.</summary>
    public static JsonNode Conflict(this JsonNode rules, string id) =>
        rules["conflicts"]!.AsArray().First(row => (string)row!["id"]! == id)!;

    private static string Text()
    {
        using var stream = typeof(RuleSet).Assembly.GetManifestResourceStream("CcmFhir.Domain.rules.json")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
