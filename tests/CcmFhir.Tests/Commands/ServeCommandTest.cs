using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using CcmFhir.Tests.Fhir;
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
        var program = Path.Combine(await published.FolderAsync(), "ccmfhir");
        // In the moment in which it says that it has started, several times: what ends it then may be the command line or the server.
        for (var round = 0; round < 5; round++)
        {
            using var running = await Running.StartAsync(program, functionsPort, TestContext.Current.CancellationToken);

            running.AskToStop();

            (await running.EndAsync(TestContext.Current.CancellationToken)).ShouldBe((exit, ""));
        }
    }

    [Fact]
    public async Task Asked_to_stop_it_takes_the_time_to_finish_what_is_under_way()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There are no signals.");
        var cancel = TestContext.Current.CancellationToken;
        using var running = await Running.StartAsync(
            Path.Combine(await published.FolderAsync(), "ccmfhir"),
            functionsPort: null,
            cancel
        );
        const string resource = """
            {"resourceType":"Patient","id":"p1","identifier":[{"system":"urn:mrn","value":"p1"}],
             "name":[{"family":"Test","given":["Pat"]}],"gender":"female","birthDate":"1950-01-01"}
            """;
        // Blanks before it that come at once: the server turns away a body that comes more slowly than 240 bytes a second.
        var body = new string(' ', 64 * 1024) + resource;
        using var client = new TcpClient();
        await client.ConnectAsync(running.Address.Host, running.Address.Port, cancel);
        var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"PUT /oak/fhir/Patient/p1 HTTP/1.1\r\nHost: {running.Address.Authority}\r\nContent-Type: application/fhir+json\r\nContent-Length: {body.Length}\r\nExpect: 100-continue\r\n\r\n"
                )
            ),
            cancel
        );
        using var answer = new StreamReader(stream, Encoding.ASCII);
        // The request is read from now on.
        (await answer.ReadLineAsync(cancel)).ShouldBe("HTTP/1.1 100 Continue");

        await stream.WriteAsync(Encoding.ASCII.GetBytes(body[..^resource.Length]), cancel);
        running.AskToStop();
        // Longer than a command line gives its programs by itself: that this time passes is what is tested.
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, cancel);
        await stream.WriteAsync(Encoding.ASCII.GetBytes(resource), cancel);

        (await answer.ReadLineAsync(cancel)).ShouldBe("");
        (await answer.ReadLineAsync(cancel)).ShouldBe("HTTP/1.1 201 Created");
        (await running.EndAsync(cancel)).ShouldBe((0, ""));
    }

    /// <summary>The published program, started and listening.</summary>
    private sealed class Running : IDisposable
    {
        private readonly Process server;
        private readonly string data;

        private Running(Process server, string data) => (this.server, this.data) = (server, data);

        public Uri Address { get; private set; } = null!;

        public static async Task<Running> StartAsync(string program, string? functionsPort, CancellationToken cancel)
        {
            var data = Directory.CreateTempSubdirectory("ccmfhir-serve-").FullName;
            var practices = Directory.CreateDirectory(Path.Combine(data, "practices")).FullName;
            await File.WriteAllTextAsync(Path.Combine(practices, "oak.json"), FhirServer.PracticeFile("oak"), cancel);
            var start = new ProcessStartInfo(program)
            {
                ArgumentList =
                {
                    "serve",
                    "--urls=http://127.0.0.1:0",
                    $"--Ccm:Store=sqlite:{Path.Combine(data, "ccm.db")}",
                    $"--Ccm:Practices={practices}",
                    "--Ccm:PushEverySeconds=0",
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
            var running = new Running(Process.Start(start)!, data);
            const string listening = "Now listening on: ";
            string? line;
            do
            {
                line = await running.server.StandardOutput.ReadLineAsync(cancel);
                line.ShouldNotBeNull(
                    running.server.HasExited ? await running.server.StandardError.ReadToEndAsync(cancel) : ""
                );
                if (line.IndexOf(listening, StringComparison.Ordinal) is var at and >= 0)
                {
                    running.Address = new Uri(line[(at + listening.Length)..]);
                }
            } while (!line.Contains("Application started", StringComparison.Ordinal));
            return running;
        }

        public void AskToStop()
        {
            using var signal = Process.Start("kill", ["-TERM", $"{server.Id}"]);
            signal.WaitForExit();
        }

        /// <summary>Its exit code, and what it complained of.</summary>
        public async Task<(int Exit, string Complaint)> EndAsync(CancellationToken cancel)
        {
            await server.StandardOutput.ReadToEndAsync(cancel);
            var complaint = await server.StandardError.ReadToEndAsync(cancel);
            await server.WaitForExitAsync(cancel);
            return (server.ExitCode, complaint);
        }

        public void Dispose()
        {
            if (!server.HasExited)
            {
                server.Kill();
            }
            server.Dispose();
            Directory.Delete(data, recursive: true);
        }
    }
}
