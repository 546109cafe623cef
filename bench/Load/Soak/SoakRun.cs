using System.Text;

namespace CcmFhir.Load.Soak;

/// <summary>Drives a server with the mixed load of <see cref="SoakMix"/> at a fixed rate, whatever the server's pace, and watches what it holds.</summary>
/// <param name="rate">Requests a second.</param>
/// <param name="length">How long, after everybody is enrolled.</param>
/// <param name="windows">Windows that the time is cut into.</param>
/// <param name="clock">The clock.</param>
public sealed class SoakRun(double rate, TimeSpan length, int windows, TimeProvider clock)
{
    private const int Connections = 8;

    /// <summary>Runs it.</summary>
    /// <param name="program">Path of <c>ccmfhir</c> or <c>ccmfhir.dll</c>.</param>
    /// <param name="seen">Called with each window when it is over.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<SoakReport> RunAsync(string program, Action<SoakWindow> seen, CancellationToken cancel)
    {
        using var folder = new LoadFolder(SoakMix.Practices);
        using var server = await ServerProcess.StartAsync(program, folder.Settings, clock, cancel);
        var mix = new SoakMix();
        await EnrolAsync(server, mix, cancel);

        var tally = new Tally();
        var next = -1L;
        var began = clock.GetTimestamp();
        var drivers = Enumerable.Range(0, Connections).Select(_ => Task.Run(DriveAsync, cancel)).ToArray();
        var done = new List<SoakWindow>();
        var before = Usage.Of(server.Id);
        for (var window = 1; window <= windows; window++)
        {
            var end = length * ((double)window / windows);
            // A driver that cannot go on ends the soak at once.
            await await Task.WhenAny([WaitAsync(end, cancel), .. drivers]);
            await WaitAsync(end, cancel);
            var now = Usage.Of(server.Id);
            var times = tally.Take();
            done.Add(
                new SoakWindow(
                    clock.GetElapsedTime(began).TotalMinutes,
                    times.Length,
                    At(times, 0.5),
                    At(times, 0.99),
                    (now.ProcessorSeconds - before.ProcessorSeconds) / Math.Max(1, times.Length) * 1e6,
                    now.ResidentBytes / 1e6,
                    now.Handles,
                    now.Threads,
                    new FileInfo(folder.Journal).Length / 1e6
                )
            );
            before = now;
            seen(done[^1]);
        }
        await Task.WhenAll(drivers);
        return new SoakReport(done, tally.Failed, tally.FirstFault);

        async Task DriveAsync()
        {
            using var connection = new Connection();
            await connection.OpenAsync(server.Address, cancel);
            while (true)
            {
                var number = Interlocked.Increment(ref next);
                var due = TimeSpan.FromSeconds(number / rate);
                if (due >= length)
                {
                    return;
                }
                // A request that finds no free connection has waited since it was due; one that is early begins when it is sent.
                var request = mix.Request(number);
                await WaitAsync(due, cancel);
                var late = clock.GetElapsedTime(began) - due;
                var waited = late > TimeSpan.FromMilliseconds(20) ? late : TimeSpan.Zero;
                var sent = clock.GetTimestamp();
                var status = await connection.SendAsync(request, cancel);
                tally.Add(
                    (waited + clock.GetElapsedTime(sent)).TotalMilliseconds,
                    status is 200 or 201 ? null : $"{status}: {Encoding.UTF8.GetString(connection.Body.Span)}"
                );
            }
        }

        async Task WaitAsync(TimeSpan until, CancellationToken stop)
        {
            for (
                var left = until - clock.GetElapsedTime(began);
                left > TimeSpan.Zero;
                left = until - clock.GetElapsedTime(began)
            )
            {
                await Task.Delay(left, clock, stop);
            }
        }
    }

    private static async Task EnrolAsync(ServerProcess server, SoakMix mix, CancellationToken cancel)
    {
        var requests = Enumerable.Range(0, SoakMix.Patients).Select(mix.Enrol).ToList();
        var figures = await LoadRun.RunAsync(server, Connections, requests, TimeSpan.MaxValue, cancel);
        if (figures.FirstFault is { } fault)
        {
            throw new InvalidOperationException($"{figures.Failed} patients could not be enrolled, the first: {fault}");
        }
    }

    private static double At(double[] sorted, double part) =>
        sorted.Length == 0 ? 0 : sorted[(int)(sorted.Length * part)];

    // Times of the requests since it was last looked at.
    private sealed class Tally
    {
        private readonly Lock gate = new();
        private List<double> times = [];

        public int Failed { get; private set; }

        public string? FirstFault { get; private set; }

        public void Add(double milliseconds, string? fault)
        {
            lock (gate)
            {
                times.Add(milliseconds);
                if (fault is not null)
                {
                    Failed++;
                    FirstFault ??= fault;
                }
            }
        }

        public double[] Take()
        {
            List<double> taken;
            lock (gate)
            {
                (taken, times) = (times, []);
            }
            return [.. taken.Order()];
        }
    }
}
