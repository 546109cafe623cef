using System.CommandLine;
using System.Text.Json;
using CcmFhir.Commands;

namespace CcmFhir.Tests.Commands;

/// <summary>validate at a prompt: where it stands, what would be right, in three formats, and how it ends.</summary>
public sealed class ValidateCommandTest : IDisposable
{
    private const string Bad = """
        {
          "resourceType": "Patient",
          "id": "p1",
          "gender": "femal",
          "colour": "blue"
        }
        """;

    private readonly string folder = Directory.CreateTempSubdirectory("ccmfhir-validate-").FullName;

    [Fact]
    public async Task Text_names_file_line_and_column_with_the_place_marked_and_the_nearest_code()
    {
        var (code, output, _) = await RunAsync(Write("bad.json", Bad));
        code.ShouldBe(1);
        output.ShouldContain("bad.json:4:");
        output.ShouldContain("Patient.gender");
        output.ShouldContain("female");
        output.ShouldContain("^");
        output.ShouldContain("1 resources: 0 valid, 1 with errors");
    }

    [Fact]
    public async Task Json_is_one_line_a_resource_and_ndjson_counts_the_lines_of_its_file()
    {
        var file = Write(
            "two.ndjson",
            """{"resourceType":"Basic","id":"b1","code":{"text":"x"}}"""
                + "\n"
                + """{"resourceType":"Basic","id":"b2","colour":1,"code":{"text":"x"}}"""
                + "\n"
        );
        var (code, output, _) = await RunAsync(file, "--format", "json");
        code.ShouldBe(1);
        var lines = output
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        lines.Select(line => line.GetProperty("resource").GetString()).ShouldBe(["Basic/b1", "Basic/b2"]);
        lines[0].GetProperty("errors").GetArrayLength().ShouldBe(0);
        lines[1].GetProperty("errors")[0].GetProperty("line").GetInt32().ShouldBe(2);
        lines[1].GetProperty("errors")[0].GetProperty("expression").GetString().ShouldBe("Basic.colour");
    }

    [Fact]
    public async Task Sarif_holds_each_issue_with_its_place()
    {
        var (code, output, _) = await RunAsync(Write("bad.json", Bad), "--format", "sarif");
        code.ShouldBe(1);
        using var sarif = JsonDocument.Parse(output);
        var results = sarif.RootElement.GetProperty("runs")[0].GetProperty("results").EnumerateArray().ToList();
        results.ShouldContain(result =>
            result.GetProperty("level").GetString() == "error"
            && result
                .GetProperty("locations")[0]
                .GetProperty("physicalLocation")
                .GetProperty("region")
                .GetProperty("startLine")
                .GetInt32() == 5
        );
    }

    [Fact]
    public async Task A_valid_folder_ends_with_0()
    {
        Write("sub/a.json", """{"resourceType":"Basic","id":"a","code":{"text":"x"}}""");
        Write(
            "sub/b.xml",
            """<Basic xmlns="http://hl7.org/fhir"><id value="b"/><code><text value="x"/></code></Basic>"""
        );
        var (code, output, errors) = await RunAsync(folder);
        (code, errors).ShouldBe((0, ""));
        output.ShouldContain("2 resources: 2 valid");
    }

    [Theory]
    [InlineData("nowhere.json")]
    [InlineData("--profile", "http://example.org/StructureDefinition/none")]
    [InlineData("--definitions", "nowhere")]
    public async Task What_cannot_run_ends_with_2_and_says_why(params string[] arguments)
    {
        var (code, _, errors) = await RunAsync([
            Write("ok.json", """{"resourceType":"Basic","code":{"text":"x"}}"""),
            .. arguments,
        ]);
        code.ShouldBe(2);
        errors.ShouldNotBeEmpty();
    }

    [Theory]
    [InlineData("{ \"resourceType\": \"Patient\", ")]
    [InlineData("not json")]
    [InlineData("")]
    public async Task What_cannot_be_read_is_an_error_of_the_file_not_of_the_run(string content)
    {
        var (code, output, _) = await RunAsync(Write("broken.json", content));
        code.ShouldBe(1);
        output.ShouldContain("fatal");
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private static async Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments)
    {
        await using var output = new StringWriter();
        await using var errors = new StringWriter();
        var code = await new RootCommand { ValidateCommand.Build() }
            .Parse(["validate", .. arguments])
            .InvokeAsync(
                new InvocationConfiguration { Output = output, Error = errors },
                TestContext.Current.CancellationToken
            );
        return (code, output.ToString(), errors.ToString());
    }

    private string Write(string name, string content)
    {
        var path = Path.Combine(folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, content);
        return path;
    }
}
