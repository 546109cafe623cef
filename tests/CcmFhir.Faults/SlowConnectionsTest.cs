using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>10,000 connections that send next to nothing: whoever sends whole requests is served beside them, and they are cut.</summary>
/// <remarks>A machine that allows a process fewer open files gets as many connections as it allows. <c>CCMFHIR_SLOW_IDLE=1</c> also waits until those
/// are cut that never send anything.</remarks>
[Collection(FaultTable.OneAtATime)]
public sealed class SlowConnectionsTest(FaultTable table) : IDisposable
{
    private const int Wanted = 10_000;
    private const int OtherFiles = 1000;
    private const int ConnectingAtOnce = 64;

    private static readonly TimeSpan BetweenBytes = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(10);
    private static readonly bool WaitForIdle = Environment.GetEnvironmentVariable("CCMFHIR_SLOW_IDLE") == "1";

    private readonly FaultScene scene = new("slow");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private enum Kind
    {
        /// <summary>Sends nothing.</summary>
        Idle,

        /// <summary>Sends a header that never ends.</summary>
        Header,

        /// <summary>Sends a body that never ends.</summary>
        Body,
    }

    [Fact]
    public async Task Slow_connections_are_cut_and_others_are_served_beside_them()
    {
        var count = Math.Min(Wanted, OpenFiles() - OtherFiles);
        count.ShouldBeGreaterThan(500, "the machine allows next to no open files");
        await scene.StartAsync();
        var load = new CareLoad(patients: 60, rounds: 5);
        // A share of the load between any two bytes of the slow ones, each answer within the time that a client waits, and one share before them: a
        // server that has just started is slow by itself.
        var share = load.Bundles / 20;
        await WarmAsync(load, share);
        var beside = 0;
        var slow = new List<(Kind Kind, Socket Socket)>(count);
        var cut = 0;
        try
        {
            await Parallel.ForEachAsync(
                Enumerable.Range(0, count),
                new ParallelOptions { MaxDegreeOfParallelism = ConnectingAtOnce, CancellationToken = Cancel },
                async (number, stop) =>
                {
                    var one = await OpenAsync((Kind)(number % 3), stop);
                    lock (slow)
                    {
                        slow.Add(((Kind)(number % 3), one));
                    }
                }
            );
            await load.SendAsync(
                () => scene.Address,
                clients: 4,
                async () =>
                {
                    var began = TimeProvider.System.GetTimestamp();
                    for (var sent = 0; ; )
                    {
                        if (sent + share <= load.Bundles)
                        {
                            load.Allow(share);
                            await load.AnswersAsync(share).WaitAsync(LongestAnswer, Cancel);
                            sent += share;
                            beside += slow.Exists(one => !IsCut(one.Socket, one.Kind)) ? share : 0;
                        }
                        cut += Drip(slow);
                        if (slow.TrueForAll(one => one.Kind == Kind.Idle && !WaitForIdle))
                        {
                            return;
                        }
                        TimeProvider
                            .System.GetElapsedTime(began)
                            .ShouldBeLessThan(
                                TimeSpan.FromSeconds(WaitForIdle ? 240 : 60),
                                $"{slow.Count(one => one.Kind != Kind.Idle)} slow connections are still open"
                            );
                        await Task.Delay(BetweenBytes, TimeProvider.System, Cancel);
                    }
                }
            );
        }
        finally
        {
            slow.ForEach(one => one.Socket.Dispose());
        }

        beside.ShouldBeGreaterThan(0, "no bundle was answered while a slow connection was open");
        table.Report(
            string.Create(CultureInfo.InvariantCulture, $"{count} slow connections"),
            1,
            cut,
            load.Acknowledged.Count,
            await new Invariants(scene, load).CheckAsync()
        );
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    // By a client of its own, so that those of the load connect beside the slow ones.
    private async Task WarmAsync(CareLoad load, int count)
    {
        using var http = new HttpClient { Timeout = CareLoad.LongestAnswer };
        for (var number = 0; number < count; number++)
        {
            (await load.PostAsync(http, scene.Address, number, Cancel)).ShouldBeTrue();
        }
        await load.AnswersAsync(count);
    }

    private async ValueTask<Socket> OpenAsync(Kind kind, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, scene.Address.Port), stop);
        var first = kind switch
        {
            Kind.Header => $"POST /{CareMonths.Practice}/fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: ",
            Kind.Body =>
                $"POST /{CareMonths.Practice}/fhir HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n{{",
            _ => "",
        };
        await socket.SendAsync(Encoding.ASCII.GetBytes(first), stop);
        return socket;
    }

    // A byte for each, and those that were cut are taken out.
    private static int Drip(List<(Kind Kind, Socket Socket)> slow) =>
        slow.RemoveAll(one =>
        {
            if (!IsCut(one.Socket, one.Kind))
            {
                return false;
            }
            one.Socket.Dispose();
            return true;
        });

    private static bool IsCut(Socket socket, Kind kind)
    {
        try
        {
            Span<byte> answer = stackalloc byte[4096];
            while (socket.Poll(TimeSpan.Zero, SelectMode.SelectRead))
            {
                // 408 or 400 comes before the end.
                if (socket.Receive(answer) == 0)
                {
                    return true;
                }
            }
            if (kind != Kind.Idle)
            {
                socket.Send("a"u8);
            }
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static int OpenFiles()
    {
        var line = File.ReadLines("/proc/self/limits")
            .First(one => one.StartsWith("Max open files", StringComparison.Ordinal));
        var hard = line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[4];
        return hard == "unlimited" ? int.MaxValue : int.Parse(hard, CultureInfo.InvariantCulture);
    }
}
