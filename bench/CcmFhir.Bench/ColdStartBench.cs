using System.Diagnostics;
using System.Net.Sockets;
using CcmFhir.Load;

namespace CcmFhir.Bench;

/// <summary>From the start of the process to the first transaction that was validated, made durable and answered with 200; and what the
/// server then holds in memory.</summary>
internal static class ColdStartBench
{
    /// <summary>Prints one line of JSON.</summary>
    /// <param name="options">Short: three starts in place of eleven.</param>
    public static async Task RunAsync(BenchOptions options)
    {
        var program = await PublishedServer.FindAsync(options.Server);
        var request = Connection.Render("POST", $"/{CareMonths.Practice}/fhir", new CareMonths().Enrolment(0));
        var (times, listening) = (new List<double>(), new List<double>());
        var (processor, resident) = (new List<double>(), new List<double>());
        // The first start reads the program from the disk; it is not counted.
        for (var start = 0; start <= (options.Short ? 3 : 11); start++)
        {
            using var folder = new LoadFolder();
            var began = Stopwatch.GetTimestamp();
            using var server = ServerProcess.Launch(program, folder.Settings);
            var connected = await PostAsync(server, request);
            var milliseconds = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
            if (start == 0)
            {
                continue;
            }
            times.Add(milliseconds);
            listening.Add(Stopwatch.GetElapsedTime(began, connected).TotalMilliseconds);
            processor.Add(Usage.Of(server.Id).ProcessorSeconds * 1000);
            await Task.Delay(TimeSpan.FromSeconds(1));
            resident.Add(Usage.Of(server.Id).ResidentBytes / 1e6);
        }
        Figure.Print(
            "coldstart",
            Median(times),
            "ms from exec to first 200",
            ("milliseconds-to-listening", Median(listening)),
            ("least", times.Min()),
            ("most", times.Max()),
            ("processor-milliseconds", Median(processor)),
            ("resident-megabytes-idle-after-it", Median(resident)),
            ("starts", times.Count)
        );
    }

    // When it listened, as a time stamp.
    private static async Task<long> PostAsync(ServerProcess server, byte[] request)
    {
        while (!server.HasEnded)
        {
            using var connection = new Connection();
            try
            {
                await connection.OpenAsync(server.Address, CancellationToken.None);
            }
            catch (SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(2));
                continue;
            }
            var connected = Stopwatch.GetTimestamp();
            var status = await connection.SendAsync(request, CancellationToken.None);
            if (status != 200)
            {
                throw new InvalidOperationException($"The first transaction was answered {status}.");
            }
            return connected;
        }
        throw new InvalidOperationException($"The server ended:\n{server.Output}");
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
