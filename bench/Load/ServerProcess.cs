using System.Diagnostics;
using System.Net;

namespace CcmFhir.Load;

/// <summary>The program as its users run it: a process of its own, on a free loopback port, that can be killed at any moment.</summary>
public sealed class ServerProcess : IDisposable
{
    private readonly Process process;
    private readonly List<string> output = [];

    private ServerProcess(Process process, Uri address)
    {
        this.process = process;
        Address = address;
    }

    /// <summary>Where it listens.</summary>
    public Uri Address { get; }

    /// <summary>Process id.</summary>
    public int Id => process.Id;

    /// <summary>It has ended.</summary>
    public bool HasEnded => process.HasExited;

    /// <summary>What it printed so far.</summary>
    public string Output
    {
        get
        {
            lock (output)
            {
                return string.Join('\n', output);
            }
        }
    }

    /// <summary>Starts the server and waits until it is ready.</summary>
    /// <param name="program">Path of <c>ccmfhir</c> or <c>ccmfhir.dll</c>.</param>
    /// <param name="settings">Settings as <c>Ccm:Store</c> = value; a name without a colon is an environment variable as it stands.</param>
    /// <param name="clock">The clock that the wait is measured with.</param>
    /// <param name="cancel">Gives up.</param>
    /// <param name="through">A command with arguments that becomes the program, such as <c>nice -n 5</c>; null for none.</param>
    /// <exception cref="InvalidOperationException">It ended, or was not ready within two minutes; the message holds what it printed.</exception>
    public static async Task<ServerProcess> StartAsync(
        string program,
        IEnumerable<KeyValuePair<string, string>> settings,
        TimeProvider clock,
        CancellationToken cancel,
        IReadOnlyList<string>? through = null
    )
    {
        var server = Launch(program, settings, through);
        try
        {
            await server.ReadyAsync(clock, cancel);
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    /// <summary>Starts the server and does not wait.</summary>
    /// <param name="program">Path of <c>ccmfhir</c> or <c>ccmfhir.dll</c>.</param>
    /// <param name="settings">As for <see cref="StartAsync"/>.</param>
    /// <param name="through">As for <see cref="StartAsync"/>.</param>
    public static ServerProcess Launch(
        string program,
        IEnumerable<KeyValuePair<string, string>> settings,
        IReadOnlyList<string>? through = null
    )
    {
        var address = new Uri($"http://127.0.0.1:{FreePorts.One()}");
        string[] command =
        [
            .. through ?? [],
            .. program.EndsWith(".dll", StringComparison.Ordinal) ? (string[])["dotnet", program] : [program],
            "serve",
            "--urls",
            address.ToString(),
        ];
        var server = new ServerProcess(Process.Start(ProgramRun.Start(command[0], command[1..], settings))!, address);
        server.process.OutputDataReceived += server.Take;
        server.process.ErrorDataReceived += server.Take;
        server.process.BeginOutputReadLine();
        server.process.BeginErrorReadLine();
        return server;
    }

    /// <summary>Waits until it has ended.</summary>
    public Task EndedAsync(CancellationToken cancel) => process.WaitForExitAsync(cancel);

    /// <summary>SIGKILL, and waits until the process is gone.</summary>
    public void Kill()
    {
        try
        {
            process.Kill();
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
        process.WaitForExit();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Kill();
        process.Dispose();
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            lock (output)
            {
                output.Add(text);
            }
        }
    }

    private async Task ReadyAsync(TimeProvider clock, CancellationToken cancel)
    {
        using var http = new HttpClient { BaseAddress = Address, Timeout = TimeSpan.FromSeconds(5) };
        var began = clock.GetTimestamp();
        while (clock.GetElapsedTime(began) < TimeSpan.FromMinutes(2))
        {
            if (process.HasExited)
            {
                throw new InvalidOperationException($"The server ended with code {process.ExitCode}:\n{Output}");
            }
            try
            {
                using var answer = await http.GetAsync(new Uri("/health/ready", UriKind.Relative), cancel);
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
            }
            catch (Exception fault)
                when (fault is HttpRequestException or TaskCanceledException && !cancel.IsCancellationRequested)
            {
                // Not listening yet.
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, cancel);
        }
        throw new InvalidOperationException($"The server was not ready within two minutes:\n{Output}");
    }
}
