using System.Diagnostics;
using CcmFhir.Tests.Functions;

namespace CcmFhir.Tests.Commands;

/// <summary>How the server ends.</summary>
public sealed class ServeCommandTest(PublishedProgram published)
{
    // A Functions host starts again what ends with 200, and never what ends with 0.
    [Theory]
    [InlineData(null, 0)]
    [InlineData("0", 200)]
    public async Task Asked_to_stop_it_ends_without_a_complaint(string? functionsPort, int exit)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no signals.");
        var cancel = TestContext.Current.CancellationToken;
        var data = Directory.CreateTempSubdirectory("ccmfhir-serve-").FullName;
        var start = new ProcessStartInfo(Path.Combine(await published.FolderAsync(), "ccmfhir"))
        {
            ArgumentList =
            {
                "serve",
                "--urls=http://127.0.0.1:0",
                $"--Ccm:Store=sqlite:{Path.Combine(data, "ccm.db")}",
                $"--Ccm:Practices={Directory.CreateDirectory(Path.Combine(data, "practices")).FullName}",
                "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Information",
            },
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (functionsPort is not null)
        {
            start.Environment["FUNCTIONS_CUSTOMHANDLER_PORT"] = functionsPort;
            start.Environment["AzureWebJobsStorage"] = "UseDevelopmentStorage=true";
        }
        using var server = Process.Start(start)!;
        try
        {
            string? line;
            do
            {
                line = await server.StandardOutput.ReadLineAsync(cancel);
                line.ShouldNotBeNull(server.HasExited ? await server.StandardError.ReadToEndAsync(cancel) : "");
            } while (!line.Contains("Application started", StringComparison.Ordinal));

            using var signal = Process.Start("kill", ["-TERM", $"{server.Id}"]);
            await server.StandardOutput.ReadToEndAsync(cancel);
            var complaint = await server.StandardError.ReadToEndAsync(cancel);
            await server.WaitForExitAsync(cancel);

            complaint.ShouldBe("");
            server.ExitCode.ShouldBe(exit);
        }
        finally
        {
            if (!server.HasExited)
            {
                server.Kill();
            }
            Directory.Delete(data, recursive: true);
        }
    }
}
