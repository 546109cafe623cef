using System.Globalization;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Ehr.Receiving;

/// <summary>What a round came to.</summary>
/// <param name="Patients">Patients that were read whole; 0 for a bulk export.</param>
/// <param name="Taken">What became of what was read.</param>
/// <param name="Problem">Why it ended early, or what could not be read; null when nothing went wrong.</param>
internal sealed record PullReport(int Patients, TakenReport Taken, string? Problem);

/// <summary>Reads what changed at an EHR that does not push: a search for each patient and type by <c>_lastUpdated</c>, page by page, or a bulk export.
/// Reading the same again changes nothing.</summary>
/// <param name="store">The journal.</param>
/// <param name="take">The way in.</param>
/// <param name="clock">The clock.</param>
internal sealed class PullChanges(IJournalStore store, TakeFetched take, TimeProvider clock)
{
    // An EHR's search may lag behind its writes.
    private static readonly TimeSpan Overlap = TimeSpan.FromMinutes(10);
    private const int PageSize = 100;
    private const int MostPages = 1_000;
    private const int PatientsTogether = 50;

    private readonly PullCursor cursor = new(store);
    private readonly BulkExport bulk = new(take, clock);

    /// <summary>One round.</summary>
    /// <param name="ehr">The EHR.</param>
    /// <param name="file">The practice.</param>
    /// <param name="full">Read everything, whatever was read before.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<PullReport> RunAsync(EhrSession ehr, PracticeFile file, bool full, CancellationToken cancel)
    {
        if (ehr.Connection.References != ReferenceMapping.SameIds)
        {
            return new PullReport(
                0,
                TakenReport.None,
                "Pulling needs 'ehr.references': 'same-ids': what is read is kept under the EHR's own ids."
            );
        }
        var settings = ehr.Connection.Pull ?? new PullSettings();
        var since = full
            ? new Dictionary<string, DateTimeOffset>(StringComparer.Ordinal)
            : await cursor.ReadAsync(ehr.Practice, cancel);
        if (settings.Group is { } group)
        {
            DateTimeOffset? from = since.TryGetValue(PullCursor.Bulk, out var last) ? last : null;
            var (taken, asOf, problem) = await bulk.RunAsync(ehr, file, group, settings.Types, from, cancel);
            if (asOf is { } instant)
            {
                await cursor.AdvanceAsync(ehr.Practice, [PullCursor.Bulk], instant, clock.GetUtcNow(), cancel);
            }
            return new PullReport(0, taken, problem);
        }
        return await SearchAsync(ehr, file, settings, since, cancel);
    }

    private async Task<PullReport> SearchAsync(
        EhrSession ehr,
        PracticeFile file,
        PullSettings settings,
        IReadOnlyDictionary<string, DateTimeOffset> since,
        CancellationToken cancel
    )
    {
        var started = clock.GetUtcNow();
        var (known, answer) = await ehr.Capabilities.GetAsync(ehr, cancel);
        if (known is null)
        {
            return new PullReport(
                0,
                TakenReport.None,
                $"The EHR's /metadata cannot be read. {answer?.Text ?? answer?.StatusText}"
            );
        }
        var report = TakenReport.None;
        if (settings.Patients is { } search)
        {
            var (taken, problem) = await PagesAsync(ehr, file, "Patient", search, null, cancel);
            report += taken;
            if (problem is not null)
            {
                return new PullReport(0, report, problem);
            }
        }
        var done = new List<string>();
        var count = 0;
        await foreach (var entry in store.ListAsync(JournalNames.Ids(ehr.Practice, "Patient"), null, cancel))
        {
            var patient = entry.Key[(entry.Key.LastIndexOf('/') + 1)..];
            DateTimeOffset? from = since.TryGetValue(patient, out var last) ? last - Overlap : null;
            foreach (var (type, query) in Queries(known, settings, patient))
            {
                var (taken, problem) = await PagesAsync(ehr, file, type, query, Updated(known, type, from), cancel);
                report += taken;
                if (problem is not null)
                {
                    await AdvanceAsync();
                    return new PullReport(count, report, problem);
                }
            }
            done.Add(patient);
            count++;
            if (done.Count == PatientsTogether)
            {
                await AdvanceAsync();
            }
        }
        await AdvanceAsync();
        return new PullReport(count, report, null);

        async Task AdvanceAsync()
        {
            if (done.Count > 0)
            {
                await cursor.AdvanceAsync(ehr.Practice, [.. done], started, clock.GetUtcNow(), cancel);
                done.Clear();
            }
        }
    }

    private static IEnumerable<(string Type, string Query)> Queries(
        EhrCapabilities known,
        PullSettings settings,
        string patient
    )
    {
        yield return ("Patient", $"Patient?_id={patient}");
        foreach (var type in settings.Types)
        {
            var parameter = (string[])["patient", "subject", "beneficiary"];
            if (
                known[type].Interactions.Contains("search-type")
                && Array.Find(parameter, known[type].SearchParameters.Contains) is { } by
            )
            {
                yield return (type, by == "patient" ? $"{type}?patient={patient}" : $"{type}?{by}=Patient/{patient}");
            }
        }
    }

    private static string? Updated(EhrCapabilities known, string type, DateTimeOffset? from) =>
        from is { } instant && known[type].SearchParameters.Contains("_lastUpdated")
            ? instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)
            : null;

    private async Task<(TakenReport Taken, string? Problem)> PagesAsync(
        EhrSession ehr,
        PracticeFile file,
        string type,
        string query,
        string? updated,
        CancellationToken cancel
    )
    {
        var report = TakenReport.None;
        var path =
            query
            + (updated is null ? "" : $"&_lastUpdated=ge{updated}")
            + string.Create(CultureInfo.InvariantCulture, $"&_count={PageSize}");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var page = 0; page < MostPages; page++)
        {
            if (!ehr.Circuit.MayPass(clock.GetUtcNow(), out _))
            {
                return (report, ehr.Circuit.Reason);
            }
            var answer = await ehr.SendAsync(HttpMethod.Get, path, null, [], cancel);
            if (answer.Problem is not null || answer.Status != 200 || answer.ResourceType != "Bundle")
            {
                return (
                    report,
                    $"{type} cannot be searched: {answer.Text ?? $"{answer.StatusText} {answer.OutcomeText()}".Trim()}"
                );
            }
            var bundle = answer.Json!.Root;
            var resources = new List<FhirElement>();
            foreach (var entry in bundle["entry"u8].Items)
            {
                if (entry["resource"u8]["resourceType"u8].Text == type)
                {
                    resources.Add(entry["resource"u8]);
                }
            }
            report += await take.RunAsync(file, resources, [], cancel);
            if (Next(bundle) is not { } next)
            {
                return (report, null);
            }
            if (ehr.Below(next) is not { } below)
            {
                return (
                    report,
                    $"The EHR's next page of {type} is at another address than the EHR; it is not fetched."
                );
            }
            if (!seen.Add(below))
            {
                return (report, $"The EHR's next page of {type} is one that was read already.");
            }
            path = below;
        }
        return (report, $"The EHR's answer for {type} has more than {MostPages} pages.");
    }

    private static string? Next(FhirElement bundle)
    {
        foreach (var link in bundle["link"u8].Items)
        {
            if (link["relation"u8].Is("next"u8))
            {
                return link["url"u8].Text;
            }
        }
        return null;
    }
}
