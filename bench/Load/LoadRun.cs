using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace CcmFhir.Load;

/// <summary>What a load run measured.</summary>
/// <param name="Requests">Requests answered as wanted.</param>
/// <param name="Failed">Requests answered otherwise, or not at all.</param>
/// <param name="Seconds">Wall-clock time of the run.</param>
/// <param name="P50">Median time of one request, milliseconds.</param>
/// <param name="P99">Time that 99 of 100 requests stayed below, milliseconds.</param>
/// <param name="FirstFault">What the first failed request was answered, for the person who looks.</param>
public sealed record LoadFigures(int Requests, int Failed, double Seconds, double P50, double P99, string? FirstFault)
{
    /// <summary>Requests a second.</summary>
    public double PerSecond => Requests / Seconds;
}

/// <summary>Drives a server over HTTP with keep-alive connections, each sending its next request when the last was answered.</summary>
public static class LoadRun
{
    private static readonly MediaTypeHeaderValue FhirJson = new("application/fhir+json");

    /// <summary>Sends requests 0 to <paramref name="count"/> - 1 and measures each from first byte sent to last byte read.</summary>
    /// <param name="address">The server.</param>
    /// <param name="connections">How many at a time.</param>
    /// <param name="count">How many in all; the run ends by itself.</param>
    /// <param name="request">Method, path and body of request n.</param>
    /// <param name="cancel">Gives up.</param>
    public static async Task<LoadFigures> RunAsync(
        Uri address,
        int connections,
        int count,
        Func<int, (HttpMethod Method, string Path, byte[]? Body)> request,
        CancellationToken cancel
    )
    {
        using var handler = new SocketsHttpHandler
        {
            MaxConnectionsPerServer = connections,
            PooledConnectionLifetime = Timeout.InfiniteTimeSpan,
        };
        using var http = new HttpClient(handler) { BaseAddress = address, Timeout = TimeSpan.FromSeconds(60) };
        var times = new long[count];
        var (next, failed) = (-1, 0);
        string? fault = null;
        var began = Stopwatch.GetTimestamp();
        await Task.WhenAll(
            Enumerable
                .Range(0, connections)
                .Select(async _ =>
                {
                    for (
                        var number = Interlocked.Increment(ref next);
                        number < count;
                        number = Interlocked.Increment(ref next)
                    )
                    {
                        var (method, path, body) = request(number);
                        using var message = new HttpRequestMessage(method, path);
                        if (body is not null)
                        {
                            message.Content = new ByteArrayContent(body) { Headers = { ContentType = FhirJson } };
                        }
                        var sent = Stopwatch.GetTimestamp();
                        try
                        {
                            using var answer = await http.SendAsync(
                                message,
                                HttpCompletionOption.ResponseContentRead,
                                cancel
                            );
                            times[number] = Stopwatch.GetTimestamp() - sent;
                            if (answer.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Created))
                            {
                                Interlocked.Increment(ref failed);
                                fault ??= $"{(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync(cancel)}";
                            }
                        }
                        catch (HttpRequestException lost)
                        {
                            times[number] = Stopwatch.GetTimestamp() - sent;
                            Interlocked.Increment(ref failed);
                            fault ??= lost.Message;
                        }
                    }
                })
        );
        var seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        Array.Sort(times);
        return new LoadFigures(
            count - failed,
            failed,
            seconds,
            Milliseconds(times[count / 2]),
            Milliseconds(times[(int)(count * 0.99)]),
            fault
        );
    }

    private static double Milliseconds(long ticks) => ticks * 1000.0 / Stopwatch.Frequency;
}
