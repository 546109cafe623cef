using System.Diagnostics;
using System.Reflection;
using System.Text.Json;

namespace CcmFhir.Tests.Infra;

/// <summary>The infrastructure compiles with the real Bicep compiler, and the template it makes keeps the promises of the journal.</summary>
public class BicepTest
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

    private static async Task<(int Code, string Output, string Errors)> BicepAsync(string command)
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
        var start = new ProcessStartInfo(compiler)
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1" },
        };
        start.ArgumentList.Add(command);
        start.ArgumentList.Add(Repository.At("infra", "main.bicep"));
        if (command == "build")
        {
            start.ArgumentList.Add("--stdout");
        }
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, output, await errors);
    }
}
