using System.Globalization;
using System.Text.Json;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Ehr.Receiving;

/// <summary>FHIR Bulk Data <c>$export</c> of a Group: kick-off, polling as Retry-After says, and each NDJSON file line by line.</summary>
/// <remarks>Bulk Data Access IG 2.0, Export. Files are fetched from the EHR's own origin and from the configured file hosts, from nowhere else.</remarks>
/// <param name="take">The way in.</param>
/// <param name="clock">The clock.</param>
internal sealed class BulkExport(TakeFetched take, TimeProvider clock)
{
    private const int LinesTogether = 200;
    private const int MostPolls = 2_000;
    private static readonly TimeSpan PollPause = TimeSpan.FromSeconds(10);
    private static readonly (string, string)[] Async = [("Prefer", "respond-async")];
    private static readonly (string, string)[] Json = [("Accept", "application/json")];

    /// <summary>One export.</summary>
    /// <returns>What became of it; the instant it is a picture of, when all of it was read; what went wrong.</returns>
    public async Task<(TakenReport Taken, DateTimeOffset? AsOf, string? Problem)> RunAsync(
        EhrSession ehr,
        PracticeFile file,
        string group,
        IReadOnlyList<string> types,
        DateTimeOffset? since,
        CancellationToken cancel
    )
    {
        var path =
            $"Group/{group}/$export?_type={string.Join(',', ["Patient", .. types])}"
            + (
                since is { } from
                    ? $"&_since={Uri.EscapeDataString(from.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture))}"
                    : ""
            );
        var begun = await ehr.SendAsync(HttpMethod.Get, path, null, Async, cancel);
        if (begun.Status != 202 || !Uri.TryCreate(begun.Location, UriKind.Absolute, out var status))
        {
            return (TakenReport.None, null, $"The export did not begin: {Said(begun)}");
        }
        var (manifest, problem) = await WaitAsync(ehr, status, cancel);
        if (manifest is not { } made)
        {
            return (TakenReport.None, null, problem);
        }
        var report = TakenReport.None;
        foreach (var output in Outputs(made, "output"))
        {
            if (!Uri.TryCreate(output, UriKind.Absolute, out var address) || !ehr.MayFetch(address))
            {
                return (
                    report,
                    null,
                    $"A file of the export is at another host than the EHR ({address?.Host ?? "no address"}); it is not fetched. Name the host in 'ehr.pull.fileHosts' if it is right."
                );
            }
            var (taken, broken) = await FileAsync(ehr, file, address, made, cancel);
            report += taken;
            if (broken is not null)
            {
                return (report, null, $"A file of the export could not be read whole: {broken}");
            }
        }
        await ehr.SendAsync(HttpMethod.Delete, status, [], cancel);
        return (
            report,
            made.TryGetProperty("transactionTime", out var time)
            && time.ValueKind == JsonValueKind.String
            && DateTimeOffset.TryParse(
                time.GetString(),
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var asOf
            )
                ? asOf
                : null,
            Outputs(made, "error").Any() ? "The EHR could not export everything; its error files say what." : null
        );
    }

    private static IEnumerable<string> Outputs(JsonElement manifest, string name) =>
        manifest.TryGetProperty(name, out var files) && files.ValueKind == JsonValueKind.Array
            ? files
                .EnumerateArray()
                .Select(file =>
                    file.ValueKind == JsonValueKind.Object && file.TryGetProperty("url", out var url)
                        ? url.GetString() ?? ""
                        : ""
                )
            : [];

    private static string Said(EhrAnswer answer) =>
        answer.Text
        ?? (
            answer.Status == 202
                ? "HTTP 202 without Content-Location"
                : $"{answer.StatusText} {answer.OutcomeText()}".Trim()
        );

    private async Task<(JsonElement? Manifest, string? Problem)> WaitAsync(
        EhrSession ehr,
        Uri status,
        CancellationToken cancel
    )
    {
        for (var polls = 0; polls < MostPolls; polls++)
        {
            var answer = await ehr.SendAsync(HttpMethod.Get, status, Json, cancel);
            if (answer is { Problem: null, Status: 200 })
            {
                try
                {
                    using var json = JsonDocument.Parse(answer.Body);
                    return json.RootElement.ValueKind == JsonValueKind.Object
                        ? (json.RootElement.Clone(), null)
                        : (null, "The export's list of files is no JSON object.");
                }
                catch (JsonException)
                {
                    return (null, "The export's list of files is not JSON.");
                }
            }
            // Busy, or gone for a moment: the export goes on at the EHR.
            if (
                answer.Status is not (202 or 429 or 502 or 503 or 504)
                && answer.Problem is not (DeliveryProblem.NoAnswer or DeliveryProblem.Busy)
            )
            {
                return (null, $"The export failed: {Said(answer)}");
            }
            var pause = answer.RetryAfter is { } until ? until - clock.GetUtcNow() : PollPause;
            pause = TimeSpan.FromSeconds(Math.Clamp(pause.TotalSeconds, 0.1, 300));
            await Task.Delay(pause, clock, cancel);
        }
        return (null, "The export did not end.");
    }

    private async Task<(TakenReport Taken, string? Problem)> FileAsync(
        EhrSession ehr,
        PracticeFile file,
        Uri address,
        JsonElement manifest,
        CancellationToken cancel
    )
    {
        var report = TakenReport.None;
        var lines = new List<FhirElement>();
        var withToken =
            !manifest.TryGetProperty("requiresAccessToken", out var needs) || needs.ValueKind != JsonValueKind.False;
        var problem = await ehr.ReadLinesAsync(
            address,
            withToken,
            async line =>
            {
                if (FhirJson.Parse(line, out var fault) is not { } resource)
                {
                    report += TakenReport.None with { Refused = [new RefusedFetch("a line", fault!.Rule, fault.Text)] };
                    return;
                }
                lines.Add(resource.Root);
                if (lines.Count == LinesTogether)
                {
                    report += await take.RunAsync(file, lines, [], cancel);
                    lines.Clear();
                }
            },
            cancel
        );
        report += await take.RunAsync(file, lines, [], cancel);
        return (report, problem);
    }
}
