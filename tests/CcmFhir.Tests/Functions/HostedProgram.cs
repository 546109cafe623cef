using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using CcmFhir.Load;

namespace CcmFhir.Tests.Functions;

/// <summary>The program of a published folder as the Azure Functions host runs a custom handler: started on a port that only the host knows, and started
/// again when it fails.</summary>
/// <param name="folder">The published folder.</param>
/// <param name="handler">What host.json says of the custom handler.</param>
/// <param name="environment">What the program finds in its environment, the port besides.</param>
internal sealed class HostedProgram(string folder, JsonNode handler, IReadOnlyDictionary<string, string> environment)
    : IAsyncDisposable
{
    private const int MostPorts = 5;

    private readonly ConcurrentQueue<string> output = new();
    private readonly Lock turn = new();
    private int port = FreePorts.One();
    private volatile TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool ending;
    private TaskCompletionSource listening = new();
    private Process? process;
    private Task watching = Task.CompletedTask;

    /// <summary>Where it listens.</summary>
    public Uri Address => new($"http://127.0.0.1:{port}");

    /// <summary>How often it was started.</summary>
    public int Starts { get; private set; }

    /// <summary>What it printed.</summary>
    public string Output => string.Join('\n', output);

    /// <summary>Done while it listens: what comes while it is dead or being started waits for it, and is no try.</summary>
    public Task Ready => ready.Task;

    /// <summary>Starts it, and waits until it listens.</summary>
    public async Task StartAsync(CancellationToken cancel)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                await StartOnceAsync(cancel);
                return;
            }
            catch (InvalidOperationException)
                when (tries < MostPorts && Output.Contains("address already in use", StringComparison.Ordinal))
            {
                // The port was free, and somebody else took it first.
                output.Clear();
                (port, Starts) = (FreePorts.One(), 0);
            }
        }
    }

    /// <summary>Kills it (SIGKILL), as scaling in or a timeout does, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        var dying = process!;
        // From here on, and not from when its end is noticed.
        HoldUp();
        dying.Kill();
        await dying.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        ending = true;
        if (process is not null)
        {
            // Where it is being started again, that start comes to its end first.
            await Ready;
            process.Kill();
            await watching;
            process.Dispose();
        }
    }

    private async Task StartOnceAsync(CancellationToken cancel)
    {
        var start = new ProcessStartInfo(
            Path.Combine(folder, (string)handler["description"]!["defaultExecutablePath"]!)
        )
        {
            WorkingDirectory = folder,
            Arguments = string.Join(' ', handler["description"]!["arguments"]!.AsArray().Select(one => (string)one!)),
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }
        start.Environment["FUNCTIONS_CUSTOMHANDLER_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        start.Environment["FUNCTIONS_HTTPWORKER_PORT"] = port.ToString(CultureInfo.InvariantCulture);
        // By this it says that it listens.
        start.Environment["Logging__LogLevel__Microsoft.Hosting.Lifetime"] = "Information";
        listening = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Starts++;
        process = Process.Start(start)!;
        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await ListensAsync(process, cancel);
            watching = WatchAsync(process);
        }
        finally
        {
            ready.TrySetResult();
        }
    }

    private async Task ListensAsync(Process started, CancellationToken cancel)
    {
        var ended = started.WaitForExitAsync(cancel);
        await Task.WhenAny(listening.Task, ended, Task.Delay(Eventually.Patience, TimeProvider.System, cancel));
        cancel.ThrowIfCancellationRequested();
        if (!listening.Task.IsCompleted)
        {
            throw new InvalidOperationException(
                (ended.IsCompleted ? $"The program ended with {started.ExitCode}" : "The program does not start")
                    + $":\n{Output}"
            );
        }
    }

    // What ends with 0 is not started again; everything else is.
    private async Task WatchAsync(Process started)
    {
        await started.WaitForExitAsync();
        HoldUp();
        if (!ending && started.ExitCode != 0)
        {
            await StartOnceAsync(CancellationToken.None);
        }
        else
        {
            ready.TrySetResult();
        }
    }

    // Whoever waits already goes on waiting for the same.
    private void HoldUp()
    {
        lock (turn)
        {
            if (ready.Task.IsCompleted)
            {
                ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    private void Take(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is { } text)
        {
            output.Enqueue(text);
            if (text.Contains("Application started", StringComparison.Ordinal))
            {
                listening.TrySetResult();
            }
        }
    }
}
