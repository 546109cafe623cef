using System.Diagnostics;
using System.Globalization;
using System.Net;
using CcmFhir.Load;

namespace CcmFhir.Bench;

/// <summary>Practices of a thousand, ten thousand and a hundred thousand patients with ten Tasks each: what ingest, worklist and month end
/// cost a patient, and what a patient with ten years of history costs beside one with a month of it.</summary>
internal static class ScaleBench
{
    private const string Base = $"/{CareMonths.Practice}/fhir";
    private const int Connections = 32;

    /// <summary>Prints a line of JSON for each size and each step.</summary>
    /// <param name="options">Short: a thousand and five thousand patients.</param>
    public static async Task RunAsync(BenchOptions options)
    {
        var program = await PublishedServer.FindAsync(options.Server);
        var most = options.Patients ?? (options.Short ? 5_000 : 100_000);
        // The last size is compared with the first.
        Dictionary<string, double>? first = null;
        foreach (var patients in ((int[])[1_000, 10_000, 100_000, 1_000_000]).Where(size => size < most).Append(most))
        {
            var costs = await PracticeAsync(program, patients, first);
            first ??= costs;
        }
        await HistoryAsync(program, options.Short ? 100 : 500);
    }

    private static async Task<Dictionary<string, double>> PracticeAsync(
        string program,
        int patients,
        Dictionary<string, double>? first
    )
    {
        using var folder = new LoadFolder();
        using var server = await PublishedServer.StartAsync(program, folder);
        var months = new CareMonths();
        var costs = new Dictionary<string, double>(StringComparer.Ordinal);

        var (seconds, processor) = (0.0, 0.0);
        const int Portion = 10_000;
        for (var from = 0; from < patients; from += Portion)
        {
            var requests = new List<byte[]>();
            for (var patient = from; patient < Math.Min(from + Portion, patients); patient++)
            {
                requests.Add(Connection.Render("POST", Base, months.Enrolment(patient)));
                requests.Add(Connection.Render("POST", Base, months.MoreTime(patient, 3, 7)));
            }
            var figures = await LoadRun.RunAsync(
                server,
                Connections,
                requests,
                TimeSpan.MaxValue,
                CancellationToken.None
            );
            if (figures.FirstFault is { } fault)
            {
                throw new InvalidOperationException($"{figures.Failed} bundles failed, the first: {fault}");
            }
            seconds += figures.Seconds;
            processor += figures.Server;
        }
        Print("ingest", seconds, processor);
        await TimedAsync("close", CloseAsync);
        await TimedAsync("close-again", CloseAsync);
        await TimedAsync("worklist", WorklistAsync);
        await TimedAsync("worklist-again", WorklistAsync);
        return costs;

        // As the month-end timer does it: shard by shard. The form that answers with every patient's decision at once is for small practices.
        async Task CloseAsync(HttpClient http)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"{Base}/$ccm-close?month={CareMonths.Month}");
            request.Headers.Add("Prefer", "respond-async");
            using var accepted = await http.SendAsync(request);
            var at = accepted.Content.Headers.ContentLocation;
            while (true)
            {
                using var status = await http.GetAsync(at);
                status.EnsureSuccessStatusCode();
                if (status.StatusCode == HttpStatusCode.OK)
                {
                    return;
                }
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Clamp(patients / 100, 20, 500)));
            }
        }

        async Task WorklistAsync(HttpClient http)
        {
            using var answer = await http.GetAsync($"/{CareMonths.Practice}/months/{CareMonths.Month}");
            answer.EnsureSuccessStatusCode();
        }

        async Task TimedAsync(string step, Func<HttpClient, Task> run)
        {
            using var http = new HttpClient { BaseAddress = server.Address, Timeout = TimeSpan.FromMinutes(30) };
            var before = Usage.Of(server.Id).ProcessorSeconds;
            var began = Stopwatch.GetTimestamp();
            await run(http);
            Print(step, Stopwatch.GetElapsedTime(began).TotalSeconds, Usage.Of(server.Id).ProcessorSeconds - before);
        }

        void Print(string step, double wall, double used)
        {
            var usage = Usage.Of(server.Id);
            // The kernel counts in steps of 10 ms.
            costs[step] = Math.Max(used, 0.01) / patients;
            Figure.Print(
                string.Create(CultureInfo.InvariantCulture, $"scale.{step}.{patients}-patients"),
                wall,
                "s",
                ("microseconds-a-patient", wall / patients * 1e6),
                ("processor-microseconds-a-patient", used / patients * 1e6),
                ("times-the-first-size", first is null ? 1 : costs[step] / first[step]),
                ("resident-megabytes", usage.ResidentBytes / 1e6),
                ("most-resident-megabytes", usage.MostResidentBytes / 1e6),
                ("journal-bytes-a-patient", (double)new FileInfo(folder.Journal).Length / patients)
            );
        }
    }

    // Patient 0 has a month, patient 1 ten years of ten Tasks a month; each operation for the one and for the other in turn.
    private static async Task HistoryAsync(string program, int rounds)
    {
        using var folder = new LoadFolder();
        using var server = await PublishedServer.StartAsync(program, folder);
        var months = new CareMonths();
        using var connection = new Connection();
        await connection.OpenAsync(server.Address, CancellationToken.None);
        for (var patient = 0; patient < 2; patient++)
        {
            await SendAsync("POST", Base, months.Enrolment(patient));
            await SendAsync("POST", Base, months.MoreTime(patient, 3, 7));
        }
        for (var ago = 1; ago < 120; ago++)
        {
            await SendAsync("POST", Base, months.EarlierMonth(1, ago));
        }
        await CompareAsync(
            "post-task",
            (patient, round) => ("PUT", $"{Base}/Task/p{patient}-t{round + 10}", months.Time(patient, round + 10))
        );
        await CompareAsync("read-task", (patient, _) => ("GET", $"{Base}/Task/p{patient}-t3", null));
        await CompareAsync(
            "search-by-identifier",
            (patient, _) => ("GET", $"{Base}/Task?identifier=p{patient}-t3", null)
        );
        await CompareAsync(
            "status",
            (patient, _) => ("GET", $"{Base}/Patient/p{patient}/$ccm-status?month={CareMonths.Month}", null)
        );

        async Task SendAsync(string method, string path, byte[]? body)
        {
            var status = await connection.SendAsync(Connection.Render(method, path, body), CancellationToken.None);
            if (status is not (200 or 201))
            {
                throw new InvalidOperationException($"{method} {path} was answered {status}.");
            }
        }

        async Task CompareAsync(string operation, Func<int, int, (string, string, byte[]?)> request)
        {
            var times = new double[2][];
            for (var patient = 0; patient < 2; patient++)
            {
                times[patient] = new double[rounds];
            }
            for (var round = 0; round < rounds; round++)
            {
                for (var patient = 0; patient < 2; patient++)
                {
                    var (method, path, body) = request(patient, round);
                    var began = Stopwatch.GetTimestamp();
                    await SendAsync(method, path, body);
                    times[patient][round] = Stopwatch.GetElapsedTime(began).TotalMilliseconds;
                }
            }
            var (month, decade) = (Median(times[0]), Median(times[1]));
            Figure.Print(
                $"scale.ten-years.{operation}",
                decade / month,
                "times the cost of a patient with one month",
                ("one-month-p50-ms", month),
                ("ten-years-p50-ms", decade)
            );
        }
    }

    private static double Median(double[] values) => values.Order().ElementAt(values.Length / 2);
}
