using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>Decides the running month and the one before it once the server has started, so that whoever looks first at a large practice does not wait
/// for thousands of patients. Nobody waits for it, and what it has not come to, or what is larger than is held unasked, is decided when it is asked
/// for.</summary>
/// <param name="board">Where decided months are held.</param>
/// <param name="practices">The practices.</param>
/// <param name="rules">The rules.</param>
/// <param name="clock">The clock.</param>
/// <param name="server">Tells when the server has started.</param>
/// <param name="log">Log.</param>
internal sealed class BoardWarming(
    MonthBoard board,
    Practices practices,
    RuleSet rules,
    TimeProvider clock,
    IHostApplicationLifetime server,
    ILogger<BoardWarming> log
) : BackgroundService
{
    // One at a time leaves the other processors to those who ask.
    private const int AtOnce = 1;

    /// <summary>Patients' months held at most: a few kilobytes each, and each is a patient decided.</summary>
    public int Most { get; init; } = 20_000;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await StartedAsync(stoppingToken);
            var held = 0;
            // Running months of all first: they are what is looked at most.
            foreach (var back in (int[])[0, 1])
            {
                foreach (var file in practices.All)
                {
                    var running = ServiceMonth.Of(clock.GetUtcNow(), file.Practice.TimeZone);
                    var month = back == 0 ? running : running.Previous;
                    if (rules.NameFor(month) is null)
                    {
                        continue;
                    }
                    // Looked at before, so that one practice of a hundred thousand does not fill the memory before anybody asks for it.
                    var patients = await board.CountAsync(file, month, stoppingToken);
                    if (held + patients <= Most)
                    {
                        await board.MonthAsync(file, month, stoppingToken, AtOnce);
                        held += patients;
                    }
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The server stops.
        }
        catch (Exception fault)
        {
            log.LogWarning(fault, "The worklists could not be made ready; each is worked out when it is asked for.");
        }
    }

    private async Task StartedAsync(CancellationToken cancel)
    {
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listening = server.ApplicationStarted.Register(started.SetResult);
        await started.Task.WaitAsync(cancel);
    }
}
