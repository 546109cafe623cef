using CcmFhir.Access;
using CcmFhir.Audit;
using CcmFhir.Intake;
using CcmFhir.Journal;
using CcmFhir.Measures;
using CcmFhir.MonthEnd;
using CcmFhir.Telemetry;
using CcmFhir.Trail;
using CcmFhir.Validation;

namespace CcmFhir.Fhir;

/// <summary>The FHIR REST interface: one address a practice, <c>/{practice}/fhir</c>, every interaction below it. Reads the request, asks
/// the one who knows, and writes the answer; whatever goes wrong is an OperationOutcome.</summary>
internal sealed partial class FhirEndpoints(
    StreamRecords records,
    ReceiveBundle receive,
    ValidateOperation validate,
    RequestBody bodies,
    FhirDoor gate,
    MonthOperations months,
    AccessTrail trail,
    AuditOperation audit,
    MeasureOperation measures,
    TimeProvider clock,
    ILogger<FhirEndpoints> log
)
{
    private const int RetrySeconds = 2;

    /// <summary>Answers one request.</summary>
    public async Task HandleAsync(HttpContext http)
    {
        var path = http.Request.RouteValues["path"] as string ?? "";
        var request = new FhirRequest(http, path);
        FhirAnswer answer;
        try
        {
            answer = Negotiate(request) ?? await AdmitAsync(request) ?? await AnswerAsync(request);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (BadHttpRequestException fault)
        {
            answer = FhirAnswer.Of(Refusal.Of(fault.StatusCode, "invalid", "http", fault.Message));
        }
        catch (JournalUnavailableException fault)
        {
            Unavailable(fault, http.TraceIdentifier);
            answer = ComeAgain(
                http,
                "journal-unavailable",
                "The journal cannot be reached now, so nothing was changed. Send it again after the time that Retry-After says."
            );
        }
        catch (Exception fault) when (fault.GetBaseException() is OutOfMemoryException)
        {
            Failed(fault, http.TraceIdentifier);
            answer = ComeAgain(
                http,
                "too-little-memory",
                "Too little memory is free for this now. Send it again after the time that Retry-After says, or in smaller parts."
            );
        }
        catch (Exception fault)
        {
            // The outermost edge: whatever it was, the client gets an outcome that names the log's entry, and the next request works.
            Failed(fault, http.TraceIdentifier);
            answer = FhirAnswer.Of(
                Refusal.Of(
                    500,
                    "exception",
                    "internal",
                    $"Something went wrong on our side. Nothing is half done. Give this id to support: {http.TraceIdentifier}."
                )
            );
        }
        if (!http.Response.HasStarted)
        {
            if (answer.Refused?.MissingScope is { } scope)
            {
                AccessGate.Challenge(http.Response, "insufficient_scope", $"The token lacks the scope {scope}.", scope);
            }
            answer = Noted(request, answer);
            await answer.WriteAsync(http, request.Format, request.Pretty);
        }
    }

    private static FhirAnswer ComeAgain(HttpContext http, string rule, string text)
    {
        http.Response.Headers.RetryAfter = RetrySeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return FhirAnswer.Of(Refusal.Of(503, "transient", rule, text));
    }

    private static FhirAnswer? Negotiate(FhirRequest request)
    {
        if (request.Parameter("_pretty") is { } pretty)
        {
            if (pretty is not ("true" or "false"))
            {
                return FhirAnswer.Of(Refusal.Of(400, "value", "pretty", "_pretty is true or false."));
            }
            request.Pretty = pretty == "true";
        }
        if (FhirFormats.Wanted(request.Parameter("_format"), request.Http.Request.Headers.Accept!) is { } format)
        {
            request.Format = format;
            return null;
        }
        return FhirAnswer.Of(
            Refusal.Of(
                406,
                "not-supported",
                "accept",
                "We answer in application/fhir+json or application/fhir+xml, FHIR version 4.0. Ask for one of them in Accept or _format."
            )
        );
    }

    private async ValueTask<FhirAnswer?> AdmitAsync(FhirRequest request)
    {
        var slug = request.Http.Request.RouteValues["practice"] as string ?? "";
        if (gate.Practice(slug) is not { } practice)
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    404,
                    "not-found",
                    "practice",
                    "There is no such practice here. The address is /{practice}/fhir."
                )
            );
        }
        var ownBase = Addresses.FhirBase(request.Http, practice.Slug);
        if (request.Segments is ["metadata"])
        {
            // Open to all [capabilitystatement.html].
            request.Arrival = new Arrival(
                practice,
                new AccessContext(practice.Slug, "anonymous", []),
                Now(),
                Signals.Correlation(request.Http),
                ownBase
            );
            return null;
        }
        var admitted = await gate.AdmitAsync(request.Http, practice.Slug);
        if (admitted.Context is not { } context)
        {
            AccessGate.Refuse(request.Http.Response, admitted);
            return FhirAnswer.Of(
                admitted.RetryAfter is null
                    ? Refusal.Of(401, "login", "token", admitted.Fault!)
                    : Refusal.Of(429, "throttled", "rate", admitted.Fault!)
            );
        }
        request.Arrival = new Arrival(practice, context, Now(), Signals.Correlation(request.Http), ownBase);
        return null;
    }

    private ValueTask<FhirAnswer> AnswerAsync(FhirRequest request)
    {
        var segments = request.Segments;
        if (segments.Length > 0 && char.IsAsciiLetter(segments[0][0]) && segments[0] != "metadata")
        {
            if (ResourceTypes.Find(segments[0]) is null)
            {
                return new(
                    FhirAnswer.Of(
                        Refusal.Of(404, "not-supported", "resource-type", BundleRequest.UnknownType(segments[0]))
                    )
                );
            }
            if (segments.Length > 1 && segments[1][0] is not ('_' or '$') && !LogicalId.IsValid(segments[1]))
            {
                return new(FhirAnswer.Of(Refusal.Of(404, "not-found", "id-format", LogicalId.Rule)));
            }
        }
        if (segments is ["AuditEvent", .., "_history"] or ["AuditEvent", _, "_history", _])
        {
            return new(NotAllowed("", "An AuditEvent has one version: it never changes, and has no history."));
        }
        var read = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);
        var post = HttpMethods.IsPost(request.Method);
        return segments switch
        {
            [] when post => BundleAsync(request),
            [] => new(NotAllowed("POST", "POST a Bundle here, or name a resource type.")),
            ["metadata"] when read => new(new FhirAnswer(200, Capability.ToBytes(request.Arrival))),
            ["metadata"] => new(NotAllowed("GET, HEAD", "Read the CapabilityStatement by GET.")),
            ["_history"] when read => HistoryAsync(request),
            ["$validate"] when post => ValidateAsync(request, null),
            ["$ccm-close"] when post => months.CloseAsync(request),
            ["$ccm-close"] => new(NotAllowed("POST", "Close a month by POST.")),
            ["$ccm-close-status"] when read => months.CloseStatusAsync(request, cancel: false),
            ["$ccm-close-status"] when HttpMethods.IsDelete(request.Method) => months.CloseStatusAsync(
                request,
                cancel: true
            ),
            ["$ccm-close-status"] => new(
                NotAllowed("GET, DELETE", "Ask how far a run is by GET, cancel it by DELETE.")
            ),
            ["Patient", var id, "$ccm-status"] when read => months.StatusAsync(request, id),
            ["Patient", var id, "$ccm-audit"] when read => audit.AnswerAsync(request, id),
            ["Measure", "$evaluate-measure"] when read => measures.AnswerAsync(request, null),
            ["Measure", var id, "$evaluate-measure"] when read => measures.AnswerAsync(request, id),
            [var type, "_search"] when post => PostedSearchAsync(request, type),
            [_, "_search"] => new(
                NotAllowed("POST", "POST the parameters as a form here, or GET the type with a query.")
            ),
            [_, "_history"] when read => HistoryAsync(request),
            [var type, "$validate"] when post => ValidateAsync(request, type),
            [_, _, "_history"] when read => HistoryAsync(request),
            [var type, var id, "$validate"] when read || post => ValidateStoredAsync(request, type, id),
            [_, _, "_history", _] when read => ReadAsync(request),
            [_, "_history"] or [_, _, "_history", ..] => new(NotAllowed("GET, HEAD", "A history is read by GET.")),
            ["Patient", var patient, var type] when read && ResourceTypes.Find(type) is not null => CompartmentAsync(
                request,
                patient,
                type
            ),
            [var name] when name[0] is not ('$' or '_') => TypeAsync(request, name, read, post),
            [_, var id] when id[0] is not ('$' or '_') => InstanceAsync(request, read),
            _ => new(
                FhirAnswer.Of(
                    Refusal.Of(
                        404,
                        "not-found",
                        "route",
                        "There is nothing at this address. GET metadata says what there is."
                    )
                )
            ),
        };
    }

    private async ValueTask<FhirAnswer> BundleAsync(FhirRequest request)
    {
        var (root, unreadable) = await request.BodyAsync(bodies);
        if (unreadable is not null)
        {
            return FhirAnswer.Of(unreadable);
        }
        if (!root["resourceType"u8].Is("Bundle"u8))
        {
            var name = root["resourceType"u8].Text;
            return FhirAnswer.Of(
                Refusal.Of(
                    400,
                    "invalid",
                    "resource-type",
                    name is not null && ResourceTypes.Find(name) is not null
                        ? $"The base takes a Bundle. Send a {name} to /{name}."
                        : "The base takes a Bundle: \"resourceType\": \"Bundle\".",
                    "resourceType",
                    root
                )
            );
        }
        var arrival = request.Arrival;
        if (BundleRequest.Read(root, arrival.Bases, out var refusal) is not { } bundle)
        {
            return FhirAnswer.Of(refusal!);
        }
        (request.Entries, request.IsTransaction) = (bundle.Entries, bundle.Kind == BundleKind.Transaction);
        refusal = await receive.RunAsync(arrival, bundle, request.Cancel);
        return refusal is not null
            ? FhirAnswer.Of(refusal)
            : new FhirAnswer(
                200,
                BundleWriter.Response(
                    bundle.Kind == BundleKind.Transaction ? "transaction-response" : "batch-response",
                    bundle.Entries,
                    arrival.OwnBase!,
                    request.Return ?? "minimal"
                )
            );
    }

    private ValueTask<FhirAnswer> TypeAsync(FhirRequest request, string type, bool read, bool post)
    {
        if (read)
        {
            return SearchAsync(request, type);
        }
        if (post)
        {
            return WriteAsync(
                request,
                new Entry
                {
                    Verb = Verb.Post,
                    Type = type,
                    IfNoneExist = request.Header("If-None-Exist"),
                }
            );
        }
        Verb? verb =
            HttpMethods.IsPut(request.Method) ? Verb.Put
            : HttpMethods.IsPatch(request.Method) ? Verb.Patch
            : HttpMethods.IsDelete(request.Method) ? Verb.Delete
            : null;
        if (verb is null)
        {
            return new(NotAllowed("GET, HEAD, POST, PUT, PATCH, DELETE", $"{request.Method} is no FHIR interaction."));
        }
        return request.Condition() is { } condition
            ? WriteAsync(
                request,
                new Entry
                {
                    Verb = verb.Value,
                    Type = type,
                    Criteria = condition,
                    IfMatch = request.Header("If-Match"),
                }
            )
            : new(
                FhirAnswer.Of(
                    Refusal.Of(
                        400,
                        "required",
                        "condition-missing",
                        $"{request.Method} on a type needs a condition, such as {type}?identifier=system|value; or name the resource: {type}/id."
                    )
                )
            );
    }

    private ValueTask<FhirAnswer> InstanceAsync(FhirRequest request, bool read)
    {
        if (read)
        {
            return ReadAsync(request);
        }
        Verb? verb =
            HttpMethods.IsPut(request.Method) ? Verb.Put
            : HttpMethods.IsPatch(request.Method) ? Verb.Patch
            : HttpMethods.IsDelete(request.Method) ? Verb.Delete
            : null;
        return verb is null
            ? new(
                NotAllowed(
                    "GET, HEAD, PUT, PATCH, DELETE",
                    $"{request.Method} is not for an instance. Create by POST to /{request.Segments[0]}."
                )
            )
            : WriteAsync(
                request,
                new Entry
                {
                    Verb = verb.Value,
                    Type = request.Segments[0],
                    Id = request.Segments[1],
                    IfMatch = request.Header("If-Match"),
                    IfNoneMatch = request.Header("If-None-Match"),
                }
            );
    }

    private async ValueTask<FhirAnswer> WriteAsync(FhirRequest request, Entry entry)
    {
        entry.Type = ResourceTypes.Find(entry.Type)!;
        if (entry.Verb == Verb.Patch)
        {
            var (patch, unreadable) = await PatchBodyAsync(request);
            if (unreadable is not null)
            {
                return FhirAnswer.Of(unreadable);
            }
            entry.Resource = patch;
        }
        else if (entry.Verb != Verb.Delete)
        {
            var (root, unreadable) = await request.BodyAsync(bodies);
            if (unreadable is not null)
            {
                return FhirAnswer.Of(unreadable);
            }
            entry.Resource = root;
            BundleRequest.CheckBody(entry);
        }
        var arrival = request.Arrival;
        request.Entries = [entry];
        var refusal = await receive.RunAsync(
            arrival,
            new BundleRequest(BundleKind.Transaction, [entry]),
            request.Cancel
        );
        if (refusal is not null)
        {
            return FhirAnswer.Of(refusal);
        }
        if (entry.Answer is not { } answer || answer.Deleted)
        {
            return new FhirAnswer(entry.Status, default) { Version = entry.Answer };
        }
        return new FhirAnswer(
            entry.Status,
            request.Return switch
            {
                "minimal" => default,
                "OperationOutcome" => OutcomeWriter.ToBytes(entry.Warnings),
                _ => answer.Json,
            }
        )
        {
            Version = answer,
            Location =
                entry.Status == 201 || entry.Verb == Verb.Post
                    ? $"{arrival.OwnBase}/{answer.Reference}/_history/{answer.VersionId}"
                    : null,
        };
    }

    private async ValueTask<(FhirElement Root, Refusal? Refusal)> PatchBodyAsync(FhirRequest request)
    {
        var mediaType = request.Http.Request.ContentType?.Split(';')[0].Trim();
        if (!string.Equals(mediaType, "application/json-patch+json", StringComparison.OrdinalIgnoreCase))
        {
            return await request.BodyAsync(bodies);
        }
        var (bytes, tooMuch) = await bodies.ReadAsync(request.Http);
        if (bytes is null)
        {
            return (default, tooMuch);
        }
        var document = FhirJson.Parse(bytes, out var fault);
        return document is not null
            ? (document.Root, null)
            : (default, Refusal.Of(400, "structure", fault!.Rule, $"The JSON Patch cannot be read: {fault.Text}"));
    }

    private async ValueTask<FhirAnswer> ReadAsync(FhirRequest request)
    {
        var entry = new Entry
        {
            Verb = Verb.Get,
            Type = ResourceTypes.Find(request.Segments[0])!,
            Criteria = string.Join('/', request.Segments) + (request.RawQuery.Length > 0 ? "?" + request.RawQuery : ""),
            IfNoneMatch = request.Header("If-None-Match"),
            IfModifiedSince = request.Header("If-Modified-Since"),
        };
        request.Entries = [entry];
        var refusal = await receive.RunAsync(
            request.Arrival,
            new BundleRequest(BundleKind.Transaction, [entry]),
            request.Cancel
        );
        return refusal is not null
            ? FhirAnswer.Of(refusal) with
            {
                Version = entry.RefusedWith == 410 ? entry.Answer : null,
            }
            : new FhirAnswer(entry.Status, entry.AnswerBody.IsEmpty ? entry.Answer!.Json : entry.AnswerBody)
            {
                Version = entry.Answer,
            };
    }

    private async ValueTask<FhirAnswer> SearchAsync(FhirRequest request, string type)
    {
        if (type == "AuditEvent")
        {
            // What was asked before this is found by it.
            await trail.FlushAsync(request.Cancel);
        }
        var (body, refusal) = await Search.SearchPage.AnswerAsync(
            ResourceTypes.Find(type)!,
            request.Query,
            request.Strict,
            new PracticeRecords(records, request.Arrival.Practice.Slug),
            request.Arrival,
            request.Cancel
        );
        return refusal is not null ? FhirAnswer.Of(refusal) : new FhirAnswer(200, body);
    }

    private async ValueTask<FhirAnswer> PostedSearchAsync(FhirRequest request, string type)
    {
        var mediaType = request.Http.Request.ContentType?.Split(';')[0].Trim();
        if (
            !string.Equals(mediaType, "application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase)
            && request.Http.Request.ContentLength is not (null or 0)
        )
        {
            return FhirAnswer.Of(
                Refusal.Of(
                    415,
                    "not-supported",
                    "content-type",
                    "A posted search is a form: Content-Type application/x-www-form-urlencoded."
                )
            );
        }
        var (bytes, tooMuch) = await bodies.ReadAsync(request.Http);
        if (bytes is null)
        {
            return FhirAnswer.Of(tooMuch!);
        }
        request.Query.AddRange(QueryText.Parse(System.Text.Encoding.UTF8.GetString(bytes)));
        return Negotiate(request) ?? await SearchAsync(request, type);
    }

    private ValueTask<FhirAnswer> CompartmentAsync(FhirRequest request, string patient, string type)
    {
        if (PatientCompartment.FirstPath(type) is not { } path)
        {
            return new(
                FhirAnswer.Of(
                    Refusal.Of(404, "not-supported", "compartment", $"{type} is not in a patient's compartment.")
                )
            );
        }
        foreach (var parameter in Search.SearchParameter.For(type))
        {
            if (
                parameter.Kind == Search.SearchKind.Reference
                && (type != "AuditEvent" || parameter.Code == "patient")
                && parameter.Paths.Any(candidate => candidate.Text == path)
            )
            {
                request.Query.Insert(0, new(parameter.Code, $"Patient/{patient}"));
                break;
            }
        }
        return SearchAsync(request, type);
    }

    private ValueTask<FhirAnswer> HistoryAsync(FhirRequest request)
    {
        var access = request.Arrival.Access;
        if (
            request.Segments.Length > 1
            && access.Missing(
                request.Segments[0],
                request.Segments.Length == 3 ? Interactions.Read : Interactions.Search
            )
                is { } scope
        )
        {
            return new(FhirAnswer.Of(Refusal.Of(403, "forbidden", "scope", Refusal.LacksScope(scope))));
        }
        return HistoryPage.AnswerAsync(request, new PracticeRecords(records, request.Arrival.Practice.Slug));
    }

    private async ValueTask<FhirAnswer> ValidateAsync(FhirRequest request, string? type)
    {
        var (root, unreadable) = await request.BodyAsync(bodies);
        return unreadable is not null ? FhirAnswer.Of(unreadable) : validate.Answer(request, root, type);
    }

    private async ValueTask<FhirAnswer> ValidateStoredAsync(FhirRequest request, string type, string id)
    {
        if (HttpMethods.IsPost(request.Method) && request.Http.Request.ContentLength is not (null or 0))
        {
            return await ValidateAsync(request, type);
        }
        var entry = new Entry
        {
            Verb = Verb.Get,
            Type = ResourceTypes.Find(type)!,
            Criteria = $"{type}/{id}",
        };
        var refusal = await receive.RunAsync(
            request.Arrival,
            new BundleRequest(BundleKind.Transaction, [entry]),
            request.Cancel
        );
        return refusal is not null
            ? FhirAnswer.Of(refusal)
            : validate.Answer(request, PracticeRecords.Parse(entry.Answer!), type);
    }

    // No access without its place in the audit trail: where it cannot be noted, nothing is given out. What was written stays written; the
    // journal itself tells of it.
    private FhirAnswer Noted(FhirRequest request, FhirAnswer answer)
    {
        if (request.Segments is ["metadata"] || request.Method == HttpMethods.Options)
        {
            return answer;
        }
        if (RequestTrail.Of(request, answer, gate, clock).All(trail.Note))
        {
            return answer;
        }
        TrailFull(request.Http.TraceIdentifier);
        request.Http.Response.Headers.RetryAfter = RetrySeconds.ToString(
            System.Globalization.CultureInfo.InvariantCulture
        );
        return request.Arrival?.Touched.Entries is not null
            ? answer
            : FhirAnswer.Of(
                Refusal.Of(
                    503,
                    "transient",
                    "audit-trail",
                    "The audit trail cannot take the access, so nothing is given out. Try again after the time that Retry-After says."
                )
            );
    }

    private DateTimeOffset Now() => Arrival.ToMillisecond(clock.GetUtcNow());

    private static FhirAnswer NotAllowed(string allow, string text) =>
        FhirAnswer.Of(Refusal.Of(405, "not-supported", "method", text)) with
        {
            Allow = allow,
        };

    [LoggerMessage(Level = LogLevel.Warning, Message = "The journal is not available; request {Request}")]
    private partial void Unavailable(Exception fault, string request);

    [LoggerMessage(Level = LogLevel.Critical, Message = "The audit trail is full; request {Request} was answered 503")]
    private partial void TrailFull(string request);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {Request} failed")]
    private partial void Failed(Exception fault, string request);
}

/// <summary>Who may come in where: the practices there are, and the gate before each.</summary>
/// <param name="Practice">A practice by its slug; null when there is none.</param>
/// <param name="AdmitAsync">Lets a request in, or says why not.</param>
internal sealed record FhirDoor(
    Func<string, Receiver?> Practice,
    Func<HttpContext, string, ValueTask<GateAnswer>> AdmitAsync
);
