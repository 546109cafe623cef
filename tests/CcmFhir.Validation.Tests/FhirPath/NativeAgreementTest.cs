using System.Text;
using System.Text.Json.Nodes;
using CcmFhir.Validation.Definitions;
using Hl7.Fhir.Model;

namespace CcmFhir.Validation.Tests.FhirPath;

/// <summary>The invariants that stand everywhere have rules of their own here. On the official examples, as they are and with one of these
/// rules broken, each rule's verdict is that of the SDK's FHIRPath engine on the invariant as R4 writes it. The short form takes every third
/// example; <c>CCMFHIR_LONG=1</c> takes all.</summary>
public sealed class NativeAgreementTest(ITestOutputHelper output)
{
    /// <summary>Invariants of every resource, and the expression that says that none of its elements breaks one.</summary>
    private static readonly (string Key, string Expression)[] Rules =
    [
        .. new[] { "dom-2", "dom-3", "dom-4", "dom-5", "dom-6" }.Select(key =>
            (key, Expression("DomainResource", key))
        ),
        ("ext-1", $"descendants().ofType(Extension).all({Expression("Extension", "ext-1")})"),
        // "#" is the resource itself (references.html#contained); R4's expression forgets it, later versions have it.
        ("ref-1", $"descendants().ofType(Reference).all(reference = '#' or ({Expression("Reference", "ref-1")}))"),
    ];

    private static readonly (string Name, Action<JsonObject> Break)[] Breaks =
    [
        ("as it is", _ => { }),
        ("no narrative", resource => resource.Remove("text")),
        ("an extension of nothing", resource => Add(resource, "extension", """{"url":"http://a.org/x"}""")),
        (
            "an extension with a value and extensions",
            resource =>
                Add(
                    resource,
                    "extension",
                    """{"url":"http://a.org/x","valueString":"a","extension":[{"url":"b","valueString":"c"}]}"""
                )
        ),
        (
            "an extension inside an extension, of nothing",
            resource => Add(resource, "extension", """{"url":"http://a.org/x","extension":[{"url":"b"}]}""")
        ),
        ("a reference to nothing contained", resource => Refer(resource, "#none")),
        ("a reference to the resource itself", resource => Refer(resource, "#")),
        ("a contained resource that nobody refers to", resource => Contain(resource, "")),
        ("a contained resource that is referred to", resource => Both(resource, "")),
        (
            "a contained resource that refers back",
            resource => Contain(resource, ",\"link\":[{\"type\":\"refer\",\"other\":{\"reference\":\"#\"}}]")
        ),
        ("a contained resource with a version", resource => Both(resource, ",\"meta\":{\"versionId\":\"1\"}")),
        (
            "a contained resource with the time of its change",
            resource => Both(resource, ",\"meta\":{\"lastUpdated\":\"2026-01-01T00:00:00Z\"}")
        ),
        (
            "a contained resource with a label",
            resource => Both(resource, ",\"meta\":{\"security\":[{\"system\":\"http://a.org\",\"code\":\"x\"}]}")
        ),
        (
            "a contained resource with a contained resource",
            resource =>
                Both(
                    resource,
                    ",\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"inner\",\"code\":{\"text\":\"a\"}}],\"managingOrganization\":{\"reference\":\"#inner\"}"
                )
        ),
    ];

    [Fact]
    public void Every_rule_of_ours_says_what_the_SDK_says()
    {
        var sdk = new SdkOracle();
        var differences = new List<string>();
        var verdicts = 0;
        var broken = new HashSet<string>();
        foreach (var file in Files())
        {
            foreach (var (name, @break) in Breaks)
            {
                var resource = JsonNode.Parse(File.ReadAllBytes(file))!.AsObject();
                @break(resource);
                var bytes = Encoding.UTF8.GetBytes(resource.ToJsonString());
                var report = ProfileSet.Default.Validate(bytes);
                var poco = SdkOracle.Read(bytes).ShouldNotBeNull(file);
                foreach (var (key, expression) in Rules)
                {
                    verdicts++;
                    var ours = !report.Issues.Any(issue => issue.Rule == key);
                    var theirs = Resources(poco)
                        .All(one => sdk.Holds(expression, one.Node, one.Node, one.Root) != "false");
                    if (ours != theirs)
                    {
                        differences.Add($"{key} of {Path.GetFileName(file)}, {name}: ours {ours}, the SDK's {theirs}");
                    }
                    if (!theirs)
                    {
                        broken.Add(key);
                    }
                }
            }
        }
        output.WriteLine($"{verdicts} verdicts");
        differences.ShouldBeEmpty();
        broken.Order(StringComparer.Ordinal).ShouldBe(Rules.Select(rule => rule.Key));
        verdicts.ShouldBeGreaterThan(5_000);
    }

    private static IEnumerable<string> Files() =>
        OfficialExamples
            .OfTypes(
                "CarePlan",
                "Consent",
                "Condition",
                "Task",
                "Claim",
                "Patient",
                "Encounter",
                "Coverage",
                "Practitioner",
                "Organization",
                "MedicationRequest",
                "Procedure"
            )
            .Where((file, place) => new FileInfo(file).Length < 100_000 && (LongRun.IsAsked || place % 3 == 0));

    /// <summary>The resource and those contained in it, each with the resource that contains it.</summary>
    private static IEnumerable<(PocoNode Node, PocoNode Root)> Resources(PocoNode root) =>
        SdkOracle.Evaluate("contained", root).Select(node => (node, root)).Prepend((root, root));

    private static string Expression(string type, string key) =>
        BaseDefinitions
            .R4.StructureOfType(type)!
            .Root.Constraints.Single(constraint => constraint.Key == key)
            .Expression!;

    private static void Add(JsonObject resource, string property, string item)
    {
        if (resource[property] is not JsonArray array)
        {
            resource[property] = array = [];
        }
        array.Add(JsonNode.Parse(item));
    }

    private static void Refer(JsonObject resource, string reference) =>
        Add(resource, "extension", $$$"""{"url":"http://a.org/x","valueReference":{"reference":"{{{reference}}}"} }""");

    private static void Contain(JsonObject resource, string more) =>
        Add(resource, "contained", $$"""{"resourceType":"Patient","id":"added"{{more}} }""");

    private static void Both(JsonObject resource, string more)
    {
        Contain(resource, more);
        Refer(resource, "#added");
    }
}
