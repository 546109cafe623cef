using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CcmFhir.Pages;

namespace CcmFhir.Demo;

/// <summary>The demo: server and a stand-in EHR in this process, the sample month posted over HTTP, closed, pushed; then what arrived late, and the
/// month closed again. Everything lies in a folder of its own that is gone afterwards.</summary>
internal static class DemoMonth
{
    private const string Practice = "maple-street";
    private const string Month = "2026-10";

    // The second morning after the month has ended, in New York.
    private static readonly DateTimeOffset Start = new(2026, 11, 2, 9, 0, 0, TimeSpan.FromHours(-5));

    /// <summary>Runs it.</summary>
    /// <param name="address">Address of the server.</param>
    /// <param name="stayUp">Leave the pages up until cancelled.</param>
    /// <param name="real">The real clock.</param>
    /// <param name="output">Where people read.</param>
    /// <param name="cancel">Ends it.</param>
    public static async Task RunAsync(
        string address,
        bool stayUp,
        TimeProvider real,
        TextWriter output,
        CancellationToken cancel
    )
    {
        var samples = Path.Combine(AppContext.BaseDirectory, "profiles");
        var folder = Directory.CreateTempSubdirectory("ccmfhir-demo-").FullName;
        try
        {
            await using var ehr = await StandInEhr.StartAsync(cancel);
            var practices = Directory.CreateDirectory(Path.Combine(folder, "practices")).FullName;
            await File.WriteAllTextAsync(
                Path.Combine(practices, Practice + ".json"),
                PracticeOf(Path.Combine(samples, "practices", Practice + ".json"), ehr.BaseAddress),
                cancel
            );
            string[] settings =
            [
                $"--urls={address}",
                $"--Ccm:Store=sqlite:{Path.Combine(folder, "ccm.db")}",
                $"--Ccm:Practices={practices}",
                "--Logging:LogLevel:Default=Warning",
                "--Logging:LogLevel:Microsoft.Hosting.Lifetime=Warning",
            ];
            await using var app = await Server.BuildAsync(settings, new DemoClock(Start, real), cancel);
            await app.StartAsync(cancel);
            var root = new Uri(app.Urls.First());
            using var http = new HttpClient { BaseAddress = new Uri(root, $"/{Practice}/fhir/") };

            await output.WriteLineAsync(
                $"CcmFhir demo: Maple Street Family Medicine, October 2026. Nobody in here is real.\n"
            );
            await PostFolderAsync(http, Path.Combine(samples, "samples"), output, cancel);
            var first = await CloseAsync(http, cancel);
            await PrintAsync(first, output);
            await PushAsync(http, ehr, output, cancel);

            await output.WriteLineAsync("\nWhat was missing arrives, and the month is closed a second time:");
            await PostFolderAsync(http, Path.Combine(samples, "samples-mended"), output, cancel);
            var second = await CloseAsync(http, cancel);
            await PrintAsync(second, output, only: Changed(first, second));
            await PushAsync(http, ehr, output, cancel);

            await output.WriteLineAsync(
                $"""

                The pages:
                  {root}                                    start
                  {new Uri(root, $"/{Practice}/months/{Month}")}    worklist
                  {new Uri(root, "/lab")}                                 validation bench
                """
            );
            if (stayUp)
            {
                await output.WriteLineAsync("\nCtrl-C ends it.");
                var ended = new TaskCompletionSource();
                await using var stop = cancel.Register(ended.SetResult);
                await ended.Task;
            }
            await app.StopAsync(CancellationToken.None);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string PracticeOf(string file, Uri ehr)
    {
        var practice = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        practice["ehr"] = new JsonObject { ["baseUrl"] = ehr.ToString().TrimEnd('/'), ["references"] = "same-ids" };
        return practice.ToJsonString();
    }

    private static async Task PostFolderAsync(
        HttpClient http,
        string folder,
        TextWriter output,
        CancellationToken cancel
    )
    {
        var (bundles, entries, refusals) = (0, 0, new List<string>());
        foreach (var file in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            using var content = new ByteArrayContent(await File.ReadAllBytesAsync(file, cancel));
            content.Headers.ContentType = new MediaTypeHeaderValue("application/fhir+json");
            using var answer = await http.PostAsync("", content, cancel);
            using var body = JsonDocument.Parse(await answer.Content.ReadAsByteArrayAsync(cancel));
            bundles++;
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                refusals.AddRange(Issues(body.RootElement).Select(issue => $"{Path.GetFileName(file)}: {issue}"));
                continue;
            }
            foreach (var entry in body.RootElement.GetProperty("entry").EnumerateArray())
            {
                entries++;
                var response = entry.GetProperty("response");
                if (
                    response.GetProperty("status").GetString() is [not '2', ..]
                    && response.TryGetProperty("outcome", out var outcome)
                )
                {
                    refusals.AddRange(Issues(outcome).Select(issue => $"{Path.GetFileName(file)}: {issue}"));
                }
            }
        }
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"Posted {bundles} bundles with {entries} resources.")
        );
        foreach (var refusal in refusals)
        {
            await output.WriteLineAsync($"  refused  {refusal}");
        }
    }

    private static IEnumerable<string> Issues(JsonElement outcome)
    {
        foreach (var issue in outcome.GetProperty("issue").EnumerateArray())
        {
            if (issue.GetProperty("severity").GetString() is "error" or "fatal")
            {
                var where = issue.TryGetProperty("expression", out var expression) ? expression[0].GetString() : "";
                var text =
                    issue.TryGetProperty("details", out var details) && details.TryGetProperty("text", out var said)
                        ? said.GetString()
                        : "";
                yield return $"{where}: {text}";
            }
        }
    }

    private static async Task<JsonElement> CloseAsync(HttpClient http, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"$ccm-close?month={Month}");
        request.Headers.Accept.ParseAdd("application/json");
        using var answer = await http.SendAsync(request, cancel);
        var body = await answer.Content.ReadAsStringAsync(cancel);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException($"the month could not be closed: {body}");
        }
        using var json = JsonDocument.Parse(body);
        return json.RootElement.Clone();
    }

    private static HashSet<string> Changed(JsonElement first, JsonElement second)
    {
        var before = first
            .GetProperty("decisions")
            .EnumerateArray()
            .ToDictionary(
                one => one.GetProperty("patient").GetString()!,
                one => one.GetProperty("lines").GetRawText(),
                StringComparer.Ordinal
            );
        return
        [
            .. second
                .GetProperty("decisions")
                .EnumerateArray()
                .Where(one =>
                    before.GetValueOrDefault(one.GetProperty("patient").GetString()!)
                    != one.GetProperty("lines").GetRawText()
                )
                .Select(one => one.GetProperty("patient").GetString()!),
        ];
    }

    private static async Task PrintAsync(JsonElement close, TextWriter output, HashSet<string>? only = null)
    {
        var text = new StringBuilder("\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"{"patient", -28}  {"counted", 13}  {"claim", -20}  {"total", 9}  why\n"
        );
        var (claims, total) = (0, 0m);
        foreach (var decision in close.GetProperty("decisions").EnumerateArray())
        {
            var patient = decision.GetProperty("patient").GetString()!;
            var lines = decision.GetProperty("lines").EnumerateArray().Select(Line).ToList();
            var amount = decision.GetProperty("total").GetDecimal();
            claims += lines.Count > 0 ? 1 : 0;
            total += amount;
            if (only?.Contains(patient) == false)
            {
                continue;
            }
            var reasons = decision
                .GetProperty("reasons")
                .EnumerateArray()
                .Where(reason =>
                    lines.Count == 0
                        ? reason.GetProperty("severity").GetString() is "deny" or "hold"
                        : reason.GetProperty("severity").GetString() is "info"
                )
                .Select(reason =>
                    $"{reason.GetProperty("code").GetString()} {(lines.Count == 0 ? reason.GetProperty("severity").GetString() : "")}".Trim()
                )
                .Distinct(StringComparer.Ordinal);
            var counted = decision.GetProperty("seconds").GetProperty("counted").GetInt64();
            text.Append(
                CultureInfo.InvariantCulture,
                $"{Short(patient), -28}  {Shown.Duration(counted), 13}  {(lines.Count == 0 ? "-" : string.Join(", ", lines)), -20}  {(amount == 0 ? "" : Shown.Money(amount)), 9}  {string.Join(", ", reasons)}\n"
            );
        }
        text.Append(CultureInfo.InvariantCulture, $"{claims} claims, {Shown.Money(total)}");
        await output.WriteLineAsync(text.ToString());
    }

    private static string Line(JsonElement line)
    {
        var units = line.GetProperty("units").GetInt32();
        return units == 1
            ? line.GetProperty("code").GetString()!
            : string.Create(CultureInfo.InvariantCulture, $"{line.GetProperty("code").GetString()} x{units}");
    }

    private static string Short(string reference) => reference.Length <= 28 ? reference : reference[..25] + "...";

    private static async Task PushAsync(HttpClient http, StandInEhr ehr, TextWriter output, CancellationToken cancel)
    {
        using var answer = await http.PostAsync($"$ccm-push?month={Month}", null, cancel);
        if (!answer.IsSuccessStatusCode)
        {
            throw new InvalidOperationException(
                $"claims could not be pushed: {await answer.Content.ReadAsStringAsync(cancel)}"
            );
        }
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"Pushed: the EHR holds {ehr.Claims.Count} claims.")
        );
    }
}
