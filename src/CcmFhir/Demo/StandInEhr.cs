using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace CcmFhir.Demo;

/// <summary>An EHR for the demo, in the same process: it takes Claims as a FHIR server would, one for each identifier, and forgets them at the end.</summary>
internal sealed class StandInEhr : IAsyncDisposable
{
    private const string FhirJson = "application/fhir+json; charset=utf-8";

    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, JsonObject> claims = new(StringComparer.Ordinal);
    private readonly Lock gate = new();

    private StandInEhr(WebApplication app) => this.app = app;

    /// <summary>Its FHIR base address.</summary>
    public Uri BaseAddress { get; private set; } = null!;

    /// <summary>Claims that it holds, by its own id.</summary>
    public IReadOnlyDictionary<string, JsonObject> Claims => claims;

    /// <summary>Starts it on a free loopback port.</summary>
    public static async Task<StandInEhr> StartAsync(CancellationToken cancel)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var ehr = new StandInEhr(builder.Build());
        ehr.app.MapGet("/r4/metadata", ehr.MetadataAsync);
        ehr.app.MapPost("/r4/Claim", ehr.CreateAsync);
        ehr.app.MapGet("/r4/Claim", ehr.SearchAsync);
        ehr.app.MapGet("/r4/Claim/{id}", ehr.ReadAsync);
        await ehr.app.StartAsync(cancel);
        ehr.BaseAddress = new Uri(ehr.app.Urls.First() + "/r4/");
        return ehr;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => app.DisposeAsync();

    private Task MetadataAsync(HttpContext http) =>
        AnswerAsync(
            http,
            200,
            new JsonObject
            {
                ["resourceType"] = "CapabilityStatement",
                ["status"] = "active",
                ["date"] = "2026-10-01",
                ["kind"] = "instance",
                ["fhirVersion"] = "4.0.1",
                ["format"] = new JsonArray("application/fhir+json"),
                ["implementation"] = new JsonObject
                {
                    ["description"] = "Stand-in EHR of the demo",
                    ["url"] = BaseAddress.ToString(),
                },
                ["rest"] = new JsonArray(
                    new JsonObject
                    {
                        ["mode"] = "server",
                        ["resource"] = new JsonArray(
                            new JsonObject
                            {
                                ["type"] = "Claim",
                                ["interaction"] = new JsonArray(
                                    new JsonObject { ["code"] = "create" },
                                    new JsonObject { ["code"] = "read" },
                                    new JsonObject { ["code"] = "search-type" }
                                ),
                                ["conditionalCreate"] = true,
                                ["searchParam"] = new JsonArray(
                                    new JsonObject { ["name"] = "identifier", ["type"] = "token" }
                                ),
                            }
                        ),
                    }
                ),
            }
        );

    private async Task CreateAsync(HttpContext http)
    {
        JsonObject? claim;
        try
        {
            claim = await JsonNode.ParseAsync(http.Request.Body, cancellationToken: http.RequestAborted) as JsonObject;
        }
        catch (JsonException)
        {
            claim = null;
        }
        if (claim?["resourceType"]?.GetValue<string>() != "Claim")
        {
            await AnswerAsync(http, 400, Outcome("structure", "A Claim in JSON is needed."));
            return;
        }
        string id;
        var status = 201;
        lock (gate)
        {
            var wanted = http.Request.Headers["If-None-Exist"].ToString();
            id =
                wanted.Length == 0
                    ? ""
                    : Find(Uri.UnescapeDataString(wanted.Replace("identifier=", "", StringComparison.Ordinal)));
            if (id.Length > 0)
            {
                status = 200;
                claim = claims[id];
            }
            else
            {
                id = $"ehr-{claims.Count + 1}";
                claim["id"] = id;
                claims[id] = claim;
            }
        }
        http.Response.Headers.Location = new Uri(BaseAddress, $"Claim/{id}/_history/1").ToString();
        http.Response.Headers.ETag = "W/\"1\"";
        await AnswerAsync(http, status, claim);
    }

    private Task SearchAsync(HttpContext http)
    {
        var id = Find(http.Request.Query["identifier"].ToString());
        var entries = new JsonArray();
        if (id.Length > 0)
        {
            entries.Add(
                new JsonObject
                {
                    ["fullUrl"] = new Uri(BaseAddress, $"Claim/{id}").ToString(),
                    ["resource"] = claims[id].DeepClone(),
                }
            );
        }
        return AnswerAsync(
            http,
            200,
            new JsonObject
            {
                ["resourceType"] = "Bundle",
                ["type"] = "searchset",
                ["total"] = entries.Count,
                ["entry"] = entries,
            }
        );
    }

    private Task ReadAsync(HttpContext http, string id) =>
        claims.TryGetValue(id, out var claim)
            ? AnswerAsync(http, 200, claim)
            : AnswerAsync(http, 404, Outcome("not-found", "There is no such Claim."));

    private string Find(string token) =>
        claims
            .FirstOrDefault(held =>
                held.Value["identifier"] is JsonArray identifiers
                && identifiers.Any(one =>
                    $"{one?["system"]?.GetValue<string>()}|{one?["value"]?.GetValue<string>()}" == token
                )
            )
            .Key
        ?? "";

    private static JsonObject Outcome(string code, string text) =>
        new()
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
        };

    private static Task AnswerAsync(HttpContext http, int status, JsonObject body)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = FhirJson;
        return http.Response.WriteAsync(body.ToJsonString(), Encoding.UTF8, http.RequestAborted);
    }
}
