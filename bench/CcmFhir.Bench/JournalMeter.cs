using System.Diagnostics.Tracing;
using System.Globalization;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;

namespace CcmFhir.Bench;

/// <summary>Listens to what a server's journal counts itself (<c>ccm.journal.commits</c>, <c>ccm.journal.flushes</c>), over the diagnostic port that
/// every .NET process has.</summary>
internal sealed class JournalMeter : IDisposable
{
    private const string Commits = "ccm.journal.commits";
    private const string Flushes = "ccm.journal.flushes";

    // The server tells its counts once a second.
    private static readonly TimeSpan Told = TimeSpan.FromSeconds(1.5);

    private readonly EventPipeSession session;
    private readonly EventPipeEventSource source;
    private readonly Task reading;
    private readonly Lock gate = new();
    private readonly Dictionary<string, double> counted = new(StringComparer.Ordinal);

    /// <summary>Begins to listen.</summary>
    /// <param name="process">Process id.</param>
    public JournalMeter(int process)
    {
        session = new DiagnosticsClient(process).StartEventPipeSession(
            [
                new EventPipeProvider(
                    "System.Diagnostics.Metrics",
                    EventLevel.Informational,
                    // Time series.
                    2,
                    new Dictionary<string, string>(StringComparer.Ordinal)
                    {
                        ["SessionId"] = "bench",
                        ["Metrics"] = $@"CcmFhir\{Commits},CcmFhir\{Flushes}",
                        ["RefreshInterval"] = "1",
                        ["MaxTimeSeries"] = "100",
                        ["MaxHistograms"] = "1",
                    }
                ),
            ],
            requestRundown: false
        );
        source = new EventPipeEventSource(session.EventStream);
        source.Dynamic.All += Take;
        reading = Task.Run(() => source.Process());
    }

    /// <summary>Forgets what was counted so far. Ask when nothing is being written.</summary>
    public async Task RestartAsync()
    {
        await Task.Delay(Told);
        lock (gate)
        {
            counted.Clear();
        }
    }

    /// <summary>Commits that one flush of the log made durable, on average since <see cref="RestartAsync"/>. Ask when
    /// nothing is being written.</summary>
    public async Task<double> CommitsAFlushAsync()
    {
        await Task.Delay(Told);
        lock (gate)
        {
            var (commits, flushes) = (counted.GetValueOrDefault(Commits), counted.GetValueOrDefault(Flushes));
            return flushes > 0
                ? commits / flushes
                : throw new InvalidOperationException("The journal counted nothing.");
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        session.Stop();
        reading.Wait();
        source.Dispose();
        session.Dispose();
    }

    private void Take(TraceEvent told)
    {
        if (
            told.EventName == "CounterRateValuePublished"
            && told.PayloadByName("instrumentName") is string instrument
            && double.TryParse(told.PayloadByName("rate") as string, CultureInfo.InvariantCulture, out var more)
        )
        {
            lock (gate)
            {
                counted[instrument] = counted.GetValueOrDefault(instrument) + more;
            }
        }
    }
}
