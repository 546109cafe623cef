using System.Formats.Tar;
using System.IO.Compression;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Definitions;

public sealed class PackageLoaderTest : IDisposable
{
    private const string Profile = """
        {"resourceType":"StructureDefinition","url":"http://example.org/p","kind":"resource","type":"Patient","derivation":"constraint",
         "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","contained":[{"resourceType":"ValueSet","id":"vs",
         "compose":{"include":[{"system":"s","concept":[{"code":"c"}]}]}}],
         "differential":{"element":[{"path":"Patient.gender","binding":{"strength":"required","valueSet":"#vs"}}]}}
        """;

    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ccmfhir-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void A_published_package_loads_packed_and_unpacked_alike()
    {
        var packed = Path.Combine(NpmPackage.Repository, "tests/CcmFhir.Validation.Tests/Data/us-core-6.1.0.tgz");
        using (var file = File.OpenRead(packed))
        using (var tar = new GZipStream(file, CompressionMode.Decompress))
        {
            TarFile.ExtractToDirectory(tar, folder.FullName, overwriteFiles: true);
        }
        var expected = Names(PackageLoader.Load(packed));
        expected.ShouldContain("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient|6.1.0");
        Names(PackageLoader.Load(folder.FullName)).ShouldBe(expected);
        Names(PackageLoader.Load(Path.Combine(folder.FullName, "package"))).ShouldBe(expected);
    }

    [Fact]
    public void A_folder_is_read_with_the_folders_in_it_and_what_is_no_definition_is_passed_over()
    {
        Write("a/b/profile.json", Profile);
        Write("a/patient.json", """{"resourceType":"Patient"}""");
        Write("notes.txt", "no JSON");
        Write("node_modules/x.json", Profile);
        Write(
            "bundle.json",
            """{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"ValueSet","url":"http://example.org/vs"}}]}"""
        );
        Write(
            "code-system.xml",
            """<CodeSystem xmlns="http://hl7.org/fhir"><url value="http://example.org/cs"/><content value="complete"/><concept><code value="c"/></concept></CodeSystem>"""
        );
        Names(PackageLoader.Load(folder.FullName))
            .ShouldBe([
                "http://example.org/cs",
                "http://example.org/p",
                "http://example.org/p#vs",
                "http://example.org/vs",
            ]);
    }

    [Fact]
    public void A_binding_to_a_contained_ValueSet_leads_to_it()
    {
        Write("profile.json", Profile);
        var set = BaseDefinitions.R4.With(PackageLoader.Load(Path.Combine(folder.FullName, "profile.json")));
        var binding = set.Structure("http://example.org/p")!
            .Elements.Single(element => element.Id == "Patient.gender")
            .Binding!;
        binding.Strength.ShouldBe(BindingStrength.Required);
        new CcmFhir.Validation.Terminology.TerminologySet(set)
            .ValueSet(binding.ValueSet!)
            .Find("c"u8)
            .ShouldBe(CcmFhir.Validation.Terminology.Membership.In);
    }

    [Fact]
    public void A_package_that_carries_the_base_again_changes_nothing()
    {
        Write("package.json", """{"name":"hl7.fhir.r4.core","version":"4.0.1"}""");
        Write(
            "p.json",
            """{"resourceType":"StructureDefinition","url":"http://hl7.org/fhir/StructureDefinition/Patient"}"""
        );
        Write("q.json", Profile);
        Names(PackageLoader.Load(folder.FullName)).ShouldBe(["http://example.org/p", "http://example.org/p#vs"]);
    }

    [Theory]
    [InlineData("broken.json", "{\"resourceType\":", "line 1, column 17")]
    [InlineData("broken.xml", "<a", "broken.xml")]
    [InlineData("broken.tgz", "not zipped", "it is no FHIR package")]
    public void A_file_that_cannot_be_read_is_named_with_the_reason(string name, string content, string reason)
    {
        Write(name, content);
        var failure = Should.Throw<UnreadableDefinitionException>(() => PackageLoader.Load(folder.FullName));
        failure.Origin.ShouldEndWith(name);
        failure.Message.ShouldContain(reason);
    }

    [Fact]
    public void A_path_that_is_not_there_is_said() =>
        Should
            .Throw<UnreadableDefinitionException>(() => PackageLoader.Load(Path.Combine(folder.FullName, "none")))
            .Reason.ShouldBe("there is no such file or folder.");

    [Theory]
    [InlineData(
        """{"path":"Patient.gendre"}""",
        "Patient.gendre: there is no element 'gendre' here; 'gender' would be one."
    )]
    [InlineData(
        """{"path":"Person.gender"}""",
        "the path does not begin with the type that is constrained, 'Patient'."
    )]
    [InlineData("""{"path":"Patient.name.given.x"}""", "there is no element 'x' here")]
    [InlineData(
        """{"id":"Patient.name:a.given","path":"Patient.name.given"}""",
        "Patient.name:a: the slice is not defined"
    )]
    [InlineData(
        """{"path":"Patient.gender","min":"x"}""",
        "Patient.gender.min: in JSON it must be of type unsignedInt."
    )]
    [InlineData("""{"path":"Patient.gender","min":1.5}""", "Patient.gender.min: '1.5' is not a whole number")]
    // Found by breaking profiles at random (FuzzTest).
    [InlineData("null", "an array of objects")]
    [InlineData("[]", "an array of objects")]
    [InlineData("""{"path":{}}""", "differential.path: in JSON it must be of type string.")]
    [InlineData("""{"path":"Patient","id":[]}""", "Patient.id: in JSON it must be one value")]
    [InlineData("""{"path":"Patient","constraint":[null]}""", "Patient.constraint: in JSON it must be an object.")]
    [InlineData(
        """{"path":"Patient","constraint":[{"key":["a"]}]}""",
        "Patient.constraint.key: in JSON it must be one value"
    )]
    [InlineData("""{"path":"Patient.link","type":{}}""", "Patient.link.type: in JSON it must be an array.")]
    [InlineData(
        """{"path":"Patient.link","type":[{"code":true}]}""",
        "Patient.link.type.code: in JSON it must be of type uri."
    )]
    [InlineData(
        """{"path":"Patient.link","type":[{"code":"Reference","profile":[null]}]}""",
        "type.profile: in JSON it must be of type canonical."
    )]
    [InlineData("""{"path":"Patient.link","short":{}}""", "Patient.link.short: in JSON it must be of type string.")]
    [InlineData("""{"path":"Patient","path":"Patient.link"}""", "Patient.path: the property stands twice")]
    public void A_differential_that_does_not_fit_names_the_element(string element, string reason)
    {
        Write("p.json", Differential(element));
        var set = BaseDefinitions.R4.With(PackageLoader.Load(folder.FullName));
        Should
            .Throw<UnreadableDefinitionException>(() => set.Structure("http://example.org/p"))
            .Message.ShouldContain(reason);
    }

    [Fact]
    public void A_package_that_builds_on_one_that_is_not_loaded_says_so()
    {
        Write(
            "one/package.json",
            """{"name":"one","version":"1.0.0","dependencies":{"hl7.fhir.r4.core":"4.0.1","hl7.terminology.r4":"6.1.0","two":"2.0.0","three":"3.0.0"}}"""
        );
        Write("two/package.json", """{"name":"two","version":"2.0.1","dependencies":{"three":"3.0.0"}}""");

        ProfileSet
            .Load([Path.Combine(folder.FullName, "one"), Path.Combine(folder.FullName, "two")])
            .Missing.ShouldBe([
                "Package three 3.0.0, which one 1.0.0 and two 2.0.1 builds on, is not loaded: what only it defines is not checked.",
            ]);
        ProfileSet.Default.Missing.ShouldBeEmpty();
    }

    [Fact]
    public void A_profile_that_builds_on_itself_is_refused()
    {
        Write(
            "p.json",
            Differential("{\"path\":\"Patient\"}")
                .Replace(
                    "http://hl7.org/fhir/StructureDefinition/Patient",
                    "http://example.org/p",
                    StringComparison.Ordinal
                )
        );
        var set = BaseDefinitions.R4.With(PackageLoader.Load(folder.FullName));
        Should
            .Throw<UnreadableDefinitionException>(() => set.Structure("http://example.org/p"))
            .Element.ShouldBe("StructureDefinition.baseDefinition");
    }

    private static string Differential(string element) =>
        $$$"""
            {"resourceType":"StructureDefinition","url":"http://example.org/p","kind":"resource","type":"Patient","derivation":"constraint",
             "baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[{{{element}}}]}}
            """;

    private static string[] Names(IEnumerable<Definition> definitions) =>
        [.. definitions.Select(definition => definition.ToString()).Order(StringComparer.Ordinal)];

    private void Write(string name, string content)
    {
        var path = Path.Combine(folder.FullName, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
    }
}
