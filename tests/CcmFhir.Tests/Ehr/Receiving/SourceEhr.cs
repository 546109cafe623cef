using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using WireMock;
using WireMock.ResponseBuilders;
using WireMock.Server;
using WireMock.Settings;
using WireMock.Types;
using WireMock.Util;

namespace CcmFhir.Tests.Ehr.Receiving;

/// <summary>An EHR to read from, played by WireMock.Net: reads, searches page by page and by <c>_lastUpdated</c>, and bulk exports.</summary>
internal sealed class SourceEhr : IDisposable
{
    private readonly WireMockServer server;

    public SourceEhr()
    {
        server = WireMockServer.Start(new WireMockServerSettings { MaxRequestLogCount = 0 });
        server
            .Given(WireMock.RequestBuilders.Request.Create().WithPath("/*"))
            .RespondWith(Response.Create().WithCallback(Answer));
    }

    public string Root => server.Urls[0];

    public string BaseUrl => server.Urls[0] + "/fhir";

    /// <summary>Resources by <c>Type/id</c>; null for a deleted one.</summary>
    public ConcurrentDictionary<string, JsonObject?> Held { get; } = new(StringComparer.Ordinal);

    /// <summary>Requests as path with query, in order of arrival.</summary>
    public ConcurrentQueue<string> Requests { get; } = new();

    /// <summary>Resources a page.</summary>
    public int PageSize { get; set; } = 2;

    /// <summary>What is answered in place of the right thing; null for the right thing.</summary>
    public Func<string, (int Status, string Body)?> Behave { get; set; } = _ => null;

    /// <summary>Makes addresses in answers: next pages, and files of an export.</summary>
    public Func<string, string> Address { get; set; } = address => address;

    /// <summary>Lines that an export's file holds beside the resources.</summary>
    public string MoreLines { get; set; } = "";

    /// <summary>Set while requests are held up.</summary>
    public ManualResetEventSlim Open { get; } = new(initialState: true);

    public void Hold(string json, string lastUpdated = "2026-11-01T00:00:00Z")
    {
        var resource = JsonNode.Parse(json)!.AsObject();
        resource["meta"] = new JsonObject { ["lastUpdated"] = lastUpdated };
        Held[$"{resource["resourceType"]}/{resource["id"]}"] = resource;
    }

    public int Count(string part) => Requests.Count(request => request.Contains(part, StringComparison.Ordinal));

    public void Dispose()
    {
        Open.Set();
        server.Dispose();
        Open.Dispose();
    }

    private ResponseMessage Answer(IRequestMessage request)
    {
        var path = request.Path.StartsWith("/fhir/", StringComparison.Ordinal)
            ? request.Path["/fhir/".Length..]
            : request.Path;
        var query = Uri.UnescapeDataString(new Uri(request.Url).Query);
        Requests.Enqueue($"{request.Method} {path}{query}");
        Open.Wait();
        if (Behave(path + query) is { } other)
        {
            return Reply(other.Status, other.Body, ("Retry-After", "0"));
        }
        string? parameter(string name) => request.GetParameter(name)?.FirstOrDefault();
        return path switch
        {
            "metadata" => Reply(200, Capability()),
            "/jobs/1" when request.Method == "DELETE" => Reply(202, ""),
            "/jobs/1" => Reply(
                200,
                new JsonObject
                {
                    ["transactionTime"] = "2026-11-10T00:00:00Z",
                    ["requiresAccessToken"] = false,
                    ["output"] = new JsonArray([
                        .. Types()
                            .Select(type => new JsonObject
                            {
                                ["type"] = type,
                                ["url"] = Address($"{Root}/files/{type}.ndjson"),
                            }),
                    ]),
                    ["error"] = new JsonArray(),
                }.ToJsonString()
            ),
            _ when path.StartsWith("/files/", StringComparison.Ordinal) => Reply(
                200,
                string.Join(
                    '\n',
                    Of(path["/files/".Length..].Split('.')[0]).Select(one => one.ToJsonString()).Append(MoreLines)
                )
            ),
            _ when path.EndsWith("/$export", StringComparison.Ordinal) => Reply(
                202,
                "",
                ("Content-Location", Address($"{Root}/jobs/1"))
            ),
            _ when path.Contains('/', StringComparison.Ordinal) => Held.TryGetValue(path, out var one)
                ? one is null
                    ? Reply(410, "")
                    : Reply(200, one.ToJsonString())
                : Reply(404, ""),
            _ => Page(path, query, parameter),
        };
    }

    private ResponseMessage Page(string type, string query, Func<string, string?> parameter)
    {
        var from = parameter("_lastUpdated") is { } since ? since[2..] : "";
        var found = Of(type)
            .Where(one => parameter("_id") is not { } id || (string?)one["id"] == id)
            .Where(one =>
                parameter("patient") is not { } patient
                || one.ToJsonString().Contains($"\"Patient/{patient}\"", StringComparison.Ordinal)
            )
            .Where(one => string.CompareOrdinal((string)one["meta"]!["lastUpdated"]!, from) >= 0)
            .ToList();
        var at = int.Parse(parameter("page") ?? "0", CultureInfo.InvariantCulture);
        var bundle = new JsonObject
        {
            ["resourceType"] = "Bundle",
            ["type"] = "searchset",
            ["entry"] = new JsonArray([
                .. found
                    .Skip(at * PageSize)
                    .Take(PageSize)
                    .Select(one => new JsonObject { ["resource"] = one.DeepClone() }),
            ]),
        };
        if ((at + 1) * PageSize < found.Count)
        {
            var next = string.Create(
                CultureInfo.InvariantCulture,
                $"{BaseUrl}/{type}{query.Split("&page=")[0]}&page={at + 1}"
            );
            bundle["link"] = new JsonArray(new JsonObject { ["relation"] = "next", ["url"] = Address(next) });
        }
        return Reply(200, bundle.ToJsonString());
    }

    private IEnumerable<string> Types() => Held.Keys.Select(key => key.Split('/')[0]).Distinct().Order();

    private IEnumerable<JsonObject> Of(string type) =>
        Held.Where(one => one.Value is not null && one.Key.StartsWith(type + "/", StringComparison.Ordinal))
            .OrderBy(one => one.Key, StringComparer.Ordinal)
            .Select(one => one.Value!);

    private static string Capability() =>
        new JsonObject
        {
            ["resourceType"] = "CapabilityStatement",
            ["rest"] = new JsonArray(
                new JsonObject
                {
                    ["mode"] = "server",
                    ["resource"] = new JsonArray([
                        .. new[] { "Patient", "Task", "Claim", "Condition" }.Select(type => new JsonObject
                        {
                            ["type"] = type,
                            ["interaction"] = new JsonArray(new JsonObject { ["code"] = "search-type" }),
                            ["searchParam"] = new JsonArray(
                                new JsonObject { ["name"] = "patient" },
                                new JsonObject { ["name"] = "_lastUpdated" }
                            ),
                        }),
                    ]),
                }
            ),
        }.ToJsonString();

    private static ResponseMessage Reply(int status, string body, params (string Name, string Value)[] headers)
    {
        var all = new Dictionary<string, WireMockList<string>>(StringComparer.OrdinalIgnoreCase)
        {
            ["Content-Type"] = new("application/fhir+json"),
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
