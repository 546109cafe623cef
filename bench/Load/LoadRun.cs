using System.Diagnostics;
using System.Text;

namespace CcmFhir.Load;

/// <summary>What a load run measured.</summary>
/// <param name="Requests">Requests answered as wanted.</param>
/// <param name="Failed">Requests answered otherwise.</param>
/// <param name="Seconds">Wall-clock time of the run.</param>
/// <param name="P50">Median time of one request, milliseconds.</param>
/// <param name="P99">Time that 99 of 100 requests stayed below, milliseconds.</param>
/// <param name="Server">Processor seconds that the server used.</param>
/// <param name="Driver">Processor seconds that this process used.</param>
/// <param name="Written">Bytes that the server sent to the disk.</param>
/// <param name="FirstFault">What the first failed request was answered, for the person who looks.</param>
public sealed record LoadFigures(
    int Requests,
    int Failed,
    double Seconds,
    double P50,
    double P99,
    double Server,
    double Driver,
    long Written,
    string? FirstFault
)
{
    /// <summary>Requests a second.</summary>
    public double PerSecond => Requests / Seconds;
}

/// <summary>Drives a server over HTTP with keep-alive connections, each sending its next request when the last was answered.</summary>
public static class LoadRun
{
    /// <summary>Sends the requests in order, each once, and measures each from first byte sent to last byte read.</summary>
    /// <param name="server">The server.</param>
    /// <param name="connections">How many at a time.</param>
    /// <param name="requests">As rendered by <see cref="Connection.Render"/>.</param>
    /// <param name="most">The run ends after this time, even if requests are left.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<LoadFigures> RunAsync(
        ServerProcess server,
        int connections,
        IReadOnlyList<byte[]> requests,
        TimeSpan most,
        CancellationToken cancel
    )
    {
        var times = new long[requests.Count];
        var (next, failed) = (-1, 0);
        string? fault = null;
        var opened = new List<Connection>();
        try
        {
            for (var each = 0; each < connections; each++)
            {
                opened.Add(new Connection());
                await opened[^1].OpenAsync(server.Address, cancel);
            }
            var (before, mine) = (Usage.Of(server.Id), Usage.Of(0));
            var began = Stopwatch.GetTimestamp();
            await Task.WhenAll(opened.Select(connection => Task.Run(() => DriveAsync(connection), cancel)));
            var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
            var (after, mineAfter) = (Usage.Of(server.Id), Usage.Of(0));
            var done = times.Where(time => time > 0).Order().ToArray();
            return new LoadFigures(
                done.Length - failed,
                failed,
                seconds,
                Milliseconds(done[done.Length / 2]),
                Milliseconds(done[(int)(done.Length * 0.99)]),
                after.ProcessorSeconds - before.ProcessorSeconds,
                mineAfter.ProcessorSeconds - mine.ProcessorSeconds,
                after.WrittenBytes - before.WrittenBytes,
                fault
            );

            async Task DriveAsync(Connection connection)
            {
                while (
                    Interlocked.Increment(ref next) is var number
                    && number < requests.Count
                    && Stopwatch.GetElapsedTime(began) < most
                )
                {
                    var sent = Stopwatch.GetTimestamp();
                    var status = await connection.SendAsync(requests[number], cancel);
                    times[number] = Stopwatch.GetTimestamp() - sent;
                    if (status is not (200 or 201))
                    {
                        Interlocked.Increment(ref failed);
                        fault ??= $"{status}: {Encoding.UTF8.GetString(connection.Body.Span)}";
                    }
                }
            }
        }
        finally
        {
            opened.ForEach(connection => connection.Dispose());
        }
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
