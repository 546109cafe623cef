using System.Text.RegularExpressions;
using CcmFhir.Commands;
using CcmFhir.Profiles;
using CcmFhir.Validation;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Tests.Profiles;

public sealed partial class ProfilesCommandTest
{
    public static TheoryData<string> Ids => [.. ProfileText.Ids()];

    [Fact]
    public void List_names_every_profile_and_extension_of_the_package()
    {
        var (exit, output, _) = Run("list");
        exit.ShouldBe(0);
        foreach (var definition in CcmPackage.Definitions.Where(one => one.Kind == DefinitionKind.Structure))
        {
            output.ShouldContain(definition.Json["id"u8].Text!);
        }
        ProfileText.Ids().Count.ShouldBe(12);
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Show_tells_every_element_and_every_rule(string id)
    {
        var (exit, output, _) = Run("show", id);
        exit.ShouldBe(0);
        var shown = string.Join(' ', output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        foreach (var element in CcmPackage.Read($"StructureDefinition-{id}.json")["differential"u8]["element"u8].Items)
        {
            foreach (var rule in element["constraint"u8].Items)
            {
                shown.ShouldContain(rule["key"u8].Text!);
                shown.ShouldContain(rule["human"u8].Text!);
            }
            if (!element["id"u8].Text!.EndsWith(".extension", StringComparison.Ordinal))
            {
                shown.ShouldContain(element["comment"u8].Text ?? "");
            }
        }
    }

    [Fact]
    public void Show_gives_cardinality_type_and_codes_also_where_only_the_type_says_them()
    {
        var (_, output, _) = Run("show", "ccm-time-log");
        Lines(output, "executionPeriod ").ShouldContain("1..1 Period From when to when");
        Lines(output, "end ").ShouldContain("1..1 dateTime When the work ended");
        Lines(output, "basedOn ").ShouldContain("0..* Reference");
        output.ShouldContain("billing-practitioner | clinical-staff | medical-assistant | non-clinical-staff");
    }

    [Theory]
    [MemberData(nameof(Ids))]
    public void Sample_prints_a_minimal_a_typical_and_a_rich_example_that_claims_the_profile(string id)
    {
        foreach (var kind in new[] { "minimal", "typical", "rich" })
        {
            var (exit, output, _) = Run("sample", id, "--kind", kind);
            exit.ShouldBe(0);
            var resource = FhirJson.Parse(System.Text.Encoding.UTF8.GetBytes(output), out _).ShouldNotBeNull().Root;
            var claims = new List<string>();
            foreach (var profile in resource["meta"u8]["profile"u8].Items)
            {
                claims.Add(profile.Text!);
            }
            claims.ShouldContain($"{CcmPackage.Canonical}/StructureDefinition/{id}");
        }
    }

    [Fact]
    public void An_unknown_profile_is_answered_with_those_there_are()
    {
        var (exit, output, error) = Run("show", "ccm-timelog");
        exit.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain("ccm-time-log");
    }

    [Fact]
    public void An_unknown_kind_of_sample_is_answered_with_those_there_are()
    {
        var (exit, _, error) = Run("sample", "ccm-consent", "--kind", "maximal");
        exit.ShouldBe(2);
        error.ShouldContain("minimal, typical, rich, revoked");
    }

    [Fact]
    public void Every_reason_that_the_program_gives_is_a_code_of_the_package()
    {
        var known = new HashSet<string>(StringComparer.Ordinal);
        foreach (var concept in CcmPackage.Read("CodeSystem-ccm-reason.json")["concept"u8].Items)
        {
            known.Add(concept["code"u8].Text!);
        }
        var given = Directory
            .GetFiles(Repository.At("src"), "*.*", SearchOption.AllDirectories)
            .Where(file =>
                Path.GetExtension(file) is ".cs" or ".json"
                && !file.Contains(
                    $"{Path.DirectorySeparatorChar}bin{Path.DirectorySeparatorChar}",
                    StringComparison.Ordinal
                )
                && !file.Contains(
                    $"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}",
                    StringComparison.Ordinal
                )
            )
            .SelectMany(file => Reason().Matches(File.ReadAllText(file)).Select(match => match.Value))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        given.Count.ShouldBeGreaterThan(25);
        given.Except(known, StringComparer.Ordinal).ShouldBeEmpty();
    }

    private static string Lines(string output, string element) =>
        string.Join(
            '\n',
            output
                .Split('\n')
                .Where(line => line.TrimStart().StartsWith(element, StringComparison.Ordinal))
                .Select(line => string.Join(' ', line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)))
        );

    private static (int Exit, string Output, string Error) Run(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var exit = ProfilesCommand.Build().Parse(arguments).Invoke(new() { Output = output, Error = error });
        return (exit, output.ToString(), error.ToString());
    }

    [GeneratedRegex("CCM-[A-Z][0-9]{2}", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Reason();
}
