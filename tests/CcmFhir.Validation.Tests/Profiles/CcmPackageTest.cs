using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;

namespace CcmFhir.Validation.Tests.Profiles;

public sealed class CcmPackageTest
{
    private static readonly string Folder = Path.Combine(NpmPackage.Repository, "profiles");

    [Fact]
    public void The_index_lists_every_resource_of_the_folder_as_it_is()
    {
        var index = Parse(".index.json")["files"u8];
        var listed = new List<string>();
        foreach (var entry in index.Items)
        {
            listed.Add(
                $"{entry["filename"u8].Text} {entry["resourceType"u8].Text} {entry["id"u8].Text} {entry["url"u8].Text} {entry["version"u8].Text} {entry["kind"u8].Text} {entry["derivation"u8].Text}"
            );
        }
        var there =
            from file in Directory.GetFiles(Folder, "*-*.json").Order(StringComparer.Ordinal)
            let resource = Parse(Path.GetFileName(file))
            select $"{Path.GetFileName(file)} {resource["resourceType"u8].Text} {resource["id"u8].Text} {resource["url"u8].Text} {resource["version"u8].Text} {resource["kind"u8].Text} {resource["derivation"u8].Text}";
        listed.ShouldBe(there);
    }

    [Fact]
    public void The_assembly_carries_every_resource_of_the_folder_byte_for_byte()
    {
        CcmPackage.Files.ShouldNotBeEmpty();
        foreach (var file in CcmPackage.Files)
        {
            CcmPackage
                .Read(file)
                .Document.Source.Span.SequenceEqual(File.ReadAllBytes(Path.Combine(Folder, file)))
                .ShouldBeTrue(file);
        }
    }

    [Fact]
    public void Every_resource_has_the_version_of_the_package_and_a_canonical_under_its_base()
    {
        var package = Parse("package.json");
        package["name"u8].Text.ShouldBe("org.ccmfhir.ccm");
        package["canonical"u8].Text.ShouldBe(CcmPackage.Canonical);
        foreach (var file in CcmPackage.Files)
        {
            var resource = CcmPackage.Read(file);
            resource["version"u8].Text.ShouldBe(package["version"u8].Text, file);
            resource["url"u8]
                .Text.ShouldBe(
                    $"{CcmPackage.Canonical}/{resource["resourceType"u8].Text}/{resource["id"u8].Text}",
                    file
                );
            file.ShouldBe($"{resource["resourceType"u8].Text}-{resource["id"u8].Text}.json");
        }
    }

    [Fact]
    public void The_guide_names_every_resource_beside_it()
    {
        var named = new List<string>();
        foreach (
            var resource in CcmPackage
                .Read("ImplementationGuide-org.ccmfhir.ccm.json")["definition"u8]["resource"u8]
                .Items
        )
        {
            named.Add(resource["reference"u8]["reference"u8].Text!.Replace('/', '-') + ".json");
        }
        named
            .Order(StringComparer.Ordinal)
            .ShouldBe(
                CcmPackage.Files.Where(file => !file.StartsWith("ImplementationGuide", StringComparison.Ordinal))
            );
    }

    [Fact]
    public void Every_constrained_element_says_what_it_is_and_the_rule_behind_it()
    {
        var silent =
            from element in Elements()
            where
                element.Element["path"u8].Text!.Contains('.', StringComparison.Ordinal)
                && (
                    element.Element["short"u8].Text is not { Length: > 0 }
                    || element.Element["comment"u8].Text is not { Length: > 0 }
                )
            select $"{element.Profile} {element.Element["id"u8].Text}";
        silent.ShouldBeEmpty();
    }

    [Fact]
    public void Every_invariant_says_what_would_be_right_and_can_be_evaluated()
    {
        var keys = new List<string>();
        foreach (var (profile, element) in Elements())
        {
            foreach (var rule in element["constraint"u8].Items)
            {
                var key = rule["key"u8].Text!;
                keys.Add($"{profile} {key} {element["id"u8].Text}");
                rule["human"u8].Text!.Length.ShouldBeGreaterThan(30, key);
                FhirPathCompiler.Compile(rule["expression"u8].Text!).ShouldNotBeNull();
                rule["source"u8].Text.ShouldBe($"{CcmPackage.Canonical}/StructureDefinition/{profile}");
            }
        }
        keys.Count.ShouldBeGreaterThan(35);
        keys.ShouldBeUnique();
    }

    [Fact]
    public void Whatever_the_profiles_name_is_there()
    {
        foreach (var (profile, element) in Elements())
        {
            var names = new List<(DefinitionKind Kind, string? Canonical)>
            {
                (DefinitionKind.ValueSet, element["binding"u8]["valueSet"u8].Text),
            };
            foreach (var type in element["type"u8].Items)
            {
                foreach (var canonical in type["profile"u8].Items)
                {
                    names.Add((DefinitionKind.Structure, canonical.Text));
                }
                foreach (var canonical in type["targetProfile"u8].Items)
                {
                    names.Add((DefinitionKind.Structure, canonical.Text));
                }
            }
            foreach (var (kind, canonical) in names.Where(name => name.Canonical is not null))
            {
                CcmPackage.OnR4.Find(kind, canonical!).ShouldNotBeNull($"{profile}: {canonical}");
            }
        }
    }

    [Fact]
    public void Every_profile_is_read_as_a_structure_on_a_type_of_R4()
    {
        foreach (
            var definition in CcmPackage.Definitions.Where(definition => definition.Kind == DefinitionKind.Structure)
        )
        {
            var structure = CcmPackage.OnR4.Structure(definition.Url).ShouldNotBeNull();
            structure.IsConstraint.ShouldBeTrue();
            BaseDefinitions.R4.StructureOfType(structure.Type).ShouldNotBeNull(structure.Url);
            structure.BaseDefinition.ShouldBe("http://hl7.org/fhir/StructureDefinition/" + structure.Type);
        }
    }

    [Theory]
    [InlineData("ccm-program", "ccm pcm apcm")]
    [InlineData("ccm-mdm-level", "straightforward low moderate high")]
    [InlineData(
        "ccm-activity",
        "care-plan-development care-plan-revision care-coordination medication-management medication-reconciliation symptom-management patient-communication caregiver-communication patient-education transition-coordination community-services preventive-care results-review record-review scheduling billing-admin prior-authorization unsuccessful-contact travel consent-discussion"
    )]
    [InlineData("ccm-performer-role", "billing-practitioner clinical-staff medical-assistant non-clinical-staff")]
    [InlineData("ccm-other-program", "tcm rpm rtm bhi cocm em-visit awv extensive-planning apcm pcm")]
    [InlineData("expected-duration", "12-months-or-longer until-death under-12-months")]
    [InlineData("disclosure", "service-availability cost-sharing single-practitioner right-to-stop")]
    [InlineData("consent-mode", "verbal written")]
    [InlineData("ccm-stay", "inpatient snf-part-a hospice")]
    public void Code_systems_hold_the_codes_of_the_contract(string system, string codes)
    {
        var concepts = new List<string>();
        foreach (var concept in CcmPackage.Read($"CodeSystem-{system}.json")["concept"u8].Items)
        {
            concepts.Add(concept["code"u8].Text!);
        }
        concepts.ShouldBe(codes.Split(' '));
    }

    private static IEnumerable<(string Profile, FhirElement Element)> Elements()
    {
        foreach (
            var file in CcmPackage.Files.Where(file =>
                file.StartsWith("StructureDefinition-", StringComparison.Ordinal)
            )
        )
        {
            var profile = CcmPackage.Read(file);
            foreach (var element in profile["differential"u8]["element"u8].Items)
            {
                yield return (profile["id"u8].Text!, element);
            }
        }
    }

    private static FhirElement Parse(string file) =>
        FhirJson.Parse(File.ReadAllBytes(Path.Combine(Folder, file)), out var fault)?.Root
        ?? throw new InvalidOperationException($"{file}: {fault!.Text}");
}
