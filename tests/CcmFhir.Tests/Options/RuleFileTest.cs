using System.Text.Json.Nodes;
using CcmFhir.Commands;
using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.Tests.Options;

/// <summary>Rules of one's own: used where they are right, refused by row where they are not.</summary>
public sealed class RuleFileTest
{
    private static readonly string Own = Repository.At("src", "CcmFhir.Domain", "rules.json");

    [Fact]
    public void Without_a_file_the_rules_of_the_program_hold()
    {
        RuleFile.Read(null).ShouldBeSameAs(RuleSet.Medicare);
        RuleFile.Read("").ShouldBeSameAs(RuleSet.Medicare);
    }

    [Fact]
    public async Task A_new_year_is_a_change_of_data()
    {
        var rules = JsonNode.Parse(await File.ReadAllTextAsync(Own))!;
        rules["last"] = "2027-12-31";
        foreach (var table in new[] { "conversionFactors", "codes", "families", "policies", "facilities", "conflicts" })
        {
            foreach (var row in rules[table]!.AsArray())
            {
                if ((string)row!["to"]! == "2026-12-31")
                {
                    row["to"] = "2027-12-31";
                }
            }
        }
        await WithAsync(
            rules.ToJsonString(),
            path =>
            {
                RuleFile.Read(path).NameFor(new ServiceMonth(2027, 5)).ShouldBe("cms-2027.1");
                return Task.CompletedTask;
            }
        );
    }

    [Theory]
    [InlineData("conversionFactors", 1, "from", "2016-01-02", "conversionFactors from 2016-01-02: it leaves a gap")]
    [InlineData("families", 1, "from", "2019-12-31", "families 'staff' from 2019-12-31: it overlaps")]
    [InlineData("families", 0, "base", "99499", "code 99499 has no row in codes")]
    public async Task A_row_that_is_wrong_stops_the_start(
        string table,
        int row,
        string column,
        string value,
        string said
    )
    {
        var rules = JsonNode.Parse(await File.ReadAllTextAsync(Own))!;
        rules[table]![row]![column] = value;

        await WithAsync(
            rules.ToJsonString(),
            async path =>
            {
                Should.Throw<InvalidDataException>(() => RuleFile.Read(path)).Message.ShouldContain(said);
                await using var error = new StringWriter();
                var exit = await CloseCommand
                    .Build(TimeProvider.System)
                    .Parse([
                        "--input",
                        Path.GetTempPath(),
                        "--practice",
                        Repository.At("profiles", "practices", "maple-street.json"),
                        "--month",
                        "2026-10",
                        "--dry-run",
                        "--rules",
                        path,
                    ])
                    .InvokeAsync(new() { Output = TextWriter.Null, Error = error });
                exit.ShouldBe(2);
                error.ToString().ShouldContain(said);
                error.ToString().ShouldContain(path);

                var started = await Should.ThrowAsync<InvalidDataException>(() =>
                    Server.BuildAsync(
                        [
                            $"--Ccm:Rules={path}",
                            $"--Ccm:Practices={Repository.At("profiles", "practices")}",
                            $"--Ccm:Store=sqlite:{path}.db",
                        ],
                        TimeProvider.System,
                        TestContext.Current.CancellationToken
                    )
                );
                started.Message.ShouldContain(said);
            }
        );
    }

    [Fact]
    public void A_file_that_is_not_there_is_named() =>
        Should
            .Throw<InvalidDataException>(() => RuleFile.Read("nowhere/rules.json"))
            .Message.ShouldContain("nowhere/rules.json");

    private static async Task WithAsync(string text, Func<string, Task> use)
    {
        var folder = Directory.CreateTempSubdirectory("ccmfhir-rules-").FullName;
        try
        {
            var path = Path.Combine(folder, "rules.json");
            await File.WriteAllTextAsync(path, text);
            await use(path);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
