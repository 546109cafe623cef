using System.Security.Cryptography;
using System.Text;
using CcmFhir.Access;
using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Options;
using CcmFhir.Trail;

namespace CcmFhir.Ehr.Receiving;

/// <summary>Where an EHR's subscriptions point: <c>$ccm-notify</c>. What is named is kept durably and answered at once; it is fetched afterwards.</summary>
internal static class NotificationRoom
{
    /// <summary>Seconds between two looks at what is to be fetched or pulled; 0 for none.</summary>
    public const string EverySetting = "Ccm:PullEverySeconds";

    /// <summary>Adds the services.</summary>
    public static void AddReceiving(this IServiceCollection services, IConfiguration settings)
    {
        services.AddSingleton<FetchQueue>();
        services.AddSingleton<TakeFetched>();
        services.AddSingleton<FetchNotified>();
        services.AddSingleton<PullChanges>();
        services.AddSingleton<PullRound>();
        services.AddSingleton<NotificationDesk>();
        var every = settings.GetValue(EverySetting, 30);
        if (every > 0)
        {
            services.AddHostedService(provider =>
                ActivatorUtilities.CreateInstance<PullWorker>(provider, TimeSpan.FromSeconds(every))
            );
        }
    }

    /// <summary>Adds the routes: R4 rest-hook by POST, and with a payload by PUT below it.</summary>
    public static void MapReceiving(this WebApplication app)
    {
        var desk = app.Services.GetRequiredService<NotificationDesk>();
        app.MapMethods("/{practice}/fhir/$ccm-notify", ["POST", "PUT"], desk.HandleAsync);
        app.MapMethods("/{practice}/fhir/$ccm-notify/{type}/{id}", ["POST", "PUT"], desk.HandleAsync);
    }
}

/// <summary>Answers notifications.</summary>
internal sealed class NotificationDesk(
    Practices practices,
    FhirDoor gate,
    RequestBody bodies,
    ReceiveBundle receive,
    FetchQueue queue,
    AccessTrail trail,
    TimeProvider clock
)
{
    /// <summary>Answers one.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var request = new FhirRequest(http, "$ccm-notify");
        var slug = http.Request.RouteValues["practice"] as string ?? "";
        FhirAnswer answer;
        AccessContext? access = null;
        if (practices.Find(slug) is not { } file)
        {
            answer = FhirAnswer.Of(Refusal.Of(404, "not-found", "practice", "There is no such practice here."));
            await answer.WriteAsync(http, request.Format, pretty: false);
            return;
        }
        var admitted = BringsSecret(http, file)
            ? new GateAnswer(AccessContext.Unrestricted(slug, TakeFetched.Client(file)), null)
            : await gate.AdmitAsync(http, slug);
        if (admitted.Context is { } context)
        {
            access = context;
            request.Arrival = new Arrival(
                Receiver.Of(file),
                context,
                Arrival.ToMillisecond(clock.GetUtcNow()),
                http.TraceIdentifier,
                Addresses.FhirBase(http, slug)
            );
            answer = await TakeAsync(request);
        }
        else
        {
            AccessGate.Refuse(http.Response, admitted);
            answer = FhirAnswer.Of(
                admitted.RetryAfter is null
                    ? Refusal.Of(401, "login", "token", admitted.Fault!)
                    : Refusal.Of(429, "throttled", "rate", admitted.Fault!)
            );
        }
        trail.Note(
            RequestTrail.Base(http, slug, access, clock.GetUtcNow()) with
            {
                Url = "$ccm-notify",
                Status = answer.Status,
                Why = answer.Refused?.Issues[0].Text,
                Wrote = request.Arrival?.Touched.Entries,
            }
        );
        await answer.WriteAsync(http, request.Format, pretty: false);
    }

    // A subscription's header is set once and never renewed, so it cannot be a token of ours.
    private static bool BringsSecret(HttpContext http, PracticeFile file) =>
        file.Ehr?.NotifySecret is { } source
        && http.Request.Headers.Authorization is [{ } header]
        && header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
        && CryptographicOperations.FixedTimeEquals(
            SHA256.HashData(Encoding.UTF8.GetBytes(header["Bearer ".Length..])),
            SHA256.HashData(Encoding.UTF8.GetBytes(EhrAuthorization.ReadSecret(source)))
        );

    private async Task<FhirAnswer> TakeAsync(FhirRequest request)
    {
        var http = request.Http;
        var arrival = request.Arrival;
        Notification? notification = Notification.Empty;
        if (http.Request.ContentLength is not (null or 0) || http.Request.Headers.TransferEncoding.Count > 0)
        {
            var (root, unreadable) = await request.BodyAsync(bodies);
            if (unreadable is not null)
            {
                return FhirAnswer.Of(unreadable);
            }
            notification = Notification.Read(root, arrival.Bases, out var refusal);
            if (notification is null)
            {
                return FhirAnswer.Of(refusal!);
            }
        }
        var fetch = notification.Everything ? [FetchQueue.Everything] : notification.References;
        foreach (var reference in fetch)
        {
            var type = notification.Everything ? "Patient" : reference.Split('/')[0];
            if (!arrival.Access.AllowsAll(type, Interactions.Update))
            {
                return FhirAnswer.Of(Refusal.Of(403, "forbidden", "scope", Refusal.LacksScope($"system/{type}.u")));
            }
        }
        var (entries, passed) = TakeFetched.Entries(notification.Resources, notification.Deleted);
        if (entries.Count > 0)
        {
            await receive.RunAsync(arrival, new BundleRequest(BundleKind.Batch, entries), request.Cancel);
        }
        if (fetch.Count > 0)
        {
            await queue.AskAsync(arrival.Practice.Slug, [.. fetch], arrival.Now, request.Cancel);
        }
        // A refusal of one resource would make the EHR send all of them again; it is told in the answer and stands in the audit trail.
        var told = entries
            .Where(entry => entry.Refused)
            .SelectMany(entry => entry.Issues)
            .Select(issue => issue with { Severity = Validation.Severity.Warning })
            .ToList();
        foreach (var refused in entries.Where(entry => entry.Refused))
        {
            trail.Note(
                RequestTrail.Base(http, arrival.Practice.Slug, arrival.Access, arrival.Now) with
                {
                    Do = refused.Verb == Verb.Delete ? "delete" : "update",
                    Url = $"{refused.Type}/{refused.Id}",
                    Status = refused.RefusedWith,
                    Why = $"{refused.Issues[0].Rule}: {refused.Issues[0].Text}",
                }
            );
        }
        return entries.Count > 0 && entries.TrueForAll(entry => entry.RefusedWith == 403)
            ? FhirAnswer.Of(new Refusal(403, entries[0].Issues))
            : new FhirAnswer(200, OutcomeWriter.ToBytes(told));
    }
}
