using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CcmFhir.Load;

namespace CcmFhir.Faults;

/// <summary>Bundles of a practice's month, sent as an EHR does: several clients, and each bundle again until somebody answers it.</summary>
/// <param name="patients">Patients.</param>
/// <param name="rounds">Bundles of each patient: the first enrols, each later one brings two more time logs.</param>
/// <param name="seed">Of names and times.</param>
internal sealed class CareLoad(int patients, int rounds, int seed = 7)
{
    private static readonly MediaTypeHeaderValue FhirJson = new("application/fhir+json");
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>How long an answer may take under any fault; a request that takes longer hangs.</summary>
    public static readonly TimeSpan LongestAnswer = TimeSpan.FromMinutes(2);

    private readonly CareMonths months = new(seed);
    private readonly ConcurrentDictionary<int, byte> acknowledged = new();
    private readonly ConcurrentBag<string> violations = [];
    private readonly SemaphoreSlim answered = new(0);
    private readonly SemaphoreSlim refused = new(0);
    private readonly SemaphoreSlim permits = new(0);
    private int refusals;
    private int cuts;

    /// <summary>Patients.</summary>
    public int Patients => patients;

    /// <summary>Bundles in all.</summary>
    public int Bundles => patients * rounds;

    /// <summary>Numbers of the bundles that were answered with success.</summary>
    public IReadOnlyCollection<int> Acknowledged => [.. acknowledged.Keys];

    /// <summary>Requests that were refused for a time, as is right: 503, an OperationOutcome, Retry-After.</summary>
    public int Refusals => refusals;

    /// <summary>Requests that were cut without an answer.</summary>
    public int Cuts => cuts;

    /// <summary>Answers that are neither success nor a refusal that a client can act upon.</summary>
    public IReadOnlyCollection<string> Violations => violations;

    /// <summary>The bundle of a number.</summary>
    public byte[] Bundle(int number)
    {
        var (patient, round) = (number % patients, number / patients);
        return round == 0 ? months.Enrolment(patient) : months.MoreTime(patient, FirstLog(round), 2);
    }

    /// <summary>References of the time logs that a bundle brings.</summary>
    public IEnumerable<string> Logs(int number)
    {
        var (patient, round) = (number % patients, number / patients);
        return Enumerable
            .Range(FirstLog(round), round == 0 ? 3 : 2)
            .Select(log => string.Create(CultureInfo.InvariantCulture, $"Task/p{patient}-t{log}"));
    }

    /// <summary>References of what else a bundle brings.</summary>
    public IEnumerable<string> Others(int number) =>
        number >= patients
            ? []
            :
            [
                $"Patient/p{number}",
                $"Condition/p{number}-c1",
                $"Condition/p{number}-c2",
                $"Consent/p{number}-consent",
                $"CarePlan/p{number}-plan",
                $"Encounter/p{number}-visit",
                $"Coverage/p{number}-coverage",
            ];

    /// <summary>Sends every bundle until each was answered with success, while something happens beside. What happens says with
    /// <see cref="Allow"/> how many bundles may go; when it has ended, all may.</summary>
    /// <param name="server">Where the server is now.</param>
    /// <param name="clients">How many send at a time.</param>
    /// <param name="meanwhile">What happens; the load ends with its fault.</param>
    public async Task SendAsync(Func<Uri> server, int clients, Func<Task> meanwhile)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var next = -1;
        var sending = Enumerable
            .Range(0, clients)
            .Select(async _ =>
            {
                using var http = new HttpClient { Timeout = LongestAnswer };
                for (
                    var number = Interlocked.Increment(ref next);
                    number < Bundles;
                    number = Interlocked.Increment(ref next)
                )
                {
                    await permits.WaitAsync(stop.Token);
                    while (!await PostAsync(http, server(), number, stop.Token))
                    {
                        await Task.Delay(Pause, TimeProvider.System, stop.Token);
                    }
                }
            })
            .ToList();
        try
        {
            await meanwhile();
            Allow(Bundles);
            await Task.WhenAll(sending);
        }
        catch
        {
            await stop.CancelAsync();
            throw;
        }
    }

    /// <summary>Lets so many more bundles go.</summary>
    public void Allow(int count) => permits.Release(count);

    /// <summary>Sends every bundle; nothing happens meanwhile.</summary>
    public Task SendAsync(Func<Uri> server, int clients) => SendAsync(server, clients, () => Task.CompletedTask);

    /// <summary>Waits for so many more successes.</summary>
    public Task AnswersAsync(int count) => WaitAsync(answered, count, "answers", () => { });

    /// <summary>Waits for so many more refusals.</summary>
    /// <param name="count">How many.</param>
    /// <param name="again">What is done, with some more bundles let go, whenever none comes for a while; null for nothing.</param>
    public Task RefusalsAsync(int count, Action? again = null) =>
        WaitAsync(
            refused,
            count,
            "refusals",
            () =>
            {
                if (again is not null)
                {
                    again();
                    Allow(10);
                }
            }
        );

    /// <summary>Posts one bundle.</summary>
    /// <returns>Whether it was answered with success.</returns>
    public async Task<bool> PostAsync(HttpClient http, Uri server, int number, CancellationToken cancel)
    {
        using var content = new ByteArrayContent(Bundle(number)) { Headers = { ContentType = FhirJson } };
        try
        {
            using var answer = await http.PostAsync(new Uri(server, $"/{CareMonths.Practice}/fhir"), content, cancel);
            var body = await answer.Content.ReadAsByteArrayAsync(cancel);
            if (answer.IsSuccessStatusCode)
            {
                acknowledged[number] = 1;
                answered.Release();
                return true;
            }
            if (Fault(answer, body) is { } fault)
            {
                violations.Add($"bundle {number}: {fault}");
            }
            Interlocked.Increment(ref refusals);
            refused.Release();
        }
        catch (HttpRequestException away) when (away.HttpRequestError == HttpRequestError.ConnectionError)
        {
            // Nobody listens: the server is being started again.
        }
        catch (Exception cut) when (cut is HttpRequestException or IOException)
        {
            Interlocked.Increment(ref cuts);
        }
        return false;
    }

    private static int FirstLog(int round) => round == 0 ? 0 : 3 + ((round - 1) * 2);

    /// <summary>What is wrong with an answer that is no success; null for a refusal as it should be.</summary>
    public static string? Fault(HttpResponseMessage answer, byte[] body)
    {
        var text = $"{(int)answer.StatusCode} {System.Text.Encoding.UTF8.GetString(body)}";
        if (answer.StatusCode != HttpStatusCode.ServiceUnavailable)
        {
            return $"answered with {text}, where 503 would tell the client to come again";
        }
        if (answer.Headers.RetryAfter is null)
        {
            return $"refused without Retry-After: {text}";
        }
        try
        {
            using var outcome = JsonDocument.Parse(body);
            return outcome.RootElement.GetProperty("resourceType").GetString() == "OperationOutcome"
                ? null
                : $"refused without an OperationOutcome: {text}";
        }
        catch (JsonException)
        {
            return $"refused without an OperationOutcome: {text}";
        }
    }

    private static async Task WaitAsync(SemaphoreSlim moved, int count, string what, Action whenNone)
    {
        var (each, began) = (0, TimeProvider.System.GetTimestamp());
        while (each < count)
        {
            if (await moved.WaitAsync(TimeSpan.FromMilliseconds(500), TestContext.Current.CancellationToken))
            {
                each++;
                continue;
            }
            whenNone();
            TimeProvider
                .System.GetElapsedTime(began)
                .ShouldBeLessThan(TimeSpan.FromMinutes(2), $"only {each} of {count} {what} came");
        }
    }
}
