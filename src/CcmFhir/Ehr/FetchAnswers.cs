using System.Text.Json;
using CcmFhir.Ehr.Receiving;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Options;
using CcmFhir.Validation;

namespace CcmFhir.Ehr;

/// <summary>What a fetch did.</summary>
/// <param name="Looked">Claims that were asked about.</param>
/// <param name="Found">Answers and new versions of answers that were taken.</param>
/// <param name="Moved">Claims whose status at the EHR was new.</param>
/// <param name="Problem">Why it ended early, or what could not be asked; null when nothing went wrong.</param>
internal sealed record FetchReport(int Looked, int Found, int Moved, string? Problem);

/// <summary>Asks the EHR what became of delivered claims: their status, and ClaimResponses and ExplanationOfBenefits that name them. Answers are kept in
/// the patient's stream under the EHR's id, as if the EHR had put them there.</summary>
/// <param name="streams">The journal.</param>
/// <param name="take">The way in: the same door as for what is posted.</param>
/// <param name="practices">The practices.</param>
/// <param name="clock">The clock.</param>
internal sealed class FetchAnswers(StreamRecords streams, TakeFetched take, Practices practices, TimeProvider clock)
{
    private readonly VerifyClaims verify = new(new ClaimJournal(streams, clock));

    /// <summary>Asks about each delivered claim of a month that no payer has decided.</summary>
    public async Task<FetchReport> RunAsync(EhrSession ehr, string month, CancellationToken cancel)
    {
        var report = new FetchReport(0, 0, 0, null);
        if (!ehr.Connection.HasServer)
        {
            return report with { Problem = "There is no EHR to ask: 'ehr.baseUrl' is not set. Answers come by POST." };
        }
        var (known, answer) = await ehr.Capabilities.GetAsync(ehr, cancel);
        if (known is null)
        {
            return report with
            {
                Problem = $"The EHR's /metadata cannot be read. {answer?.Text ?? answer?.StatusText}",
            };
        }
        var prefix = ClaimJournal.MonthKey(ehr.Practice, month);
        await foreach (var entry in streams.Store.ListAsync(prefix, null, cancel))
        {
            var record = await streams.ReadAsync(entry.Value, cancel);
            if (record.Claim(entry.Key[prefix.Length..]) is not { } claim)
            {
                continue;
            }
            var delivery = Outbox.Of(claim, ehr.Connection, clock.GetUtcNow());
            var decided = ClaimAnswer
                .Of(record, claim, ehr.Connection.BaseUrl)
                .Any(known => known.Kind is AnswerKind.Paid or AnswerKind.Denied);
            if (delivery.Standing != Standing.Delivered || decided)
            {
                continue;
            }
            if (!ehr.Circuit.MayPass(clock.GetUtcNow(), out _))
            {
                return report with { Problem = ehr.Circuit.Reason };
            }
            var moved = await verify.LookAsync(ehr, record, claim, delivery, cancel);
            var (found, problem) = await AnswersAsync(ehr, known, moved ?? record, claim, delivery, cancel);
            report = new FetchReport(
                report.Looked + 1,
                report.Found + found,
                report.Moved + (moved is not null && moved.Position > record.Position ? 1 : 0),
                problem ?? report.Problem
            );
        }
        return report;
    }

    private async Task<(int Found, string? Problem)> AnswersAsync(
        EhrSession ehr,
        EhrCapabilities known,
        StreamRecord record,
        ClaimJourney claim,
        Delivery delivery,
        CancellationToken cancel
    )
    {
        var taken = 0;
        string? problem = null;
        if (delivery.Accepted?.EhrReference is not { } there || !there.StartsWith("Claim/", StringComparison.Ordinal))
        {
            return (0, null);
        }
        foreach (var (type, parameter) in new[] { ("ClaimResponse", "request"), ("ExplanationOfBenefit", "claim") })
        {
            var capability = known[type];
            if (!capability.Interactions.Contains("search-type") || !capability.SearchParameters.Contains(parameter))
            {
                continue;
            }
            var answer = await ehr.SendAsync(
                HttpMethod.Get,
                $"{type}?{parameter}={Uri.EscapeDataString(there)}",
                null,
                [],
                cancel
            );
            var finding = EhrSearch.Read(answer, type, found => Names(found, parameter, there), othersAllowed: true);
            if (!finding.Known)
            {
                problem = $"{type} cannot be searched: {finding.Text}";
                continue;
            }
            var report = await take.RunAsync(
                practices.Find(ehr.Practice)!,
                finding.Matches.Select(match => AsOurs(match.Resource, record.Stream, claim.Id, parameter)),
                [],
                cancel
            );
            taken += report.Changed;
            if (report.Refused is [var refused, ..])
            {
                problem = $"{refused.Reference} of the EHR is refused ({refused.Rule}): {refused.Text}";
            }
        }
        return (taken, problem);
    }

    private static bool Names(FhirElement answer, string property, string claim) =>
        answer[property]["reference"u8].Text is { } reference
        && (reference == claim || reference.EndsWith("/" + claim, StringComparison.Ordinal));

    // What the EHR calls patient and claim becomes what we call them.
    private static FhirElement AsOurs(FhirElement resource, string stream, string claimId, string link)
    {
        var references = new List<Splice>();
        Point(references, resource["patient"u8]["reference"u8], $"Patient/{JournalNames.PatientOf(stream)}");
        Point(references, resource[link]["reference"u8], $"Claim/{claimId}");
        var body = ResourceBytes.Build(resource, references, resource["id"u8].Text!, 1, DateTimeOffset.UnixEpoch);
        return FhirJson.Parse(body, out _)!.Root;
    }

    private static void Point(List<Splice> splices, FhirElement reference, string to)
    {
        if (reference.Exists)
        {
            splices.Add(new Splice(reference.Offset, reference.Length, JsonSerializer.SerializeToUtf8Bytes(to)));
        }
    }
}
