using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using WireMock;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;
using WireMock.Types;
using WireMock.Util;

namespace CcmFhir.Tests.Ehr;

/// <summary>How an EHR misbehaves with one request.</summary>
internal enum Misdeed
{
    None,

    /// <summary>Takes it, and answers 200 with something that is no FHIR.</summary>
    Garbage,

    /// <summary>Does not take it, and answers 200 with something that is no FHIR.</summary>
    GarbageWithoutTaking,

    /// <summary>Takes it, and answers 201 without Location and without body.</summary>
    NoLocation,

    /// <summary>Answers 412 though nothing matches.</summary>
    FalseMatch,

    /// <summary>Answers 429 with Retry-After.</summary>
    TooMany,

    /// <summary>Takes it, and closes in the middle of the answer.</summary>
    HalfAnswer,

    /// <summary>Takes it, and closes without a word.</summary>
    Silence,

    /// <summary>Closes in the middle of the answer without having taken it.</summary>
    HalfAnswerWithoutTaking,

    /// <summary>Sends on to another host.</summary>
    Redirect,

    /// <summary>Takes it, and answers 500.</summary>
    FaultAfterTaking,

    /// <summary>Answers 503 with Retry-After.</summary>
    Unavailable,

    /// <summary>Answers 201 and forgets it.</summary>
    Forgets,

    /// <summary>Refuses it for good.</summary>
    Refuses,

    /// <summary>Does not let us in.</summary>
    LocksOut,
}

/// <summary>An EHR played by WireMock.Net: it keeps what it is given and can misbehave with each request.</summary>
internal sealed class PlayedEhr : IDisposable
{
    private const string CutHeader = "X-Cut";

    private readonly WireMockServer server;
    private readonly Lock gate = new();
    private readonly ConcurrentDictionary<string, ConcurrentBag<string>> byIdentifier = new(StringComparer.Ordinal);
    private int nextId;

    public PlayedEhr()
    {
        server = WireMockServer.Start(
            new WireMockServerSettings
            {
                PreWireMockMiddlewareInit = app => ((IApplicationBuilder)app).Use(CutAsync),
                MaxRequestLogCount = 0,
            }
        );
        server
            .Given(WireMock.RequestBuilders.Request.Create().WithPath("/fhir", "/fhir/*"))
            .RespondWith(Response.Create().WithCallback(Answer));
    }

    public Uri BaseUrl => new(server.Urls[0] + "/fhir");

    /// <summary>Resources held, by type and id.</summary>
    public ConcurrentDictionary<string, JsonObject> Held { get; } = new(StringComparer.Ordinal);

    /// <summary>Requests as method and path with query, in order of arrival.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>What happens to a request, by method, path and number of the request.</summary>
    public Func<string, string, Misdeed> Behave { get; set; } = (_, _) => Misdeed.None;

    /// <summary>If-None-Exist is declared.</summary>
    public bool DeclaresConditional { get; set; } = true;

    /// <summary>If-None-Exist is kept to.</summary>
    public bool KeepsConditional { get; set; } = true;

    /// <summary>A search by identifier works.</summary>
    public bool Searches { get; set; } = true;

    /// <summary>Types that can be created.</summary>
    public IReadOnlyList<string> Creates { get; set; } = ["Claim"];

    /// <summary>Operations by type, without the dollar sign.</summary>
    public Dictionary<string, string> Operations { get; } = [];

    /// <summary>Seconds in the answers 429 and 503.</summary>
    public string RetryAfter { get; set; } = "3600";

    /// <summary>How long a request takes before it is looked at.</summary>
    public TimeSpan Slowness { get; set; }

    /// <summary>Asked before a request is looked at; the request waits for it, and is looked at even when its sender has died meanwhile.</summary>
    public Func<HttpRequest, Task> Passing { get; set; } = _ => Task.CompletedTask;

    /// <summary>Further search parameters by type, each a reference.</summary>
    public Dictionary<string, string> SearchParameters { get; } = [];

    /// <summary>Answers requests before anything else; null to go on.</summary>
    public Func<string, string, string?, (int Status, string Body)?> Special { get; set; } = (_, _, _) => null;

    /// <summary>Where the redirect goes.</summary>
    public string Elsewhere { get; set; } = "https://elsewhere.example/fhir/Claim";

    /// <summary>Claims held.</summary>
    public IEnumerable<JsonObject> Claims => Of("Claim");

    public IEnumerable<JsonObject> Of(string type) =>
        Held.Where(one => one.Key.StartsWith(type + "/", StringComparison.Ordinal)).Select(one => one.Value);

    public int Count(string method, string path) =>
        Requests.Count(request => request.StartsWith($"{method} {path}", StringComparison.Ordinal));

    public void Hold(JsonObject resource)
    {
        var type = resource["resourceType"]!.GetValue<string>();
        var id = resource["id"]?.GetValue<string>() ?? $"e{Interlocked.Increment(ref nextId)}";
        resource["id"] = id;
        Keep(type, id, resource);
    }

    public void Dispose() => server.Dispose();

    private ResponseMessage Answer(IRequestMessage request)
    {
        var path = request.Path.Length > "/fhir/".Length ? request.Path["/fhir/".Length..] : "";
        var query = new Uri(request.Url).Query;
        Requests.Enqueue($"{request.Method} {path}{query}");
        if (Special(request.Method, path, request.Body) is { } special)
        {
            return Reply(special.Status, special.Body);
        }
        var misdeed = path == "metadata" ? Misdeed.None : Behave(request.Method, path + query);
        switch (misdeed)
        {
            case Misdeed.GarbageWithoutTaking:
                return Reply(200, "<html>Welcome to the portal</html>", "text/html");
            case Misdeed.FalseMatch:
                return Reply(412, Outcome("multiple-matches", "More than one resource matches."));
            case Misdeed.TooMany:
                return Reply(429, Outcome("throttled", "Slow down."), headers: ("Retry-After", RetryAfter));
            case Misdeed.Unavailable:
                return Reply(503, "", headers: ("Retry-After", RetryAfter));
            case Misdeed.Redirect:
                return Reply(307, "", headers: ("Location", Elsewhere));
            case Misdeed.Refuses:
                return Reply(422, Outcome("business-rule", "The claim has no rendering provider that we know."));
            case Misdeed.LocksOut:
                return Reply(401, Outcome("login", "Who are you?"));
            case Misdeed.HalfAnswerWithoutTaking:
                return Half(201, "Claim/none");
            default:
                break;
        }
        var answer = request.Method switch
        {
            "GET" when path == "metadata" => Reply(200, Capability()),
            "GET" when path.Contains('/', StringComparison.Ordinal) => Held.TryGetValue(path, out var one)
                ? Reply(200, one.ToJsonString())
                : Reply(404, Outcome("not-found", "There is none.")),
            "GET" when SearchParameters.TryGetValue(path, out var name) => Found([
                .. Of(path)
                    .Where(one =>
                        one[name]!["reference"]!.GetValue<string>() == request.GetParameter(name)?.FirstOrDefault()
                    ),
            ]),
            "GET" => Search(path, request.GetParameter("identifier")?.FirstOrDefault()),
            "POST" when !Creates.Contains(path) => Reply(404, Outcome("not-supported", "Not here.")),
            "POST" => Create(path, request, misdeed == Misdeed.Forgets),
            _ => Reply(405, ""),
        };
        return misdeed switch
        {
            Misdeed.Garbage => Reply(200, "OK, thanks", "text/plain"),
            Misdeed.NoLocation => Reply(201, ""),
            Misdeed.Silence => Reply(201, "", headers: (CutHeader, "all")),
            Misdeed.FaultAfterTaking => Reply(500, Outcome("exception", "Something broke.")),
            Misdeed.HalfAnswer => Half(
                answer.StatusCode is int status ? status : 201,
                answer.Headers?.TryGetValue("Location", out var location) == true ? location.ToString() : null
            ),
            _ => answer,
        };
    }

    private ResponseMessage Create(string type, IRequestMessage request, bool forget)
    {
        var resource = JsonNode.Parse(request.Body!)!.AsObject();
        lock (gate)
        {
            var condition =
                request.Headers?.TryGetValue("If-None-Exist", out var value) == true ? value.ToString() : null;
            if (condition is not null && KeepsConditional)
            {
                var same = Find(type, Uri.UnescapeDataString(condition["identifier=".Length..]));
                if (same.Count > 1)
                {
                    return Reply(412, Outcome("multiple-matches", "More than one resource matches."));
                }
                if (same.Count == 1)
                {
                    return Reply(200, same[0].ToJsonString());
                }
            }
            var id = string.Create(CultureInfo.InvariantCulture, $"e{Interlocked.Increment(ref nextId)}");
            resource["id"] = id;
            if (!forget)
            {
                Keep(type, id, resource);
            }
            return Reply(
                201,
                resource.ToJsonString(),
                headers: [("Location", $"{BaseUrl}/{type}/{id}/_history/1"), ("ETag", "W/\"1\"")]
            );
        }
    }

    private ResponseMessage Search(string type, string? token)
    {
        if (!Searches)
        {
            return Reply(400, Outcome("not-supported", "Search is not supported."));
        }
        return Found(Find(type, token ?? ""));
    }

    private static ResponseMessage Found(List<JsonObject> found)
    {
        var bundle = new JsonObject
        {
            ["resourceType"] = "Bundle",
            ["type"] = "searchset",
            ["total"] = found.Count,
            ["entry"] = new JsonArray([.. found.Select(one => new JsonObject { ["resource"] = one.DeepClone() })]),
        };
        return Reply(200, bundle.ToJsonString());
    }

    private List<JsonObject> Find(string type, string token) =>
        [
            .. byIdentifier
                .GetValueOrDefault($"{type}?{token}", [])
                .Distinct()
                .Where(Held.ContainsKey)
                .Select(key => Held[key]),
        ];

    private void Keep(string type, string id, JsonObject resource)
    {
        Held[$"{type}/{id}"] = resource;
        foreach (var identifier in resource["identifier"]?.AsArray() ?? [])
        {
            byIdentifier.GetOrAdd($"{type}?{identifier!["system"]}|{identifier["value"]}", _ => []).Add($"{type}/{id}");
        }
    }

    private string Capability()
    {
        var types = new JsonArray();
        foreach (
            var type in Creates
                .Union(Operations.Keys.Concat(SearchParameters.Keys))
                .Union(["Claim", "Patient", "Practitioner", "Organization", "Coverage"])
        )
        {
            var interactions = new JsonArray(new JsonObject { ["code"] = "read" });
            var parameters = new JsonArray();
            if (Creates.Contains(type))
            {
                interactions.Add(new JsonObject { ["code"] = "create" });
            }
            if (Searches)
            {
                interactions.Add(new JsonObject { ["code"] = "search-type" });
                parameters.Add(new JsonObject { ["name"] = "identifier", ["type"] = "token" });
            }
            if (SearchParameters.TryGetValue(type, out var more))
            {
                parameters.Add(new JsonObject { ["name"] = more, ["type"] = "reference" });
            }
            types.Add(
                new JsonObject
                {
                    ["type"] = type,
                    ["interaction"] = interactions,
                    ["searchParam"] = parameters,
                    ["conditionalCreate"] = DeclaresConditional,
                    ["operation"] = new JsonArray([
                        .. Operations
                            .Where(operation => operation.Key == type)
                            .Select(operation => new JsonObject { ["name"] = operation.Value }),
                    ]),
                }
            );
        }
        return new JsonObject
        {
            ["resourceType"] = "CapabilityStatement",
            ["rest"] = new JsonArray(new JsonObject { ["mode"] = "server", ["resource"] = types }),
        }.ToJsonString();
    }

    private static string Outcome(string code, string text) =>
        new JsonObject
        {
            ["resourceType"] = "OperationOutcome",
            ["issue"] = new JsonArray(
                new JsonObject
                {
                    ["severity"] = "error",
                    ["code"] = code,
                    ["diagnostics"] = text,
                }
            ),
        }.ToJsonString();

    private static ResponseMessage Half(int status, string? location) =>
        Reply(
            status,
            "{\"resourceType\":\"Claim\",\"status\":\"active\"}",
            headers: location is null ? [(CutHeader, "1")] : [(CutHeader, "1"), ("Location", location)]
        );

    // WireMock answers whole; this stands before it, and cuts the connection in the middle of the body.
    private async Task CutAsync(HttpContext http, RequestDelegate next)
    {
        if (Slowness > TimeSpan.Zero)
        {
            await Task.Delay(Slowness, TimeProvider.System, http.RequestAborted);
        }
        using var asked = new MemoryStream();
        await http.Request.Body.CopyToAsync(asked);
        asked.Position = 0;
        http.Request.Body = asked;
        await Passing(http.Request);
        var wire = http.Response.Body;
        using var whole = new MemoryStream();
        http.Response.Body = whole;
        await next(http);
        http.Response.Body = wire;
        if (!http.Response.Headers.Remove(CutHeader, out var cut))
        {
            await wire.WriteAsync(whole.ToArray());
            return;
        }
        if (cut == "all")
        {
            http.Abort();
            return;
        }
        http.Response.ContentLength = whole.Length;
        await wire.WriteAsync(whole.ToArray().AsMemory(0, (int)whole.Length / 2));
        await wire.FlushAsync();
        http.Abort();
    }

    private static ResponseMessage Reply(
        int status,
        string body,
        string mediaType = "application/fhir+json",
        params (string Name, string Value)[] headers
    )
    {
        var all = new Dictionary<string, WireMockList<string>>(StringComparer.OrdinalIgnoreCase)
        {
            ["Content-Type"] = new(mediaType),
        };
        foreach (var (name, value) in headers)
        {
            all[name] = new WireMockList<string>(value);
        }
        return new ResponseMessage
        {
            StatusCode = status,
            Headers = all,
            BodyData = new BodyData { DetectedBodyType = BodyType.String, BodyAsString = body },
        };
    }
}
