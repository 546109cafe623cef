using System.Diagnostics;
using CcmFhir.Tests.Functions;

[assembly: AssemblyFixture(typeof(PublishedProgram))]

namespace CcmFhir.Tests.Functions;

/// <summary>The program as <c>dotnet publish</c> lays it out, published once a test run from what is built.</summary>
public sealed class PublishedProgram : IAsyncDisposable
{
    private readonly SemaphoreSlim publishing = new(1);
    private string? folder;

    /// <summary>The published folder.</summary>
    public async Task<string> FolderAsync()
    {
        await publishing.WaitAsync();
        try
        {
            return folder ??= await PublishAsync();
        }
        finally
        {
            publishing.Release();
        }
    }

    public ValueTask DisposeAsync()
    {
        if (folder is not null)
        {
            Directory.Delete(folder, recursive: true);
        }
        publishing.Dispose();
        return ValueTask.CompletedTask;
    }

    private static async Task<string> PublishAsync()
    {
        var target = Directory.CreateTempSubdirectory("ccmfhir-published-").FullName;
        var configuration = AppContext.BaseDirectory.Contains(
            $"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}",
            StringComparison.Ordinal
        )
            ? "Release"
            : "Debug";
        using var publish = Process.Start(
            new ProcessStartInfo("dotnet")
            {
                ArgumentList =
                {
                    "publish",
                    Repository.At("src", "CcmFhir"),
                    "--no-build",
                    // Precompiled it would be what was last built for this platform, not what is being tested.
                    "-p:PublishReadyToRun=false",
                    "-c",
                    configuration,
                    "-o",
                    target,
                    // A compiler node that stays behind would keep our end of its output open.
                    "-nodeReuse:false",
                },
                Environment = { ["MSBUILDDISABLENODEREUSE"] = "1" },
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                UseShellExecute = false,
            }
        )!;
        var errors = publish.StandardError.ReadToEndAsync();
        var output = await publish.StandardOutput.ReadToEndAsync();
        await publish.WaitForExitAsync();
        return publish.ExitCode == 0
            ? target
            : throw new InvalidOperationException($"dotnet publish failed:\n{output}{await errors}");
    }
}
