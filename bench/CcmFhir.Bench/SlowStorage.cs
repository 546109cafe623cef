using System.Net;

namespace CcmFhir.Bench;

/// <summary>Between the storage client and the storage: counts calls and bytes, waits as a service in the same region makes one wait, and says
/// 503 to a share of the calls.</summary>
internal sealed class SlowStorage : DelegatingHandler
{
    private static readonly RealTime Clock = new();

    private readonly Random random = new(1);
    private readonly TimeSpan latency;
    private readonly double throttled;
    private long reads;
    private long writes;
    private long sent;
    private long received;

    /// <param name="latency">Median wait before a call is carried out; single waits lie between half and twice of it.</param>
    /// <param name="throttled">Share of calls that are answered with 503.</param>
    public SlowStorage(TimeSpan latency, double throttled)
        : base(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 1000 }) =>
        (this.latency, this.throttled) = (latency, throttled);

    /// <summary>Calls that read, calls that write, bytes sent and received.</summary>
    public (long Reads, long Writes, long Sent, long Received) Counts => (reads, writes, sent, received);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var reading = request.Method == HttpMethod.Get || request.Method == HttpMethod.Head;
        Interlocked.Increment(ref reading ? ref reads : ref writes);
        Interlocked.Add(ref sent, request.Content?.Headers.ContentLength ?? 0);
        double wait;
        bool refuse;
        lock (random)
        {
            wait = latency.TotalMilliseconds * Math.Pow(2, (random.NextDouble() * 2) - 1);
            refuse = random.NextDouble() < throttled;
        }
        if (wait > 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(wait), Clock, cancellationToken);
        }
        if (refuse)
        {
            return new HttpResponseMessage(HttpStatusCode.ServiceUnavailable)
            {
                Content = new ByteArrayContent([]),
                RequestMessage = request,
                Headers = { { "x-ms-error-code", "ServerBusy" } },
            };
        }
        var answer = await base.SendAsync(request, cancellationToken);
        Interlocked.Add(ref received, answer.Content.Headers.ContentLength ?? 0);
        return answer;
    }
}

/// <summary>The machine's own clock, for what truly waits.</summary>
internal sealed class RealTime : TimeProvider;
