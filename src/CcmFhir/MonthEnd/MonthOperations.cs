using System.Globalization;
using CcmFhir.Access;
using CcmFhir.Domain;
using CcmFhir.Fhir;
using CcmFhir.Fhir.Readers;
using CcmFhir.Options;

namespace CcmFhir.MonthEnd;

/// <summary>The FHIR operations of the month: <c>$ccm-close</c> and <c>$ccm-status</c>. The answer is Parameters; to who asks for plain
/// <c>application/json</c> it is the JSON that <c>ccmfhir close --format json</c> prints.</summary>
internal sealed class MonthOperations(CloseMonth close, CloseShards shards, Practices practices, RuleSet rules)
{
    /// <summary><c>POST $ccm-close?month=yyyy-MM[&amp;dryRun=true[&amp;asOf=instant]]</c>; with <c>Prefer: respond-async</c> the month is closed
    /// shard by shard, and the answer says where to ask how far it is.</summary>
    public async ValueTask<FhirAnswer> CloseAsync(FhirRequest request)
    {
        if (!request.Arrival.Access.AllowsAll("Claim", Interactions.Create))
        {
            return Forbidden("system/Claim.c");
        }
        if (Month(request, rules, out var month) is { } refusal)
        {
            return FhirAnswer.Of(refusal);
        }
        var dryRun = request.Parameter("dryRun");
        if (dryRun is not (null or "true" or "false"))
        {
            return FhirAnswer.Of(Refusal.Of(400, "value", "dry-run", "dryRun is true or false.", "dryRun"));
        }
        var now = request.Arrival.Now;
        var asOf = now;
        if (request.Parameter("asOf") is { } instant)
        {
            if (dryRun != "true" || FhirTime.Instant(instant) is not { } given)
            {
                return FhirAnswer.Of(
                    Refusal.Of(
                        400,
                        "value",
                        "as-of",
                        "asOf is an instant such as 2026-11-23T00:00:00Z, and goes only with dryRun=true: a month is closed as of now.",
                        "asOf"
                    )
                );
            }
            asOf = given;
        }
        var file = practices.Find(request.Arrival.Practice.Slug)!;
        CloseResult result;
        if (dryRun == "true")
        {
            result = new CloseResult(await close.DecideAsync(file, month, asOf, null, request.Cancel), [], 0, []);
        }
        else
        {
            if (!CloseMonth.Over(file, month, now))
            {
                return FhirAnswer.Of(
                    Refusal.Of(
                        422,
                        "business-rule",
                        "month-running",
                        $"{month} has not ended in {file.Practice.TimeZone.Id}. Close it then; dryRun=true shows what would be billed now.",
                        "month"
                    )
                );
            }
            if (request.RespondAsync)
            {
                var run = await shards.StartAsync(
                    file,
                    month,
                    request.Arrival.Access.Client,
                    request.Arrival.Correlation,
                    once: false,
                    request.Cancel
                );
                return CloseStatus.Accepted(run, request.Arrival.OwnBase!);
            }
            result = await close.RunAsync(file, month, asOf, null, request.Cancel);
        }
        foreach (var decision in result.Decisions)
        {
            request.Arrival.Touched.Saw(decision.Patient["Patient/".Length..]);
        }
        return request.Http.Request.Headers.Accept is [{ } accept] && accept.Trim() == "application/json"
            ? new FhirAnswer(200, DecisionJson.Write(month, rules.NameFor(month)!, asOf, result.Decisions, []))
            {
                MediaType = "application/json; charset=utf-8",
            }
            : new FhirAnswer(200, MonthParameters.Closed(month, asOf, result));
    }

    /// <summary><c>GET</c> or <c>DELETE $ccm-close-status?month=yyyy-MM&amp;run=number</c>: how far a run is that was started with
    /// <c>Prefer: respond-async</c>; a deleted one is cancelled.</summary>
    public async ValueTask<FhirAnswer> CloseStatusAsync(FhirRequest request, bool cancel)
    {
        if (!request.Arrival.Access.AllowsAll("Claim", Interactions.Create))
        {
            return Forbidden("system/Claim.c");
        }
        var practice = request.Arrival.Practice.Slug;
        if (
            !ServiceMonth.TryParse(request.Parameter("month"), out var month)
            || !int.TryParse(request.Parameter("run"), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || await shards.FindAsync(practice, month, number, request.Cancel) is not { } run
        )
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    404,
                    "not-found",
                    "run",
                    "There is no such run. Its address stands in Content-Location of the answer to $ccm-close."
                )
            );
        }
        if (!cancel)
        {
            return CloseStatus.Of(run);
        }
        await shards.CancelAsync(practice, month, number, request.Arrival.Access.Client, request.Cancel);
        return new FhirAnswer(202, default);
    }

    /// <summary><c>GET Patient/{id}/$ccm-status?month=yyyy-MM</c>: the ledger, and the decision if the month closed now.</summary>
    public async ValueTask<FhirAnswer> StatusAsync(FhirRequest request, string patient)
    {
        var access = request.Arrival.Access;
        // What the answer is made of must be open to the client as a whole.
        foreach (var type in (string[])["Patient", "Task", "Claim"])
        {
            if (
                access.Missing(type, Interactions.Read) is not null
                || !access.Allows(type, Interactions.Read, access.Patient ?? patient, _ => false)
            )
            {
                return Forbidden(access.Missing(type, Interactions.Read) ?? $"system/{type}.r");
            }
        }
        if (Month(request, rules, out var month) is { } refusal)
        {
            return FhirAnswer.Of(refusal);
        }
        var file = practices.Find(request.Arrival.Practice.Slug)!;
        var found = access.Allows("Patient", Interactions.Read, patient, _ => false)
            ? await close.ReadAsync(file, patient, month, request.Arrival.Now, request.Cancel)
            : null;
        if (found is null)
        {
            return FhirAnswer.Of(Refusal.Of(404, "not-found", "patient", "There is no such Patient here."));
        }
        request.Arrival.Touched.Saw(patient);
        return new FhirAnswer(200, MonthParameters.Status(found));
    }

    /// <summary>The answer to a token that lacks a scope.</summary>
    public static FhirAnswer Forbidden(string scope) =>
        FhirAnswer.Of(Refusal.Of(403, "forbidden", "scope", Refusal.LacksScope(scope)));

    /// <summary>Reads the parameter <c>month</c>; a month for which there are no rules is refused.</summary>
    public static Refusal? Month(FhirRequest request, RuleSet rules, out ServiceMonth month)
    {
        if (!ServiceMonth.TryParse(request.Parameter("month"), out month))
        {
            return Refusal.Of(400, "value", "month", "Give month as yyyy-MM, such as month=2026-10.", "month");
        }
        return rules.NameFor(month) is null
            ? Refusal.Of(422, "business-rule", "rule-set", $"{rules.Unknown(month)}.", "month")
            : null;
    }
}
