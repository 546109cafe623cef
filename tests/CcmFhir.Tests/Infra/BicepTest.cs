using System.Reflection;
using System.Text.Json;
using System.Text.RegularExpressions;
using CcmFhir.Load;
using CcmFhir.Telemetry;

namespace CcmFhir.Tests.Infra;

/// <summary>The infrastructure compiles with the real Bicep compiler, and the template it makes keeps the promises of the journal.</summary>
public partial class BicepTest
{
    [Theory]
    [InlineData("build")]
    [InlineData("lint")]
    public async Task The_infrastructure_gives_no_error_and_no_warning(string command)
    {
        var (code, _, errors) = await BicepAsync(command);
        errors.ShouldBe("");
        code.ShouldBe(0);
    }

    [Fact]
    public async Task The_journal_is_written_once_appended_to_and_kept_ten_years()
    {
        var (_, template, _) = await BicepAsync("build");
        using var json = JsonDocument.Parse(template);
        json.RootElement.GetProperty("parameters")
            .GetProperty("retentionDays")
            .GetProperty("defaultValue")
            .GetInt32()
            .ShouldBeGreaterThanOrEqualTo(3653);
        template.ShouldContain("\"allowProtectedAppendWrites\": true");
        template.ShouldContain("\"isVersioningEnabled\": true");
    }

    [Fact]
    public async Task No_key_is_handed_out_where_an_identity_will_do()
    {
        var (_, template, _) = await BicepAsync("build");
        template.ShouldNotContain("listKeys");
        template.ShouldNotContain("\"allowSharedKeyAccess\": true");
    }

    [Fact]
    public async Task Every_alert_asks_for_a_metric_that_there_is_and_has_its_section_in_the_runbook()
    {
        var (_, template, _) = await BicepAsync("build");
        using var json = JsonDocument.Parse(template);
        var alerts = Alerts(json.RootElement).ToList();
        var runbook = await File.ReadAllLinesAsync(
            Repository.At("docs", "runbook.md"),
            TestContext.Current.CancellationToken
        );

        alerts.Count.ShouldBeGreaterThan(3);
        foreach (var (key, query) in alerts)
        {
            runbook.ShouldContain($"## {key}");
            foreach (Match name in MetricName().Matches(query))
            {
                Signals.Metrics.ShouldContain(name.Groups["name"].Value);
            }
            (query.StartsWith("requests ", StringComparison.Ordinal) || MetricName().IsMatch(query)).ShouldBeTrue(
                query
            );
        }
    }

    [Fact]
    public async Task Every_setting_of_the_app_is_one_that_the_program_or_the_platform_reads()
    {
        var (_, template, _) = await BicepAsync("build");
        var docs = await File.ReadAllTextAsync(
            Repository.At("docs", "interfaces.md"),
            TestContext.Current.CancellationToken
        );
        foreach (Match setting in ProgramSetting().Matches(template))
        {
            docs.ShouldContain($"`{setting.Groups["name"].Value.Replace("__", ":", StringComparison.Ordinal)}`");
        }
    }

    [GeneratedRegex("name == \"(?<name>[a-z.]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex MetricName();

    [GeneratedRegex("\"(?<name>Ccm__[A-Za-z_]+)\"", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex ProgramSetting();

    // An alert is an object with key and query, wherever the template keeps its variables.
    private static IEnumerable<(string Key, string Query)> Alerts(JsonElement element) =>
        element.ValueKind switch
        {
            JsonValueKind.Array => element.EnumerateArray().SelectMany(Alerts),
            JsonValueKind.Object
                when element.TryGetProperty("key", out var key) && element.TryGetProperty("query", out var query) =>
            [
                (key.GetString()!, query.GetString()!),
            ],
            JsonValueKind.Object => element.EnumerateObject().SelectMany(member => Alerts(member.Value)),
            _ => [],
        };

    private static async Task<ProgramRun> BicepAsync(string command)
    {
        var compiler = typeof(BicepTest)
            .Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .Single(metadata => metadata.Key == "BicepCompiler")
            .Value!;
        if (!OperatingSystem.IsWindows())
        {
            // A package does not carry the execute bit.
            File.SetUnixFileMode(compiler, File.GetUnixFileMode(compiler) | UnixFileMode.UserExecute);
        }
        return await ProgramRun.RunAsync(
            compiler,
            [command, Repository.At("infra", "main.bicep"), .. command == "build" ? (string[])["--stdout"] : []],
            [new("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")],
            TestContext.Current.CancellationToken
        );
    }
}
