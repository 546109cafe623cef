using System.CommandLine;
using System.Text;
using System.Text.Json;
using CcmFhir.Commands;
using Microsoft.Extensions.Time.Testing;

namespace CcmFhir.Tests.Commands;

/// <summary>validate, as people and programs run it: exit codes, the three forms of output, every way in.</summary>
public sealed class ValidateCommandTest : IDisposable
{
    private const string Sound = """{"resourceType":"Patient","id":"a","gender":"female"}""";
    private const string Wrong = "{\n  \"resourceType\": \"Patient\",\n  \"id\": \"b\",\n  \"gender\": \"femal\"\n}\n";

    private readonly string folder = Directory.CreateTempSubdirectory("ccm-validate-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task A_sound_file_is_said_to_be_so_and_exits_0()
    {
        var (exit, output, _) = await RunAsync(Write("a.json", Sound));

        exit.ShouldBe(0);
        output.ShouldBe("1 resource: 0 errors, 0 warnings.\n");
    }

    [Fact]
    public async Task Text_names_file_line_and_column_shows_the_line_with_a_caret_and_says_what_would_be_right()
    {
        var file = Write("b.json", Wrong);

        var (exit, output, _) = await RunAsync(file);

        exit.ShouldBe(1);
        output.ShouldBe(
            $"""
            {file}:4:13: error binding-required at Patient.gender
              'femal' is not in http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1, from which it must come; did you mean 'female'?
              4 |   "gender": "femal"
                |             ^

            1 resource: 1 error, 0 warnings.

            """
        );
    }

    [Fact]
    public async Task A_document_on_one_line_is_cut_around_the_place()
    {
        var long1 = string.Join(',', Enumerable.Repeat("""{"family":"Öäü😀"}""", 40));
        var file = Write(
            "long.json",
            $$"""{"resourceType":"Patient","name":[{{long1}}],"gender":"x","language":"en"}"""
        );

        var (_, output, _) = await RunAsync(file);

        var lines = output.Split('\n');
        lines[2].Length.ShouldBeLessThan(130);
        lines[3].IndexOf('^', StringComparison.Ordinal).ShouldBe(lines[2].IndexOf("\"x\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Json_is_one_line_a_resource()
    {
        Write("in/a.json", Sound);
        Write("in/deeper/b.json", Wrong);
        Write("in/c.xml", """<Patient xmlns="http://hl7.org/fhir"><id value="c"/><gender value="male"/></Patient>""");
        Write("in/d.ndjson", $"{Sound}\n\n{Wrong.ReplaceLineEndings("")}\n");
        Write("in/e.json", "{\"resourceType\":\n\"Patient\",}");

        var (exit, output, _) = await RunAsync(Path.Combine(folder, "in"), "--format", "json");

        exit.ShouldBe(1);
        var lines = output
            .TrimEnd('\n')
            .Split('\n')
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Select(line =>
                (
                    File: Path.GetRelativePath(Path.Combine(folder, "in"), line.GetProperty("file").GetString()!),
                    Resource: line.GetProperty("resource").GetString(),
                    Errors: string.Join(
                        ' ',
                        line.GetProperty("errors")
                            .EnumerateArray()
                            .Select(error =>
                                $"{error.GetProperty("code")}@{error.GetProperty("expression")}:{error.GetProperty("line")}:{error.GetProperty("column")}"
                            )
                    )
                )
            )
            .ToArray();
        lines.ShouldBe([
            ("a.json", "Patient/a", ""),
            ("c.xml", "Patient/c", ""),
            ("d.ndjson", "Patient/a", ""),
            ("d.ndjson", "Patient/b", "binding-required@Patient.gender:3:54"),
            ("deeper/b.json", "Patient/b", "binding-required@Patient.gender:4:13"),
            ("e.json", null, "json-syntax@:2:11"),
        ]);
    }

    [Fact]
    public async Task Sarif_holds_one_result_an_issue()
    {
        Write("in/a.json", Sound);
        var wrong = Write("in/b.json", Wrong);

        var (exit, output, _) = await RunAsync(Path.Combine(folder, "in"), "--format", "sarif");

        exit.ShouldBe(1);
        var run = JsonDocument.Parse(output).RootElement.GetProperty("runs")[0];
        run.GetProperty("tool").GetProperty("driver").GetProperty("name").GetString().ShouldBe("ccmfhir");
        var error = run.GetProperty("results")
            .EnumerateArray()
            .Single(result => result.GetProperty("level").GetString() == "error");
        error.GetProperty("ruleId").GetString().ShouldBe("binding-required");
        var place = error.GetProperty("locations")[0].GetProperty("physicalLocation");
        new Uri(place.GetProperty("artifactLocation").GetProperty("uri").GetString()!).LocalPath.ShouldBe(wrong);
        place.GetProperty("region").GetRawText().ShouldBe("""{"startLine":4,"startColumn":13}""");
    }

    [Fact]
    public async Task Sarif_without_issues_is_whole()
    {
        var (_, output, _) = await RunAsync(Write("empty.ndjson", "\n"), "--format", "sarif");

        JsonDocument
            .Parse(output)
            .RootElement.GetProperty("runs")[0]
            .GetProperty("results")
            .GetArrayLength()
            .ShouldBe(0);
    }

    [Fact]
    public async Task In_xml_the_place_is_that_of_the_xml()
    {
        var file = Write(
            "x.xml",
            "<?xml version=\"1.0\"?>\n<Patient xmlns=\"http://hl7.org/fhir\">\n  <!-- one -->\n  <gender value=\"femal\"/>\n</Patient>"
        );

        var (exit, output, _) = await RunAsync(file);

        exit.ShouldBe(1);
        output.ShouldContain($"{file}:4:3: error binding-required at Patient.gender");
        output.ShouldContain("  4 |   <gender value=\"femal\"/>\n    |   ^\n");
    }

    [Fact]
    public async Task A_profile_may_come_as_a_file()
    {
        var profile = Write("profile.json", Profile("Patient.birthDate"));

        var (exit, output, _) = await RunAsync(Write("a.json", Sound), "--profile", profile);

        exit.ShouldBe(1);
        output.ShouldContain("error cardinality-min at Patient.birthDate");
        output.ShouldContain("Profile: http://example.org/p");
    }

    [Fact]
    public async Task Definitions_make_a_claimed_profile_known()
    {
        Write("defs/profile.json", Profile("Patient.birthDate"));
        var file = Write(
            "claims.json",
            """{"resourceType":"Patient","meta":{"profile":["http://example.org/p"]},"gender":"male"}"""
        );

        var (without, output, _) = await RunAsync(file);
        var (with, _, _) = await RunAsync(file, "--definitions", Path.Combine(folder, "defs"));

        without.ShouldBe(0);
        output.ShouldContain("warning profile-unknown at Patient.meta.profile[0]");
        output.ShouldContain("Not checked here:\n  Profile http://example.org/p is not known here.\n");
        with.ShouldBe(1);
    }

    [Theory]
    [InlineData("nowhere.json", null, "There is no file or folder 'nowhere.json'.")]
    [InlineData(null, "http://example.org/nobody", "no profile of that canonical is known here")]
    public async Task What_cannot_run_exits_2_and_says_why(string? path, string? profile, string why)
    {
        var arguments = new List<string> { path ?? Write("a.json", Sound) };
        if (profile is not null)
        {
            arguments.AddRange(["--profile", profile]);
        }

        var (exit, output, error) = await RunAsync([.. arguments]);

        exit.ShouldBe(2);
        output.ShouldBeEmpty();
        error.ShouldContain(why);
    }

    [Fact]
    public async Task A_profile_that_cannot_be_compiled_stops_with_file_element_and_reason()
    {
        var profile = Write("broken.json", Profile("Patient.nmae"));

        var (exit, _, error) = await RunAsync(Write("a.json", Sound), "--definitions", profile);

        exit.ShouldBe(2);
        error.ShouldContain("broken.json");
        error.ShouldContain("Patient.nmae");
    }

    [Fact]
    public async Task With_ccm_the_profile_of_the_server_is_asked_also_inside_a_bundle()
    {
        var file = Write(
            "bundle.json",
            """{"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"https://a.org/Patient/a","resource":{"resourceType":"Patient","id":"a"}}]}"""
        );

        var (without, _, _) = await RunAsync(file);
        var (with, output, _) = await RunAsync(file, "--ccm");

        without.ShouldBe(0);
        with.ShouldBe(1);
        output.ShouldContain(
            "error cardinality-min at Bundle.entry[0].resource.birthDate (entry 0, https://a.org/Patient/a)"
        );
    }

    [Fact]
    public async Task In_a_folder_what_is_no_fhir_is_passed_over_and_said()
    {
        Write("in/package.json", """{"name":"x"}""");
        Write("in/a.json", Sound);

        var (exit, output, _) = await RunAsync(Path.Combine(folder, "in"));

        exit.ShouldBe(0);
        output.ShouldContain("Passed over, since it is no FHIR resource: ");
        output.ShouldContain("package.json");
        output.ShouldContain("1 resource: 0 errors");
    }

    public static TheoryData<string, string, string> Hostile =>
        new()
        {
            { "deep.json", "json-depth", new string('[', 10_000) },
            {
                "deep.xml",
                "xml-depth",
                "<a xmlns=\"http://hl7.org/fhir\">" + string.Concat(Enumerable.Repeat("<a>", 10_000))
            },
            { "comment.json", "json-comment", "{ // a\n}" },
            { "surrogate.json", "json-surrogate", """{"resourceType":"Patient","id":"\ud800"}""" },
            { "entity.xml", "xml-dtd", "<!DOCTYPE a [<!ENTITY a \"a\">]><a>&a;</a>" },
            { "twice.json", "property-duplicate", """{"resourceType":"Patient","id":"a","id":"b"}""" },
            { "number.json", "json-type", $$"""{"resourceType":"Patient","id":{{new string('1', 1_000_000)}} }""" },
        };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_hostile_file_gets_its_rule_on_one_short_screen_and_exits_1(
        string name,
        string rule,
        string text
    )
    {
        var (exit, output, error) = await RunAsync(Write(name, text));

        exit.ShouldBe(1);
        output.ShouldContain($"error {rule}", customMessage: output);
        output.Length.ShouldBeLessThan(1_000);
        error.ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_hundred_megabytes_are_refused_without_being_read()
    {
        var file = Path.Combine(folder, "large.json");
        // A hole in a file: nothing is written, and nothing would be read.
        using (var stream = File.Create(file))
        {
            stream.SetLength(200 * 1024 * 1024);
        }
        var before = GC.GetTotalAllocatedBytes(precise: true);

        var (exit, output, _) = await RunAsync(file);

        exit.ShouldBe(1);
        output.ShouldContain("json-size");
        output.ShouldContain("at most 104857600 are read");
        (GC.GetTotalAllocatedBytes(precise: true) - before).ShouldBeLessThan(100 * 1024 * 1024);
    }

    private static string Profile(string path) =>
        $$$"""
            {"resourceType":"StructureDefinition","url":"http://example.org/p","name":"P","status":"active","kind":"resource","abstract":false,
             "type":"Patient","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","derivation":"constraint","fhirVersion":"4.0.1",
             "differential":{"element":[{"id":"Patient","path":"Patient"},{"id":"{{{path}}}","path":"{{{path}}}","min":1}]}}
            """;

    private string Write(string name, string text)
    {
        var file = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text, new UTF8Encoding(false));
        return file;
    }

    private static async Task<(int Exit, string Output, string Error)> RunAsync(params string[] arguments)
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 24, 0, 0, 0, TimeSpan.Zero));
        var root = new RootCommand { ValidateCommand.Build(clock) };
        using var output = new StringWriter { NewLine = "\n" };
        using var error = new StringWriter { NewLine = "\n" };
        var exit = await root.Parse(["validate", .. arguments])
            .InvokeAsync(
                new InvocationConfiguration { Output = output, Error = error },
                TestContext.Current.CancellationToken
            );
        return (exit, output.ToString(), error.ToString());
    }
}
